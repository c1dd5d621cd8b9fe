"""Block events to the events of OpenAI's Responses.

A response is a row of items.  Text goes into messages, thinking into reasoning, a call is an item of
its own.  Blocks that follow each other share an item where they can.  What the provider has told of its
items goes out as it was told; blocks that came in another protocol get items made for them.

Every item ends with an event that tells it whole, and so does the response, so the encoder keeps what
the message holds.

Source: https://platform.openai.com/docs/api-reference/responses-streaming
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any, ClassVar

from ...blocks import events as e
from ...blocks import strict_json
from ...blocks.accumulator import MessageAccumulator
from ...blocks.events import BlockEvent
from ...blocks.model import Block, VerbatimBlock
from ...blocks.strict_json import JSONObject
from ...errors import LocalProtocolError
from ...framing import ServerSentEvent
from ..fields import json_object
from .errors import write_cut, write_error
from .words import ending, usage
from .written_items import Item, Writer, item_type, new_item

#: The dialects whose extra fields are in this protocol's words.
_OWN = ("", "openai-responses")
#: The field of a message's extra ones that holds an item.
_ITEM = re.compile(r"output\.([0-9]{1,9})")
#: Ends that are told of even where events are sent on as they came: the provider has not told of them.
_OUR_ENDS: dict[type[BlockEvent], Callable[[Any], JSONObject]] = {
    e.StreamError: write_error,
    e.MessageCut: write_cut,
}
#: What OpenAI's clients need of a response, where it came in another protocol.
_RESPONSE: JSONObject = {
    "object": "response",
    "created_at": 0,
    "instructions": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "temperature": None,
    "tool_choice": "auto",
    "tools": [],
    "top_p": None,
}


class Encoder:
    """Block events to the events of a response.  One for each stream.

    ``verbatim``: the block events come from a decoder of this dialect; where one has a ``source``,
    that is sent on as it is, and what else was made of it is not sent again.

    ``max_message_bytes`` and ``max_blocks`` bound what is kept of the message, as they do in a
    ``MessageAccumulator``.
    """

    def __init__(
        self,
        *,
        verbatim: bool = False,
        max_message_bytes: int = 64 * 2**20,
        max_blocks: int = 10_000,
    ) -> None:
        self._verbatim = verbatim
        # What is sent is text: nobody here needs the arguments' value.
        self._accumulator = MessageAccumulator(
            parse_json=lambda _: None, max_message_bytes=max_message_bytes, max_blocks=max_blocks
        )
        self._message = self._accumulator.message
        self._numbers = count()
        self._last: ServerSentEvent | None = None  # that was sent on as it came
        self._own = False
        self._started = False
        self._items: dict[int, Item] = {}
        self._next = 0
        self._current: Item | None = None
        self._writers: dict[int, Writer] = {}

    def send(self, event: BlockEvent) -> list[ServerSentEvent]:
        """The events that stand for ``event``; none for what a response has no form for.

        Raises what ``MessageAccumulator.receive`` raises: ``LocalProtocolError`` for what is no block
        event, ``RemoteProtocolError`` for one that can't come now, ``LimitExceeded`` beyond a bound.
        """
        if not isinstance(event, BlockEvent):
            raise LocalProtocolError(f"{type(event).__name__} is no block event")
        if self._verbatim and event.source is not None:
            self._last = event.source
            return [event.source]
        if self._verbatim:
            return self._add_end(event)
        # A response is one answer, and nothing follows its end.
        if event.choice != 0 or self._message.completeness != "streaming":
            return []
        self._accumulator.receive(event)
        write = self._WRITERS.get(type(event))
        if write is None:
            return []
        return [_sse({**data, "sequence_number": next(self._numbers)}) for data in write(self, event)]

    def _add_end(self, event: BlockEvent) -> list[ServerSentEvent]:
        write = _OUR_ENDS.get(type(event))
        if write is None:
            return []
        data = write(event)
        last = {} if self._last is None else json_object(self._last.data.encode(errors="replace"))
        number = last.get("sequence_number", -1)
        # A host that numbers no events gets no number either.
        numbered = type(number) is int and (self._last is None or "sequence_number" in last)
        return [_sse({**data, "sequence_number": number + 1} if numbered else data)]

    def _start(self, event: e.MessageStart) -> list[JSONObject]:
        if self._started:
            return []
        self._started = True
        self._own = event.dialect in _OWN
        response = self._response("in_progress")
        sent = [
            {"type": "response.created", "response": response},
            {"type": "response.in_progress", "response": response},
            *self._tell(event.extra),
        ]
        for index in range(len(event.blocks)):
            sent += [*self._begin(index), *self._stop(index)]
        return sent

    def _facts(self, event: e.MessageDelta) -> list[JSONObject]:
        return self._tell(event.extra)

    def _tell(self, extra: JSONObject) -> list[JSONObject]:
        """The provider tells of its items: first when one begins, then when it is done."""
        sent: list[JSONObject] = []
        for name, skeleton in extra.items() if self._own else ():
            place = _ITEM.fullmatch(name)
            if place is None or not (isinstance(skeleton, dict) and isinstance(skeleton.get("type"), str)):
                continue
            index = int(place[1])
            item = self._items.get(index)
            if item is None:
                item = self._add(Item(index, skeleton, told=True))
                sent += item.added()
            elif item.told and item.type == skeleton["type"]:
                item.skeleton = skeleton
                sent += self._end_of(item)
        return sent

    def _block_start(self, event: e.BlockStart) -> list[JSONObject]:
        return self._begin(event.index)

    def _begin(self, index: int) -> list[JSONObject]:
        block = self._message.indexed_blocks[index]
        type_ = item_type(block, own=self._own)
        if type_ is None:
            return []
        item, sent = self._place(type_, block)
        writer = self._writers[index] = item.begin(block, own=self._own)
        return [*sent, *writer.begin()]

    def _place(self, type_: str, block: Block) -> tuple[Item, list[JSONObject]]:
        """The item that a block begins in, and the events of its beginning and of another's end."""
        told = self._items.get(_output_index(block)) if self._own else None
        if told is not None and told.told and told.takes(type_):
            return told, []
        current = self._current
        if current is not None and current.takes(type_):
            return current, []
        sent = [] if current is None else self._end_of(current)
        item = self._current = self._add(new_item(self._next, type_, block, self._message.id))
        return item, [*sent, *item.added()]

    def _add(self, item: Item) -> Item:
        self._items[item.index] = item
        self._next = max(self._next, item.index + 1)
        return item

    def _text(self, event: e.TextDelta) -> list[JSONObject]:
        return self._grow(event.index, event.text)

    def _thinking(self, event: e.ThinkingDelta) -> list[JSONObject]:
        return self._grow(event.index, event.thinking)

    def _arguments(self, event: e.ArgumentsDelta) -> list[JSONObject]:
        return self._grow(event.index, event.fragment)

    def _citation(self, event: e.CitationDelta) -> list[JSONObject]:
        writer = self._writers.get(event.index)
        return [] if writer is None else writer.cite(event.citation)

    def _grow(self, index: int, text: str) -> list[JSONObject]:
        writer = self._writers.get(index)
        return [] if writer is None else writer.grow(text)

    def _block_stop(self, event: e.BlockStop) -> list[JSONObject]:
        return self._stop(event.index)

    def _stop(self, index: int) -> list[JSONObject]:
        writer = self._writers.pop(index, None)
        if writer is None:
            return []
        item = writer.item
        sent = item.stop(writer)
        return [*sent, *self._end_of(item)] if item.ended else sent

    def _end_of(self, item: Item) -> list[JSONObject]:
        """No further block begins in ``item``: it is done once none of its blocks can grow."""
        item.ended = True
        return [] if item.is_open or item.done else item.finish("completed")

    def _message_stop(self, _: e.MessageStop) -> list[JSONObject]:
        items = [item for _, item in sorted(self._items.items())]
        status, reason = ending(
            self._message.stop_reason,
            calls=any(item.is_call for item in items),
            cut_call=any(item.is_call and item.is_open for item in items),
        )
        sent = [event for item in items if not item.done for event in item.finish(status)]
        response = self._response(status, reason, [item.whole() for item in items])
        return [*sent, {"type": f"response.{status}", "response": response}]

    def _response(
        self, status: str, reason: str | None = None, output: Iterable[JSONObject] = ()
    ) -> JSONObject:
        message = self._message
        extra = message.extra if self._own else {}
        fields = {name: value for name, value in extra.items() if not _ITEM.fullmatch(name)}
        details = fields.get("incomplete_details")
        if status == "in_progress" or reason is None:
            details = None
        elif not isinstance(details, dict) or details.get("reason") != reason:
            details = {"reason": reason}
        return {
            "id": message.id,
            **({} if "object" in fields else _RESPONSE),
            **fields,
            "status": status,
            "error": None,
            "incomplete_details": details,
            "model": message.model,
            "output": list(output),
            "usage": usage(message.usage),
        }

    _WRITERS: ClassVar[dict[type[BlockEvent], Callable[[Encoder, Any], list[JSONObject]]]] = {
        e.MessageStart: _start,
        e.MessageDelta: _facts,
        e.BlockStart: _block_start,
        e.TextDelta: _text,
        e.ThinkingDelta: _thinking,
        e.ArgumentsDelta: _arguments,
        e.CitationDelta: _citation,
        e.BlockStop: _block_stop,
        e.MessageStop: _message_stop,
        e.StreamError: lambda _, event: [write_error(event)],
        e.MessageCut: lambda _, event: [write_cut(event)],
    }


def _output_index(block: Block) -> int:
    """Where the provider has put a block's item; -1 where it has not said."""
    index = None if isinstance(block, VerbatimBlock) else block.extra.get("output_index")
    return index if type(index) is int else -1


def _sse(data: JSONObject) -> ServerSentEvent:
    return ServerSentEvent(data["type"], strict_json.dumps(data))
