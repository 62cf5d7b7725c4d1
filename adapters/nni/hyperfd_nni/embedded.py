"""The tuner on this machine: started when it is needed, shared by all experiments on one store, gone by itself when idle."""

from __future__ import annotations

import hashlib
import logging
import os
import socket
import stat
import subprocess
from pathlib import Path
from typing import Optional

from .programs import find_program

_logger = logging.getLogger("hyperfd.embedded")

IDLE_EXIT_SECONDS = 60  # six heartbeats of an adapter (see courier.py)
BUNDLE = "faces"  # comes with hyperfd-tuner: experience with face detectors on search_spaces/hpo.yaml
EXIT_STORE = 4  # hyperfd-tuner's exit code for a store that it cannot have, e.g. because another server has it


def data_directory() -> Path:
    """Where the user's experience lives: ``$XDG_DATA_HOME/hyperfd``, by default ``~/.local/share/hyperfd``."""
    base = os.environ.get("XDG_DATA_HOME") or os.path.join(os.path.expanduser("~"), ".local", "share")
    return Path(base) / "hyperfd"


def default_store() -> Path:
    return data_directory() / "experience.sqlite"


def socket_directory() -> Path:
    """A folder of this user only, on this machine only, the same for every session of the user.

    Not below the home (a socket's path is limited to 107 bytes) and not $XDG_RUNTIME_DIR (it differs between a desktop session and cron,
    and goes away with the session). Raises PermissionError if the folder is not ours alone.
    """
    directory = Path("/tmp") / f"hyperfd-{os.getuid()}"
    directory.mkdir(mode=0o700, exist_ok=True)
    status = directory.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise PermissionError(f"{directory} must be a folder that belongs to you, with mode 0700; it holds the sockets of your tuners")
    return directory


def socket_path(store: Path) -> Path:
    digest = hashlib.sha256(os.fsencode(os.path.realpath(store))).hexdigest()[:16]
    return socket_directory() / f"{digest}.ipc"


class EmbeddedTuner:
    """``hyperfd-tuner serve`` for one store file.

    The process is detached: it outlives this one, serves other experiments, and exits ``idle_exit`` seconds after the last message.
    """

    def __init__(self, store: Path, idle_exit: int = IDLE_EXIT_SECONDS, bundle: str = BUNDLE):
        self.store = store
        self._bundle = bundle
        self._idle_exit = idle_exit
        self.log = data_directory() / "tuner.log"
        self._socket = socket_path(store)
        self._process: Optional[subprocess.Popen] = None
        self._log_start = 0
        self._last_complaint = ""

    @property
    def endpoint(self) -> str:
        return f"ipc://{self._socket}"

    def ensure(self) -> None:
        """Starts the server unless one listens already (ours or another experiment's). Never raises: what is wrong is logged, once."""
        if self._listens():
            return
        if self._process is not None:
            if self._process.poll() is None:
                return  # still starting
            self._report_exit(self._process.returncode)
        try:
            self._start()
        except OSError as error:
            self._complain(f"cannot start hyperfd-tuner: {error}")

    def _listens(self) -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(1)
            try:
                probe.connect(str(self._socket))
            except OSError:
                return False
            return True

    def _start(self) -> None:
        program = find_program("hyperfd-tuner")
        self.store.parent.mkdir(parents=True, exist_ok=True)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        command = [
            str(program), "serve", "--store", str(self.store), "--bundle", self._bundle, "--endpoint", self.endpoint,
            "--idle-exit", str(self._idle_exit),
        ]
        with open(self.log, "ab") as log:
            self._log_start = log.tell()
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/", start_new_session=True
            )
        _logger.info("started %s (pid %d); its log is %s", " ".join(command), self._process.pid, self.log)

    def _report_exit(self, code: int) -> None:
        self._process = None
        if code == 0:
            return
        tail = self._last_log_line()
        if self._bundle in tail and self._bundle not in (BUNDLE, "none"):
            self._complain(f"the bundle is left out: {tail}")  # a tuner without it is better than none
            self._bundle = "none"
        elif code == EXIT_STORE and "lock" in tail.lower():
            self._complain(f"another tuner has the store, but does not listen on {self.endpoint}; stop it, or give its endpoint as classArgs.endpoint: {tail}")
        else:
            self._complain(f"hyperfd-tuner ended with code {code}: {tail}")

    def _last_log_line(self) -> str:
        try:
            with open(self.log, "rb") as log:
                log.seek(self._log_start)
                lines = log.read().decode(errors="replace").strip().splitlines()
        except OSError as error:
            return str(error)
        return lines[-1] if lines else f"see {self.log}"

    def _complain(self, message: str) -> None:
        if message != self._last_complaint:
            _logger.error("%s", message)
            self._last_complaint = message
