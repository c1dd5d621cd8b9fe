"""What JSON in fragments is compared with: the value by ``json.loads``, and what a beginning of it is."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any


def joined(text: str) -> str:
    """``text`` with whole surrogate pairs, as a reader of UTF-16 has it."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def refuse(constant: str) -> None:
    """``NaN`` and ``Infinity`` are no JSON."""
    raise ValueError(constant)


def finite(number: str) -> float:
    """A number beyond the range of a double can't be written again."""
    value = float(number)
    if value in {float("inf"), float("-inf")}:
        raise ValueError(number)
    return value


def strictly(text: str, parse_float: Callable[[str], Any] = finite) -> Any:
    """The value by ``json.loads``, without what it takes that is no JSON or can't be written."""
    return json.loads(joined(text), parse_constant=refuse, parse_float=parse_float)


def is_prefix(known: Any, truth: Any) -> bool:
    """Whether ``known`` is the beginning of ``truth``: at most its last value lacks its end."""
    if isinstance(known, str) and isinstance(truth, str):
        return truth.startswith(known)
    if isinstance(known, list) and isinstance(truth, list):
        pairs = list(zip(known, truth, strict=False))
        return len(known) <= len(truth) and _is_prefix_of_all(pairs)
    if isinstance(known, dict) and isinstance(truth, dict):
        keys = list(known)
        return keys == list(truth)[: len(keys)] and _is_prefix_of_all([(known[k], truth[k]) for k in keys])
    return type(known) is type(truth) and bool(known == truth)


def _is_prefix_of_all(pairs: list[tuple[Any, Any]]) -> bool:
    return all(known == truth for known, truth in pairs[:-1]) and all(is_prefix(*pair) for pair in pairs[-1:])


def at(value: Any, path: tuple[str | int, ...]) -> Any:
    """What stands at ``path``."""
    for key in path:
        value = value[key]
    return value
