"""Writes docs/benchmark.md, docs/benchmark_nas.md and their plots from the committed tables: what these are, and how policies do on them.

    pip install matplotlib optuna hyperopt      # into .venv, once
    .venv/bin/python scripts/benchmark_report.py [--spaces hpo nas] [--seeds 20] [--budgets 1,2,4] [--without-ablations]
"""

import argparse
import hashlib
import json
import statistics
import subprocess
import sys
from collections import defaultdict
from functools import partial
from itertools import groupby
from pathlib import Path

import matplotlib
import numpy as np
from scipy.stats import bootstrap, spearmanr, wilcoxon

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from bench_peers import random_search_expectation

ROOT = Path(__file__).resolve().parents[1]
TABLES = ROOT / "tuner/bench/tables/face-mini"
DOCS = ROOT / "docs"
CACHE = ROOT / "build/benchmark"
RECIPES = {"hpo": "mini", "nas": "mini_nas"}
SPACES = {"hpo": ROOT / "search_spaces/hpo.yaml", "nas": ROOT / "search_spaces/proxylessnas.yaml"}
POLICIES = ["random", "best_on_source", "average_rank", "greedy_portfolio", "nearest_task", "rgpe", "gradient_boosting",
            "tr_automl", "hyperstar", "scot", "paper", "hyperfd"]
SHOWN = [1, 2, 4]
PEER_BUDGETS = [1, 2, 4, 10, 20, 50]
# What the paper takes away from HyperFD, as options of ours: row, policy, published rank on HPO and NAS in %, for orientation. The first row
# of a table is what the others are tested against.
ABLATIONS = {
    "Variants (Table 1)": [
        ("HyperFD", "hyperfd", "–"), ("its network alone", "hyperfd:effects=off", "–"), ("its effects alone", "hyperfd:network_share=0", "–"),
        ("the paper's settings", "paper", "13.2 / 7.8")],
    "Variants of the network (Table 1)": [
        ("the network alone", "hyperfd:effects=off", "–"), ("statistics instead of image features", "hyperfd:effects=off:images=off", "17.6 / 12.1"),
        ("squared error instead of the ranking loss", "hyperfd:effects=off:loss=mse", "20.9 / 18.3"),
        ("positions by true label (AceNAS)", "hyperfd:effects=off:rank_by=label", "–"),
        ("nothing known of data sets", "hyperfd:effects=off:images=off:numbers=off", "–")],
    "Continual learning (Table 2)": [
        ("the network alone", "hyperfd:effects=off", "13.2 / 7.8"), ("latest task only", "hyperfd:effects=off:offline_share=0:past_share=0", "16.0 / 9.6"),
        ("frozen extractor", "hyperfd:effects=off:extractor=frozen", "15.3 / 9.4"), ("frozen ranker", "hyperfd:effects=off:iterations=0", "16.9 / 8.6")],
    "Transformation of meta-features (Table 3)": [
        ("closed form", "hyperfd:effects=off", "–"), ("SGD", "hyperfd:effects=off:z=sgd", "13.2 / 7.8"), ("none", "hyperfd:effects=off:z=none", "15.7 / 9.7"),
        ("oracle: past data sets are asked again", "hyperfd:effects=off:z=oracle", "13.8 / 7.7")],
    "Losses (Table 4)": [
        ("the network alone", "hyperfd:effects=off", "13.2 / 7.8"), # Which row of the published table is which follows from the averages that its text gives.
        ("without triplet loss", "hyperfd:effects=off:triplet=0", "16.5 / 12.1"),
        ("without synaptic intelligence", "hyperfd:effects=off:si=0", "15.4 / 8.9")],
}
PAPER_TABLE_1 = {"random": "20.1 / 20.1", "best_on_source": "25.1 / 11.0", "tr_automl": "22.2 / 25.3", "hyperstar": "22.0 / 21.1",
                 "scot": "20.8 / 21.3", "paper": "13.2 / 7.8"}
ORDERS = 50  # of the tasks, Figure 4
FEWEST = 20  # configurations of a task that is reported
BY_TASK = ["random", "average_rank", "greedy_portfolio", "nearest_task", "gradient_boosting", "hyperfd"]  # Table 13
# Without experience of one kind or the other; by number of trials, as what is known of a data set helps most before there are results.
KNOWN = [("HyperFD", "hyperfd"), ("numbers of the data set alone, no images", "hyperfd:images=off"), ("nothing known of the data set", "hyperfd:images=off:numbers=off"),
         ("the average task", "average_rank"), ("the greedy portfolio", "greedy_portfolio")]

# What the project set out to reach: rank in % by the number of trials, and how many times HyperFD's trials the tuners of others need.
GOALS = {"hpo": {1: 6, 4: 2}, "nas": {1: 6, 4: 3}}
FEWER_TRIALS = 5
MEASURES = [("rank", "rank_mean", 1), ("ΔAP", "delta_ap_mean", -1)]  # name, key, sign with which less is better

SHARES_IMAGES = "wider_360"
SHARED_IMAGES = (f"{SHARES_IMAGES} is no domain of its own to who knows the offline tasks: its 300 images are the source's, through a fisheye lens, and 294 of them are, otherwise "
                 "changed or as they are, in offline tasks, too, test images among them. It flatters all policies that learn from these alike; the tables below give ranks without it, too. The detector was pre-trained on 1,982 of the source's 2,202 images "
                 "([models/README.md](../models/README.md)), so it has seen most of the test images of wider_360, undistorted.\n")


