"""A trial for NNI 3 (local) that asks bench_nni.py's evaluator for its value. Speaks NNI's own protocol (docs/trial_channel.md): importing nni
and scikit-learn would take longer than the evaluation."""

import http.client
import json
import os
import socket
import time
from urllib.parse import urlsplit

channel = urlsplit(os.environ["NNI_TRIAL_COMMAND_CHANNEL"])
job = os.environ["NNI_TRIAL_JOB_ID"]


def ask(method, path, command=None):
    connection = http.client.HTTPConnection(channel.hostname, channel.port, timeout=60)
    body = None if command is None else json.dumps(command)
    connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
    reply = connection.getresponse()
    content = reply.read()
    if reply.status != 200:
        raise SystemExit(f"{method} {path}: {reply.status} {content[:200]!r}")
    return content


ask("PUT", channel.path, {"type": "request_parameter"})
record = json.loads(json.loads(ask("GET", channel.path))["parameter"])
with socket.socket(socket.AF_UNIX) as evaluator:
    evaluator.connect(os.environ["BENCH_NNI_EVALUATOR"])
    evaluator.sendall(json.dumps(record["parameters"]).encode() + b"\n")
    value = json.loads(evaluator.makefile().readline())
api = channel.path[: channel.path.rindex("/env/")]
while not ask("GET", f"{api}/api/v1/nni/trial-jobs/{job}"):  # NNI drops metrics of trials that it has not stored yet
    time.sleep(0.05)
metric = {"parameter_id": record["parameter_id"], "trial_job_id": job, "type": "FINAL", "sequence": 0, "value": json.dumps(value)}
ask("PUT", channel.path, {"type": "metric", "metric": json.dumps(metric)})
