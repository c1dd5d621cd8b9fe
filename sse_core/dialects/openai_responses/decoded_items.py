"""The output of a response: its items, and the block events that come of them.

An item is sent whole at its beginning, at its end, and once more with the response's end.  What it says
is the same each time, only more of it: so one way of taking it serves all three.  What came before
is not repeated, and what of a text is new follows as a delta.

Which item an event speaks of is decided in ``identity``.
"""

from __future__ import annotations

from itertools import count
from typing import Any

from ...blocks import ResultBlock, UnknownBlock, strict_json
from ...blocks import events as e
from ...blocks.events import BlockEvent
from ...blocks.strict_json import JSON, JSONObject
from ..budget import Budget
from .client_calls import PROVIDER_ITEMS, is_call, is_output
from .decoded_calls import DecodedCalls
from .decoded_item import DecodedItem, in_places, parts_of, without_parts
from .decoded_part import DecodedPart, repetition
from .identity import Clue, ItemIndex, index_in
from .part_forms import CALLS, FORMS, Form, form_of, text_of


class DecodedItems:
    """All items of a response.

    A method gives ``None`` for an event that its item has no room for, or that has a value of another type
    than the protocol's.
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._items = ItemIndex(budget)
        self._blocks = count()
        self._calls = DecodedCalls(budget, self._blocks)

    def item(self, data: JSONObject, *, whole: bool) -> list[BlockEvent] | None:
        """An item begins or, if it is ``whole``, is as it says now."""
        item_data = data.get("item")
        if item_data is None:
            return []
        if not _is_item(item_data):
            return None
        clue = Clue.of_item(data, item_data)
        if self._items.is_other_call(clue):
            return None
        return self._done(clue, item_data) if whole else self._added(clue, item_data)

    def _added(self, clue: Clue, data: JSONObject) -> list[BlockEvent]:
        if self._items.announced(clue) is not None:
            return []  # a repetition: in what it grew by since, it is behind
        return self._take(self._items.new(clue), data)

    def _done(self, clue: Clue, data: JSONObject) -> list[BlockEvent]:
        item = self._items.ended(clue) or self._items.new(clue)
        self._items.learn(item, clue)
        return [] if item.is_done else self._take(item, data, whole=True)

    def part(self, data: JSONObject, *, whole: bool) -> list[BlockEvent] | None:
        """A part begins or, if it is ``whole``, ends."""
        part_data = data.get("part")
        if part_data is None:
            return []
        kind = part_data.get("type") if isinstance(part_data, dict) else None
        form = FORMS.get(kind) if isinstance(kind, str) else None
        if form is None:
            return None
        said = _text_in(part_data.get(form.text)) if whole else None
        repeated = self._repetition(form, data, said)
        if repeated is not None:
            return repeated
        found = self._find(form, data, part_data, whole=said, announces=not whole)
        if found is None:
            return None
        part, events = found
        return events + _take_part(part, form, part_data, whole=whole)

    def grow(self, form: Form, data: JSONObject) -> list[BlockEvent] | None:
        """A part has more text."""
        fragment = _text_in(data.get("delta"))
        found = None if fragment is None else self._find(form, data, {})
        if fragment is None or found is None or not found[0].is_open:
            return None
        part, events = found
        return events + part.grow(fragment)

    def text_done(self, form: Form, data: JSONObject) -> list[BlockEvent] | None:
        """The text of a part is whole; its end is yet to come."""
        whole = _text_in(data.get(form.text))
        repeated = self._repetition(form, data, whole)
        if repeated is not None:
            return repeated
        found = None if whole is None else self._find(form, data, {}, whole=whole)
        if whole is None or found is None:
            return None
        part, events = found
        if not part.is_open:
            return events
        # OpenAI sends an empty list with each text: it says something in a part only.
        logprobs = {"logprobs": data["logprobs"]} if data.get("logprobs") else {}
        became = [] if data.get(form.text) is None else part.become(whole)
        return events + became + part.fields(logprobs)

    def cite(self, form: Form, data: JSONObject) -> list[BlockEvent] | None:
        """A part has one more citation."""
        citation = data.get("annotation")
        if not (citation is None or isinstance(citation, dict)):
            return None
        found = self._find(form, data, {})
        if found is None or not found[0].is_open:
            return None
        part, events = found
        return events if citation is None else events + part.cite(citation)

    def grow_call(self, type_: str, data: JSONObject) -> list[BlockEvent] | None:
        """A call has more arguments."""
        item = self._items.grown(Clue.of_growth(data, type_))
        return self._calls.grow(item, text_of(data.get("delta")) or "")

    def arguments_done(self, type_: str, data: JSONObject) -> list[BlockEvent]:
        """The arguments of a call are whole; its end is yet to come."""
        item = self._items.grown(Clue.of_growth(data, type_))
        return self._calls.become(item, text_of(data.get(CALLS[type_])))

    def finish(self, output: list[Any], *, completed: bool) -> list[BlockEvent]:
        """The response has ended with these items; if it ``completed``, those are whole that say so."""
        events: list[BlockEvent] = []
        items = {place: item for place, item in enumerate(output) if _is_item(item)}
        clues = {place: Clue.of_item({}, data) for place, data in items.items()}
        for place, item in self._items.in_output(clues):
            data = items[place]
            if item is not None:
                whole = completed and data.get("status") in (None, "completed")
                events += self._take(item, data, whole=whole)
            elif self._items.is_other_call(clues[place]):
                events.append(e.UnknownEvent(data))
        return events + self._calls.end()

    def cut(self) -> list[BlockEvent]:
        """The stream has ended, and the response had not."""
        return self._calls.cut()

    def _repetition(self, form: Form, data: JSONObject, whole: str | None) -> list[BlockEvent] | None:
        """What is new in ``whole`` where several parts make it up together; ``None`` where they did not."""
        item = self._items.grown(Clue.of_growth(data, form.item)) if whole else None
        return repetition(item.parts[form.list], form, whole) if item is not None and whole else None

    def _find(
        self,
        form: Form,
        data: JSONObject,
        part: JSONObject,
        *,
        whole: str | None = None,
        announces: bool = False,
    ) -> tuple[DecodedPart, list[BlockEvent]] | None:
        """The part that an event is of, and its beginning and its item's where they were not announced.

        ``whole`` is its text where the event has it; ``announces``: the event is of its beginning.
        """
        clue = Clue.of_growth(data, form.item)
        events: list[BlockEvent] = []
        item = self._items.grown(clue)
        if item is None:
            if not self._items.may_begin(clue):
                return None
            item = self._items.new(clue)
            events = self._take(item, {**({"id": clue.id} if clue.id else {}), "type": form.item})
        item.has_announced_parts = item.has_announced_parts or announces
        parts = item.parts[form.list]
        place = index_in(data, form.index)
        if place is None:
            place = next(reversed(parts), 0)
        known = parts.get(place) or (None if announces else _last_of(item, form, whole))
        if known is None:
            return self._begin(item, form, place, part, events)
        return (known, events) if known.form is form else None

    def _begin(
        self, item: DecodedItem, form: Form, place: int, data: JSONObject, events: list[BlockEvent]
    ) -> tuple[DecodedPart, list[BlockEvent]]:
        part = item.parts[form.list][place] = DecodedPart(next(self._blocks), form, self._budget)
        return part, events + part.start(form, {"output_index": item.index, form.index: place}, data)

    def _take(self, item: DecodedItem, data: JSONObject, *, whole: bool = False) -> list[BlockEvent]:
        """What ``data``, the item as it is now, says that is new; ``whole``: it is at its end."""
        events: list[BlockEvent] | None = None
        if item.verbatim is None and item.type in CALLS:
            events = self._calls.take(item, data, whole=whole)
        elif item.verbatim is None and is_call(item.type):
            events = self._calls.take_tool(item, data, whole=whole)
        elif item.parts:
            events = item.update(without_parts(item, data))
            events += [] if item.is_done else self._take_parts(item, data, whole=whole)
        if events is None:
            events = self._answer(item) + self._take_verbatim(item, data, whole=whole)
        if whole and not self._calls.is_due(item):
            self._items.close(item)
        return events

    def _answer(self, item: DecodedItem) -> list[BlockEvent]:
        """Where ``item`` is the output of a call, the provider ran the call."""
        call = self._calls.answer(item.call_id) if is_output(item.type) else None
        return [] if call is None else self._take_verbatim(call[0], call[1], whole=call[2])

    def _take_verbatim(self, item: DecodedItem, data: JSONObject, *, whole: bool) -> list[BlockEvent]:
        name_and_id: JSONObject = {name: data[name] for name in ("type", "id") if name in data}
        changed = item.fields.changed(data)
        if item.verbatim is None:
            item.verbatim = next(self._blocks)
            is_result = item.type in PROVIDER_ITEMS or is_output(item.type)
            block = ResultBlock(data) if is_result else UnknownBlock(data)
            events = [*item.update(name_and_id), e.BlockStart(item.verbatim, block)]
        elif item.is_done:  # its block is closed: what changed since stands beside it
            return item.update({**name_and_id, **changed}) if changed else []
        else:
            events = item.update(name_and_id)
            events += [e.FieldsDelta(item.verbatim, changed)] if changed else []
        return [*events, e.BlockStop(item.verbatim)] if whole else events

    def _take_parts(self, item: DecodedItem, data: JSONObject, *, whole: bool) -> list[BlockEvent]:
        events: list[BlockEvent] = []
        for name, parts in item.parts.items():
            listed = parts_of(data, name)
            item.has_announced_parts = item.has_announced_parts or (listed != [] and not whole)
            for place, part_data in in_places(parts, listed):
                form = form_of(part_data, item.type, name)
                if form is None:
                    continue
                known = parts.get(place)
                if known is None or known.form is not form:
                    # What was announced as another kind of part stays what it was.
                    free = place if known is None else max(parts) + 1
                    known, begin = self._begin(item, form, free, part_data, [])
                    events += begin
                text = _text_in(part_data.get(form.text))
                repeated = repetition(parts, form, text) if text else None
                if repeated is None:
                    events += _take_part(known, form, part_data, whole=whole)
                else:
                    events += repeated + (known.receive(form, part_data) if known.is_open else [])
            if whole:
                events += [event for part in parts.values() if part.is_open for event in part.stop()]
        return events


def _take_part(part: DecodedPart, form: Form, data: JSONObject, *, whole: bool) -> list[BlockEvent]:
    if not part.is_open:
        return []
    value = _text_in(data.get(form.text)) if data.get(form.text) is not None else None
    events = part.become(value) if value is not None and (value or whole) else []
    events += part.receive(form, data)
    return events + part.stop() if whole else events


def _last_of(item: DecodedItem, form: Form, whole: str | None) -> DecodedPart | None:
    """The part that text at a place that nobody announced is of: some hosts count with each event of text.

    That is the last, if it can have the text, and if the host announces parts at all.
    """
    parts = item.parts[form.list]
    last = parts[next(reversed(parts))] if parts and item.has_announced_parts else None
    if last is None or not last.is_open or last.form is not form:
        return None
    return last if whole is None or last.is_seen(whole) else None


def _is_item(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("type"), str)


def _text_in(value: JSON) -> str | None:
    """The text that a value is, empty for null; ``None`` for what is none.

    Some hosts send a text that is a number as a number.
    """
    if value is None or isinstance(value, str):
        return value or ""
    return strict_json.dumps(value) if type(value) in (int, float) else None
