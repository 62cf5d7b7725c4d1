"""The tuner on this machine, with what a tuner elsewhere offers: ``privacy: pull``."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
import time
import uuid
from pathlib import Path
from typing import Optional

from .client import Client, TunerAway, TunerRefused
from .embedded import IDLE_EXIT_SECONDS, EmbeddedTuner, data_directory

_logger = logging.getLogger("hyperfd.pulled")

PART_SECONDS = 20.0  # for one part of the bundle; less than an adapter waits for its tuner
MAX_BUNDLE_BYTES = 1 << 30


class PulledTuner(EmbeddedTuner):
    """Fetches the platform's bundle before it starts. The requests for it are all that ever goes there.

    A platform that does not answer, or offers nothing, is done without: then the bundle of the last time counts, or
    else the one that comes with the tuner.
    """

    def __init__(self, store: Path, platform: Client, idle_exit: int = IDLE_EXIT_SECONDS):
        super().__init__(store, idle_exit)
        self._platform: Optional[Client] = platform

    def ensure(self) -> None:
        platform, self._platform = self._platform, None
        if platform is not None:
            if not self._listens():
                self._bundle = _pull(platform) or self._bundle
            platform.close()
        super().ensure()


def _pull(platform: Client) -> str:
    """The bundle's file, "" for none. Never raises."""
    name = hashlib.sha256(platform.endpoint.encode()).hexdigest()[:16]
    file = data_directory() / "bundles" / f"{name}.sqlite"
    try:
        _save(file, download_bundle(platform))
        _logger.info("%s offers a bundle of %d bytes", platform.endpoint, file.stat().st_size)
    except (TunerAway, TunerRefused, ValueError, OSError) as error:
        instead = "the last one counts" if file.exists() else "the tuner goes without it"
        _logger.error("no bundle from %s: %s; %s", platform.endpoint, error, instead)
    return str(file) if file.exists() else ""


def download_bundle(platform: Client) -> bytes:
    """Raises TunerAway, TunerRefused, or ValueError for an answer that cannot be right."""
    bundle, digest = b"", None
    while True:
        reply = platform.request("-", "BU", {"offset": len(bundle)}, uuid.uuid4().hex, time.monotonic() + PART_SECONDS)
        part, size = reply.body.get("part"), reply.body.get("size")
        digest = digest or reply.body.get("digest")
        if reply.type != "BP" or not isinstance(part, bytes) or not isinstance(size, int) or size > MAX_BUNDLE_BYTES:
            raise ValueError(f"an answer to BU that cannot be read, {reply.type}")
        bundle += part
        if not part or len(bundle) >= size or reply.body.get("digest") != digest:
            break
    if hashlib.sha256(bundle).hexdigest() != digest:
        raise ValueError("a bundle that is damaged, or was replaced meanwhile")
    return bundle


def _save(file: Path, content: bytes) -> None:
    """Other experiments may do the same at the same time."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as temporary:
        temporary.write(content)
    os.replace(temporary.name, file)
