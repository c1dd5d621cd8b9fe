"""The output of a response: its items, by the index that the protocol gives them.

An item is told whole at its beginning, at its end, and once more with the response's end.  What it says
is the same each time, only more of it: so one way of taking it serves all three.  What was told before
is not told again, and what of a text is new follows as a delta.

Items are told apart by ``output_index`` only: some hosts give an item another id with each event.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Iterator
from typing import Any

from ...blocks import events as e
from ...blocks.events import BlockEvent
from ...blocks.model import ResultBlock, ToolUseBlock, UnknownBlock
from ...blocks.strict_json import JSONObject
from ..fields import optional, required, rest, text
from ..held import Held
from .parts import CALLS, FORMS, LISTS, Form, Part, form_of, text_of
from .told import ToldFields, digest_of

#: What marks an item's fields among the extra fields of the message.
OUTPUT = "output."
#: The same with the item's index.  A field of the response may have such a name, too.
_PLACE = re.compile(rf"{re.escape(OUTPUT)}([0-9]{{1,10}})")
#: Items that the provider runs itself.
_RESULTS = frozenset(
    {
        "web_search_call",
        "x_search_call",
        "file_search_call",
        "code_interpreter_call",
        "image_generation_call",
        "mcp_list_tools",
        "mcp_approval_request",
    }
)
#: An index beyond is none: it would cost more than an item does.
_MAX_INDEX = 2**32
#: What an item costs: its digest and its place.
_ITEM_BYTES = 400


class Item:
    """One output item: its blocks so far."""

    __slots__ = ("call", "fields", "index", "is_done", "parts", "skeleton", "type", "verbatim")

    def __init__(self, index: int, type_: str, held: Held) -> None:
        held.add(_ITEM_BYTES)
        self.index = index
        self.type = type_
        self.is_done = False
        self.parts: dict[str, dict[int, Part]] = {name: {} for name in LISTS.get(type_, ())}
        self.call: Part | None = None
        self.verbatim: int | None = None  # the index of its block, if that is the item as it is
        self.fields = ToldFields(held)  # of that block
        self.skeleton = b""  # a digest of it, as it was told last


class Output:
    """All items of a response.

    A method gives ``None`` for an event that its item has no room for.
    """

    def __init__(self, held: Held) -> None:
        self._held = held
        self._items: dict[int, Item] = {}
        self._blocks = 0
        self._latest = 0  # the index of the item that began last
        self._next = 0  # the index beyond all items

    def added(self, data: JSONObject) -> list[BlockEvent]:
        """An item begins."""
        item_data = _item(data)
        index = _index(data, "output_index", self._next)
        if index in self._items:
            return []  # a repetition: in what it grew by since, it is behind
        return self._take(self._new(index, item_data["type"]), item_data)

    def done(self, data: JSONObject) -> list[BlockEvent] | None:
        """An item is whole, and as it says now."""
        item_data = _item(data)
        index = _index(data, "output_index", self._latest)
        item = self._items.get(index) or self._new(index, item_data["type"])
        if item.type != item_data["type"]:
            return None
        return [] if item.is_done else self._take(item, item_data, whole=True)

    def part(self, data: JSONObject, *, whole: bool) -> list[BlockEvent] | None:
        """A part begins or, if it is ``whole``, ends."""
        part_data = required(data, "part", dict)
        kind = part_data.get("type")
        form = FORMS.get(kind) if isinstance(kind, str) else None
        found = None if form is None else self._find(form, data, part_data)
        if form is None or found is None:
            return None
        part, events = found
        return events + self._take_part(part, form, part_data, whole=whole)

    def grow(self, form: Form, data: JSONObject) -> list[BlockEvent] | None:
        """A part has more text."""
        fragment = required(data, "delta", str)
        found = self._find(form, data, {})
        if found is None or not found[0].is_open:
            return None
        part, events = found
        return events + part.grow(fragment)

    def text_done(self, form: Form, data: JSONObject) -> list[BlockEvent] | None:
        """The text of a part is whole; its end is yet to come."""
        whole = optional(data, form.text, str)
        found = self._find(form, data, {})
        if found is None:
            return None
        part, events = found
        if not part.is_open:
            return events
        # OpenAI sends an empty list with each text: it says something in a part only.
        logprobs = {"logprobs": data["logprobs"]} if data.get("logprobs") else {}
        return events + ([] if whole is None else part.become(whole)) + part.fields(logprobs)

    def cite(self, form: Form, data: JSONObject) -> list[BlockEvent] | None:
        """A part has one more citation."""
        citation = optional(data, "annotation", dict)
        found = self._find(form, data, {})
        if found is None or not found[0].is_open:
            return None
        part, events = found
        return events if citation is None else events + part.cite(citation)

    def grow_call(self, type_: str, data: JSONObject) -> list[BlockEvent] | None:
        """A call has more arguments."""
        fragment = text_of(data.get("delta")) or ""
        call = self._call(type_, data)
        return [] if call is None else call.grow(fragment) if call.is_open else None

    def arguments_done(self, type_: str, data: JSONObject) -> list[BlockEvent] | None:
        """The arguments of a call are whole; its end is yet to come."""
        whole = text_of(data.get(CALLS[type_]))
        call = self._call(type_, data)
        return [] if call is None or whole is None or not call.is_open else call.become(whole)

    def finish(self, output: list[Any], *, completed: bool) -> list[BlockEvent]:
        """The response has ended with these items; if it ``completed``, those are whole that say so."""
        events: list[BlockEvent] = []
        for index, data in self._placed(output):
            item = self._items.get(index) or self._new(index, data["type"])
            whole = completed and data.get("status") in (None, "completed")
            events += self._take(item, data, whole=whole)
        return events

    def _new(self, index: int, type_: str) -> Item:
        item = self._items[index] = Item(index, type_, self._held)
        self._latest, self._next = index, max(self._next, index + 1)
        return item

    def _block(self) -> int:
        self._blocks += 1
        return self._blocks - 1

    def _call(self, type_: str, data: JSONObject) -> Part | None:
        """The call that an event is of, if it has begun.

        One that was not announced has no name: it begins with its end, which tells everything.
        """
        item = self._items.get(_index(data, "output_index", self._latest))
        return item.call if item is not None and item.type == type_ else None

    def _find(self, form: Form, data: JSONObject, part: JSONObject) -> tuple[Part, list[BlockEvent]] | None:
        """The part that an event is of, and its beginning and its item's where they were not announced."""
        index = _index(data, "output_index", self._latest)
        events: list[BlockEvent] = []
        item = self._items.get(index)
        if item is None:
            item = self._new(index, form.item)
            id_ = {"id": data["item_id"]} if isinstance(data.get("item_id"), str) else {}
            events = self._take(item, {**id_, "type": form.item})
        if form.item != item.type:
            return None
        parts = item.parts[form.list]
        place = _index(data, form.index, next(reversed(parts), 0))
        if place not in parts:
            return self._begin(item, form, place, part, events)
        return (parts[place], events) if parts[place].form is form else None

    def _begin(
        self, item: Item, form: Form, place: int, data: JSONObject, events: list[BlockEvent]
    ) -> tuple[Part, list[BlockEvent]]:
        part = item.parts[form.list][place] = Part(self._block(), form, self._held)
        return part, events + part.start(form, {"output_index": item.index, form.index: place}, data)

    def _take(self, item: Item, data: JSONObject, *, whole: bool = False) -> list[BlockEvent]:
        """What ``data``, the item as it is now, says that is new; ``whole``: it is at its end."""
        if item.type in CALLS and item.verbatim is None:
            events = self._take_call(item, data, whole=whole)
        elif item.parts:
            events = self._skeleton(item, _without_parts(item, data))
            if not item.is_done:
                events += self._take_parts(item, data, whole=whole)
        else:
            events = self._take_verbatim(item, data, whole=whole)
        item.is_done = item.is_done or whole
        return events

    def _skeleton(self, item: Item, skeleton: JSONObject) -> list[BlockEvent]:
        digest = digest_of(skeleton)
        if digest == item.skeleton:
            return []
        item.skeleton = digest
        return [e.MessageDelta(extra={f"{OUTPUT}{item.index}": skeleton})]

    def _take_call(self, item: Item, data: JSONObject, *, whole: bool) -> list[BlockEvent]:
        name, id_ = text(data, "name", ""), text(data, "id" if item.type == "mcp_call" else "call_id", "")
        if item.call is None and whole and not (name and id_):
            return self._take_verbatim(item, data, whole=True)  # nobody could run it or answer it
        events = self._skeleton(item, rest(data, CALLS[item.type]))
        if item.call is None:
            if not (name and id_):
                return events
            item.call = Part(self._block(), None, self._held)
            events.append(e.BlockStart(item.call.index, _tool(item, id_, name)))
        if item.call.is_open:
            arguments = text_of(data.get(CALLS[item.type]))
            if arguments is not None and (arguments or whole):
                events += item.call.become(arguments)
            # One that was cut is never whole, though the protocol ends it.
            if whole and data.get("status") != "incomplete":
                events += item.call.stop()
        return events

    def _take_verbatim(self, item: Item, data: JSONObject, *, whole: bool) -> list[BlockEvent]:
        name_and_id: JSONObject = {name: data[name] for name in ("type", "id") if name in data}
        changed = item.fields.changed(data)
        if item.is_done:  # its block is closed: what changed since stands beside it
            return self._skeleton(item, {**name_and_id, **changed}) if changed else []
        events = self._skeleton(item, name_and_id)
        if item.verbatim is None:
            item.verbatim = self._block()
            block = ResultBlock(data) if item.type in _RESULTS else UnknownBlock(data)
            events.append(e.BlockStart(item.verbatim, block))
        elif changed:
            events.append(e.FieldsDelta(item.verbatim, changed))
        return [*events, e.BlockStop(item.verbatim)] if whole else events

    def _take_parts(self, item: Item, data: JSONObject, *, whole: bool) -> list[BlockEvent]:
        events: list[BlockEvent] = []
        for name, parts in item.parts.items():
            listed = data.get(name)
            for place, part_data in _in_places(parts, listed if isinstance(listed, list) else []):
                form = form_of(part_data, item.type, name)
                if form is None:
                    continue
                known = parts.get(place)
                if known is None or known.form is not form:
                    # What was announced as another kind of part stays what it was.
                    free = place if known is None else max(parts) + 1
                    known, begin = self._begin(item, form, free, part_data, [])
                    events += begin
                events += self._take_part(known, form, part_data, whole=whole)
            if whole:
                events += [event for part in parts.values() if part.is_open for event in part.stop()]
        return events

    def _take_part(self, part: Part, form: Form, data: JSONObject, *, whole: bool) -> list[BlockEvent]:
        if not part.is_open:
            return []
        value = data.get(form.text)
        events = part.become(value) if isinstance(value, str) and (value or whole) else []
        events += part.receive(form, data)
        return events + part.stop() if whole else events

    def _placed(self, output: list[Any]) -> Iterator[tuple[int, JSONObject]]:
        """The items of the response's end, each with its index.

        They stand in the order of their indexes.  Where indexes have gaps, or some items are missing, an
        item is the next one of its type.
        """
        items = {place: item for place, item in enumerate(output) if _is_item(item)}
        known = sorted(self._items)
        if all(place in items and items[place]["type"] == self._items[place].type for place in known):
            yield from items.items()
            return
        left: dict[str, deque[int]] = defaultdict(deque)
        for index in known:
            left[self._items[index].type].append(index)
        following = self._next
        for data in items.values():
            if left[data["type"]]:
                yield left[data["type"]].popleft(), data
            else:
                yield following, data
                following += 1


