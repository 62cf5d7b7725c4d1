"""scripts/benchmark_report.py: its numbers against plain calculations, and the file that it makes of a made-up table."""

import itertools
import json
import statistics
import sys
from pathlib import Path

import numpy
import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("scipy")

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
import benchmark_report as report  # noqa: E402


def tables_of(folder, tasks):
    """`tasks`: by name, rows of configuration, seed, validation and test AP, seconds."""
    folder.mkdir(parents=True)
    for task, rows in tasks.items():
        keys = ("configuration", "seed", "validation", "test", "seconds")
        (folder / f"{task}.jsonl").write_text("".join(json.dumps({"task": task, **dict(zip(keys, row))}) + "\n" for row in rows))
    return report.Tables(folder)


def seeds_of(groups):
    return {str(number): {seed: (value, value, 1) for seed, value in enumerate(group)} for number, group in enumerate(groups)}


def test_share_of_seeds_is_that_of_a_plain_calculation():
    groups = [[0.50, 0.54, 0.52], [0.61, 0.58, 0.60], [0.40, 0.47, 0.43], [0.55, 0.55, 0.52], [0.70, 0.66, 0.69], [0.48, 0.52, 0.51]]
    within = sum(sum((x - sum(g) / 3) ** 2 for x in g) / 2 for g in groups) / 6
    means = [sum(g) / 3 for g in groups]
    between = sum((m - sum(means) / 6) ** 2 for m in means) / 5 - within / 3
    share, low, high = report.seed_share(seeds_of(groups), 0)
    assert share == pytest.approx(within / (within + between))
    assert 0 < low < share < high < 1
    # Where some have fewer seeds, the variance of means holds the mean 1/n of the seeds' own.
    uneven = [*groups, [0.45, 0.50], [0.62, 0.57]]
    within_uneven = (sum(sum((x - sum(g) / len(g)) ** 2 for x in g) / (len(g) - 1) for g in uneven)) / 8
    means_uneven = [sum(g) / len(g) for g in uneven]
    between_uneven = sum((m - sum(means_uneven) / 8) ** 2 for m in means_uneven) / 7 - within_uneven * (6 / 3 + 2 / 2) / 8
    assert report.seed_share(seeds_of(uneven), 0)[0] == pytest.approx(within_uneven / (within_uneven + between_uneven))
    # Of the mean over three trials.
    assert report.seed_share(seeds_of(groups), 0, 3)[0] == pytest.approx(within / 3 / (within / 3 + between))
    assert report.seed_share(seeds_of(groups), 0) == (share, low, high)
    assert report.seed_share(seeds_of(groups[:4]), 0) is None
    assert report.seed_share(seeds_of([[0.5, 0.5]] * 6), 0) is None


def test_seeds_of_a_table_and_those_of_its_noise(tmp_path):
    tables = tables_of(tmp_path / "table", {"many": [(1, 1, 0.5, 0.5, 1), (1, 2, 0.7, 0.5, 1), (2, 1, 0.4, 0.5, 1)], "one": [(1, 1, 0.5, 0.5, 1)]})
    assert tables.seeds("many") == pytest.approx(2 / (1 / 2 + 1))
    assert tables.seeds("one") == 1
    noise = tables_of(tmp_path / "noise", {"many": [(2, 1, 0.4, 0.5, 1), (2, 2, 0.6, 0.5, 1)], "one": [(1, 1, 0.5, 0.5, 1), (1, 2, 0.8, 0.5, 1)]})
    noise.join(tables)
    assert {task: {c: sorted(seeds) for c, seeds in rows.items()} for task, rows in noise.tasks.items()} == {"many": {"1": [1, 2], "2": [1, 2]}, "one": {"1": [1, 2]}}


def test_interval_of_the_share_covers_it_about_as_often_as_it_says():
    random = numpy.random.default_rng(2)
    misses = 0
    for _ in range(100):
        groups = random.normal(0, 0.8, (20, 1)) + random.normal(0, 0.6, (20, 3))  # .36 of the variance
        _, low, high = report.seed_share(seeds_of(groups.tolist()), 0)
        misses += not low <= 0.36 <= high
    assert 4 <= misses <= 22


