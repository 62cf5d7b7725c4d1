"""A tuner learns from a data set that is described and served by the real programs."""

import json
import os
import sqlite3
import subprocess
import sys
import time

import pytest
from minimal_client import MinimalClient
from nnictl import PROGRAMS, SOURCE, needs_tuner

pytestmark = [
    pytest.mark.integration,
    needs_tuner,
    pytest.mark.skipif(not os.access(PROGRAMS / "hyperfd-trial", os.X_OK), reason="hyperfd-trial is not built"),
]

SPACE = {"lr": {"_type": "choice", "_value": [0.1, 0.01, 0.001]}, "layers": {"_type": "choice", "_value": [1, 2, 3, 4]}}


@pytest.fixture(scope="module")
def features(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    subprocess.run([sys.executable, SOURCE / "scripts" / "make_sample_data.py", folder / "faces", "--images", "24"], check=True)
    file = folder / "faces.features"
    subprocess.run(
        [PROGRAMS / "hyperfd-trial", "describe", "--data", folder / "faces", "--split", "all", "--out", file,
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
    assert client.begin(SPACE, budget=4, policy="hyperfd:iterations=20")[0] == "ID"
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
    assert 1 <= len((short_tmp / "ledger").read_text().splitlines()) <= 4


def test_dry_run_says_what_would_leave_and_sends_nothing(features, short_tmp):
    command = [PROGRAMS / "hyperfd-trial", "serve-dataset", "--features", features, "--dry-run", "--privacy", "private", "--group", "4"]
    begin = time.monotonic()
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "(withheld)" in text and "delta 1e-05" in text
    assert time.monotonic() - begin < 20


def test_an_endpoint_nobody_answers_at_is_given_up(features, short_tmp):
    process = serve(features, f"ipc://{short_tmp}/nobody", "e", "--away", "1", "--egress-log", short_tmp / "c")
    assert process.wait(20) == 3