def item_place(name: str) -> int | None:
    """The index of the item whose extra field has this name; ``None`` for any other name."""
    place = _PLACE.fullmatch(name)
    return None if place is None else int(place[1])


def _index(data: JSONObject, name: str, default: int) -> int:
    """The index ``name``; ``default`` where a host leaves it out."""
    index = optional(data, name, int)
    if index is None:
        return default
    if not 0 <= index < _MAX_INDEX:
        raise ValueError(f"{name} is no index")
    return index


def _item(data: JSONObject) -> JSONObject:
    item = required(data, "item", dict)
    required(item, "type", str)
    return item


def _is_item(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("type"), str)


def _tool(item: Item, id_: str, name: str) -> ToolUseBlock:
    return ToolUseBlock(
        id_,
        name,
        "mcp_tool_use" if item.type == "mcp_call" else "tool_use",
        input_encoding="text" if item.type == "custom_tool_call" else "json",
        extra={"output_index": item.index},
    )


def _without_parts(item: Item, data: JSONObject) -> JSONObject:
    """The item without what stands in blocks.

    A list with a part that is no text stays, with null where a block stands.  So does an empty content
    of reasoning, which not every host sends.
    """
    skeleton = rest(data, *item.parts)
    for name in item.parts:
        listed = data.get(name)
        parts = listed if isinstance(listed, list) else []
        forms = [form_of(part, item.type, name) for part in parts]
        if None in forms:
            skeleton[name] = [None if form else part for form, part in zip(forms, parts, strict=True)]
        elif item.type == "reasoning" and name == "content" and name in data and not parts:
            skeleton[name] = listed
    return skeleton


def _in_places(parts: dict[int, Part], listed: list[Any]) -> Iterator[tuple[int, Any]]:
    """Parts of a whole list, each with its index: some hosts begin to count at 1, or leave gaps."""
    if all(place < len(listed) for place in parts):
        yield from enumerate(list(listed))
        return
    places = sorted(parts)
    following = places[-1] + 1
    for position, part in enumerate(listed):
        beyond = following + position - len(places)
        yield (places[position] if position < len(places) else beyond), part
