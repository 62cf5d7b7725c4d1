"""A tuner in Python that speaks docs/protocol.md from memory and can misbehave. Also a program, `fake_tuner.py serve …`, for tests of the
adapter that start it as their `hyperfd-tuner`."""

import argparse
import fcntl
import hashlib
import itertools
import json
import random
import sys
import threading
import time

import msgpack
import zmq


class FakeTuner:
    """Serves from construction until ``close``.

    ``misbehave(message)`` is called for every request; what it returns is sent instead of an answer: None = answer as usual, False = say
    nothing, a dict = the fields of an ER body, bytes = exactly these bytes.
    """

    def __init__(self, endpoint, misbehave=lambda message: None, curve_secret=None, bundle=None):
        self.endpoint = endpoint
        self.bundle = bundle  # bytes that it offers, in parts of 1000
        self.misbehave = misbehave
        self.messages = []  # (type, body) in the order of their taking effect
        self.experiments = {}  # id → search space
        self.runs = set()  # (experiment, run)
        self.suggested = {}  # (experiment, run, parameter id) → parameters
        self.results = {}  # (experiment, run, parameter id) → value text
        self.ends = {}
        self.imported = []
        self.last_message = time.monotonic()
        self._replies = {}
        self._socket = zmq.Context.instance().socket(zmq.ROUTER)
        self._socket.linger = 0
        if curve_secret is not None:
            self._socket.curve_server = True
            self._socket.curve_secretkey = curve_secret
        self._socket.bind(endpoint)
        self._closing = False
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self):
        self._closing = True
        self._thread.join()
        self._socket.close(0)

    def bodies(self, kind):
        return [body for type_, body in self.messages if type_ == kind]

    def _serve(self):
        while not self._closing:
            if not self._socket.poll(20):
                continue
            peer, frame = self._socket.recv_multipart()
            self.last_message = time.monotonic()
            message = msgpack.unpackb(frame, raw=False)
            answer = self.misbehave(message)
            if answer is False:
                continue
            if isinstance(answer, bytes):
                self._socket.send_multipart([peer, answer])
                continue
            type_, body = ("ER", answer) if answer is not None else self._answer(message)
            envelope = {key: message[key] for key in ("version", "experiment", "request")}
            self._socket.send_multipart([peer, msgpack.packb({**envelope, "type": type_, "body": body})])

    def _answer(self, message):
        key = (message["experiment"], message["request"])
        if key in self._replies:
            return self._replies[key]
        needs_run = message["type"] not in ("IN", "PI", "BU")
        if needs_run and (message["experiment"], message["body"]["run"]) not in self.runs:
            return "ER", {"code": "unknown_experiment", "message": f"run \"{message['body']['run']}\" is not known; send IN first"}
        reply = getattr(self, "_" + message["type"])(message["experiment"], message["body"])
        if reply[0] != "ER":
            self.messages.append((message["type"], message["body"]))
            self._replies[key] = reply
        return reply

    def _IN(self, experiment, body):
        resumed = experiment in self.experiments
        space = json.loads(body["space"])
        for name, dimension in space.items():
            if dimension.get("_type") not in ("choice", "uniform", "loguniform"):
                return "ER", {"code": "input", "message": f"space.{name}._type: unknown type \"{dimension.get('_type')}\""}
        self.experiments[experiment] = space
        self.runs.add((experiment, body["run"]))
        results = sum(key[0] == experiment for key in self.results)
        return "ID", {"server": "fake-tuner 1", "task": 1, "resumed": resumed, "results": results, "past_tasks": 0}

    def _SS(self, experiment, body):
        self.experiments[experiment] = json.loads(body["space"])
        return self._ok()

    def _GE(self, experiment, body):
        trials = []
        for parameter_id in body["parameter_ids"]:
            parameters = self._next(experiment)
            if parameters is not None:
                self.suggested[experiment, body["run"], parameter_id] = parameters
                trials.append({"parameter_id": parameter_id, "parameters": json.dumps(parameters), "source": "algorithm"})
        return ("TR", {"trials": trials}) if trials else ("NO", {"reason": "every configuration was tried"})

    def _next(self, experiment):
        space = self.experiments[experiment]
        if all(dimension["_type"] == "choice" for dimension in space.values()):
            tried = [parameters for key, parameters in self.suggested.items() if key[0] == experiment]
            for values in itertools.product(*(dimension["_value"] for dimension in space.values())):
                parameters = dict(zip(space, values))
                if parameters not in tried:
                    return parameters
            return None
        return {
            name: random.choice(dimension["_value"]) if dimension["_type"] == "choice" else random.uniform(*dimension["_value"][:2])
            for name, dimension in space.items()
        }

    def _ME(self, experiment, body):
        key = (experiment, body["run"], body["parameter_id"])
        if key not in self.suggested:
            if not body["parameters"]:
                return "ER", {"code": "input", "message": f"parameter_id: {body['parameter_id']} was never given out"}
            self.suggested[key] = json.loads(body["parameters"])
        if body["parameter_id"] is not None and key in self.results:
            return self._ok(0)
        self.results[key] = body["value"]
        return self._ok(1)

    def _EN(self, experiment, body):
        self.ends[experiment, body["run"], body["parameter_id"]] = body["outcome"]
        return self._ok(1)

    def _FD(self, experiment, body):
        self.imported += body["records"]
        return self._ok(len(body["records"]))

    def _AD(self, experiment, body):
        for record in body["records"]:
            self.suggested[experiment, body["run"], record["parameter_id"]] = json.loads(record["parameters"])
        return self._ok(len(body["records"]))

    def _TE(self, experiment, body):
        return self._ok()

    def _BU(self, experiment, body):
        if self.bundle is None:
            return "ER", {"code": "input", "message": "this tuner offers none"}
        part = self.bundle[body["offset"] : body["offset"] + 1000]
        return "BP", {"digest": hashlib.sha256(self.bundle).hexdigest(), "size": len(self.bundle), "part": part}

    def _PI(self, experiment, body):
        return self._ok()

    @staticmethod
    def _ok(counted=0):
        return "OK", {"counted": counted, "warning": ""}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("command", choices=["serve"])
    parser.add_argument("--store", required=True)
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--idle-exit", type=float, required=True)
    parser.add_argument("--bundle", required=True)
    options = parser.parse_args()
    lock = open(options.store + ".lock", "w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        print(f"hyperfd-tuner: {options.store} is locked by another server", file=sys.stderr)
        return 4
    server = FakeTuner(options.endpoint)
    while time.monotonic() - server.last_message < options.idle_exit:
        time.sleep(0.05)
    server.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
