"""Key files of ``hyperfd-tuner keygen``, in ZeroMQ's certificate format."""

from __future__ import annotations

from pathlib import Path
from typing import Optional, Tuple

import zmq.auth


def read_server_key(file: Path) -> bytes:
    """The public key, Z85. Raises ValueError that names the file."""
    return _read(file)[0]


def read_client_keys(file: Path) -> Tuple[bytes, bytes]:
    """(public, secret), Z85. Raises ValueError that names the file."""
    public, secret = _read(file)
    if secret is None:
        raise ValueError(f"classArgs.client_key: {file} holds a public key only; the secret key is needed")
    return public, secret


def _read(file: Path) -> Tuple[bytes, Optional[bytes]]:
    try:
        return zmq.auth.load_certificate(file)
    except (OSError, ValueError) as error:
        raise ValueError(f"{file} is not a key file of `hyperfd-tuner keygen`: {error}") from error
