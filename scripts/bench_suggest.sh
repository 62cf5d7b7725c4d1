#!/usr/bin/env bash
# How long a suggestion takes after 100, 1,000 and 10,000 trials: ours through the whole path (socket, store, answer), beside NNI's TPE
# and Optuna's TPE and GP samplers, in one run. Optuna lives in an environment of its own below build/.
#
#   bash scripts/bench_suggest.sh [--asks N]
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh
optuna=build/optuna
if [ ! -e $optuna/.ready ]; then
  rm -rf $optuna
  # Its GP sampler needs PyTorch: Debian's, where python3-torch and python3-scipy are installed.
  /usr/bin/python3 -m venv --system-site-packages $optuna
  $optuna/bin/pip install -q --disable-pip-version-check optuna==4.5.0
  touch $optuna/.ready
fi
exec .venv/bin/python scripts/bench_suggest.py --optuna $optuna/bin/python "$@"
