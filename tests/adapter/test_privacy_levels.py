"""Whole NNI experiments with images at a tuner elsewhere: what arrives there, and what goes over the wire."""

import ctypes
import json
import os
import shutil
import sqlite3
import subprocess
from contextlib import contextmanager

import pytest
from nnictl import PROGRAMS, Experiment, NniHome, needs_tuner, sample_data, stored_results
from platform_process import OFFLINE_TASKS, POLICY, SPACE, PlatformProcess
from relay import Relay, message_sizes

pytestmark = [
    pytest.mark.integration,
    needs_tuner,
    pytest.mark.skipif(not os.access(PROGRAMS / "hyperfd-trial", os.X_OK), reason="hyperfd-trial is not built"),
]

TRIAL = "import nni\np = nni.get_next_parameter()\nnni.report_final_result(p['lr'] + 0.01 * p['layers'])\n"
TRIALS = 4
FEATURE_BYTES = 64 * 4  # φ


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    return sample_data(tmp_path_factory.mktemp("faces") / "faces", 48)


@pytest.fixture
def home(tmp_path):
    return NniHome(tmp_path)


@pytest.fixture
def platform(short_tmp):
    platform = PlatformProcess(short_tmp)
    yield platform
    platform.close()


@pytest.fixture
def relay(platform):
    relay = Relay(platform.port)
    yield relay
    relay.close()


def tuner(platform, faces, endpoint, **more):
    args = {"policy": POLICY, "endpoint": endpoint, "dataset": str(faces), **platform.client_args, **more}
    return {"name": "HyperFD", "classArgs": args}


def run(home, tuner):
    """Until the data set's program has ended: the ranker has learned from the experiment."""
    with Experiment(home, SPACE, TRIAL, tuner, max_trials=TRIALS) as experiment:
        experiment.wait_done()
        experiment.stop()  # the run ends
        log = experiment.folder / "checkpoint" / "hyperfd-dataset.log"
        experiment.wait_until(lambda: "\nended:" in log.read_text())
    return log.read_text(), experiment.log()


def features_at(store):
    """(bytes of φ, statistics) of each client's experiment."""
    with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as database:
        rows = database.execute(
            "SELECT e.name, length(d.feature), d.statistics"
            " FROM datasets d JOIN experiments e ON e.id = d.experiment_id ORDER BY e.id"
        )
        return [(size, json.loads(statistics)) for name, size, statistics in rows if not name.startswith("offline/")]


def experiments_at(store):
    with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as database:
        return [name for (name,) in database.execute("SELECT name FROM experiments")]


def sums(relay):
    """Bytes of the messages of each connection."""
    return [sum(message_sizes(sent, curve=True)) for sent in relay.connections]


def log_of(home, kind):
    """Lines of what the data set's program noted, over all experiments."""
    (file,) = (home.data / "hyperfd" / "datasets").glob(f"*.features.{kind}.jsonl")
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_share_and_private_give_what_they_say_and_the_log_has_all_of_it(home, platform, relay, faces):
    endpoint = f"tcp://127.0.0.1:{relay.port}"
    run(home, tuner(platform, faces, endpoint, privacy="share"))
    ((size, statistics),) = features_at(platform.store)
    assert size == FEATURE_BYTES and all(value is not None for _, value in statistics)
    shared = log_of(home, "egress")
    assert {line["message"] for line in shared} == {"DO", "DN"}
    assert sum(line["bytes"] for line in shared) in sums(relay)
    assert not list(home.folder.rglob("*.privacy.jsonl"))

    run(home, tuner(platform, faces, endpoint, privacy="private", epsilon=8.0))
    _, (size, told) = features_at(platform.store)
    true, told = dict(statistics), dict(told)
    assert size == FEATURE_BYTES and told["log1p(images)"] == true["log1p(images)"]
    assert told["log1p(boxes)"] not in (None, true["log1p(boxes)"]), "told with noise"
    private = log_of(home, "egress")[len(shared) :]
    assert sum(line["bytes"] for line in private) in sums(relay)
    answers = [line for line in private if line["message"] == "DN" and line["bytes"] > 2 * FEATURE_BYTES]
    ledger = log_of(home, "privacy")
    counts = [line["value"] for line in ledger if "name" in line]
    assert counts == [told["log1p(boxes)"]]
    assert 1 <= len(answers) == len(ledger) - len(counts) <= 4
    assert len({line["sha256"] for line in answers}) == len(answers)


