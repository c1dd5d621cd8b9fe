"""Block events in, a message out.

Theory.  A message is a row of content blocks.  Each is open from its ``BlockStart`` to its
``BlockStop``, and only an open block can grow.  A tool's arguments are text until its
``BlockStop``: they are parsed once, then, and never earlier, because a text of which a part is
missing can look complete (``1`` of ``12``).  The message ends once: by its own end marker, by an
error, or by a cut.  What was open then stays open-ended: a tool that has not been complete by then
never will be.

Several answers to one request (``n`` > 1) are a message each, built by an accumulator of its own
within the same bounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from ..errors import LimitExceeded, LocalProtocolError, RemoteProtocolError
from . import events as e
from . import strict_json
from .content_blocks import Block, TextBlock, ThinkingBlock, ToolUseBlock, VerbatimBlock
from .message import Completeness, Message
from .snapshot import snapshot
from .strict_json import JSON, JSONObject
from .text import PAGE

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
_GROWN_BY: dict[type[e.BlockEvent], type[TextBlock | ThinkingBlock | ToolUseBlock]] = {
    e.TextDelta: TextBlock,
    e.ThinkingDelta: ThinkingBlock,
    e.ArgumentsDelta: ToolUseBlock,
}


class _Size:
    """What a message and its alternatives hold together."""

    __slots__ = ("blocks", "bytes")

    def __init__(self) -> None:
        self.bytes = 0
        self.blocks = 0


class MessageAccumulator:
    """Makes a message of block events, whatever dialect they come from.

    ``parse_json`` makes a value of the text of a tool's arguments and raises ``ValueError`` where
    it can't; it is called once for each tool that has such a text, at its ``BlockStop``.
    ``max_message_bytes`` bounds what the message may hold, counted in bytes of UTF-8 (objects as
    JSON), ``max_blocks`` the number of its content blocks, both with its alternatives;
    ``max_choices`` bounds the number of answers.

    ``message`` is the message so far, the same object all along.
    """

    def __init__(
        self,
        *,
        parse_json: Callable[[str], JSON] = strict_json.loads,
        max_message_bytes: int = 64 * 2**20,
        max_blocks: int = 10_000,
        max_choices: int = 128,
    ) -> None:
        self.message = Message()
        self.max_message_bytes = max_message_bytes
        self.max_blocks = max_blocks
        self.max_choices = max_choices
        self._parse_json = parse_json
        self._size = _Size()
        self._alternatives: dict[int, MessageAccumulator] = {}
        self._started = False
        self._open: dict[int, Block] = {}
        # What the last event made longer, if it was a delta.
        self._kind: type[e.BlockEvent] | None = None
        self._index = 0
        self._fragments: list[str] = []
        self._lists: dict[str, list[JSON]] = {}  # those that grow

    @property
    def message_bytes(self) -> int:
        """What the message holds, as ``max_message_bytes`` counts it."""
        return self._size.bytes

    def snapshot(self) -> Iterator[e.BlockEvent]:
        """The events that make the message as it is now, alternatives included.

        Whoever takes these and then those that follow has the same message as whoever took them all; but
        what has no place in the message (``unknown``) comes behind the block that it was for, or last.
        """
        if self._started:
            yield from snapshot(self.message, self._open)
        else:
            yield from self.message.unknown
        for choice, other in self._alternatives.items():
            for event in other.snapshot():
                event.choice = choice
                yield event

    def receive(self, event: e.BlockEvent) -> None:
        """Take one block event.  What comes after the message's end is ignored.

        Raises ``RemoteProtocolError`` (status 502) for an event that can't come now,
        ``LimitExceeded`` for one that takes the message beyond ``max_message_bytes``, ``max_blocks``
        or ``max_choices``, ``LocalProtocolError`` for what is no block event.  The message keeps what it
        had; give a ``MessageCut`` to end it.
        """
        # Almost every event makes the same text longer as the event before.  Then all that `_receive` asks
        # has just been answered: such a delta costs half.
        delta: Any = event
        fragments = self._fragments
        if (
            type(event) is self._kind
            and delta.index == self._index
            and delta.choice == 0
            and delta.cursor is None
            and len(fragments) < PAGE
        ):
            text: str = delta.text
            size = self._size
            count = size.bytes + (len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass")))
            if count <= self.max_message_bytes:
                size.bytes = count
                fragments.append(text)
                return
        self._kind = None
        self._receive(event)

    def _receive(self, event: e.BlockEvent) -> None:
        message = self.message
        if message.completeness != "streaming":
            return
        handler = self._HANDLERS.get(type(event))
        if handler is None:
            raise LocalProtocolError(f"{type(event).__name__} is no block event")
        target = self if event.choice == 0 else self._alternative(event.choice)
        if target.message.completeness == "streaming":
            handler(target, event)
        if not message.output_seen:
            message.output_seen = e.is_visible(event)
        if event.cursor is not None:
            message.resume_cursor = event.cursor

    def _alternative(self, choice: int) -> MessageAccumulator:
        """The accumulator of another answer to the same request."""
        known = self._alternatives.get(choice)
        if known is not None:
            return known
        if len(self._alternatives) + 1 >= self.max_choices:
            raise _too_much("max_choices", self.max_choices)
        other = MessageAccumulator(
            parse_json=self._parse_json, max_message_bytes=self.max_message_bytes, max_blocks=self.max_blocks
        )
        other._size = self._size
        self._alternatives[choice] = other
        self.message.alternatives[choice] = other.message
        return other

    def _message_start(self, event: e.MessageStart) -> None:
        message = self.message
        if self._started:
            if event.id != message.id:
                raise _broken("another message begins within the message")
            return
        self._count_json([event.usage, event.extra])
        self._started = True
        message.id, message.model, message.role = event.id, event.model, event.role
        message.stop_reason = event.stop_reason
        message.dialect = event.dialect
        message.usage.update(event.usage)
        message.extra.update(event.extra)
        for index, block in enumerate(event.blocks):
            self._begin(index, block)
            self._finish(index)

    def _block_start(self, event: e.BlockStart) -> None:
        self._require_start(event)
        self._begin(event.index, event.block)
        if event.model is not None:
            self.message.model = event.model

    def _grow(self, event: e.GrowthDelta) -> None:
        kind = type(event)
        block = self._open.get(event.index)
        if not isinstance(block, _GROWN_BY[kind]):
            self._misplaced(event, block)
            return
        text = event.text
        self._count(text)
        block.append(text)
        if text:  # an empty one is no output, and the next may be the first
            self._kind, self._index, self._fragments = kind, event.index, block.fragments

    def _replaced(self, event: e.TextReplaced) -> None:
        block = self._open.get(event.index)
        if isinstance(block, TextBlock | ThinkingBlock | ToolUseBlock):
            # What is replaced stays counted: a peer that replaces without end meets the bound.
            self._count(event.text)
            block.replace(event.text)
        else:
            self._misplaced(event, block)

    def _signature(self, event: e.SignatureDelta) -> None:
        block = self._open.get(event.index)
        if isinstance(block, ThinkingBlock):
            self._count(event.signature)
            block.signature = event.signature
        else:
            self._misplaced(event, block)

    def _citation(self, event: e.CitationDelta) -> None:
        block = self._open.get(event.index)
        if isinstance(block, TextBlock):
            self._count_json(event.citation)
            block.citations = block.citations or []
            block.citations.append(event.citation)
        else:
            self._misplaced(event, block)

    def _fields(self, event: e.FieldsDelta) -> None:
        block = self._open.get(event.index)
        if block is None:
            raise _not_open(event)
        self._count_json(event.fields)
        fields = block.data if isinstance(block, VerbatimBlock) else block.extra
        fields.update(event.fields)

    def _unknown_delta(self, event: e.UnknownDelta) -> None:
        if event.index not in self._open:
            raise _not_open(event)
        self._keep(event)

    def _block_stop(self, event: e.BlockStop) -> None:
        if event.index not in self._open:
            raise _not_open(event)
        self._finish(event.index)

    def _message_delta(self, event: e.MessageDelta) -> None:
        self._require_start(event)
        self._count_json([event.usage, event.extra])
        message = self.message
        message.stop_reason = event.stop_reason or message.stop_reason
        _merge(message.usage, event.usage)
        _merge(message.extra, event.extra)

    def _items(self, event: e.ItemsDelta) -> None:
        self._require_start(event)
        self._count_json([event.name, event.items])
        known: JSON = self.message.extra.get(event.name)
        if known is None or known is not self._lists.get(event.name):
            # A list that came in an event belongs to whoever has the event: only a copy may grow.
            known = list(known) if isinstance(known, list) else []
            self.message.extra[event.name] = self._lists[event.name] = known
        known.extend(event.items)

    def _message_stop(self, event: e.MessageStop) -> None:
        self._require_start(event)
        self._end(event, "complete")

    def _stream_error(self, event: e.StreamError) -> None:
        self.message.error = event
        self._end(event, "failed")

    def _message_cut(self, event: e.MessageCut) -> None:
        self._end(event, event.completeness)

    def _message_reset(self, event: e.MessageReset) -> None:  # noqa: ARG002  (all handlers have the event)
        # What there was stays counted: a message that begins anew without end meets the bound.
        self.message.clear()
        self._alternatives.clear()
        self._open.clear()
        self._started = False

    def _ping(self, event: e.Ping) -> None:
        """Nothing has changed."""

    def _begin(self, index: int, block: Block) -> None:
        blocks = self.message.indexed_blocks
        if index in blocks:
            raise _broken(f"content block {index} begins twice")
        if self._size.blocks >= self.max_blocks:
            raise _too_much("max_blocks", self.max_blocks)
        self._count_json(block.values())
        self._size.blocks += 1
        blocks[index] = self._open[index] = block.copy()

    def _finish(self, index: int) -> None:
        block = self._open.pop(index)
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
        for other in self._alternatives.values():
            other.receive(event)
        self.message.completeness = completeness
        for block in self._open.values():
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
        self._keep(event)

    def _keep(self, event: e.BlockEvent) -> None:
        self._count(repr(event))
        self.message.unknown.append(event)

    def _count(self, text: str) -> None:
        size = self._size
        size.bytes += len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
        if size.bytes > self.max_message_bytes:
            raise _too_much("max_message_bytes", self.max_message_bytes)

    def _count_json(self, value: JSON) -> None:
        self._count(strict_json.dumps(value))

    _HANDLERS: ClassVar[dict[type[e.BlockEvent], Callable[[MessageAccumulator, Any], None]]] = {
        e.MessageStart: _message_start,
        e.BlockStart: _block_start,
        e.TextDelta: _grow,
        e.ThinkingDelta: _grow,
        e.SignatureDelta: _signature,
        e.ArgumentsDelta: _grow,
        e.CitationDelta: _citation,
        e.FieldsDelta: _fields,
        e.UnknownDelta: _unknown_delta,
        e.TextReplaced: _replaced,
        e.UnknownEvent: _keep,
        e.BlockStop: _block_stop,
        e.MessageDelta: _message_delta,
        e.ItemsDelta: _items,
        e.MessageReset: _message_reset,
        e.MessageStop: _message_stop,
        e.StreamError: _stream_error,
        e.MessageCut: _message_cut,
        e.Ping: _ping,
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


def _too_much(limit: str, bound: int) -> LimitExceeded:
    return LimitExceeded(f"the message is beyond {limit}={bound}", limit=limit, bound=bound, status=502)
