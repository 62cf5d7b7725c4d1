"""Whole experiments with the real nnictl and the real tuner."""

import json
import shutil

import pytest
from nnictl import PROGRAMS, SOURCE, Experiment, NniHome, needs_tuner, stored_results

pytestmark = [pytest.mark.integration, needs_tuner]


@pytest.fixture
def home(tmp_path):
    return NniHome(tmp_path)


def test_the_example_runs_with_only_its_tuner_changed(home):
    example = home.folder / "any_trial"
    shutil.copytree(SOURCE / "examples" / "any_trial", example)
    changed = set((example / "config_hyperfd.yaml").read_text().splitlines()) ^ set((example / "config.yaml").read_text().splitlines())
    assert changed == {"  name: TPE", "  name: HyperFD"}
    experiment = Experiment(home, {}, "", {})
    experiment.config = example / "config_hyperfd.yaml"
    with experiment:
        experiment.wait_done(120)
        finals = experiment.finals()
        home.nnictl("experiment", "export", experiment.id, "--type", "json", "--filename", str(home.folder / "export.json"))
        home.nnictl("experiment", "export", experiment.id, "--type", "csv", "--filename", str(home.folder / "export.csv"))
    results = stored_results(home)
    assert len(results) == 12
    assert sorted(metric for _, _, metric, _ in results) == sorted(float(json.loads(text)) for text in finals.values())
    for _, parameters, _, source in results:
        assert source == "algorithm"
        assert json.loads(parameters)["optimizer"]["_name"] in ("sgd", "adam")
    # What NNI exports can be learned from elsewhere.
    store = home.folder / "elsewhere.sqlite"
    arguments = ["--space", str(example / "search_space.yaml"), "--store", str(store)]
    report = home.run(str(PROGRAMS / "hyperfd-tuner"), "import", str(home.folder / "export.json"), *arguments)
    assert "12 results recorded" in report and "0 skipped" in report
    report = home.run(str(PROGRAMS / "hyperfd-tuner"), "import", str(home.folder / "export.csv"), *arguments)
    assert "results recorded" in report


def test_an_exhausted_search_space_ends_the_experiment_and_failed_trials_do_not(home):
    trial = "import nni, sys\nx = nni.get_next_parameter()['x']\nif x == 3: sys.exit(1)\nnni.report_final_result(x)\n"
    space = {"x": {"_type": "choice", "_value": [1, 2, 3, 4, 5]}}
    with Experiment(home, space, trial, {"name": "HyperFD"}) as experiment:  # without maxTrialNumber
        experiment.wait_done()
        assert sorted(t["status"] for t in experiment.trials()) == ["FAILED"] + ["SUCCEEDED"] * 4
    results = [(json.loads(parameters)["x"], metric) for _, parameters, metric, _ in stored_results(home)]
    assert sorted(results) == [(i, i) for i in (1, 2, 4, 5)]


def test_a_wrong_search_space_ends_the_experiment_with_its_message(home):
    space = {"x": {"_type": "uniform", "_value": [0, "one"]}}
    with Experiment(home, space, "", {"name": "HyperFD"}) as experiment:
        experiment.wait_until(lambda: experiment.status() == "ERROR", 30)
        assert "x._value[1]" in experiment.manager_log()
