"""Suggestions without the tuner: what NNI's own Random tuner would give."""

from __future__ import annotations

from typing import Any, Iterable

from nni.algorithms.hpo.random_tuner import RandomTuner
from nni.common.hpo_utils import format_parameters, validate_search_space


class FallbackSampler:
    """Random configurations of a search space without repetition. Raises ValueError if the space is not a valid NNI search space."""

    def __init__(self, space: dict, seed: int, known: Iterable[Any]):
        validate_search_space(space, raise_exception=True)
        self._random = RandomTuner(seed=seed)
        self._random.update_search_space(space)
        for parameters in known:
            self._exclude(parameters)

    def sample(self) -> dict:
        """Raises nni.NoMoreTrialError when every configuration of a finite space was given."""
        return self._random.generate_parameters()

    def _exclude(self, parameters: Any) -> None:
        try:
            self._random.dedup.add_history(format_parameters(parameters, self._random.space))
        except (KeyError, TypeError, ValueError, IndexError):
            pass  # of an earlier search space: it cannot be drawn from this one
