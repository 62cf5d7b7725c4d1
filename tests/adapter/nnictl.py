"""Real NNI experiments for tests: own home, own registry, own port; stopped whatever happens."""

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import pytest
import yaml

SOURCE = Path(__file__).resolve().parents[2]
PROGRAMS = Path(os.environ.get("HYPERFD_BIN_DIR") or SOURCE / "build" / "release" / "bin")

# What NNI logs when its tuner process has connected.
TUNER_BEGINS = "Initial search space"
ADVISOR_BEGINS = "Dispatcher started"


class NniHome:
    """A world for experiments below one folder (NNI experiments, registry, experience store)."""

    def __init__(self, folder: Path, programs: Path = PROGRAMS):
        self.folder = folder
        self.data = folder / "data"
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("NNI_") and not key.lower().endswith("_proxy")},
            "HOME": str(folder),
            "XDG_DATA_HOME": str(self.data),
            "NNI_CONFIG_DIR": str(folder / "nni-config"),
            "HYPERFD_BIN_DIR": str(programs),
            "PYTHONPATH": str(SOURCE / "adapters" / "nni"),
            "PATH": f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "OMP_NUM_THREADS": "1",
        }
        (folder / "nni-config").mkdir()
        self.run(sys.executable, "-m", "hyperfd_nni.cli", "register")

    @property
    def store(self) -> Path:
        return self.data / "hyperfd" / "experience.sqlite"

    def run(self, *command: str) -> str:
        done = subprocess.run(command, env=self.environment, cwd=self.folder, capture_output=True, text=True, timeout=120)
        output = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)
        assert done.returncode == 0, f"{command}: {output}"
        return output

    def nnictl(self, *arguments: str) -> str:
        return self.run(str(Path(sys.executable).parent / "nnictl"), *arguments)

    def tuner_pids(self) -> list:
        """Servers of this home."""
        pids = []
        for process in Path("/proc").iterdir():
            if process.name.isdigit():
                try:
                    command = (process / "cmdline").read_bytes()
                except OSError:
                    continue
                if b"\0serve\0" in command and os.fsencode(str(self.data)) in command:
                    pids.append(int(process.name))
        return pids

    def kill_tuner(self) -> None:
        for pid in self.tuner_pids():
            os.kill(pid, signal.SIGKILL)


class Experiment:
    """One experiment, started by ``start``; a context manager that stops it."""

    def __init__(self, home: NniHome, space: dict, trial: str, tuner: dict, max_trials=None, concurrency: int = 2, begins: str = TUNER_BEGINS, **sections):
        """``sections``: of NNI's configuration, instead of what the other arguments say; None leaves one out."""
        self._begins = begins
        self.home = home
        self.port = 0
        self.id = ""
        self._runs = False
        self.code = Path(tempfile.mkdtemp(prefix="code-", dir=home.folder))
        (self.code / "trial.py").write_text(trial)
        config = {
            "searchSpace": space,
            "trialCommand": f"{sys.executable} trial.py",
            "trialCodeDirectory": str(self.code),
            "trialConcurrency": concurrency,
            "tuner": tuner,
            "trainingService": {"platform": "local"},
        }
        if max_trials is not None:
            config["maxTrialNumber"] = max_trials
        config = {key: value for key, value in {**config, **sections}.items() if value is not None}
        self.config = self.code / "config.yaml"
        self.config.write_text(yaml.safe_dump(config, sort_keys=False))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        try:
            if self._runs:
                self.stop()
        finally:
            self.home.kill_tuner()

    def start(self) -> None:
        self._launch("create", "--config", str(self.config))

    def stop(self) -> None:
        self._runs = False
        self.home.nnictl("stop", self.id)

    def resume(self) -> None:
        self._launch("resume", self.id)

    def _launch(self, *command: str) -> None:
        """NNI gives a manager, and its tuner process, seconds to come up; on a busy machine another attempt is needed."""
        for attempt in range(3):
            self.port = _free_port()
            starts = self.log().count(self._begins) if self.id else 0
            try:
                output = self.home.nnictl(*command, "--port", str(self.port))
            except AssertionError:
                if attempt == 2:
                    raise
                self.home.nnictl("stop", "--all")
                continue
            self._runs = True
            self.id = re.search(r"Experiment ID: (\w+)", output).group(1) if command[0] == "create" else self.id
            self.wait_until(lambda: self.status() == "ERROR" or self.log().count(self._begins) > starts)
            if self.status() != "ERROR" or "Tuner did not connect" not in self.manager_log():
                return
            self.stop()
        raise AssertionError(f"NNI does not start its tuner: {self.manager_log()}")

    @property
    def folder(self) -> Path:
        return self.home.folder / "nni-experiments" / self.id

    def rest(self, path: str):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://localhost:{self.port}/api/v1/nni{path}", timeout=10) as response:
            return json.loads(response.read() or b"null")

    def status(self) -> str:
        return self.rest("/check-status")["status"]

    def trials(self) -> list:
        return self.rest("/trial-jobs")

    def wait_until(self, condition, seconds: float = 100) -> None:
        until = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < until, f"did not happen in {seconds} s; status {self.status()}, log:\n{self.log()[-3000:]}"
            time.sleep(0.25)

    def wait_done(self, seconds: float = 100) -> None:
        self.wait_until(lambda: self.status() in ("DONE", "ERROR"), seconds)
        assert self.status() == "DONE", self.log()

    def log(self) -> str:
        """What the tuner's process logged; "" before it has begun."""
        file = self.folder / "log" / "dispatcher.log"
        return re.sub(r"\x1b\[[0-9;]*m", "", file.read_text()) if file.exists() else ""

    def manager_log(self) -> str:
        return (self.folder / "log" / "nnimanager.log").read_text()

    def finals(self) -> dict:
        """{trial job: value text} that NNI has."""
        return {m["trialJobId"]: json.loads(m["data"]) for m in self.rest("/metric-data") if m["type"] == "FINAL"}


def stored_results(home: NniHome) -> list:
    """(experiment, parameters, metric, source) of every result in the tuner's store, but for those of the bundle it starts with."""
    with sqlite3.connect(f"file:{home.store}?mode=ro", uri=True) as database:
        return database.execute(
            "SELECT e.name, c.parameters, r.metric, c.source FROM results r"
            " JOIN configurations c ON c.id = r.configuration_id JOIN experiments e ON e.id = c.experiment_id"
            " WHERE e.name NOT LIKE 'offline/%'"
        ).fetchall()


def sample_data(folder: Path, images: int) -> Path:
    """The example's data set, smaller."""
    subprocess.run([sys.executable, SOURCE / "scripts" / "make_sample_data.py", folder, "--images", str(images)], check=True)
    return folder


def _free_port() -> int:
    """Such that the next one, which NNI uses too, is free as well."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port


needs_tuner = pytest.mark.skipif(
    not os.access(PROGRAMS / "hyperfd-tuner", os.X_OK), reason=f"{PROGRAMS}/hyperfd-tuner is not built"
)
