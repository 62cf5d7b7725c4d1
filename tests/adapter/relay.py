"""A relay between client and tuner: all that a client sends is seen here."""

import select
import socket
import threading
import time

GREETING_BYTES = 64
CURVE_OVERHEAD = 33  # of a MESSAGE: its name, a short nonce, the box's own bytes, the flags
COMMAND, LONG = 4, 2


class Relay:
    """Passes connections to a TCP port on, and keeps what went there."""

    def __init__(self, port, host="127.0.0.1"):
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.connections = []  # a bytearray for each: what the client sent
        self.last = 0.0  # time.monotonic() of the latest bytes from a client
        self._closing = False
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def sent(self):
        return b"".join(bytes(sent) for sent in self.connections)

    def close(self):
        self._closing = True
        self._listener.close()

    def _accept(self):
        while True:
            try:
                client = self._listener.accept()[0]
                server = socket.create_connection(self._target)
            except OSError:
                if self._closing:
                    return
                client.close()
                continue
            self.connections.append(bytearray())
            threading.Thread(target=self._pass_on, args=(client, server, self.connections[-1]), daemon=True).start()

    def _pass_on(self, client, server, sent):
        with client, server:
            while not self._closing:
                for source in select.select([client, server], [], [], 0.2)[0]:
                    try:
                        data = source.recv(65536)
                        if source is client:
                            sent += data
                            self.last = time.monotonic()
                        (server if source is client else client).sendall(data)
                    except OSError:
                        return
                    if not data:
                        return


def message_sizes(sent, curve=False):
    """Of the messages in a ZMTP 3 stream (https://rfc.zeromq.org/spec/37/): a greeting, then frames of flags, size, body."""
    sizes, at = [], GREETING_BYTES
    while at + 2 <= len(sent):
        flags, header = sent[at], 9 if sent[at] & LONG else 2
        size = int.from_bytes(sent[at + 1 : at + header], "big")
        body = bytes(sent[at + header : at + header + 16])
        if not curve and not flags & COMMAND:
            sizes.append(size)
        elif curve and body.startswith(b"\x07MESSAGE") and size - CURVE_OVERHEAD > 16:  # a shorter one is a heartbeat
            sizes.append(size - CURVE_OVERHEAD)
        at += header + size
    return sizes
