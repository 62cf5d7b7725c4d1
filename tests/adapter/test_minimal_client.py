"""The protocol as its page describes it: a client that uses nothing of ours talks to the real server."""

import pytest
from minimal_client import MinimalClient
from nnictl import needs_tuner

pytestmark = needs_tuner

SPACE = {"lr": {"_type": "choice", "_value": [0.1, 0.01, 0.001]}, "layers": {"_type": "choice", "_value": [1, 2]}}


@pytest.fixture
def client(endpoint):
    client = MinimalClient(endpoint, "experiment", "run-1")
    yield client
    client.close()


def test_an_experiment_from_begin_to_end(client):
    type_, body = client.begin(SPACE, budget=6)
    assert type_ == "ID"
    assert body["server"].startswith("hyperfd-tuner ")
    assert (body["resumed"], body["results"], body["past_tasks"]) == (False, 0, 0)

    configurations = client.generate(*range(6))
    assert sorted((c["lr"], c["layers"]) for c in configurations.values()) == [(lr, n) for lr in (0.001, 0.01, 0.1) for n in (1, 2)]
    for parameter_id in configurations:
        assert client.final(parameter_id, parameter_id / 10) == ("OK", {"counted": 1, "warning": ""})
        assert client.ask("EN", parameter_id=parameter_id, trial_job_id="", outcome="SUCCEEDED")[0] == "OK"
    type_, body = client.ask("GE", parameter_ids=[6])
    assert type_ == "NO" and body["reason"]
    assert client.ask("TE")[0] == "OK"


def test_a_repeated_request_gets_the_same_answer(client):
    client.begin(SPACE)
    first = client.ask("GE", request="my-request", parameter_ids=[0])
    assert client.ask("GE", request="my-request", parameter_ids=[0]) == first
    type_, body = client.ask("GE", request="my-request", parameter_ids=[1])
    assert (type_, body["code"]) == ("ER", "input")


def test_a_resumed_experiment_keeps_its_results_and_repeats_no_configuration(client, endpoint):
    client.begin(SPACE)
    first = client.generate(0, 1)
    client.final(0, 0.5)
    resumed = MinimalClient(endpoint, "experiment", "run-2")
    type_, body = resumed.begin(SPACE)
    assert (type_, body["resumed"], body["results"]) == ("ID", True, 1)
    second = resumed.generate(0, 1)
    resumed.close()
    assert all(c not in first.values() for c in second.values())


def test_metrics_that_cannot_be_ranked_by_are_stored_with_a_warning(client):
    client.begin(SPACE)
    client.generate(0, 1, 2)
    for parameter_id, value in enumerate([{"default": 0.5}, "good", float("nan")]):
        type_, body = client.final(parameter_id, value)
        assert (type_, body["counted"], bool(body["warning"])) == ("OK", 1, parameter_id > 0)


def test_errors_have_a_code_and_name_the_field(client):
    def error(type_, **body):
        reply, answer = client.ask(type_, **body)
        assert reply == "ER"
        return answer["code"], answer["message"]

    assert error("GE", parameter_ids=[0])[0] == "unknown_experiment"
    client.begin(SPACE)
    assert error("XX")[0] == "unknown_type"
    code, message = error("GE", parameter_ids=["zero"])
    assert code == "malformed" and "body.parameter_ids[0]" in message
    code, message = error("GE", parameter_ids=[0], extra=1)
    assert code == "malformed" and "extra" in message
    code, message = error("SS", space='{"lr": {"_type": "choise", "_value": [1]}}')
    assert code == "input" and "lr._type" in message


def test_parameters_can_be_asked_for_by_a_trial(client):
    client.begin(SPACE)
    given = client.generate(0)
    type_, body = client.ask(
        "ME", parameter_id=0, trial_job_id="job", kind="REQUEST_PARAMETER", sequence=0, value="", parameters=""
    )
    assert (type_, body["parameter_id"], body["trial_job_id"]) == ("SP", 0, "job")
    assert client.generate(0) == given
