"""Random configurations for the time without a tuner."""

import nni
import pytest
from hyperfd_nni.fallback import FallbackSampler

FLAT = {
    "lr": {"_type": "loguniform", "_value": [0.0001, 0.1]},
    "batch": {"_type": "choice", "_value": [8, 16]},
    "epochs": {"_type": "randint", "_value": [1, 4]},
    "dropout": {"_type": "quniform", "_value": [0.1, 0.9, 0.2]},
    "noise": {"_type": "qnormal", "_value": [0, 1, 0.5]},
}
NESTED = {
    "model": {"_type": "choice", "_value": [
        {"_name": "linear"},
        {"_name": "deep", "body": {"_type": "choice", "_value": [
            {"_name": "plain", "layers": {"_type": "choice", "_value": [1, 2]}},
            {"_name": "residual", "blocks": {"_type": "randint", "_value": [2, 5]},
             "norm": {"_type": "choice", "_value": [{"_name": "batch"}, {"_name": "group", "groups": {"_type": "choice", "_value": [4, 8]}}]}},
        ]}},
    ]},
}
NESTED_SIZE = 1 + 2 + 3 * (1 + 2)


def drawn(space, count, seed=1, known=()):
    sampler = FallbackSampler(space, seed, known)
    return [sampler.sample() for _ in range(count)]


def test_values_are_those_of_nnis_types():
    for parameters in drawn(FLAT, 200):
        assert list(parameters) == list(FLAT)
        assert 0.0001 <= parameters["lr"] <= 0.1 and parameters["batch"] in (8, 16)
        assert parameters["epochs"] in (1, 2, 3) and type(parameters["epochs"]) is int
        assert 0.1 <= parameters["dropout"] <= 0.9
        assert parameters["noise"] * 2 == round(parameters["noise"] * 2)


def test_same_seed_same_configurations():
    assert drawn(FLAT, 5) == drawn(FLAT, 5) != drawn(FLAT, 5, seed=2)


def test_choices_nested_in_nested_choices_are_all_drawn_once():
    every = drawn(NESTED, NESTED_SIZE)
    assert len({repr(parameters) for parameters in every}) == NESTED_SIZE
    assert {"model": {"_name": "linear"}} in every
    assert {"model": {"_name": "deep", "body": {"_name": "plain", "layers": 2}}} in every
    group = {"_name": "group", "groups": 8}
    assert {"model": {"_name": "deep", "body": {"_name": "residual", "blocks": 4, "norm": group}}} in every


def test_an_exhausted_space_ends_the_experiment():
    sampler = FallbackSampler(NESTED, 1, drawn(NESTED, NESTED_SIZE - 1))
    sampler.sample()
    with pytest.raises(nni.NoMoreTrialError):
        sampler.sample()


def test_a_rare_configuration_is_found_when_only_it_is_left():
    space = {"x": {"_type": "randint", "_value": [0, 20000]}}
    assert drawn(space, 1, known=[{"x": x} for x in range(20000) if x != 137]) == [{"x": 137}]


def test_known_configurations_count_however_their_numbers_are_written():
    space = {"x": {"_type": "quniform", "_value": [0, 1, 1]}}
    assert drawn(space, 1, known=[{"x": 0}]) == [{"x": 1.0}]


def test_configurations_of_an_earlier_space_do_no_harm():
    assert len(drawn(NESTED, 3, known=[{"x": 1}, None, "text", [1, 2]])) == 3


def test_what_the_tuner_takes_and_nnis_own_check_does_not():
    space = {
        "sizes": {"_type": "choice", "_value": [[1, 2], [3, 4]]},
        "limit": {"_type": "choice", "_value": [None, 1]},
        "lr": {"_type": "loguniform", "_value": ["1e-4", 0.1]},
        "depth": {"_type": "randint", "_value": [1.0, 3.0]},
    }
    for c in drawn(space, 20):
        assert c["sizes"] in ([1, 2], [3, 4]) and c["limit"] in (None, 1) and 1e-4 <= c["lr"] <= 0.1 and c["depth"] in (1, 2)


@pytest.mark.parametrize("space", [
    [], {"x": 1}, {"x": {"_type": "foo", "_value": [0, 1]}}, {"x": {"_type": "choice", "_value": []}},
    {"x": {"_type": "choice", "_value": [{"_name": "a", "y": {"_type": "uniform", "_value": [1, 0]}}]}},
])
def test_invalid_spaces_are_value_errors(space):
    with pytest.raises(ValueError):
        FallbackSampler(space, 1, [])
