"""HyperFDTuner driven by NNI's own dispatcher, against the fake tuner: the ways in which NNI calls a tuner, and a tuner fails NNI."""

import json
import math
import os
import time

import pytest
import zmq
from fake_tuner import FakeTuner
from nni_driver import Driver, eventually

from hyperfd_nni import client, courier, session
from hyperfd_nni.journal import Journal
from hyperfd_nni.outbox import Outbox
from hyperfd_nni.session import FIRST_FALLBACK_ID, OUTBOX_FILE
from hyperfd_nni.tuner import HyperFDTuner

SPACE = {"x": {"_type": "uniform", "_value": [0, 1]}, "kind": {"_type": "choice", "_value": ["a", "b"]}}
SMALL_SPACE = {"x": {"_type": "choice", "_value": [1, 2, 3]}}


class Experiment:
    """An experiment folder in which tuners live one after the other, as over stop and resume."""

    def __init__(self, folder, monkeypatch):
        self.name = "exp0"
        self.checkpoint = folder / self.name / "checkpoint"
        self.checkpoint.mkdir(parents=True)
        self.endpoint = f"ipc://{folder}/tuner"
        self._monkeypatch = monkeypatch
        monkeypatch.setenv("NNI_CHECKPOINT_DIRECTORY", str(self.checkpoint))
        monkeypatch.delenv("NNI_TUNER_COMMAND_CHANNEL", raising=False)

    def start(self, space=SPACE, resume=False, **class_args):
        class_args.setdefault("endpoint", self.endpoint)
        class_args.setdefault("fallback_after", 5)
        driver = Driver(HyperFDTuner(**class_args))
        if resume:
            driver.load_checkpoint()
        if space is not None:
            driver.initialize(space)
        return driver


@pytest.fixture(autouse=True)
def short_waits(monkeypatch):
    monkeypatch.setattr(client, "FIRST_WAIT", 0.1)
    monkeypatch.setattr(courier, "ATTEMPT_SECONDS", 0.4)
    monkeypatch.setattr(courier, "TICK_SECONDS", 0.1)
    monkeypatch.setattr(session, "FAREWELL_SECONDS", 1.0)
    monkeypatch.setattr(session, "RETRY_SECONDS", 0.1)


@pytest.fixture
def experiment(short_tmp, monkeypatch):
    return Experiment(short_tmp, monkeypatch)


@pytest.fixture
def server(experiment):
    tuner = FakeTuner(experiment.endpoint)
    yield tuner
    tuner.close()


def test_the_annotation_goes_with_the_search_space(experiment, server, short_tmp):
    file = short_tmp / "constraints.yaml"
    file.write_text("constraints: {table: [{forbidden: [{kind: a}]}]}\n")
    driver = Driver(HyperFDTuner(endpoint=experiment.endpoint, space=str(file)))
    driver.initialize(SPACE)
    driver.request(1)
    driver.terminate()
    assert json.loads(server.bodies("IN")[0]["annotation"]) == {"constraints": {"table": [{"forbidden": [{"kind": "a"}]}]}}


def test_an_annotation_that_cannot_be_read_ends_the_experiment(experiment, short_tmp):
    driver = Driver(HyperFDTuner(endpoint=experiment.endpoint, space=str(short_tmp / "missing.yaml")))
    driver.initialize(SPACE)
    driver.request(1)
    assert ["missing.yaml: No such file" in error for error in driver.errors()] == [True]
    driver.terminate()


