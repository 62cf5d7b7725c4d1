"""Plain JSON: what crosses the line between Python and C++, in both directions."""

from __future__ import annotations

import json
from typing import Any


def plain(value: Any) -> Any:
    """``value`` as dicts with string keys, lists, strings, numbers, booleans and None only.

    numpy scalars and arrays become numbers and lists; anything JSON has no word for becomes its ``str``.
    """
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):  # numpy arrays and scalars, without importing numpy
        return plain(value.tolist())
    return str(value)


def to_json(value: Any) -> str:
    """JSON text of ``value``. NaN and infinities stay as the tokens NaN and Infinity, which the tuner stores and does not rank by."""
    # ASCII, as Python has texts that no encoding knows: what os.listdir makes of file names that are not UTF-8.
    return json.dumps(plain(value), separators=(",", ":"))


def fingerprint(parameters: Any) -> str:
    """Text that is equal exactly for equal configurations: keys sorted, 1.0 and 1 alike (NNI's manager rewrites numbers on resume)."""
    return json.dumps(_whole_numbers_as_int(plain(parameters)), sort_keys=True)


def _whole_numbers_as_int(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _whole_numbers_as_int(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole_numbers_as_int(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
