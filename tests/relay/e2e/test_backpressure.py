"""A client that stops reading: the relay's memory stays bounded, and the provider is paused.

The bound: what one turn retains (4 MiB), one read of the provider, and what one pull holds; the
process itself is given 16 MiB of room for the allocator.
"""

from __future__ import annotations

import time
from contextlib import closing
from itertools import islice, takewhile

from sse_core import ServerSentEvent
from tests.relay.e2e.support import House, text_of, wait_for

ROOM_BYTES = 16 * 1024 * 1024


def test_a_client_that_stops_reading_pauses_the_provider(house: House) -> None:
    before = house.program.memory_bytes()
    with closing(house.ask(Sim_Tokens="1000000", Sim_Rate="0", Sim_TTFT="0")) as answer:
        first = list(islice(answer.events(), 10))
        made = tokens_when_they_stand_still(house)
        assert made < 500_000, "the provider ran on to the end"
        assert house.program.memory_bytes() - before < ROOM_BYTES
        # And it goes on where it stood: nothing was lost, though some of it was merged on the way.
        rest = list(takewhile(lambda event: number_of(event) <= made + 100, answer.events()))
        assert house.newest()["tokens"] > made
        numbers = [number_of(event) for event in first + rest]
        assert numbers == sorted(set(numbers))
        assert len(numbers) < numbers[-1]
    assert wait_for(lambda: house.newest()["state"] == "aborted")
    same = house.ask(Sim_Tokens=str(made + 1000), Sim_Rate="0", Sim_TTFT="0")
    with closing(same) as answer:
        assert text_of(list(answer.events())).startswith(text_of(first + rest))


def number_of(event: ServerSentEvent) -> int:
    return int(event.last_event_id.rpartition("-")[2])


def tokens_when_they_stand_still(house: House) -> int:
    deadline = time.monotonic() + 15
    made = -1
    while time.monotonic() < deadline:
        now_made = int(house.newest()["tokens"])
        if now_made == made:
            return made
        made = now_made
        time.sleep(0.5)
    raise AssertionError("the provider never paused")