def test_suggests_what_the_tuner_chose_and_reports_results(experiment, server):
    driver = experiment.start(optimize_mode="minimize", budget=7, policy="random", seed=3)
    trials = driver.request(2)
    assert sorted(trials) == [0, 1]
    run = server.bodies("IN")[0]["run"]
    introduction = {key: value for key, value in server.bodies("IN")[0].items() if key not in ("run", "space")}
    assert introduction == {"optimize_mode": "minimize", "budget": 7, "policy": "random", "seed": 3}
    assert json.loads(server.bodies("IN")[0]["space"]) == SPACE
    assert trials == {i: server.suggested["exp0", run, i] for i in (0, 1)}
    driver.final(1, 0.5, "jobB")
    driver.final(0, {"default": 0.25, "ms": 3}, "jobA")
    driver.end(0, "SUCCEEDED", "jobA")
    driver.end(1, "SUCCEEDED", "jobB")
    driver.terminate()
    assert server.results == {("exp0", run, 1): "0.5", ("exp0", run, 0): '{"default":0.25,"ms":3}'}
    assert server.ends == {("exp0", run, 0): "SUCCEEDED", ("exp0", run, 1): "SUCCEEDED"}
    assert server.messages[-1][0] == "TE"


def test_a_value_that_is_no_unicode_holds_up_nothing(experiment, server):
    driver = experiment.start()
    driver.request(2)
    driver.final(0, {"default": 0.5, "worst": "img\udcff.jpg"}, "job0")  # as os.listdir names a file that is not UTF-8
    driver.final(1, 0.75, "job1")
    driver.request(1)
    driver.terminate()
    assert [server.results[key] for key in sorted(server.results)] == [r'{"default":0.5,"worst":"img\udcff.jpg"}', "0.75"]


def test_a_request_that_the_tuner_refuses_ends_the_experiment_with_its_message(experiment, server):
    server.misbehave = lambda m: {"code": "input", "message": "constraints: none is left"} if m["type"] == "GE" else None
    driver = experiment.start(fallback_after=1)
    assert driver.request(1) == {}
    assert driver.errors() == ["constraints: none is left"]
    driver.terminate()


def test_results_reach_the_tuner_before_the_next_suggestion_is_asked(experiment, server):
    driver = experiment.start()
    driver.request(1)
    for i in range(5):
        driver.final(i, i / 10, f"job{i}")
        driver.request(1)
    kinds = [kind for kind, _ in server.messages if kind in ("ME", "GE")]
    assert kinds == ["GE"] + ["ME", "GE"] * 5
    driver.terminate()


def test_end_before_result_and_failed_and_cancelled_trials(experiment, server):
    driver = experiment.start()
    driver.request(3)
    driver.end(0, "SUCCEEDED", "job0")
    driver.settle()
    driver.final(0, 0.9, "job0")
    driver.end(1, "FAILED", "job1")
    driver.end(2, "USER_CANCELED", "job2")
    driver.terminate()
    assert [key[2] for key in server.results] == [0]
    assert {key[2]: outcome for key, outcome in server.ends.items()} == {0: "SUCCEEDED", 1: "FAILED", 2: "FAILED"}


def test_odd_calls_do_not_raise_and_change_nothing(experiment, server):
    driver = experiment.start()
    driver.request(1)
    tuner = driver.tuner
    tuner.trial_end(None, True)
    tuner.trial_end(99, False)
    tuner.receive_trial_result(None, "", 0.5, trial_job_id="custom")
    tuner.receive_trial_result(99, "", 0.5, trial_job_id="unknown")
    tuner.receive_trial_result(0, "", 0.5, customized=False, trial_job_id="job0")  # NNI loses the parameters after "no more trials"
    tuner.receive_trial_result(0, "", 0.7, customized=False, trial_job_id="job0")  # and reports a second final result, too
    tuner.import_data([{"parameter": None, "value": None}])
    tuner.import_data("not a list of records")
    tuner.update_search_space(None)
    driver.terminate()
    assert list(server.results.values()) == ["0.5"]


def test_result_of_a_customised_trial_carries_its_configuration(experiment, server):
    driver = experiment.start()
    driver.request(1)
    driver.tuner.receive_trial_result(50, {"x": 0.5, "kind": "a"}, 0.75, customized=True, trial_job_id="custom")
    driver.terminate()
    (body,) = server.bodies("ME")
    assert (body["parameter_id"], json.loads(body["parameters"]), body["trial_job_id"]) == (None, {"x": 0.5, "kind": "a"}, "custom")


