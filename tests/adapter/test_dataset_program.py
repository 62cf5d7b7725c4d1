"""The programs that describe and serve a data set, as the adapter starts and watches them."""

import os
import stat
import time
from pathlib import Path

import pytest

from hyperfd_nni.class_args import Settings
from hyperfd_nni.dataset_program import DatasetProgram
from hyperfd_nni.nni_context import NniContext

ENDPOINT = "ipc:///tmp/somewhere.ipc"


@pytest.fixture
def trial_program(tmp_path, monkeypatch):
    """Writes a `hyperfd-trial` of which `describe` and `serve-dataset` are these lines of shell."""

    def write(describe: str, serve: str):
        folder = tmp_path / "bin"
        folder.mkdir()
        program = folder / "hyperfd-trial"
        program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\ncase $1 in\ndescribe) {describe};;\nserve-dataset) {serve};;\nesac\n')
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("HYPERFD_BIN_DIR", str(folder))
        monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))

    return write


def make(tmp_path, **settings):
    values = {"dataset": Path("/data/my faces"), "describe_timeout": 10.0, **settings}
    return DatasetProgram(Settings(**values), NniContext("exp1", tmp_path, 4, None), ENDPOINT)


def waited(program) -> float:
    begin = time.monotonic()
    program.wait()
    return time.monotonic() - begin


def calls(tmp_path):
    return (tmp_path / "calls").read_text().splitlines()


def test_waits_until_the_tuner_has_the_meta_feature(tmp_path, trial_program):
    trial_program("sleep 0.2", "sleep 0.2; echo settled: yes; sleep 0.5")
    program = make(tmp_path)
    program.start()
    assert 0.3 < waited(program) < 5
    assert waited(program) < 0.25, "only once"
    describe, serve = calls(tmp_path)
    assert describe.startswith("describe --data /data/my faces --out ")
    assert f"--endpoint {ENDPOINT} --experiment exp1 --follow {os.getpid()}" in serve


def test_never_waits_longer_than_describe_timeout(tmp_path, trial_program):
    trial_program("sleep 2", "true")
    program = make(tmp_path, describe_timeout=0.3)
    program.start()
    assert waited(program) < 1.8


def test_goes_on_when_the_data_set_cannot_be_described(tmp_path, trial_program, caplog):
    trial_program("echo no such folder >&2; exit 2", "echo settled: yes")
    program = make(tmp_path)
    program.start()
    assert waited(program) < 5
    assert "no such folder; the tuner goes without it" in caplog.text
    assert len(calls(tmp_path)) == 1, "nothing is served"


def test_goes_on_without_the_program(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("HYPERFD_BIN_DIR", str(tmp_path))
    program = make(tmp_path)
    program.start()
    assert waited(program) < 2
    assert "hyperfd-trial not found" in caplog.text


def test_privacy_and_keys_are_passed_on(tmp_path, trial_program):
    trial_program("true", "echo settled: yes")
    program = make(
        tmp_path, endpoint="tcp://h:1", server_key=Path("/s"), client_key=Path("/c"), privacy="private", epsilon=2.0, delta=1e-6
    )
    program.start()
    program.wait()
    serve = calls(tmp_path)[1]
    assert "--server-key /s --client-key /c --privacy private --epsilon 2.0 --delta 1e-06" in serve
    assert "--least-images" not in serve
