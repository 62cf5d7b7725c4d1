"""A tuner for several machines, as its operator starts it: over TCP, with keys, and with a bundle to offer."""

import json
import re
import subprocess

from nnictl import PROGRAMS

SPACE = {"lr": {"_type": "choice", "_value": [0.1, 0.01, 0.001]}, "layers": {"_type": "choice", "_value": [1, 2, 3, 4]}}
POLICY = "hyperfd:iterations=20:warm_up=0"
OFFLINE_TASKS = 3


class PlatformProcess:
    """Serves from construction until ``close``. ``prefix`` begins its command, e.g. to start it in another network."""

    def __init__(self, folder, host="127.0.0.1", keys=True, prefix=()):
        self.folder = folder
        self.store = folder / "platform.sqlite"
        self.log = folder / "platform.log"
        self.keys = folder / "keys"
        secure = ["--insecure"]
        if keys:
            _run("keygen", self.keys)
            secure = ["--server-key", self.keys / "server.key", "--allow", self.keys / "clients.allow"]
            secure += ["--policy-options"]  # trainings in the tests are short
        command = [*prefix, PROGRAMS / "hyperfd-tuner", "serve", "--store", self.store, *secure]
        command += ["--endpoint", f"tcp://{host}:*", "--offer-bundle", make_bundle(folder)]
        with open(self.log, "wb") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        while not (found := re.search(r"listening on tcp://[0-9.]+:(\d+)", self.log.read_text())):
            assert self._process.poll() is None, self.log.read_text()
        self.port = int(found.group(1))

    @property
    def client_args(self):
        """Of an experiment's classArgs."""
        return {"server_key": str(self.keys / "server.pub"), "client_key": str(self.keys / "client.key")}

    def close(self):
        self._process.terminate()
        assert self._process.wait(20) == 0


def make_bundle(folder):
    space, table, bundle = folder / "space.json", folder / "table.jsonl", folder / "bundle.sqlite"
    space.write_text(json.dumps(SPACE))
    table.write_text(_run("bench", "table", "--space", space, "--simulated", f"tasks={OFFLINE_TASKS}"))
    _run("warmup", "--table", table, "--space", space, "--out", bundle, "--rounds", "1", "--iterations", "5")
    return bundle


def _run(*arguments):
    return subprocess.run([PROGRAMS / "hyperfd-tuner", *arguments], check=True, capture_output=True, text=True).stdout
