"""From the provider's bytes to the reader's, within one call, and unchanged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import EventStreamDecoder, ServerSentEvent
from sse_core.lifecycle import SubscriptionSettings
from sse_http import StreamState
from tests.relay.support import BEGINNING, ENDING, TURN_ID, WHOLE, World, encoded, error_of, text

NAMED = {"turn-id": TURN_ID}


def test_each_event_is_there_in_the_call_in_which_it_came() -> None:
    world = World()
    reader = world.ask()
    provider = world.provider.connect().head().send(*BEGINNING)
    # Until there is something to see, the provider may still fail and be tried again.
    assert reader.kinds == []
    for count, event in enumerate([text("a"), text("b"), *ENDING], start=1):
        provider.send(event)
        assert len(reader.kinds) == 2 + count
    assert not reader.open


def test_a_reader_is_woken_only_when_there_is_something() -> None:
    world = World()
    reader = world.ask()
    provider = world.provider.connect().head().send(*BEGINNING, text("a"))
    wakes = reader.wakes
    for byte in encoded([text("b")])[:-1]:
        provider.body(bytes([byte]))
    assert reader.wakes == wakes
    provider.body(b"\n")
    assert reader.wakes == wakes + 1
    provider.send(text("c"), text("d"))
    assert reader.wakes == wakes + 2, "once for a read, however many events it brought"


STRANGE = b"""\
event: message_start
data: {"type": "message_start",  "new": [1.0, 1e2, "\\u00fc"], "message":
data: {"id": "m", "model": "x", "content": [], "usage": {}}}

event: content_block_start
data: {"index":0,"type":"content_block_start","content_block":{"type":"newest_block","a":null}}

event: newest_event
data: {"type": "newest_event", "text": "\xc3\xbc \xe2\x80\xa8"}

data: {"type": "content_block_delta", "index": 0, "delta": {"type": "newest_delta", "more": "..."}}

event: content_block_stop
data: {"type": "content_block_stop", "index": 0}

: a comment
event: message_delta
id: the-providers-own
retry: 5
data: {"type": "message_delta", "delta": {"stop_reason": "newest_reason"}, "usage": {"gold": 1}}

event: message_stop
data: {"type": "message_stop"}

"""


def test_what_is_not_known_passes_through_unchanged() -> None:
    world = World()
    reader = world.ask(NAMED)
    world.provider.connect().head().body(STRANGE)
    sent = EventStreamDecoder().receive_data(STRANGE)
    assert [event.data for event in reader.sse] == [event.data for event in sent]
    # Anthropic's SDKs drop an event without a name in silence, so it gets the name that it lacks.
    names = [event.type if event.type != "message" else "content_block_delta" for event in sent]
    assert reader.kinds == names
    # The IDs are the relay's own, consecutive, and no event says when to come again.
    assert [event.last_event_id for event in reader.sse] == [f"{TURN_ID}-{n}" for n in range(1, 8)]
    assert b"retry" not in reader.data


@given(st.lists(st.text(), max_size=5), st.integers(1, 50))
def test_any_text_in_any_pieces(pieces: list[str], size: int) -> None:
    world = World()
    reader = world.ask()
    provider = world.provider.connect().head()
    stream = encoded([*BEGINNING, *(text(piece) for piece in pieces), *ENDING])
    for start in range(0, len(stream), size):
        provider.body(stream[start : start + size])
    assert reader.text == "".join(pieces)
    assert reader.ended is StreamState.FINISHED
    assert reader.data.count(b"\nid: ") == len(reader.sse)


@pytest.mark.parametrize(
    "garbage",
    [b"SSH-2.0-OpenSSH_9.9\r\n\r\n", b"HTTP/1.1 200 OK\r\nno field\r\n\r\n", b"\x15\x03\x01\x00\x02\x02"],
)
def test_a_provider_that_does_not_speak_http(garbage: bytes) -> None:
    """It will not do so the next time either: one attempt."""
    world = World(head_hold=30.0)
    reader = world.ask()
    world.provider.connect().raw(garbage).close()
    assert reader.reply.status == 502
    assert error_of(reader.reply)["type"] == "api_error"
    assert world.provider.turn.attempts == 1


@pytest.mark.parametrize("garbage", [b"zz\r\n", b"5\r\n:\n\n\n\nxx"])
def test_a_provider_that_stops_speaking_http(garbage: bytes) -> None:
    world = World()
    reader = world.ask(NAMED)
    world.provider.connect().head().send(*BEGINNING, text("x")).raw(garbage).close()
    assert (reader.text, reader.kinds[-1]) == ("x", "error")
    assert reader.ended is StreamState.FINISHED
    assert world.stop(TURN_ID) in {"truncated", "failed"}


def test_a_reader_whose_time_is_over_comes_again() -> None:
    world = World(readers=SubscriptionSettings(lifetime=10.0))
    reader = world.ask(NAMED | {"turn-on-disconnect": "detach=5"})
    provider = world.provider.connect().head().send(*BEGINNING, text("Scat"))
    world.pass_time(10)
    assert (reader.ended, reader.kinds[-1]) == (StreamState.FINISHED, "content_block_delta")
    again = world.resume(TURN_ID, reader.sse[-1].last_event_id)
    provider.send(text("tering."), *ENDING)
    assert again.text == "tering."


def test_many_readers_get_the_same() -> None:
    world = World()
    readers = [world.ask(NAMED), *(world.resume(TURN_ID) for _ in range(10))]
    world.provider.answer(*WHOLE)
    assert len({reader.data for reader in readers}) == 1
    assert readers[0].sse[0] == ServerSentEvent("message_start", readers[0].sse[0].data, f"{TURN_ID}-1")
