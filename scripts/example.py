"""Runs one NNI experiment with the HyperFD tuner and the RetinaFace trial, follows it, and shows what came out.

Called by example.sh, which does the set-up.
"""

import argparse
import fcntl
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
BINARIES = ROOT / "build/release/bin"
FINISHED = {"SUCCEEDED", "FAILED", "USER_CANCELED", "SYS_CANCELED", "EARLY_STOPPED"}


def parse_arguments():
    parser = argparse.ArgumentParser(prog="example.sh", description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="data set folder (default: a sample is composed)")
    parser.add_argument("--trials", type=int, default=4, help="number of trials (default: %(default)s)")
    parser.add_argument("--concurrency", type=int, default=min(2, os.cpu_count() or 1),
                        help="trials at the same time, one thread each (default: %(default)s)")
    parser.add_argument("--recipe", default="mini", help="training recipe (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=ROOT / "runs/example", metavar="DIR", help="results (default: runs/example)")
    arguments = parser.parse_args()
    for name in ("trials", "concurrency"):
        if getattr(arguments, name) < 1:
            parser.error(f"--{name}: expected a number of at least 1, got {getattr(arguments, name)}")
    return arguments


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def experiment_config(arguments):
    trial = [str(BINARIES / "hyperfd-trial"), "train", "--data", str(arguments.data.resolve()), "--recipe", arguments.recipe,
             "--threads", "1"]
    return {
        "experimentName": f"HyperFD on {arguments.data.name}",
        "experimentWorkingDirectory": str(arguments.out / "nni"),
        "searchSpaceFile": str(ROOT / "search_spaces/hpo.yaml"),
        "trialCommand": "exec " + shlex.join(trial),
        "trialCodeDirectory": str(arguments.out),
        "trialConcurrency": arguments.concurrency,
        "maxTrialNumber": arguments.trials,
        "tuner": {
            "name": "HyperFD",
            "classArgs": {"optimize_mode": "maximize", "store": str(arguments.out / "experience.sqlite"),
                          "dataset": str(arguments.data.resolve())},
        },
        "trainingService": {"platform": "local"},
    }


class Experiment:
    """A running NNI experiment, seen through nnictl and the manager's REST interface."""

    def __init__(self, config_file):
        self.port = free_port()
        output = self._nnictl("create", "--config", str(config_file), "--port", str(self.port))
        match = re.search(r"Experiment ID: (\S+)", output)
        if not match:
            raise SystemExit(f"example.sh: nnictl create failed:\n{output}")
        self.id = match.group(1)

    @staticmethod
    def _nnictl(*words):
        done = subprocess.run([sys.executable, "-m", "nni.tools.nnictl.nnictl", *words], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        return re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)

    def get(self, path):
        url = f"http://127.0.0.1:{self.port}/api/v1/nni/{path}"
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=20) as reply:
            return json.load(reply)

    def stop(self):
        self._nnictl("stop", self.id)


def number(text):
    """The metric in NNI's doubly encoded `data`: a number, or an object with a number under `default`."""
    value = json.loads(json.loads(text))
    return value["default"] if isinstance(value, dict) else value


def read_trials(experiment):
    metrics = {}
    for metric in experiment.get("metric-data"):
        metrics.setdefault(metric["trialJobId"], []).append(metric)
    trials = []
    for job in sorted(experiment.get("trial-jobs"), key=lambda job: job.get("sequenceId", 0)):
        own = metrics.get(job["trialJobId"], [])
        validations = sorted((m for m in own if m["type"] == "PERIODICAL"), key=lambda m: m["sequence"])
        final = [number(m["data"]) for m in own if m["type"] == "FINAL"]
        end = job.get("endTime") or time.time() * 1000
        trials.append({
            "id": job["trialJobId"],
            "number": job.get("sequenceId", 0),
            "status": job["status"],
            "start": job["startTime"] / 1000 if job.get("startTime") else None,
            "seconds": (end - job["startTime"]) / 1000 if job.get("startTime") else 0.0,
            "parameters": json.loads(job["hyperParameters"][0])["parameters"] if job.get("hyperParameters") else {},
            "validations": [number(m["data"]) for m in validations],
            "final": final[0] if final else None,
        })
    return trials


def progress_line(trial):
    curve = " ".join(f"{value:.3f}" for value in trial["validations"][-8:])
    line = f"trial {trial['number']}  {trial['status'].lower():<13} {trial['seconds']:4.0f} s"
    if curve:
        line += f"  validation AP@50: {curve}"
    if trial["final"] is not None:
        line += f"  → test {trial['final']:.3f}"
    return line


