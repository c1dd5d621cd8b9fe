"""The items of a response while they are written: what they hold, and the events that report it.

Source: https://platform.openai.com/docs/api-reference/responses-streaming
"""

from __future__ import annotations

from collections import deque
from typing import Any

from ...blocks import Block, TextBlock, ThinkingBlock, ToolUseBlock, strict_json
from ...blocks.strict_json import JSON, JSONObject
from ..fields import json_object, repeatable, rest, text
from .part_forms import (
    CALLS,
    LISTS,
    OUTPUT_TEXT,
    PLACES,
    REASONING_TEXT,
    REFUSAL,
    SUMMARY_TEXT,
    Form,
    form_of_block,
)
from .vocabulary import cited

#: The events of a part, and those of its text.
_EVENTS_OF_PARTS = {
    OUTPUT_TEXT: ("response.content_part", "response.output_text"),
    REFUSAL: ("response.content_part", "response.refusal"),
    REASONING_TEXT: ("response.content_part", "response.reasoning_text"),
    SUMMARY_TEXT: ("response.reasoning_summary_part", "response.reasoning_summary_text"),
}
#: The events of a call's text.
_EVENTS_OF_CALLS = {
    "function_call": "response.function_call_arguments",
    "custom_tool_call": "response.custom_tool_call_input",
    "mcp_call": "response.mcp_call_arguments",
}
#: The calls that a client runs.
_CLIENT_CALLS = frozenset({"function_call", "custom_tool_call"})


