"""Client of ``hyperfd-tuner serve``: docs/protocol.md over a ZeroMQ DEALER socket."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any, Callable, Dict, NamedTuple, Optional

import msgpack
import zmq

_logger = logging.getLogger("hyperfd.client")

PROTOCOL_VERSION = 1
MAX_FRAME_BYTES = 16 << 20
FIRST_WAIT = 1.0  # seconds; doubles with every repetition
LONGEST_WAIT = 10.0


class TunerAway(Exception):
    """No valid answer before the deadline. The request may or may not have had its effect; repeating it is safe."""


class TunerRefused(Exception):
    """The tuner answered ``ER``: nothing was changed."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


class Reply(NamedTuple):
    type: str
    body: Dict[str, Any]


class Client:
    """Sends requests to one endpoint, one at a time; may be used from any thread.

    ``before_attempt`` is called before every (re)transmission: the embedded tuner is started there. With ``server_key`` (its public key)
    and ``client_keys`` (public, secret), all Z85, the connection is encrypted and authenticated by CURVE.
    """

    def __init__(
        self,
        endpoint: str,
        server_key: Optional[bytes] = None,
        client_keys: Optional[tuple] = None,
        before_attempt: Callable[[], None] = lambda: None,
    ):
        self.endpoint = endpoint
        self._server_key = server_key
        self._client_keys = client_keys
        self._before_attempt = before_attempt
        self._lock = threading.RLock()
        self._context = zmq.Context()
        self._socket: Optional[zmq.Socket] = None
        self.last_answer = 0.0  # time.monotonic() of the last valid reply

    def request(self, experiment: str, kind: str, body: Dict[str, Any], request: str, deadline: float) -> Reply:
        """The answer to one request. The same frame is repeated with growing waits until ``deadline`` (time.monotonic()).

        Raises TunerAway, or TunerRefused for an ``ER``.
        """
        try:
            frame = msgpack.packb(
                {"version": PROTOCOL_VERSION, "type": kind, "experiment": experiment, "request": request, "body": body},
                use_bin_type=True,
            )
        except (ValueError, TypeError, OverflowError) as error:  # a text that is not Unicode, a number beyond 64 bits
            raise TunerRefused("input", f"{kind}: the message cannot be written down: {error}") from error
        if len(frame) > MAX_FRAME_BYTES:
            raise TunerRefused("input", f"{kind}: the message has {len(frame)} bytes, at most {MAX_FRAME_BYTES} are allowed")
        with self._lock:
            wait = FIRST_WAIT
            while True:
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    raise TunerAway(f"no answer to {kind} from {self.endpoint}")
                reply = self._attempt(frame, experiment, request, min(wait, remaining))
                if reply is not None:
                    break
                wait = min(wait * 2, LONGEST_WAIT)
            self.last_answer = time.monotonic()
        if reply.type == "ER":
            raise TunerRefused(str(reply.body.get("code", "")), str(reply.body.get("message", "")))
        return reply

    def close(self) -> None:
        with self._lock:
            self._drop_socket()
            self._context.term()

    def _attempt(self, frame: bytes, experiment: str, request: str, wait: float) -> Optional[Reply]:
        """Sends once and waits; None if no answer came. An answer to an earlier transmission of the same frame counts too."""
        self._before_attempt()
        until = time.monotonic() + wait
        try:
            socket = self._connected_socket()
            if not socket.poll(wait * 1000, zmq.POLLOUT):
                return None  # not connected yet
            socket.send(frame, zmq.DONTWAIT)
            while True:
                remaining = until - time.monotonic()
                if remaining <= 0 or not socket.poll(remaining * 1000):
                    return None
                reply = self._decode(socket.recv_multipart(zmq.DONTWAIT), experiment, request)
                if reply is not None:
                    return reply
        except zmq.ZMQError as error:
            _logger.warning("%s: %s", self.endpoint, error)
            self._drop_socket()
            time.sleep(max(0.0, until - time.monotonic()))
            return None

    def _decode(self, frames: list, experiment: str, request: str) -> Optional[Reply]:
        """The reply, or None for anything else that arrived: garbage, another version, the answer to an earlier request."""
        problem = None
        try:
            message = msgpack.unpackb(frames[0], raw=False, strict_map_key=True) if len(frames) == 1 else None
        except Exception as error:  # msgpack raises many kinds, ValueError and UnicodeDecodeError among them
            message, problem = None, str(error)
        if not isinstance(message, dict):
            problem = problem or f"expected one frame that holds a map, got {len(frames)} frame(s)"
        elif message.get("version") != PROTOCOL_VERSION:
            problem = f"expected version {PROTOCOL_VERSION}, got {message.get('version')!r}"
        elif not isinstance(message.get("type"), str) or not isinstance(message.get("body"), dict):
            problem = "expected the keys type (text) and body (map)"
        if problem is not None:
            _logger.error("%s sent something that is not an answer: %s", self.endpoint, problem)
            return None
        if message.get("experiment") != experiment or message.get("request") != request:
            return None
        return Reply(message["type"], message["body"])

    def _connected_socket(self) -> zmq.Socket:
        if self._socket is None:
            socket = self._context.socket(zmq.DEALER)
            socket.linger = 0
            socket.setsockopt(zmq.MAXMSGSIZE, MAX_FRAME_BYTES)
            socket.setsockopt(zmq.IMMEDIATE, 1)  # nothing is queued for a server that is not there: repeating is our job
            socket.setsockopt(zmq.HEARTBEAT_IVL, 2000)  # ms; notices a host that vanished without closing the connection
            socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, 6000)
            if self._server_key is not None:
                socket.curve_serverkey = self._server_key
                socket.curve_publickey, socket.curve_secretkey = self._client_keys
            socket.connect(self.endpoint)
            self._socket = socket
        return self._socket

    def _drop_socket(self) -> None:
        if self._socket is not None:
            self._socket.close(0)
            self._socket = None
