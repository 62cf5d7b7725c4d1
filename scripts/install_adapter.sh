#!/usr/bin/env bash
# Installs the NNI adapter and both programs into .venv and registers the tuner with NNI. Run after scripts/setup.sh: it reuses that build.
set -euo pipefail
cd "$(dirname "$0")/.."
stamp=.venv/.adapter.sha256
wanted=$(find adapters/nni models trial/training/recipes CMakeLists.txt build/release/bin -type f -not -name '*.pyc' -print0 | sort -z | xargs -0 sha256sum | sha256sum)
if [ "$(cat $stamp 2>/dev/null)" != "$wanted" ]; then
  .venv/bin/pip install -q --disable-pip-version-check --no-build-isolation ./adapters/nni \
    --config-settings=build-dir="$PWD/build/release" --config-settings=cmake.define.HYPERFD_BUILD_TESTS=ON
  .venv/bin/hyperfd-nni register
  echo "$wanted" > $stamp
fi
