"""What is worth knowing of a data set: the table of docs/meta_features.md, and Table 5's rows.

    .venv/bin/python scripts/bench_features.py [--work runs/face-mini] [--classifier BACKBONE] [--seeds 3] [--rows NAME…]

Rankers of face-mini's 60 offline tasks, as `hyperfd-tuner warmup` cross-validates them: NDCG of rankings by the network alone of tasks that were not learned
from, by chance parts and with the other kind of task (source's sub-data sets, its shifted versions), mean ± deviation over seeds. Rows
with other features describe all data sets anew (WORK, as scripts/face_mini.sh made them), which takes minutes; what is there is used
again. --classifier: what `hyperfd-trial import-weights` made of an ImageNet backbone.
"""

import argparse
import os
import re
import statistics
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TABLES = ROOT / "tuner" / "bench" / "tables" / "face-mini"
# Row: (policy, what is described otherwise)
ROWS = {
    "full": ("hyperfd", None),
    "without labels": ("hyperfd", ["--without", "labels"]),
    "without GWAP": ("hyperfd", ["--without", "gwap"]),
    "without pyramid": ("hyperfd", ["--without", "pyramid"]),
    "without statistics": ("hyperfd:numbers=off", ["--without", "statistics"]),
    "without attention": ("hyperfd:attention=off", None),
    "without landmarks": ("hyperfd", ["--without", "landmarks"]),
    "statistics alone": ("hyperfd:images=off", None),
    "classifier's features": ("hyperfd", "classifier"),
    "nothing known": ("hyperfd:images=off:numbers=off", None),
}


def describe(options, name, arguments):
    """Features of all offline tasks, described with `arguments`."""
    folder = options.work / "features" / name.replace(" ", "-").replace("'", "")
    folder.mkdir(parents=True, exist_ok=True)
    datasets = [path for kind in ("shifted", "subsets") for path in sorted((options.work / kind).iterdir()) if path.is_dir()]

    def one(dataset):
        out = folder / f"{dataset.name}.features"
        if not out.exists():
            subprocess.run([options.bin / "hyperfd-trial", "describe", "--data", dataset, "--images", "100", "--threads", "1", "--no-cache",
                            *arguments, "--out", out], check=True, stdout=subprocess.DEVNULL)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(one, datasets))
    return folder


def ndcg(options, table, features, policy, seed, apart):
    out = options.work / f"bundle-{os.getpid()}-{seed}-{bool(apart)}.sqlite"
    command = [options.bin / "hyperfd-tuner", "warmup", "--table", table, "--space", ROOT / "search_spaces" / "hpo.yaml", "--features", features,
               "--policy", policy, "--seed", str(seed), "--out", out]
    if apart:
        command += ["--apart", "^[0-9]"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    out.unlink()
    return float(re.search(r"validation NDCG of the network ([0-9.]+) after", done.stdout).group(1))


def row(options, name, table, features, policy):
    cells = []
    for apart in (False, True):
        values = [ndcg(options, table, features, policy, seed, apart) for seed in range(1, options.seeds + 1)]
        cells.append(f"{statistics.mean(values):.3f} ± {statistics.stdev(values) if len(values) > 1 else 0:.3f}".replace("0.", "."))
    print(f"| {name} | `{policy}` | {' | '.join(cells)} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=ROOT / "runs" / "face-mini")
    parser.add_argument("--classifier", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", nargs="+", default=list(ROWS), choices=list(ROWS))
    parser.add_argument("--bin", type=Path, default=ROOT / "build" / "release" / "bin")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    table = TABLES / "hpo-offline"
    print("| known of data sets | `--policy` | chance parts | another kind |\n|---|---|---|---|")
    for name in options.rows:
        policy, described = ROWS[name]
        if described == "classifier":
            if not options.classifier:
                continue
            described = ["--classifier", options.classifier]
        features = describe(options, name, described) if described else TABLES / "features"
        row(options, name, table, features, policy)


if __name__ == "__main__":
    main()
