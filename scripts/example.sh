#!/usr/bin/env bash
# The main job from nothing: set-up, then an NNI experiment in which HyperFD tunes a RetinaFace face detector.
#
#   bash scripts/example.sh [--data DIR] [--trials N] [--concurrency N] [--recipe NAME] [--out DIR]
#
#   --data DIR        data set folder (default: a small sample data set is composed)
#   --trials N        number of trials (default: 4)
#   --concurrency N   trials at the same time, one thread each (default: 2, or 1 on a single core)
#   --recipe NAME     training recipe: mini, scratch, paper or a YAML file (default: mini)
#   --out DIR         results (default: runs/example). Run it again: it starts from what it learned.
set -euo pipefail
complain() { echo "example.sh: $*" >&2; exit 2; }
number() { [[ $2 =~ ^[1-9][0-9]*$ ]] || complain "$1: expected a number of at least 1, got \"$2\""; }

data=
arguments=()
while [ $# -gt 0 ]; do
  case $1 in --*=*) set -- "${1%%=*}" "${1#*=}" "${@:2}" ;; esac
  case $1 in
    -h | --help) sed -n '2,/^set /s/^# \{0,1\}//p' "$0"; exit 0 ;;
    --data | --trials | --concurrency | --recipe | --out) [ $# -ge 2 ] || complain "$1: expected a value" ;;
    *) complain "unknown argument \"$1\"; bash scripts/example.sh --help lists what there is" ;;
  esac
  case $1 in
    --data) data=$(realpath -m -- "$2") ;;
    --out) arguments+=(--out "$(realpath -m -- "$2")") ;;
    --recipe)  # a name, or a file: trials run elsewhere
      recipe=$2
      case $recipe in
        */* | *.*)
          [ -f "$recipe" ] || complain "--recipe: $recipe does not exist"
          recipe=$(realpath -- "$recipe") ;;
      esac
      arguments+=(--recipe "$recipe") ;;
    *) number "$1" "$2"; arguments+=("$1" "$2") ;;
  esac
  shift 2
done
if [ -n "$data" ] && [ ! -f "$data/annotations.json" ]; then
  complain "$data/annotations.json does not exist (see \"Data set format\" in README.md)"
fi

cd "$(dirname "$0")/.."
bash scripts/setup.sh
bash scripts/install_adapter.sh
if [ -z "$data" ]; then
  data=$PWD/.cache/sample_data
  .venv/bin/python scripts/make_sample_data.py "$data"
fi
exec .venv/bin/python scripts/example.py --data "$data" "${arguments[@]+"${arguments[@]}"}"
