"""What is fetched from a tuner elsewhere before the one on this machine starts."""

import os
import time
import uuid
from pathlib import Path

import pytest
from fake_tuner import FakeTuner
from nni_driver import eventually

from hyperfd_nni import client as client_module
from hyperfd_nni import embedded, pulled
from hyperfd_nni.client import Client
from hyperfd_nni.pulled import PulledTuner

BUNDLE = os.urandom(3456)


@pytest.fixture
def run(short_tmp, tmp_path, fake_programs, monkeypatch):
    """Starts a tuner that pulls from that address; what the tuner was started with."""
    monkeypatch.setattr(client_module, "FIRST_WAIT", 0.1)
    monkeypatch.setattr(pulled, "PART_SECONDS", 1.0)
    started = []

    def start(name="store.sqlite"):
        tuner = PulledTuner(tmp_path / name, Client(f"ipc://{short_tmp}/platform"), idle_exit=1)
        started.append(tuner)
        client = Client(tuner.endpoint, before_attempt=tuner.ensure)
        try:
            assert client.request("-", "PI", {}, uuid.uuid4().hex, time.monotonic() + 20).type == "OK"
        finally:
            client.close()
        return tuner._process.args

    yield start
    eventually(lambda: all(tuner._process is None or tuner._process.poll() is not None for tuner in started))


@pytest.fixture
def platform(short_tmp):
    server = FakeTuner(f"ipc://{short_tmp}/platform", bundle=BUNDLE)
    yield server
    server.close()


def bundle_of(command):
    """The bytes of the file; the name of the bundle that comes with the tuner."""
    name = command[command.index("--bundle") + 1]
    return name if name == embedded.BUNDLE else Path(name).read_bytes()


def test_starts_with_the_bundle_and_asks_for_nothing_else(run, platform):
    assert bundle_of(run()) == BUNDLE
    assert platform.messages == [("BU", {"offset": offset}) for offset in (0, 1000, 2000, 3000)]


def test_starts_without_where_nothing_is_offered(run, platform, caplog):
    platform.bundle = None
    assert bundle_of(run()) == embedded.BUNDLE
    assert "this tuner offers none; the tuner goes without it" in caplog.text


def test_starts_with_the_last_one_where_nobody_answers(run, platform, caplog):
    run("first.sqlite")
    platform.misbehave = lambda message: False
    assert bundle_of(run("second.sqlite")) == BUNDLE
    assert "the last one counts" in caplog.text


def test_a_damaged_bundle_is_not_used(run, platform, caplog):
    def damage(message):
        platform.bundle = BUNDLE[:1500] + b"x" + BUNDLE[1501:] if message["body"]["offset"] == 1000 else BUNDLE

    platform.misbehave = damage
    assert bundle_of(run()) == embedded.BUNDLE
    assert "damaged, or was replaced meanwhile" in caplog.text


def test_a_bundle_that_the_tuner_cannot_read_is_left_out_at_the_next_start(tmp_path, monkeypatch, caplog):
    tuner = embedded.EmbeddedTuner(tmp_path / "store.sqlite", bundle="/pulled.sqlite")
    monkeypatch.setattr(tuner, "_last_log_line", lambda: "hyperfd-tuner: /pulled.sqlite: schema version 2, expected 3")
    tuner._report_exit(embedded.EXIT_STORE)
    assert tuner._bundle == "none"
    assert "the bundle is left out: hyperfd-tuner: /pulled.sqlite: schema version 2" in caplog.text
