"""Which call a fragment of ``tool_calls`` belongs to, and what the call is named.

OpenAI numbers the calls of an answer with ``index`` and gives ``id`` and ``name`` with the first
fragment.  Hosts leave the index out, use it twice, count from 1, repeat ids and names as empty text
or null, send the name late or in pieces, or whole calls at once.  So, in this order: a fragment with an
id that was seen belongs to that call, unless it has another index and another name; with another id it
begins a call, even if the index repeats; else the index counts; else it belongs to the latest call.  A
list whose items have neither has a call for each item that has a name.

A call's block begins with its first argument, when another block begins, or at the end: until then its
name may grow.  A piece that comes later, or that may be the whole name as well as more of it, leaves the
call without an end, so that nobody runs it under half a name.

A call of a tool that takes free text has ``custom`` with ``name`` and ``input`` in place of ``function``
with ``name`` and ``arguments``: https://github.com/openai/openai-openapi/issues/576.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from ...blocks import InputEncoding, ToolUseBlock, strict_json
from ...blocks import events as e
from ...blocks.events import BlockEvent
from ...blocks.strict_json import JSON, JSONObject
from ..budget import Budget
from ..fields import rest, text

#: What a call and an index cost beside their texts, in bytes.
_CALL_BYTES = 200
_INDEX_BYTES = 100
#: Where a call of a kind has the text of its arguments.
_ARGUMENTS = {"function": "arguments", "custom": "input"}
_DIGITS = re.compile(r"[0-9]{1,9}")


@dataclass(slots=True, eq=False)
class Call:
    """A tool call; ``block`` is its block's index, once it has begun."""

    id: str = ""
    index: int | None = None  #: the first that it had
    name: str = ""
    takes_text: bool = False
    block: int | None = None
    fragments: list[str] = field(default_factory=list)  #: those that came before it began
    extra: JSONObject = field(default_factory=dict)
    is_doubtful: bool = False  #: nothing says what its name is, or which fragments are its own
    _name_came: Literal["once", "again", "in pieces"] = "once"

    def take_name(self, piece: str) -> None:
        """A name, or a piece of one: one that is neither empty nor the name so far makes it longer.

        Some hosts repeat the name with each fragment, or the name so far and more; others send pieces.
        Where one has done both, nothing says what the name is.
        """
        if not piece or not self.name:
            self.name = self.name or piece
        elif self.block is not None:
            self.is_doubtful = self.is_doubtful or piece != self.name
        elif piece.startswith(self.name):
            self.is_doubtful = self.is_doubtful or (self._name_came == "in pieces" and piece != self.name)
            self._name_came = "again" if self._name_came == "once" else self._name_came
            self.name = piece
        else:
            self.is_doubtful = self.is_doubtful or self._name_came == "again"
            self._name_came = "in pieces"
            self.name += piece


@dataclass(slots=True)
class _Fragment:
    """An item of ``tool_calls``, read."""

    id: str
    index: int | None
    name: str
    arguments: str
    takes_text: bool
    extra: JSONObject

    @property
    def is_anonymous(self) -> bool:
        """Whether nothing in it says which call it belongs to."""
        return not self.id and self.index is None


