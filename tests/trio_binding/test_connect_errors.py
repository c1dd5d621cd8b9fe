"""Why a connection could not be made: the words for it, and what another attempt may mend."""

from __future__ import annotations

import errno
import os
import socket
import ssl

import pytest
import trio

import sse_trio
from sse_core.blocks import BlockEvent, StreamError
from sse_core.errors import TransportError
from sse_core.lifecycle import Outcome, RetryPolicy, Upstream
from tests.trio_binding.conftest import Certificates
from tests.trio_binding.support import BODY, Feeds, listening, read_head, serving

QUICK = RetryPolicy(initial_delay=0.01)


async def fails(url: str, tls: ssl.SSLContext | None = None) -> tuple[StreamError, int]:
    """How a turn fails, and after how many attempts."""
    events: list[BlockEvent] = []
    with trio.fail_after(5):
        async with sse_trio.stream_turn(Upstream(url, retry=QUICK), BODY, tls=tls) as turn:
            events += [event async for event in turn]
    assert turn.outcome is Outcome.FAILED
    [error] = events
    assert isinstance(error, StreamError)
    return error, turn.attempts


class TestTurns:
    async def test_a_refused_certificate_is_told_at_once(self, certificates: Certificates) -> None:
        async with serving(Feeds(), tls=certificates.server) as server:
            error, attempts = await fails(server.url)
        assert "certificate is refused" in error.message
        assert (attempts, error.retryable) == (1, False)

    async def test_so_is_plain_http_behind_https(self, certificates: Certificates) -> None:
        async with serving(Feeds()) as server:
            error, attempts = await fails(server.url.replace("http:", "https:"), certificates.client)
        assert "TLS failed" in error.message
        assert (attempts, error.retryable) == (1, False)

    async def test_and_what_speaks_another_protocol(self) -> None:
        async def peer(stream: trio.SocketStream) -> None:
            await read_head(stream)
            await stream.send_all(b"SSH-2.0-OpenSSH_9.6\r\n")

        async with listening(peer) as server:
            error, attempts = await fails(server.url)
        assert "not valid HTTP/1.1" in error.message
        assert "SSH" not in error.message
        assert (attempts, error.retryable) == (1, False)

    @pytest.mark.parametrize("host", ["a..b", "x" * 70])
    async def test_and_a_host_that_is_no_name(self, host: str) -> None:
        error, attempts = await fails(f"http://{host}/")
        assert "not a name" in error.message
        assert (attempts, error.retryable) == (1, False)

    async def test_a_refused_connection_names_host_and_port_and_is_tried_again(self) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            port = unused.getsockname()[1]
            error, attempts = await fails(f"http://127.0.0.1:{port}/v1/messages?key=s3cret")
        assert f"the connection to 127.0.0.1:{port} could not be made: {os.strerror(errno.ECONNREFUSED)}" in (
            error.message
        )
        assert "s3cret" not in error.message
        assert (attempts, error.retryable) == (3, True)

    async def test_a_connection_that_is_closed_amid_the_handshake_is_tried_again(
        self, certificates: Certificates
    ) -> None:
        async def peer(stream: trio.SocketStream) -> None:
            await stream.receive_some(10)

        async with listening(peer) as server:
            url = server.url.replace("http:", "https:")
            error, attempts = await fails(url, certificates.client)
        assert (attempts, error.retryable) == (3, True)


async def test_a_source_is_told_too(certificates: Certificates) -> None:
    async with serving(Feeds(), tls=certificates.server) as server:
        async with sse_trio.connect(server.url, retry=QUICK) as source:
            with pytest.raises(TransportError, match="certificate is refused"):
                await anext(source)
        assert source.reconnects == 0
