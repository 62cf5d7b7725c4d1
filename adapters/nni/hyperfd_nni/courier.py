"""The thread that talks to the tuner when NNI does not: delivers what is in the outbox, keeps an idle tuner alive."""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import Callable

from .client import TunerAway, TunerRefused
from .outbox import Message, Outbox
from .tuner_link import TunerLink

_logger = logging.getLogger("hyperfd.courier")

HEARTBEAT_SECONDS = 10.0
ATTEMPT_SECONDS = 5.0  # how long one delivery may hold the connection when the tuner is away
TICK_SECONDS = 1.0


class Courier:
    """``on_tick`` is called about once a second, from this thread."""

    def __init__(self, link: TunerLink, outbox: Outbox, on_tick: Callable[[], None]):
        self._link = link
        self._outbox = outbox
        self._on_tick = on_tick
        self._wake = threading.Event()
        self._stopping = False
        self._parent = os.getppid()
        self._thread = threading.Thread(target=self._run, name="hyperfd-courier", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def notify(self) -> None:
        """There is something to deliver."""
        self._wake.set()

    def deliver(self, deadline: float) -> None:
        """Delivers now, in the calling thread. Raises TunerAway or IntroductionRefused."""
        self._outbox.deliver(self._send, deadline)

    def stop(self) -> None:
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(ATTEMPT_SECONDS + 1)

    def _send(self, message: Message, deadline: float):
        return self._link.ask(message.type, message.body, message.request, deadline)

    def _run(self) -> None:
        while not self._stopping:
            try:
                deadline = time.monotonic() + ATTEMPT_SECONDS
                self.deliver(deadline)
                # NNI may kill only the shell between itself and this process. An orphan must not keep the tuner alive for ever.
                if os.getppid() == self._parent:
                    self._link.heartbeat(HEARTBEAT_SECONDS, deadline)
            except TunerAway as away:
                _logger.debug("%s", away)
            except TunerRefused as refused:
                # The introduction: the thread that NNI asks for suggestions meets the same answer and reports it.
                _logger.debug("%s", refused)
            except Exception:
                _logger.exception("unexpected error while delivering; it is tried again")
            try:
                self._on_tick()
            except Exception:
                _logger.exception("unexpected error in the periodic work")
            self._wake.wait(TICK_SECONDS)
            self._wake.clear()
