"""Fields of a JSON object that came from a peer: there and of the right type, or a ``ValueError``."""

from __future__ import annotations

from typing import TypeVar

from ..blocks import strict_json
from ..blocks.strict_json import JSON, JSONObject

T = TypeVar("T")

#: Characters of an id or a name that each event of a stream repeats.  What is longer is written once: else
#: n events with an id of n characters would cost their square.
MAX_REPEATED = 512


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


def text(data: JSONObject, name: str, default: str) -> str:
    """The field ``name`` if it is text, else ``default``."""
    value = data.get(name)
    return value if isinstance(value, str) else default


def repeatable(data: JSONObject) -> JSONObject:
    """The fields that can stand in each event of a stream: all but texts beyond ``MAX_REPEATED``."""
    return {
        name: value
        for name, value in data.items()
        if not (isinstance(value, str) and len(value) > MAX_REPEATED)
    }


def take(data: JSONObject, name: str, kind: type, default: JSON) -> JSON:
    """Take the field ``name`` out if it is of this type; of any other, it stays where it is."""
    return data.pop(name) if type(data.get(name)) is kind else default


def parsed_object(text: str) -> JSONObject:
    """The JSON object that ``text`` is.  Raises ``ValueError`` where it is none."""
    data = strict_json.loads(text)
    if not isinstance(data, dict):
        raise ValueError("no JSON object")  # noqa: TRY004  (a peer's mistake, not the caller's)
    return data


def json_object(body: bytes) -> JSONObject:
    """The JSON object that ``body`` is, or an empty one."""
    try:
        data = strict_json.loads(body.decode())
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {}