class Progress:
    """Redraws one line a trial on a terminal; elsewhere prints a line whenever a trial's news changes."""

    def __init__(self):
        self.terminal = sys.stdout.isatty()
        self.drawn = 0
        self.said = {}

    def show(self, trials):
        if self.terminal:
            if self.drawn:
                sys.stdout.write(f"\x1b[{self.drawn}F")
            width = shutil.get_terminal_size().columns
            for trial in trials:
                sys.stdout.write("\x1b[2K" + progress_line(trial)[:width] + "\n")
            self.drawn = len(trials)
        else:
            for trial in trials:
                news = (trial["status"], len(trial["validations"]), trial["final"])
                if self.said.get(trial["id"]) != news:
                    self.said[trial["id"]] = news
                    print(progress_line(trial))
        sys.stdout.flush()


def follow(experiment, wanted):
    progress = Progress()
    unreachable_since = None
    while True:
        try:
            status = experiment.get("check-status")
            trials = read_trials(experiment)
            unreachable_since = None
        except (urllib.error.URLError, OSError, ValueError) as error:
            unreachable_since = unreachable_since or time.monotonic()
            if time.monotonic() - unreachable_since > 30:
                raise SystemExit(f"example.sh: NNI's manager does not answer any more: {error}")
            time.sleep(1)
            continue
        progress.show(trials)
        if status["status"] == "ERROR":
            raise SystemExit(f"example.sh: the experiment failed: {'; '.join(status.get('errors', []))}")
        if status["status"] in ("DONE", "STOPPED"):
            ended = sum(trial["status"] in FINISHED for trial in trials)
            if ended >= min(wanted, len(trials)):
                return trials
        time.sleep(1)


def print_table(trials):
    keys = list(trials[0]["parameters"])
    rows = [["trial", *keys, "AP@50", "seconds"]]
    ranked = sorted(trials, key=lambda trial: -1 if trial["final"] is None else trial["final"], reverse=True)
    for trial in ranked:
        result = trial["status"].lower() if trial["final"] is None else f"{trial['final']:.3f}"
        rows.append([str(trial["number"]), *(str(trial["parameters"].get(key, "")) for key in keys), result,
                     f"{trial['seconds']:.0f}"])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    print()
    for index, row in enumerate(rows):
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths)))
        if index == 0:
            print("  ".join("-" * width for width in widths))
    return ranked[0]


def stop_tuner(store):
    """Ends the embedded tuner now; left alone it would do so by itself after a minute without messages."""
    try:
        with open(f"{store}.lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)  # free: the process that left the file has ended
    except BlockingIOError:
        os.kill(int(Path(f"{store}.lock").read_text()), signal.SIGTERM)
    except OSError:
        pass


def main():
    arguments = parse_arguments()
    arguments.out = arguments.out.resolve()
    arguments.out.mkdir(parents=True, exist_ok=True)
    config = experiment_config(arguments)
    config_file = arguments.out / "experiment.yaml"
    config_file.write_text(yaml.safe_dump(config, sort_keys=False))

    started, created = time.monotonic(), time.time()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    experiment = Experiment(config_file)
    print(f"NNI experiment {experiment.id}: http://127.0.0.1:{experiment.port}  ({arguments.trials} trials, "
          f"{arguments.concurrency} at a time)", flush=True)
    try:
        trials = follow(experiment, arguments.trials)
    finally:
        experiment.stop()
        stop_tuner(config["tuner"]["classArgs"]["store"])

    if not any(trial["final"] is not None for trial in trials):
        raise SystemExit(f"example.sh: no trial has a result; their logs are in {arguments.out}/nni/{experiment.id}/environments")
    best = print_table(trials)
    output = arguments.out / "nni" / experiment.id / "environments/local-env/trials" / best["id"]
    picture = arguments.out / "detections.png"
    picture.unlink(missing_ok=True)
    if (output / "detections.png").exists():
        shutil.copyfile(output / "detections.png", picture)
    none = "none: the trial ended before it could make them"
    print(f"""
best configuration: {json.dumps(best['parameters'])}
its AP@50 on test images: {best['final']:.3f}
its weights: {output / 'best.pt' if (output / 'best.pt').exists() else none}
its detections on test images: {picture if picture.exists() else none}
first suggestion after {min(trial['start'] for trial in trials if trial['start']) - created:.0f} s, all took {time.monotonic() - started:.0f} s
experience for the next run: {config['tuner']['classArgs']['store']}""")


if __name__ == "__main__":
    main()