def key(configuration):
    return json.dumps(configuration, sort_keys=True)


class Tables:
    """Results of one folder: by task, by configuration, by seed."""

    def __init__(self, folder):
        self.tasks = {}
        for file in sorted(folder.glob("*.jsonl")):
            rows = defaultdict(dict)
            for line in file.read_text().splitlines():
                row = json.loads(line)
                rows[key(row["configuration"])][row.get("seed", 1)] = (row["validation"], row["test"], row.get("seconds", 0))
            self.tasks[file.stem] = dict(rows)

    def names(self):
        return list(self.tasks)

    def means(self, task, column):
        return {c: statistics.mean(r[column] for r in seeds.values()) for c, seeds in self.tasks[task].items()}

    def seeds(self, task):
        """Trials of a configuration, of which its AP is the mean; where some have more than others, so many that the mean 1/n is right."""
        return statistics.harmonic_mean([len(seeds) for seeds in self.tasks[task].values()])

    def join(self, other):
        """Takes over the configurations of another's tasks that have several seeds there."""
        for task, rows in self.tasks.items():
            for configuration, seeds in other.tasks.get(task, {}).items():
                if len(seeds) > 1:
                    rows.setdefault(configuration, {}).update(seeds)

    def trials(self):
        return sum(len(seeds) for rows in self.tasks.values() for seeds in rows.values())

    def hours(self):
        # A trial's seconds are wall time, and a few took over 2,000 as the machine stood still: none counts more than five times its table's median.
        seconds = [[r[2] for seeds in rows.values() for r in seeds.values()] for rows in self.tasks.values()]
        return sum(min(s, 5 * statistics.median(of_task)) for of_task in seconds for s in of_task) / 3600


def rank_correlation(a, b):
    shared = sorted(set(a) & set(b))
    if len(shared) < 5:
        return float("nan")
    return float(spearmanr([a[c] for c in shared], [b[c] for c in shared]).statistic)


def likeness(tables):
    """By task: mean rank correlation with the other tasks, by validation AP."""
    means = {name: tables.means(name, 0) for name in tables.names()}
    return {name: statistics.mean(rank_correlation(means[name], means[other]) for other in means if other != name) for name in means}


def share_of(means, variances, sizes, axis=-1, trials=1):
    within = variances.mean(axis)
    # The variance of means over n seeds holds within/n of the seeds' own.
    between = np.maximum(0, means.var(axis, ddof=1) - within * (1 / sizes).mean(axis))
    return within / trials / (within / trials + between)


def seed_share(rows, column, trials=1):
    """Share of a task's variance in validation (0) or test AP (1), each the mean of so many trials, that is due to seeds, by its configurations
    with several: the share, and its 90 % interval by a bootstrap over configurations."""
    groups = [np.array([r[column] for r in seeds.values()]) for seeds in rows.values() if len(seeds) > 1]
    if len(groups) < 5 or np.ptp(np.concatenate(groups)) == 0:
        return None
    data = [np.array(values) for values in zip(*((g.mean(), g.var(ddof=1), len(g)) for g in groups))]
    # Percentiles alone lie too high: a configuration that is drawn twice makes configurations more alike.
    share = partial(share_of, trials=trials)
    interval = bootstrap(data, share, paired=True, vectorized=True, confidence_level=0.9, n_resamples=5000, method="BCa", rng=0).confidence_interval
    return float(share(*data)), float(interval.low), float(interval.high)


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def blocks(stage):
    """A stage of an architecture: kernel and expansion of its blocks, equal ones in a row once."""
    each = [f"k{stage[f'kernel{i}']}e{stage[f'expansion{i}']}" for i in range(1, int(stage["_name"].removeprefix("depth")) + 1)]
    runs = [(block, len(list(run))) for block, run in groupby(each)]
    return " ".join(f"{n}×{block}" if n > 1 else block for block, n in runs)


def short(configuration):
    return ", ".join(f"{k} {blocks(v) if isinstance(v, dict) else v}" for k, v in json.loads(configuration).items())


def listed(names):
    return ", ".join(names) or "none"


def plot_distributions(tables, untuned, file):
    names = tables.names()
    figure, axes = plt.subplots(figsize=(1.1 * len(names) + 1.5, 3.6), constrained_layout=True)
    rng = np.random.default_rng(0)
    for i, name in enumerate(names):
        values = list(tables.means(name, 1).values())
        axes.scatter(i + rng.uniform(-0.25, 0.25, len(values)), values, s=7, alpha=0.6, color="#2166ac", linewidths=0)
        if name in untuned:
            axes.plot([i - 0.35, i + 0.35], [untuned[name]] * 2, color="#b2182b", linewidth=1.6)
    axes.set_xticks(range(len(names)), names, rotation=30, ha="right")
    axes.set_ylabel("test AP@50")
    axes.set_title("One dot a configuration; red: the weights before fine-tuning", fontsize=10)
    axes.grid(axis="y", alpha=0.3)
    figure.savefig(file, dpi=110)
    plt.close(figure)


