"""A tuner learns from a data set that is described and served by the real programs."""

import json
import os
import sqlite3
import subprocess
import time

import numpy as np
import pytest
from minimal_client import MinimalClient
from nnictl import PROGRAMS, SOURCE, needs_tuner, sample_data
from platform_process import SPACE, PlatformProcess
from relay import Relay, message_sizes

pytestmark = [
    pytest.mark.integration,
    needs_tuner,
    pytest.mark.skipif(not os.access(PROGRAMS / "hyperfd-trial", os.X_OK), reason="hyperfd-trial is not built"),
]


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    sample_data(folder / "portraits", 24)
    file = folder / "faces.features"
    subprocess.run(
        [PROGRAMS / "hyperfd-trial", "describe", "--data", folder / "portraits", "--split", "all", "--out", file,
         "--weights", SOURCE / "models" / "mobilenet_v1_x0.25.pt"],
        check=True,
    )  # fmt: skip
    return file


def serve(features, endpoint, experiment, *more):
    command = [PROGRAMS / "hyperfd-trial", "serve-dataset", "--features", features, "--endpoint", endpoint, "--experiment", experiment, *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def line_with(process, word):
    for line in process.stdout:
        if word in line:
            return line
    raise AssertionError(f"the program ended without a line with {word!r}, code {process.wait()}")


def run(endpoint, experiment, before_results=lambda: None):
    client = MinimalClient(endpoint, experiment, "run-1")
    assert client.begin(SPACE, budget=4, policy="hyperfd:iterations=20:warm_up=0")[0] == "ID"
    before_results()
    for parameter_id in client.generate(*range(4)):
        client.final(parameter_id, 0.1 * parameter_id)
    assert client.ask("TE")[0] == "OK"
    client.close()


def test_the_ranker_learns_through_it_and_lets_it_go(features, endpoint, short_tmp):
    log = short_tmp / "egress.jsonl"
    served = []

    def begin_serving():
        served.append(serve(features, endpoint, "first", "--egress-log", log))
        line_with(served[0], "settled:")

    run(endpoint, "first", begin_serving)
    end = line_with(served[0], "ended:")
    assert "the experiment has ended" in end
    assert served[0].wait(20) == 0
    orders = int(end.split(";")[1].split()[0])
    assert orders > 20, "φ and gradients of an update"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert lines[0]["message"] == "DO" and {line["message"] for line in lines} == {"DO", "DN"}
    assert f"{sum(line['bytes'] for line in lines) / 1e6:.1f} MB sent" in end

    def serve_another():
        served.append(serve(features, endpoint, "second", "--egress-log", log))
        line_with(served[1], "settled:")
        with sqlite3.connect(f"file:{short_tmp}/store.sqlite?mode=ro", uri=True) as store:
            rows = store.execute("SELECT length(d.feature) FROM datasets d JOIN experiments e ON e.id = d.experiment_id WHERE e.name = 'second'")
            assert rows.fetchone()[0] == 64 * 4, "φ is there before the first suggestion"

    run(endpoint, "second", serve_another)
    line_with(served[1], "ended:")


def test_a_private_data_set_gives_its_meta_feature_and_no_more(features, endpoint, short_tmp):
    first = []

    def teach():
        first.append(serve(features, endpoint, "teacher", "--egress-log", short_tmp / "a"))
        line_with(first[0], "settled:")

    run(endpoint, "teacher", teach)  # there is an extractor from here on
    line_with(first[0], "ended:")
    private = []

    def serve_privately():
        more = ["--privacy", "private", "--group", "4", "--egress-log", short_tmp / "b", "--ledger", short_tmp / "ledger"]
        private.append(serve(features, endpoint, "pupil", *more))
        assert "epsilon 0 spent before, 4 at most in all" in line_with(private[0], "epsilon")
        line_with(private[0], "settled:")

    run(endpoint, "pupil", serve_privately)
    end = line_with(private[0], "ended:")
    assert 1 <= int(end.split(";")[1].split()[0]) <= 4
    assert 1 <= len((short_tmp / "ledger").read_text().splitlines()) <= 5, "four answers and a number of faces"


def described_images(features):
    """The numbers of each image, as `hyperfd-trial describe` stores them."""
    header, numbers = features.read_bytes().split(b"\n", 3)[2:]
    header = json.loads(header)
    return np.frombuffer(numbers, "<f2").reshape(header["images"], header["features"])


def traces(sent, features, folder):
    """What of the data set is found in these bytes: parts of image files, image features in any precision, names."""
    found = []
    for file in sorted((folder / "images").iterdir()):
        content = file.read_bytes()
        found += [f"{file.name} at {i}" for i in range(0, len(content) - 16, 251) if content[i : i + 16] in sent]
        found += [f"name {name}" for name in (file.name, file.stem) if name.encode() in sent]
    for i, image in enumerate(described_images(features)):
        for at in range(0, len(image) - 4, 20):
            part = image[at : at + 4]
            if len(np.unique(part)) == 4:  # and not the zeros of a group without anchors
                for kind in ("<f2", "<f4", "<f8"):
                    if part.astype(kind).tobytes() in sent:
                        found.append(f"features of image {i} from {at} as {kind}")
    return found + [f"name {name}" for name in (folder.name, folder.parent.name) if name.encode() in sent]


PRIVATELY = ("--privacy", "private", "--group", "4", "--gradients", "--epsilon", "1000", "--releases", "50")


@pytest.mark.parametrize("more", [(), PRIVATELY])
def test_no_trace_of_an_image_goes_over_the_wire_and_the_log_has_every_byte(features, short_tmp, more):
    folder, log = features.parent / "portraits", short_tmp / "egress.jsonl"
    platform = PlatformProcess(short_tmp, keys=False)
    relay = Relay(platform.port)
    try:
        client = MinimalClient(f"tcp://127.0.0.1:{platform.port}", "e", "run-1")
        assert client.begin(SPACE, budget=4, policy="hyperfd:iterations=20:warm_up=0")[0] == "ID"
        files = ["--egress-log", log, "--ledger", short_tmp / "ledger"]
        serving = serve(features, f"tcp://127.0.0.1:{relay.port}", "e", *files, *more)
        line_with(serving, "settled:")
        for parameter_id in client.generate(*range(4)):
            client.final(parameter_id, 0.1 * parameter_id)
        client.ask("TE")
        line_with(serving, "ended:")
        client.close()
    finally:
        relay.close()
        platform.close()
    (sent,) = relay.connections
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert message_sizes(sent) == [line["bytes"] for line in lines]
    assert max(line["bytes"] for line in lines) > 100_000, "gradients went"
    assert traces(sent, features, folder) == []

    image = described_images(features)[3]
    part_of_file = next((folder / "images").iterdir()).read_bytes()[:600]
    for leak in (part_of_file, image.tobytes(), image.astype("<f4").tobytes(), b"portraits/images"):
        assert traces(bytes(sent) + leak, features, folder), "the search finds what it looks for"


def test_dry_run_says_what_would_leave_and_sends_nothing(features, short_tmp):
    command = [PROGRAMS / "hyperfd-trial", "serve-dataset", "--features", features, "--dry-run", "--privacy", "private", "--group", "4"]
    begin = time.monotonic()
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "log1p(boxes) (of the number of faces, 20 an image at most, with noise" in text and "delta 1e-05" in text
    assert time.monotonic() - begin < 20


def test_an_endpoint_nobody_answers_at_is_given_up(features, short_tmp):
    process = serve(features, f"ipc://{short_tmp}/nobody", "e", "--away", "1", "--egress-log", short_tmp / "c")
    assert process.wait(20) == 3
