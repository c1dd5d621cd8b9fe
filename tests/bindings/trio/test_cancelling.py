"""Cancel scopes, and a clock that jumps."""

from __future__ import annotations

import pytest
import trio

import sse_trio
from sse_core.blocks import StreamError
from sse_core.lifecycle import Outcome
from tests.bindings.applications import Logged, closed_log, provider
from tests.bindings.client_scenario import BODY
from tests.bindings.peers import BlackHole
from tests.bindings.test_trio import RUNNER
from tests.bindings.trio.support import serving


async def test_cancelling_is_noticed_amid_events_that_are_there() -> None:
    log = closed_log(*(f"<{number}>" for number in range(1, 101)))
    async with serving(Logged(log)) as server, sse_trio.connect(server.url) as source:
        await anext(source)
        with trio.CancelScope() as scope:
            scope.cancel()
            await anext(source)
        assert scope.cancelled_caught
        assert (await anext(source)).data == "<2>"


async def test_and_amid_those_of_a_turn() -> None:
    async with (
        serving(provider(RUNNER)) as server,
        sse_trio.stream_turn(server.url + "v1/messages", BODY) as turn,
    ):
        await anext(turn)
        with trio.CancelScope() as scope:
            scope.cancel()
            await anext(turn)
        assert scope.cancelled_caught
        async for _ in turn:
            pass
    assert turn.outcome is Outcome.COMPLETED


async def test_a_provider_that_never_answers_the_first_packet(
    autojump_clock: trio.testing.MockClock,  # noqa: ARG001  (pytest-trio wants it here)
) -> None:
    """With the defaults: three attempts of 10 s, and back-off between them, by a clock that jumps."""
    with BlackHole().running(RUNNER, {}) as nobody:
        began = trio.current_time()
        async with sse_trio.stream_turn(nobody.url, BODY) as turn:
            [error] = [event async for event in turn]
    assert isinstance(error, StreamError)
    assert error.message == "The provider could not be reached in time."
    assert turn.outcome is Outcome.EXPIRED
    assert turn.attempts == 3
    # 0.375 to 0.5 s of back-off before the second attempt, 0.75 to 1 s before the third.
    assert trio.current_time() - began == pytest.approx(31.3125, abs=0.1875)