def plot_correlations(tables, file):
    names = tables.names()
    tests = [tables.means(name, 1) for name in names]
    matrix = np.array([[rank_correlation(a, b) for b in tests] for a in tests])
    figure, axes = plt.subplots(figsize=(0.62 * len(names) + 2, 0.55 * len(names) + 1.4), constrained_layout=True)
    image = axes.imshow(matrix, vmin=-1, vmax=1, cmap="RdBu")
    axes.set_xticks(range(len(names)), names, rotation=40, ha="right")
    axes.set_yticks(range(len(names)), names)
    for i, j in np.ndindex(matrix.shape):
        if np.isfinite(matrix[i, j]):
            axes.text(j, i, f"{matrix[i, j]:.2f}".replace("0.", "."), ha="center", va="center", fontsize=8,
                      color="white" if abs(matrix[i, j]) > 0.6 else "black")
    figure.colorbar(image, shrink=0.8)
    axes.set_title("Rank correlation of test AP between tasks", fontsize=10)
    figure.savefig(file, dpi=110)
    plt.close(figure)


def plot_validation(tables, file):
    columns = 5
    names = tables.names()
    lines = -(-len(names) // columns)
    figure, axes = plt.subplots(lines, columns, figsize=(2.1 * columns, 2.1 * lines), constrained_layout=True, squeeze=False)
    for axis in axes.flat[len(names):]:
        axis.remove()
    for axis, name in zip(axes.flat, names):
        validations, tests = tables.means(name, 0), tables.means(name, 1)
        axis.scatter([validations[c] for c in tests], list(tests.values()), s=6, alpha=0.6, color="#2166ac", linewidths=0)
        axis.set_title(f"{name}, {rank_correlation(validations, tests):.2f}", fontsize=9)
        axis.tick_params(labelsize=7)
        axis.grid(alpha=0.3)
    figure.supxlabel("validation AP@50", fontsize=9)
    figure.supylabel("test AP@50", fontsize=9)
    figure.savefig(file, dpi=110)
    plt.close(figure)


def plot_budgets(curves, file):
    figure, axes = plt.subplots(figsize=(6.4, 4), constrained_layout=True)
    for i, (name, points) in enumerate(curves.items()):
        style = "--" if name.startswith(("nni_", "optuna_")) else "-"
        axes.plot(list(points), list(points.values()), style, marker="o", markersize=3, label=name,
                  linewidth=2.4 if name == "hyperfd" else 1.2, color="black" if name == "hyperfd" else plt.get_cmap("tab20")(i % 20))
    axes.set_xscale("log")
    ticks = [budget for budget in PEER_BUDGETS if budget <= max(map(max, curves.values()))]
    axes.set_xticks(ticks, [str(budget) for budget in ticks])
    axes.minorticks_off()
    axes.set_xlabel("trials")
    axes.set_ylabel("rank of the best on validation, %")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7, ncols=2)
    figure.savefig(file, dpi=110)
    plt.close(figure)


class Bench:
    """Replays of one space's tables. What a command printed is kept in build/benchmark as long as all that it reads stays as it
    is, so a run that was stopped goes on behind the last table that it finished."""

    def __init__(self, space, seeds, tuner, warm_starts):
        self.warm_starts = warm_starts
        self.seeds, self.space, self.tuner, self.tables = seeds, space, tuner, Tables(TABLES / space)
        self.offline = sorted(Tables(TABLES / f"{space}-offline").names()) if (TABLES / f"{space}-offline").exists() else []
        state = hashlib.sha256(Path(tuner).read_bytes())
        for file in [*sorted(TABLES.glob(f"{space}/*.jsonl")), *sorted(TABLES.glob(f"{space}-offline/*.jsonl")), *sorted(TABLES.glob("features/*")), SPACES[space], ROOT / "scripts/bench_peers.py"]:
            state.update(file.read_bytes())
        self.state = state.hexdigest()

    def file(self, command):
        return CACHE / (hashlib.sha256(json.dumps([self.state, [str(word) for word in command]]).encode()).hexdigest()[:24] + ".json")

    def keep(self, command, printed):
        CACHE.mkdir(parents=True, exist_ok=True)
        part = self.file(command).with_suffix(".part")
        part.write_text(json.dumps(printed))
        part.replace(self.file(command))

    def execute(self, command):
        command = [str(word) for word in command]
        print(" ".join(command[-6:]), file=sys.stderr, flush=True)
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{' '.join(command)}:\n{done.stderr}")
        return json.loads(done.stdout)

    def run(self, command):
        if not self.file(command).exists():
            self.keep(command, self.execute(command))
        return json.loads(self.file(command).read_text())

    def run_policies(self, command, policies):
        """What a replay prints by policy, a report for each budget. What is not known yet comes from one process, in which policies share warm-ups."""
        of_one = {policy: [*command, "--policies", policy] for policy in policies}
        missing = [policy for policy in policies if not self.file(of_one[policy]).exists()]
        if missing:
            printed = self.execute([*command, "--policies", *missing])
            reports = printed if isinstance(printed, list) else [printed]  # of one budget
            for policy in missing:
                self.keep(of_one[policy], [{**report, "policies": {policy: report["policies"][policy]}} for report in reports])
        return {policy: self.run(of_one[policy]) for policy in policies}

    def offline_folder(self, results):
        """The offline tasks' tables, or the first `results` of each."""
        whole = TABLES / f"{self.space}-offline"
        if results is None:
            return whole
        part = CACHE / f"{whole.name}-{results}"
        part.mkdir(parents=True, exist_ok=True)
        for file in whole.glob("*.jsonl"):
            (part / file.name).write_text("".join(file.read_text().splitlines(keepends=True)[:results]))
        return part

    def replay(self, policies, budgets, seeds=None, offline=None, results=None, warm_starts=None, more=()):
        """By budget and policy, a policy by name or name:option=value. `offline`: names of the offline tasks that are known, `results`: how many of each, default
        all."""
        known = self.offline if offline is None else offline
        command = [self.tuner, "bench", "replay", "--json", "--space", SPACES[self.space], "--table", TABLES / self.space]
        command += [self.offline_folder(results) / f"{name}.jsonl" for name in known]
        if known:
            command += ["--offline", ",".join(known)]
        if (TABLES / "features").exists():
            command += ["--features", TABLES / "features"]
        command += [*more, "--seeds", seeds or self.seeds, "--budget", ",".join(map(str, budgets))]
        warm_starts = warm_starts or self.warm_starts
        if warm_starts > 1:
            command += ["--warm-starts", warm_starts]
        reports = {budget: {} for budget in budgets}
        for policy, printed in self.run_policies(command, policies).items():
            for report in printed:
                reports[report["budget"]][policy] = report["policies"][policy]
        return reports

    def peers(self, budget):
        return self.run([sys.executable, "scripts/bench_peers.py", "--table", TABLES / self.space, "--space", SPACES[self.space],
                         "--budget", budget, "--seeds", self.seeds])["policies"]


