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
from pathlib import Path

import matplotlib
import numpy as np
from scipy.stats import spearmanr, wilcoxon

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
        ("HyperFD", "hyperfd", "–"), ("its network alone", "hyperfd:effects=off", "–"),
        ("its effects alone", "hyperfd:network_share=0", "–"), ("statistics instead of image features", "hyperfd:effects=off:images=off", "17.6 / 12.1"),
        ("squared error instead of the ranking loss", "hyperfd:effects=off:loss=mse", "20.9 / 18.3"),
        ("positions by true label (AceNAS)", "hyperfd:effects=off:rank_by=label", "–"),
        ("nothing known of data sets", "hyperfd:effects=off:images=off:numbers=off", "–"), ("the paper's settings", "paper", "13.2 / 7.8")],
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

SHARES_IMAGES = "wider_360"
SHARED_IMAGES = (f"{SHARES_IMAGES} is no domain of its own to who knows the offline tasks: its 300 images are the source's, through a fisheye lens, and 294 of them are, otherwise "
                 "changed or as they are, in offline tasks, too, test images among them. It flatters all policies that learn from these alike; the tables below give ranks without it, too.\n")


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

    def trials(self):
        return sum(len(seeds) for rows in self.tasks.values() for seeds in rows.values())

    def hours(self):
        return sum(r[2] for rows in self.tasks.values() for seeds in rows.values() for r in seeds.values()) / 3600


def rank_correlation(a, b):
    shared = sorted(set(a) & set(b))
    if len(shared) < 5:
        return float("nan")
    return float(spearmanr([a[c] for c in shared], [b[c] for c in shared]).statistic)


def likeness(tables):
    """By task: mean rank correlation with the other tasks, by validation AP."""
    means = {name: tables.means(name, 0) for name in tables.names()}
    return {name: statistics.mean(rank_correlation(means[name], means[other]) for other in means if other != name) for name in means}


def seed_share(rows, column):
    """Share of a task's variance in validation (0) or test AP (1) that is between seeds of one configuration, of its configurations with several."""
    groups = [[r[column] for r in seeds.values()] for seeds in rows.values() if len(seeds) > 1]
    if len(groups) < 5:
        return None
    within = statistics.mean(statistics.variance(g) for g in groups)
    # The variance of means over n seeds holds within/n of the seeds' own.
    n = statistics.mean(len(g) for g in groups)
    between = max(0.0, statistics.variance([statistics.mean(g) for g in groups]) - within / n)
    return within / (within + between) if within + between > 0 else None


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def short(configuration):
    c = json.loads(configuration)
    return ", ".join(f"{k} {v}" for k, v in c.items()) if len(configuration) < 400 else configuration[:80] + "…"


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
    is, so a run that was stopped goes on."""

    def __init__(self, space, seeds, tuner, warm_starts):
        self.warm_starts = warm_starts
        self.seeds, self.space, self.tuner, self.tables = seeds, space, tuner, Tables(TABLES / space)
        self.offline = sorted(Tables(TABLES / f"{space}-offline").names()) if (TABLES / f"{space}-offline").exists() else []
        state = hashlib.sha256(Path(tuner).read_bytes())
        for file in [*sorted(TABLES.glob(f"{space}/*.jsonl")), *sorted(TABLES.glob(f"{space}-offline/*.jsonl")), *sorted(TABLES.glob("features/*")), SPACES[space], ROOT / "scripts/bench_peers.py"]:
            state.update(file.read_bytes())
        self.state = state.hexdigest()

    def run(self, command):
        command = [str(word) for word in command]
        file = CACHE / (hashlib.sha256(json.dumps([self.state, command]).encode()).hexdigest()[:24] + ".json")
        if not file.exists():
            print(" ".join(command[-6:]), file=sys.stderr, flush=True)
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
            if done.returncode != 0:
                sys.exit(f"{' '.join(command)}:\n{done.stderr}")
            CACHE.mkdir(parents=True, exist_ok=True)
            file.with_suffix(".part").write_text(done.stdout)
            file.with_suffix(".part").replace(file)
        return json.loads(file.read_text())

    def replay(self, policies, budgets, seeds=None, offline=None, more=()):
        """By budget and policy, a policy by name or name:option=value. `offline`: names of the offline tasks that are known, default
        all."""
        known = self.offline if offline is None else offline
        command = [self.tuner, "bench", "replay", "--json", "--space", SPACES[self.space], "--table", TABLES / self.space]
        command += [TABLES / f"{self.space}-offline" / f"{name}.jsonl" for name in known]
        if known:
            command += ["--offline", ",".join(known)]
        if (TABLES / "features").exists():
            command += ["--features", TABLES / "features"]
        command += [*more, "--seeds", seeds or self.seeds, "--budget", ",".join(map(str, budgets))]
        if self.warm_starts > 1:
            command += ["--warm-starts", self.warm_starts]
        reports = {budget: {} for budget in budgets}
        for policy in policies:
            printed = self.run([*command, "--policies", policy])
            for report in printed if len(budgets) > 1 else [printed]:
                reports[report["budget"]][policy] = report["policies"][policy]
        return reports

    def peers(self, budget):
        return self.run([sys.executable, "scripts/bench_peers.py", "--table", TABLES / self.space, "--space", SPACES[self.space],
                         "--budget", budget, "--seeds", self.seeds])["policies"]


def p_of(report, policy, rival, measure="ranks"):
    """Wilcoxon's signed-rank test on the mean ranks, or the ΔAP, of the same seeds."""
    a, b = report[policy][measure], report[rival][measure]
    once = len(set(a)) == len(set(b)) == 1  # one comparison, however often it is repeated
    return "–" if policy == rival or a == b or once else f"{wilcoxon(a, b).pvalue:.2g}"


