#!/bin/sh
# Make FOLDER anew as a virtual environment of the first Python that is new enough.
# Use: make-venv.sh FOLDER; PYTHON names one to try first.
set -eu

for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        found=$candidate
        break
    fi
done

if [ -z "${found:-}" ]; then
    echo "Untether needs Python 3.11 or newer, and none is on the PATH." >&2
    echo "Install one (on Debian: apt install python3 python3-venv), or name it: make PYTHON=..." >&2
    exit 1
fi
if ! "$found" -c 'import ensurepip, venv' 2>/dev/null; then
    echo "$found can't make virtual environments: its venv or ensurepip module is missing." >&2
    echo "On Debian and Ubuntu install it with: apt install python3-venv" >&2
    exit 1
fi

echo "Making $1 with $("$found" --version) ..." >&2
"$found" -m venv --clear "$1"
