"""TLS, on both sides, with peers that have it and peers that have not."""

from __future__ import annotations

import os
import select
import ssl

import pytest
import trio
import trustme

import sse_trio
from sse_core.blocks import StreamError
from sse_core.errors import TransportError
from sse_core.lifecycle import NO_RETRY, Outcome, RetryPolicy, Upstream
from sse_http import Reply, Request, ServerSettings
from tests.trio_binding.conftest import Certificates
from tests.trio_binding.support import (
    BODY,
    GET,
    Asking,
    Feeds,
    Logged,
    Server,
    client_of,
    eventually,
    numbered_log,
    provider,
    serving,
    turn_to,
)
from tests.trio_binding.test_serve import hello

ONCE = RetryPolicy(max_attempts=1)
FAST = {"tokens": 20, "rate": 0, "ttft": 0}


async def tls_stream(server: Server, certificates: Certificates) -> trio.SSLStream[trio.SocketStream]:
    tcp = await trio.open_tcp_stream(server.host, server.port)
    return trio.SSLStream(tcp, certificates.client, server_hostname="localhost", https_compatible=True)


class TestUpstreams:
    async def test_a_private_authority(self, certificates: Certificates) -> None:
        async with serving(provider(**FAST), tls=certificates.server) as server:
            url = server.url + "v1/messages"
            async with sse_trio.stream_turn(url, BODY, tls=certificates.client) as turn:
                async for _ in turn:
                    pass
        assert turn.outcome is Outcome.COMPLETED

    async def test_the_applications_own(self, certificates: Certificates) -> None:
        async with serving(provider(**FAST), tls=certificates.server) as upstream:
            turn = turn_to(upstream.url + "v1/messages")
            asking = Asking(turn)
            async with serving(asking, upstream_tls=certificates.client):
                asking.ask()
                await eventually(lambda: turn.outcome)
        assert turn.outcome is Outcome.COMPLETED

    @pytest.mark.usefixtures("no_leak")
    async def test_a_stranger_is_refused(self, certificates: Certificates) -> None:
        stranger = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trustme.CA().configure_trust(stranger)
        async with serving(Feeds(), tls=certificates.server) as server:
            async with sse_trio.connect(server.url, tls=stranger, retry=NO_RETRY) as source:
                with pytest.raises(TransportError, match=r"certificate is refused: .*issuer"):
                    await anext(source)
            upstream = Upstream(server.url, retry=ONCE)
            async with sse_trio.stream_turn(upstream, BODY, tls=stranger) as turn:
                [error] = [event async for event in turn]
        assert isinstance(error, StreamError)
        assert "certificate is refused" in error.message
        assert turn.outcome is Outcome.FAILED

    @pytest.mark.usefixtures("no_leak")
    async def test_another_hosts_certificate_is_refused(self, certificates: Certificates) -> None:
        async with (
            serving(Feeds(), tls=certificates.other_name) as server,
            sse_trio.connect(server.url, tls=certificates.client, retry=NO_RETRY) as source,
        ):
            with pytest.raises(TransportError, match=r"mismatch.*127\.0\.0\.1"):
                await anext(source)

    async def test_the_systems_authorities_are_the_default(self, certificates: Certificates) -> None:
        async with (
            serving(Feeds(), tls=certificates.server) as server,
            sse_trio.connect(server.url, retry=NO_RETRY) as source,
        ):
            with pytest.raises(TransportError, match="certificate is refused"):
                await anext(source)

    @pytest.mark.usefixtures("no_leak")
    async def test_a_server_without_tls(self) -> None:
        async with serving(Feeds(hello)) as server:
            url = server.url.replace("http:", "https:")
            async with sse_trio.connect(url, retry=NO_RETRY) as source:
                with trio.fail_after(1), pytest.raises(TransportError, match="TLS"):
                    await anext(source)


