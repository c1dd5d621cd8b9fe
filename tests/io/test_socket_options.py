"""What the kernel is set to do for every socket, accepted and connected alike."""

from __future__ import annotations

import select
import socket
import sys
from collections.abc import Callable

import pytest

from sse_io.socket_options import set_client_options, set_options
from tests.io.support import Caller, Script, listener, served

linux = pytest.mark.skipif(sys.platform != "linux", reason="the options are Linux's")
OPTIONS = {
    "TCP_NODELAY": 1,
    "TCP_NOTSENT_LOWAT": 16 * 1024,
    "TCP_USER_TIMEOUT": 90_000,
    "TCP_KEEPIDLE": 30,
    "TCP_KEEPINTVL": 10,
    "TCP_KEEPCNT": 3,
}


def options_of(sock: socket.socket) -> dict[str, int]:
    return {name: sock.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in OPTIONS}


@linux
@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(60.0, 60_000), (0.0, 1), (0.25, 250), (1e12, 2**31 - 1), (float("inf"), 2**31 - 1)],
)
def test_for_how_long_a_peer_may_acknowledge_nothing(seconds: float, expected: int) -> None:
    with socket.socket() as sock:
        set_options(sock, seconds)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == expected


@linux
def test_every_socket_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[socket.socket] = []

    def remembering(
        set_all: Callable[[socket.socket, float], None],
    ) -> Callable[[socket.socket, float], None]:
        def remember(sock: socket.socket, max_silence: float) -> None:
            set_all(sock, max_silence)
            seen.append(sock)

        return remember

    monkeypatch.setattr("sse_io.readiness_loop.set_options", remembering(set_options))
    monkeypatch.setattr("sse_io.address_race.set_client_options", remembering(set_client_options))
    with listener() as (_, endpoint), served(Caller(Script(endpoint)), max_silence=90.0) as world:
        world.client()
        world.until(lambda: len(seen) == 2)
        for sock in seen:
            assert not sock.getblocking()
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert options_of(sock) == OPTIONS


def send_for(sock: socket.socket, patience: float) -> int:
    """How many bytes go out until there has been no room for so many seconds."""
    sent = 0
    while select.select([], [sock], [], patience)[1]:
        sent += sock.send(bytes(64 * 1024))
    return sent


@linux
def test_what_a_peer_can_send_while_nobody_reads() -> None:
    """The kernel's default grows to megabytes: for so long a paused provider would go on writing."""
    with listener() as (server, endpoint), socket.socket() as sock:
        set_client_options(sock)
        sock.settimeout(5.0)
        sock.connect((endpoint.host, endpoint.port))
        with server.accept()[0] as peer:
            peer.settimeout(0)
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, 1)
            for _ in range(300):  # as long as somebody reads, the kernel offers more and more
                send_for(peer, 0.0)
                sock.recv(1024 * 1024)
            sent = send_for(peer, 0.2)
            assert 32 * 1024 < sent < 256 * 1024


def test_a_platform_that_has_not_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TCP_USER_TIMEOUT", "TCP_NOTSENT_LOWAT", "TCP_KEEPIDLE"):
        monkeypatch.delattr(socket, name, raising=False)
    with socket.socket() as sock:
        set_options(sock)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_unix_socket_has_none_of_tcps() -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        set_client_options(sock)
        assert not sock.getblocking()
