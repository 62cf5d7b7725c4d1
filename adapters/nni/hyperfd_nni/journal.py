"""An append-only file of JSON lines that survives a kill at any moment."""

from __future__ import annotations

import fcntl
import json
import logging
import os
from pathlib import Path
from typing import Any, Dict, List

_logger = logging.getLogger("hyperfd.journal")


class Journal:
    """One JSON object a line, each on disk (fsync) when ``append`` returns. Not thread-safe: the owner locks.

    ``exclusive`` is for those who come after an experiment: raises BlockingIOError while it has the file open.

    A last line torn by a kill is cut off when the file is opened. When the disk refuses a line (full, read-only), that is logged and
    the owner goes on without the line: a result that can still be delivered is worth more than an exception.
    """

    def __init__(self, path: Path, exclusive: bool = False):
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = open(path, "ab")
        try:
            fcntl.flock(self._file, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            raise BlockingIOError(error.errno, f"{path} is in use: its experiment is still running") from error
        self.records: List[Dict[str, Any]] = self._read()  # as they were when the file was opened

    def append(self, record: Dict[str, Any]) -> None:
        try:
            self._file.write(json.dumps(record, separators=(",", ":")).encode() + b"\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            _logger.error("%s: cannot write (%s); this will not be known after a restart", self.path, error)

    def close(self) -> None:
        try:
            self._file.close()
        except OSError as error:
            _logger.error("%s: cannot close (%s)", self.path, error)

    def _read(self) -> List[Dict[str, Any]]:
        content = self.path.read_bytes()
        complete = content.rfind(b"\n") + 1
        if complete < len(content):
            _logger.warning("%s: the last line was not completed and is dropped", self.path)
            os.truncate(self.path, complete)
        records = []
        for number, line in enumerate(content[:complete].splitlines(), 1):
            try:
                record = json.loads(line)
            except ValueError:
                record = None
            if isinstance(record, dict):
                records.append(record)
            else:
                _logger.error("%s:%d: expected a JSON object; the line is skipped", self.path, number)
        return records
