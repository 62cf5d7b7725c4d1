"""A client of hyperfd-tuner written from docs/protocol.md alone: pyzmq and msgpack, nothing of ours."""
import itertools
import json

import msgpack
import zmq


class MinimalClient:
    def __init__(self, endpoint, experiment, run):
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.linger = 0
        self.socket.connect(endpoint)
        self.experiment, self.run = experiment, run
        self.numbers = itertools.count()

    def ask(self, type_, request=None, attempts=30, **body):
        """Sends a request until it is answered; returns (type, body) of the reply. `request` repeats an earlier one."""
        request = request or f"{self.run}-{next(self.numbers)}"
        if type_ != "PI":
            body["run"] = self.run
        frame = msgpack.packb({"version": 1, "type": type_, "experiment": self.experiment, "request": request, "body": body})
        for _ in range(attempts):
            self.socket.send(frame)
            while self.socket.poll(2000):
                reply = msgpack.unpackb(self.socket.recv())
                if reply["request"] == request:
                    return reply["type"], reply["body"]
        raise TimeoutError(f"no answer to {type_} {request}")

    def begin(self, space, budget=0, policy="random", seed=0, mode="maximize"):
        return self.ask("IN", space=json.dumps(space), optimize_mode=mode, budget=budget, policy=policy, seed=seed)

    def generate(self, *ids):
        type_, body = self.ask("GE", parameter_ids=list(ids))
        return {t["parameter_id"]: json.loads(t["parameters"]) for t in body["trials"]} if type_ == "TR" else {}

    def final(self, parameter_id, value):
        return self.ask("ME", parameter_id=parameter_id, trial_job_id="", kind="FINAL", sequence=0, value=json.dumps(value), parameters="")

    def close(self):
        self.socket.close()
