"""``serve`` that is cancelled: readers are told the end before their connections are closed."""

# ruff: noqa: ARG001  (the face of a handler has a request)

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from sse_http import Reply, Request, StreamState
from tests.trio_binding.conftest import Certificates
from tests.trio_binding.support import GET, Feed, Feeds, client_of, events_of, serving

#: Much more than a test takes: a server that waits until it is over is seen.
GRACE = 20.0


async def tick(request: Request) -> AsyncIterator[str]:
    yield "tick"
    await trio.sleep_forever()


class LastWords(Feeds):
    """An application that has something to say in the end."""

    def close(self, now: float) -> None:
        super().close(now)
        for feed in self.streams:
            feed.send(b"data: the end\n\n")
            feed.end(StreamState.FINISHED)


async def test_a_handlers_stream_ends_properly() -> None:
    async with serving(tick, grace=GRACE) as server, client_of(server, GET % b"") as client:
        await client.read_until(b"tick")
        began = trio.current_time()
        server.scope.cancel()
        with trio.CancelScope(shield=True):
            answer = await client.read_all()
    assert trio.current_time() < began + GRACE, "it waits for nobody who is served"
    assert answer.endswith(b"\r\n0\r\n\r\n")
    assert events_of(answer) == ["tick"]


async def test_a_handler_without_an_answer_gives_a_status() -> None:
    began = trio.Event()

    async def undecided(request: Request) -> Reply:
        began.set()
        await trio.sleep_forever()
        raise AssertionError

    async with serving(undecided) as server, client_of(server, GET % b"") as client:
        await began.wait()
        server.scope.cancel()
        with trio.fail_after(GRACE, shield=True):
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
            with trio.fail_after(GRACE, shield=True):
                async for data in stream:
                    received += bytes(data)
    assert received.endswith(b"0\r\n\r\n")
    assert events_of(received) == ["the end"]


async def test_idle_connections_keep_nobody_waiting() -> None:
    feeds = Feeds(lambda _: Reply(200, body=b"whole"))
    async with serving(feeds, grace=GRACE) as server, client_of(server, GET % b"") as client:
        answer = await client.read_until(b"whole")
        began = trio.current_time()
        server.scope.cancel()
        with trio.CancelScope(shield=True):
            assert await client.read_all() == answer
    assert trio.current_time() < began + GRACE


async def test_who_has_no_end_is_cut_when_the_time_is_over() -> None:
    feed = Feed()
    async with serving(Feeds(lambda _: feed), grace=0.1) as server, client_of(server, GET % b"") as client:
        await client.read_until(b"\r\n\r\n")
        server.scope.cancel()
        began = trio.current_time()
        with trio.fail_after(GRACE, shield=True):
            answer = await client.read_all()
        assert trio.current_time() - began >= 0.1, "and not before"
    assert not answer.endswith(b"0\r\n\r\n"), "what was cut must not look whole"
    assert feed.closed.is_set()


async def test_nobody_new_is_let_in() -> None:
    feed = Feed()
    async with serving(Feeds(lambda _: feed), grace=GRACE) as server, client_of(server, GET % b"") as client:
        await client.read_until(b"\r\n\r\n")
        server.scope.cancel()
        with trio.fail_after(GRACE, shield=True):
            await wait_all_tasks_blocked()
            with pytest.raises(OSError, match="failed"):
                await trio.open_tcp_stream(server.host, server.port)
            feed.end()
            assert (await client.read_all()).endswith(b"0\r\n\r\n"), "who is in is served to the end"
