"""Suggestions without the tuner: random ones, from the distributions of NNI's own Random tuner."""

from __future__ import annotations

import itertools
import json
from typing import Any, Iterable, Iterator

import nni
import numpy
from nni.algorithms.hpo.random_tuner import suggest_parameter
from nni.common.hpo_utils import deformat_parameters, format_search_space, validate_search_space

DRAWS = 1000  # that were all there before make it look for what is left


class FallbackSampler:
    """Random configurations of a search space without repetition. Constraints of an annotation are not known here: the tuner keeps them.

    NNI's Random itself stumbles over nested choices in branches that were not chosen (KeyError), so only its leaves are used. Raises
    ValueError if the space is not a valid NNI search space.
    """

    def __init__(self, space: dict, seed: int, known: Iterable[Any]):
        self._space = _normalised(space)
        _validate(self._space)
        self._rng = numpy.random.default_rng(seed)
        self._taken = {_identity(parameters) for parameters in known}

    def sample(self) -> dict:
        """Raises nni.NoMoreTrialError when every configuration of a finite space was given."""
        draws = (self._draw(self._space) for _ in range(DRAWS))
        for parameters in itertools.chain(draws, self._all(self._space)):
            identity = _identity(parameters)
            if identity not in self._taken:
                self._taken.add(identity)
                return parameters
        raise nni.NoMoreTrialError()

    def _draw(self, group: dict) -> dict:
        parameters = _named(group)
        for name, spec in _specs(group):
            branches = _branches(spec)
            parameters[name] = self._draw(branches[self._rng.integers(len(branches))]) if branches else self._draw_leaf(spec)
        return parameters

    def _draw_leaf(self, spec: dict) -> Any:
        if spec["_type"] == "choice":
            return spec["_value"][self._rng.integers(len(spec["_value"]))]
        leaf = format_search_space({"x": spec})
        return deformat_parameters({("x",): suggest_parameter(self._rng, leaf[("x",)])}, leaf)["x"]

    def _all(self, group: dict) -> Iterator[dict]:
        """Every configuration; of what has infinitely many values, some."""
        specs = _specs(group)
        if not specs:
            yield _named(group)
            return
        *others, (name, spec) = specs
        for rest in self._all({**_named(group), **dict(others)}):
            for value in self._values(spec):
                yield {**rest, name: value}

    def _values(self, spec: dict) -> Iterator[Any]:
        branches = _branches(spec)
        if branches:
            return itertools.chain.from_iterable(self._all(branch) for branch in branches)
        kind, value = spec["_type"], spec["_value"]
        if kind == "choice":
            return iter(value)
        if kind == "randint":
            return iter(range(value[0], value[1]))
        if kind in ("quniform", "qloguniform"):
            low, high, q = map(float, value)
            return (min(max(i * q, low), high) for i in range(round(low / q), round(high / q) + 1))
        return (self._draw_leaf(spec) for _ in range(DRAWS))


def _named(group: dict) -> dict:
    return {"_name": group["_name"]} if "_name" in group else {}


def _specs(group: dict) -> list:
    return [(name, spec) for name, spec in group.items() if name != "_name"]


def _branches(spec: dict) -> list:
    """Of a nested choice; none of anything else."""
    values = spec["_value"]
    is_nested = spec["_type"] == "choice" and all(isinstance(value, dict) and "_name" in value for value in values)
    return values if is_nested else []


def _normalised(group: Any) -> Any:
    """The same with numbers as NNI's check wants them: the tuner takes texts of numbers too, which is what YAML makes of 1e-4."""
    if not isinstance(group, dict):
        return group
    result = {}
    for name, spec in group.items():
        values = spec.get("_value") if isinstance(spec, dict) else None
        if isinstance(values, list) and spec.get("_type") == "choice":
            spec = {**spec, "_value": [_normalised(value) if isinstance(value, dict) and "_name" in value else value for value in values]}
        elif isinstance(values, list):
            spec = {**spec, "_value": [_number(value) for value in values]}
        result[name] = spec
    return result


def _number(value: Any) -> Any:
    try:
        number = float(value) if isinstance(value, str) else value
    except ValueError:
        return value
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _validate(group: dict) -> None:
    """A choice may be of any values, lists and nothing among them, whatever NNI's check says."""
    checked = group
    if isinstance(group, dict):
        checked = {name: spec for name, spec in group.items() if name != "_name" and not _is_choice(spec)}
    validate_search_space(checked, raise_exception=True)
    for name, spec in _specs(group):
        if not spec["_value"]:
            raise ValueError(f'search space "{name}" has no values : {spec}')
        for branch in _branches(spec):
            _validate(branch)


def _is_choice(spec: Any) -> bool:
    return isinstance(spec, dict) and spec.get("_type") == "choice" and isinstance(spec.get("_value"), list)


def _identity(parameters: Any) -> str:
    """Text that is equal for equal configurations: keys in any order, whole numbers with and without a point."""
    return json.dumps(_plain(parameters), sort_keys=True)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else value
