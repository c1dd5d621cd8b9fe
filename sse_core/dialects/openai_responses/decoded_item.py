"""An output item: what is kept of it, and what its parts and its other fields are.

Source: https://platform.openai.com/docs/api-reference/responses/object
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ...blocks import events as e
from ...blocks.events import BlockEvent
from ...blocks.strict_json import JSON, JSONObject
from ..budget import Budget
from ..fields import rest
from .decoded_part import DecodedPart
from .part_forms import LISTS, form_of
from .seen_text import SeenFields, digest_of

#: What marks an item's fields among the extra fields of the message.
OUTPUT = "output."
#: The same with the item's index.  A field of the response may have such a name, too.
_PLACE = re.compile(rf"{re.escape(OUTPUT)}([0-9]{{1,10}})")
#: What an item costs: its digest and its place.
_ITEM_BYTES = 400


class DecodedItem:
    """One output item: its blocks so far.

    ``index`` is its own: no other item has it, whatever the host counts.  ``call_id`` is empty while it
    has none.
    """

    __slots__ = (
        "_skeleton",
        "call",
        "call_id",
        "fields",
        "has_announced_parts",
        "index",
        "is_done",
        "parts",
        "type",
        "verbatim",
    )

    def __init__(self, index: int, type_: str, budget: Budget) -> None:
        budget.add(_ITEM_BYTES)
        self.index: int = index
        self.type: str = type_
        self.call_id: str = ""
        self.is_done: bool = False
        self.parts: dict[str, dict[int, DecodedPart]] = {name: {} for name in LISTS.get(type_, ())}
        self.has_announced_parts: bool = False
        self.call: DecodedPart | None = None
        self.verbatim: int | None = None  # the index of its block, if that is the item as it is
        self.fields: SeenFields = SeenFields(budget)  # of that block
        self._skeleton = b""  # a digest of it, as it came last

    def update(self, skeleton: JSONObject) -> list[BlockEvent]:
        """It is ``skeleton`` beside its blocks, if that is new."""
        digest = digest_of(skeleton)
        if digest == self._skeleton:
            return []
        self._skeleton = digest
        return [e.MessageDelta(extra={f"{OUTPUT}{self.index}": skeleton})]


def item_place(name: str) -> int | None:
    """The index of the item whose extra field has this name; ``None`` for any other name."""
    place = _PLACE.fullmatch(name)
    return None if place is None else int(place[1])


def parts_of(data: JSONObject, name: str) -> list[Any]:
    """The parts in the list ``name`` of an item.  Some hosts send the text, or the part, and no list."""
    value: JSON = data.get(name)
    if isinstance(value, str) and name == "content" and data["type"] == "message":
        return [{"type": "output_text", "text": value}]
    return [value] if isinstance(value, dict) else value if isinstance(value, list) else []


def without_parts(item: DecodedItem, data: JSONObject) -> JSONObject:
    """The item without what stands in blocks.

    A list with a part that is no text stays, with null where a block stands.  So does an empty content
    of reasoning, which not every host sends.
    """
    skeleton = rest(data, *item.parts)
    for name in item.parts:
        parts = parts_of(data, name)
        forms = [form_of(part, item.type, name) for part in parts]
        if None in forms:
            skeleton[name] = [None if form else part for form, part in zip(forms, parts, strict=True)]
        elif item.type == "reasoning" and name == "content" and data.get(name, 0) == []:
            skeleton[name] = []
    return skeleton


def in_places(parts: dict[int, DecodedPart], listed: list[Any]) -> Iterator[tuple[int, Any]]:
    """Parts of a whole list, each with its index: some hosts begin to count at 1, or leave gaps."""
    if all(place < len(listed) for place in parts):
        yield from enumerate(list(listed))
        return
    places = sorted(parts)
    following = places[-1] + 1
    for position, part in enumerate(listed):
        beyond = following + position - len(places)
        yield (places[position] if position < len(places) else beyond), part
