#!/usr/bin/env bash
# Finds the Python of .venv, and has it make or update .venv (local/install.py):
#
#   PYTHON=/path/to/python local/setup.sh     # PYTHON is optional
#
# The one that PYTHON names, else .venv's own, else the newest on PATH that fits, else one that uv
# brings. Each is tried, not only found: a shim of pyenv lies on PATH for every Python that is
# installed, and fails for those that are not chosen.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fits() { "$1" local/supported.py >/dev/null 2>&1; }
install_with() { exec "$1" -m local.install; }

if [[ -n ${PYTHON:-} ]]; then
    "$PYTHON" local/supported.py || exit 2
    install_with "$PYTHON"
fi
for candidate in .venv/bin/python python3.13 python3.12 python3.11 python3; do
    if fits "$candidate"; then
        install_with "$candidate"
    fi
done
if command -v uv >/dev/null; then
    echo "no Python 3.11 to 3.13 is here: uv fetches one, which is a download of its own"
    if uv python install 3.13 && python=$(uv python find --managed-python 3.13); then
        install_with "$python"
    fi
    echo "uv has brought no Python 3.13 (its message is above); expected uv to reach where it" \
        "fetches Pythons from. Install Python 3.11, 3.12 or 3.13 otherwise, or name one:" \
        "make PYTHON=/path/to/python3.13" >&2
    exit 2
fi
code=0
python3 local/supported.py || code=$?
if ((code != 2)); then
    echo "no Python was found on PATH (python3.13, python3.12, python3.11, python3); expected one of" \
        "3.11 to 3.13. Install one, name it (make PYTHON=/path/to/python3.13), or install uv," \
        "which brings one." >&2
fi
exit 2