def p_value(a, b):
    """Wilcoxon's signed-rank test on pairs, None where all are equal."""
    differences = [round(x - y, 9) for x, y in zip(a, b, strict=True)]  # the same numbers, summed in another order, differ by less
    return float(wilcoxon(differences).pvalue) if any(differences) else None


def p_over_seeds(report, policy, rival):
    """On the mean ranks of the same seeds."""
    a, b = report[policy]["ranks"], report[rival]["ranks"]
    once = all(max(ranks) - min(ranks) < 1e-9 for ranks in (a, b))  # one comparison, however often it is repeated
    return None if once else p_value(a, b)


def p_over_data_sets(report, policy, rival, measure="rank_mean"):
    """On the means over seeds of the same data sets."""
    a, b = report[policy]["tasks"], report[rival]["tasks"]
    return p_value([a[task][measure] for task in a], [b[task][measure] for task in a])


def shown(p):
    return "–" if p is None else f"{p:.2g}"


OVER_DATA_SETS = ["p data sets", "p ΔAP data sets"]
RIVALS = {"random": "p random", "best_on_source": "p source"}
TESTED = [*RIVALS.values(), "p hyperfd", *OVER_DATA_SETS]


def over_data_sets(report, name, rival):
    return [shown(p_over_data_sets(report, name, rival, measure)) for _, measure, _ in MEASURES]


def tests_of(report, name):
    return [*(shown(p_over_seeds(report, name, rival)) for rival in (*RIVALS, "hyperfd")), *over_data_sets(report, name, "hyperfd")]


def rank_elsewhere(n):
    """Mean rank without the task whose images offline tasks have, too."""
    return f"{statistics.mean(task['rank_mean'] for name, task in n['tasks'].items() if name != SHARES_IMAGES):.1f}"


def numbers_of(n):
    return [f"{n['rank_mean']:.1f} ± {n['rank_std']:.1f}", f"{n['delta_ap_mean']:+.1f} ± {n['delta_ap_std']:.1f}"]


def random_search_ap(tables, budget):
    """Expected test AP of random search's best on validation, in points, summed over tasks: what ΔAP is counted from."""
    return 100 * sum(random_search_expectation({c: (v, tests[c]) for c, v in tables.means(name, 0).items()}, budget)
                     for name in tables.names() for tests in [tables.means(name, 1)])


def place_in(validations, chosen):
    order = sorted(validations.values(), reverse=True)
    return (order.index(chosen) + 1 + (order.count(chosen) - 1) / 2) / len(order)


def clairvoyant_rank(tables, budget):
    """Mean rank in % of a policy that takes the `budget` configurations of highest test AP: what validation tells by chance alone."""
    places = []
    for name in tables.names():
        validations, tests = tables.means(name, 0), tables.means(name, 1)
        places.append(place_in(validations, max(validations[c] for c in sorted(tests, key=tests.get, reverse=True)[:budget])))
    return 100 * statistics.mean(places)


def smallest_rank(tables):
    """Mean rank in % of each task's best on validation: one over its number of configurations, unless several are best."""
    return 100 * statistics.mean(place_in(validations, max(validations.values())) for validations in (tables.means(name, 0) for name in tables.names()))


def verdict(is_reached):
    return "reached" if is_reached else "not reached"


def first_place(report, measure, sign):
    """Whether HyperFD is first by the mean, and whether data sets tell it from the next policy, or from the first."""
    order = sorted(report, key=lambda name: (sign * report[name][measure], name == "hyperfd"))
    place = order.index("hyperfd") + 1
    other = order[1] if place == 1 else order[0]
    p = p_over_data_sets(report, "hyperfd", other, measure)
    return (f"{verdict(place == 1)}: {f'first, next is' if place == 1 else f'place {place}, first is'} {other} ({report['hyperfd'][measure]:.1f}, {report[other][measure]:.1f}; "
            f"p {shown(p)}, {'told apart' if p is not None and p < 0.05 else 'not told apart'})")


