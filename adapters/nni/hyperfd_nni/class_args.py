"""``tuner.classArgs`` of an NNI experiment: their names, defaults and rules."""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Tuple, Union

from nni import ClassArgsValidator

NAMES = (
    "optimize_mode", "budget", "policy", "endpoint", "server_key", "client_key", "store", "seed", "fallback_after", "space",
    "meta_features", "dataset", "describe_timeout", "privacy", "epsilon", "delta", "bundle",
)

LARGEST_NUMBER = 1e15  # in magnitude, of meta_features; the tuner's limit


class Settings(NamedTuple):
    optimize_mode: str = "maximize"
    budget: Optional[int] = None  # None: maxTrialNumber of the experiment
    policy: str = "hyperfd"
    endpoint: Optional[str] = None  # None: a tuner on this machine, started when needed
    server_key: Optional[Path] = None
    client_key: Optional[Path] = None
    store: Optional[Path] = None  # None: below the user's data directory
    seed: int = 0
    fallback_after: float = 30.0
    space: Union[None, str, dict] = None  # annotates the search space: a file, or the annotation itself
    meta_features: Optional[Dict[str, float]] = None  # numbers that describe the data set
    dataset: Optional[Path] = None  # a folder that hyperfd-trial reads; the tuner never does
    describe_timeout: float = 60.0  # seconds that the first suggestion waits for the data set's meta-feature at most
    privacy: Optional[str] = None  # None: "share" at a tuner elsewhere if there is no dataset, otherwise "pull"
    epsilon: float = 4.0  # the next two: of privacy "private"
    delta: float = 1e-5
    bundle: Optional[str] = None  # experience that the store starts with: None: what comes with the tuner; a file's path; "none"

    @property
    def pulls(self) -> bool:
        """The tuner is on this machine, and starts with the bundle that the one at ``endpoint`` offers."""
        privacy = self.privacy or ("share" if self.dataset is None else "pull")
        return self.endpoint is not None and privacy == "pull"

    @property
    def is_local(self) -> bool:
        """The tuner is on this machine."""
        return self.endpoint is None or self.pulls


def read_class_args(class_args: Dict[str, Any]) -> Tuple[Settings, List[str]]:
    """The settings, and one sentence for everything that is wrong (then the default stands in)."""
    values: Dict[str, Any] = {}
    problems: List[str] = []
    for name, value in class_args.items():
        if name not in NAMES:
            problems.append(_unknown(name))
            continue
        if value is None:
            continue
        expected, reader = _READERS[name]
        try:
            values[name] = reader(value)
        except (TypeError, ValueError):
            problems.append(f"classArgs.{name}: expected {expected}, got {value!r}")
    settings = Settings(**values)
    problems += _contradictions(settings)
    return settings, problems


class HyperFDClassArgsValidator(ClassArgsValidator):
    """NNI calls it for ``nnictl`` configurations of version 1 only; the tuner itself checks again."""

    def validate_class_args(self, **class_args: Any) -> None:
        _, problems = read_class_args(class_args)
        if problems:
            raise ValueError("; ".join(problems))


def _unknown(name: str) -> str:
    close = difflib.get_close_matches(name, NAMES, n=1)
    hint = f'did you mean "{close[0]}"?' if close else f"known keys: {', '.join(NAMES)}"
    return f'classArgs: unknown key "{name}"; {hint}'


def _contradictions(settings: Settings) -> List[str]:
    problems = []
    if settings.endpoint is None and (settings.server_key or settings.client_key):
        problems.append("classArgs: server_key and client_key belong to a tuner elsewhere; endpoint is missing")
    if not settings.is_local and settings.store is not None:
        problems.append("classArgs: store belongs to the tuner on this machine; with an endpoint it needs privacy pull")
    if settings.endpoint is not None and settings.bundle is not None:
        problems.append("classArgs: bundle belongs to the tuner on this machine; one elsewhere starts with what its owner gives it")
    if bool(settings.server_key) != bool(settings.client_key):
        problems.append("classArgs: server_key and client_key are needed together")
    if settings.endpoint is None and settings.privacy not in (None, "pull"):
        problems.append(f"classArgs: privacy {settings.privacy} is about a tuner elsewhere; endpoint is missing")
    return problems


def _optimize_mode(value: Any) -> str:
    if value not in ("maximize", "minimize"):
        raise ValueError
    return value


def _whole_number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**63:
        raise ValueError
    return value


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
        raise ValueError
    return float(value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError
    return value


def _path(value: Any) -> Path:
    return Path(os.path.abspath(os.path.expanduser(_text(value))))


def _annotation(value: Any) -> Union[str, dict]:
    return value if isinstance(value, dict) else _text(value)


def _numbers(value: Any) -> Dict[str, float]:
    if not isinstance(value, dict) or not value:
        raise ValueError
    for name, number in value.items():
        if not isinstance(name, str) or isinstance(number, bool) or not isinstance(number, (int, float)) or not abs(number) <= LARGEST_NUMBER:
            raise ValueError
    return {name: float(number) for name, number in value.items()}


def _privacy(value: Any) -> str:
    if value not in ("pull", "share", "private"):
        raise ValueError
    return value


def _between(low: float, high: float):
    def read(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise ValueError
        return float(value)

    return read


def _bundle(value: Any) -> str:
    """"none", or a file: the tuner's own names stay its own."""
    if value == "none":
        return value
    path = _path(value)
    if not path.is_file():
        raise ValueError
    return str(path)


def _endpoint(value: Any) -> str:
    if not _text(value).startswith(("tcp://", "ipc://")):
        raise ValueError
    return value


_READERS = {
    "optimize_mode": ('"maximize" or "minimize"', _optimize_mode),
    "budget": ("a whole number of trials, 0 or more and below 2^63", _whole_number),
    "policy": ("the name of a policy", _text),
    "endpoint": ('"tcp://HOST:PORT" or "ipc://PATH"', _endpoint),
    "server_key": ("the file with the tuner's public key", _path),
    "client_key": ("the file with this client's secret key", _path),
    "store": ("a file name", _path),
    "seed": ("a whole number, 0 or more and below 2^63", _whole_number),
    "fallback_after": ("seconds, 0 or more", _seconds),
    "space": ("the file that annotates the search space, or the annotation itself", _annotation),
    "meta_features": ("names and numbers of at most 1e15", _numbers),
    "dataset": ("a folder", _path),
    "describe_timeout": ("seconds, 0 or more", _seconds),
    "privacy": ('"pull", "share" or "private"', _privacy),
    "epsilon": ("a number from 0.001 to 1000", _between(1e-3, 1e3)),
    "bundle": ('a file of experience that exists, or "none"', _bundle),
    "delta": ("a number from 1e-15 to 0.1", _between(1e-15, 0.1)),
}
