"""Compares HyperFD with NNI's TPE and Random on ordinary tuning problems (nni_problems.py): see bench_nni.sh and docs/non_face.md.

    python scripts/bench_nni.py nni --seeds 10       # experiments of the real nnictl, one trial at a time
    python scripts/bench_nni.py direct --seeds 10    # the same tuner objects, called as NNI's dispatcher calls them: a quick look
    python scripts/bench_nni.py report               # tables of the experiments, and the picture docs/non_face.png

Every run is a line of docs/non_face.jsonl; runs that are there are not repeated, so a command that was stopped goes on, and commands for
different --problems or --tuners may run side by side. "HyperFD, second run" tunes after an experiment of as many trials on the problem's
other data set, "HyperFD, data grown" after one on half of the rows, with
the experience of that in the same store."""

import argparse
import contextlib
import json
import os
import signal
import socketserver
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "adapters" / "nni"), str(ROOT / "tests" / "adapter")]
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HYPERFD_BIN_DIR", str(ROOT / "build" / "release" / "bin"))

from nni_problems import PROBLEMS, Evaluations

RESULTS = ROOT / "docs" / "non_face.jsonl"
PICTURE = ROOT / "docs" / "non_face.png"
EVALUATIONS = ROOT / ".cache" / "bench_nni" / "evaluations.sqlite"
HYPERFD, SECOND, GROWN, TPE, RANDOM = TUNERS = "HyperFD", "HyperFD, second run", "HyperFD, data grown", "TPE", "Random"
BEFORE = {SECOND: "HyperFD, other data", GROWN: "HyperFD, half the data"}  # the first runs
TRIALS = 50


class Results:
    """The file of runs."""

    def __init__(self, file):
        self._file = file
        self.rows = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def has(self, **wanted):
        return any(all(row[key] == value for key, value in wanted.items()) for row in self.rows)

    def add(self, **row):
        self.rows.append(row)
        with self._file.open("ab", buffering=0) as file:  # one write: others may append at the same time
            file.write(json.dumps(row).encode() + b"\n")
        print(f"{row['problem']}, {row['tuner']}, seed {row['seed']}, {row['through']}: {best_so_far(row)[-1]:.4f}", flush=True)


def best_so_far(row):
    best = min if PROBLEMS[row["problem"]].minimize else max
    values = row["values"]
    return [best(values[: i + 1]) for i in range(len(values))]


def class_args(tuner, problem, seed, store):
    mode = "minimize" if problem.minimize else "maximize"
    if tuner == RANDOM:
        return {"seed": seed}
    if tuner == TPE:
        return {"seed": seed, "optimize_mode": mode}
    return {"seed": seed, "optimize_mode": mode, "budget": TRIALS, "store": str(store)}


def data_before(tuner, problem):
    return problem.other if tuner == SECOND else f"{problem.data}/half"


def row(name, tuner, data, seed, through, configurations, values, start):
    pick = min if PROBLEMS[name].minimize else max
    return {"problem": name, "tuner": tuner, "data": data, "seed": seed, "through": through, "values": values,
            "best": configurations[values.index(pick(values))], "seconds": round(time.perf_counter() - start, 1)}


# The tuner objects alone.


def make_tuner(tuner, arguments, folder):
    if tuner == RANDOM:
        from nni.algorithms.hpo.random_tuner import RandomTuner
        return RandomTuner(**arguments)
    if tuner == TPE:
        from nni.algorithms.hpo.tpe_tuner import TpeTuner
        return TpeTuner(**arguments)
    from hyperfd_nni.tuner import HyperFDTuner
    # The tuner's random numbers depend on the experiment's name: that of its folder.
    checkpoint = folder / f"run{sum(1 for _ in folder.glob('run*'))}" / "checkpoint"
    checkpoint.mkdir(parents=True)
    os.environ["NNI_CHECKPOINT_DIRECTORY"] = str(checkpoint)
    return HyperFDTuner(**arguments)


def run_direct(evaluations, name, tuner, data, seed, folder):
    problem = PROBLEMS[name]
    start = time.perf_counter()
    driven = make_tuner(tuner, class_args(tuner, problem, seed, folder / "store.sqlite"), folder)
    driven.update_search_space(problem.space)
    configurations, values = [], []
    for i in range(TRIALS):
        [parameters] = driven.generate_multiple_parameters([i], st_callback=None)
        parameters = json.loads(json.dumps(parameters, default=lambda number: number.item()))
        value = evaluations.value(name, data, parameters)
        driven.receive_trial_result(i, parameters, value, trial_job_id=f"job{i}", customized=False)
        driven.trial_end(i, True)
        configurations.append(parameters)
        values.append(value)
    driven._on_exit()
    return row(name, tuner, data, seed, "tuner object", configurations, values, start)


def run_all(options, results, through, run):
    """run(tuner, problem name, data, seed, folder) for every run that is not in the results; each tuner has a folder of its own, and
    where it is to have experience, what comes before it runs in the same one."""
    for seed in range(options.first, options.first + options.seeds):
        for name in options.problems:
            problem = PROBLEMS[name]
            for tuner in options.tuners:
                if results.has(problem=name, tuner=tuner, seed=seed, through=through):
                    continue
                with tempfile.TemporaryDirectory(prefix="bench-nni-") as folder:
                    if tuner in BEFORE:
                        before = run(BEFORE[tuner], name, data_before(tuner, problem), seed, Path(folder))
                        if not results.has(problem=name, tuner=BEFORE[tuner], seed=seed, through=through):
                            results.add(**before)
                    results.add(**run(tuner, name, problem.data, seed, Path(folder)))


def direct(options, results):
    evaluations = Evaluations(EVALUATIONS)
    run_all(options, results, "tuner object", lambda tuner, name, data, seed, folder: run_direct(evaluations, name, tuner, data, seed, folder))


