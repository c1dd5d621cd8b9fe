"""Finished turns stay readable for a while, within a bound of time and one of bytes; then they are gone."""

from __future__ import annotations

import gc
import tracemalloc
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from sse_core.blocks import MessageAccumulator
from sse_relay.turns import RelayedTurn
from tests.relay.support import (
    BEGINNING,
    ENDING,
    JSON,
    TURN_ID,
    WHOLE,
    World,
    block_start,
    block_stop,
    delta,
    error_event,
    message_start,
    text,
)


def finish(world: World, turn_id: str, *events: JSON, **fields: Any) -> None:
    """A turn from its start to its end."""
    world.ask({"turn-id": turn_id}, **fields)
    world.provider.answer(*(events or WHOLE))


def known(world: World, turn_id: str) -> bool:
    answer = world.send("GET", f"/turns/{turn_id}")
    return getattr(answer, "status", 200) != 404


def named(number: int) -> str:
    return f"turn-of-the-test-{number}"


def test_a_finished_turn_is_forgotten_after_a_while() -> None:
    world = World(retention=60.0)
    finish(world, named(1))
    world.pass_time(30)
    wakes = world.wakes
    finish(world, named(2))
    assert world.wakes == wakes + 2, "once for its exchange, once for the relay's deadline"
    assert world.relay.deadline == world.now + 30
    world.pass_time(29.9)
    assert known(world, named(1))
    world.pass_time(0.2)
    assert (known(world, named(1)), known(world, named(2))) == (False, True)
    world.pass_time(30)
    assert not known(world, named(2))
    assert world.relay.deadline is None


def test_a_running_turn_is_never_forgotten() -> None:
    world = World(retention=1.0, retained_bytes=1)
    world.ask({"turn-id": TURN_ID})
    world.provider.connect().head().send(*BEGINNING, text("x"))
    world.pass_time(100)
    assert known(world, TURN_ID)
    assert world.health() == {"running": 1, "finished": 0}


def test_to_look_early_or_late_does_no_harm() -> None:
    world = World(retention=60.0)
    finish(world, named(1))
    world.relay.handle_timeout(world.now + 59)
    assert known(world, named(1))
    world.relay.handle_timeout(world.now + 1000)
    world.relay.handle_timeout(world.now + 1000)
    assert not known(world, named(1))


def test_the_oldest_go_first_when_there_are_too_many_bytes() -> None:
    piece = text("x" * 1000)
    world = World(retained_bytes=22_000)
    for number in range(20):
        finish(world, named(number), *BEGINNING, piece, *ENDING)
    alive = [number for number in range(20) if known(world, named(number))]
    assert alive == list(range(20 - len(alive), 20))
    # Each is 1,000 bytes of text in its events, and what is around them.
    assert 3 <= len(alive) <= 4
    assert world.health() == {"running": 0, "finished": len(alive)}


def test_a_turn_that_is_too_large_alone_is_not_kept() -> None:
    world = World(retained_bytes=10_000)
    reader = world.ask({"turn-id": TURN_ID}, stalled=True)
    world.provider.answer(*BEGINNING, text("x" * 9000), *ENDING)
    assert world.health() == {"running": 0, "finished": 0}
    assert not known(world, TURN_ID)
    # Whoever is reading it reads it to its end.
    reader.go_on()
    assert reader.text == "x" * 9000
    assert not reader.open


@pytest.mark.parametrize("stream", [True, False])
def test_a_message_counts_though_its_events_have_gone(stream: bool) -> None:  # noqa: FBT001
    """What a long turn's log has dropped is still in what stands for it, and in the answer as one."""
    pieces = [text(f"{number:05}" * 20) for number in range(100)]
    sizes = []
    for retained_bytes in (13_000, 10**6):
        world = World(log_bytes=2000, retained_bytes=retained_bytes)
        world.read(world.post({"turn-id": TURN_ID}, stream=stream))
        provider = world.provider.connect().head()
        for piece in [*BEGINNING, *pieces, *ENDING]:
            provider.send(piece)
        sizes.append(provider.exchange.retained_bytes)
        assert known(world, TURN_ID) == (retained_bytes == 10**6)
    # Its log retains 2,000 bytes at most, its text has 10,000.
    assert sizes[0] == sizes[1] > (14_000 if stream else 24_000)


