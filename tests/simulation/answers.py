"""What a provider says: numbered words, so that one that is lost or comes twice is found."""

from __future__ import annotations

from functools import cache

from sse_core import dialects, encode_event
from sse_core.blocks import (
    BlockEvent,
    BlockStart,
    BlockStop,
    MessageDelta,
    MessageStart,
    MessageStop,
    Ping,
    StreamError,
    TextBlock,
    TextDelta,
)

PING = b": ping\n"


def word(generation: int, number: int) -> str:
    """A word that no other place of no other answer has."""
    return f"{generation}.{number} "


def text(generation: int, count: int) -> str:
    """The text of an answer."""
    return "".join(word(generation, number) for number in range(count))


@cache
def opening(dialect: str, generation: int) -> bytes:
    """The bytes before the first word."""
    start = MessageStart(f"m{generation}", "model", usage={"input_tokens": 7}, dialect=dialect)
    return _wire(dialect, start, BlockStart(0, TextBlock()))


@cache
def delta(dialect: str, generation: int, number: int) -> bytes:
    """The bytes of one word."""
    start = MessageStart(f"m{generation}", "model", dialect=dialect)
    whole = _wire(dialect, start, BlockStart(0, TextBlock()), TextDelta(0, word(generation, number)))
    return whole.removeprefix(_wire(dialect, start, BlockStart(0, TextBlock())))


@cache
def ending(dialect: str, generation: int, count: int) -> bytes:
    """The bytes after the last word."""
    begin = [MessageStart(f"m{generation}", "model", dialect=dialect), BlockStart(0, TextBlock())]
    end = [BlockStop(0), MessageDelta("end_turn", {"output_tokens": count}), MessageStop()]
    return _wire(dialect, *begin, *end).removeprefix(_wire(dialect, *begin))


@cache
def error(dialect: str, *, may_pass: bool) -> bytes:
    """The bytes of an error within the stream."""
    kind = "overloaded_error" if may_pass else "invalid_request_error"
    return _wire(dialect, StreamError(kind, "The provider has failed.", retryable=may_pass))


@cache
def ping(dialect: str) -> bytes:
    """A sign of life: an event where the protocol has one, else a comment."""
    return _wire(dialect, Ping()) or PING


def _wire(name: str, *events: BlockEvent) -> bytes:
    encoder = dialects.get(name).Encoder()
    sent = [sse for event in events for sse in encoder.send(event)]
    return b"".join(encode_event(sse.data, event=None if sse.type == "message" else sse.type) for sse in sent)