@pytest.mark.parametrize("value, text", [(math.nan, "NaN"), (-math.inf, "-Infinity"), ("good", '"good"'), ([1, None], "[1,null]")])
def test_values_that_are_not_numbers_are_passed_on_as_text(experiment, server, value, text):
    driver = experiment.start()
    driver.request(1)
    driver.tuner.receive_trial_result(0, {}, value, trial_job_id="job0")
    driver.terminate()
    assert list(server.results.values()) == [text]


def test_two_threads_report_at_once(experiment, server):
    driver = experiment.start()
    driver.request(60)
    for i in range(60):
        driver.final(i, i, f"job{i}")
        driver.end(i, "SUCCEEDED", f"job{i}")
    driver.terminate()
    assert sorted(key[2] for key in server.results) == list(range(60))
    assert len(server.ends) == 60


def test_answers_that_are_lost_are_asked_for_again_and_nothing_happens_twice(experiment, server):
    lost = set()

    def lose_first_answer(message):
        if message["request"] in lost:
            return None
        lost.add(message["request"])
        server._answer(message)  # the effect takes place
        return False

    server.misbehave = lose_first_answer
    driver = experiment.start(fallback_after=20)
    trials = driver.request(1)
    driver.final(0, 0.5, "job0")
    driver.settle()
    eventually(lambda: server.results)
    server.misbehave = lambda message: None
    driver.terminate()
    assert list(server.suggested.values()) == list(trials.values())
    assert [kind for kind, _ in server.messages] == ["IN", "GE", "ME", "TE"]


def test_a_tuner_in_short_trouble_is_waited_for(experiment, server):
    trouble = {"IN": 2, "GE": 2}

    def fail_at_first(message):
        trouble[message["type"]] = trouble.get(message["type"], 0) - 1
        return {"code": "store", "message": "database is locked"} if trouble[message["type"]] >= 0 else None

    server.misbehave = fail_at_first
    driver = experiment.start(fallback_after=20)
    assert driver.request(1)[0] == server.suggested["exp0", driver.tuner._session.run, 0]
    driver.terminate()


@pytest.mark.parametrize(
    "misbehave",
    [
        lambda message: False,
        lambda message: b"\xc1garbage",
        lambda message: b"",
        lambda message: b"\x80",
        lambda message: {"code": "internal", "message": "it broke"},
        lambda message: {"code": "store", "message": "disk full"},
    ],
    ids=["silent", "garbage", "empty", "not_a_reply", "internal_error", "store_error"],
)
def test_a_useless_tuner_is_replaced_by_random_sampling_and_told_later(experiment, server, misbehave):
    server.misbehave = misbehave
    driver = experiment.start(fallback_after=0.5)
    trials = driver.request(2)
    assert len(trials) == 2 and all(0 <= t["x"] <= 1 and t["kind"] in "ab" for t in trials.values())
    driver.final(0, 0.5, "job0")
    driver.end(0, "SUCCEEDED", "job0")
    driver.end(1, "FAILED", "job1")
    driver.settle()
    assert server.results == {}
    server.misbehave = lambda message: None
    eventually(lambda: len(server.ends) == 2 and server.results)
    (key,) = server.results
    assert key[2] == FIRST_FALLBACK_ID and server.suggested[key] == trials[0]
    assert driver.errors() == []
    driver.terminate()


def test_sampled_configuration_never_meets_one_the_tuner_committed_for_the_same_id(experiment, server):
    def commit_but_do_not_answer(message):
        if message["type"] == "GE":
            server._answer(message)
            return False
        return None

    server.misbehave = commit_but_do_not_answer
    driver = experiment.start(fallback_after=0.5)
    trials = driver.request(1)
    server.misbehave = lambda message: None
    driver.final(0, 0.5, "job0")
    driver.terminate()
    ((_, run, result_id),) = server.results
    assert server.suggested["exp0", run, 0] != trials[0]
    assert server.suggested["exp0", run, result_id] == trials[0]


