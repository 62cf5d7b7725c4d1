"""What is worth knowing of a data set: the tables of docs/meta_features.md.

    .venv/bin/python scripts/bench_features.py [--work runs/face-mini] [--seeds 3] [--rows NAME…]
    .venv/bin/python scripts/bench_features.py --replay --data DATA --classifier BACKBONE [--seeds 10] [--budgets 1,2,4] [--rows NAME…]

Without --replay: rankers of face-mini's 60 offline tasks, as `hyperfd-tuner warmup` cross-validates them: NDCG of rankings by the network alone of
tasks that were not learned from, by chance parts and with the other kind of task (source's sub-data sets, its shifted versions), mean ± deviation over
seeds.

With --replay, Table 5 on face-mini's ten domains: `hyperfd-tuner bench replay` of HyperFD's network with each kind of features, by rankers that learned from
the 30 shifted versions of the source alone, as these come out alike on every machine. Rank in % after so many trials; for the most of these ΔAP, and p by
Wilcoxon's signed-rank test against the first row, over seeds and over data sets, as in docs/benchmark.md.

Rows with other features describe the data sets anew (DATA, and those of WORK that scripts/face_mini.sh made), which takes some minutes a row; what is there
is used again. --classifier: what `hyperfd-trial import-weights` made of an ImageNet backbone.
"""

import argparse
import hashlib
import json
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
PUBLISHED = {"full": "13.2 / 7.8", "without labels": "14.1 / 11.1", "without GWAP": "14.2 / 10.4", "without pyramid": "16.9 / 13.0",
             "without statistics": "15.4 / 11.9", "without attention": "15.1 / 12.1"}  # rank at 4 trials


def datasets_of(options):
    """Those that the rankers are made for: the offline tasks, or with --replay the shifted ones and the domains."""
    kinds = ["shifted"] if options.replay else ["shifted", "subsets"]
    offline = [path for kind in kinds for path in sorted((options.work / kind).iterdir()) if path.is_dir()]
    if not options.replay:
        return offline
    trained = [path for path in offline if (TABLES / "hpo-offline" / f"{path.name}.jsonl").exists()]
    domains = [options.data / file.stem for file in sorted((TABLES / "hpo").glob("*.jsonl"))]
    return trained + [path if path.exists() else options.work / path.name for path in domains]


def folder_of(name):
    return name.replace(" ", "-").replace("'", "")


def describe(options, name, arguments):
    """Features of the data sets, described with `arguments`."""
    folder = options.work / "features" / folder_of(name)
    folder.mkdir(parents=True, exist_ok=True)
    datasets = datasets_of(options)

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


def replay_command(options, features, policy):
    offline = [path.name for path in datasets_of(options) if (TABLES / "hpo-offline" / f"{path.name}.jsonl").exists()]
    return [options.bin / "hyperfd-tuner", "bench", "replay", "--json", "--space", ROOT / "search_spaces" / "hpo.yaml", "--table", TABLES / "hpo",
            *(TABLES / "hpo-offline" / f"{task}.jsonl" for task in offline), "--offline", ",".join(offline), "--features", features,
            "--budget", options.budgets, "--seeds", str(options.seeds), "--warm-starts", "2", "--policies", policy]


def replay(options, name, features, policy):
    """{budget: numbers of the policy}; kept in WORK as long as all that it is made of stays as it is, so that a command that was stopped goes on."""
    command = replay_command(options, features, policy)
    state = hashlib.sha256(" ".join(map(str, command)).encode())
    for file in [command[0], *sorted(TABLES.glob("hpo/*.jsonl")), *sorted(TABLES.glob("hpo-offline/*.jsonl")), *sorted(features.iterdir())]:
        state.update(Path(file).read_bytes())
    kept = options.work / "features" / f"{folder_of(name)}-{state.hexdigest()[:24]}.json"
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.with_suffix(".part").write_text(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        kept.with_suffix(".part").replace(kept)
    reports = json.loads(kept.read_text())
    return {report["budget"]: report["policies"][policy] for report in (reports if isinstance(reports, list) else [reports])}


def replay_row(options, name, features, policy, first):
    from scipy.stats import wilcoxon

    reports = replay(options, name, features, policy)
    first = first or reports

    def p(own, others):
        return "–" if own == others else f"{wilcoxon(own, others).pvalue:.2g}"

    def over_tasks(budget, key):
        tasks = reports[budget]["tasks"]
        return p([of[key] for of in tasks.values()], [first[budget]["tasks"][task][key] for task in tasks])

    last = max(reports)
    cells = [f"{reports[budget]['rank_mean']:.1f} ± {reports[budget]['rank_std']:.1f}" for budget in reports]
    cells += [f"{reports[last]['delta_ap_mean']:+.1f} ± {reports[last]['delta_ap_std']:.1f}", p(reports[last]["ranks"], first[last]["ranks"]),
              over_tasks(last, "rank_mean"), over_tasks(last, "delta_ap_mean"), PUBLISHED.get(name, "–")]
    print(f"| {name} | `{policy}` | {' | '.join(cells)} |", flush=True)
    return first


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, default=ROOT / "runs" / "face-mini")
    parser.add_argument("--replay", action="store_true")
    parser.add_argument("--data", type=Path)
    parser.add_argument("--classifier", type=Path)
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--budgets", default="1,2,4")
    parser.add_argument("--rows", nargs="+", default=list(ROWS), choices=list(ROWS))
    parser.add_argument("--bin", type=Path, default=ROOT / "build" / "release" / "bin")
    options = parser.parse_args()
    options.seeds = options.seeds or (10 if options.replay else 3)
    if options.replay and not options.data:
        parser.error("--replay needs --data, the folder of the domains")
    options.work.mkdir(parents=True, exist_ok=True)
    if options.replay:
        trials = [f"{budget} trial{'s' if budget != '1' else ''}" for budget in options.budgets.split(",")]
        print(f"| known of data sets | `--policies` | {' | '.join(trials)} | ΔAP | p seeds | p data sets | p ΔAP data sets | published at 4, HPO / NAS |\n|{'---|' * (len(trials) + 7)}", flush=True)
    else:
        print("| known of data sets | `--policy` | chance parts | another kind |\n|---|---|---|---|")
    first = None
    for name in options.rows:
        policy, described = ROWS[name]
        if described == "classifier":
            if not options.classifier:
                continue
            described = ["--classifier", options.classifier]
        features = describe(options, name, described) if described else TABLES / "features"
        if options.replay:
            first = replay_row(options, name, features, f"{policy}:effects=off", first)
        else:
            row(options, name, TABLES / "hpo-offline", features, policy)


if __name__ == "__main__":
    main()
