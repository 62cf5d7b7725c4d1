"""One experiment's connection with its tuner."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
import uuid
from typing import Any, Callable, Dict, Optional

from .client import Client, Reply, TunerAway, TunerRefused

_logger = logging.getLogger("hyperfd.tuner_link")

# Refusals of IN that no repetition cures. `store` and `internal` are the tuner's own trouble: it is treated as away.
HOPELESS_CODES = ("input", "version", "malformed", "unknown_type")


class IntroductionRefused(TunerRefused):
    """The tuner does not take this experiment: its search space or settings are wrong, or it speaks another protocol version."""


class TunerLink:
    """Remembers since when the tuner is away, and introduces a run again that the tuner does not know (its store was removed).

    Thread-safe. ``introduction(run)`` is the body of the run's ``IN``, None if there is none.
    """

    def __init__(self, client: Client, experiment: str, introduction: Callable[[str], Optional[Dict[str, Any]]]):
        self._client = client
        self._experiment = experiment
        self._introduction = introduction
        self._lock = threading.RLock()
        self._away_since: Optional[float] = None

    @property
    def away_since(self) -> Optional[float]:
        """time.monotonic() of the first failure since the last answer; None while the tuner answers."""
        return self._away_since

    def ask(self, kind: str, body: Dict[str, Any], request: str, deadline: float) -> Reply:
        """Raises TunerAway, TunerRefused, or, for ``IN``, IntroductionRefused."""
        with self._turn(deadline):
            try:
                return self._watched(kind, body, request, deadline)
            except TunerRefused as error:
                introduction = self._introduction(body["run"])
                if error.code != "unknown_experiment" or introduction is None:
                    raise
            _logger.warning("the tuner does not know this experiment (was its store removed?); introducing it again")
            self._watched("IN", introduction, uuid.uuid4().hex, deadline)
            return self._watched(kind, body, request, deadline)

    def heartbeat(self, every: float, deadline: float) -> None:
        """Tells an idle tuner that it is still needed, unless it answered in the last ``every`` seconds. Raises TunerAway."""
        with self._turn(deadline):
            if time.monotonic() - self._client.last_answer >= every:
                self._watched("PI", {}, uuid.uuid4().hex, deadline)

    def close(self) -> None:
        with self._lock:
            self._client.close()

    @contextlib.contextmanager
    def _turn(self, deadline: float):
        """The lock, but no longer than the caller can wait: another thread may be waiting for a tuner that is not there."""
        if not self._lock.acquire(timeout=max(0.0, deadline - time.monotonic())):
            raise TunerAway("another request is still waiting for the tuner")
        try:
            yield
        finally:
            self._lock.release()

    def _watched(self, kind: str, body: Dict[str, Any], request: str, deadline: float) -> Reply:
        try:
            reply = self._client.request(self._experiment, kind, body, request, deadline)
        except TunerAway:
            if self._away_since is None:
                self._away_since = time.monotonic()
                _logger.warning("the tuner does not answer; trying again")
            raise
        except TunerRefused as error:
            self._back()
            if kind == "IN":
                if error.code in HOPELESS_CODES:
                    raise IntroductionRefused(error.code, str(error)) from error
                raise TunerAway(f"IN: {error}") from error
            raise
        self._back()
        if kind == "IN":
            self._log_introduction(reply.body)
        return reply

    def _back(self) -> None:
        if self._away_since is not None:
            _logger.info("the tuner answers again after %.0f s", time.monotonic() - self._away_since)
            self._away_since = None

    def _log_introduction(self, about: Dict[str, Any]) -> None:
        _logger.info(
            "%s at %s: task %s%s, %s result(s) of its own, %s earlier task(s) on this search space",
            about.get("server"), self._client.endpoint, about.get("task"), " (resumed)" if about.get("resumed") else "",
            about.get("results"), about.get("past_tasks"),
        )