def test_tuner_that_dies_and_comes_back_gets_everything_once(experiment):
    server = FakeTuner(experiment.endpoint)
    driver = experiment.start(fallback_after=20)
    driver.request(2)
    server.close()
    driver.final(0, 0.5, "job0")
    driver.final(1, 0.6, "job1")
    driver.settle()
    server = FakeTuner(experiment.endpoint)  # on an empty store: it has to be told of the experiment again
    trials = driver.request(1)
    assert list(trials) == [2] and trials[2] == server.suggested["exp0", driver.tuner._session.run, 2]
    assert sorted(server.results.values()) == ["0.5", "0.6"]
    driver.terminate()
    server.close()


def test_results_of_a_run_that_never_saw_its_tuner_are_delivered_by_the_next(experiment):
    driver = experiment.start(fallback_after=0)
    trials = driver.request(2)
    driver.final(0, 0.5, "job0")
    driver.settle()
    driver.tuner._session._courier.stop()  # as after kill -9: nothing is said any more
    server = FakeTuner(experiment.endpoint)
    second = experiment.start(resume=True)
    second.request(1)
    second.terminate()
    assert list(server.results.values()) == ["0.5"]
    assert list(server.suggested.values())[0] == trials[0]
    runs = {key[1] for key in server.results} | {body["run"] for body in server.bodies("IN")}
    assert len(runs) == 2
    assert Outbox(Journal(experiment.checkpoint / OUTBOX_FILE), "").stays is False
    server.close()


def test_resume_prefers_its_own_state_over_what_nni_remembers(experiment, server):
    first = experiment.start()
    trials = first.request(3)
    first.final(0, 0.5, "job0")
    first.end(0, "SUCCEEDED", "job0")
    first.terminate()  # stopped; trials 1 and 2 were running
    (first_run,) = {body["run"] for body in server.bodies("GE")}

    second = experiment.start(resume=True)
    # NNI's records pair the intended configuration with the received metric, so this one is wrong; job9 is news.
    second.import_records(
        [{"parameter": trials[2], "value": "0.5", "trialJobId": "job0"}, {"parameter": {"x": 0.125, "kind": "a"}, "value": "0.8", "trialJobId": "job9"}]
    )
    second.resume_trials([{"parameter_id": i, "parameter_source": "resumed", "parameters": trials[i], "parameter_index": 0} for i in (1, 2)])
    fresh = second.request(1)
    assert list(fresh) == [3]
    second.final(2, 0.7, "job2")  # a trial that runs again
    second.terminate()
    assert [json.loads(record["parameters"]) for record in server.imported] == [{"x": 0.125, "kind": "a"}]
    assert server.results == {("exp0", first_run, 0): "0.5", ("exp0", first_run, 2): "0.7"}
    assert server.ends == {("exp0", first_run, 0): "SUCCEEDED", ("exp0", first_run, 2): "SUCCEEDED"}


def test_imported_results_reach_the_tuner(experiment, server):
    driver = experiment.start()
    driver.import_records([{"parameter": {"x": i / 2000, "kind": "a"}, "value": i} for i in range(1200)])
    driver.terminate()
    assert [record["value"] for record in server.imported] == [str(i) for i in range(1200)]


def test_parameter_ids_that_restart_on_resume_are_kept_apart(experiment, server):
    for value in (0.1, 0.2):
        driver = experiment.start(resume=True)
        driver.request(1)
        driver.final(0, value, f"job{value}")
        driver.terminate()
    assert sorted(server.results.values()) == ["0.1", "0.2"]


def test_an_idle_tuner_is_kept_alive_as_long_as_nni_lives(experiment, server, monkeypatch):
    monkeypatch.setattr(courier, "HEARTBEAT_SECONDS", 0.1)
    driver = experiment.start()
    driver.request(1)
    eventually(lambda: len(server.bodies("PI")) >= 3)
    monkeypatch.setattr(courier.os, "getppid", lambda: 1)

    def is_quiet():  # what was under way may still arrive
        beats = len(server.bodies("PI"))
        time.sleep(0.5)
        return len(server.bodies("PI")) == beats

    eventually(is_quiet)
    driver.terminate()