def trials_needed(points, wanted, sign):
    """The fewest and the most trials that a tuner may need for a rank or an AP, of which `points` knows some; the most is None where none is enough."""
    enough = min((budget for budget, value in points.items() if sign * value <= sign * wanted), default=None)
    return max((budget for budget in points if enough is None or budget < enough), default=0) + 1, enough


def fewer_trials(curves, peers, budget, sign):
    """Whether all tuners of others need FEWER_TRIALS times the trials for what HyperFD has after `budget`; the quickest of them."""
    needed = {name: trials_needed(curves[name], curves["hyperfd"][budget], sign) for name in peers}
    quickest = min(needed, key=lambda name: (needed[name][1] or float("inf"), needed[name][0], name))
    fewest, most = needed[quickest]
    if most is None:
        trials = f"more than {fewest - 1}"
    else:
        trials = str(most) if fewest == most else f"{fewest} to {most}"
    is_open = fewest < FEWER_TRIALS * budget and (most is None or most >= FEWER_TRIALS * budget)
    return f"{'open' if is_open else verdict(fewest >= FEWER_TRIALS * budget)}: {trials} ({quickest})"


def goals(space, reports, curves, aps, peers):
    wanted = GOALS[space]
    rows = [["rank %", ", ".join(f"≤ {rank} at {budget}" for budget, rank in wanted.items()), *(
        f"{verdict(reports[budget]['hyperfd']['rank_mean'] <= wanted[budget])}: {reports[budget]['hyperfd']['rank_mean']:.1f}" if budget in wanted else "–" for budget in SHOWN)]]
    rows += [[f"first of all policies by {name}", "first", *(first_place(reports[budget], measure, sign) for budget in SHOWN)] for name, measure, sign in MEASURES]
    rows += [[f"trials that tuners of others need for HyperFD's {name}", f"≥ {FEWER_TRIALS} times as many",
              *(fewer_trials(points, peers, budget, sign) if peers else "not replayed" for budget in SHOWN)] for name, points, sign in (("rank", curves, 1), ("test AP", aps, -1))]
    explained = "First is by the mean; p is the test over data sets, told apart is below 0.05."
    if peers:
        explained += " Of others' tuners the quickest is named. Only some numbers of trials were replayed: “2 to 4” is not enough at 1 and enough at 4; “open” is a goal within such a range."
    return ["### What was aimed at\n", table(["", "goal", *(f"after {budget}" for budget in SHOWN)], rows), explained + "\n"]


