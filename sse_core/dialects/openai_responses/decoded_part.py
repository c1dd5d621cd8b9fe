"""The block that a part of an item is, or the arguments of a call, as far as it has come."""

from __future__ import annotations

from ...blocks import Block, TextBlock, ThinkingBlock
from ...blocks import events as e
from ...blocks.events import BlockEvent
from ...blocks.strict_json import JSONObject
from ..budget import Budget
from ..fields import rest
from .part_forms import PLACES, Form
from .seen_text import SeenFields, SeenText, rest_of_all

#: What a part costs beside its fields: its digest and its place.
_PART_BYTES = 400


class DecodedPart:
    """A block of text: of a part, or the arguments of a call.  ``is_open`` until its end has come."""

    __slots__ = ("_cited", "_delta", "_fields", "form", "index", "is_open", "seen")

    def __init__(self, index: int, form: Form | None, budget: Budget) -> None:
        budget.add(_PART_BYTES)
        self.index: int = index
        self.form: Form | None = form
        self.is_open: bool = True
        self._delta = e.ArgumentsDelta if form is None else form.delta
        self.seen: SeenText = SeenText()
        self._fields = SeenFields(budget)
        self._cited: int | None = None  # the number of citations; None before there is a list of them

    @property
    def has_text(self) -> bool:
        """Whether any of its text has come."""
        return self.seen.has_text

    def is_seen(self, whole: str) -> bool:
        """Whether ``whole`` is the text that has come, and there was some."""
        return self.has_text and self.seen.rest_of(whole) == ""

    def start(self, form: Form, place: JSONObject, data: JSONObject) -> list[BlockEvent]:
        """It begins, as ``data`` has it, at ``place``."""
        if _has_citations(form, data):
            self._cited = 0
        field = {} if form.field is None else {"field": form.field}
        extra = {**self._new_fields(form, data), **place, **field}
        block: Block = ThinkingBlock("", None, extra)
        if form.item == "message":
            block = TextBlock("", None if self._cited is None else [], extra)
        return [e.BlockStart(self.index, block)]

    def grow(self, fragment: str) -> list[BlockEvent]:
        """More of its text."""
        if not fragment:
            return []
        self.seen.add(fragment)
        return [self._delta(self.index, fragment)]

    def become(self, text: str) -> list[BlockEvent]:
        """Its text is ``text``, whatever has come of it."""
        rest_of_it = self.seen.rest_of(text)
        if rest_of_it is not None:
            return self.grow(rest_of_it)
        self.seen = SeenText()
        self.seen.add(text)
        return [e.TextReplaced(self.index, text)]

    def cite(self, citation: JSONObject) -> list[BlockEvent]:
        """One more citation."""
        self._cited = (self._cited or 0) + 1
        return [e.CitationDelta(self.index, citation)]

    def receive(self, form: Form, data: JSONObject) -> list[BlockEvent]:
        """What ``data``, the part as it is now, says beyond its text."""
        events: list[BlockEvent] = []
        if _has_citations(form, data):
            new = data["annotations"][self._cited or 0 :]
            events += [e.CitationDelta(self.index, item) for item in new if isinstance(item, dict)]
            if new:
                self._cited = len(data["annotations"])
        fields = self._new_fields(form, data)
        return [*events, e.FieldsDelta(self.index, fields)] if fields else events

    def fields(self, fields: JSONObject) -> list[BlockEvent]:
        """Fields of it that come late."""
        changed = self._fields.changed(fields)
        return [e.FieldsDelta(self.index, changed)] if changed else []

    def stop(self) -> list[BlockEvent]:
        """It has come to its end."""
        self.is_open = False
        return [e.BlockStop(self.index)]

    def _new_fields(self, form: Form, data: JSONObject) -> JSONObject:
        # An empty list that comes late is no citation, but the part has it.
        cited = () if self._cited is None else ("annotations",)
        fields = rest(data, "type", form.text, *PLACES, *cited)
        # OpenAI ends a part with empty `logprobs`, after those of its text.
        return self._fields.changed(
            {name: fields[name] for name in fields if fields[name] or not self._fields.has(name)}
        )


def repetition(parts: dict[int, DecodedPart], form: Form, whole: str) -> list[BlockEvent] | None:
    """What is new in ``whole`` if it is the text of several parts together; ``None`` where it is not.

    Some hosts count the place of a text up with each of its deltas, and then send the whole text at one.
    """
    if len(parts) < 2:
        return None
    texts = (part.seen if part.form is form else SeenText() for part in parts.values())
    rest_of_it = rest_of_all(texts, whole)
    last = parts[next(reversed(parts))]
    if rest_of_it is None:
        return None
    return last.grow(rest_of_it) if last.is_open else []


def _has_citations(form: Form, data: JSONObject) -> bool:
    return form.item == "message" and isinstance(data.get("annotations"), list)
