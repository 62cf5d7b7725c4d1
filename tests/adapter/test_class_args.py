"""What a user may write under classArgs."""

from pathlib import Path

import pytest

from hyperfd_nni.class_args import HyperFDClassArgsValidator, Settings, read_class_args


def test_defaults():
    assert read_class_args({}) == (Settings(), [])
    assert read_class_args({"store": None, "budget": None}) == (Settings(), [])


def test_values():
    settings, problems = read_class_args(
        {"optimize_mode": "minimize", "budget": 8, "policy": "random", "store": "~/x.sqlite", "seed": 7, "fallback_after": 5}
    )
    assert problems == []
    assert settings == Settings("minimize", 8, "random", None, None, None, Path("~/x.sqlite").expanduser(), 7, 5.0)


@pytest.mark.parametrize(
    "class_args, pulls, is_local",
    [
        ({}, False, True),
        ({"dataset": "a"}, False, True),
        ({"endpoint": "tcp://h:1"}, False, False),
        ({"endpoint": "tcp://h:1", "dataset": "a"}, True, True),  # nothing of it leaves unless somebody says so
        ({"endpoint": "tcp://h:1", "dataset": "a", "privacy": "share"}, False, False),
        ({"endpoint": "tcp://h:1", "dataset": "a", "privacy": "private"}, False, False),
        ({"endpoint": "tcp://h:1", "privacy": "pull", "store": "a"}, True, True),
    ],
)
def test_where_the_tuner_is(class_args, pulls, is_local):
    settings, problems = read_class_args(class_args)
    assert (settings.pulls, settings.is_local, problems) == (pulls, is_local, [])


@pytest.mark.parametrize(
    "class_args, message",
    [
        ({"optimise_mode": "minimize"}, 'unknown key "optimise_mode"; did you mean "optimize_mode"?'),
        ({"zzz": 1}, "known keys: optimize_mode, budget"),
        ({"optimize_mode": "max"}, 'classArgs.optimize_mode: expected "maximize" or "minimize", got \'max\''),
        ({"budget": 2.5}, "classArgs.budget: expected a whole number"),
        ({"budget": True}, "classArgs.budget: expected a whole number"),
        ({"seed": -1}, "classArgs.seed: expected a whole number"),
        ({"seed": "1"}, "classArgs.seed: expected a whole number"),
        ({"fallback_after": float("nan")}, "classArgs.fallback_after: expected seconds"),
        ({"fallback_after": -1}, "classArgs.fallback_after: expected seconds"),
        ({"endpoint": "localhost:7400"}, 'classArgs.endpoint: expected "tcp://HOST:PORT"'),
        ({"store": 5}, "classArgs.store: expected a file name"),
        ({"bundle": "not/there.sqlite"}, 'classArgs.bundle: expected a file of experience that exists, or "none"'),
        ({"bundle": "none", "endpoint": "tcp://h:1"}, "bundle belongs to the tuner on this machine"),
        ({"policy": ""}, "classArgs.policy: expected the name of a policy"),
        ({"space": 3}, "classArgs.space: expected the file that annotates the search space"),
        ({"meta_features": {"a": "b"}}, "classArgs.meta_features: expected names and numbers of at most 1e15"),
        ({"meta_features": {"a": 1e39}}, "classArgs.meta_features: expected names and numbers of at most 1e15"),
        ({"seed": 2**63}, "classArgs.seed: expected a whole number, 0 or more and below 2^63"),
        ({"privacy": "none"}, 'classArgs.privacy: expected "pull", "share" or "private"'),
        ({"epsilon": 0}, "classArgs.epsilon: expected a number from 0.001 to 1000"),
        ({"privacy": "private", "dataset": "a"}, "privacy private is about a tuner elsewhere; endpoint is missing"),
        ({"store": "a", "endpoint": "tcp://h:1"}, "store belongs to the tuner on this machine"),
        ({"server_key": "a", "client_key": "b"}, "endpoint is missing"),
        ({"endpoint": "tcp://h:1", "server_key": "a"}, "server_key and client_key are needed together"),
    ],
)
def test_mistakes_are_named(class_args, message):
    settings, problems = read_class_args(class_args)
    assert len(problems) == 1 and message in problems[0]
    with pytest.raises(ValueError, match="classArgs"):
        HyperFDClassArgsValidator().validate_class_args(**class_args)