class EncodedItem:
    """One output item.  ``skeleton`` is the item without what stands in blocks.

    - ``from_provider``: the provider has sent it.
    - ``ended``: no further block of it is expected.
    - ``done``: the event of its end was written.
    """

    def __init__(self, index: int, skeleton: JSONObject, *, from_provider: bool) -> None:
        self.index = index
        self.from_provider = from_provider
        self.type: str = text(skeleton, "type", "")
        self.update(skeleton)
        self.ended = False
        self.done: bool = False
        self._added = False
        self._id: JSON = skeleton.get("id")
        self._open = 0
        self._status = "in_progress"
        self._parts: dict[str, list[_TextWriter]] = {name: [] for name in LISTS["reasoning"]}
        self._writer: BlockWriter | None = None  # of the one block of an item that has no parts

    def update(self, skeleton: JSONObject) -> None:
        """It is as ``skeleton`` says, now.  In a list of parts, null stands for one that is text."""
        self.skeleton = skeleton
        given = {name: skeleton.get(name) for name in LISTS["reasoning"]}
        self._lists = {name: listed if isinstance(listed, list) else [] for name, listed in given.items()}
        self._nulls = {
            name: [i for i, part in enumerate(listed) if part is None] for name, listed in self._lists.items()
        }

    @property
    def is_open(self) -> bool:
        """Whether a block of it can still grow."""
        return self._open > 0

    @property
    def is_call(self) -> bool:
        """Whether a client would run it."""
        return self.type in _CLIENT_CALLS

    @property
    def is_verbatim(self) -> bool:
        """Whether its one block is the whole item."""
        return type(self._writer) is BlockWriter or not (self.type in LISTS or self.type in CALLS)

    @property
    def may_come_again(self) -> bool:
        """Whether the provider is sure to send it again."""
        return self.from_provider and self.skeleton.get("status") == "in_progress"

    def takes(self, type_: str) -> bool:
        """Whether a block of an item of this type may begin in it."""
        return self.type == type_ and self._writer is None

    def begin(self, block: Block, *, own: bool) -> BlockWriter:
        """``block`` begins in it; ``own``: its extra fields are in this protocol's words."""
        self._open += 1
        if isinstance(block, TextBlock | ThinkingBlock):
            form = form_of_block(block, own=own)
            parts = self._parts[form.list]
            parts.append(_TextWriter(self, block, form, self._free_place(form.list), own=own))
            return parts[-1]
        if isinstance(block, ToolUseBlock):
            self._writer = _ArgumentsWriter(self, block) if self.type in CALLS else _ToolWriter(self, block)
        else:
            self._writer = BlockWriter(self, block)
        return self._writer

    def _free_place(self, name: str) -> int:
        """The place of the next part that is text."""
        listed, nulls, parts = self._lists[name], self._nulls[name], self._parts[name]
        place = nulls[len(parts)] if len(parts) < len(nulls) else len(listed) - len(nulls) + len(parts)
        return max(place, parts[-1].place + 1) if parts else place

    def stop(self, writer: BlockWriter) -> list[JSONObject]:
        """A block of it is whole."""
        self._open -= 1
        return writer.stop()

    def added(self) -> list[JSONObject]:
        """The event of its beginning, once."""
        if self._added:
            return []
        self._added = True
        return [{"type": "response.output_item.added", "output_index": self.index, "item": self.whole()}]

    def finish(self, status: str) -> list[JSONObject]:
        """The events of its end; ``status`` is the item's where the provider has given none.

        The arguments of a call that is incomplete are never reported as whole.
        """
        item = self.at_end(status)
        events = [event for parts in self._parts.values() for part in parts for event in part.stop()]
        if self._writer is not None and item.get("status") != "incomplete":
            events += self._writer.finish()
        done = {"type": "response.output_item.done", "output_index": self.index, "item": item}
        return [*self.added(), *events, done]

    def at_end(self, status: str) -> JSONObject:
        """The item at its end; ``status`` is its own where the provider has given none."""
        self.done = True
        self._status = status
        return self.whole()

    def whole(self) -> JSONObject:
        """The item as far as it has come."""
        item = {} if self._writer is None else self._writer.whole()
        item |= self.skeleton
        for place, name in enumerate(LISTS.get(self.type, ())):
            if place == 0 or self._parts[name] or isinstance(self.skeleton.get(name), list):
                item[name] = _listed(self._lists[name], self._parts[name])
        if self.type in CALLS:
            item.setdefault(CALLS[self.type], "")
        if self.is_call and isinstance(self._writer, _ArgumentsWriter) and not item.get("call_id"):
            item["call_id"] = self._writer.block.id  # what its client answers to, on a host without one
        if "id" in item:
            # Some hosts give an item another id with each event; the official SDK refuses that.
            item["id"] = self._id
        status = "incomplete" if self.done and self._is_call_without_block else self._status
        # Some hosts give items no status; a call that is not whole gets one.
        is_cut = status == "incomplete" and ("status" in item or self.type in CALLS)
        if is_cut or item.get("status") == "in_progress":
            item["status"] = status
        return item

    @property
    def _is_call_without_block(self) -> bool:
        """Whether it is a call of which nothing has come that could be run: no ``call_id``, or no name."""
        return self.type in CALLS and self._writer is None

    def event(self, type_: str, **fields: JSON) -> JSONObject:
        """An event of something in the item."""
        return {"type": type_, **repeatable({"item_id": self._id}), "output_index": self.index, **fields}


class BlockWriter:
    """Writes a block within its item.  This one says nothing: the item's own events say it all."""

    def __init__(self, item: EncodedItem, block: Any) -> None:
        self.item = item
        self.block = block

    def begin(self) -> list[JSONObject]:
        """The events of its beginning."""
        return []

    def grow(self, _: str) -> list[JSONObject]:
        """The event of more text of it."""
        return []

    def cite(self, _: list[JSONObject]) -> list[JSONObject]:
        """The events of more citations."""
        return []

    def stop(self) -> list[JSONObject]:
        """The events of its end; none a second time."""
        return []

    def finish(self) -> list[JSONObject]:
        """The events that report it as whole, when its item is done."""
        return []

    def whole(self) -> JSONObject:
        """The fields of the item that it is."""
        return dict(self.block.data)


