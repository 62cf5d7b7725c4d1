#!/usr/bin/env bash
# Sets everything up and runs all tests: GoogleTest through ctest, pytest for the adapter, the scripts and whole NNI experiments.
#
#   bash scripts/test.sh [--fast]      --fast: without the whole NNI experiments
set -euo pipefail
cd "$(dirname "$0")/.."
case ${1:-} in "" | --fast) ;; *) echo "test.sh: unknown argument \"$1\"; expected --fast or nothing" >&2; exit 2 ;; esac
preset=release
[ -z "${CI:-}" ] || preset=ci  # the same build, with warnings as errors
bash scripts/setup.sh "$preset"
export PATH="$PWD/.venv/bin:$PATH"
ctest --test-dir build/release --output-on-failure --no-tests=error -j "$(nproc)"
if [ "${1:-}" = --fast ]; then
  python -m pytest -q tests/adapter tests/scripts tests/evaluation tests/trial tests/tuner -m "not integration"
else
  bash scripts/install_adapter.sh
  python -m pytest -q tests/adapter tests/scripts tests/evaluation tests/trial tests/tuner
fi