@pytest.mark.parametrize("budget", [1, 2, 3, 5])
def test_random_search_expects_the_mean_over_all_draws(budget):
    rows = {"a": (0.3, 0.1), "b": (0.7, 0.6), "c": (0.7, 0.2), "d": (0.5, 0.9), "e": (0.1, 0.4)}
    tests = []
    for draw in itertools.combinations(rows.values(), budget):
        best = max(validation for validation, _ in draw)
        tests.append(statistics.mean(test for validation, test in draw if validation == best))
    assert report.random_search_expectation(rows, budget) == pytest.approx(statistics.mean(tests))


def test_who_knows_test_ap_has_places_by_validation(tmp_path):
    tables = tables_of(tmp_path / "table", {
        "one": [({"x": 1}, 1, 0.9, 0.2), ({"x": 2}, 1, 0.6, 0.9), ({"x": 3}, 1, 0.7, 0.8), ({"x": 4}, 1, 0.1, 0.1)],
        "two": [({"x": 1}, 1, 0.5, 0.9), ({"x": 2}, 1, 0.5, 0.2), ({"x": 3}, 1, 0.4, 0.3), ({"x": 4}, 1, 0.3, 0.4)]})
    assert report.clairvoyant_rank(tables, 1) == pytest.approx(100 * (3 / 4 + 1.5 / 4) / 2)
    assert report.clairvoyant_rank(tables, 2) == pytest.approx(100 * (2 / 4 + 1.5 / 4) / 2)
    assert report.smallest_rank(tables) == pytest.approx(100 * (1 / 4 + 1.5 / 4) / 2)


def test_a_machine_that_stood_still_is_not_counted(tmp_path):
    seconds = [10, 10, 12, 49, 2000]
    tables = tables_of(tmp_path / "table", {"task": [({"x": i}, 1, 0.5, 0.5, s) for i, s in enumerate(seconds)]})
    assert 3600 * tables.hours() == pytest.approx(10 + 10 + 12 + 49 + 60)


def result_of(ranks_by_task, delta_aps_by_task=None):
    """What a replay prints of a policy: by task, a rank for each seed."""
    deltas = delta_aps_by_task or {task: [-r / 10 for r in ranks] for task, ranks in ranks_by_task.items()}
    ranks, sums = [statistics.mean(of_seed) for of_seed in zip(*ranks_by_task.values())], [sum(of_seed) for of_seed in zip(*deltas.values())]
    return {"rank_mean": statistics.mean(ranks), "rank_std": statistics.pstdev(ranks), "ranks": ranks,
            "delta_ap_mean": statistics.mean(sums), "delta_ap_std": statistics.pstdev(sums), "delta_aps": sums,
            "tasks": {task: {"rank_mean": statistics.mean(ranks_by_task[task]), "rank_std": statistics.pstdev(ranks_by_task[task]),
                             "delta_ap_mean": statistics.mean(deltas[task]), "delta_ap_std": statistics.pstdev(deltas[task])} for task in ranks_by_task}}


def signed_rank(differences):
    """Two-sided p of Wilcoxon's test by all assignments of signs; no ties, no zeros."""
    places = [sorted(map(abs, differences)).index(abs(d)) + 1 for d in differences]
    middle = sum(places) / 2
    seen = abs(sum(p for p, d in zip(places, differences) if d > 0) - middle)
    sums = [sum(p for p, is_in in zip(places, signs) if is_in) for signs in itertools.product((0, 1), repeat=len(places))]
    return sum(abs(s - middle) >= seen for s in sums) / len(sums)


def test_data_sets_are_paired_by_their_means_and_by_name():
    differences = [1, -2, 4, 7, 11, 16]
    rival = {f"t{i}": [30 + i, 34 + i] for i in range(6)}
    own = {task: [r + d for r in rival[task]] for task, d in zip(rival, differences)}
    of = {"own": result_of(own), "hyperfd": result_of(dict(reversed(rival.items())))}
    assert report.p_over_data_sets(of, "own", "hyperfd") == pytest.approx(signed_rank(differences))
    assert report.p_over_data_sets(of, "own", "hyperfd", "delta_ap_mean") == pytest.approx(signed_rank(differences))
    assert report.p_over_data_sets(of, "own", "own") is None


