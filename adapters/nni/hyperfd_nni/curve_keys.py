"""Key files of ``hyperfd-tuner keygen``: one CURVE key in Z85, 40 characters; lines that begin with # are comments."""

from __future__ import annotations

from pathlib import Path
from typing import Tuple

import zmq
import zmq.utils.z85

KEY_LENGTH = 40


def read_server_key(file: Path) -> bytes:
    """The tuner's public key, Z85. Raises ValueError that names the file."""
    return _read(file)


def read_client_keys(file: Path) -> Tuple[bytes, bytes]:
    """(public, secret) of this client, Z85; the file holds the secret one. Raises ValueError that names the file."""
    secret = _read(file)
    return zmq.curve_public(secret), secret


def _read(file: Path) -> bytes:
    try:
        lines = [line.strip() for line in file.read_bytes().splitlines()]
    except OSError as error:
        raise ValueError(f"{file}: cannot be read: {error.strerror}") from error
    keys = [line for line in lines if _is_key(line)]
    others = [line for line in lines if line and not line.startswith(b"#") and not _is_key(line)]
    if len(keys) != 1 or others:
        raise ValueError(f"{file}: expected one CURVE key of {KEY_LENGTH} characters, as `hyperfd-tuner keygen` writes it")
    return keys[0]


def _is_key(line: bytes) -> bool:
    if len(line) != KEY_LENGTH:
        return False
    try:
        zmq.utils.z85.decode(line)
    except (KeyError, ValueError):
        return False
    return True