# Real experiments.


@contextlib.contextmanager
def evaluator(folder, name, data):
    """Answers the trials: a configuration comes as a line of JSON, its value goes back."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            value = Evaluations(EVALUATIONS).value(name, data, json.loads(self.rfile.readline()))
            self.wfile.write(json.dumps(value).encode() + b"\n")

    file = str(folder / "evaluator")
    with socketserver.UnixStreamServer(file, Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield file
        server.shutdown()
    os.unlink(file)


def run_experiment(home, name, tuner, data, seed):
    from nnictl import Experiment
    problem = PROBLEMS[name]
    start = time.perf_counter()
    kind = tuner if tuner in (TPE, RANDOM) else "HyperFD"
    section = {"name": kind, "classArgs": class_args(tuner, problem, seed, home.folder / "store.sqlite")}
    trial = (ROOT / "scripts" / "bench_nni_trial.py").read_text()
    with evaluator(home.folder, name, data) as socket:
        home.environment["BENCH_NNI_EVALUATOR"] = socket
        with Experiment(home, problem.space, trial, section, max_trials=TRIALS, concurrency=1) as experiment:
            experiment.wait_done(3600)
            jobs = sorted(experiment.trials(), key=lambda job: job["sequenceId"])
            finals = experiment.finals()
    configurations = [json.loads(job["hyperParameters"][0])["parameters"] for job in jobs]
    values = [float(json.loads(finals[job["trialJobId"]])) for job in jobs]
    return row(name, tuner, data, seed, "nnictl", configurations, values, start)


def nnictl(options, results):
    from nnictl import NniHome

    homes = {}

    def run(tuner, name, data, seed, folder):
        if folder not in homes:
            homes[folder] = NniHome(folder, Path(os.environ["HYPERFD_BIN_DIR"]))
        return run_experiment(homes[folder], name, tuner, data, seed)

    run_all(options, results, "nnictl", run)


# What came out.


def curves(results, name):
    """{tuner: {seed: best value after each trial}} of the experiments of the real nnictl."""
    of_tuner = {tuner: {} for tuner in TUNERS}
    for item in results.rows:
        if item["problem"] == name and item["tuner"] in TUNERS and item["through"] == "nnictl":
            of_tuner[item["tuner"]][item["seed"]] = best_so_far(item)
    return {tuner: of_seed for tuner, of_seed in of_tuner.items() if len(of_seed) > 1}


def report(options, results):
    del options
    for name, problem in PROBLEMS.items():
        print(f"\n{problem.title}, {problem.data}: best {problem.measure} ({'less' if problem.minimize else 'more'} is better) after 10, 20, 50 "
              "trials, mean ± standard deviation; seeds on which it is better and worse than TPE after 50\n")
        print("| | seeds | 10 trials | 20 | 50 | better : worse than TPE |\n|---|---|---|---|---|---|")
        runs_of = curves(results, name)
        for tuner, runs in runs_of.items():
            cells = []
            for trials in (10, 20, 50):
                values = [run[trials - 1] for run in runs.values()]
                cells.append(f"{statistics.mean(values):.4f} ± {statistics.stdev(values):.4f}")
            rival = runs_of.get(TPE, {})
            gains = [(run[-1] - rival[seed][-1]) * (-1 if problem.minimize else 1) for seed, run in runs.items() if seed in rival]
            against = "" if tuner == TPE else f"{sum(gain > 0 for gain in gains)} : {sum(gain < 0 for gain in gains)}"
            print(f"| {tuner} | {len(runs)} | {' | '.join(cells)} | {against} |")
    draw(results)


def draw(results):
    import matplotlib
    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    import numpy as np
    colours = {HYPERFD: "tab:blue", SECOND: "tab:green", GROWN: "tab:purple", TPE: "tab:orange", RANDOM: "tab:gray"}
    figure, axes = plt.subplots(1, len(PROBLEMS), figsize=(14, 4.2))
    for axis, (name, problem) in zip(axes, PROBLEMS.items()):
        late = []
        for tuner, runs in curves(results, name).items():
            runs = np.array(list(runs.values()))
            x = np.arange(1, runs.shape[1] + 1)
            axis.plot(x, runs.mean(0), color=colours[tuner], label=tuner)
            axis.fill_between(x, *np.quantile(runs, (0.25, 0.75), axis=0), color=colours[tuner], alpha=0.15, linewidth=0)
            late += [runs[:, 4:].mean(0)]
        low, high = np.min(late), np.max(late)
        axis.set_ylim(low - 0.1 * (high - low), high + 0.1 * (high - low))
        axis.set_title(f"{problem.title}, {problem.data}", fontsize=10)
        axis.set_xlabel("trials")
        axis.set_ylabel(f"best {problem.measure}")
        axis.grid(alpha=0.3)
    lines = {line.get_label(): line for axis in axes for line in axis.get_lines()}
    figure.legend(lines.values(), lines.keys(), loc="lower center", ncols=len(lines), fontsize=9)
    figure.tight_layout(rect=(0, 0.06, 1, 1))
    figure.savefig(PICTURE, dpi=90)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that NNI is stopped on the way out
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["nni", "direct", "report"])
    parser.add_argument("--problems", nargs="*", default=list(PROBLEMS), choices=list(PROBLEMS))
    parser.add_argument("--tuners", nargs="*", default=[tuner for tuner in TUNERS if tuner != GROWN], choices=list(TUNERS))
    parser.add_argument("--first", type=int, default=1, help="first seed")
    parser.add_argument("--seeds", type=int, default=10)
    options = parser.parse_args()
    {"nni": nnictl, "direct": direct, "report": report}[options.what](options, Results(RESULTS))


if __name__ == "__main__":
    main()
