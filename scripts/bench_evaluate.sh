#!/usr/bin/env bash
# How much faster `hyperfd-trial evaluate --detections` is than pycocotools: 3,000 images, 100,000 detections, one run.
#
#   bash scripts/bench_evaluate.sh [--images N] [--detections N] [--rounds N]
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh
exec .venv/bin/python scripts/bench_evaluate.py "$@"
