"""Delivers what an ended experiment could not: its tuner was away to the last."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Optional, Tuple

from .class_args import Settings
from .journal import Journal
from .outbox import Message, Outbox
from .session import OUTBOX_FILE, connect
from .tuner_link import TunerLink

DELIVERY_SECONDS = 60.0


def deliver(checkpoint: Path, settings: Settings) -> Tuple[int, int]:
    """Sends the outbox in an experiment's checkpoint folder; how many messages the tuner took, and how many it refused (see the log).

    Raises FileNotFoundError if there is no outbox, BlockingIOError if its experiment is running, ValueError if it is not clear whether
    the messages may leave this machine, TunerAway if the tuner does not answer.
    """
    file = checkpoint / OUTBOX_FILE
    if not file.is_file():
        raise FileNotFoundError(f"{file} does not exist; expected the folder checkpoint/ of an NNI experiment that used HyperFD")
    outbox = Outbox(Journal(file, exclusive=True), run="deliver")
    try:
        settings = _where_they_belong(settings, outbox.stays)
    except ValueError:
        outbox.close()
        raise
    experiment = checkpoint.resolve().parent.name
    link = TunerLink(connect(settings), experiment, outbox.introduction)

    def send(message: Message, deadline: float):
        return link.ask(message.type, message.body, message.request, deadline)

    waiting = len(outbox)
    try:
        outbox.deliver(send, time.monotonic() + DELIVERY_SECONDS)
    finally:
        link.close()
        outbox.close()
    return waiting - outbox.refused, outbox.refused


def _where_they_belong(settings: Settings, stays: Optional[bool]) -> Settings:
    """An experiment with privacy ``pull`` has told everything to the tuner on this machine: its messages go nowhere else."""
    if settings.endpoint is None or settings.privacy is not None:
        return settings
    if stays is None:
        raise ValueError("the outbox does not say whether the experiment's tuner was on this machine; say --privacy pull if it was, or share")
    return settings._replace(privacy="pull" if stays else "share")
