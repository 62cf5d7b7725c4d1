"""Replays a lookup table with the tuners of others: NNI's own, and Optuna's where it is installed.

The tasks, budgets and measures are those of `hyperfd-tuner bench replay --table`, and so is the JSON that it prints; a peer
knows nothing of other tasks. A peer suggests any point of the search space: one that the table lacks is taken back (a failed
trial, to NNI's tuners) and the peer is asked again; one that suggests nothing else for a thousand times has no result. A point
that a peer suggests twice costs a second trial.

    .venv/bin/python scripts/bench_peers.py --table runs/table --space search_spaces/hpo.yaml --budget 4 --seeds 20
"""

import argparse
import itertools
import json
import logging
import statistics
import sys
from math import comb
from pathlib import Path

import yaml

MOST_MISSES = 1000  # in a row


def canonical(configuration):
    return json.dumps(configuration, sort_keys=True)


def read_tables(tables, offline):
    """{task: {configuration: (validation, test)}} of the tasks that are not offline; means over seeds."""
    files = [file for table in tables for file in (sorted(table.glob("*.jsonl")) if table.is_dir() else [table])]
    results = {}
    for file in files:
        for number, line in enumerate(file.read_text().splitlines(), 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                of_task = results.setdefault(row["task"], {})
                of_task.setdefault(canonical(row["configuration"]), []).append((float(row["validation"]), float(row["test"])))
            except (ValueError, KeyError, TypeError) as error:
                sys.exit(f"bench_peers: {file}:{number}: {error!r}")
    return {
        task: {key: tuple(map(statistics.mean, zip(*seeds))) for key, seeds in rows.items()}
        for task, rows in results.items()
        if task not in offline
    }


def place(rows, validation):
    better = sum(v > validation for v, _ in rows.values())
    equal = sum(v == validation for v, _ in rows.values())
    return (better + (equal + 1) / 2) / len(rows)


def random_search_expectation(rows, budget):
    """Expected test AP of the best on validation among `budget` different rows; equal ones share their chance."""
    groups = {}
    for validation, test in rows.values():
        groups.setdefault(validation, []).append(test)
    n, seen, expectation = len(rows), 0, 0.0
    for validation in sorted(groups, reverse=True):
        tests = groups[validation]
        none_before = comb(n - seen, budget) / comb(n, budget)
        seen += len(tests)
        expectation += (none_before - comb(n - seen, budget) / comb(n, budget)) * statistics.mean(tests)
    return expectation


class Nni:
    def __init__(self, tuner, space):
        self.tuner = tuner
        tuner.update_search_space(space)

    def ask(self, trial):
        return self.tuner.generate_parameters(trial)

    def tell(self, trial, configuration, score):
        self.tuner.receive_trial_result(trial, configuration, score)
        self.tuner.trial_end(trial, True)

    def take_back(self, trial):
        self.tuner.trial_end(trial, False)


class Optuna:
    def __init__(self, space, seed):
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.space = space
        self.study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))

    def ask(self, _):
        self.trial = self.study.ask()
        return {
            name: dimension["_value"][self.trial.suggest_categorical(name, list(range(len(dimension["_value"]))))]
            for name, dimension in self.space.items()
        }

    def tell(self, _trial, _configuration, score):
        self.study.tell(self.trial, score)

    def take_back(self, _trial):
        import optuna

        self.study.tell(self.trial, state=optuna.trial.TrialState.FAIL)


