"""One answer, built of block events: what each of them does to the message.

Which events go to which answer, and what almost every event comes to, is ``accumulator.py``'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ..errors import RemoteProtocolError
from . import events as e
from . import strict_json
from .content_blocks import Block, GrowingBlock, TextBlock, ThinkingBlock, ToolUseBlock, VerbatimBlock
from .message import Completeness, Message
from .message_size import MessageSize
from .snapshot import snapshot
from .strict_json import JSON, JSONObject

_Delta = (
    e.GrowthDelta
    | e.SignatureDelta
    | e.CitationDelta
    | e.FieldsDelta
    | e.UnknownDelta
    | e.TextReplaced
    | e.BlockStop
)
#: What kind of block each delta makes longer.
_GROWN_BY: dict[type[e.GrowthDelta], type[GrowingBlock]] = {
    e.TextDelta: TextBlock,
    e.ThinkingDelta: ThinkingBlock,
    e.ArgumentsDelta: ToolUseBlock,
}


class MessageBuilder:
    """Builds one answer; ``alternatives`` are the builders of the others to the same request.

    ``size`` is what all of them share.
    """

    def __init__(self, parse_json: Callable[[str], JSON], size: MessageSize) -> None:
        self.message: Message = Message()
        self.alternatives: dict[int, MessageBuilder] = {}
        self.open: dict[int, Block] = {}  # the blocks that have not stopped
        self._parse_json = parse_json
        self._size = size
        self._started = False
        self._lists: dict[str, list[JSON]] = {}  # those that grow

    def receive(self, event: e.BlockEvent) -> None:
        """Take one event, unless the message has ended."""
        if self.message.completeness == "streaming":
            HANDLERS[type(event)](self, event)

    def snapshot(self) -> Iterator[e.BlockEvent]:
        """The events that make the message as it is now, without its alternatives."""
        if self._started:
            yield from snapshot(self.message, self.open)
        else:
            yield from self.message.unknown

    # What each kind of event does.

    def message_start(self, event: e.MessageStart) -> None:
        """The message begins, or is said to begin again."""
        message = self.message
        if self._started:
            if event.id != message.id:
                raise _broken("another message begins within the message")
            return
        self._size.add_json([event.usage, event.extra])
        self._started = True
        message.id, message.model, message.role = event.id, event.model, event.role
        message.stop_reason = event.stop_reason
        message.dialect = event.dialect
        message.usage.update(event.usage)
        message.extra.update(event.extra)
        for index, block in enumerate(event.blocks):
            self._begin(index, block)
            self._finish(index)

    def block_start(self, event: e.BlockStart) -> None:
        """A content block begins."""
        self._require_start(event)
        self._begin(event.index, event.block)
        if event.model is not None:
            self.message.model = event.model

    def growth(self, event: e.GrowthDelta) -> GrowingBlock | None:
        """A block that is open has more text: give that block, unless the text is empty."""
        block = self.open.get(event.index)
        if not isinstance(block, _GROWN_BY[type(event)]):
            self._misplaced(event, block)
            return None
        self._size.add_text(event.text)
        block.append(event.text)
        return block if event.text else None  # an empty one is no output, and the next may be the first

    def text_replaced(self, event: e.TextReplaced) -> None:
        """The text of an open block is another one."""
        block = self.open.get(event.index)
        if isinstance(block, GrowingBlock):
            # What is replaced stays counted: a peer that replaces without end meets the bound.
            self._size.add_text(event.text)
            block.replace(event.text)
        else:
            self._misplaced(event, block)

    def signature(self, event: e.SignatureDelta) -> None:
        """A thinking block has its signature."""
        block = self.open.get(event.index)
        if isinstance(block, ThinkingBlock):
            self._size.add_text(event.signature)
            block.signature = event.signature
        else:
            self._misplaced(event, block)

    def citation(self, event: e.CitationDelta) -> None:
        """A text block has one more citation."""
        block = self.open.get(event.index)
        if isinstance(block, TextBlock):
            self._size.add_json(event.citation)
            block.citations = block.citations or []
            block.citations.append(event.citation)
        else:
            self._misplaced(event, block)

    def fields(self, event: e.FieldsDelta) -> None:
        """An open block has fields that came late."""
        block = self.open.get(event.index)
        if block is None:
            raise _not_open(event)
        self._size.add_json(event.fields)
        fields = block.data if isinstance(block, VerbatimBlock) else block.extra
        fields.update(event.fields)

    def unknown_delta(self, event: e.UnknownDelta) -> None:
        """An open block has something that is not known."""
        if event.index not in self.open:
            raise _not_open(event)
        self.keep(event)

    def block_stop(self, event: e.BlockStop) -> None:
        """A content block has stopped."""
        if event.index not in self.open:
            raise _not_open(event)
        self._finish(event.index)

    def message_delta(self, event: e.MessageDelta) -> None:
        """There are more facts about the message."""
        self._require_start(event)
        self._size.add_json([event.usage, event.extra])
        message = self.message
        message.stop_reason = event.stop_reason or message.stop_reason
        _merge(message.usage, event.usage)
        _merge(message.extra, event.extra)

    def items(self, event: e.ItemsDelta) -> None:
        """A list among the message's fields has more items."""
        self._require_start(event)
        self._size.add_json([event.name, event.items])
        known: JSON = self.message.extra.get(event.name)
        if known is None or known is not self._lists.get(event.name):
            # A list that came in an event belongs to whoever has the event: only a copy may grow.
            known = list(known) if isinstance(known, list) else []
            self.message.extra[event.name] = self._lists[event.name] = known
        known.extend(event.items)

    def message_stop(self, event: e.MessageStop) -> None:
        """The message is complete."""
        self._require_start(event)
        self._end(event, "complete")

    def stream_error(self, event: e.StreamError) -> None:
        """The message has failed."""
        self.message.error = event
        self._end(event, "failed")

    def message_cut(self, event: e.MessageCut) -> None:
        """The message has been cut."""
        self._end(event, event.completeness)

    def message_reset(self, event: e.MessageReset) -> None:  # noqa: ARG002  (all handlers have the event)
        """The message begins anew."""
        # What there was stays counted: a message that begins anew without end meets the bound.
        self.message.clear()
        self.alternatives.clear()
        self.open.clear()
        self._started = False

    def ping(self, event: e.Ping) -> None:
        """Nothing has changed."""

    def _begin(self, index: int, block: Block) -> None:
        blocks = self.message.indexed_blocks
        if index in blocks:
            raise _broken(f"content block {index} begins twice")
        self._size.add_block(block.values())
        blocks[index] = self.open[index] = block.copy()

    def _finish(self, index: int) -> None:
        block = self.open.pop(index)
        if not isinstance(block, ToolUseBlock):
            return
        raw = block.raw_arguments
        if block.input_encoding == "text":
            block.arguments, block.state = raw, "complete"
            return
        if strict_json.is_blank(raw):
            block.arguments, block.state = block.start_input, "complete"
            return
        try:
            block.arguments, block.state = self._parse_json(raw), "complete"
        except (ValueError, RecursionError):
            block.state = "invalid"

    def _end(self, event: e.BlockEvent, completeness: Completeness) -> None:
        for other in self.alternatives.values():
            other.receive(event)
        self.message.completeness = completeness
        for block in self.open.values():
            if isinstance(block, ToolUseBlock):
                block.state = "incomplete"

    def _require_start(self, event: e.BlockEvent) -> None:
        if not self._started:
            raise _broken(f"{type(event).__name__} before the message begins")

    def _misplaced(self, event: _Delta, block: Block | None) -> None:
        """A delta for a block that has no room for it."""
        if block is None:
            raise _not_open(event)
        if not isinstance(block, VerbatimBlock):
            raise _broken(f"{type(event).__name__} for block {event.index}, which is {block.type}")
        # A kind of block that is not known yet may well grow by the deltas that are.
        self.keep(event)

    def keep(self, event: e.BlockEvent) -> None:
        """Keep an event that has no place in the message."""
        self._size.add_text(repr(event))
        self.message.unknown.append(event)


