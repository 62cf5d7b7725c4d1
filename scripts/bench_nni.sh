#!/usr/bin/env bash
# HyperFD, TPE and Random of NNI on three ordinary tuning problems (scikit-learn), 10 seeds of 50 trials each, as experiments of nnictl;
# docs/non_face.md. Two to three hours: the problems run side by side, and NNI mostly waits. Runs that docs/non_face.jsonl holds are not
# repeated: delete the file to begin anew.
# Needs, in .venv: pip install scikit-learn==1.9.1 matplotlib==3.11.2
#
#   bash scripts/bench_nni.sh
set -euo pipefail
cd "$(dirname "$0")/.."
bash scripts/setup.sh
.venv/bin/python -c 'import sklearn, matplotlib' || { echo 'needs: .venv/bin/pip install scikit-learn==1.9.1 matplotlib==3.11.2' >&2; exit 2; }
running=()
trap 'kill "${running[@]}" 2>/dev/null || true' EXIT  # the others do not go on where one fails
for problem in boosting svm regression; do
  .venv/bin/python scripts/bench_nni.py nni --problems $problem &
  running+=($!)
done
for process in "${running[@]}"; do wait "$process"; done
trap - EXIT
exec .venv/bin/python scripts/bench_nni.py report
