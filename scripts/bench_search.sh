#!/usr/bin/env bash
# What 50 trials find on tasks that nothing is known of, by HyperFD (through its server, without past experience), NNI's TPE and random
# search: made-up functions and noisy random surfaces on the 216-point space.
#
#   bash scripts/bench_search.sh [--seeds N]
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh
exec .venv/bin/python scripts/bench_search.py "$@"
