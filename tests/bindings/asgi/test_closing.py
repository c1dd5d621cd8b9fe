"""A response's iterator is closed in whatever state it is, and what it raises is its own."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import pytest

from sse_asgi import EventStreamResponse
from tests.bindings.asgi.server import Connection, answering, scope_of, whole_answer

Run = Callable[..., Any]


class Nested:
    """Events that are given within a scope of the iterator's own, as nobody should."""

    def __init__(self, within: str, event: str) -> None:
        self.closed = False
        self._within = within
        self._event = event

    async def events(self) -> AsyncIterator[str]:
        try:
            if self._within == "a scope":
                with anyio.move_on_after(1000):
                    while True:
                        yield self._event
                        await self._wait()
            else:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(anyio.sleep_forever)
                    while True:
                        yield self._event
                        await self._wait()
        finally:
            self.closed = True

    async def _wait(self) -> None:
        if len(self._event) < 100:
            await anyio.sleep_forever()


@pytest.mark.parametrize("within", ["a scope", "a group"])
@pytest.mark.parametrize(
    ("event", "room"), [("x", float("inf")), ("x" * 1000, 3)], ids=["waiting", "blocked"]
)
def test_a_scope_of_its_own_around_a_yield(run: Run, within: str, event: str, room: float) -> None:
    nested = Nested(within, event)

    async def play() -> Connection:
        connection = Connection(scope_of(), room=room)
        response = EventStreamResponse(nested.events(), max_log_bytes=5000)
        async with answering(response, connection):
            await connection.until(lambda: len(connection.sent) > 1)
            await anyio.sleep(0.01)
            connection.leave()
            with anyio.fail_after(1):
                await connection.ended.wait()
        return connection

    assert run(play).error is None
    assert nested.closed


class SlowlyClosed:
    """An iterator that is no generator, and whose ``aclose`` takes too long."""

    def __init__(self, end: BaseException) -> None:
        self._items: list[str | BaseException] = ["x", end]

    def __aiter__(self) -> SlowlyClosed:
        return self

    async def __anext__(self) -> str:
        item = self._items.pop(0)
        if isinstance(item, BaseException):
            raise item
        return item

    async def aclose(self) -> None:
        await anyio.sleep(5)


@pytest.mark.parametrize("end", [StopAsyncIteration(), ValueError("its own")], ids=repr)
def test_one_that_is_not_closed_in_time_ends_as_it_did(
    run: Run, end: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async def play() -> Connection:
        response = EventStreamResponse(SlowlyClosed(end), cleanup_timeout=0.02)
        return await whole_answer(response, Connection(scope_of()))

    connection = run(play)
    assert connection.data == ["x"]
    assert connection.whole is isinstance(end, StopAsyncIteration)
    assert connection.error is (None if connection.whole else end)
    assert "was not closed within 0.02 s" in caplog.text


def test_one_that_would_end_the_program_is_cut(run: Run) -> None:
    async def events() -> AsyncIterator[str]:
        yield "x"
        sys.exit("a secret")

    connection = Connection(scope_of())

    async def play() -> None:
        with pytest.raises(SystemExit):
            await EventStreamResponse(events())(connection.scope, connection.receive, connection.send)

    run(play)
    assert not connection.whole
