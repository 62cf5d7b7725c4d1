#!/usr/bin/env bash
# HyperFD, TPE and Random of NNI on three ordinary tuning problems (scikit-learn), 10 seeds of 50 trials each; docs/non_face.md.
# About an hour and a half on two cores. Runs that docs/non_face.jsonl holds are not repeated: delete the file to begin anew.
# Needs, in .venv: pip install scikit-learn==1.9.1 matplotlib==3.11.2
#
#   bash scripts/bench_nni.sh
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh
.venv/bin/python -c 'import sklearn, matplotlib' || { echo 'needs: .venv/bin/pip install scikit-learn==1.9.1 matplotlib==3.11.2' >&2; exit 2; }
.venv/bin/python scripts/bench_nni.py nni --seeds 1
.venv/bin/python scripts/bench_nni.py direct --seeds 10
exec .venv/bin/python scripts/bench_nni.py report
