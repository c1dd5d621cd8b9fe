"""Fields of a JSON object that came from a peer: there and of the right type, or a ``ValueError``."""

from __future__ import annotations

from typing import TypeVar

from ..blocks.strict_json import JSONObject

T = TypeVar("T")


def required(data: JSONObject, name: str, kind: type[T]) -> T:
    """The field ``name``.  Raises ``ValueError`` where it is missing or of another type."""
    value = data.get(name)
    # Not isinstance: in Python, true is a number.
    if type(value) is not kind:
        raise ValueError(f"{name} is missing or is no {kind.__name__}")
    return value


def optional(data: JSONObject, name: str, kind: type[T]) -> T | None:
    """The field ``name``, or ``None`` where it is missing or null.

    Raises ``ValueError`` where it is of another type.
    """
    return None if data.get(name) is None else required(data, name, kind)


def rest(data: JSONObject, *names: str) -> JSONObject:
    """All fields but ``names``."""
    return {name: value for name, value in data.items() if name not in names}
