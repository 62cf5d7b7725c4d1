"""What a faster way to train costs in AP: the tables of docs/performance.md.

    .venv/bin/python scripts/bench_accuracy.py batch_norm DATA [--domains mask cartoon_dexter fddb] [--seeds 2] [--out runs/accuracy]
    .venv/bin/python scripts/bench_accuracy.py precision DATA

Trains `--recipe mini` with every variant, three learning rates and so many seeds on each domain (a folder of DATA), by
`hyperfd-tuner collect`: 108 and 36 trials of some 10 s on a core. It may be stopped; the same command goes on.
"""

import argparse
import json
import math
import statistics
import subprocess
from collections import defaultdict
from pathlib import Path

BIN = Path(__file__).resolve().parents[1] / "build" / "release" / "bin"
VARIANTS = {
    "batch_norm": {"batch_norm": ["normal", "frozen", "folded"], "frozen_levels": [0, 1]},
    "precision": {"precision": ["float32", "bfloat16"]},
}
RATES = [0.0005, 0.001, 0.002]


def collect(options):
    choices = {**VARIANTS[options.what], "learning_rate": RATES}
    folder = options.out / options.what
    folder.mkdir(parents=True, exist_ok=True)
    space = folder / "space.json"
    space.write_text(json.dumps({key: {"_type": "choice", "_value": values} for key, values in choices.items()}, indent=1))
    subprocess.run([BIN / "hyperfd-tuner", "collect", "--space", space, "--data", *(options.data / name for name in options.domains),
                    "-n", str(math.prod(map(len, choices.values()))), "--seeds", str(options.seeds), "--out", folder / "table",
                    "--", "--recipe", "mini"], check=True)
    return folder / "table"


def results_of(table, domain):
    """{variant: {learning rate: [trial, one a seed]}}"""
    results = defaultdict(lambda: defaultdict(list))
    for line in (table / f"{domain}.jsonl").read_text().splitlines():
        trial = json.loads(line)
        variant = dict(trial["configuration"])
        rate = variant.pop("learning_rate")
        results[" ".join(f"{key}={value}" for key, value in variant.items())][rate].append(trial)
    return results


def mean(trials, key):
    return statistics.mean(trial[key] for trial in trials)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=list(VARIANTS))
    parser.add_argument("data", type=Path)
    parser.add_argument("--domains", nargs="+", default=["mask", "cartoon_dexter", "fddb"])
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("runs/accuracy"))
    options = parser.parse_args()
    table = collect(options)
    cells, seconds, spreads = defaultdict(list), defaultdict(list), []
    for domain in options.domains:
        for variant, rates in results_of(table, domain).items():
            rate, best = max(rates.items(), key=lambda item: mean(item[1], "validation"))
            cells[variant].append((mean(best, "test"), rate))
            seconds[variant].append(statistics.mean(mean(trials, "seconds") for trials in rates.values()))
            spreads += [max(trial["test"] for trial in trials) - min(trial["test"] for trial in trials) for trials in rates.values()]
    print(f"| | {' | '.join(options.domains)} | mean | seconds |\n|{'---|' * (len(options.domains) + 3)}")
    for variant, row in cells.items():
        texts = [f"{ap:.3f} ({rate:g})" for ap, rate in row]
        print(f"| `{variant}` | {' | '.join(texts)} | {statistics.mean(ap for ap, _ in row):.3f} | {statistics.mean(seconds[variant]):.1f} |")
    print(f"\nSeeds of one setting differ by {statistics.mean(spreads):.3f} in the mean, {max(spreads):.3f} at most.")


if __name__ == "__main__":
    main()
