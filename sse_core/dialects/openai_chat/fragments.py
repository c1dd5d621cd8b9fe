"""Fields of a delta that have no name here, and may come in fragments.

What a delta says of a field is added to what was said before, as the official SDK adds it: texts and lists
get longer, objects are merged field by field, of anything else the last value counts, as of an object's
``type``, ``id`` and ``index``.  Null takes nothing back.  Many hosts say the same in each chunk: a text that
is all that has come so far, and a list that begins with it, are a repetition.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...blocks import strict_json
from ...blocks.strict_json import JSON, JSONObject
from ...blocks.text import GrowingText
from ..held import Held

#: Fields of an object that say what it is: they don't come in fragments.
_IDENTITY = frozenset({"type", "id", "index"})
#: What a field costs beside its text, in bytes.
_FIELD_BYTES = 100


class _Text:
    """A text in fragments."""

    __slots__ = ("size", "text")

    def __init__(self, text: str) -> None:
        self.text = GrowingText(text)
        self.size = len(text)

    def add(self, text: str) -> bool:
        """Take a fragment; whether it says something new."""
        if not text or (len(text) == self.size and text == str(self.text)):
            return False
        self.text.append(text)
        self.size += len(text)
        return True


#: A value that grows: a text, a list of values, an object of values that grow, or any other value.
_Grown = Any


@dataclass(slots=True)
class _Field:
    value: _Grown
    told: int  #: bytes of what was told of it last
    untold: int = 0  #: bytes that came since then


class Fragments:
    """Such fields of one answer.

    A field that grows is told as a whole, whenever what came since the last time is as much as was told
    then, and at the end.  So telling it costs no more than a few times its length.
    """

    def __init__(self, held: Held) -> None:
        self._held = held
        self._fields: dict[str, _Field] = {}

    def receive(self, fields: JSONObject) -> JSONObject:
        """Take fragments.  What is to be told now, by name.

        Raises ``LimitExceeded`` beyond ``max_held_bytes``.
        """
        told: JSONObject = {}
        for name, value in fields.items():
            known = self._fields.get(name)
            if known is None:
                size = _size(value)
                self._held.add(_FIELD_BYTES + len(name) + size)
                self._fields[name] = _Field(_grown(value), size)
                told[name] = value
            elif self._add(known, value):
                told[name] = _tell(known)
        return told

    def flush(self) -> JSONObject:
        """What was not told yet, at the end."""
        return {name: _tell(known) for name, known in self._fields.items() if known.untold}

    def _add(self, field: _Field, value: JSON) -> bool:
        """Add a value; whether the field is to be told now."""
        field.value, is_new = self._merge(field.value, value)
        if is_new:
            field.untold += _size(value)
        return is_new and (not isinstance(field.value, _Text | list | dict) or field.untold >= field.told)

    def _merge(self, known: _Grown, value: JSON) -> tuple[_Grown, bool]:
        """What is known now, and whether ``value`` says something new."""
        if value is None:
            return known, False
        if isinstance(known, _Text) and isinstance(value, str):
            is_new = known.add(value)
            self._held.add(_size(value) if is_new else 0)
            return known, is_new
        if isinstance(known, list) and isinstance(value, list):
            more = value[len(known) :] if value[: len(known)] == known else value
            self._held.add(_size(more) if more else 0)
            known.extend(more)
            return known, bool(more)
        if isinstance(known, dict) and isinstance(value, dict):
            news = [self._merge_field(known, name, inner) for name, inner in value.items()]
            return known, any(news)
        if isinstance(value, str | list | dict):
            self._held.add(_size(value))
            return _grown(value), True
        return value, type(known) is not type(value) or known != value

    def _merge_field(self, known: dict[str, _Grown], name: str, value: JSON) -> bool:
        if name not in known:
            self._held.add(_FIELD_BYTES + len(name) + _size(value))
            known[name] = _grown(value)
            return True
        if name in _IDENTITY and isinstance(value, str):
            before, known[name] = _plain(known[name]), _grown(value)
            return bool(before != value)
        known[name], is_new = self._merge(known[name], value)
        return is_new


def _grown(value: JSON) -> _Grown:
    if isinstance(value, str):
        return _Text(value)
    if isinstance(value, list):
        return list(value)
    return {name: _grown(inner) for name, inner in value.items()} if isinstance(value, dict) else value


def _plain(value: _Grown) -> JSON:
    if isinstance(value, _Text):
        return str(value.text)
    if isinstance(value, list):
        return list(value)
    return {name: _plain(inner) for name, inner in value.items()} if isinstance(value, dict) else value


def _tell(field: _Field) -> JSON:
    value = _plain(field.value)
    field.told, field.untold = _size(value), 0
    return value


def _size(value: JSON) -> int:
    return len(strict_json.dumps(value))