def policy_sections(bench, budgets):
    """Table 1 at several budgets, Table 13, Figure 3 with the peers, and how many more trials these need."""
    curves, aps, sections, by_task = defaultdict(dict), defaultdict(dict), [], []
    def add_points(budget, policies):
        base = random_search_ap(bench.tables, budget)
        for name, numbers in policies.items():
            curves[name][budget] = numbers["rank_mean"]
            aps[name][budget] = (base + numbers["delta_ap_mean"]) / len(bench.tables.tasks)

    reports = bench.replay(POLICIES, budgets)
    for budget, report in reports.items():
        add_points(budget, report)
        if budget in SHOWN:
            rows = [[name, *numbers_of(n), rank_elsewhere(n), *tests_of(report, name)]
                    + ([PAPER_TABLE_1.get(name, "–")] if budget == 4 else []) for name, n in report.items()]
            header = ["policy", "rank %", "ΔAP", f"rank % without {SHARES_IMAGES}", *TESTED] + (["published, HPO / NAS"] if budget == 4 else [])
            sections.append(f"Budget {budget}:\n\n" + table(header, rows)
                            + f"\nTaking the {budget} best on test would be a rank of {clairvoyant_rank(bench.tables, budget):.1f} %. Rank goes by validation AP, so a policy can be below that; "
                            f"the smallest rank possible is {smallest_rank(bench.tables):.1f} %.\n")
            like = likeness(bench.tables)
            by_task.append(f"Rank % (ΔAP) by data set at budget {budget}{' (Table 13)' if budget == 4 else ''}:\n\n" + table(["data set", "likeness", *BY_TASK], [
                [task, f"{like[task]:.2f}", *("{rank_mean:.1f} ± {rank_std:.1f} ({delta_ap_mean:+.1f})".format(**report[name]["tasks"][task]) for name in BY_TASK)]
                for task in sorted(like, key=like.get)]))
    sections.append("Rank % by the number of trials (Figure 3):\n\n" + table(["policy", *map(str, budgets)], [
        [name, *("{rank_mean:.1f} ± {rank_std:.1f}".format(**reports[budget][name]) for budget in budgets)] for name in POLICIES]))
    sections.append("Likeness: mean rank correlation of a data set's configurations, by validation AP, with those of the other data sets. Those that are least like the rest come first.\n")
    sections += by_task
    peers = set()
    if bench.space == "hpo":
        # A peer that has tried much of a table may suggest hardly anything else that is in it; bench_peers.py has no result of it then.
        fewest = min(len(rows) for rows in bench.tables.tasks.values())
        affordable = [budget for budget in PEER_BUDGETS if budget <= fewest // 2]
        for budget in affordable:
            report = bench.peers(budget)
            add_points(budget, report)
            peers |= set(report)
        reached = aps["hyperfd"][4]
        rows = []
        for name in ["hyperfd", *sorted(peers)]:
            enough = [budget for budget, ap in sorted(aps[name].items()) if ap >= reached]
            rows.append([name, *(f"{curves[name][budget]:.1f} / {aps[name][budget]:.1f}" if budget in curves[name] else "–" for budget in affordable),
                         str(enough[0]) if enough else f"more than {max(aps[name])}"])
        sections.append("Tuners of others, which know one task alone: rank % / mean test AP of the best on validation, and the first number of trials "
                        f"with HyperFD's AP at 4 trials ({reached:.1f}); “–”: on some data set it suggests a thousand configurations in a row that the table lacks. NNI's TPE draws its first 20 trials at random, and is `nni_random` until then:\n\n" + table(["tuner", *(f"{budget} trial{'s' if budget > 1 else ''}" for budget in affordable), "until"], rows))
    else:
        sections.append("Tuners of others are not replayed here: what they suggest is hardly ever one of the table's architectures.\n")
    plot_budgets(curves, DOCS / f"benchmark_{bench.space}_budgets.png")
    sections.append(f"![Rank against the number of trials](benchmark_{bench.space}_budgets.png)\n")
    return sections + goals(bench.space, reports, curves, aps, peers)


def ablation_sections(bench):
    sections = ["### Variants of HyperFD\n"]
    rivals = bench.replay(list(RIVALS), [4])[4]
    for title, rows in ABLATIONS.items():
        report = bench.replay([policy for _, policy, _ in rows], [4])[4] | rivals
        first = rows[0][1]
        sections.append(f"{title}, budget 4:\n\n" + table(["", "as an option", "rank %", "ΔAP", *RIVALS.values(), f"p `{first}`", *OVER_DATA_SETS, "published, HPO / NAS"],
                        [[name, f"`{policy}`", *numbers_of(report[policy]), *(shown(p_over_seeds(report, policy, rival)) for rival in RIVALS), shown(p_over_seeds(report, policy, first)), *over_data_sets(report, policy, first), paper] for name, policy, paper in rows]))
    # `shift` numbers its data sets, `subsets` names its by features and clustering.
    clustered = [name for name in bench.offline if not name[:2].isdigit()]
    # Which tasks, how many results of each (None: all).
    offline = {"whole": (None, None, "13.2 / 7.8"), "every second task": (bench.offline[::2], None, "–"), "the first five results of each task": (None, 5, "–")}
    if clustered and len(clustered) < len(bench.offline):
        offline["sub-data-sets of the source only"] = clustered, None, "17.6 / 15.2 (the source alone)"
    offline["no offline tasks"] = [], None, "16.3 / 12.6"
    report = {name: bench.replay(["hyperfd"], [4], offline=tasks, results=results)[4]["hyperfd"] for name, (tasks, results, _) in offline.items()} | rivals
    sections.append("What meta-features are made of (Table 5): [meta_features.md](meta_features.md).\n")
    sections.append("Warm-up (Table 6), budget 4:\n\n" + table(["", "rank %", "ΔAP", *RIVALS.values(), "p whole", *OVER_DATA_SETS, "published, HPO / NAS"], [
        [name, *numbers_of(report[name]), *(shown(p_over_seeds(report, name, rival)) for rival in RIVALS), shown(p_over_seeds(report, name, "whole")), *over_data_sets(report, name, "whole"), published]
        for name, (_, _, published) in offline.items()]))
    return sections


def known_section(bench):
    """What knowing a data set is worth, beside policies that know nothing of it."""
    reports = bench.replay([policy for _, policy in KNOWN], SHOWN)
    rows = []
    for name, policy in KNOWN:
        tests = zip(*(over_data_sets(reports[budget], policy, "hyperfd") for budget in SHOWN))
        rows.append([name, f"`{policy}`", *(f"{reports[budget][policy]['rank_mean']:.1f} ({reports[budget][policy]['delta_ap_mean']:+.1f})" for budget in SHOWN), *map(" / ".join, tests)])
    return ["### What is known of a data set\n", f"Rank % (ΔAP) by the number of trials; p after {' / '.join(map(str, SHOWN))}:\n\n" + table(["", "as a policy", *map(str, SHOWN), *OVER_DATA_SETS], rows)]


def other_protocols(bench, repetitions):
    orders = bench.replay(["random", "average_rank", "hyperfd"], [4], seeds=repetitions)[4]
    figure, axes = plt.subplots(figsize=(5, 2.6), constrained_layout=True)
    axes.boxplot([n["ranks"] for n in orders.values()], orientation="horizontal", widths=0.6)
    axes.set_yticks(range(1, len(orders) + 1), list(orders))
    axes.set_xlabel("mean rank over tasks, %")
    axes.set_title(f"{repetitions} orders of the tasks, budget 4", fontsize=10)
    axes.grid(axis="x", alpha=0.3)
    figure.savefig(DOCS / f"benchmark_{bench.space}_orders.png", dpi=110)
    plt.close(figure)
    sections = ["### Orders of the tasks\n", f"![Ranks of {repetitions} orders](benchmark_{bench.space}_orders.png)\n",
                "### Leave one domain out\n\nEvery other task is known with its whole table, and the offline ones. So there is no order of tasks: seeds differ by random numbers alone, and a ranker is trained once for each data set that is left out. "
                "“–” over seeds: nothing was drawn differently, so there is nothing to test.\n"]
    for budget, report in bench.replay(POLICIES, SHOWN, warm_starts=1, more=["--leave-one-out"]).items():
        sections.append(f"Budget {budget}:\n\n" + table(["policy", "rank %", "ΔAP", *TESTED],
                        [[name, *numbers_of(n), *tests_of(report, name)] for name, n in report.items()]))
    return sections


def legend(seeds, warm_starts, data_sets):
    order = "order of tasks" + (" or warm-up" if warm_starts > 1 else "")
    return ("rank %: place, by validation AP, of the configuration that the policy found best on validation, among all of the "
            "task's; mean over tasks. ΔAP: its test AP less what random search expects, in points, summed over tasks. "
            f"±: standard deviation over seeds, each with another order of tasks{f' and, in turn, one of {warm_starts} warm-ups of a ranker' if warm_starts > 1 else ''}. "
            "The source of best_on_source is all offline tasks, by their mean relative rank.\n\n"
            "p is Wilcoxon's signed-rank test, two-sided, not corrected for the number of tests. There are two:\n\n"
            f"- over the {seeds} seeds, by rank: p random, p source and p hyperfd, beside random, best_on_source and hyperfd. It says whether another {order} could change "
            "which of the two is ahead on these data sets;\n"
            f"- over the {data_sets} data sets, by their means over seeds, beside hyperfd: p data sets (by rank) and p ΔAP data sets (by ΔAP). It says whether other data sets like these could. "
            f"The least that it can be is {2 / 2 ** data_sets:.1g}.\n\n"
            "Variants are tested beside random and best_on_source, over seeds, and beside their table's first row. “–”: the two do not differ or, over seeds, neither drew anything differently; there is nothing to test.\n")


def noise_section(noise, shares):
    """Where much is seed; `shares` by task: of validation and of test AP."""
    if not noise:
        return "Every configuration was trained once: how much of the variance is seed is not known here.\n"
    found = []
    for column, name in enumerate(("validation", "test")):
        of_column = {task: both[column] for task, both in shares.items() if both[column]}
        above = [task for task, (_, low, _) in of_column.items() if low > 1 / 3]
        reaches = [task for task, (_, low, high) in of_column.items() if low <= 1 / 3 <= high]
        found.append(f"In {name} AP the whole interval lies above a third on {len(above)} of {len(of_column)} ({listed(above)}); it merely reaches there on {len(reaches)} ({listed(reaches)}).")
    return (f"{' '.join(found)} Where much is seed, a configuration's place is to a good part chance, for every policy alike. Intervals: 90 %, by a bootstrap over configurations. "
            "AP is the mean over a configuration's trials, which have different seeds, and a seeds' share that of this mean.\n")


def untuned_section(tables, noise, untuned):
    """Where tuning is not seen to help."""
    names = [name for name in tables.names() if name in untuned]
    best = {name: max(tables.means(name, 1).values()) for name in names}
    not_better = [f"{name} (best {best[name]:.3f}, before {untuned[name]:.3f})" for name in names if best[name] <= untuned[name]]
    chosen = {name: tables.means(name, 1)[max(validations, key=validations.get)] for name in names for validations in [tables.means(name, 0)]}
    below = [f"{name} ({chosen[name]:.3f}, before {untuned[name]:.3f})" for name in names if chosen[name] < untuned[name]]
    text = (f"No configuration beats the weights as they come on: {listed(not_better)}. The best of many trainings is partly luck, so this flatters tuning. "
            f"The configuration that is best on validation is below these weights on: {listed(below)}.")
    repeated = {name: [statistics.mean(r[1] for r in seeds.values()) for seeds in noise.get(name, {}).values() if len(seeds) > 1] for name in names}
    if any(repeated.values()):
        below = [f"{name} ({max(tests):.3f}, before {untuned[name]:.3f})" for name, tests in repeated.items() if tests and max(tests) < untuned[name]]
        numbers = sorted({len(tests) for tests in repeated.values() if tests})
        text += f" Of the configurations with several seeds ({' to '.join(map(str, dict.fromkeys((numbers[0], numbers[-1]))))} a task) the best mean test AP is below them on: {listed(below)}."
    return text + "\n"


def report_file(space):
    return DOCS / ("benchmark.md" if space == "hpo" else f"benchmark_{space}.md")


def write(space, seeds, budgets, tuner, ablations, warm_starts, orders):
    tables = Tables(TABLES / space)
    if min(map(len, tables.tasks.values())) < FEWEST:
        sys.exit(f"{TABLES / space}: fewer than {FEWEST} configurations of a task")
    # The detector as it comes, and a task that it has solved.
    untuned = json.loads((TABLES / "untuned.json").read_text())[space]
    saturated = Tables(TABLES / "saturated").tasks if space == "hpo" else {}
    parts = [f"# The benchmark face-mini: {SPACES[space].name}\n",
             f"Made by `.venv/bin/python scripts/benchmark_report.py --spaces {space} --seeds {seeds} --budgets {','.join(map(str, budgets))}{'' if ablations else ' --without-ablations'}{f' --warm-starts {warm_starts}' if warm_starts > 1 else ''}{f' --orders {orders}' if orders != ORDERS else ''}` from `tuner/bench/tables/face-mini`; do not edit.\n",
             f"Each row of the tables is a real training by `hyperfd-trial train --recipe {RECIPES[space]}`, started by "
             "`hyperfd-tuner collect` (`scripts/face_mini.sh`): AP@50 on the validation and test splits of a data set.\n"]
    for name, rows in saturated.items():
        tests = [r[1] for seeds in rows.values() for r in seeds.values()]
        parts.append(f"{name} is not among the tasks, as it does not tell configurations apart: {untuned.get(name, float('nan')):.3f} before tuning, "
                     f"{min(tests):.3f} to {max(tests):.3f} after it with {len(tests)} configurations.\n")
    if not saturated:
        parts.append("portrait_lm5 has no architectures: it was left out as in the HPO space, where it does not tell configurations apart. Whether it tells architectures apart was not tried.\n")
    parts.append(f"## {space}: {tables.trials():,} trials, {tables.hours():.1f} core hours\n")
    rows, shares = [], {}
    repeated = Tables(TABLES / f"{space}-noise")
    repeated.join(tables)
    noise = repeated.tasks
    for name in tables.names():
        tests, validations = tables.means(name, 1), tables.means(name, 0)
        best = max(validations, key=validations.get)
        shares[name] = [seed_share(noise.get(name, {}), column, tables.seeds(name)) for column in (0, 1)]
        rows.append([name, str(len(tests)), f"{tables.seeds(name):.2g}", f"{untuned[name]:.3f}" if name in untuned else "–", f"{min(tests.values()):.3f}",
                     f"{statistics.median(tests.values()):.3f}", f"{max(tests.values()):.3f}", f"{tests[best]:.3f}",
                     f"{rank_correlation(validations, tests):.2f}", *("–" if share is None else "{:.0f} ({:.0f}–{:.0f})".format(*(100 * s for s in share)) for share in shares[name] if noise),
                     short(best)])
    parts.append(table(["task", "configurations", "trials of each", "before tuning", "worst", "median", "best", "best on validation",
                        "validation–test correlation", *(f"seeds' share of {split} variance, % (90 % interval)" for split in ("validation", "test") if noise), "best on validation is"], rows))
    if space == "nas":
        parts.append("k5e6: a block of kernel 5 and expansion 6; 2×: two of them.\n")
    parts += [noise_section(noise, shares), untuned_section(tables, noise, untuned)]
    if (TABLES / f"{space}-offline").exists():
        offline = Tables(TABLES / f"{space}-offline")
        parts.append(f"Offline tasks, made of the source: {len(offline.tasks)}, {offline.trials():,} trials, {offline.hours():.1f} core hours. All settings of "
                     "the policies were chosen on these and on made-up tasks, by cross-validation (`hyperfd-tuner warmup`) and by replays in which one kind of "
                     "offline task is known and the other is tuned; no setting was taken by its result on the tasks of the table above. What a trial is, its recipe, was chosen before there was a table, "
                     "by trainings on some of the domains themselves ([models/README.md](../models/README.md), [performance.md](performance.md)).\n")
        without = [name for name in offline.names() if not (TABLES / "features" / f"{name}.features").exists()]
        if without:
            parts.append(f"Clusterings come out a little different on different processors, so sub-data-sets of one name need not be the same images everywhere; {len(without)} that "
                         "only one machine had are without image features.\n")
    plot_distributions(tables, untuned, DOCS / f"benchmark_{space}_ap.png")
    plot_validation(tables, DOCS / f"benchmark_{space}_validation.png")
    plot_correlations(tables, DOCS / f"benchmark_{space}_correlation.png")
    parts.append(f"![AP of every configuration by task](benchmark_{space}_ap.png)\n\n"
                 f"![Validation and test AP of every configuration, and their rank correlation](benchmark_{space}_validation.png)\n\n"
                 f"![Rank correlation between tasks](benchmark_{space}_correlation.png)\n")
    parts.append(f"### Policies, {seeds} seeds\n")
    bench = Bench(space, seeds, tuner, warm_starts)
    parts += [SHARED_IMAGES, legend(seeds, warm_starts, len(tables.tasks))]
    parts += policy_sections(bench, budgets) + known_section(bench) + (ablation_sections(bench) if ablations else []) + other_protocols(bench, orders)
    report_file(space).write_text("\n".join(parts))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--spaces", nargs="+", choices=SPACES, default=list(SPACES), help="which tables, each in a file of its own (default: all)")
    parser.add_argument("--seeds", type=int, default=20, help="repetitions (default: %(default)s)")
    parser.add_argument("--budgets", default=",".join(map(str, range(1, 11))), help="trials of each task, 1, 2 and 4 among them (default: %(default)s)")
    parser.add_argument("--warm-starts", type=int, default=1, help="rankers that learned from the offline tasks, of which the repetitions take turns")
    parser.add_argument("--orders", type=int, default=ORDERS, help="of the tasks, Figure 4 (default: %(default)s)")
    parser.add_argument("--without-ablations", action="store_true", help="leave out the variants of HyperFD")
    parser.add_argument("--tuner", default=str(ROOT / "build/release/bin/hyperfd-tuner"), help="program (default: %(default)s)")
    arguments = parser.parse_args()
    budgets = sorted({int(budget) for budget in arguments.budgets.split(",")} | set(SHOWN))
    for space in arguments.spaces:
        write(space, arguments.seeds, budgets, arguments.tuner, not arguments.without_ablations, arguments.warm_starts, arguments.orders)


if __name__ == "__main__":
    main()
