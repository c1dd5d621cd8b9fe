"""``connect`` is sent elsewhere, and tells of every connection that it makes again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import pairwise, repeat

import pytest
import trio

import sse_trio
from sse_core import LimitExceeded, ServerSentEvent, TransportError, encode_event
from sse_core.errors import RemoteProtocolError
from sse_core.lifecycle import Reconnect, RetryPolicy, TurnLog
from tests.trio_binding.conftest import Certificates
from tests.trio_binding.support import Cutter, Logged, answer, eventually, listening, read_head, serving

AT_ONCE = RetryPolicy(initial_delay=0.0, max_attempts=10)
TEXTS = [f"<{number}> zwölf" for number in range(6)]
SECRETS = {"authorization": "Bearer secret", "x-goog-api-key": "secret", "cookie": "a=secret"}

Peer = Callable[[trio.SocketStream], Awaitable[None]]


def story() -> TurnLog:
    log = TurnLog("story")
    for text in TEXTS:
        log.append(ServerSentEvent("message", text))
    log.close(0.0)
    return log


def redirecting(location: str, requests: list[bytes], status: str = "307 Temporary Redirect") -> Peer:
    """A server that sends everyone elsewhere, with a page for people that never ends."""

    async def peer(stream: trio.SocketStream) -> None:
        requests.append(await read_head(stream))
        head = (
            f"HTTP/1.1 {status}\r\nlocation: {location}\r\ntransfer-encoding: chunked\r\n\r\n6\r\nmoved\n\r\n"
        )
        await stream.send_all(head.encode())
        assert await stream.receive_some() == b"", "the client doesn't stay for it"

    return peer


class TestRedirects:
    async def test_to_another_server_without_a_secret(self, no_leak: None) -> None:  # noqa: ARG002
        first: list[bytes] = []
        async with (
            serving(application := Logged(story())) as target,
            listening(redirecting(target.url + "there", first)) as server,
            sse_trio.connect(server.url, headers=SECRETS, retry=AT_ONCE) as source,
        ):
            assert source.origin == server.url.rstrip("/")
            assert [(await anext(source)).data for _ in TEXTS] == TEXTS
            assert source.origin == target.url.rstrip("/")
            assert source.reconnects == 0
        assert first[0].count(b"secret") == 3
        assert application.requests[0].path == "/there"
        assert b"secret" not in repr(list(application.requests[0].headers)).encode()

    async def test_on_the_same_server_with_it(self) -> None:
        heads: list[bytes] = []

        async def peer(stream: trio.SocketStream) -> None:
            heads.append(head := await read_head(stream))
            moved = b"HTTP/1.1 301 Moved\r\nlocation: /b\r\ncontent-length: 0\r\n\r\n"
            await stream.send_all(answer(encode_event("x")) if b"GET /b " in head else moved)

        async with (
            listening(peer) as server,
            sse_trio.connect(server.url, headers=SECRETS) as source,
        ):
            assert (await anext(source)).data == "x"
        assert [head.count(b"secret") for head in heads] == [3, 3]

    async def test_to_tls(self, certificates: Certificates) -> None:
        async with (
            serving(Logged(story()), tls=certificates.server) as target,
            listening(redirecting(target.url, [], "308 Permanent Redirect")) as server,
            sse_trio.connect(server.url, tls=certificates.client) as source,
        ):
            assert (await anext(source)).data == TEXTS[0]

    async def test_a_post_becomes_a_get(self) -> None:
        async with (
            serving(application := Logged(story())) as target,
            listening(redirecting(target.url, [], "303 See Other")) as server,
            sse_trio.connect(server.url, method="POST", body=b"do it") as source,
        ):
            assert (await anext(source)).data == TEXTS[0]
        assert (application.requests[0].method, application.requests[0].body) == ("GET", b"")

    async def test_round_in_a_circle(self, no_leak: None) -> None:  # noqa: ARG002
        heads: list[bytes] = []
        async with (
            listening(redirecting("/", heads)) as server,
            sse_trio.connect(server.url, max_redirects=3) as source,
        ):
            with pytest.raises(LimitExceeded, match="max_redirects"):
                await anext(source)
        assert len(heads) == 4

    async def test_to_what_is_no_url(self) -> None:
        async with (
            listening(redirecting("file:///etc/passwd", [])) as server,
            sse_trio.connect(server.url, retry=AT_ONCE) as source,
        ):
            with pytest.raises(RemoteProtocolError, match="redirects"):
                await anext(source)

    async def test_every_connection_is_cut_and_begins_at_the_first_server(self) -> None:
        first: list[bytes] = []
        async with (
            serving(Logged(story())) as upstream,
            listening(Cutter(upstream, repeat(300))) as target,
            listening(redirecting(target.url, first)) as server,
            sse_trio.connect(server.url, retry=AT_ONCE) as source,
        ):
            assert [(await anext(source)).data for _ in TEXTS] == TEXTS
            assert len(first) == source.reconnects + 1 >= 2


class TestTold:
    async def test_of_each_reconnect_in_its_place(self) -> None:
        seen: list[str] = []
        told: list[Reconnect] = []

        def on_reconnect(reconnect: Reconnect) -> None:
            told.append(reconnect)
            seen.append(f"after {reconnect.last_event_id}")

        async with (
            serving(Logged(story())) as server,
            listening(Cutter(server, repeat(300))) as proxy,
            sse_trio.connect(proxy.url, retry=AT_ONCE, on_reconnect=on_reconnect) as source,
        ):
            for _ in TEXTS:
                event = await anext(source)
                seen.append(event.last_event_id)
            assert len(told) == source.reconnects >= 1
        events = [line for line in seen if not line.startswith("after ")]
        assert events == [f"story-{number}" for number in range(1, 7)]
        for before, line in pairwise(seen):
            assert not line.startswith("after ") or line == f"after {before.removeprefix('after ')}"
        assert all(reconnect.reason for reconnect in told)

    async def test_before_the_wait(self) -> None:
        told: list[Reconnect] = []
        patient = RetryPolicy(initial_delay=100.0, max_delay=100.0, jitter=0.0)

        async def peer(stream: trio.SocketStream) -> None:
            await read_head(stream)
            await stream.send_all(answer(encode_event("only", id="1")))

        async with (
            listening(peer) as server,
            trio.open_nursery() as nursery,
            sse_trio.connect(server.url, retry=patient, on_reconnect=told.append) as source,
        ):
            assert (await anext(source)).data == "only"
            nursery.start_soon(source.__anext__)
            await eventually(lambda: told)
            assert (told[0].delay, told[0].last_event_id, told[0].error) == (100.0, "1", None)
            assert source.reconnects == 0, "not yet"
            nursery.cancel_scope.cancel()

    async def test_who_raises_gives_up(self, no_leak: None) -> None:  # noqa: ARG002
        def enough(reconnect: Reconnect) -> None:
            if reconnect.attempt == 3:
                raise TransportError(f"gave up: {reconnect.reason}")

        heads: list[bytes] = []

        async def peer(stream: trio.SocketStream) -> None:
            heads.append(await read_head(stream))

        async with (
            listening(peer) as server,
            sse_trio.connect(server.url, retry=AT_ONCE, on_reconnect=enough) as source,
        ):
            with pytest.raises(TransportError, match=r"gave up: the connection to 127.0.0.1:\d+ was lost"):
                await anext(source)
            assert len(heads) == 2, "the third attempt is not made"
