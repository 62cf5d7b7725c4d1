#!/usr/bin/env bash
# How much faster our trial trains and evaluates than Pytorch_Retinaface in Python, one run on the same images and cores.
# Needs apt-get install python3-torch python3-torchvision python3-opencv python3-numpy, and clones Pytorch_Retinaface into .cache/ unless
# --peer DIR (or $PYTORCH_RETINAFACE) says where it is.
#
#   bash scripts/bench_trial.sh [--crops 160 320 640] [--cores 1] [--peer DIR] [--json FILE]
set -euo pipefail
cd "$(dirname "$0")/.."
[ -x build/release/bin/hyperfd-trial ] || bash scripts/setup.sh
exec /usr/bin/python3 scripts/bench_trial.py "$@"
