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
from sse_trio.connect_errors import connect_failure, tls_failure
from tests.trio_binding.conftest import Certificates
from tests.trio_binding.support import BODY, Feeds, listening, read_head, serving

QUICK = RetryPolicy(initial_delay=0.01)


def of(*causes: OSError) -> OSError:
    """What trio raises after it has tried each address of a name."""
    error = OSError("all attempts to connect to nowhere:1 failed")
    error.__cause__ = ExceptionGroup("attempts", list(causes))
    return error


REFUSED = OSError(errno.ECONNREFUSED, "refused by ('10.1.2.3', 9)")


@pytest.mark.parametrize(
    ("error", "words", "retryable"),
    [
        (of(REFUSED), "Connection refused", True),
        (
            of(REFUSED, REFUSED, OSError(errno.ENETUNREACH, "")),
            "Connection refused, Network is unreach",
            True,
        ),
        (of(OSError(errno.ECONNRESET, "")), "Connection reset", True),
        (of(OSError(errno.EHOSTUNREACH, "")), "No route to host", True),
        (of(OSError(errno.ETIMEDOUT, "")), "timed out", True),
        (of(OSError(errno.EACCES, "")), "Permission denied", False),
        (of(OSError(errno.EAFNOSUPPORT, ""), REFUSED), "not supported", True),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"), "Temporary", True),
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "Name or service not known", False),
        (UnicodeError("label too long"), "not a name that can be looked up", False),
        (OSError("odd"), "odd", True),
    ],
)
def test_what_could_not_be_made(error: OSError | UnicodeError, words: str, *, retryable: bool) -> None:
    failure = connect_failure(error)
    assert words in str(failure)
    assert "10.1.2.3" not in str(failure)
    assert failure.retryable is retryable


def test_an_error_of_no_known_kind() -> None:
    error = OSError()
    error.__cause__ = ValueError("of somebody else's")
    assert (str(connect_failure(error)), connect_failure(error).retryable) == ("connecting failed", True)


def ssl_error(reason: str, kind: type[ssl.SSLError] = ssl.SSLError) -> ssl.SSLError:
    error = kind(1, f"[SSL: {reason}]")
    error.reason = reason
    return error


@pytest.mark.parametrize(
    ("error", "is_open", "retryable"),
    [
        (ssl_error("WRONG_VERSION_NUMBER"), False, False),
        (ssl_error("TLSV1_ALERT_PROTOCOL_VERSION"), False, False),
        (ssl_error("SSLV3_ALERT_HANDSHAKE_FAILURE"), False, False),
        (ssl_error("TLSV1_ALERT_INTERNAL_ERROR"), False, True),
        (ssl_error("UNEXPECTED_EOF_WHILE_READING", ssl.SSLEOFError), False, True),
        (ssl_error("DECRYPTION_FAILED_OR_BAD_RECORD_MAC"), True, True),
    ],
)
def test_what_tls_says(error: ssl.SSLError, *, is_open: bool, retryable: bool) -> None:
    failure = tls_failure(error, is_open=is_open)
    assert str(error.reason) in str(failure)
    assert failure.retryable is retryable


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
