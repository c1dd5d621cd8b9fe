"""Anthropic's Messages streaming, both ways.

Theory.  A stream is ``message_start``; for each content block ``content_block_start``, deltas and
``content_block_stop``; then ``message_delta`` and ``message_stop``.  ``ping`` and ``error`` may come
anywhere.  ``data.type`` says what an event is; the ``event:`` field only repeats it, and some
proxies drop it.  There is no ``[DONE]``: a stream that ends before ``message_stop`` was cut.  New
kinds of events, deltas and blocks may come at any time, and pass through.

Each event gives one block event.  What of order belongs to the wire is checked here (one message a
stream, nothing after its end); the order of blocks and deltas is the accumulator's business.

Source: https://docs.claude.com/en/docs/build-with-claude/streaming
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ..blocks import events as e
from ..blocks import strict_json
from ..blocks.events import BlockEvent
from ..blocks.model import Message
from ..blocks.strict_json import JSONObject
from ..errors import LocalProtocolError, RemoteProtocolError
from ..framing import ServerSentEvent
from .anthropic_blocks import read_block, write_block, write_whole_block
from .anthropic_errors import (
    error_response,
    error_status,
    parse_error,
    read_error,
    write_cut,
    write_error,
)
from .base import Dialect
from .fields import optional, required, rest

#: Characters of a broken event that an error quotes.
_EXCERPT = 100
#: After these nothing of a stream counts.
_ENDS = frozenset({e.MessageStop, e.StreamError})
#: What an ``event:`` field can hold.
_EVENT_NAME = re.compile(r"[^\r\n\0]+")


class Decoder:
    """Anthropic's events to block events.  One for each stream."""

    def __init__(self) -> None:
        self._id: str | None = None
        self._ended = False

    def receive_event(self, sse: ServerSentEvent) -> list[BlockEvent]:
        """The block event that ``sse`` stands for; none after the message's end.

        Raises ``RemoteProtocolError`` (status 502) for data that is no JSON object or lacks what
        it needs, and for a second message within the stream.
        """
        if self._ended:
            return []
        try:
            event = _read(sse)
        except ValueError as error:
            excerpt = f"{sse.data[:_EXCERPT]!a}"
            raise RemoteProtocolError(f"unreadable event {excerpt}: {error!s:.200}", status=502) from None
        if isinstance(event, e.MessageStart):
            return self._start(event)
        self._ended = type(event) in _ENDS
        return [event]

    def receive_eof(self) -> list[BlockEvent]:
        """The stream has ended: a ``MessageCut("truncated")`` if the message had not."""
        if self._ended:
            return []
        self._ended = True
        return [e.MessageCut("truncated")]

    def _start(self, event: e.MessageStart) -> list[BlockEvent]:
        if self._id is None:
            self._id = event.id
            return [event]
        # The same start twice is a repetition; another one is a second stream spliced in.
        if event.id != self._id:
            raise RemoteProtocolError("a second message begins within the stream", status=502)
        return []


def _read(sse: ServerSentEvent) -> BlockEvent:
    data = strict_json.loads(sse.data)
    if not isinstance(data, dict):
        raise ValueError("no JSON object")  # noqa: TRY004  (a peer's mistake, not the caller's)
    kind = _kind(data, sse.type)
    read = _READERS.get(kind)
    if read is None:
        return e.UnknownEvent(data, source=sse)
    event = read(data)
    # Anthropic's own clients silently drop an event whose `event:` is missing; as `source` is what
    # is sent on, it gets back the name that it should have had.
    event.source = sse if sse.type == kind else ServerSentEvent(kind, sse.data, sse.last_event_id)
    return event


def _kind(data: JSONObject, hint: str) -> str:
    if "type" in data:
        return required(data, "type", str)
    if "error" in data:
        return "error"
    if hint == "message":
        raise ValueError("type is missing")
    return hint


def _index(data: JSONObject) -> int:
    index = required(data, "index", int)
    if index < 0:
        raise ValueError("index is below 0")
    return index


def _without_null_stop_sequence(extra: JSONObject) -> JSONObject:
    # It is null in every start and almost every delta: that says nothing, so it is not kept.
    return rest(extra, "stop_sequence") if extra.get("stop_sequence") is None else extra


def _read_message_start(data: JSONObject) -> BlockEvent:
    message = required(data, "message", dict)
    extra = rest(message, "id", "type", "role", "model", "content", "stop_reason", "usage")
    return e.MessageStart(
        id=required(message, "id", str),
        model=required(message, "model", str),
        role=optional(message, "role", str) or "assistant",
        usage=optional(message, "usage", dict) or {},
        blocks=[read_block(block) for block in optional(message, "content", list) or []],
        stop_reason=optional(message, "stop_reason", str),
        extra=_without_null_stop_sequence(extra),
    )


def _read_block_start(data: JSONObject) -> BlockEvent:
    block = required(data, "content_block", dict)
    # After a `fallback` block another model writes, and the message is that model's.
    successor = optional(block, "to", dict) if block.get("type") == "fallback" else None
    model = optional(successor, "model", str) if successor else None
    return e.BlockStart(_index(data), read_block(block), model)


def _read_delta(data: JSONObject) -> BlockEvent:
    index = _index(data)
    delta = required(data, "delta", dict)
    read = _DELTA_READERS.get(required(delta, "type", str), e.UnknownDelta)
    return read(index, delta)


def _read_message_delta(data: JSONObject) -> BlockEvent:
    delta = required(data, "delta", dict)
    # `context_management` stands beside `delta`, everything else in it; all are the message's.
    extra = rest({**data, **delta}, "type", "delta", "stop_reason", "usage")
    return e.MessageDelta(
        stop_reason=optional(delta, "stop_reason", str),
        usage=optional(data, "usage", dict) or {},
        extra=_without_null_stop_sequence(extra),
    )


