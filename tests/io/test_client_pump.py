"""One exchange's pump, by itself: what a client with one socket calls."""

from __future__ import annotations

import contextlib
import math
import socket
import ssl
from collections.abc import Iterator

import pytest

from sse_core.errors import TransportError
from sse_core.lifecycle.machine import Want
from sse_http import Endpoint, ForwardProxy
from sse_io.client_pump import ClientPump
from sse_io.owner import READ, WRITE
from tests.io.support import Script

PLAIN = Endpoint("localhost", 80)
SECURE = Endpoint("localhost", 443, tls=True)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two connected sockets: the pump's, and its peer's."""
    ours, theirs = socket.socketpair()
    for sock in (ours, theirs):
        sock.settimeout(0)
    with ours, theirs:
        yield ours, theirs


def pump_of(script: Script) -> tuple[ClientPump, list[socket.socket]]:
    """A pump, and the sockets that it lets go of."""
    gone: list[socket.socket] = []
    return ClientPump(script, tls=ssl.create_default_context, let_go=gone.append), gone


def test_it_says_what_to_watch_for(pair: tuple[socket.socket, socket.socket]) -> None:
    script = Script(PLAIN, b"x" * 5_000_000)
    pump, gone = pump_of(script)
    assert (pump.sock, pump.interest, pump.deadline) == (None, 0, math.inf)
    assert pump.endpoint(0.0) == PLAIN
    assert pump.want is Want.CONNECT
    pump.opened(pair[0], 0.0)
    assert pump.sock is pair[0]
    assert pump.endpoint(0.0) is None
    assert pump.interest == READ | WRITE
    script.want = Want.PAUSE
    assert pump.interest == WRITE
    while pump.interest & WRITE:
        with contextlib.suppress(BlockingIOError):
            pair[1].recv(1_000_000)
        pump.ready(WRITE, 0.0)
    assert pump.interest == 0
    script.want = Want.NOTHING
    pump.obey(0.0)
    assert gone == [pair[0]]
    assert pump.interest == 0
    pump.obey(0.0)
    pump.close()
    assert len(gone) == 1


def test_what_has_come_is_passed_on(pair: tuple[socket.socket, socket.socket]) -> None:
    script = Script(PLAIN)
    pump, _ = pump_of(script)
    assert not pump.receive(0.0)
    pump.opened(pair[0], 0.0)
    assert not pump.receive(0.0)
    assert pair[1].recv(100) == b"hello"
    pair[1].send(b"answer")
    assert pump.receive(0.0)
    assert script.received == b"answer"
    pair[1].close()
    assert pump.receive(0.0)
    assert script.want is Want.CLOSE
    pump.ready(READ | WRITE, 0.0)
    pump.obey(0.0)
    assert script.happened == ["connected", "received", "eof", "eof", "closed"]
    pump.ready(READ | WRITE, 0.0)  # whoever waited for a socket that is closed is woken, too


def test_a_connection_that_nobody_wants_any_more_is_closed(pair: tuple[socket.socket, socket.socket]) -> None:
    script = Script(PLAIN)
    pump, _ = pump_of(script)
    assert pump.endpoint(0.0) is not None
    script.want = Want.WAIT
    pump.opened(pair[0], 0.0)
    assert pair[0].fileno() == -1
    assert script.happened == []


def test_a_deadline_that_something_put_off_in_time(pair: tuple[socket.socket, socket.socket]) -> None:
    script = Script(PLAIN)
    pump, _ = pump_of(script)
    pump.opened(pair[0], 0.0)
    script.deadline = 5.0
    assert pump.deadline == 5.0
    pump.due(4.0)
    assert script.happened == ["connected"]
    pump.due(5.0)
    assert script.happened == ["connected", "timeout"]


class TestHandshake:
    def test_a_peer_that_closes(self, pair: tuple[socket.socket, socket.socket]) -> None:
        script = Script(SECURE)
        pump, _ = pump_of(script)
        pump.endpoint(0.0)
        pump.opened(pair[0], 0.0)
        assert pump.interest == READ
        assert not pump.receive(0.0)
        assert pair[1].recv(10_000)
        pair[1].close()
        assert pump.receive(0.0)
        assert isinstance(pump.problem, TransportError)
        assert "TLS failed" in str(pump.problem)
        assert script.want is Want.NOTHING

    def test_a_peer_that_has_gone_before(self, pair: tuple[socket.socket, socket.socket]) -> None:
        script = Script(SECURE)
        script.after["lost"] = Want.CONNECT
        pump, gone = pump_of(script)
        pump.endpoint(0.0)
        pair[1].close()
        pump.opened(pair[0], 0.0)
        assert script.happened == ["lost: sending failed: Broken pipe, True"]
        assert gone == [pair[0]]
        assert pump.problem is not None
        assert pump.endpoint(0.0) == SECURE
        assert pump.problem is None, "that is another connection's"

    def test_amid_it_a_piece_is_no_answer(self, pair: tuple[socket.socket, socket.socket]) -> None:
        script = Script(SECURE)
        pump, _ = pump_of(script)
        pump.endpoint(0.0)
        pump.opened(pair[0], 0.0)
        pair[1].send(b"\x16\x03\x03")
        assert pump.receive(0.0)
        assert script.happened == []
        assert pump.interest == READ
        script.want = Want.WAIT
        pump.obey(0.0)
        assert pump.sock is None


class TestForwardProxy:
    def proxied(self, url: str, *, tls: bool, host: str = "127.0.0.1") -> Endpoint:
        return Endpoint(host, 443 if tls else 80, tls=tls, proxy=ForwardProxy.parse(url))

    @pytest.mark.parametrize("tls", [False, True])
    @pytest.mark.parametrize("secure", [False, True])
    def test_it_is_what_is_connected_to(self, *, tls: bool, secure: bool) -> None:
        pump, _ = pump_of(Script(self.proxied(f"http{'s' * secure}://127.0.0.2:3128", tls=tls)))
        assert pump.endpoint(0.0) == Endpoint("127.0.0.2", 3128, tls=secure)

    def test_without_tls_the_request_is_the_proxys(self, pair: tuple[socket.socket, socket.socket]) -> None:
        script = Script(self.proxied("http://proxy.test", tls=False))
        pump, _ = pump_of(script)
        assert pump.endpoint(0.0)
        pump.opened(pair[0], 0.0)
        assert script.happened == ["connected"]
        assert pair[1].recv(65536) == b"hello"

    def test_a_tunnel_comes_before_tls(self, pair: tuple[socket.socket, socket.socket]) -> None:
        script = Script(self.proxied("http://proxy.test", tls=True))
        pump, _ = pump_of(script)
        assert pump.endpoint(0.0)
        pump.opened(pair[0], 0.0)
        assert pair[1].recv(65536).startswith(b"CONNECT 127.0.0.1:443 HTTP/1.1\r\n")
        assert (script.happened, pump.interest) == ([], READ)
        pair[1].send(b"HTTP/1.1 200 OK\r\n\r\n")
        assert pump.receive(0.0)
        assert pair[1].recv(65536)[:1] == b"\x16", "a record of TLS's handshake"
        assert (script.happened, pump.interest) == ([], READ)

    def test_one_that_cannot_be_used(self) -> None:
        class Unusable(Script):
            @property
            def target(self) -> Endpoint:
                raise TransportError("https_proxy is none", retryable=False)

            @target.setter
            def target(self, endpoint: Endpoint) -> None:
                """It has none."""

        script = Unusable(PLAIN)
        pump, _ = pump_of(script)
        assert pump.endpoint(0.0) is None
        assert script.happened == ["lost: https_proxy is none, False"]

    def test_a_tunnel_that_is_refused(self, pair: tuple[socket.socket, socket.socket]) -> None:
        script = Script(self.proxied("http://proxy.test", tls=True))
        pump, gone = pump_of(script)
        assert pump.endpoint(0.0)
        pump.opened(pair[0], 0.0)
        pair[1].send(b"HTTP/1.1 403 No\r\n\r\n")
        pump.receive(0.0)
        assert script.happened == ["lost: the tunnel is refused with status 403 (Forbidden), False"]
        assert gone == [pair[0]]