class Calls:
    """The tool calls of one answer."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._calls: list[Call] = []
        self._by_id: dict[str, Call] = {}
        self._by_index: dict[int, Call] = {}
        self._by_place: list[Call] = []  # those that have neither, by their place in a list
        self._latest: Call | None = None
        self._waiting: dict[int, Call] = {}  # those that have a name and no block, in their order

    def receive(self, items: list[JSON], next_block: int) -> list[BlockEvent]:
        """The block events of a list of ``tool_calls``; calls that begin take ``next_block`` and on.

        What is no object in it says nothing.  Raises ``LimitExceeded`` beyond ``max_held_bytes``.
        """
        fragments = [_read(item) for item in items if isinstance(item, dict)]
        several = sum(fragment.is_anonymous for fragment in fragments) > 1
        events: list[BlockEvent] = []
        place, before = 0, self._latest
        for fragment in fragments:
            if not fragment.is_anonymous:
                call = self._named(fragment)
            elif several:
                call, place = self._at_place(fragment, place, before), place + 1
            else:
                call = self._only(fragment, before)
            self._latest = call
            more = self._receive(call, fragment, next_block)
            next_block += _starts(more)
            events += more
        return events

    def begin(self, next_block: int) -> list[BlockEvent]:
        """Let all calls begin that have a name: something else begins, or the stream has ended."""
        return self._begin_up_to(None, next_block)

    def flush(self, next_block: int) -> None:
        """Let all calls begin, at the end: those whose name never came too."""
        for place, call in enumerate(self._held_calls(), next_block):
            call.block = place
        self._waiting = {}

    def held_events(self, next_block: int) -> list[BlockEvent]:
        """What all calls that have not begun would begin with."""
        calls = enumerate(self._held_calls(), next_block)
        return [event for place, call in calls for event in _opening(call, place)]

    def stop(self) -> list[BlockEvent]:
        """All calls are whole, but for those of which nothing says what they are named."""
        return [
            e.BlockStop(call.block)
            for call in self._calls
            if call.block is not None and call.name and not call.is_doubtful
        ]

    @property
    def wait(self) -> bool:
        """Whether there are calls that have a name and have not begun."""
        return bool(self._waiting)

    def _held_calls(self) -> list[Call]:
        """The calls that have not begun; those that have no name come last."""
        nameless = [call for call in self._calls if call.block is None and not call.name]
        return [*self._waiting.values(), *nameless]

    def _receive(self, call: Call, fragment: _Fragment, next_block: int) -> list[BlockEvent]:
        known = call.name
        call.takes_text = call.takes_text or fragment.takes_text
        call.take_name(fragment.name)
        if call.block is not None:
            extra = fragment.extra
            events: list[BlockEvent] = [e.FieldsDelta(call.block, extra)] if extra else []
            arguments = fragment.arguments
            return [*events, e.ArgumentsDelta(call.block, arguments)] if arguments else events
        call.extra.update(fragment.extra)
        if fragment.arguments:
            call.fragments.append(fragment.arguments)
        if call.name:
            self._waiting[id(call)] = call
            if call.fragments:
                return self._begin_up_to(call, next_block)
        kept = [fragment.name if call.name != known else "", fragment.arguments, fragment.extra]
        self._budget.add(len(strict_json.dumps(kept)) if any(kept) else 0)
        return []

    def _begin_up_to(self, last: Call | None, next_block: int) -> list[BlockEvent]:
        """Let those that wait begin, in their order, up to ``last``."""
        events: list[BlockEvent] = []
        while self._waiting:
            call = self._waiting.pop(next(iter(self._waiting)))
            events += _begin(call, next_block)
            next_block += 1
            if call is last:
                break
        return events

    def _named(self, fragment: _Fragment) -> Call:
        """The call that a fragment's id or index names."""
        index = fragment.index
        indexed = None if index is None else self._by_index.get(index)
        call = self._of_id(fragment, indexed) if fragment.id else (indexed or self._new())
        if index is not None:
            self._budget.add(0 if index in self._by_index else _INDEX_BYTES)
            self._by_index[index] = call
            call.index = index if call.index is None else call.index
        return call

    def _of_id(self, fragment: _Fragment, indexed: Call | None) -> Call:
        id_, name = fragment.id, fragment.name
        if indexed is not None and indexed.id == id_:
            return indexed
        known = self._by_id.get(id_)
        if known is not None and not (_is_elsewhere(known, fragment.index) and _is_other(known, name)):
            return known
        # An id may come late, but only to a call of which nothing was reported yet.
        is_late = known is None and indexed is not None and not indexed.id and indexed.block is None
        call = indexed if indexed is not None and is_late and not _is_other(indexed, name) else self._new()
        call.id = id_
        self._by_id[id_] = call
        self._budget.add(len(id_.encode("utf-8", "surrogatepass")))
        return call

    def _at_place(self, fragment: _Fragment, place: int, before: Call | None) -> Call:
        """The call of one of several items of a list that have neither id nor index.

        ``before`` is the call that the list before spoke of last.
        """
        if place < len(self._by_place):
            return self._by_place[place]
        latest = self._latest
        if latest is not None and latest is not before and not (latest.name and fragment.name):
            return latest
        goes_on = latest is not None and latest is before and not _is_other(latest, fragment.name)
        call = latest if latest is not None and goes_on else self._new()
        self._by_place.append(call)
        return call

    def _only(self, fragment: _Fragment, before: Call | None) -> Call:
        """The call of the only item of a list that has neither id nor index."""
        latest = self._latest
        if latest is None or (latest is not before and _is_other(latest, fragment.name)):
            return self._new()
        if len(self._by_place) > 1 and (fragment.name or fragment.arguments):
            # It may be any of these.
            for call in self._by_place:
                call.is_doubtful = True
        return latest

    def _new(self) -> Call:
        self._budget.add(_CALL_BYTES)
        call = Call()
        self._calls.append(call)
        return call


def _read(item: JSONObject) -> _Fragment:
    takes_text = item.get("function") is None and isinstance(item.get("custom"), dict)
    kind = "custom" if takes_text else "function"
    body = item[kind] if isinstance(item.get(kind), dict) else {}
    extra = {**rest(item, "id", "index", kind), **rest(body, "name", _ARGUMENTS[kind])}
    # `type` says nothing where it repeats what the call has.
    extra = {key: value for key, value in extra.items() if key != "type" or value not in (None, "", kind)}
    id_ = item.get("id")
    return _Fragment(
        id=str(id_) if type(id_) in (str, int) else "",
        index=_index(item.get("index")),
        name=text(body, "name", ""),
        arguments=_arguments(body.get(_ARGUMENTS[kind])),
        takes_text=takes_text,
        extra=extra,
    )


def _index(value: JSON) -> int | None:
    """An index, which may come as text."""
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return int(value)
    return value if type(value) is int else None


def _arguments(value: JSON) -> str:
    """Arguments are text, as the protocol has it; some hosts send the value itself."""
    if value is None or isinstance(value, str):
        return value or ""
    return strict_json.dumps(value)


def _is_elsewhere(call: Call, index: int | None) -> bool:
    return index is not None and call.index not in (None, index)


def _is_other(call: Call, name: str) -> bool:
    """Whether ``name`` is that of another call."""
    return bool(name) and call.name not in ("", name)


def _begin(call: Call, block: int) -> list[BlockEvent]:
    events = _opening(call, block)
    call.block, call.fragments = block, []
    return events


def _opening(call: Call, block: int) -> list[BlockEvent]:
    encoding: InputEncoding = "text" if call.takes_text else "json"
    extra = dict(call.extra)
    start = e.BlockStart(block, ToolUseBlock(call.id, call.name, input_encoding=encoding, extra=extra))
    fragments = "".join(call.fragments)
    return [start, e.ArgumentsDelta(block, fragments)] if fragments else [start]


def _starts(events: list[BlockEvent]) -> int:
    return sum(isinstance(event, e.BlockStart) for event in events)
