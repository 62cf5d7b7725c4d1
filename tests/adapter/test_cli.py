"""The command hyperfd-nni."""

import json

import pytest
from fake_tuner import FakeTuner
from nni.tools.package_utils import get_algo_meta

from hyperfd_nni import delivery
from hyperfd_nni.cli import main
from hyperfd_nni.journal import Journal
from hyperfd_nni.outbox import Outbox
from hyperfd_nni.session import OUTBOX_FILE


@pytest.fixture(autouse=True)
def own_registry(tmp_path, monkeypatch):
    (tmp_path / "nni-config").mkdir()
    monkeypatch.setenv("NNI_CONFIG_DIR", str(tmp_path / "nni-config"))


def test_register_and_unregister(capsys):
    assert main(["register"]) == 0 and main(["register"]) == 0
    meta = get_algo_meta("hyperfd")
    assert (meta.name, meta.class_name) == ("HyperFD", "hyperfd_nni.tuner.HyperFDTuner")
    assert main(["unregister"]) == 0
    assert get_algo_meta("hyperfd") is None
    assert main(["unregister"]) == 0
    assert "was not registered" in capsys.readouterr().out


def test_doctor_says_what_is_wrong_and_what_is_well(fake_programs, capsys):
    assert main(["doctor"]) == 1  # no hyperfd-trial, not registered, and the fake has no --version
    lines = capsys.readouterr().out.splitlines()
    state = {line[5:].split(":")[0]: line.startswith("ok") for line in lines}
    assert state == {
        "NNI": True, "hyperfd-tuner": False, "hyperfd-trial": False, "registration": False, "store folder": True, "tuner round trip": True,
    }
    assert any("run `hyperfd-nni register`" in line for line in lines)
    assert any("fake-tuner 1 suggested" in line for line in lines)


def test_deliver_sends_what_an_ended_experiment_left(short_tmp, capsys):
    checkpoint = short_tmp / "exp7" / "checkpoint"
    outbox = Outbox(Journal(checkpoint / OUTBOX_FILE), "run")
    outbox.mark(stays=False)
    space = json.dumps({"x": {"_type": "choice", "_value": [1, 2]}})
    outbox.add("IN", {"run": "run", "space": space, "optimize_mode": "maximize", "budget": 0, "policy": "random", "seed": 0})
    outbox.add("AD", {"run": "run", "records": [{"parameter_id": 5, "parameters": '{"x":1}'}]})
    result = {"parameter_id": 5, "trial_job_id": "job", "kind": "FINAL", "sequence": 0, "value": "0.5", "parameters": ""}
    outbox.add("ME", {"run": "run", **result})
    outbox.close()
    server = FakeTuner(f"ipc://{short_tmp}/tuner")
    try:
        for expected in ("3 message(s) delivered", "0 message(s) delivered"):
            assert main(["deliver", str(checkpoint), "--endpoint", server.endpoint]) == 0
            assert expected in capsys.readouterr().out
    finally:
        server.close()
    assert server.results == {("exp7", "run", 5): "0.5"}


def test_deliver_says_when_the_tuner_refuses(short_tmp, capsys):
    checkpoint = short_tmp / "exp8" / "checkpoint"
    outbox = Outbox(Journal(checkpoint / OUTBOX_FILE), "run")
    outbox.add("TE", {"run": "run"})
    outbox.close()
    server = FakeTuner(f"ipc://{short_tmp}/tuner", lambda message: {"code": "input", "message": "no"})
    try:
        assert main(["deliver", str(checkpoint), "--endpoint", server.endpoint, "--privacy", "share"]) == 1
    finally:
        server.close()
    assert "0 message(s) delivered, 1 refused" in capsys.readouterr().out


@pytest.mark.parametrize("stays, error", [(True, "only here"), (None, "--privacy pull")])
def test_deliver_sends_nothing_away_that_may_be_to_stay(short_tmp, capsys, monkeypatch, stays, error):
    checkpoint = short_tmp / "exp8" / "checkpoint"
    outbox = Outbox(Journal(checkpoint / OUTBOX_FILE), "run")
    if stays is not None:
        outbox.mark(stays)
    outbox.add("TE", {"run": "run"})
    outbox.close()

    def connect(settings):
        assert settings.is_local
        raise ValueError("only here")

    monkeypatch.setattr(delivery, "connect", connect)
    assert main(["deliver", str(checkpoint), "--endpoint", f"ipc://{short_tmp}/tuner"]) == 1
    assert error in capsys.readouterr().err


def test_deliver_leaves_a_running_experiment_alone(short_tmp, capsys):
    checkpoint = short_tmp / "exp9" / "checkpoint"
    Outbox(Journal(checkpoint / OUTBOX_FILE), "run").add("TE", {"run": "run"})
    running = Journal(checkpoint / OUTBOX_FILE)
    assert main(["deliver", str(checkpoint), "--endpoint", f"ipc://{short_tmp}/tuner"]) == 1
    assert "in use: its experiment is still running" in capsys.readouterr().err
    running.close()


def test_deliver_names_a_folder_that_is_not_one(tmp_path, capsys):
    assert main(["deliver", str(tmp_path)]) == 1
    assert str(tmp_path) in capsys.readouterr().err
