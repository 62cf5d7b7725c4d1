"""Tuners that die, talk nonsense or are not there, under the real nnictl: the experiment ends DONE and no result is lost."""

import itertools
import json
import os
import signal

import pytest
from fake_tuner import FakeTuner
from nnictl import Experiment, NniHome, needs_tuner, stored_results

pytestmark = pytest.mark.integration

SPACE = {"x": {"_type": "uniform", "_value": [0, 1]}}
TRIAL = "import nni, time\nx = nni.get_next_parameter()['x']\ntime.sleep(0.5)\nnni.report_final_result(x)\n"


@pytest.fixture
def home(tmp_path):
    return NniHome(tmp_path)


@needs_tuner
def test_tuner_killed_in_mid_experiment(home):
    with Experiment(home, SPACE, TRIAL, {"name": "HyperFD"}, max_trials=10) as experiment:
        for finished in (2, 5):
            experiment.wait_until(lambda: len(experiment.finals()) >= finished)
            (pid,) = home.tuner_pids()
            os.kill(pid, signal.SIGKILL)
        experiment.wait_done()
        finals = experiment.finals()
        experiment.wait_until(lambda: len(stored_results(home)) == 10, 15)
    results = stored_results(home)
    assert sorted(metric for _, _, metric, _ in results) == sorted(float(text) for text in map(json.loads, finals.values()))
    assert all(json.loads(parameters)["x"] == metric for _, parameters, metric, _ in results)
    assert {source for _, _, _, source in results} == {"algorithm"}


def test_tuner_that_talks_nonsense(home, short_tmp):
    replies = itertools.cycle([b"\xc1 nonsense", {"code": "internal", "message": "it broke"}, b"", False])
    server = FakeTuner(f"ipc://{short_tmp}/tuner", lambda message: next(replies))
    tuner = {"name": "HyperFD", "classArgs": {"endpoint": server.endpoint, "fallback_after": 2}}
    try:
        with Experiment(home, SPACE, TRIAL, tuner, max_trials=4) as experiment:
            experiment.wait_done()
            assert len(experiment.finals()) == 4
            assert "sampled at random" in experiment.log()
    finally:
        server.close()


def test_tuner_that_comes_late_gets_what_it_missed(home, short_tmp):
    endpoint = f"ipc://{short_tmp}/tuner"
    tuner = {"name": "HyperFD", "classArgs": {"endpoint": endpoint, "fallback_after": 1}}
    with Experiment(home, SPACE, TRIAL, tuner, max_trials=6) as experiment:
        experiment.wait_until(lambda: len(experiment.finals()) >= 2)
        server = FakeTuner(endpoint)
        try:
            experiment.wait_done()
            experiment.wait_until(lambda: len(server.results) == 6, 15)
            finals = experiment.finals()
        finally:
            server.close()
    assert sorted(map(float, server.results.values())) == sorted(float(json.loads(text)) for text in finals.values())
    assert all(server.suggested[key]["x"] == float(value) for key, value in server.results.items())
