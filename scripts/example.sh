#!/usr/bin/env bash
# The main job from nothing: set-up, then an NNI experiment in which HyperFD tunes a RetinaFace face detector.
#
#   bash scripts/example.sh [--data DIR] [--trials N] [--concurrency N] [--recipe NAME]
#
# Without --data it composes a small sample data set. Results: runs/example/. Run it again: it starts from what it learned.
set -euo pipefail
data=
arguments=()
while [ $# -gt 0 ]; do
  case $1 in
    --data)
      [ $# -ge 2 ] || { echo "example.sh: --data needs a folder" >&2; exit 2; }
      data=$(realpath -m "$2"); shift 2 ;;
    *) arguments+=("$1"); shift ;;
  esac
done
if [ -n "$data" ] && [ ! -f "$data/annotations.json" ]; then
  echo "example.sh: $data/annotations.json does not exist (see \"Data set format\" in README.md)" >&2
  exit 2
fi
cd "$(dirname "$0")/.."
bash scripts/setup.sh
bash scripts/install_adapter.sh
if [ -z "$data" ]; then
  data=$PWD/.cache/sample_data
  .venv/bin/python scripts/make_sample_data.py "$data"
fi
exec .venv/bin/python scripts/example.py --data "$data" "${arguments[@]+"${arguments[@]}"}"
