"""Calls from other threads."""

from __future__ import annotations

import threading

import pytest

from sse_io.readiness_loop import ReadinessLoop
from tests.io.support import served


def test_they_are_made_in_the_loop_and_in_order() -> None:
    made: list[tuple[int, bool]] = []
    main = threading.get_ident()
    with served() as world:

        def call_often() -> None:
            for number in range(1000):
                world.loop.call_soon_threadsafe(
                    lambda number=number: made.append((number, threading.get_ident() == main))  # type: ignore[misc]
                )

        thread = threading.Thread(target=call_often)
        thread.start()
        world.until(lambda: len(made) == 1000)
        thread.join()
    assert made == [(number, True) for number in range(1000)]


def test_a_call_that_calls_again_does_not_keep_others_waiting() -> None:
    made = []
    with served() as world:

        def again() -> None:
            made.append(1)
            if len(made) < 5:
                world.loop.call_soon_threadsafe(again)

        world.loop.call_soon_threadsafe(again)
        world.loop.step(world.host.time)
        assert len(made) == 1
        world.until(lambda: len(made) == 5)


def test_more_calls_than_the_pair_has_room_for_bytes() -> None:
    made: list[int] = []
    with served() as world:
        for number in range(3_000):
            world.loop.call_soon_threadsafe(lambda: made.append(1))
            del number
        world.until(lambda: len(made) == 3_000)


def test_a_mistake_in_one_is_no_others() -> None:
    made: list[int] = []
    with served() as world:
        world.loop.call_soon_threadsafe(lambda: made.remove(2))
        world.loop.call_soon_threadsafe(lambda: made.append(1))
        world.until(lambda: made)
        assert [type(error) for error in world.errors] == [ValueError]


def test_there_are_none_after_the_end() -> None:
    with served() as world:
        pass
    with pytest.raises(RuntimeError, match="closed"):
        world.loop.call_soon_threadsafe(lambda: None)


def test_a_loop_that_is_closed_meanwhile_says_so_and_nothing_else() -> None:
    """Whoever sends a byte while the sockets are closed might send it to somebody else's."""
    for _ in range(20):
        raised: list[Exception] = []
        with served() as world:
            threads = [
                threading.Thread(target=call_until_it_is_closed, args=(world.loop, raised)) for _ in range(3)
            ]
            for thread in threads:
                thread.start()
            world.loop.step(world.host.time)
        for thread in threads:
            thread.join()
        assert [type(error) for error in raised] == [RuntimeError] * 3


def call_until_it_is_closed(loop: ReadinessLoop, raised: list[Exception]) -> None:
    try:
        while True:
            loop.call_soon_threadsafe(nothing)
    except Exception as error:  # noqa: BLE001  (which one it is, is what the test looks at)
        raised.append(error)


def nothing() -> None:
    """What is called."""
