"""What the tuner has to be told: everything but the requests for suggestions. Written down first, delivered in order, once."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from typing import Any, Callable, Dict, NamedTuple, Optional

from .client import TunerAway, TunerRefused
from .journal import Journal
from .tuner_link import IntroductionRefused

_logger = logging.getLogger("hyperfd.outbox")

INTERNAL_RETRIES = 5  # an unexpected error in the tuner may be this message's fault


class Message(NamedTuple):
    request: str
    type: str
    body: Dict[str, Any]


class Outbox:
    """Messages of all runs of an experiment, kept in a journal until the tuner has acknowledged them.

    A message keeps its request id for ever, so one whose acknowledgement was lost is counted once. Thread-safe.
    """

    def __init__(self, journal: Journal, run: str):
        self._journal = journal
        self._run = run
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()  # guards the journal and the queue
        self._delivering = threading.Lock()  # one thread delivers at a time
        self._pending: Dict[str, Message] = {}  # in the order of their adding
        self._internal_errors: Dict[str, int] = {}  # by request
        self._introductions: Dict[str, Dict[str, Any]] = {}  # by run
        self.refused = 0  # messages that the tuner refused since this object was made
        self.stays: Optional[bool] = None  # the messages are for a tuner on this machine; None: a journal that does not say it
        for record in journal.records:
            if "stays" in record:
                self.stays = record["stays"]
            elif "message" in record:
                self._queue(Message(*record["message"]))
            else:
                self._pending.pop(record.get("done"), None)

    def __len__(self) -> int:
        with self._lock:
            return len(self._pending)

    def next_request(self) -> str:
        """A request id that this experiment has not used."""
        return f"{self._run}-{next(self._numbers)}"

    def introduction(self, run: str) -> Optional[Dict[str, Any]]:
        """The body of the run's ``IN``, with the search space that is valid now."""
        with self._lock:
            return self._introductions.get(run)

    def mark(self, stays: bool) -> None:
        """Whether the messages may leave this machine, for those who deliver what is left."""
        with self._lock:
            if stays != self.stays:
                self._journal.append({"stays": stays})
                self.stays = stays

    def add(self, kind: str, body: Dict[str, Any]) -> None:
        """On disk when this returns."""
        with self._lock:
            message = Message(self.next_request(), kind, body)
            self._journal.append({"message": list(message)})
            self._queue(message)

    def deliver(self, send: Callable[[Message, float], Any], deadline: float) -> None:
        """Sends everything, oldest first. Raises TunerAway when the tuner is not there; what is left stays for the next call.

        A message that the tuner refuses is logged and set aside (it stays in the journal), since it would block all later ones.
        Only when the introduction of this very run is refused is there nothing to go on with: IntroductionRefused.
        """
        if not self._delivering.acquire(timeout=max(0.0, deadline - time.monotonic())):
            raise TunerAway("another delivery is under way")
        try:
            while True:
                with self._lock:
                    message = next(iter(self._pending.values()), None)
                if message is None:
                    return
                self._deliver_one(message, send, deadline)
        finally:
            self._delivering.release()

    def _deliver_one(self, message: Message, send: Callable[[Message, float], Any], deadline: float) -> None:
        try:
            reply = send(message, deadline)
        except TunerRefused as error:
            if isinstance(error, IntroductionRefused) and message.body["run"] == self._run:
                raise
            if error.code in ("store", "limit") or (error.code == "internal" and self._retry(message)):
                raise TunerAway(f"{message.type}: {error}") from error  # it could not, this time
            _logger.error("the tuner refused %s %s: %s", message.type, message.body, error)
            outcome = {"done": message.request, "refused": str(error)}
            self.refused += 1
        else:
            warning = reply.body.get("warning")
            if warning:
                _logger.warning("%s: %s", message.type, warning)
            outcome = {"done": message.request}
        with self._lock:
            self._journal.append(outcome)
            self._pending.pop(message.request, None)
            self._internal_errors.pop(message.request, None)

    def _retry(self, message: Message) -> bool:
        attempts = self._internal_errors[message.request] = self._internal_errors.get(message.request, 0) + 1
        return attempts < INTERNAL_RETRIES

    def _queue(self, message: Message) -> None:
        self._pending[message.request] = message
        if message.type == "IN":
            self._introductions[message.body["run"]] = dict(message.body)
        elif message.type == "SS" and message.body["run"] in self._introductions:
            self._introductions[message.body["run"]]["space"] = message.body["space"]

    def close(self) -> None:
        with self._lock:
            self._journal.close()
