"""The tuner that is started on this machine, played by the fake one as a program."""

import os
import signal
import subprocess
import time
import uuid

import pytest
from nni_driver import eventually

from hyperfd_nni import client as client_module
from hyperfd_nni import embedded
from hyperfd_nni.client import Client, TunerAway
from hyperfd_nni.embedded import EmbeddedTuner


@pytest.fixture
def store(tmp_path, fake_programs, monkeypatch):
    monkeypatch.setattr(client_module, "FIRST_WAIT", 0.1)
    return tmp_path / "store.sqlite"


def ping(tuner, seconds=20):
    client = Client(tuner.endpoint, before_attempt=tuner.ensure)
    try:
        return client.request("-", "PI", {}, uuid.uuid4().hex, time.monotonic() + seconds)
    finally:
        client.close()


def test_starts_when_needed_and_ends_when_idle(store):
    tuner = EmbeddedTuner(store, idle_exit=1)
    assert ping(tuner).type == "OK"
    eventually(lambda: tuner._process.poll() is not None)
    assert tuner._process.returncode == 0
    assert ping(tuner).type == "OK"  # and starts again
    eventually(lambda: tuner._process.poll() is not None)


def test_starts_again_after_kill_9(store):
    tuner = EmbeddedTuner(store, idle_exit=2)
    ping(tuner)
    first = tuner._process
    first.send_signal(signal.SIGKILL)
    first.wait()
    ping(tuner)
    assert tuner._process.pid != first.pid
    eventually(lambda: tuner._process.poll() is not None)


def test_experiments_on_one_store_share_one_server(store):
    first, second = EmbeddedTuner(store, idle_exit=2), EmbeddedTuner(store.parent / "." / store.name, idle_exit=2)
    ping(first)
    ping(second)
    assert second._process is None
    eventually(lambda: first._process.poll() is not None)


def test_two_that_start_at_once_end_up_with_one_server(store):
    first, second = EmbeddedTuner(store, idle_exit=2), EmbeddedTuner(store, idle_exit=2)
    first.ensure()
    second.ensure()
    assert ping(first).type == ping(second).type == "OK"
    exits = []
    eventually(lambda: exits.extend(t._process.poll() for t in (first, second) if t._process and t._process.poll() is not None) or exits)
    assert embedded.EXIT_STORE in exits or exits == [0]
    eventually(lambda: all(t._process is None or t._process.poll() is not None for t in (first, second)))


def test_says_why_the_server_does_not_start(store, fake_programs, caplog):
    program = fake_programs / "hyperfd-tuner"
    program.write_text("#!/bin/sh\necho 'hyperfd-tuner: store.sqlite is not a database' >&2\nexit 4\n")
    tuner = EmbeddedTuner(store)
    with pytest.raises(TunerAway):
        ping(tuner, 1)
    complaints = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert complaints == ["hyperfd-tuner ended with code 4: hyperfd-tuner: store.sqlite is not a database"]  # once


def test_says_that_another_server_has_the_store(store, fake_programs, caplog):
    program = fake_programs / "hyperfd-tuner"
    program.write_text("#!/bin/sh\necho 'store.sqlite is locked by process 17' >&2\nexit 4\n")
    tuner = EmbeddedTuner(store)
    with pytest.raises(TunerAway):
        ping(tuner, 1)
    assert "another tuner has the store, but does not listen on ipc://" in caplog.text and "process 17" in caplog.text


def test_says_that_the_program_is_missing(store, fake_programs, caplog):
    (fake_programs / "hyperfd-tuner").unlink()
    with pytest.raises(TunerAway):
        ping(EmbeddedTuner(store), 0.5)
    assert f"hyperfd-tuner not found in {fake_programs}" in caplog.text


def test_server_outlives_the_process_that_started_it(store, tmp_path):
    code = f"from pathlib import Path; from hyperfd_nni.embedded import EmbeddedTuner; EmbeddedTuner(Path({str(store)!r}), idle_exit=3).ensure()"
    subprocess.run([os.sys.executable, "-c", code], check=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(os.sys.path)})
    tuner = EmbeddedTuner(store)
    eventually(tuner._listens)
    assert ping(tuner).type == "OK" and tuner._process is None
    eventually(lambda: not tuner._listens())


def test_socket_folder_is_the_users_own(monkeypatch, tmp_path):
    folder = embedded.socket_directory()
    assert folder.stat().st_mode & 0o777 == 0o700
    path = embedded.socket_path(tmp_path / ("long/" * 60) / "store")
    assert len(str(path)) < 100 and path == embedded.socket_path(tmp_path / ("long/" * 60) / "x" / ".." / "store")


def test_socket_folder_that_others_can_enter_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(embedded, "Path", lambda _: tmp_path)
    monkeypatch.setattr(os, "getuid", lambda: os.geteuid())
    folder = tmp_path / f"hyperfd-{os.geteuid()}"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    with pytest.raises(PermissionError, match="mode 0700"):
        embedded.socket_directory()


def test_the_store_starts_with_the_bundle_that_is_asked_for(store):
    for bundle, expected in ((None, "faces"), ("none", "none")):
        tuner = EmbeddedTuner(store, idle_exit=1) if bundle is None else EmbeddedTuner(store, idle_exit=1, bundle=bundle)
        ping(tuner)
        assert f"--bundle {expected}" in " ".join(tuner._process.args)
        eventually(lambda: tuner._process.poll() is not None)
