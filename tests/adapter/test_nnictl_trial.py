"""The face trial under the real nnictl: stopped and resumed, with an assessor, and with Hyperband."""

import json
import shlex

import pytest
import yaml
from nnictl import ADVISOR_BEGINS, PROGRAMS, SOURCE, Experiment, NniHome, needs_tuner, sample_data, stored_results

pytestmark = [pytest.mark.integration, needs_tuner]

SPACE = {"learning_rate": {"_type": "choice", "_value": [0.0003, 0.001]}}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return sample_data(tmp_path_factory.mktemp("data") / "faces", 40)


@pytest.fixture
def home(tmp_path):
    return NniHome(tmp_path)


def training(data, **recipe):
    """A trial's command; the learning rate comes from NNI."""
    settings = [f"--set={key}={value}" for key, value in recipe.items()]
    return "exec " + shlex.join([str(PROGRAMS / "hyperfd-trial"), "train", "--data", str(data), "--threads", "1", *settings])


def output_of(experiment, trial):
    return experiment.folder / "environments" / "local-env" / "trials" / trial


def epochs_of(experiment, trial):
    file = output_of(experiment, trial) / "train.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def test_a_resumed_trial_goes_on_where_it_was(home, data):
    command = training(data, epochs=200, validate_every=40)
    with Experiment(home, SPACE, "", {"name": "HyperFD"}, max_trials=1, concurrency=1, trialCommand=command) as experiment:
        experiment.wait_until(lambda: experiment.trials())
        [trial] = [job["trialJobId"] for job in experiment.trials()]
        experiment.wait_until((output_of(experiment, trial) / "checkpoint.pt").exists)  # ten seconds after the start
        experiment.stop()
        done = epochs_of(experiment, trial)
        assert 3 <= len(done) < 200, "stopped in the middle"
        experiment.resume()
        experiment.wait_done()
        [status] = [job["status"] for job in experiment.trials() if job["trialJobId"] == trial]
        assert status == "SUCCEEDED"
        epochs = epochs_of(experiment, trial)
        final = float(json.loads(experiment.finals()[trial]))
    assert [epoch["epoch"] for epoch in epochs] == list(range(1, 201))
    # The epochs before the checkpoint are as they were, seconds and all: they were not computed again.
    assert epochs[:3] == done[:3]
    [(_, _, metric, _)] = stored_results(home)
    assert metric == final == json.loads((output_of(experiment, trial) / "result.json").read_text())["test_ap"]


def test_an_assessor_sees_every_validation(home, data):
    assessor = {"name": "Medianstop", "classArgs": {"optimize_mode": "maximize", "start_step": 1}}
    command = training(data, epochs=6, validate_every=2)
    with Experiment(home, SPACE, "", {"name": "HyperFD"}, max_trials=2, trialCommand=command, assessor=assessor) as experiment:
        experiment.wait_done()
        metrics = experiment.rest("/metric-data")
        trials = [job["trialJobId"] for job in experiment.trials()]
        assert len(trials) == 2
        for trial in trials:
            reported = [json.loads(json.loads(m["data"])) for m in metrics if m["type"] == "PERIODICAL" and m["trialJobId"] == trial]
            validated = [epoch["validation_ap"] for epoch in epochs_of(experiment, trial) if "validation_ap" in epoch]
            assert reported == pytest.approx(validated) and len(reported) >= 1
            # The assessor may end the one that is worse; then its best validation is its result.
            assert len(reported) == 3 or trial != trials[0]
            assert trial in experiment.finals()
    assert len(stored_results(home)) == 2


def test_hyperband_says_how_many_epochs(home, data):
    example = yaml.safe_load((SOURCE / "examples" / "budgets" / "hyperband.yaml").read_text())
    tuner = {**example["tuner"], "codeDirectory": str(SOURCE / "examples" / "budgets")}
    tuner["classArgs"]["R"] = 3
    with Experiment(home, SPACE, "", tuner, max_trials=5, begins=ADVISOR_BEGINS, trialCommand=training(data)) as experiment:
        experiment.wait_done()
        budgets = {}
        for job in experiment.trials():
            assert job["status"] == "SUCCEEDED"
            budgets[job["trialJobId"]] = json.loads(job["hyperParameters"][0])["parameters"]["TRIAL_BUDGET"]
        assert set(budgets.values()) == {1, 3}
        for trial, budget in budgets.items():
            assert len(epochs_of(experiment, trial)) == budget
            assert trial in experiment.finals()
