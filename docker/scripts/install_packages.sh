#!/usr/bin/env bash
# Installs parts of the system into a virtual environment, which is made if it is not there:
#
#   docker/scripts/install_packages.sh ENVIRONMENT PART...      # airflow, jobs, meta_model, ...
#
# A part is a file of docker/requirements/; constraints.txt pins what the file does not. PYTHON is
# the interpreter of a new environment. TORCH_INDEX_URL, if set, is where torch alone is taken from:
# pip's own index decides between CPU and CUDA otherwise.
set -euo pipefail

if (($# < 2)); then
    echo "expected an environment and at least one part, as in: $0 /opt/venv airflow" >&2
    exit 2
fi
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
environment=$1
shift

requirements=()
for part in "$@"; do
    file=$repository/docker/requirements/$part.txt
    if [[ ! -f $file ]]; then
        echo "no part '$part'; expected one that has a file like $file" >&2
        exit 2
    fi
    requirements+=(--requirement "$file")
done

if [[ ! -x $environment/bin/python ]]; then
    "${PYTHON:-python3}" -m venv "$environment"
fi
pip=("$environment/bin/python" -m pip --disable-pip-version-check)
install=("${pip[@]}" install --no-cache-dir --constraint "$repository/constraints.txt")

if [[ -n ${TORCH_INDEX_URL:-} && " $* " == *" meta_model "* ]]; then
    # Without what it needs: that index has old versions of it, or none.
    "${install[@]}" --no-deps --index-url "$TORCH_INDEX_URL" torch
fi
"${install[@]}" "${requirements[@]}"
"${pip[@]}" check
