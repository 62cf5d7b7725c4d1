"""Does an honest client notice intruders? Its waiting times at a tuner with keys, alone and beside 200 clients with
wrong keys and 200 TCP connections that say nothing or nonsense.

    .venv/bin/python scripts/bench_intruders.py [--requests 2000] [--intruders 200]

Half of the wrong keys are clients' that are not on the list, the other half take another key for the server's. All
connect at once, and again whenever they are hung up on, until the honest client is through. Each of its requests is
answered before the next; it asks for a configuration and reports its result in turn, which the tuner commits to disk.
"""

import argparse
import json
import multiprocessing
import os
import pathlib
import re
import socket
import subprocess
import tempfile
import time

import msgpack
import zmq

SOURCE = pathlib.Path(__file__).resolve().parents[1]
PROGRAM = pathlib.Path(os.environ.get("HYPERFD_BIN_DIR") or SOURCE / "build" / "release" / "bin") / "hyperfd-tuner"
SPACE = {"x": {"_type": "uniform", "_value": [0, 1]}}


def key(file):
    return re.search(rb"^\S{40}$", file.read_bytes(), re.MULTILINE).group()


class Honest:
    def __init__(self, port, keys):
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.linger = 0
        secret = key(keys / "client.key")
        self.socket.curve_serverkey, self.socket.curve_secretkey = key(keys / "server.pub"), secret
        self.socket.curve_publickey = zmq.curve_public(secret)
        self.socket.connect(f"tcp://127.0.0.1:{port}")
        self.requests = self.trials = 0
        self.ask("IN", space=json.dumps(SPACE), optimize_mode="maximize", budget=0, policy="random", seed=0)

    def ask(self, type_, **body):
        self.requests += 1
        envelope = {"version": 1, "type": type_, "experiment": "e", "request": str(self.requests)}
        self.socket.send(msgpack.packb({**envelope, "body": {"run": "r", **body}}))
        if not self.socket.poll(20_000):
            raise SystemExit(f"no answer to {type_}")
        reply = msgpack.unpackb(self.socket.recv())
        if reply["type"] == "ER":
            raise SystemExit(f"{type_} is refused: {reply['body']}")

    def times(self, requests):
        seconds = []
        for _ in range(requests // 2):
            result = {"trial_job_id": "", "kind": "FINAL", "sequence": 0, "value": "0.5", "parameters": ""}
            question, answer = {"parameter_ids": [self.trials]}, {"parameter_id": self.trials, **result}
            for type_, body in (("GE", question), ("ME", answer)):
                start = time.perf_counter()
                self.ask(type_, **body)
                seconds.append(time.perf_counter() - start)
                time.sleep(0.002)  # below the rate that a client is allowed
            self.trials += 1
        return sorted(seconds)


def intrude(port, server_key, wrong_keys, raw, ready, stop):
    os.nice(5)  # on one machine they also take the processor from those they disturb; elsewhere they could not
    context = zmq.Context()
    context.max_sockets = wrong_keys + 10
    clients = []
    for i in range(wrong_keys):
        client = context.socket(zmq.DEALER)
        client.linger = 0
        client.curve_publickey, client.curve_secretkey = zmq.curve_keypair()
        client.curve_serverkey = server_key if i % 2 else zmq.curve_keypair()[0]
        client.connect(f"tcp://127.0.0.1:{port}")
        clients.append(client)
    connections = [None] * raw
    ready.set()
    while not stop.wait(0.05):
        for i, connection in enumerate(connections):
            try:
                if connection is None:
                    connections[i] = connection = socket.create_connection(("127.0.0.1", port), timeout=1)
                    connection.setblocking(False)
                    connection.send(b"" if i % 2 else os.urandom(200))
                elif not connection.recv(4096):
                    raise ConnectionError
            except BlockingIOError:
                pass
            except OSError:
                if connection is not None:
                    connection.close()
                connections[i] = None
    context.destroy(0)


def percentiles(seconds):
    return [1000 * seconds[int(share * (len(seconds) - 1))] for share in (0.5, 0.99)]


def measure(requests, intruders):
    """Milliseconds, (median, 99th percentile), of the honest client alone and beside the intruders."""
    with tempfile.TemporaryDirectory(prefix="hfd-", dir="/tmp") as name:
        folder = pathlib.Path(name)
        subprocess.run([PROGRAM, "keygen", folder / "keys"], check=True, stdout=subprocess.DEVNULL)
        command = [PROGRAM, "serve", "--store", folder / "store.sqlite", "--endpoint", "tcp://127.0.0.1:*"]
        command += ["--server-key", folder / "keys" / "server.key", "--allow", folder / "keys" / "clients.allow"]
        log = folder / "log"
        with open(log, "wb") as file:
            server = subprocess.Popen(command, stdout=file, stderr=file)
        try:
            while not (found := re.search(r"listening on tcp://127.0.0.1:(\d+)", log.read_text())):
                time.sleep(0.05)
            port = int(found.group(1))
            honest = Honest(port, folder / "keys")
            honest.times(100)
            alone = percentiles(honest.times(requests))
            ready, stop = multiprocessing.Event(), multiprocessing.Event()
            wrong = multiprocessing.Process(
                target=intrude, args=(port, key(folder / "keys" / "server.pub"), intruders, intruders, ready, stop)
            )
            wrong.start()
            ready.wait()
            try:
                return alone, percentiles(honest.times(requests)), log.read_text().count("refused")
            finally:
                stop.set()
                wrong.join()
        finally:
            server.terminate()
            server.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--intruders", type=int, default=200, help="of each kind")
    options = parser.parse_args()
    alone, beside, refused = measure(options.requests, options.intruders)
    print(f"{'milliseconds':24}{'median':>10}{'99 %':>10}")
    print(f"{'alone':24}{alone[0]:10.2f}{alone[1]:10.2f}")
    print(f"{'beside the intruders':24}{beside[0]:10.2f}{beside[1]:10.2f}")
    print(f"99 % takes {beside[1] / alone[1]:.2f} times as long; {refused} clients were refused for their keys")


if __name__ == "__main__":
    main()
