#!/usr/bin/env bash
# Prints the Python to build .venv from: the distribution's where it is 3.11 or later, else the first python3 that is.
good() { "$1" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }
for python in /usr/bin/python3 python3; do
  if good "$python"; then
    command -v "$python"
    exit 0
  fi
done
echo "python3-missing"
