"""The programs that describe the data set of an experiment and serve it to the tuner. Its images stay where they are."""

from __future__ import annotations

import hashlib
import logging
import os
import shlex
import subprocess
import time
from pathlib import Path
from typing import List, Optional

from .class_args import Settings
from .embedded import data_directory
from .nni_context import NniContext
from .programs import find_program

_logger = logging.getLogger("hyperfd.dataset")

LOG_FILE = "hyperfd-dataset.log"
POLL_SECONDS = 0.05
# After the end of this process the data set stays for the update that follows; the tuner dismisses it earlier.
LINGER_SECONDS = 600


class DatasetProgram:
    """``hyperfd-trial describe``, then ``hyperfd-trial serve-dataset``, in one process that outlives this one.

    Nothing here raises or waits for long: without the data set the tuner ranks by what else it knows.
    """

    def __init__(self, settings: Settings, context: NniContext, endpoint: str):
        self._settings = settings
        self._experiment = context.experiment
        self._endpoint = endpoint
        self.log = context.checkpoint / LOG_FILE
        self._process: Optional[subprocess.Popen] = None
        self._log_start = 0
        self._deadline: Optional[float] = None  # of wait(); None: nothing to wait for

    def start(self) -> None:
        try:
            features = self._features_file()
            program = str(find_program("hyperfd-trial"))
            describe = [program, "describe", "--data", str(self._settings.dataset), "--out", str(features)]
            with open(self.log, "ab") as log:
                self._log_start = log.tell()
                self._process = subprocess.Popen(
                    ["/bin/sh", "-c", f"{shlex.join(describe)} && exec {shlex.join(self._serve_command(program, features))}"],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                )
        except OSError as error:
            _logger.error("the data set cannot be described: %s; the tuner goes without it", error)
            return
        self._deadline = time.monotonic() + self._settings.describe_timeout
        _logger.info("describing %s (pid %d); the log is %s", self._settings.dataset, self._process.pid, self.log)

    def wait(self) -> None:
        """Until the tuner has the data set's meta-feature, or ``describe_timeout`` after the start."""
        if self._deadline is None:
            return
        while time.monotonic() < self._deadline:
            text = self._read_log()
            if "\nsettled:" in "\n" + text:
                break
            if self._process is not None and self._process.poll() is not None:
                lines = text.strip().splitlines()
                _logger.error("the data set is not served: %s; the tuner goes without it", lines[-1] if lines else f"see {self.log}")
                break
            time.sleep(POLL_SECONDS)
        else:
            _logger.warning("the data set is not described after %.0f s; suggestions begin without it", self._settings.describe_timeout)
        self._deadline = None

    def _serve_command(self, program: str, features: Path) -> List[str]:
        settings = self._settings
        command = [
            program, "serve-dataset", "--features", str(features), "--endpoint", self._endpoint, "--experiment", self._experiment,
            "--follow", str(os.getpid()), "--linger", str(LINGER_SECONDS),
        ]
        if settings.is_local:
            return command + ["--least-images", "1"]
        if settings.server_key is not None:
            command += ["--server-key", str(settings.server_key), "--client-key", str(settings.client_key)]
        if settings.privacy == "private":
            command += ["--privacy", "private", "--epsilon", str(settings.epsilon), "--delta", str(settings.delta)]
        return command

    def _features_file(self) -> Path:
        """The same for every experiment on the data set, so that what it disclosed is counted in one place."""
        folder = data_directory() / "datasets"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        digest = hashlib.sha256(os.fsencode(os.path.realpath(self._settings.dataset))).hexdigest()[:16]
        return folder / f"{digest}.features"

    def _read_log(self) -> str:
        with open(self.log, "rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

