"""``serve`` that is cancelled: readers are told the end before their connections are closed."""

# ruff: noqa: ARG001  (the face of a handler has a request)

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest
import trio

from sse_http import Reply, Request, StreamState
from tests.trio_binding.conftest import Certificates
from tests.trio_binding.support import GET, Feed, Feeds, client_of, events_of, serving


async def ticks(request: Request) -> AsyncIterator[str]:
    while True:
        yield "tick"
        await trio.sleep(0.01)


async def undecided(request: Request) -> Reply:
    await trio.sleep_forever()
    raise AssertionError


class LastWords(Feeds):
    """An application that has something to say in the end."""

    def close(self, now: float) -> None:
        super().close(now)
        for feed in self.streams:
            feed.send(b"data: the end\n\n")
            feed.end(StreamState.FINISHED)


async def test_a_handlers_stream_ends_properly() -> None:
    async with serving(ticks) as server, client_of(server, GET % b"") as client:
        await client.read_until(b"tick")
        began = time.monotonic()
        server.scope.cancel()
        with trio.CancelScope(shield=True), trio.fail_after(1):
            answer = await client.read_all()
    assert answer.endswith(b"\r\n0\r\n\r\n")
    assert {*events_of(answer)} == {"tick"}
    assert time.monotonic() - began < 1, "it waits for nobody who is served"


async def test_a_handler_without_an_answer_gives_a_status() -> None:
    async with serving(undecided) as server, client_of(server, GET % b"") as client:
        await trio.sleep(0.02)
        server.scope.cancel()
        with trio.CancelScope(shield=True), trio.fail_after(1):
            answer = await client.read_all()
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after: 1" in answer
    assert b"connection: close" in answer.lower()


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_what_an_application_says_last_goes_out(certificates: Certificates, scheme: str) -> None:
    tls = certificates.server if scheme == "https" else None
    async with serving(LastWords(), tls=tls) as server:
        stream: trio.abc.Stream = await trio.open_tcp_stream(server.host, server.port)
        if tls:
            stream = trio.SSLStream(stream, certificates.client, server_hostname="localhost")
        async with stream:
            await stream.send_all(GET % b"")
            received = bytes(await stream.receive_some())
            server.scope.cancel()
            with trio.CancelScope(shield=True), trio.fail_after(1):
                async for data in stream:
                    received += bytes(data)
    assert received.endswith(b"0\r\n\r\n")
    assert events_of(received) == ["the end"]


async def test_idle_connections_keep_nobody_waiting() -> None:
    async with serving(Feeds()) as server, client_of(server) as client:
        await trio.sleep(0.02)
        began = time.monotonic()
        server.scope.cancel()
        with trio.CancelScope(shield=True), trio.fail_after(1):
            assert await client.read_all() == b""
    assert time.monotonic() - began < 1


async def test_who_has_no_end_is_cut_when_the_time_is_over() -> None:
    feed = Feed()
    async with serving(Feeds(lambda _: feed), grace=0.1) as server, client_of(server, GET % b"") as client:
        await client.read_until(b"\r\n\r\n")
        server.scope.cancel()
        with trio.CancelScope(shield=True), trio.fail_after(1):
            began = trio.current_time()
            answer = await client.read_all()
            assert 0.05 < trio.current_time() - began < 0.5
    assert not answer.endswith(b"0\r\n\r\n"), "what was cut must not look whole"
    assert feed.closed.is_set()


async def test_nobody_new_is_let_in() -> None:
    feed = Feed()
    async with serving(Feeds(lambda _: feed), grace=0.3) as server, client_of(server, GET % b"") as client:
        await client.read_until(b"\r\n\r\n")
        server.scope.cancel()
        with trio.CancelScope(shield=True):
            await trio.sleep(0.05)
            with pytest.raises(OSError, match="failed"):
                await trio.open_tcp_stream(server.host, server.port)