def test_seeds_are_paired_and_more_of_the_same_is_no_test():
    of = {"a": result_of({"t": [1, 5, 9, 20]}), "b": result_of({"t": [2, 8, 4, 27]}), "c": result_of({"t": [3] * 4}), "d": result_of({"t": [7] * 4})}
    assert report.p_over_seeds(of, "a", "b") == pytest.approx(signed_rank([-1, -3, 5, -7]))
    assert report.p_over_seeds(of, "a", "a") is None
    assert report.p_over_seeds(of, "c", "d") is None
    assert report.p_over_data_sets(of, "c", "d") is not None
    assert report.p_value([0.1 + 0.2], [0.3]) is None  # the same sum in another order


def test_architectures_are_compact_and_whole():
    architecture = {"stage2": {"_name": "depth3", "kernel1": 5, "expansion1": 6, "kernel2": 5, "expansion2": 6, "kernel3": 7, "expansion3": 6},
                    "stage3": {"_name": "depth1", "kernel1": 3, "expansion1": 4}}
    assert report.short(report.key(architecture)) == "stage2 2×k5e6 k7e6, stage3 k3e4"
    assert report.short(report.key({"rate": 0.1, "optimizer": "sgd"})) == "optimizer sgd, rate 0.1"


def test_places_and_whether_data_sets_tell_them_apart():
    far = {f"t{i}": [50 + i * i] for i in range(6)}
    near = {f"t{i}": [11 + i % 2 * 2 - i / 9] for i in range(6)}
    own = {f"t{i}": [10 + i % 3] for i in range(6)}
    first = report.first_place({"near": result_of(near), "hyperfd": result_of(own), "far": result_of(far)}, "rank_mean", 1)
    assert first.startswith("reached: first, next is near (11.0, 11.7; p ") and first.endswith("not told apart)")
    second = report.first_place({"far": result_of(own), "hyperfd": result_of(far)}, "rank_mean", 1)
    assert second == "not reached: place 2, first is far (59.2, 11.0; p 0.031, told apart)"
    assert report.first_place({"a": result_of(own), "hyperfd": result_of(own)}, "delta_ap_mean", -1).startswith("not reached: place 2, first is a")


def test_how_many_trials_others_need():
    points = {1: 50, 2: 30, 4: 20, 10: 9, 20: 4}
    assert report.trials_needed(points, 60, 1) == (1, 1)
    assert report.trials_needed(points, 25, 1) == (3, 4)
    assert report.trials_needed(points, 3, 1) == (21, None)
    assert report.trials_needed({1: 70, 2: 72}, 71, -1) == (2, 2)

    curves = {"hyperfd": {1: 20, 2: 9, 4: 3}, "slow": {1: 60, 2: 50, 4: 40, 10: 30, 20: 21}, "quick": points}
    assert report.fewer_trials(curves, {"slow", "quick"}, 1, 1) == "not reached: 3 to 4 (quick)"
    assert report.fewer_trials(curves, {"slow", "quick"}, 2, 1) == "open: 5 to 10 (quick)"
    assert report.fewer_trials(curves, {"slow", "quick"}, 4, 1) == "reached: more than 20 (quick)"


def test_where_much_is_seed_and_where_that_may_be():
    shares = {"a": [(0.5, 0.4, 0.6), (0.3, 0.2, 0.4)], "b": [(0.1, 0.0, 0.2), (0.1, 0.0, 0.2)], "c": [(0.4, 0.3, 0.5), None]}
    text = report.noise_section({"a": {}}, shares)
    assert "In validation AP the whole interval lies above a third on 1 of 3 (a); it merely reaches there on 1 (c)." in text
    assert "In test AP the whole interval lies above a third on 0 of 2 (none); it merely reaches there on 1 (a)." in text
    assert "trained once" in report.noise_section({}, {})