def test_wrong_search_space_ends_the_experiment_with_its_message(experiment, server):
    driver = experiment.start(space={"lr": {"_type": "foo", "_value": [0, 1]}})
    assert driver.request(2) == {}
    assert driver.errors() == ['space.lr._type: unknown type "foo"']
    driver.terminate()


def test_wrong_search_space_without_a_tuner_ends_the_experiment_too(experiment):
    driver = experiment.start(space={"lr": {"_type": "foo", "_value": [0, 1]}}, fallback_after=0)
    assert driver.request(2) == {}
    assert len(driver.errors()) == 1 and "foo" in driver.errors()[0]
    driver.terminate()


def test_wrong_class_args_end_the_experiment_with_their_message(experiment):
    driver = experiment.start(optimise_mode="minimize", budget=-1)
    assert driver.request(1) == {}
    (error,) = driver.errors()
    assert 'unknown key "optimise_mode"; did you mean "optimize_mode"?' in error
    assert "classArgs.budget: expected a whole number of trials, 0 or more and below 2^63, got -1" in error
    driver.terminate()


def test_unusable_key_file_ends_the_experiment_with_its_message(experiment, tmp_path):
    (tmp_path / "server.key").write_text("not a key")
    key = str(tmp_path / "server.key")
    driver = experiment.start(endpoint="tcp://127.0.0.1:1", server_key=key, client_key=key)
    assert driver.request(1) == {}
    assert key in driver.errors()[0]
    driver.terminate()


def test_encrypted_connection_with_the_key_files_of_keygen(experiment, tmp_path):
    keys = dict(zip(("server.pub", "server.key"), zmq.curve_keypair()))
    keys.update(zip(("client.pub", "client.key"), zmq.curve_keypair()))
    for name, key in keys.items():
        (tmp_path / name).write_bytes(b"# a comment\n" + key + b"\n")
    server = FakeTuner(experiment.endpoint, curve_secret=keys["server.key"])
    driver = experiment.start(server_key=str(tmp_path / "server.pub"), client_key=str(tmp_path / "client.key"))
    assert driver.request(1)[0] == server.suggested["exp0", driver.tuner._session.run, 0]
    driver.terminate()
    server.close()


def test_exhausted_space_says_no_more_and_goes_on_when_it_is_widened(experiment, server):
    driver = experiment.start(space=SMALL_SPACE)
    assert driver.request(2) == {0: {"x": 1}, 1: {"x": 2}}
    assert driver.request(2) == {2: {"x": 3}}
    assert driver.request(1) == {} and driver.no_more() == 2
    driver.final(0, 0.5, "job0")
    driver.settle()
    driver.update_search_space({"x": {"_type": "choice", "_value": [1, 2, 3, 4, 5]}})
    driver.settle()
    assert driver.trials() == {0: {"x": 1}, 1: {"x": 2}, 2: {"x": 3}, 3: {"x": 4}, 4: {"x": 5}}
    driver.terminate()
    assert list(server.results.values()) == ["0.5"]


def test_fallback_does_not_repeat_a_small_space(experiment):
    driver = experiment.start(space=SMALL_SPACE, fallback_after=0)
    trials = {**driver.request(1), **driver.request(5)}
    assert sorted(t["x"] for t in trials.values()) == [1, 2, 3]
    assert driver.no_more() == 1
    driver.terminate()


def test_full_disk_costs_no_result_while_the_tuner_answers(experiment, server):
    driver = experiment.start()
    driver.request(1)
    session = driver.tuner._session
    session.outbox._journal._file = open("/dev/full", "wb", buffering=0)
    driver.final(0, 0.5, "job0")
    driver.terminate()
    assert list(server.results.values()) == ["0.5"]


def test_start_is_quick_and_connects_to_nothing(experiment):
    begin = time.monotonic()
    HyperFDTuner(endpoint="tcp://192.0.2.1:9")
    assert time.monotonic() - begin < 1
    assert os.listdir(experiment.checkpoint) == []
