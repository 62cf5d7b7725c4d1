"""What the adapter learns from NNI, and does to it, beside the tuner class."""

import base64
import http.server
import json
import threading
from pathlib import Path

import pytest

from hyperfd_nni.experiment_end import ExperimentEnd
from hyperfd_nni.nni_context import read_nni_context
from hyperfd_nni.nni_manager import NniManager
from hyperfd_nni.plain import fingerprint, plain, to_json


def encoded(config):
    return ["nni", "--exp_params", base64.b64encode(json.dumps(config).encode()).decode()]


def test_context_of_a_process_that_nni_started(tmp_path):
    environment = {
        "NNI_CHECKPOINT_DIRECTORY": str(tmp_path / "abcd1234" / "checkpoint"),
        "NNI_TUNER_COMMAND_CHANNEL": "ws://localhost:8081/prefix/tuner",
    }
    configuration = {"maxTrialNumber": 20, "searchSpaceFile": "/a/space.yaml", "trialCodeDirectory": "/a"}
    context = read_nni_context(environment, encoded(configuration))
    assert context[:4] == ("abcd1234", tmp_path / "abcd1234" / "checkpoint", 20, "http://localhost:8081/prefix/api/v1/nni")
    assert context[4:] == (Path("/a/space.yaml"), Path("/a"))


@pytest.mark.parametrize("arguments", [["nni"], ["nni", "--exp_params"], ["nni", "--exp_params", "!"], encoded([1]), encoded({}), encoded({"maxTrialNumber": "x"})])
def test_context_without_a_limit_or_without_nni(arguments):
    context = read_nni_context({}, arguments)
    assert context.max_trial_number == 0 and context.manager_url is None
    assert context.experiment and context.checkpoint.is_dir()


def test_plain_values():
    numpy = pytest.importorskip("numpy")
    value = {"a": numpy.float64(0.5), "b": numpy.int32(3), "c": numpy.arange(2), "d": (True, None), 5: {1}, "e": Path("/x")}
    assert plain(value) == {"a": 0.5, "b": 3, "c": [0, 1], "d": [True, None], "5": [1], "e": "/x"}
    assert type(plain(numpy.bool_(True))) is bool
    assert to_json({"é": 0.1, "n": float("nan")}) == r'{"\u00e9":0.1,"n":NaN}'
    assert fingerprint({"b": 1.0, "a": [2]}) == fingerprint({"a": [2.0], "b": 1}) != fingerprint({"a": [2], "b": 1.5})


class FakeManager:
    """NNI's REST API as far as it is used."""

    def __init__(self):
        self.jobs = []
        self.profile = {"id": "e", "revision": 3, "params": {"maxTrialNumber": 50}}
        self.broken = False
        manager = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = {"/api/v1/nni/trial-jobs": manager.jobs, "/api/v1/nni/experiment": manager.profile}[self.path]
                self.answer(500 if manager.broken else 200, json.dumps(body).encode())

            def do_PUT(self):
                assert self.path == "/api/v1/nni/experiment?update_type=MAX_TRIAL_NUM"
                assert self.headers["Content-Type"] == "application/json"
                manager.profile = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.answer(200, b"")

            def answer(self, code, body):
                self.send_response(code)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/api/v1/nni"

    def limit(self):
        return self.profile["params"]["maxTrialNumber"]

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def manager(monkeypatch):
    monkeypatch.setenv("http_proxy", "http://192.0.2.1:1")  # must not be used
    manager = FakeManager()
    yield manager
    manager.close()


def test_experiment_ends_when_the_last_trial_has_ended(manager):
    end = ExperimentEnd(NniManager(manager.url))
    manager.jobs = [{"status": "SUCCEEDED"}, {"status": "RUNNING"}]
    end.advance(all_ended=True)  # nobody wants it yet
    end.want("exhausted")
    end.advance(all_ended=False)
    end.advance(all_ended=True)  # one of a former run is running still
    assert manager.limit() == 50 and end.wanted
    manager.jobs[1]["status"] = "FAILED"
    manager.broken = True
    end.advance(all_ended=True)
    assert manager.limit() == 50 and end.wanted
    manager.broken = False
    end.advance(all_ended=True)
    assert manager.limit() == 2 and not end.wanted
    assert manager.profile["id"] == "e" and manager.profile["revision"] == 3


def test_the_manager_knows_how_the_newest_trial_of_an_id_ended(manager):
    def job(sequence, parameter_id, status, **more):
        return {"sequenceId": sequence, "status": status, "hyperParameters": [json.dumps({"parameter_id": parameter_id})], **more}

    known = NniManager(manager.url)
    manager.jobs = [
        job(0, 1, "SUCCEEDED", endTime=5), job(7, 1, "USER_CANCELED", endTime=9), job(8, 2, "RUNNING"), {"sequenceId": 9, "status": "WAITING"},
    ]
    assert known.outcome_of(1) == "USER_CANCELED"
    assert known.outcome_of(2) is None
    assert known.outcome_of(3) is None


def test_experiment_does_not_end_when_there_is_more_after_all(manager):
    end = ExperimentEnd(NniManager(manager.url))
    end.want("exhausted")
    end.cancel()
    end.advance(all_ended=True)
    assert manager.limit() == 50