def test_where_the_weights_as_they_come_are_better(tmp_path):
    tables = tables_of(tmp_path / "table", {
        "lucky": [({"x": 1}, 1, 0.9, 0.3), ({"x": 2}, 1, 0.2, 0.6)],
        "worse": [({"x": 1}, 1, 0.9, 0.3), ({"x": 2}, 1, 0.2, 0.4)]})
    noise = {"lucky": {"1": {1: (0.9, 0.3, 1), 2: (0.9, 0.4, 1)}, "2": {1: (0.2, 0.6, 1), 2: (0.2, 0.2, 1)}}}
    text = report.untuned_section(tables, noise, {"lucky": 0.5, "worse": 0.5})
    assert "as they come on: worse (best 0.400, before 0.500)." in text
    assert "below these weights on: lucky (0.300, before 0.500), worse (0.300, before 0.500)." in text
    assert "Of the configurations with several seeds (2 a task) the best mean test AP is below them on: lucky (0.400, before 0.500)." in text
    assert "several seeds" not in report.untuned_section(tables, {}, {"lucky": 0.5, "worse": 0.5})


@pytest.mark.parametrize("warm_starts", [1, 2])
def test_report_of_a_made_up_table(tmp_path, monkeypatch, warm_starts):
    random = numpy.random.default_rng(1)
    rows = {task: [({"x": x}, 1, *random.uniform(0.2, 0.9, 2), 9) for x in range(report.FEWEST)] for task in ("faces", "masks", report.SHARES_IMAGES)}
    tables_of(tmp_path / "tables/hpo", rows)
    tables_of(tmp_path / "tables/hpo-offline", {"source": rows["faces"]})
    tables_of(tmp_path / "tables/hpo-noise", {"faces": [({"x": x}, seed, *random.uniform(0.2, 0.9, 2), 9) for x in range(6) for seed in (1, 2, 3)]})
    (tmp_path / "tables/untuned.json").write_text(json.dumps({"hpo": {"faces": 0.95}}))
    (tmp_path / "tuner").write_text("")
    monkeypatch.setattr(report, "TABLES", tmp_path / "tables")
    monkeypatch.setattr(report, "DOCS", tmp_path)
    monkeypatch.setattr(report, "CACHE", tmp_path / "cache")

    executed = []

    def execute(bench, command):
        words = [str(word) for word in command]
        policies = words[words.index("--policies") + 1:] if "--policies" in words else ["nni_tpe"]
        executed.extend((*words[:words.index("--policies")], policy) for policy in policies if "--policies" in words)
        of = lambda: {policy: result_of({task: random.uniform(1, 60, bench.seeds).tolist() for task in rows}) for policy in policies}  # noqa: E731
        reports = [{"budget": int(budget), "policies": of()} for budget in words[words.index("--budget") + 1].split(",")]
        if policies == ["nni_tpe"] and reports[0]["budget"] == 10:
            reports[0]["policies"] = {}  # it found no more in the table
        return reports if len(reports) > 1 else reports[0]

    monkeypatch.setattr(report.Bench, "execute", execute)
    report.write("hpo", 4, [1, 2, 4], str(tmp_path / "tuner"), True, warm_starts, 5)
    assert len(executed) == len(set(executed)) > 0
    executed.clear()
    report.write("hpo", 4, [1, 2, 4], str(tmp_path / "tuner"), True, warm_starts, 5)
    assert not executed  # what was replayed is kept
    text = (tmp_path / "benchmark.md").read_text()
    headings = [line for line in text.splitlines() if line.startswith("##")]
    assert headings == ["## hpo: 60 trials, 0.1 core hours", "### Policies, 4 seeds", "### What was aimed at", "### What is known of a data set",
                        "### Variants of HyperFD", "### Orders of the tasks", "### Leave one domain out"]
    assert ("warm-ups of a ranker" in text) == (warm_starts > 1)
    assert "The least that it can be is 0.2" in text
    assert "the smallest rank possible is 5.0 %" in text
    assert "| tuner | 1 trial | 2 trials | 4 trials | 10 trials | until |" in text
    assert [line.split(" | ")[4] for line in text.splitlines() if line.startswith("| nni_tpe | ") and "/" in line] == ["–"]
    header = None
    for line in text.splitlines():  # every row has its table's cells
        if line.startswith("|"):
            header = header or line
            assert line.count("|") == header.count("|"), line
        else:
            header = None
    assert text.count("| p data sets | p ΔAP data sets |") == 3 + 1 + len(report.ABLATIONS) + 1 + 3
    for picture in ("ap", "validation", "correlation", "budgets", "orders"):
        assert (tmp_path / f"benchmark_hpo_{picture}.png").exists()
