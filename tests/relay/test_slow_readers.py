"""Readers that take their time: the provider is paused, memory is bounded, and nobody waits for ever.

All readers of a turn read one log.  The slowest of them sets the pace: while it holds the log full the
provider is paused, and the others, who have everything there is, wait with it and get heartbeats.  A
reader that takes nothing for ``stall`` seconds is cut off; then the others go on.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from sse_core import ServerSentEvent
from sse_core.lifecycle import Outcome, SubscriptionSettings
from sse_http import StreamState
from tests.relay.support import BEGINNING, ENDING, TURN_ID, Provider, World, text

NAMED = {"turn-id": TURN_ID}
LOG_BYTES = 4000
PIECE = text("x" * 100)
#: What an entry of PIECE costs in the log, about.
PIECE_BYTES = 320


def fill(provider: Provider) -> int:
    """Send pieces until the relay pauses; how many it took."""
    for count in range(1, 1000):
        provider.send(PIECE)
        if provider.want == "pause":
            return count
    raise AssertionError("it never pauses")


def slow_world(**settings: Any) -> World:
    return World(log_bytes=LOG_BYTES, readers=SubscriptionSettings(**settings))


def test_the_provider_is_paused_while_the_log_is_full() -> None:
    world = World(log_bytes=LOG_BYTES)
    reader = world.ask(stalled=True)
    provider = world.provider.connect().head().send(*BEGINNING)
    count = fill(provider)
    assert 2 < count < LOG_BYTES / PIECE_BYTES + 1
    assert provider.exchange.log.retained_bytes < LOG_BYTES + PIECE_BYTES
    wakes = provider.wakes
    reader.go_on()
    assert provider.want == "read"
    assert provider.wakes == wakes + 1
    provider.send(*ENDING)
    assert reader.text == "x" * 100 * count
    assert reader.numbers == list(range(1, len(reader.numbers) + 1))


def test_it_is_paused_again_and_again() -> None:
    world = World(log_bytes=LOG_BYTES)
    reader = world.ask(stalled=True)
    provider = world.provider.connect().head().send(*BEGINNING)
    taken = 0
    for _ in range(20):
        taken += fill(provider)
        reader.go_on()
        reader.stalled = True
    provider.send(*ENDING)
    reader.go_on()
    assert reader.text == "x" * 100 * taken
    assert provider.turn.outcome is Outcome.COMPLETED


def test_a_pause_is_no_stall_of_the_provider() -> None:
    """The deadline between two outputs does not run while the relay itself does not read."""
    world = slow_world(stall=None)
    reader = world.ask(stalled=True)
    provider = world.provider.connect().head().send(*BEGINNING)
    fill(provider)
    world.pass_time(1000)
    assert provider.turn.outcome is None
    reader.go_on()
    world.pass_time(301)
    assert provider.turn.outcome is Outcome.EXPIRED


def test_one_read_is_the_most_beyond_the_bound() -> None:
    """The bound of a turn's log, and one read of its provider."""
    world = World(log_bytes=LOG_BYTES)
    world.ask(stalled=True)
    provider = world.provider.connect().head().send(*BEGINNING, *[PIECE] * 100)
    assert provider.want == "pause"
    assert provider.exchange.log.retained_bytes < LOG_BYTES + 100 * PIECE_BYTES


def test_without_a_reader_no_log_is_full() -> None:
    world = World(log_bytes=LOG_BYTES)
    world.ask(NAMED | {"turn-on-disconnect": "detach=60"}).leave()
    provider = world.provider.connect().head().send(*BEGINNING)
    for _ in range(100):
        provider.send(PIECE)
        assert provider.exchange.log.retained_bytes < LOG_BYTES


def test_the_last_reader_leaves_while_the_log_is_full() -> None:
    world = World(log_bytes=LOG_BYTES)
    reader = world.ask(NAMED | {"turn-on-disconnect": "detach=60"}, stalled=True)
    provider = world.provider.connect().head().send(*BEGINNING)
    fill(provider)
    wakes = provider.wakes
    reader.leave()
    assert provider.want == "read"
    assert provider.wakes > wakes
    provider.send(PIECE, *ENDING)
    assert provider.turn.outcome is Outcome.COMPLETED


