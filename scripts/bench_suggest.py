"""Times suggestions after many trials; see bench_suggest.sh.

One search space of six parameters. Every tuner is given the same random past trials, then is asked for configurations one by one, each
answered with a result. A time is the median over the asks. Ours is measured at the client's end of the socket."""

import argparse
import json
import math
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1]
SPACE = {
    "learning_rate": {"_type": "loguniform", "_value": [1e-5, 1e-1]},
    "momentum": {"_type": "uniform", "_value": [0.5, 0.99]},
    "weight_decay": {"_type": "loguniform", "_value": [1e-6, 1e-2]},
    "dropout": {"_type": "uniform", "_value": [0, 0.7]},
    "layers": {"_type": "randint", "_value": [1, 9]},
    "optimizer": {"_type": "choice", "_value": ["adam", "sgd", "rmsprop"]},
}
PAST = [100, 1000, 10000]


def draw(rng):
    return {"learning_rate": 10 ** rng.uniform(-5, -1), "momentum": rng.uniform(0.5, 0.99), "weight_decay": 10 ** rng.uniform(-6, -2),
            "dropout": rng.uniform(0, 0.7), "layers": rng.randrange(1, 9), "optimizer": rng.choice(["adam", "sgd", "rmsprop"])}


def score(parameters, rng):
    return -((math.log10(parameters["learning_rate"]) + 3) ** 2) - parameters["dropout"] + rng.gauss(0, 0.1)


def past_trials(count):
    rng = random.Random(1)
    return [(parameters, score(parameters, rng)) for parameters in (draw(rng) for _ in range(count))]


def time_asks(ask, tell, asks):
    rng, seconds = random.Random(2), []
    for _ in range(asks + 1):
        start = time.perf_counter()
        parameters = ask()
        seconds.append(time.perf_counter() - start)
        tell(parameters, score(parameters, rng))
    return statistics.median(seconds[1:])  # the first one may load something


def time_ours(count, asks):
    sys.path.insert(0, str(SOURCE / "tests" / "adapter"))
    from minimal_client import MinimalClient

    with tempfile.TemporaryDirectory(prefix="hfd-", dir="/tmp") as folder:
        endpoint = f"ipc://{folder}/tuner"
        program = SOURCE / "build" / "release" / "bin" / "hyperfd-tuner"
        with open(f"{folder}/log", "w") as log:
            server = subprocess.Popen([program, "serve", "--store", f"{folder}/store.sqlite", "--endpoint", endpoint], stdout=log, stderr=log)
        try:
            client = MinimalClient(endpoint, "bench", "run")
            client.begin(SPACE, budget=1, policy="hyperfd")
            trials = past_trials(count)
            for begin in range(0, count, 1000):
                records = [{"parameters": json.dumps(p), "value": json.dumps(v)} for p, v in trials[begin:begin + 1000]]
                kind, body = client.ask("FD", records=records)
                assert kind == "OK", body
            ids = iter(range(1 << 30))
            asked = {}

            def ask():
                number = next(ids)
                parameters = client.generate(number)[number]
                asked[id(parameters)] = number
                return parameters

            return time_asks(ask, lambda parameters, value: client.final(asked[id(parameters)], value), asks)
        finally:
            server.terminate()
            server.wait()


def time_nni(count, asks):
    import logging

    logging.disable(logging.CRITICAL)
    from nni.algorithms.hpo.tpe_tuner import TpeTuner

    tuner = TpeTuner(optimize_mode="maximize", seed=1)
    tuner.update_search_space(SPACE)
    tuner.import_data([{"parameter": parameters, "value": value} for parameters, value in past_trials(count)])
    ids = iter(range(1 << 30))
    asked = {}

    def ask():
        number = next(ids)
        parameters = tuner.generate_parameters(number)
        asked[id(parameters)] = number
        return parameters

    return time_asks(ask, lambda parameters, value: tuner.receive_trial_result(asked[id(parameters)], parameters, value), asks)


def time_optuna(count, asks, sampler_name):
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    sampler = {"tpe": optuna.samplers.TPESampler, "gp": optuna.samplers.GPSampler}[sampler_name](seed=1)
    distributions = {
        "learning_rate": optuna.distributions.FloatDistribution(1e-5, 1e-1, log=True),
        "momentum": optuna.distributions.FloatDistribution(0.5, 0.99),
        "weight_decay": optuna.distributions.FloatDistribution(1e-6, 1e-2, log=True),
        "dropout": optuna.distributions.FloatDistribution(0, 0.7),
        "layers": optuna.distributions.IntDistribution(1, 8),
        "optimizer": optuna.distributions.CategoricalDistribution(["adam", "sgd", "rmsprop"]),
    }
    study = optuna.create_study(direction="maximize", sampler=sampler)
    study.add_trials([optuna.trial.create_trial(params=p, distributions=distributions, value=v) for p, v in past_trials(count)])
    trials = {}

    def ask():
        trial = study.ask(distributions)
        parameters = dict(trial.params)
        trials[id(parameters)] = trial
        return parameters

    return time_asks(ask, lambda parameters, value: study.tell(trials[id(parameters)], value), asks)


TUNERS = {"hyperfd": time_ours, "nni-tpe": time_nni, "optuna-tpe": lambda n, asks: time_optuna(n, asks, "tpe"),
          "optuna-gp": lambda n, asks: time_optuna(n, asks, "gp")}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--optuna", default="", help="a Python that has Optuna")
    parser.add_argument("--asks", type=int, default=10)
    parser.add_argument("--gp-limit", type=int, default=1000, help="past trials beyond which Optuna's GP is left out (it takes minutes)")
    parser.add_argument("--one", nargs=2, metavar=("TUNER", "PAST"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(TUNERS[options.one[0]](int(options.one[1]), options.asks))
        return
    print(f"{'milliseconds to a suggestion after':36}" + "".join(f"{count:>10,}" for count in PAST) + " trials")
    times = {}
    for name in TUNERS:
        python = options.optuna if name.startswith("optuna") else sys.executable
        row = []
        for count in PAST:
            too_slow = name == "optuna-gp" and count > options.gp_limit
            command = [python, __file__, "--asks", str(options.asks), "--one", name, str(count)]
            run = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}) if python and not too_slow else None
            row.append(1000 * float(run.stdout) if run and run.returncode == 0 else None)
            if run and run.returncode:
                print(f"{name}: {run.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        times[name] = row
        print(f"{name:36}" + "".join(f"{'–' if t is None else f'{t:.2f}':>10}" for t in row), flush=True)
    ours, theirs = times["hyperfd"], times["nni-tpe"]
    if ours[-1] and theirs[-1]:
        print(f"NNI's TPE takes {theirs[-1] / ours[-1]:.0f} times as long as ours at {PAST[-1]:,}; "
              f"ours takes {ours[-1] / ours[0]:.1f} times as long as at {PAST[0]}")


main()
