"""Block events to the events of OpenAI's Responses.

A response is a row of items.  Text goes into messages, thinking into reasoning, a call is an item of
its own.  Blocks that follow each other share an item where they can.  What the provider has sent of its
items goes out as it came; blocks that came in another protocol get items made for them.

Every item ends with an event that has it whole, and so does the response, so the encoder keeps what
the message holds.

Source: https://platform.openai.com/docs/api-reference/responses-streaming
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

from ...blocks import Block, VerbatimBlock, strict_json
from ...blocks import events as e
from ...blocks.accumulator import MessageAccumulator
from ...blocks.events import BlockEvent
from ...blocks.strict_json import JSONObject
from ...errors import LocalProtocolError
from ...framing import ServerSentEvent
from ..base import cannot_take_back
from ..fields import json_object
from ..openai_errors import VOCABULARY
from ..portable_block import is_translated, is_whole
from .decoded_item import OUTPUT, item_place
from .decoder import BESIDE
from .encoded_items import BlockWriter, EncodedItem
from .errors import write_cut, write_error
from .portable_items import ending_of, item_type, new_item, portable_response
from .vocabulary import NAME

#: After a number from here on none follows: it could be longer than a number that can be written.
_MAX_NUMBER = 2**63
#: What has no form in a response, and is not kept.
_UNSAID = (e.ItemsDelta, e.Ping, e.SignatureDelta, e.UnknownDelta, e.UnknownEvent)
#: Ends that are written even where events are sent on as they came: the provider did not send them.
_OUR_ENDS: dict[type[BlockEvent], Callable[[Any], JSONObject]] = {
    e.StreamError: write_error,
    e.MessageCut: write_cut,
}


class Encoder:
    """Block events to the events of a response.  One for each stream.

    - ``verbatim``: the block events come from a decoder of this dialect; where one has a ``source``, that is
      sent on as it is, and what else was made of it is not sent again.
    - ``max_message_bytes``, ``max_blocks``: bound what is kept of the message, as in a
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
        self._accumulator = MessageAccumulator(
            parse_json=_check, max_message_bytes=max_message_bytes, max_blocks=max_blocks
        )
        self._message = self._accumulator.message
        self._numbers = count()
        self._last: ServerSentEvent | None = None  # that was sent on as it came
        self._own = False
        self._started = False
        self._items: dict[int, EncodedItem] = {}
        self._next = 0
        self._latest: EncodedItem | None = None  # that began
        self._due: EncodedItem | None = None  # reported as done by the provider; more may follow
        self._writers: dict[int, BlockWriter] = {}

    def send(self, event: BlockEvent) -> list[ServerSentEvent]:
        """The events that stand for ``event``; none for what a response has no form for.

        Raises what ``MessageAccumulator.receive`` raises: ``LocalProtocolError`` for what is no block
        event and for a ``MessageReset``, ``RemoteProtocolError`` for one that can't come now,
        ``LimitExceeded`` beyond a bound.
        """
        if not isinstance(event, BlockEvent):
            raise LocalProtocolError(f"{type(event).__name__} is no block event")
        if self._verbatim and event.source is not None:
            self._last = event.source
            return [event.source]
        if isinstance(event, e.MessageReset):
            raise cannot_take_back(NAME)
        if self._verbatim:
            return self._add_end(event)
        # A response is one answer, and nothing follows its end.
        if isinstance(event, _UNSAID) or event.choice != 0 or self._message.completeness != "streaming":
            return []
        self._accumulator.receive(event)
        write = _WRITERS.get(type(event))
        written = [] if write is None else [*self._settle(event), *write(self, event)]
        return [_sse({**data, "sequence_number": next(self._numbers)}) for data in written]

    def _add_end(self, event: BlockEvent) -> list[ServerSentEvent]:
        write = _OUR_ENDS.get(type(event))
        return [] if write is None else [_sse({**write(event), **self._number_after_last()})]

    def _number_after_last(self) -> JSONObject:
        if self._last is None:
            return {"sequence_number": 0}
        number = json_object(self._last.data.encode(errors="replace")).get("sequence_number")
        # Where the host numbers nothing, this has no number either.
        return {"sequence_number": number + 1} if type(number) is int and number < _MAX_NUMBER else {}

    def _start(self, event: e.MessageStart) -> list[JSONObject]:
        if self._started:
            return []
        self._started = True
        self._own = not is_translated(event.dialect, NAME)
        response = self._response("in_progress", None, [])
        names = ("response.created", "response.in_progress")
        sent = [*({**response, "type": name} for name in names), *self._note_items(event.extra)]
        for index in range(len(event.blocks)):
            sent += [*self._begin(index), *self._stop(index)]
        return sent

    def _facts(self, event: e.MessageDelta) -> list[JSONObject]:
        return self._note_items(event.extra)

    def _note_items(self, extra: JSONObject) -> list[JSONObject]:
        """The provider reports its items: first when one begins, then when it is done."""
        sent: list[JSONObject] = []
        for name, skeleton in extra.items() if self._own else ():
            place = item_place(name)
            if place is None or not (isinstance(skeleton, dict) and isinstance(skeleton.get("type"), str)):
                continue
            item = self._items.get(place)
            if item is None:
                item = EncodedItem(place, skeleton, from_provider=True)
                sent += self._add(item)
                sent += [] if item.is_verbatim else item.added()
            elif item.from_provider and item.type == skeleton["type"]:
                item.update(skeleton)
                sent += self._end_due()
                self._due = item
        return sent

    def _settle(self, event: BlockEvent) -> list[JSONObject]:
        """Before ``event``: an item that was reported as done is so once nothing more of it comes."""
        if self._due is None or self._item_of(event) is self._due:
            return []
        return self._end_due()

    def _end_due(self) -> list[JSONObject]:
        item, self._due = self._due, None
        return [] if item is None else self._end_of(item)

    def _item_of(self, event: Any) -> EncodedItem | None:
        """The item that an event of a block is of."""
        if isinstance(event, e.BlockStart):
            return self._provider_item(self._message.indexed_blocks[event.index])
        writer = self._writers.get(getattr(event, "index", -1))
        return None if writer is None else writer.item

    def _provider_item(self, block: Block) -> EncodedItem | None:
        """The item that the provider has sent for ``block``."""
        if isinstance(block, VerbatimBlock):
            item = self._latest
        else:
            index = block.extra.get("output_index")
            item = self._items.get(index) if type(index) is int else None
        type_ = item_type(block, own=self._own)
        return item if item is not None and item.from_provider and type_ and item.takes(type_) else None

    def _block_start(self, event: e.BlockStart) -> list[JSONObject]:
        return self._begin(event.index)

    def _begin(self, index: int) -> list[JSONObject]:
        block = self._message.indexed_blocks[index]
        type_ = item_type(block, own=self._own)
        if type_ is None:
            return []
        item = self._provider_item(block)
        if item is not None:
            return self._begin_in(item, index)
        if type_ == "mcp_call":
            return []  # only the provider's own item says which server is called
        latest = self._latest
        if latest is not None and not latest.from_provider and latest.takes(type_):
            return self._begin_in(latest, index)
        item = new_item(self._next, type_, block, self._message.id)
        return [*self._add(item), *self._begin_in(item, index)]

    def _add(self, item: EncodedItem) -> list[JSONObject]:
        """``item`` begins, so the one before is at its end."""
        latest, self._latest = self._latest, item
        self._items[item.index] = item
        self._next = max(self._next, item.index + 1)
        return [] if latest is None or latest.may_come_again else self._end_of(latest)

    def _begin_in(self, item: EncodedItem, index: int) -> list[JSONObject]:
        block = self._message.indexed_blocks[index]
        if isinstance(block, VerbatimBlock):
            writer = item.begin(block, own=self._own)  # the item is what the block is
            sent = item.added()
        else:
            sent = item.added()
            writer = item.begin(block, own=self._own)
        self._writers[index] = writer
        return [*sent, *writer.begin()]

    def _text(self, event: e.TextDelta) -> list[JSONObject]:
        return self._grow(event.index, event.text)

    def _thinking(self, event: e.ThinkingDelta) -> list[JSONObject]:
        return self._grow(event.index, event.text)

    def _arguments(self, event: e.ArgumentsDelta) -> list[JSONObject]:
        return self._grow(event.index, event.text)

    def _citation(self, event: e.CitationDelta) -> list[JSONObject]:
        writer = self._writers.get(event.index)
        return [] if writer is None else writer.cite([event.citation])

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
        if not item.from_provider and not is_whole(self._message.indexed_blocks[index]):
            return []  # it stays open, so nobody runs the call
        sent = item.stop(writer)
        at_end = item.is_verbatim or (item.ended and item is not self._due)
        return [*sent, *self._end_of(item)] if at_end else sent

    def _end_of(self, item: EncodedItem) -> list[JSONObject]:
        """No further block of ``item`` is expected: it is done once none of its blocks can grow."""
        item.ended = True
        return [] if item.is_open or item.done else item.finish("completed")

    def _message_stop(self, _: e.MessageStop) -> list[JSONObject]:
        items = [item for _, item in sorted(self._items.items())]
        status, reason = ending_of(self._message, items)
        sent = [event for item in items if not item.done for event in item.finish(status)]
        response = self._response(status, reason, [item.whole() for item in items])
        return [*sent, {**response, "type": f"response.{status}"}]

    def _response(self, status: str, reason: str | None, output: list[JSONObject]) -> JSONObject:
        """The response as far as it has come, and the fields beside it."""
        extra = self._message.extra if self._own else {}
        beside = {name[len(BESIDE) :]: value for name, value in extra.items() if name.startswith(BESIDE)}
        fields = {name: value for name, value in extra.items() if not name.startswith((OUTPUT, BESIDE))}
        return {**beside, "response": portable_response(self._message, status, reason, output, fields)}

    def _error(self, event: e.StreamError) -> list[JSONObject]:
        return [
            *self._figures(),
            write_error(VOCABULARY.in_own_words(event, translated=self._started and not self._own)),
        ]

    def _cut(self, event: e.MessageCut) -> list[JSONObject]:
        return [*self._figures(), write_cut(event)]

    def _figures(self) -> list[JSONObject]:
        """What the message took, where it does not come to the end that reports it."""
        if not self._message.usage:
            return []
        return [{**self._response("in_progress", None, []), "type": "response.in_progress"}]


_WRITERS: dict[type[BlockEvent], Callable[[Encoder, Any], list[JSONObject]]] = {
    e.MessageStart: Encoder._start,
    e.MessageDelta: Encoder._facts,
    e.BlockStart: Encoder._block_start,
    e.TextDelta: Encoder._text,
    e.ThinkingDelta: Encoder._thinking,
    e.ArgumentsDelta: Encoder._arguments,
    e.CitationDelta: Encoder._citation,
    e.BlockStop: Encoder._block_stop,
    e.MessageStop: Encoder._message_stop,
    e.StreamError: Encoder._error,
    e.MessageCut: Encoder._cut,
}


def _check(text: str) -> None:
    """Whether arguments are JSON.  What is sent is their text: nobody here needs the value."""
    strict_json.loads(text)


def _sse(data: JSONObject) -> ServerSentEvent:
    return ServerSentEvent(data["type"], strict_json.dumps(data))