#: What takes each kind of event, and gives the block that it has made longer, if it has.
HANDLERS: dict[type[e.BlockEvent], Callable[[MessageBuilder, Any], GrowingBlock | None]] = {
    e.MessageStart: MessageBuilder.message_start,
    e.BlockStart: MessageBuilder.block_start,
    e.TextDelta: MessageBuilder.growth,
    e.ThinkingDelta: MessageBuilder.growth,
    e.SignatureDelta: MessageBuilder.signature,
    e.ArgumentsDelta: MessageBuilder.growth,
    e.CitationDelta: MessageBuilder.citation,
    e.FieldsDelta: MessageBuilder.fields,
    e.UnknownDelta: MessageBuilder.unknown_delta,
    e.TextReplaced: MessageBuilder.text_replaced,
    e.UnknownEvent: MessageBuilder.keep,
    e.BlockStop: MessageBuilder.block_stop,
    e.MessageDelta: MessageBuilder.message_delta,
    e.ItemsDelta: MessageBuilder.items,
    e.MessageReset: MessageBuilder.message_reset,
    e.MessageStop: MessageBuilder.message_stop,
    e.StreamError: MessageBuilder.stream_error,
    e.MessageCut: MessageBuilder.message_cut,
    e.Ping: MessageBuilder.ping,
}


def _merge(known: JSONObject, fields: JSONObject) -> None:
    """The last value of each field counts, but null never takes the place of a value.

    Usage is cumulative: a later figure replaces an earlier one and is never added to it.
    """
    known.update({name: value for name, value in fields.items() if value is not None or name not in known})


def _broken(message: str) -> RemoteProtocolError:
    return RemoteProtocolError(message, status=502)


def _not_open(event: _Delta) -> RemoteProtocolError:
    return _broken(f"{type(event).__name__} for content block {event.index}, which is not open")
