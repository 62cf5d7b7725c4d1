#!/usr/bin/env bash
# Fills the benchmark tables face-mini with the results of real trials: scripts/face_mini.sh DATA [WORK]
#
# DATA: folder of the data sets. WORK (default runs/face-mini): where data sets derived from them are described.
# It can be stopped and started again at any time; what is in tuner/bench/tables/face-mini is not computed again.
# Environment: STEPS (default "untuned saturated features hpo noise seeds offline nas nas-offline"), JOBS (default: all cores), CONFIGURATIONS
# (default 100), ARCHITECTURES (default 60), OFFLINE_GROUPS (default 5, sixty of the 120 offline tasks: they are taken twelve at a time).
set -euo pipefail
cd "$(dirname "$0")/.."
data=${1:?usage: scripts/face_mini.sh DATA [WORK]}
work=${2:-runs/face-mini}
bin=${BIN:-build/release/bin}
tables=tuner/bench/tables/face-mini
source=$data/wider_source
jobs=${JOBS:-$(nproc)}
steps=${STEPS:-untuned saturated features hpo noise seeds offline nas nas-offline}
mkdir -p "$work"

# The fisheye domain: 300 images of the source, chosen by a digest of their names.
if [ ! -e "$work/wider_360/derived.json" ]; then
  mkdir -p "$work/wider_300"
  python3 - "$source" "$work/wider_300/derived.json" <<'PY'
import hashlib, json, os, sys
source, out = sys.argv[1:]
names = sorted(os.listdir(source + "/images"), key=lambda name: hashlib.sha256(name.encode()).hexdigest())
json.dump({"source": os.path.abspath(source), "images": sorted(names[:300])}, open(out, "w"))
PY
  "$bin/hyperfd-trial" fisheye --data "$work/wider_300" --out "$work/wider_360"
fi
# derive NAME ARGUMENTS: a folder of data sets that is there whole or not at all.
derive() {
  [ -e "$work/$1" ] && return
  rm -rf "$work/$1.part"
  "$bin/hyperfd-trial" "${@:2}" --data "$source" -n 60 --out "$work/$1.part"
  mv "$work/$1.part" "$work/$1"
}
if [[ $steps =~ features|offline ]]; then
  derive shifted shift
  derive subsets subsets --max-images 300 --python .venv/bin/python
fi

online=()
for name in anime cartoon_dexter cmu_gray fddb mask wider_crowd wider_illum wider_occluded wider_pose; do
  online+=("$data/$name")
done
online+=("$work/wider_360")
offline=("$work"/shifted/*/ "$work"/subsets/*/)

hpo() { "$bin/hyperfd-tuner" collect --space search_spaces/hpo.yaml --jobs "$jobs" "$@" -- --recipe mini; }
nas() { "$bin/hyperfd-tuner" collect --space search_spaces/proxylessnas.yaml --jobs "$jobs" "$@" -- --recipe mini_nas; }
# in_groups SPACE OUT: ten configurations of each offline task, twelve tasks at a time, so that there are whole tasks to
# learn from whenever it is stopped.
in_groups() {
  for ((group = 0; group < ${OFFLINE_GROUPS:-5}; ++group)); do
    some=()
    for ((i = group; i < ${#offline[@]}; i += 10)); do some+=("${offline[i]%/}"); done
    "$1" --data "${some[@]}" -n 10 --spread --out "$2"
  done
}
for step in $steps; do
  case $step in
    untuned)  # AP of the weights before any training
      mkdir -p $tables
      # untuned WEIGHTS: {"TASK": AP, …}
      untuned() {
        local separator="{"
        for folder in "${online[@]}" "$data/portrait_lm5"; do
          ap=$("$bin/hyperfd-trial" evaluate --data "$folder" --weights "models/$1.pt" --json |
            python3 -c 'import json, sys; print(round(json.load(sys.stdin)["ap50_area"], 4))')
          printf '%s"%s": %s' "$separator" "$(basename "$folder")" "$ap"
          separator=", "
        done
        printf '}'
      }
      printf '{"hpo": %s,\n "nas": %s}\n' "$(untuned mobilenet_v1_x0.25)" "$(untuned proxylessnas_largest)" > $tables/untuned.json.part
      mv $tables/untuned.json.part $tables/untuned.json ;;
    saturated)  # not an online task: hardly any configuration misses a face of it
      hpo --data "$data/portrait_lm5" -n 6 --out $tables/saturated ;;
    features)
      mkdir -p $tables/features
      for folder in "${online[@]}" "${offline[@]%/}"; do
        file=$tables/features/$(basename "$folder").features
        [ -e "$file" ] || "$bin/hyperfd-trial" describe --data "$folder" --images 100 --out "$file"
      done ;;
    hpo) hpo --data "${online[@]}" -n "${CONFIGURATIONS:-100}" --out $tables/hpo ;;
    noise)  # three seeds of the first twenty configurations; their first seeds are in the table already
      mkdir -p $tables/hpo-noise
      for file in $tables/hpo/*.jsonl; do
        [ -e "$tables/hpo-noise/${file##*/}" ] || head -n 20 "$file" > "$tables/hpo-noise/${file##*/}"
      done
      hpo --data "${online[@]}" -n 20 --seeds 3 --out $tables/hpo-noise ;;
    seeds)  # more seeds of every configuration where one trial's place is to a large part chance; the table's AP is their mean
      for of_task in cmu_gray:3 fddb:2 wider_360:2 wider_pose:2 wider_illum:2 wider_occluded:5; do
        task=${of_task%:*}
        # What `noise` has of them already.
        python3 - "$tables/hpo-noise/$task.jsonl" "$tables/hpo/$task.jsonl" "${of_task#*:}" <<'PY'
import json, os, sys
noise, table, seeds = sys.argv[1:]
if os.path.exists(noise):
    rows = lambda file: {(json.dumps(row["configuration"], sort_keys=True), row["seed"]): line for line in open(file) for row in [json.loads(line)]}
    text = open(table, "rb").read()
    os.truncate(table, text.rfind(b"\n") + 1)  # a line that was cut off
    there = rows(table)
    with open(table, "ab", buffering=0) as file:
        file.write("".join(line for key, line in rows(noise).items() if key not in there and key[1] <= int(seeds)).encode())
PY
        for folder in "${online[@]}"; do
          [ "${folder##*/}" = "$task" ] || continue
          for ((count = 2; count <= ${of_task#*:}; ++count)); do  # a seed of all configurations, then the next
            hpo --data "$folder" -n "${CONFIGURATIONS:-100}" --seeds "$count" --out $tables/hpo
          done
        done
      done ;;
    offline) in_groups hpo $tables/hpo-offline ;;
    nas) nas --data "${online[@]}" -n "${ARCHITECTURES:-60}" --out $tables/nas ;;
    nas-offline) in_groups nas $tables/nas-offline ;;
    *) echo "unknown step $step" >&2; exit 2 ;;
  esac
done