TESTED = ["p random", "p source", "p hyperfd", "ΔAP: p hyperfd"]


def tests_of(report, name):
    return [*(p_of(report, name, rival) for rival in ("random", "best_on_source", "hyperfd")), p_of(report, name, "hyperfd", "delta_aps")]


def rank_elsewhere(n):
    """Mean rank without the task whose images offline tasks have, too."""
    return f"{statistics.mean(task['rank_mean'] for name, task in n['tasks'].items() if name != SHARES_IMAGES):.1f}"


def numbers_of(n):
    return [f"{n['rank_mean']:.1f} ± {n['rank_std']:.1f}", f"{n['delta_ap_mean']:+.1f} ± {n['delta_ap_std']:.1f}"]


def random_search_ap(tables, budget):
    """Expected test AP of random search's best on validation, in points, summed over tasks: what ΔAP is counted from."""
    return 100 * sum(random_search_expectation({c: (v, tests[c]) for c, v in tables.means(name, 0).items()}, budget)
                     for name in tables.names() for tests in [tables.means(name, 1)])


def clairvoyant_rank(tables, budget):
    """Mean rank in % of a policy that takes the `budget` configurations of highest test AP: what validation tells by chance alone."""
    places = []
    for name in tables.names():
        validations, tests = tables.means(name, 0), tables.means(name, 1)
        order = sorted(validations.values(), reverse=True)
        chosen = max(validations[c] for c in sorted(tests, key=tests.get, reverse=True)[:budget])
        places.append((order.index(chosen) + 1 + (order.count(chosen) - 1) / 2) / len(order))
    return 100 * statistics.mean(places)