def peers(space):
    """Constructors by name; each takes a seed."""
    from nni.algorithms.hpo.evolution_tuner import EvolutionTuner
    from nni.algorithms.hpo.random_tuner import RandomTuner
    from nni.algorithms.hpo.tpe_tuner import TpeTuner

    def evolution(seed):
        import random

        random.seed(seed)  # it draws from global generators
        import numpy

        numpy.random.seed(seed)
        peer = Nni(EvolutionTuner("maximize", population_size=4), space)
        peer.tuner.random_state = numpy.random.RandomState(seed)  # it made one without a seed, and its population from it
        peer.tuner.population = []
        for _ in range(peer.tuner.population_size):
            peer.tuner._random_generate_individual()
        return peer

    found = {
        "nni_random": lambda seed: Nni(RandomTuner(optimize_mode="maximize", seed=seed), space),
        "nni_tpe": lambda seed: Nni(TpeTuner("maximize", seed=seed), space),
        "nni_evolution": evolution,
    }
    try:
        from nni.algorithms.hpo.hyperopt_tuner import HyperoptTuner

        def anneal(seed):
            import numpy

            tuner = HyperoptTuner("anneal", optimize_mode="maximize")
            peer = Nni(tuner, space)
            tuner.rval.rstate = numpy.random.RandomState(seed)  # NNI asks it for randint()
            return peer

        found["nni_anneal"] = anneal
    except ImportError as error:
        print(f"bench_peers: without NNI's anneal: {error}", file=sys.stderr)
    try:
        import optuna  # noqa: F401

        found["optuna_tpe"] = lambda seed: Optuna(space, seed)
    except ImportError as error:
        print(f"bench_peers: without Optuna: {error}", file=sys.stderr)
    return found


class Stuck(Exception):
    """A peer suggests nothing more that is in the table."""


def tune(peer, rows, budget):
    best, done, missed = None, 0, 0
    for trial in itertools.count():
        configuration = peer.ask(trial)
        row = rows.get(canonical(configuration))
        if row is None:
            peer.take_back(trial)
            missed += 1
            if missed == MOST_MISSES:
                raise Stuck(f"after {done} trials the next {missed} suggestions are not in the table")
            continue
        peer.tell(trial, configuration, row[0])
        if best is None or row[0] > best[0]:
            best = row
        done, missed = done + 1, 0
        if done == budget:
            return best


def replay(make, tasks, expected, arguments):
    ranks, gains = [], []
    for seed in range(arguments.seeds):
        found = {task: tune(make(1000 * seed + number), rows, arguments.budget) for number, (task, rows) in enumerate(tasks.items())}
        ranks.append(100 * statistics.mean(place(tasks[task], validation) for task, (validation, _) in found.items()))
        gains.append(100 * sum(test - expected[task] for task, (_, test) in found.items()))
    return {
        "rank_mean": statistics.mean(ranks),
        "rank_std": statistics.stdev(ranks) if len(ranks) > 1 else 0.0,
        "delta_ap_mean": statistics.mean(gains),
        "delta_ap_std": statistics.stdev(gains) if len(gains) > 1 else 0.0,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--table", type=Path, nargs="+", required=True, metavar="PATH", help="as bench replay --table")
    parser.add_argument("--space", type=Path, required=True, metavar="FILE", help="NNI search space of flat choices")
    parser.add_argument("--offline", default="", metavar="TASK,…", help="tasks to leave out: the source")
    parser.add_argument("--budget", type=int, default=4, help="trials for each task (default: %(default)s)")
    parser.add_argument("--seeds", type=int, default=20, help="repetitions (default: %(default)s)")
    arguments = parser.parse_args()
    logging.disable(logging.INFO)

    tasks = read_tables(arguments.table, arguments.offline.split(","))
    space = yaml.safe_load(arguments.space.read_text())
    expected = {name: random_search_expectation(rows, arguments.budget) for name, rows in tasks.items()}
    report = {"space": str(arguments.space), "budget": arguments.budget, "seeds": arguments.seeds, "tasks": len(tasks), "policies": {}}
    for name, make in peers(space).items():
        try:
            report["policies"][name] = replay(make, tasks, expected, arguments)
        except Stuck as stuck:
            print(f"bench_peers: {name}: {stuck}; it has no result with {arguments.budget}", file=sys.stderr)
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
