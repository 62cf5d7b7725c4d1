"""What frozen and folded batch norms, and frozen early stages, cost in AP: prints the table of docs/performance.md.

    .venv/bin/python scripts/bench_batch_norm.py DATA [--domains mask cartoon_dexter fddb] [--seeds 2] [--out runs/batch_norm]

Trains `--recipe mini` with every variant, three learning rates and so many seeds on each domain (a folder of DATA), by
`hyperfd-tuner collect`: 108 trials of some 12 s on a core by default. It may be stopped; the same command goes on.
"""

import argparse
import collections
import json
import statistics
import subprocess
from pathlib import Path

BIN = Path(__file__).resolve().parents[1] / "build" / "release" / "bin"
SPACE = {
    "batch_norm": {"_type": "choice", "_value": ["normal", "frozen", "folded"]},
    "frozen_levels": {"_type": "choice", "_value": [0, 1]},
    "learning_rate": {"_type": "choice", "_value": [0.0005, 0.001, 0.002]},
}


def collect(options):
    options.out.mkdir(parents=True, exist_ok=True)
    space = options.out / "space.json"
    space.write_text(json.dumps(SPACE, indent=1))
    table = options.out / "table"
    subprocess.run([BIN / "hyperfd-tuner", "collect", "--space", space, "--data", *(options.data / name for name in options.domains),
                    "-n", "18", "--seeds", str(options.seeds), "--out", table, "--", "--recipe", "mini"], check=True)
    return table


def results_of(table, domain):
    """{(batch norm, frozen levels): {learning rate: [trial, one a seed]}}"""
    results = collections.defaultdict(lambda: collections.defaultdict(list))
    for line in (table / f"{domain}.jsonl").read_text().splitlines():
        trial = json.loads(line)
        configuration = trial["configuration"]
        results[configuration["batch_norm"], configuration["frozen_levels"]][configuration["learning_rate"]].append(trial)
    return results


def mean(trials, key):
    return statistics.mean(trial[key] for trial in trials)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--domains", nargs="+", default=["mask", "cartoon_dexter", "fddb"])
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("runs/batch_norm"))
    options = parser.parse_args()
    table = collect(options)
    rows, spreads, seconds = collections.defaultdict(list), [], collections.defaultdict(list)
    for domain in options.domains:
        for variant, rates in results_of(table, domain).items():
            rate, trials = max(rates.items(), key=lambda item: mean(item[1], "validation"))
            rows[variant].append((mean(trials, "test"), rate))
            for some in rates.values():
                spreads += [max(trial["test"] for trial in some) - min(trial["test"] for trial in some)]
                seconds[variant] += [trial["seconds"] for trial in some]
    print(f"| | {' | '.join(options.domains)} | mean | seconds |\n|{'---|' * (len(options.domains) + 3)}")
    for (batch_norm, levels), cells in sorted(rows.items(), key=lambda row: -statistics.mean(ap for ap, _ in row[1])):
        name = f"`batch_norm={batch_norm}`" + (f", `frozen_levels={levels}`" if levels else "")
        texts = [f"{ap:.3f} ({rate:g})" for ap, rate in cells]
        print(f"| {name} | {' | '.join(texts)} | {statistics.mean(ap for ap, _ in cells):.3f} | {mean_of(seconds[batch_norm, levels])} |")
    print(f"\nSeeds of one setting differ by {statistics.mean(spreads):.3f} in the mean, {max(spreads):.3f} at most.")


def mean_of(values):
    return f"{statistics.mean(values):.1f}"


if __name__ == "__main__":
    main()