def test_the_fast_reader_waits_with_the_slow_one() -> None:
    world = World(log_bytes=LOG_BYTES)
    fast, slow = world.ask(NAMED), world.resume(TURN_ID)
    slow.stalled = True
    provider = world.provider.connect().head().send(*BEGINNING)
    count = fill(provider)
    # It has all there is: nothing is held back from it.
    assert fast.text == "x" * 100 * count
    world.pass_time(31)
    assert fast.data.count(b": ping\n") == 2
    assert provider.want == "pause"
    slow.go_on()
    assert provider.want == "read"


def test_a_stalled_reader_is_cut_off_and_the_others_go_on() -> None:
    world = slow_world(stall=60.0)
    fast, slow = world.ask(NAMED), world.resume(TURN_ID)
    slow.stalled = True
    provider = world.provider.connect().head().send(*BEGINNING)
    count = fill(provider)
    world.pass_time(59)
    assert provider.want == "pause"
    world.pass_time(1)
    assert provider.want == "read"
    assert slow.stream.state is StreamState.ABORTED
    provider.send(PIECE, *ENDING)
    assert fast.text == "x" * 100 * (count + 1)
    assert not fast.open
    # Its server cuts the connection: an end in good order would look like the end of the answer.
    slow.go_on()
    assert (slow.ended, slow.data) == (StreamState.ABORTED, b"")


@pytest.mark.parametrize("wish", ["cancel", "detach=60", "drain=60"])
def test_a_reader_that_was_cut_off_has_left(wish: str) -> None:
    """Its connection may take long to close; the turn's policy does not wait for that."""
    world = slow_world(stall=60.0)
    reader = world.ask(NAMED | {"turn-on-disconnect": wish}, stalled=True)
    provider = world.provider.connect().head().send(*BEGINNING)
    fill(provider)
    world.pass_time(60)
    assert provider.exchange.readers == 0
    assert provider.want == ("close" if wish == "cancel" else "read")
    reader.leave()
    assert provider.exchange.readers == 0


def test_a_reader_that_takes_a_little_is_not_stalled() -> None:
    world = slow_world(stall=10.0)
    reader = world.ask(stalled=True)
    world.provider.connect().head().send(*BEGINNING, PIECE)
    for _ in range(10):
        world.pass_time(9)
        reader.go_on()
        reader.stalled = True
        world.provider.send(PIECE)
    assert reader.open
    world.pass_time(10)
    assert reader.stream.state is StreamState.ABORTED


def test_a_reader_who_comes_back_too_late_learns_of_the_gap() -> None:
    world = World(log_bytes=LOG_BYTES)
    reader = world.ask(NAMED | {"turn-on-disconnect": "detach=60"})
    provider = world.provider.connect().head().send(*BEGINNING, PIECE)
    reader.leave()
    for _ in range(50):
        provider.send(PIECE)
    late = world.resume(TURN_ID, reader.sse[-1].last_event_id)
    gap, start, block, short, *rest = late.sse
    assert gap.type == "gap"
    missing = json.loads(gap.data)
    assert missing == {"type": "gap", "from": 4, "to": missing["to"], "snapshot": 3}
    # What is gone comes in short.  Only its last event has an ID, so that a client that is cut before it
    # asks for the same again.
    assert [event.last_event_id for event in (gap, start, block)] == ["", "", ""]
    assert numbers([short, *rest]) == list(range(missing["to"], 54))
    assert "".join(late.text.split("x")) == ""
    assert len(late.text) == 100 * 51


def numbers(events: list[ServerSentEvent]) -> list[int]:
    return [int(event.last_event_id.rpartition("-")[2]) for event in events]


def test_a_reader_who_comes_first_when_much_has_gone() -> None:
    world = World(log_bytes=LOG_BYTES)
    world.ask(NAMED)
    provider = world.provider.connect().head().send(*BEGINNING)
    for _ in range(50):
        provider.send(PIECE)
    late = world.resume(TURN_ID)
    assert json.loads(late.sse[0].data)["from"] == 1
    provider.send(*ENDING)
    assert late.kinds[-1] == "message_stop"


def test_no_gap_where_nothing_is_missing() -> None:
    world = World(log_bytes=LOG_BYTES)
    reader = world.ask(NAMED | {"turn-on-disconnect": "detach=60"})
    provider = world.provider.connect().head().send(*BEGINNING)
    for _ in range(50):
        provider.send(PIECE)
    reader.leave()
    first_retained = provider.exchange.log.first_retained
    assert first_retained > 1
    late = world.resume(TURN_ID, f"{TURN_ID}-{first_retained - 1}")
    assert "gap" not in late.kinds