class TestServer:
    @pytest.mark.usefixtures("no_leak")
    async def test_a_client_without_tls(self, certificates: Certificates) -> None:
        async with serving(Feeds(hello), tls=certificates.server) as server:
            async with client_of(server, GET % b"") as client:
                with trio.fail_after(1):
                    assert b"HTTP" not in await client.read_all()
            plain = server.url.replace("https:", "http:")
            async with sse_trio.connect(plain, retry=NO_RETRY) as source:
                with trio.fail_after(1), pytest.raises(TransportError):
                    await anext(source)
            stream = await tls_stream(server, certificates)
            async with stream:
                await stream.send_all(GET % b"")
                assert bytes(await stream.receive_some()).startswith(b"HTTP/1.1 200 ")

    async def test_a_client_that_never_shakes_hands(self, certificates: Certificates) -> None:
        settings = ServerSettings(keep_alive_timeout=0.05)
        async with serving(Feeds(), tls=certificates.server, settings=settings) as server:
            for first in (b"", b"\x16\x03\x01\x02"):
                async with client_of(server, first) as client:
                    with trio.fail_after(1):
                        assert await client.read_all() == b""

    @pytest.mark.parametrize("count", [0, 1, 20, 100, 300])
    @pytest.mark.usefixtures("no_leak")
    async def test_a_client_that_vanishes_amid_the_handshake(
        self, certificates: Certificates, count: int, caplog: pytest.LogCaptureFixture
    ) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = certificates.client.wrap_bio(incoming, outgoing, server_hostname="localhost")
        with pytest.raises(ssl.SSLWantReadError):
            tls.do_handshake()
        hello_bytes = outgoing.read()
        async with serving(Feeds(), tls=certificates.server) as server:
            async with client_of(server, hello_bytes[:count]) as client:
                await trio.sleep(0.01)
                client.reset()
            await trio.testing.wait_all_tasks_blocked(0.01)
        assert caplog.text == ""

    @pytest.mark.usefixtures("no_leak")
    async def test_garbage_amid_an_answer(
        self, certificates: Certificates, caplog: pytest.LogCaptureFixture
    ) -> None:
        feeds = Feeds()
        async with serving(feeds, tls=certificates.server) as server:
            stream = await tls_stream(server, certificates)
            await stream.send_all(GET % b"")
            await stream.receive_some()
            tcp = stream.transport_stream
            await tcp.send_all(os.urandom(100))
            with trio.fail_after(1):
                await feeds.streams[0].closed.wait()
            feeds.streams[0].waker()
            await tcp.aclose()
        assert caplog.text == ""

    async def test_a_client_that_says_goodbye(self, certificates: Certificates) -> None:
        feeds = Feeds()
        async with serving(feeds, tls=certificates.server) as server:
            tcp = await trio.open_tcp_stream(server.host, server.port)
            stream = trio.SSLStream(tcp, certificates.client, server_hostname="localhost")
            await stream.send_all(GET % b"")
            await stream.receive_some()
            with trio.fail_after(1):
                await stream.aclose()
                await feeds.streams[0].closed.wait()

    async def test_a_request_and_goodbye_in_one(self, certificates: Certificates) -> None:
        """The reader had gone before its handler could begin: it never does."""
        called = []

        async def handler(request: Request) -> Reply:
            called.append(request)
            return Reply(204)

        async with serving(handler, tls=certificates.server) as server:
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            tls = certificates.client.wrap_bio(incoming, outgoing, server_hostname="localhost")
            async with client_of(server) as client:
                with pytest.raises(ssl.SSLWantReadError):
                    tls.do_handshake()
                await client.send(outgoing.read())
                incoming.write(await client.read())
                tls.do_handshake()
                tls.write(GET % b"")
                with pytest.raises(ssl.SSLWantReadError):
                    tls.unwrap()
                await client.send(outgoing.read())
                await client.read_all()
        assert called == []

    async def test_every_byte_comes_through(self, certificates: Certificates) -> None:
        async with (
            serving(Logged(numbered_log(20_000)), tls=certificates.server) as server,
            sse_trio.connect(server.url, tls=certificates.client) as source,
        ):
            texts = [(await anext(source)).data for _ in range(20_000)]
        assert texts == [f"<{number}>" for number in range(1, 20_001)]

    async def test_bytes_are_in_the_kernel_when_the_waker_returns(self, certificates: Certificates) -> None:
        feeds = Feeds()
        async with serving(feeds, tls=certificates.server) as server:
            stream = await tls_stream(server, certificates)
            await stream.send_all(GET % b"")
            await stream.receive_some()
            await trio.testing.wait_all_tasks_blocked()
            feeds.streams[0].send(b": here\n")
            readable, _, _ = select.select([stream.transport_stream.socket.fileno()], [], [], 1)
            assert readable, "and no task has run"
            assert b": here\n" in bytes(await stream.receive_some())
            await stream.aclose()
