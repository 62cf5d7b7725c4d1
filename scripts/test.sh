#!/usr/bin/env bash
# Sets everything up and runs all tests: GoogleTest through ctest, pytest for the adapter and for whole NNI experiments.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=release
[ -z "${CI:-}" ] || preset=ci  # the same build, with warnings as errors
bash scripts/setup.sh "$preset"
export PATH="$PWD/.venv/bin:$PATH"
ctest --test-dir build/release --output-on-failure --no-tests=error -j "$(nproc)"
python -m pytest -q tests/adapter tests/scripts
