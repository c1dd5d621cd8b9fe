"""examples/embedding/aiohttp_app.py: how it sends what was made for ASGI, for readers of every kind."""

from __future__ import annotations

import asyncio
import contextlib
import runpy
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web

from sse_asgi import EventStreamResponse
from tests.example_programs.program import EXAMPLES, PATIENCE

#: What the buffers of kernel, aiohttp and log together don't hold.
TOO_MUCH = 24 * 1024 * 1024
TEXT = "x" * 64 * 1024


@contextlib.asynccontextmanager
async def answer_of(
    new_response: Callable[[], EventStreamResponse], *, cancels: bool = True
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection on which that has been asked for."""
    send_events = runpy.run_path(str(EXAMPLES / "embedding" / "aiohttp_app.py"))["send_events"]

    async def endpoint(request: web.Request) -> Any:
        return await send_events(request, new_response())

    app = web.Application()
    app.add_routes([web.get("/", endpoint)])
    runner = web.AppRunner(app, handler_cancellation=cancels)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    reader, writer = await asyncio.open_connection(*runner.addresses[0][:2])
    writer.write(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    try:
        yield reader, writer
    finally:
        writer.close()
        await runner.cleanup()


class Flood:
    """Events that never wait, for who takes them."""

    def __init__(self) -> None:
        self.made = 0
        self.closed = asyncio.Event()

    async def events(self) -> AsyncIterator[str]:
        try:
            while True:
                self.made += len(TEXT)
                yield TEXT
        finally:
            self.closed.set()

    async def pause(self) -> None:
        """Wait until no more are made."""
        before = -1
        while before != self.made:
            assert self.made < TOO_MUCH
            before = self.made
            await asyncio.sleep(0.3)


@pytest.mark.parametrize("cancels", [True, False])
def test_a_reader_that_takes_nothing_pauses_the_iterator_until_it_leaves(*, cancels: bool) -> None:
    """Where aiohttp cancels nothing, it is seen because nothing can be written any more."""

    async def play() -> None:
        flood = Flood()
        response = EventStreamResponse(flood.events())
        async with answer_of(lambda: response, cancels=cancels) as (_, writer):
            await flood.pause()
            assert not flood.closed.is_set()
            writer.transport.abort()
            await asyncio.wait_for(flood.closed.wait(), PATIENCE)

    asyncio.run(play())


def test_an_iterator_that_waits_is_closed_when_its_reader_leaves() -> None:
    closed = asyncio.Event()

    async def events() -> AsyncIterator[str]:
        try:
            yield "one"
            await asyncio.Event().wait()
        finally:
            closed.set()

    async def play() -> None:
        async with answer_of(lambda: EventStreamResponse(events())) as (reader, writer):
            await asyncio.wait_for(reader.readuntil(b"data: one"), PATIENCE)
            writer.close()
            await asyncio.wait_for(closed.wait(), PATIENCE)

    asyncio.run(play())


def test_a_reader_that_takes_nothing_is_given_up_in_the_end() -> None:
    async def play() -> None:
        flood = Flood()
        async with answer_of(lambda: EventStreamResponse(flood.events(), stall=0.5)) as (reader, _):
            await asyncio.wait_for(flood.closed.wait(), PATIENCE)
            said = b""
            with contextlib.suppress(ConnectionError):  # a cut may be a reset
                while data := await asyncio.wait_for(reader.read(65536), PATIENCE):
                    said = data
            assert not said.endswith(b"0\r\n\r\n")  # it doesn't look whole

    asyncio.run(play())


@pytest.mark.parametrize(("before", "status"), [(0, b"500"), (1, b"200")])
def test_what_an_iterator_raises_is_a_status_or_a_cut(before: int, status: bytes) -> None:
    async def events() -> AsyncIterator[str]:
        for number in range(before):
            yield str(number)
        raise KeyError(before)

    async def play() -> bytes:
        async with answer_of(lambda: EventStreamResponse(events())) as (reader, _):
            return await asyncio.wait_for(reader.read(), PATIENCE)

    said = asyncio.run(play())
    assert said.split()[1] == status
    assert (b"data: 0\n" in said) == (before == 1)
    assert not said.endswith(b"0\r\n\r\n")
