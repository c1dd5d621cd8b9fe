"""Block events in, a message out.

Theory.  A message is a row of content blocks.  Each is open from its ``BlockStart`` to its
``BlockStop``, and only an open block can grow.  A tool's arguments are text until its
``BlockStop``: they are parsed once, then, and never earlier, because a text of which a part is
missing can look whole (``1`` of ``12``).  The message ends once: by its own end marker, by an
error, or by a cut.  What was open then stays open-ended: a tool that has not been whole by then
never will be.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from ..errors import LimitExceeded, RemoteProtocolError
from . import events as e
from . import strict_json
from .model import (
    Block,
    Completeness,
    Message,
    ResultBlock,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
    UnknownBlock,
)


class MessageAccumulator:
    """Makes a message of block events, whatever dialect they come from.

    ``parse_json`` turns the text of a tool's arguments into their value and raises ``ValueError``
    where it can't; it is called once for each tool that has such a text, at its ``BlockStop``.
    ``max_message_bytes`` bounds what a message may hold, in bytes of UTF-8 (JSON for objects),
    ``max_blocks`` the number of its content blocks.

    ``message`` is the message so far, the same object all along.
    """

    def __init__(
        self,
        *,
        parse_json: Callable[[str], Any] = strict_json.loads,
        max_message_bytes: int = 64 * 2**20,
        max_blocks: int = 10_000,
    ) -> None:
        self.message = Message()
        self.max_message_bytes = max_message_bytes
        self.max_blocks = max_blocks
        self._parse_json = parse_json
        self._bytes = 0
        self._started = False
        self._ended = False
        self._open: dict[int, Block] = {}

    def receive(self, event: e.BlockEvent) -> None:
        """Take one block event.

        Events after the message's end are ignored.  Raises ``RemoteProtocolError`` for an event
        that cannot come now, ``LimitExceeded`` for one bound or another.
        """
        if not self._ended:
            self._HANDLERS[type(event)](self, event)

    def _message_start(self, event: e.MessageStart) -> None:
        message = self.message
        if self._started:
            if event.id != message.id:
                raise _broken(f"message {event.id!r} begins within message {message.id!r}")
            return
        self._started = True
        message.id, message.model, message.role = event.id, event.model, event.role
        message.stop_reason = event.stop_reason
        self._count_object([event.usage, event.extra])
        message.usage.update(event.usage)
        message.extra.update(event.extra)
        for index, block in enumerate(event.blocks):
            self._begin(index, block)
            self._finish(index)

    def _block_start(self, event: e.BlockStart) -> None:
        self._begin(event.index, event.block)
        if event.model is not None:
            self.message.model = event.model

    def _text(self, event: e.TextDelta) -> None:
        block = self._open.get(event.index)
        if not isinstance(block, TextBlock):
            return self._misplaced(event, event.index)
        self._count(event.text)
        block.append(event.text)

    def _thinking(self, event: e.ThinkingDelta) -> None:
        block = self._open.get(event.index)
        if not isinstance(block, ThinkingBlock):
            return self._misplaced(event, event.index)
        self._count(event.thinking)
        block.append(event.thinking)

    def _arguments(self, event: e.ArgumentsDelta) -> None:
        block = self._open.get(event.index)
        if not isinstance(block, ToolUseBlock):
            return self._misplaced(event, event.index)
        self._count(event.fragment)
        block.append(event.fragment)

    def _signature(self, event: e.SignatureDelta) -> None:
        block = self._open.get(event.index)
        if not isinstance(block, ThinkingBlock):
            return self._misplaced(event, event.index)
        self._count(event.signature)
        block.signature = event.signature

    def _citation(self, event: e.CitationDelta) -> None:
        block = self._open.get(event.index)
        if not isinstance(block, TextBlock):
            return self._misplaced(event, event.index)
        self._count_object(event.citation)
        block.citations = block.citations or []
        block.citations.append(event.citation)

    def _fields(self, event: e.FieldsDelta) -> None:
        block = self._open.get(event.index)
        if block is None:
            return self._misplaced(event, event.index)
        self._count_object(event.fields)
        target = block.data if isinstance(block, ResultBlock | UnknownBlock) else block.extra
        target.update(event.fields)

    def _unknown_delta(self, event: e.UnknownDelta) -> None:
        if event.index not in self._open:
            return self._misplaced(event, event.index)
        self._count_object(event.delta)
        self.message.unknown.append(event)

    def _unknown_event(self, event: e.UnknownEvent) -> None:
        self._count_object(event.data)
        self.message.unknown.append(event)

    def _block_stop(self, event: e.BlockStop) -> None:
        if event.index not in self._open:
            return self._misplaced(event, event.index)
        self._finish(event.index)

    def _message_delta(self, event: e.MessageDelta) -> None:
        self._require_start(event)
        self._count_object([event.usage, event.extra])
        message = self.message
        if event.stop_reason is not None:
            message.stop_reason = event.stop_reason
        # Usage is cumulative: the last figure that was given is the figure.
        message.usage.update((k, v) for k, v in event.usage.items() if v is not None)
        message.extra.update((k, v) for k, v in event.extra.items() if v is not None)

    def _message_stop(self, event: e.MessageStop) -> None:
        self._require_start(event)
        self._end("complete")

    def _stream_error(self, event: e.StreamError) -> None:
        self.message.error = event
        self._end("failed")

    def _message_cut(self, event: e.MessageCut) -> None:
        self._end(event.completeness)

    def _ping(self, event: e.Ping) -> None:
        pass

    def _begin(self, index: int, block: Block) -> None:
        if not self._started:
            raise _broken("a content block begins before the message does")
        blocks = self.message.indexed_blocks
        if index in blocks:
            raise _broken(f"content block {index} begins twice")
        if len(blocks) >= self.max_blocks:
            raise LimitExceeded(
                f"a message of more than max_blocks={self.max_blocks} content blocks",
                limit="max_blocks",
                bound=self.max_blocks,
                status=502,
            )
        self._count(repr(block))
        blocks[index] = self._open[index] = block.copy()

    def _finish(self, index: int) -> None:
        block = self._open.pop(index)
        if not isinstance(block, ToolUseBlock):
            return
        raw = block.raw_arguments
        if not raw or raw.isspace():
            block.arguments, block.state = block.start_input, "complete"
            return
        try:
            block.arguments = self._parse_json(raw)
        except ValueError:
            block.state = "invalid"
        else:
            block.state = "complete"

    def _end(self, completeness: Completeness) -> None:
        self._ended = True
        self.message.completeness = completeness
        for block in self._open.values():
            if isinstance(block, ToolUseBlock):
                block.state = "incomplete"
        self._open.clear()

    def _misplaced(self, event: e.BlockEvent, index: int) -> None:
        name = type(event).__name__
        block = self._open.get(index)
        if block is None:
            raise _broken(f"{name} for content block {index}, which is not open")
        if not isinstance(block, UnknownBlock):
            raise _broken(f"{name} for content block {index}, which is of type {block.type!r}")

    def _require_start(self, event: e.BlockEvent) -> None:
        if not self._started:
            raise _broken(f"{type(event).__name__} before the message begins")

    def _count(self, text: str) -> None:
        self._bytes += len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
        if self._bytes > self.max_message_bytes:
            raise LimitExceeded(
                f"a message of more than max_message_bytes={self.max_message_bytes} bytes",
                limit="max_message_bytes",
                bound=self.max_message_bytes,
                status=502,
            )

    def _count_object(self, value: Any) -> None:
        self._count(strict_json.dumps(value))

    _HANDLERS: ClassVar[dict[type[e.BlockEvent], Callable[[MessageAccumulator, Any], None]]] = {
        e.MessageStart: _message_start,
        e.BlockStart: _block_start,
        e.TextDelta: _text,
        e.ThinkingDelta: _thinking,
        e.SignatureDelta: _signature,
        e.ArgumentsDelta: _arguments,
        e.CitationDelta: _citation,
        e.FieldsDelta: _fields,
        e.UnknownDelta: _unknown_delta,
        e.UnknownEvent: _unknown_event,
        e.BlockStop: _block_stop,
        e.MessageDelta: _message_delta,
        e.MessageStop: _message_stop,
        e.StreamError: _stream_error,
        e.MessageCut: _message_cut,
        e.Ping: _ping,
    }


def _broken(message: str) -> RemoteProtocolError:
    return RemoteProtocolError(message, status=502)
