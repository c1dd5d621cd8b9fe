"""UI message streams for tests, and an independent judge of them."""

from __future__ import annotations

import json
from typing import Any

from sse_core import Message, ServerSentEvent, dialects
from sse_core.blocks import (
    BlockEvent,
    BlockStart,
    BlockStop,
    MessageDelta,
    MessageStart,
    MessageStop,
    TextBlock,
    TextDelta,
    ToolUseBlock,
)
from sse_core.testing import message_of

UI = dialects.get("ui-messages")
DONE = "[DONE]"
START: list[dict[str, Any]] = [{"type": "start", "messageId": "m1"}, {"type": "start-step"}]
FINISH_STEP: dict[str, Any] = {"type": "finish-step"}
FINISH: list[Any] = [FINISH_STEP, {"type": "finish"}, DONE]


def start(dialect: str = "anthropic", **fields: Any) -> MessageStart:
    """The start of a message of this protocol."""
    return MessageStart("m1", "model", dialect=dialect, **fields)


def text(index: int, *fragments: str) -> list[BlockEvent]:
    """A block of text, whole."""
    deltas = [TextDelta(index, fragment) for fragment in fragments]
    return [BlockStart(index, TextBlock()), *deltas, BlockStop(index)]


def call(index: int = 0, id: str = "c1", **fields: Any) -> BlockStart:
    """The start of a call."""
    return BlockStart(index, ToolUseBlock(id, "f", **fields))


def encode(*events: BlockEvent, encoder: Any = None) -> list[Any]:
    """The chunks of block events; the end of the stream is its text."""
    encoder = encoder or UI.Encoder()
    sent = [sse for event in events for sse in encoder.send(event)]
    assert all(sse.type == "message" for sse in sent)
    return [DONE if sse.data == DONE else json.loads(sse.data) for sse in sent]


def sse(chunk: Any) -> ServerSentEvent:
    """An event with this chunk."""
    return ServerSentEvent("message", chunk if isinstance(chunk, str) else json.dumps(chunk))


def decode(*chunks: Any, eof: bool = False) -> list[BlockEvent]:
    """The block events of chunks, and of the stream's end if it ends."""
    decoder = UI.Decoder()
    events = [event for chunk in chunks for event in decoder.receive_event(sse(chunk))]
    return events + (decoder.receive_eof() if eof else [])


def read(*chunks: Any) -> Message:
    """The message of chunks and the stream's end."""
    return message_of(decode(*chunks, eof=True))


def step(*chunks: Any, reason: str = "stop") -> list[Any]:
    """A whole stream whose one step has these chunks."""
    return [*START, *chunks, FINISH_STEP, {"type": "finish", "finishReason": reason}, DONE]


def parts(*chunks: Any, reason: str = "stop") -> list[Any]:
    """The parts of the ``UIMessage`` that our reader makes of a stream whose one step has these chunks."""
    made = UI.to_response(read(*step(*chunks, reason=reason)))["parts"]
    assert made[0] == {"type": "step-start"}
    return list(made[1:])


class Judge:
    """Whether a browser would take a stream: every chunk in its place, as the protocol says."""

    def __init__(self) -> None:
        self.open: dict[str, str] = {}  # id -> text or reasoning
        self.calls: dict[str, str] = {}  # of the step: id -> how far it is
        self.known: set[str] = set()
        self.ended = False
        self.begun = False
        self.stepped = False

    def take(self, chunk: Any) -> None:
        """Raise ``AssertionError`` for a chunk that has no place here."""
        assert not self.ended
        if chunk == DONE:
            self.ended = True
            return
        kind = chunk["type"]
        if kind == "start":
            assert not self.begun
            self.begun = True
            return
        assert self.begun
        growing, _, what = kind.partition("-")
        if growing in {"text", "reasoning"} and what in {"start", "delta", "end"}:
            self._grow(growing, what, chunk)
        elif kind.startswith("tool-"):
            self._call(kind, chunk)
        elif kind == "reset-step":
            self.open.clear()
            self.calls.clear()
        elif kind == "start-step":
            self.stepped = True
            self.calls.clear()
        elif kind == "finish-step":
            assert self.stepped

    def _grow(self, kind: str, what: str, chunk: Any) -> None:
        id_ = chunk["id"]
        if what == "start":
            assert id_ not in self.open
            self.open[id_] = kind
            return
        assert self.open[id_] == kind
        if what == "end":
            del self.open[id_]

    def _call(self, kind: str, chunk: Any) -> None:
        if kind == "tool-approval-response":
            return
        id_ = chunk["toolCallId"]
        assert id_
        if kind == "tool-input-start":
            assert id_ not in self.calls
            self.calls[id_] = "streaming"
            self.known.add(id_)
        elif kind == "tool-input-delta":
            assert self.calls[id_] == "streaming"
        elif kind == "tool-input-available":
            # A call that the provider ran may be shown at once, and is never taken back.
            assert self.calls.get(id_, "streaming") == "streaming"
            assert id_ in self.calls or chunk["providerExecuted"]
            self.calls[id_] = "available"
            self.known.add(id_)
        else:
            assert id_ in self.known


def after_start(*events: BlockEvent, dialect: str = "anthropic", encoder: Any = None) -> list[Any]:
    """The chunks of events after a message's start."""
    chunks = encode(start(dialect), *events, encoder=encoder)
    assert chunks[:2] == START
    return chunks[2:]


def whole(index: int, block: Any) -> list[BlockEvent]:
    """A block that is whole at once."""
    return [BlockStart(index, block), BlockStop(index)]


def end(reason: str = "tool_use") -> list[BlockEvent]:
    """The end of a message, for this reason."""
    return [MessageDelta(reason), MessageStop()]
