"""A provider's bytes, and a turn that is driven with them on a made-up clock."""

from __future__ import annotations

import dataclasses
from typing import Any

from sse_core import dialects
from sse_core.blocks import (
    BlockEvent,
    BlockStart,
    BlockStop,
    MessageStart,
    MessageStop,
    Ping,
    StreamError,
    TextBlock,
    TextDelta,
)
from sse_core.headers import Headers
from sse_core.lifecycle import HTTPRequest, Outcome, Turn, TurnState, Want
from sse_core.testing import stream_of

ANTHROPIC = dialects.get("anthropic")
REQUEST = HTTPRequest("https://provider.test/v1/messages", "POST", body=b"{}")
EVENT_STREAM = Headers({"content-type": "text/event-stream; charset=utf-8"})

START = MessageStart("msg_1", "claude")
OPENED = BlockStart(0, TextBlock())
HELLO = TextDelta(0, "Hello")
WORLD = TextDelta(0, " world")
BLOCK_STOP = BlockStop(0)
STOP = MessageStop()
PING = Ping()
# The field "outcome" is what our own encoder adds.
OVERLOADED = StreamError("overloaded_error", "Overloaded", retryable=True, extra={"outcome": "failed"})
INVALID = StreamError("invalid_request_error", "No.", extra={"outcome": "failed"})

#: A whole answer.
ANSWER = (START, OPENED, HELLO, WORLD, BLOCK_STOP, STOP)


def wire(*events: BlockEvent) -> bytes:
    """The bytes of a provider's stream with these events."""
    return stream_of(ANTHROPIC, events)


def drained(turn: Turn) -> list[BlockEvent]:
    """All that the turn gives out now."""
    events = []
    while (event := turn.next_event()) is not None:
        events.append(event)
    return events


def bare(events: list[BlockEvent]) -> list[BlockEvent]:
    """The events as they compare: without what they were made from."""
    return [dataclasses.replace(event, source=None) for event in events]


# A type checker takes what an assertion says of an attribute to hold for ever; of a function's result
# it doesn't.


def want_of(turn: Turn) -> Want:
    return turn.want


def state_of(turn: Turn) -> TurnState:
    return turn.state


def outcome_of(turn: Turn) -> Outcome | None:
    return turn.outcome


def deadline_of(turn: Turn) -> float:
    """The turn's deadline, which there is."""
    assert turn.deadline is not None
    return turn.deadline


def connecting(**settings: Any) -> Turn:
    """A turn that was started at 0.0 and wishes to be connected."""
    turn = Turn(REQUEST, **{"dialect": ANTHROPIC, **settings})
    turn.start(0.0)
    assert want_of(turn) is Want.CONNECT
    return turn


def waiting(**settings: Any) -> Turn:
    """A turn that was started and connected at 0.0."""
    turn = connecting(**settings)
    turn.connected(0.0)
    assert state_of(turn) is TurnState.WAITING
    return turn


def accepted(**settings: Any) -> Turn:
    """A turn whose provider has begun to answer with a stream, at 0.0."""
    turn = waiting(**settings)
    turn.response_started(200, EVENT_STREAM, 0.0)
    assert turn.accepted
    return turn


def streaming(**settings: Any) -> Turn:
    """A turn that has shown "Hello" at 0.0; that is all read."""
    turn = accepted(**settings)
    turn.receive_data(wire(START, OPENED, HELLO), 0.0)
    assert state_of(turn) is TurnState.STREAMING
    drained(turn)
    return turn


def backing_off(**settings: Any) -> Turn:
    """A turn whose first attempt could not connect, at 0.0."""
    turn = connecting(**settings)
    turn.connection_lost("refused", 0.0)
    assert state_of(turn) is TurnState.BACKOFF
    return turn


def done(**settings: Any) -> Turn:
    """A turn that has completed, its transport still open."""
    turn = accepted(**settings)
    turn.receive_data(wire(*ANSWER), 0.0)
    assert outcome_of(turn) is Outcome.COMPLETED
    drained(turn)
    return turn


def try_again(turn: Turn) -> float:
    """Let a failed attempt's transport be closed, sleep, and connect; the moment of that."""
    if want_of(turn) is Want.CLOSE:
        turn.closed(0.0)
    assert want_of(turn) is Want.WAIT
    now = deadline_of(turn)
    turn.handle_timeout(now)
    assert want_of(turn) is Want.CONNECT
    turn.connected(now)
    return now
