"""The law of a dialect: what is encoded and decoded again is what it was."""

from __future__ import annotations

from hypothesis import given

from sse_core import EventStreamDecoder, ServerSentEvent, dialects, encode_event
from sse_core.blocks import BlockEvent
from tests.core.dialects.strategies import EVENTS

ANTHROPIC = dialects.get("anthropic")


@given(EVENTS)
def test_an_event_is_the_same_after_encoding_and_decoding(event: BlockEvent) -> None:
    (sse,) = ANTHROPIC.Encoder().send(event)
    assert ANTHROPIC.Decoder().receive_event(sse) == [event]


@given(EVENTS)
def test_it_is_the_same_after_a_trip_over_the_wire(event: BlockEvent) -> None:
    """Nothing in an event can forge another, nor be lost in UTF-8."""
    (sse,) = ANTHROPIC.Encoder().send(event)
    wire = encode_event(sse.data, event=sse.type)
    received = EventStreamDecoder().receive_data(wire)
    assert received == [ServerSentEvent(sse.type, sse.data)]
    assert ANTHROPIC.Decoder().receive_event(received[0]) == [event]


@given(EVENTS)
def test_verbatim_sends_on_what_was_received(event: BlockEvent) -> None:
    (sse,) = ANTHROPIC.Encoder().send(event)
    (decoded,) = ANTHROPIC.Decoder().receive_event(sse)
    assert ANTHROPIC.Encoder(verbatim=True).send(decoded) == [sse]
    assert ANTHROPIC.Encoder(verbatim=True).send(event) == [sse]