def test_a_forgotten_id_is_free_again() -> None:
    world = World(retention=1.0)
    finish(world, TURN_ID)
    world.pass_time(2)
    assert world.refused("GET", f"/turns/{TURN_ID}")[0] == 404
    finish(world, TURN_ID)
    assert len(world.providers) == 2
    assert known(world, TURN_ID)


def test_what_is_forgotten_is_gone_from_memory() -> None:
    world = World(retention=1.0)
    finish(world, TURN_ID)
    turn = weakref.ref(world.provider.exchange)
    world.providers.clear()
    world.readers.clear()
    gc.collect()
    assert turn() is not None
    world.pass_time(1)
    gc.collect()
    assert turn() is None


TOOLS = [
    event
    for index in range(100)
    for event in (
        block_start(index, type="tool_use", id=f"toolu_{index}", name="look", input={}),
        delta(index, type="input_json_delta", partial_json='{"a": [[], {}, [{}]]}'),
        block_stop(index),
    )
]
REFUSAL = {
    "type": "error",
    "error": {"type": "invalid_request_error", "message": "x" * 3000, "more": [[]] * 9},
}
ENDS: dict[str, Callable[[World], object]] = {
    "completed": lambda world: world.provider.answer(*WHOLE),
    "many deltas": lambda world: world.provider.answer(*BEGINNING, *[text("abc")] * 300, *ENDING),
    "many tools": lambda world: world.provider.answer(message_start(), *TOOLS, *ENDING[1:]),
    "cut": lambda world: world.provider.connect().head().send(*BEGINNING, text("x")).cut(),
    "refused": lambda world: world.provider.connect().refuse(400, REFUSAL, x_more="y" * 5000),
    "stopped": lambda world: world.relay.close(world.now),
    "error event": lambda world: world.provider.answer(*BEGINNING, text("x"), error_event("e" * 9000)),
}


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("end", ENDS)
def test_what_a_finished_turn_takes_is_counted(end: str, stream: bool) -> None:  # noqa: FBT001
    world = World(log_bytes=20_000, retention=10**6, retained_bytes=10**9)
    turns, count = [], 20

    def run(number: int) -> RelayedTurn:
        headers = {"turn-id": named(number), "anthropic-beta": "b" * 60_000}
        world.read(world.post(headers, stream=stream))
        ENDS[end](world)
        exchange = world.provider.exchange
        world.providers.clear()
        world.readers.clear()
        return exchange

    for number in range(5):  # what is made once for all turns
        run(number)
    gc.collect()
    tracemalloc.start()
    try:
        turns = [run(5 + number) for number in range(count)]
        gc.collect()
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    counted = sum(turn.retained_bytes for turn in turns)
    assert world.health()["finished"] == 5 + count
    assert taken <= 1.1 * counted
    assert counted <= 2 * taken, "what is counted too high is forgotten too early"


def test_a_finished_turn_does_not_keep_its_request() -> None:
    """A request may be 32 MB; nobody will send it again."""
    world = World()
    finish(world, TURN_ID, padding="x" * 100_000)
    assert world.provider.turn.request.body == b""
    # It still counts as the same request.
    assert world.ask({"turn-id": TURN_ID}, padding="x" * 100_000).text == "Scattering."


def test_the_bound_of_a_message_is_the_operators_to_say() -> None:
    world = World(new_accumulator=lambda: MessageAccumulator(max_message_bytes=1000))
    reader = world.ask()
    world.provider.answer(*BEGINNING, text("x" * 100), text("y" * 2000))
    assert reader.kinds[-1] == "error"
    assert "max_message_bytes" in reader.events[-1]["error"]["message"]
