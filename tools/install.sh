#!/usr/bin/env bash
# Makes .venv from the locked dependencies: tools/install.sh PYTHON LOCKFILE
set -euo pipefail
python=$1 lock=$2

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
  echo "Limen needs Python 3.11 or later. Install the package python3 (or set PYTHON=/path/to/python3)." >&2
  exit 1
fi
if ! "$python" -c 'import venv, ensurepip' >/dev/null 2>&1; then
  version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  echo "This Python has no venv. Install the package python$version-venv (Debian, Ubuntu: apt install python3-venv)." >&2
  exit 1
fi

uv_version=$(sed -nE 's/^uv==([^ ]+).*/\1/p' "$lock")
[ -x .venv/bin/python ] || "$python" -m venv .venv
[ -x .venv/bin/uv ] || .venv/bin/python -m pip install --quiet --disable-pip-version-check "uv==$uv_version"
VIRTUAL_ENV=$PWD/.venv .venv/bin/uv pip sync --quiet --require-hashes "$lock"
VIRTUAL_ENV=$PWD/.venv .venv/bin/uv pip install --quiet --no-deps --editable .
# Compiles what a server and the demo import: the first start is as quick as the next, even where Python may write no bytecode.
env -u PYTHONDONTWRITEBYTECODE .venv/bin/python -c 'import limen.app.demo.opening, limen.platform.sql.upgrading, limen.platform.mail.smtp'
touch .venv/.installed