def policy_sections(bench, budgets):
    """Table 1 at several budgets, Table 13, Figure 3 with the peers, and how many more trials these need."""
    curves, aps, sections, by_task = defaultdict(dict), defaultdict(dict), [], []
    def add_points(budget, policies):
        base = random_search_ap(bench.tables, budget)
        for name, numbers in policies.items():
            curves[name][budget] = numbers["rank_mean"]
            aps[name][budget] = (base + numbers["delta_ap_mean"]) / len(bench.tables.tasks)

    for budget, report in bench.replay(POLICIES, budgets).items():
        add_points(budget, report)
        if budget in SHOWN:
            rows = [[name, *numbers_of(n), rank_elsewhere(n), *tests_of(report, name)]
                    + ([PAPER_TABLE_1.get(name, "–")] if budget == 4 else []) for name, n in report.items()]
            header = ["policy", "rank %", "ΔAP", f"rank % without {SHARES_IMAGES}", *TESTED] + (["published, HPO / NAS"] if budget == 4 else [])
            sections.append(f"Budget {budget}:\n\n" + table(header, rows)
                            + f"\nTaking the {budget} best on test would be a rank of {clairvoyant_rank(bench.tables, budget):.1f} %.\n")
            like = likeness(bench.tables)
            by_task.append(f"Rank % by data set at budget {budget}{' (Table 13)' if budget == 4 else ''}:\n\n" + table(["data set", "likeness", *BY_TASK], [
                [task, f"{like[task]:.2f}", *(f"{report[name]['tasks'][task]['rank_mean']:.1f} ± {report[name]['tasks'][task]['rank_std']:.1f}" for name in BY_TASK)]
                for task in sorted(like, key=like.get)]))
    sections.append("Rank % by the number of trials (Figure 3):\n\n" + table(["policy", *map(str, budgets)], [
        [name, *(f"{points[budget]:.1f}" for budget in budgets)] for name, points in curves.items()]))
    sections.append("Likeness: mean rank correlation of a data set's configurations, by validation AP, with those of the other data sets. Those that are least like the rest come first.\n")
    sections += by_task
    if bench.space == "hpo":
        # A peer that has tried much of a table suggests hardly anything else that is in it.
        fewest = min(len(rows) for rows in bench.tables.tasks.values())
        affordable = [budget for budget in PEER_BUDGETS if budget <= fewest // 2]
        peers = set()
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
                        f"with HyperFD's AP at 4 trials ({reached:.1f}). NNI's TPE draws its first 20 trials at random, and is `nni_random` until then:\n\n" + table(["tuner", *(f"{budget} trials" for budget in affordable), "until"], rows))
    else:
        sections.append("Tuners of others are not replayed here: what they suggest is hardly ever one of the table's architectures.\n")
    plot_budgets(curves, DOCS / f"benchmark_{bench.space}_budgets.png")
    sections.append(f"![Rank against the number of trials](benchmark_{bench.space}_budgets.png)\n")
    return sections


def ablation_sections(bench):
    sections = []
    for title, rows in ABLATIONS.items():
        report = bench.replay([policy for _, policy, _ in rows], [4])[4]
        first = rows[0][1]
        sections.append(f"{title}, budget 4:\n\n" + table(["", "as an option", "rank %", "ΔAP", f"p `{first}`", "published, HPO / NAS"],
                        [[name, f"`{policy}`", *numbers_of(report[policy]), p_of(report, policy, first), paper] for name, policy, paper in rows]))
    # `shift` numbers its data sets, `subsets` names its by features and clustering.
    clustered = [name for name in bench.offline if not name[:2].isdigit()]
    def after(offline):
        return numbers_of(bench.replay(["hyperfd"], [4], offline=offline)[4]["hyperfd"])

    rows = [["whole", *after(None), "13.2 / 7.8"]]
    if clustered and len(clustered) < len(bench.offline):
        rows.append(["sub-data-sets of the source only", *after(clustered), "–"])
    rows.append(["no offline tasks", *after([]), "16.3 / 12.6"])
    sections.append("What meta-features are made of (Table 5): [meta_features.md](meta_features.md).\n")
    sections.append("Warm-up (Table 6), budget 4:\n\n" + table(["", "rank %", "ΔAP", "published, HPO / NAS"], rows))
    return sections


