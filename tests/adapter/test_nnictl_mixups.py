"""Hundreds of trials that take no time, eight at once, every fifth dying at a random moment.

NNI 3.0 hands configurations out in the order of asking, so a trial that dies early shifts all later ones, and it drops
the metrics of trials it has not stored yet. The trials here are C++ on the channel library of hyperfd-trial, and report
the parameters they really ran with: each one that lives must arrive, once, as what it is.
"""

import json
import os
from collections import Counter, defaultdict

import pytest
import yaml
from nnictl import SOURCE, Experiment, NniHome, needs_tuner, stored_results

TRIAL = SOURCE / "build" / "release" / "tests" / "instant_trial"
SPACE = {
    "x": {"_type": "uniform", "_value": [0, 1]},
    "block": {"_type": "choice", "_value": [{"_name": "a", "rate": {"_type": "loguniform", "_value": [1e-6, 1]}}, {"_name": "b"}]},
}

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not os.access(TRIAL, os.X_OK), reason=f"{TRIAL} is not built"),
]


def run_experiment(home: NniHome, tuner: dict, count: int) -> dict:
    """{trial job: (parameters on NNI's record, final value)} of all trials that lived, after checking NNI's own books."""
    experiment = Experiment(home, SPACE, "", tuner, max_trials=count, concurrency=8)
    config = yaml.safe_load(experiment.config.read_text())
    config["trialCommand"] = f"exec {TRIAL}"
    experiment.config.write_text(yaml.safe_dump(config))
    with experiment:
        experiment.wait_done(300)
        trials, metrics = experiment.trials(), experiment.rest("/metric-data")

    assert len(trials) == count
    status = Counter(trial["status"] for trial in trials)
    assert status["SUCCEEDED"] + status["FAILED"] + status["USER_CANCELED"] == count, status
    assert 0 < count - status["SUCCEEDED"] <= count // 5, status

    reported = defaultdict(list)
    for metric in metrics:
        reported[metric["trialJobId"]].append(metric)
    lived = {}
    for trial in trials:
        record = json.loads(trial["hyperParameters"][0])
        finals = [metric for metric in reported[trial["trialJobId"]] if metric["type"] == "FINAL"]
        if trial["status"] == "SUCCEEDED":
            sequences = [metric["sequence"] for metric in reported[trial["trialJobId"]] if metric["type"] == "PERIODICAL"]
            assert sorted(sequences) == [0, 1, 2], trial  # the books order by millisecond
            assert len(finals) == 1, trial
        for metric in finals:  # also of one that died after its report
            value = json.loads(json.loads(metric["data"]))
            assert value["parameters"] == record["parameters"], trial
            assert int(metric["parameterId"]) == record["parameter_id"], trial
            lived[trial["trialJobId"]] = (record["parameters"], value["default"])
    return lived


def test_every_living_trial_arrives_once_under_its_own_parameters(tmp_path):
    run_experiment(NniHome(tmp_path), {"name": "Random"}, 100)


@needs_tuner
def test_the_tuner_learns_every_result_once_under_its_own_parameters(tmp_path):
    home = NniHome(tmp_path)
    lived = run_experiment(home, {"name": "HyperFD", "classArgs": {"policy": "random"}}, 200)
    learned = sorted((json.loads(parameters)["x"], metric) for _, parameters, metric, _ in stored_results(home))
    assert learned == sorted((parameters["x"], value) for parameters, value in lived.values())
