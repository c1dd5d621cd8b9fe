"""A stop that overtakes its turn: a large request takes its time, a DELETE beside it takes none."""

from __future__ import annotations

import pytest

from sse_core.lifecycle import Outcome
from sse_relay.early_stops import EarlyStops
from sse_relay.relay import EARLY_STOP_SECONDS
from tests.relay.support import TURN_ID, WHOLE, World, error_of

NAMED = {"turn-id": TURN_ID}
OTHER = {**NAMED, "x-api-key": "somebody-else"}


def test_a_turn_that_was_stopped_before_it_came_does_not_run() -> None:
    world = World()
    status, error = world.refused("DELETE", f"/turns/{TURN_ID}")
    assert status == 404
    assert "will not run" in error["message"]
    reader = world.ask(NAMED)
    assert world.provider.want == "nothing"
    assert reader.kinds == ["error"]
    assert reader.events[0]["outcome"] == "stopped"
    assert not reader.open
    # It is a turn like any that was stopped.
    assert world.stop(TURN_ID) == "stopped"
    assert world.ask(NAMED).kinds == ["error"]
    assert world.health() == {"running": 0, "finished": 1}


def test_who_wants_the_whole_message_gets_the_stop_too() -> None:
    world = World()
    world.refused("DELETE", f"/turns/{TURN_ID}")
    reader = world.read(world.post(NAMED, stream=False))
    assert (reader.reply.status, error_of(reader.reply)["type"]) == (410, "turn_stopped")


def test_it_is_not_remembered_for_ever() -> None:
    world = World()
    world.refused("DELETE", f"/turns/{TURN_ID}")
    world.pass_time(EARLY_STOP_SECONDS)
    world.ask(NAMED)
    assert world.provider.want == "connect"


def test_nobody_stops_a_turn_of_somebody_else() -> None:
    world = World()
    world.refused("DELETE", f"/turns/{TURN_ID}", OTHER)
    world.ask(NAMED)
    world.provider.answer(*WHOLE)
    assert world.provider.turn.outcome is Outcome.COMPLETED


@pytest.mark.parametrize("name", ["", "short", "x" * 65, "a/turn/with/a/path"])
def test_what_is_no_name_of_a_turn_is_not_remembered(name: str) -> None:
    _, error = World().refused("DELETE", f"/turns/{name}")
    assert "will not run" not in error["message"]


def test_what_is_remembered_is_bounded() -> None:
    stops = EarlyStops(seconds=10.0, per_owner=3, total=5)
    for number in range(4):
        stops.remember(b"one", str(number), 0.0)
    assert [stops.take(b"one", str(number), 1.0) for number in range(4)] == [False, True, True, True]
    for number in range(6):
        stops.remember(b"%d" % number, "x", 0.0)
    assert [stops.take(b"%d" % number, "x", 1.0) for number in range(6)] == [False] + 5 * [True]


def test_a_stop_that_is_repeated_counts_from_the_last_one() -> None:
    stops = EarlyStops(seconds=10.0)
    stops.remember(b"one", "x", 0.0)
    stops.remember(b"one", "x", 5.0)
    assert stops.take(b"one", "x", 14.9)
    assert not stops.take(b"one", "x", 14.9)