def known_section(bench):
    """What knowing a data set is worth, beside policies that know nothing of it."""
    reports = bench.replay([policy for _, policy in KNOWN], SHOWN)
    return ["What is known of a data set, rank % (ΔAP) by the number of trials:\n\n" + table(
        ["", "as a policy", *map(str, SHOWN)],
        [[name, f"`{policy}`", *(f"{reports[budget][policy]['rank_mean']:.1f} ({reports[budget][policy]['delta_ap_mean']:+.1f})" for budget in SHOWN)] for name, policy in KNOWN])]


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
    sections = [f"![Ranks of {repetitions} orders](benchmark_{bench.space}_orders.png)\n",
                "### Leave one domain out\n\nEvery other task is known with its whole table, and the offline ones.\n"]
    for budget, report in bench.replay(POLICIES, SHOWN, more=["--leave-one-out"]).items():
        sections.append(f"Budget {budget}:\n\n" + table(["policy", "rank %", "ΔAP", *TESTED],
                        [[name, *numbers_of(n), *tests_of(report, name)] for name, n in report.items()]))
    return sections


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
             f"Each number of the tables is a real training by `hyperfd-trial train --recipe {RECIPES[space]}`, started by "
             "`hyperfd-tuner collect` (`scripts/face_mini.sh`): AP@50 on the validation and test splits of a data set.\n"]
    for name, rows in saturated.items():
        tests = [r[1] for seeds in rows.values() for r in seeds.values()]
        parts.append(f"{name} is not among the tasks, as it does not tell configurations apart: {untuned.get(name, float('nan')):.3f} before tuning, "
                     f"{min(tests):.3f} to {max(tests):.3f} after it with {len(tests)} configurations.\n")
    if not saturated:
        parts.append("portrait_lm5, which does not tell configurations of the HPO space apart, has no architectures either.\n")
    parts.append(f"## {space}: {tables.trials():,} trials, {tables.hours():.1f} core hours\n")
    rows, noisy = [], []
    noise = Tables(TABLES / f"{space}-noise").tasks
    for name in tables.names():
        tests, validations = tables.means(name, 1), tables.means(name, 0)
        best = max(validations, key=validations.get)
        shares = [seed_share(noise.get(name, {}), column) for column in (0, 1)]
        if any(share is not None and share > 1 / 3 for share in shares):
            noisy.append(name)
        rows.append([name, str(len(tests)), f"{untuned[name]:.3f}" if name in untuned else "–", f"{min(tests.values()):.3f}",
                     f"{statistics.median(tests.values()):.3f}", f"{max(tests.values()):.3f}", f"{tests[best]:.3f}",
                     f"{rank_correlation(validations, tests):.2f}", *("–" if share is None else f"{100 * share:.0f} %" for share in shares),
                     short(best)])
    parts.append(table(["task", "configurations", "before tuning", "worst", "median", "best", "best on validation",
                        "validation–test correlation", "validation variance that is seed", "test variance that is seed", "best on validation is"], rows))
    if noisy:
        parts.append(f"More than a third of the variance in validation or test AP is seed, not configuration, on {', '.join(noisy)}: there a configuration's place "
                     "is to a good part chance, for every policy alike. Their trials were left as those of the other tasks.\n")
    if not noise:
        parts.append("Every architecture was trained once: how much of the variance is seed is not known here.\n")
    not_better = [f"{name} (best {max(tables.means(name, 1).values()):.3f}, before {untuned[name]:.3f})" for name in tables.names()
                  if name in untuned and max(tables.means(name, 1).values()) <= untuned[name]]
    if not_better:
        parts.append(f"No configuration beats the weights as they come on {', '.join(not_better)}.\n")
    if (TABLES / f"{space}-offline").exists():
        offline = Tables(TABLES / f"{space}-offline")
        parts.append(f"Offline tasks, made of the source: {len(offline.tasks)}, {offline.trials():,} trials, {offline.hours():.1f} core hours. All settings of "
                     "the policies were chosen on these and on made-up tasks, by cross-validation (`hyperfd-tuner warmup`) and by replays in which one kind of "
                     "offline task is known and the other is tuned; no setting was taken by its result on the tasks of the table above.\n")
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
    parts.append(SHARED_IMAGES)
    parts += policy_sections(bench, budgets) + known_section(bench) + (ablation_sections(bench) if ablations else []) + other_protocols(bench, orders)
    parts.append("rank %: place, by validation AP, of the configuration that the policy found best on validation, among all of the "
                 "task's; mean over tasks. ΔAP: its test AP less what random search expects, in points, summed over tasks. "
                 f"±: standard deviation over seeds, each with another order of tasks{f' and, in turn, one of {warm_starts} warm-ups of a ranker' if warm_starts > 1 else ''}. p: Wilcoxon's signed-rank test over the seeds, which says whether another order would change the order of two policies on these tasks, not what other tasks would say. "
                 "The source of best_on_source is all offline tasks, by their mean relative rank.\n")
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