_READERS: dict[str, Callable[[JSONObject], BlockEvent]] = {
    "message_start": _read_message_start,
    "content_block_start": _read_block_start,
    "content_block_delta": _read_delta,
    "content_block_stop": lambda data: e.BlockStop(_index(data)),
    "message_delta": _read_message_delta,
    "message_stop": lambda _: e.MessageStop(),
    "ping": lambda _: e.Ping(),
    "error": read_error,
}
_DELTA_READERS: dict[str, Callable[[int, JSONObject], BlockEvent]] = {
    "text_delta": lambda index, delta: e.TextDelta(index, required(delta, "text", str)),
    "thinking_delta": lambda index, delta: e.ThinkingDelta(index, required(delta, "thinking", str)),
    "signature_delta": lambda index, delta: e.SignatureDelta(index, required(delta, "signature", str)),
    "input_json_delta": lambda index, delta: e.ArgumentsDelta(index, required(delta, "partial_json", str)),
    "citations_delta": lambda index, delta: e.CitationDelta(index, required(delta, "citation", dict)),
    "compaction_delta": lambda index, delta: e.FieldsDelta(index, rest(delta, "type")),
}


class Encoder:
    """Block events to Anthropic's events.  One for each stream.

    ``verbatim``: the block events come from an Anthropic decoder; where one has a ``source``, that
    is sent on as it is.
    """

    def __init__(self, *, verbatim: bool = False) -> None:
        self._verbatim = verbatim

    def send(self, event: BlockEvent) -> list[ServerSentEvent]:
        """The event that stands for ``event``; none for what Anthropic has no form for.

        Raises ``LocalProtocolError`` for what is no block event.
        """
        if self._verbatim and event.source is not None:
            return [event.source]
        if isinstance(event, e.ItemsDelta):
            return []
        write = _WRITERS.get(type(event))
        if write is None:
            raise LocalProtocolError(f"{type(event).__name__} is no block event")
        if event.choice != 0:
            return []  # Anthropic gives one answer.
        data = write(event)
        return [ServerSentEvent(_event_name(data), strict_json.dumps(data))]


def _event_name(data: JSONObject) -> str:
    # An unknown event's type is a peer's text, and may be none that an `event:` field can hold.
    name = data.get("type")
    return name if isinstance(name, str) and _EVENT_NAME.fullmatch(name) else "message"


def _write_message_start(event: e.MessageStart) -> JSONObject:
    message = {
        "id": event.id,
        "type": "message",
        "role": event.role,
        "model": event.model,
        "content": [write_block(block) for block in event.blocks],
        "stop_reason": event.stop_reason,
        "stop_sequence": None,
        "usage": event.usage,
        **event.extra,
    }
    return {"type": "message_start", "message": message}


def _write_block_start(event: e.BlockStart) -> JSONObject:
    return {"type": "content_block_start", "index": event.index, "content_block": write_block(event.block)}


def _write_message_delta(event: e.MessageDelta) -> JSONObject:
    beside = {name: value for name, value in event.extra.items() if name == "context_management"}
    delta = {"stop_reason": event.stop_reason, "stop_sequence": None, **rest(event.extra, *beside)}
    return {"type": "message_delta", "delta": delta, "usage": event.usage, **beside}


def _delta(index: int, kind: str, fields: JSONObject) -> JSONObject:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **fields}}


def _write_unknown_delta(event: e.UnknownDelta) -> JSONObject:
    return {"type": "content_block_delta", "index": event.index, "delta": event.delta}


_WRITERS: dict[type[BlockEvent], Callable[[Any], JSONObject]] = {
    e.MessageStart: _write_message_start,
    e.BlockStart: _write_block_start,
    e.TextDelta: lambda event: _delta(event.index, "text_delta", {"text": event.text}),
    e.ThinkingDelta: lambda event: _delta(event.index, "thinking_delta", {"thinking": event.thinking}),
    e.SignatureDelta: lambda event: _delta(event.index, "signature_delta", {"signature": event.signature}),
    e.ArgumentsDelta: lambda event: _delta(event.index, "input_json_delta", {"partial_json": event.fragment}),
    e.CitationDelta: lambda event: _delta(event.index, "citations_delta", {"citation": event.citation}),
    e.FieldsDelta: lambda event: _delta(event.index, "compaction_delta", event.fields),
    e.UnknownDelta: _write_unknown_delta,
    e.BlockStop: lambda event: {"type": "content_block_stop", "index": event.index},
    e.MessageDelta: _write_message_delta,
    e.MessageStop: lambda _: {"type": "message_stop"},
    e.Ping: lambda _: {"type": "ping"},
    e.StreamError: write_error,
    e.MessageCut: write_cut,
    e.UnknownEvent: lambda event: event.data,
}


def to_response(message: Message) -> JSONObject:
    """The response object that Anthropic would have sent without streaming.

    https://docs.claude.com/en/api/messages.  Arguments of a tool that are not whole, or no JSON,
    stand in it as ``{"INVALID_JSON": text}``.
    """
    response = {
        "id": message.id,
        "type": "message",
        "role": message.role,
        "model": message.model,
        "content": [write_whole_block(block) for block in message.blocks],
        "stop_reason": message.stop_reason,
        "stop_sequence": message.extra.get("stop_sequence"),
        "usage": dict(message.usage),
    }
    return {**message.extra, **response}


DIALECT = Dialect("anthropic", Decoder, Encoder, to_response, error_response, error_status, parse_error)
