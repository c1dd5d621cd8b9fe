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

from collections.abc import Callable

from ...blocks import events as e
from ...blocks import strict_json
from ...blocks.events import BlockEvent
from ...blocks.strict_json import JSONObject
from ...errors import RemoteProtocolError
from ...framing import ServerSentEvent
from ..fields import optional, required, rest
from ..repetition import Delta, Path, Repetition
from .blocks import read_block
from .errors import read_error

#: Characters of a broken event that an error quotes.
_EXCERPT = 100
#: After these nothing of a stream counts.
_ENDS = frozenset({e.MessageStop, e.StreamError})
#: Where the text of a delta stands in its event.
_PLACES: dict[type[Delta], tuple[Path, ...]] = {
    e.TextDelta: (("delta", "text"),),
    e.ThinkingDelta: (("delta", "thinking"),),
    e.ArgumentsDelta: (("delta", "partial_json"),),
}


class Decoder:
    """Anthropic's events to block events.  One for each stream."""

    def __init__(self) -> None:
        self._id: str | None = None
        self._ended = False
        self._broken = False  # an event could not be read
        self._repetition = Repetition(_PLACES)

    def receive_event(self, sse: ServerSentEvent) -> list[BlockEvent]:
        """The block event that ``sse`` stands for; none after the message's end, or after an error.

        Raises ``RemoteProtocolError`` (status 502) for data that is no JSON object or lacks what
        it needs, and for a second message within the stream.
        """
        if self._ended or self._broken:
            return []
        delta = self._repetition.delta_of(sse)
        if delta is not None:
            return [delta]
        try:
            event = _read(sse)
        except ValueError as error:
            self._broken = True  # what it said is missing from all that follows
            excerpt = f"{sse.data[:_EXCERPT]!a}"
            raise RemoteProtocolError(f"unreadable event {excerpt}: {error!s:.200}", status=502) from None
        if isinstance(event, e.MessageStart):
            return self._start(event)
        self._ended = type(event) in _ENDS
        if event.source is sse:  # and was not given its name back
            self._repetition.learn(sse, [event])
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
            self._broken = True
            raise RemoteProtocolError("a second message begins within the stream", status=502)
        return []


def _read(sse: ServerSentEvent) -> BlockEvent:
    data = strict_json.loads(sse.data)
    if not isinstance(data, dict):
        raise ValueError("no JSON object")  # noqa: TRY004  (a peer's mistake, not the caller's)
    kind = _kind(data, sse.type)
    read = _READERS.get(kind)
    if read is None:
        # Where only the name says what it is, its type: it has to be written anew.
        return e.UnknownEvent({"type": kind, **data}, source=sse)
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
        dialect="anthropic",
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
