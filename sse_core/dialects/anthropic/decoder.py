"""Anthropic's Messages streaming, both ways.

Theory.  A stream is ``message_start``; for each content block ``content_block_start``, deltas and
``content_block_stop``; then ``message_delta`` and ``message_stop``.  ``ping`` and ``error`` may come
anywhere.  ``data.type`` says what an event is; the ``event:`` field only repeats it, and some
proxies drop it.  There is no ``[DONE]``: a stream that ends before ``message_stop`` was cut.  New
kinds of events, deltas and blocks may come at any time, and pass through.

An event gives one block event, and one more where it says more than that: figures and fields beside those
that are read.  What of order belongs to the wire is checked here (one message a
stream, nothing after its end); the order of blocks and deltas is the accumulator's business.

Source: https://docs.claude.com/en/docs/build-with-claude/streaming
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...blocks import events as e
from ...blocks.events import BlockEvent
from ...blocks.strict_json import JSONObject
from ...errors import RemoteProtocolError
from ...framing import ServerSentEvent
from ..delta_pattern import Delta, DeltaPattern, Path
from ..fields import optional, parsed_object, required, rest
from ..stream_decoder import StreamDecoder
from .blocks import read_block
from .errors import read_error
from .vocabulary import NAME

#: After these nothing of a stream counts.
_ENDS = frozenset({e.MessageStop, e.StreamError})
#: Where the text of a delta stands in its event.
_PLACES: dict[type[Delta], tuple[Path, ...]] = {
    e.TextDelta: (("delta", "text"),),
    e.ThinkingDelta: (("delta", "thinking"),),
    e.ArgumentsDelta: (("delta", "partial_json"),),
}


class Decoder(StreamDecoder):
    """Anthropic's events to block events.  One for each stream."""

    def __init__(self) -> None:
        super().__init__()
        self._id: str | None = None
        self._pattern = DeltaPattern(_PLACES)

    def receive_event(self, sse: ServerSentEvent) -> list[BlockEvent]:
        """The block event that ``sse`` stands for, and one more where it says more than that.

        Raises what :meth:`StreamDecoder.receive_event` raises, for a second message within the stream, too.
        """
        delta = None if self._ended or self._broken else self._pattern.delta_of(sse)
        return super().receive_event(sse) if delta is None else [delta]

    def _read(self, sse: ServerSentEvent) -> list[BlockEvent]:
        events = _read(sse)
        event = events[0]
        if isinstance(event, e.MessageStart):
            return self._start(event)
        self._ended = type(events[-1]) in _ENDS
        if event.source is sse:  # and was not given its name back
            self._pattern.learn(sse, events)
        return events

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


def _read(sse: ServerSentEvent) -> list[BlockEvent]:
    data = parsed_object(sse.data)
    kind = _kind(data, sse.type)
    read = _READERS.get(kind)
    if read is None:
        # Where only the name says what it is, its type: it has to be written anew.
        return [e.UnknownEvent({"type": kind, **data}, source=sse)]
    events = read(data)
    # Anthropic's own clients silently drop an event whose `event:` is missing; as `source` is what
    # is sent on, it gets back the name that it should have had.
    source = sse if sse.type == kind else ServerSentEvent(kind, sse.data, sse.last_event_id)
    for event in events:
        event.source = source
    return events


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
        dialect=NAME,
    )


def _read_block_start(data: JSONObject) -> BlockEvent:
    block = required(data, "content_block", dict)
    # After a `fallback` block another model writes, and the message is that model's.
    successor = optional(block, "to", dict) if block.get("type") == "fallback" else None
    model = optional(successor, "model", str) if successor else None
    return e.BlockStart(_index(data), read_block(block), model)


def _read_delta(data: JSONObject) -> list[BlockEvent]:
    index = _index(data)
    delta = required(data, "delta", dict)
    kind = required(delta, "type", str)
    known = _DELTAS.get(kind)
    if known is None:
        return [
            e.FieldsDelta(index, rest(delta, "type")) if kind == _FIELDS else e.UnknownDelta(index, delta)
        ]
    name, type_, make = known
    # Increments, as of `estimated_tokens`, are to be summed: so each is kept.
    fields = {**rest(data, "type", "index", "delta"), **rest(delta, "type", name)}
    beside = {field: value for field, value in fields.items() if value is not None}
    more: list[BlockEvent] = [e.UnknownDelta(index, {"type": kind, **beside})] if beside else []
    if more and name not in delta:
        return more
    return [make(index, required(delta, name, type_)), *more]


def _read_message_stop(data: JSONObject) -> list[BlockEvent]:
    # Bedrock has figures here: `usage`, and `amazon-bedrock-invocationMetrics`.
    usage = data.get("usage")
    figures = usage if isinstance(usage, dict) else {}
    extra = rest(data, "type", "usage" if isinstance(usage, dict) else "type")
    facts: list[BlockEvent] = [e.MessageDelta(usage=figures, extra=extra)] if figures or extra else []
    return [*facts, e.MessageStop()]


def _read_message_delta(data: JSONObject) -> BlockEvent:
    delta = required(data, "delta", dict)
    # `context_management` stands beside `delta`, everything else in it; all are the message's.
    extra = rest({**data, **delta}, "type", "delta", "stop_reason", "usage")
    return e.MessageDelta(
        stop_reason=optional(delta, "stop_reason", str),
        usage=optional(data, "usage", dict) or {},
        extra=_without_null_stop_sequence(extra),
    )


def _one(read: Callable[[JSONObject], BlockEvent]) -> Callable[[JSONObject], list[BlockEvent]]:
    return lambda data: [read(data)]


_READERS: dict[str, Callable[[JSONObject], list[BlockEvent]]] = {
    "message_start": _one(_read_message_start),
    "content_block_start": _one(_read_block_start),
    "content_block_delta": _read_delta,
    "content_block_stop": lambda data: [e.BlockStop(_index(data))],
    "message_delta": _one(_read_message_delta),
    "message_stop": _read_message_stop,
    "ping": lambda _: [e.Ping()],
    "error": _one(read_error),
}
#: The delta all of whose fields are the block's.
_FIELDS = "compaction_delta"
#: The type of a delta -> the field that it is, its type, and what it makes.
_DELTAS: dict[str, tuple[str, type, Callable[[int, Any], BlockEvent]]] = {
    "text_delta": ("text", str, e.TextDelta),
    "thinking_delta": ("thinking", str, e.ThinkingDelta),
    "signature_delta": ("signature", str, e.SignatureDelta),
    "input_json_delta": ("partial_json", str, e.ArgumentsDelta),
    "citations_delta": ("citation", dict, e.CitationDelta),
}
