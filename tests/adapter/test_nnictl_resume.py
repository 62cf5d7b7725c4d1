"""Stop and resume with the real nnictl."""

import json

import pytest
from nnictl import Experiment, NniHome, needs_tuner, stored_results

pytestmark = [pytest.mark.integration, needs_tuner]

TRIAL = "import nni, time\nx = nni.get_next_parameter()['x']\ntime.sleep(4)\nnni.report_final_result(x)\n"


def test_stop_and_resume_continue_the_task(tmp_path):
    home = NniHome(tmp_path)
    space = {"x": {"_type": "choice", "_value": list(range(1, 9))}}
    with Experiment(home, space, TRIAL, {"name": "HyperFD"}, max_trials=8) as experiment:
        experiment.wait_until(lambda: len(experiment.finals()) >= 3)
        experiment.stop()
        experiment.resume()
        experiment.wait_done()
        log = experiment.log()
    results = stored_results(home)
    assert {name for name, _, _, _ in results} == {experiment.id}
    values = [(json.loads(parameters)["x"], metric) for _, parameters, metric, _ in results]
    assert all(x == metric for x, metric in values)
    # What was running at the stop runs again under its old configuration, and what NNI had asked for and not started (it
    # forgets that) is suggested again, so all eight are tried, each counted once.
    assert sorted(x for x, _ in values) == list(range(1, 9))
    assert "(resumed)" in log
