"""Compares what tuners find; see bench_search.sh.

Tuners are asked directly, one trial after the other. A number is the mean over seeds of the best true value so far, as a share of the way
from what random search finds in 50 trials (0) to the optimum (1)."""

import argparse
import itertools
import json
import logging
import math
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import yaml

SOURCE = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(SOURCE / "tests" / "adapter"))
from minimal_client import MinimalClient

TRIALS, CHECKPOINTS = 50, [10, 20, 50]


def unit(count):
    return {f"x{i}": {"_type": "uniform", "_value": [0, 1]} for i in range(count)}


def numbers(parameters):
    return [parameters[key] for key in sorted(parameters) if key.startswith("x")]


def branin(x):
    a, b = 15 * x[0] - 5, 15 * x[1]
    return -((b - 5.1 / (4 * math.pi**2) * a * a + 5 / math.pi * a - 6) ** 2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(a) + 10)


HARTMANN_A = np.array([[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]])
HARTMANN_P = 1e-4 * np.array([[1312, 1696, 5569, 124, 8283, 5886], [2329, 4135, 8307, 3736, 1004, 9991],
                              [2348, 1451, 3522, 2883, 3047, 6650], [4047, 8828, 8732, 5743, 1091, 381]])


def hartmann6(x):
    return float(np.sum(np.array([1, 1.2, 3, 3.2]) * np.exp(-np.sum(HARTMANN_A * (np.array(x) - HARTMANN_P) ** 2, 1))))


def rosenbrock4(x):
    z = [4 * v - 2 for v in x]
    return -math.log1p(sum(100 * (z[i + 1] - z[i] ** 2) ** 2 + (1 - z[i]) ** 2 for i in range(3)))


def ackley5(x):
    z = np.array([6 * v - 2.2 for v in x])
    return float(20 * math.exp(-0.2 * math.sqrt(np.mean(z * z))) + math.exp(np.mean(np.cos(2 * math.pi * z))) - 20 - math.e)


class Function:
    """A function on the unit cube, without noise."""

    def __init__(self, function, dimensions, optimum):
        self.space, self.function, self.optimum = unit(dimensions), function, optimum

    def start(self, seed):
        return lambda parameters: (lambda value: (value, value))(self.function(numbers(parameters)))


class Surface:
    """Random effects of choices and pairs of choices on hpo.yaml's space, standardised, and results with noise of 0.2."""

    def __init__(self):
        self.space = yaml.safe_load((SOURCE / "search_spaces" / "hpo.yaml").read_text())
        self.keys = list(self.space)
        self.optimum = None  # differs from seed to seed

    def start(self, seed):
        rng = np.random.default_rng(seed)
        points = list(itertools.product(*(self.space[key]["_value"] for key in self.keys)))
        weights = rng.permutation([1 / k for k in range(1, len(self.keys) + 1)])
        single = [{v: weights[d] * rng.normal() for v in self.space[k]["_value"]} for d, k in enumerate(self.keys)]
        double = {(d, e): {pair: math.sqrt(weights[d] * weights[e]) * rng.normal()
                           for pair in itertools.product(self.space[self.keys[d]]["_value"], self.space[self.keys[e]]["_value"])}
                  for d in range(len(self.keys)) for e in range(d)}

        def standard(values):
            return (values - values.mean()) / values.std()

        additive = standard(np.array([sum(single[d][v] for d, v in enumerate(p)) for p in points]))
        joint = standard(np.array([sum(effects[p[d], p[e]] for (d, e), effects in double.items()) for p in points]))
        values = standard(math.sqrt(2 / 3) * additive + math.sqrt(1 / 3) * joint)
        table = dict(zip(points, values / values.max()))  # the optimum is 1
        noise = random.Random(seed)

        def evaluate(parameters):
            true = table[tuple(parameters[key] for key in self.keys)]
            return true, true + 0.2 / values.max() * noise.gauss(0, 1)

        return evaluate


PROBLEMS = {"branin": Function(branin, 2, -0.397887), "hartmann6": Function(hartmann6, 6, 3.32237),
            "rosenbrock4": Function(rosenbrock4, 4, 0), "ackley5": Function(ackley5, 5, 0), "hpo surfaces": Surface()}


class Nni:
    def __init__(self, kind):
        from nni.algorithms.hpo.random_tuner import RandomTuner
        from nni.algorithms.hpo.tpe_tuner import TpeTuner

        self.make = {"tpe": lambda seed: TpeTuner(optimize_mode="maximize", seed=seed), "random": lambda seed: RandomTuner(seed=seed)}[kind]

    def start(self, problem, space, seed):
        tuner = self.make(seed)
        tuner.update_search_space(space)
        return tuner.generate_parameters, tuner.receive_trial_result

    def stop(self):
        pass


class HyperFd:
    def __init__(self, policy="hyperfd"):
        self.policy = policy
        self.folder = tempfile.TemporaryDirectory(prefix="hfd-", dir="/tmp")
        self.endpoint = f"ipc://{self.folder.name}/tuner"
        program = SOURCE / "build" / "release" / "bin" / "hyperfd-tuner"
        self.server = subprocess.Popen([program, "serve", "--store", f"{self.folder.name}/store.sqlite", "--endpoint", self.endpoint],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start(self, problem, space, seed):
        name = f"{problem} {seed}"
        # A parameter with a single value makes this a space of its own, which no past task has seen.
        space = {**space, "task": {"_type": "choice", "_value": [name]}}
        client = MinimalClient(self.endpoint, name, "run")
        client.begin(space, budget=0, policy=self.policy, seed=seed)

        def ask(number):
            parameters = client.generate(number)[number]
            parameters.pop("task")
            return parameters

        return ask, lambda number, parameters, value: client.final(number, value)

    def stop(self):
        self.server.terminate()
        self.server.wait()
        self.folder.cleanup()


def run(tuner, problem_name, seed):
    problem = PROBLEMS[problem_name]
    evaluate = problem.start(seed)
    ask, tell = tuner.start(problem_name, problem.space, seed)
    best, found = -math.inf, []
    for number in range(TRIALS):
        parameters = ask(number)
        true, reported = evaluate(parameters)
        tell(number, parameters, reported)
        best = max(best, true)
        found.append(best)
    return [found[k - 1] for k in CHECKPOINTS]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--policies", nargs="*", default=["hyperfd"], help="our policies to compare, e.g. hyperfd:explore=random_half")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    tuners = {"random": Nni("random"), "nni-tpe": Nni("tpe"), **{policy: HyperFd(policy) for policy in options.policies}}
    try:
        print(f"{'problem':14}{'tuner':32}" + "".join(f"{f'{k} trials':>12}" for k in CHECKPOINTS) + f"{'s':>8}")
        for problem_name, problem in PROBLEMS.items():
            floor = None
            for tuner_name, tuner in tuners.items():
                start = time.perf_counter()
                means = np.mean([run(tuner, problem_name, seed) for seed in range(options.seeds)], axis=0)
                floor = means[-1] if floor is None else floor  # random search comes first
                optimum = 1 if problem.optimum is None else problem.optimum
                shares = (means - floor) / (optimum - floor)
                print(f"{problem_name:14}{tuner_name:32}" + "".join(f"{share:12.3f}" for share in shares) + f"{time.perf_counter() - start:8.1f}", flush=True)
    finally:
        for tuner in tuners.values():
            tuner.stop()


main()
