#!/usr/bin/env bash
# Compiles packages where they lie, for containers that cannot write there:
#
#   docker/scripts/compile_source.sh FOLDER...
#
# The compiled files do not depend on the time of the build, and are used without looking at the
# sources again, whose times an image may round.
set -euo pipefail

exec "${PYTHON:-python3}" -m compileall -q --invalidation-mode unchecked-hash "$@"