class _ArgumentsWriter(BlockWriter):
    """The arguments of a call."""

    def __init__(self, item: EncodedItem, block: ToolUseBlock) -> None:
        super().__init__(item, block)
        self._call = block
        self._event = _EVENTS_OF_CALLS[item.type]
        self._made_up = ""

    def grow(self, text: str) -> list[JSONObject]:
        return [self.item.event(f"{self._event}.delta", delta=text)] if text else []

    def stop(self) -> list[JSONObject]:
        # No arguments are an empty object, and a client parses the text.
        missing = self._call.input_encoding == "json" and strict_json.is_blank(self._call.raw_arguments)
        self._made_up = strict_json.dumps(self._call.start_input) if missing else ""
        return self.grow(self._made_up)

    def finish(self) -> list[JSONObject]:
        return [self.item.event(f"{self._event}.done", **self.whole())]

    def whole(self) -> JSONObject:
        return {CALLS[self.item.type]: self._call.raw_arguments + self._made_up}


class _ToolWriter(BlockWriter):
    """A call of one of OpenAI's own tools, whose arguments are fields of the item."""

    def whole(self) -> JSONObject:
        return (
            {} if self.item.from_provider else json_object(self.block.raw_arguments.encode(errors="replace"))
        )


class _TextWriter(BlockWriter):
    """A text of a message, or a thought."""

    def __init__(
        self, item: EncodedItem, block: TextBlock | ThinkingBlock, form: Form, place: int, *, own: bool
    ) -> None:
        super().__init__(item, block)
        self._said = block
        self._form = form
        self._own = own
        self.place = place
        self._place = {form.index: place}
        self._cited = 0
        self._stopped = False

    def begin(self) -> list[JSONObject]:
        empty = self._with("", [])
        return [self._of_part("added", empty), *self.grow(self._text), *self.cite(self._citations)]

    def grow(self, text: str) -> list[JSONObject]:
        return [self._of_text("delta", delta=text)] if text else []

    def cite(self, citations: list[JSONObject]) -> list[JSONObject]:
        sent = []
        for annotation in self._annotations(citations):
            fields = {**self._place, "annotation_index": self._cited, "annotation": annotation}
            sent.append(self.item.event("response.output_text.annotation.added", **fields))
            self._cited += 1
        return sent

    def stop(self) -> list[JSONObject]:
        if self._stopped:
            return []
        self._stopped = True
        whole = self.whole()
        fields = {name: whole[name] for name in (self._form.text, "logprobs") if name in whole}
        return [self._of_text("done", **fields), self._of_part("done", whole)]

    def whole(self) -> JSONObject:
        return self._with(self._text, self._citations)

    @property
    def _text(self) -> str:
        return self._said.text if isinstance(self._said, TextBlock) else self._said.thinking

    @property
    def _citations(self) -> list[JSONObject]:
        return (isinstance(self._said, TextBlock) and self._said.citations) or []

    def _with(self, text: str, citations: list[JSONObject]) -> JSONObject:
        beside = rest(self._said.extra, *PLACES) if self._own else {}
        listed = {"annotations": self._annotations(citations)} if self._form is OUTPUT_TEXT else {}
        return {**beside, "type": self._form.type, **listed, self._form.text: text}

    def _annotations(self, citations: list[JSONObject]) -> list[JSONObject]:
        return cited(citations, own=self._own) if self._form is OUTPUT_TEXT else []

    def _of_part(self, end: str, part: JSONObject) -> JSONObject:
        return self.item.event(f"{_EVENTS_OF_PARTS[self._form][0]}.{end}", **self._place, part=part)

    def _of_text(self, end: str, **fields: JSON) -> JSONObject:
        if self._form is OUTPUT_TEXT:
            fields.setdefault("logprobs", [])  # the official SDK reads them from every event of text
        return self.item.event(f"{_EVENTS_OF_PARTS[self._form][1]}.{end}", **self._place, **fields)


def _listed(given: list[JSON], parts: list[_TextWriter]) -> list[JSON]:
    """A list of parts: those that are text in their places, and around them those that are none."""
    others = deque(part for part in given if part is not None)
    listed: list[JSON] = []
    for part in parts:
        while others and len(listed) < part.place:
            listed.append(others.popleft())
        listed.append(part.whole())
    return [*listed, *others]
