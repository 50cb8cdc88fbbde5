#!/usr/bin/env bash
# Runs the benchmark on the distribution's Python, whatever the tests run on: builds differ by a quarter.
set -euo pipefail
exec .venv/bin/python -m bench.run "$@"
