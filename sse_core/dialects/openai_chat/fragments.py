"""Fields of a delta that have no name here, and may come in fragments.

What a delta says of a field is added to what was said before, as the official SDK adds it: texts and lists
get longer, objects are merged field by field, of anything else the last value counts, as of an object's
``type``, ``id`` and ``index``.  Null takes nothing back.  Many hosts say the same in each chunk: as long as
nothing else has come, the same text or list again is a repetition.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...blocks import strict_json
from ...blocks.strict_json import JSON, JSONObject
from ...blocks.surrogates import ends_in_high_half
from ...blocks.text import GrowingText
from ..budget import Budget

#: Fields of an object that say what it is: they don't come in fragments.
_IDENTITY = frozenset({"type", "id", "index"})
#: What a field costs beside its text, in bytes.
_FIELD_BYTES = 100


class _Text:
    """A text in fragments.  ``first`` is what came first, until something else comes."""

    __slots__ = ("first", "text")

    def __init__(self, text: str) -> None:
        self.text = GrowingText(text)
        self.first: str | None = text or None

    def add(self, text: str) -> bool:
        """Take a fragment; whether it says something new."""
        if not text or text == self.first:
            return False
        self.first = None if self.text.fragments or str(self.text) else text
        self.text.append(text)
        return True


class _List:
    """A list in fragments.  ``first`` is what came first, until something else comes."""

    __slots__ = ("first", "items")

    def __init__(self, items: list[JSON]) -> None:
        self.items = list(items)
        self.first: list[JSON] | None = items or None

    def add(self, items: list[JSON]) -> bool:
        """Take a fragment; whether it says something new."""
        if not items or items == self.first:
            return False
        self.first = None if self.items else items
        self.items.extend(items)
        return True


#: A value that grows: a text, a list of values, an object of values that grow, or any other value.
_Grown = Any


@dataclass(slots=True)
class _Field:
    value: _Grown
    reported: int  #: bytes of what was reported of it last
    unreported: int = 0  #: bytes that came since then
    changes: int = 0  #: how often it has changed


class Fragments:
    """Such fields of one answer.

    A field that grows is reported as a whole: when it first does, whenever as much has come since the last
    time as was reported then, and at the end.  So reporting it costs no more than a few times its length.
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._fields: dict[str, _Field] = {}

    def receive(self, fields: JSONObject) -> JSONObject:
        """Take fragments.  Returns what is to be reported now, by name.

        Raises ``LimitExceeded`` beyond ``max_held_bytes``.
        """
        due: JSONObject = {}
        for name, value in fields.items():
            known = self._fields.get(name)
            if known is None:
                size = _size(value)
                self._budget.add(_FIELD_BYTES + len(name) + size)
                known = self._fields[name] = _Field(_grown(value), 0, size)
                is_due = True
            else:
                is_due = self._add(known, value)
            # Providers cut between the halves of a surrogate pair: the first alone is no character.
            if is_due and not (isinstance(value, str) and ends_in_high_half(value)):
                due[name] = _report(known)
        return due

    def unreported(self) -> JSONObject:
        """What was not reported yet."""
        return {name: _plain(known.value) for name, known in self._fields.items() if known.unreported}

    def _add(self, field: _Field, value: JSON) -> bool:
        """Add a value; whether the field is to be reported now."""
        field.value, is_new = self._merge(field.value, value)
        if not is_new:
            return False
        field.unreported += _size(value)
        field.changes += 1
        is_grown = isinstance(field.value, _Text | _List | dict)
        return not is_grown or field.changes == 1 or field.unreported >= field.reported

    def _merge(self, known: _Grown, value: JSON) -> tuple[_Grown, bool]:
        """What is known now, and whether ``value`` says something new."""
        if value is None:
            return known, False
        if isinstance(known, _Text) and isinstance(value, str):
            return known, known.add(value) and self._keep(value)
        if isinstance(known, _List) and isinstance(value, list):
            return known, known.add(value) and self._keep(value)
        if isinstance(known, dict) and isinstance(value, dict):
            news = [self._merge_field(known, name, inner) for name, inner in value.items()]
            return known, any(news)
        if isinstance(value, str | list | dict):
            return _grown(value), self._keep(value)
        return value, type(known) is not type(value) or known != value

    def _keep(self, value: JSON) -> bool:
        self._budget.add(_size(value))
        return True

    def _merge_field(self, known: dict[str, _Grown], name: str, value: JSON) -> bool:
        if name not in known:
            self._budget.add(_FIELD_BYTES + len(name) + _size(value))
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
        return _List(value)
    return {name: _grown(inner) for name, inner in value.items()} if isinstance(value, dict) else value


def _plain(value: _Grown) -> JSON:
    if isinstance(value, _Text):
        return str(value.text)
    if isinstance(value, _List):
        return list(value.items)
    return {name: _plain(inner) for name, inner in value.items()} if isinstance(value, dict) else value


def _report(field: _Field) -> JSON:
    value = _plain(field.value)
    field.reported, field.unreported = _size(value), 0
    return value


def _size(value: JSON) -> int:
    return len(strict_json.dumps(value))