def test_pull_fetches_the_bundle_and_sends_nothing_more(home, platform, relay, faces):
    _, log = run(home, tuner(platform, faces, f"tcp://127.0.0.1:{relay.port}"))  # pull is the default
    assert f"{OFFLINE_TASKS} earlier task(s) on this search space" in log
    assert len([result for result in stored_results(home) if not result[0].startswith("offline/")]) == TRIALS
    ((size, _),) = features_at(home.store)
    assert size == FEATURE_BYTES

    (sent,) = relay.connections
    sizes = message_sizes(sent, curve=True)
    parts = -(-(platform.folder / "bundle.sqlite").stat().st_size // (256 << 10))
    assert len(sizes) == parts and max(sizes) < 150, "requests for the bundle's parts, and no other message"
    assert experiments_at(platform.store) == []


@contextmanager
def inside(namespace):
    """This thread, and what it starts, in another network."""
    libc, new_network = ctypes.CDLL(None, use_errno=True), 0x40000000
    with open("/proc/self/ns/net") as own, open(f"/var/run/netns/{namespace}") as other:
        assert libc.setns(other.fileno(), new_network) == 0, os.strerror(ctypes.get_errno())
        try:
            yield
        finally:
            assert libc.setns(own.fileno(), new_network) == 0


@pytest.fixture
def two_machines():
    """Two networks that know nothing but each other: (name, address) of each."""
    ends = [(f"hyperfd-{os.getpid()}-{i}", f"10.77.0.{i + 1}", f"hfd{os.getpid() % 100000}{i}") for i in range(2)]

    def ip(*arguments):
        return subprocess.run(["ip", *arguments], capture_output=True, text=True)

    try:
        for namespace, _, _ in ends:
            if (made := ip("netns", "add", namespace)).returncode != 0:
                pytest.skip(f"two machines in network namespaces need root: ip netns add: {made.stderr.strip()}")
        if (made := ip("link", "add", ends[0][2], "type", "veth", "peer", "name", ends[1][2])).returncode != 0:
            pytest.skip(f"two machines in network namespaces need virtual links: {made.stderr.strip()}")
        for namespace, address, link in ends:
            ip("link", "set", link, "netns", namespace)
            ip("-n", namespace, "address", "add", f"{address}/24", "dev", link)
            for device in ("lo", link):
                if (done := ip("-n", namespace, "link", "set", device, "up")).returncode != 0:  # in a chroot, say
                    pytest.skip(f"network namespaces cannot be entered: {done.stderr.strip()}")
        yield [end[:2] for end in ends]
    finally:
        for namespace, _, _ in ends:
            ip("netns", "del", namespace)


@pytest.mark.skipif(shutil.which("ip") is None, reason="ip (iproute2) is not installed")
def test_the_platform_is_on_another_machine(two_machines, home, short_tmp, faces):
    (there, address), (here, _) = two_machines
    platform = PlatformProcess(short_tmp, host=address, prefix=("ip", "netns", "exec", there))
    try:
        with inside(here):
            run(home, tuner(platform, faces, f"tcp://{address}:{platform.port}", privacy="share"))
        ((size, _),) = features_at(platform.store)
        assert size == FEATURE_BYTES
        assert len(experiments_at(platform.store)) == 1 and not home.store.exists()
    finally:
        platform.close()
