"""The law of a dialect: what is encoded and decoded again is what it was."""

from __future__ import annotations

from hypothesis import given

from sse_core import EventStreamDecoder, ServerSentEvent, dialects, encode_event
from sse_core.blocks import BlockEvent, MessageStart
from sse_core.testing import strategies

EVENTS = strategies.block_events()

ANTHROPIC = dialects.get("anthropic")


def written(event: BlockEvent) -> ServerSentEvent:
    """The event as it is written within a message."""
    encoder = ANTHROPIC.Encoder()
    encoder.send(MessageStart("msg_1", "claude"))
    (sse,) = encoder.send(event)
    return sse


@given(EVENTS)
def test_an_event_is_the_same_after_encoding_and_decoding(event: BlockEvent) -> None:
    sse = written(event)
    assert ANTHROPIC.Decoder().receive_event(sse) == [event]


@given(EVENTS)
def test_it_is_the_same_after_a_trip_over_the_wire(event: BlockEvent) -> None:
    """Nothing in an event can forge another, nor be lost in UTF-8."""
    sse = written(event)
    wire = encode_event(sse.data, event=sse.type)
    received = EventStreamDecoder().receive_data(wire)
    assert received == [ServerSentEvent(sse.type, sse.data)]
    assert ANTHROPIC.Decoder().receive_event(received[0]) == [event]


@given(EVENTS)
def test_verbatim_sends_on_what_was_received(event: BlockEvent) -> None:
    sse = written(event)
    (decoded,) = ANTHROPIC.Decoder().receive_event(sse)
    assert ANTHROPIC.Encoder(verbatim=True).send(decoded) == [sse]
    assert ANTHROPIC.Encoder(verbatim=True).send(event) == [sse]
