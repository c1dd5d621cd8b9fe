"""Finished turns stay readable for a while, within a bound of time and one of bytes; then they are gone."""

from __future__ import annotations

import gc
import weakref
from typing import Any

from sse_core.blocks import MessageAccumulator
from tests.relay.support import BEGINNING, ENDING, JSON, TURN_ID, WHOLE, World, text


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
    world = World(retained_bytes=10_000)
    for number in range(20):
        finish(world, named(number), *BEGINNING, piece, *ENDING)
    alive = [number for number in range(20) if known(world, named(number))]
    assert alive == list(range(20 - len(alive), 20))
    # Each is 1,000 bytes of text twice, in its events and in its message, and what is around them.
    assert 2 <= len(alive) <= 4
    assert world.health() == {"running": 0, "finished": len(alive)}


def test_a_turn_that_is_too_large_alone_is_not_kept() -> None:
    world = World(retained_bytes=1000)
    reader = world.ask({"turn-id": TURN_ID}, stalled=True)
    world.provider.answer(*BEGINNING, text("x" * 5000), *ENDING)
    assert world.health() == {"running": 0, "finished": 0}
    assert not known(world, TURN_ID)
    # Whoever is reading it reads it to its end.
    reader.go_on()
    assert reader.text == "x" * 5000
    assert not reader.open


def test_a_message_counts_though_its_events_have_gone() -> None:
    """What a long turn's log has dropped is still in its message."""
    pieces = [text(f"{number:05}" * 20) for number in range(100)]
    world = World(log_bytes=2000, retained_bytes=10_000)
    finish(world, TURN_ID, *BEGINNING, *pieces, *ENDING)
    # Its log retains 2,000 bytes at most, its message 10,000.
    assert not known(world, TURN_ID)


def test_a_forgotten_id_is_free_again() -> None:
    world = World(retention=1.0)
    finish(world, TURN_ID)
    world.pass_time(2)
    assert world.refused("GET", f"/turns/{TURN_ID}")[0] == 404
    assert world.refused("DELETE", f"/turns/{TURN_ID}")[0] == 404
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
