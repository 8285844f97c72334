#!/usr/bin/env bash
# Creates the virtual environment from the lock file; does nothing if it was made from that lock.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=${1:-.venv}
lock=requirements-dev.lock
# The environment contains a copy of the lock it was made from; contents are compared, not times.
cmp -s "$lock" "$venv/installed.lock" && exit 0

python=
for candidate in "${PYTHON:-}" python3.11 python3.12 python3.13 python3; do
    if [ -n "$candidate" ] && command -v "$candidate" >/dev/null &&
        "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    echo "Concord needs Python 3.11 or newer; set PYTHON to one, or install it." >&2
    exit 1
fi

started=$SECONDS
echo "Making $venv from $lock (once; about a minute) ..."
if ! "$python" -c 'import ensurepip' 2>/dev/null; then
    echo "$python has no venv module; on Debian or Ubuntu type: apt-get install python3-venv" >&2
    exit 1
fi
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
export PIP_DISABLE_PIP_VERSION_CHECK=1
"$venv/bin/python" -m pip install --quiet --require-hashes --requirement "$lock"
# The build backend is in the lock, too, so nothing else is fetched.
"$venv/bin/python" -m pip install --quiet --no-deps --no-build-isolation --editable .
cp "$lock" "$venv/installed.lock"
echo "Ready after $((SECONDS - started)) s."
