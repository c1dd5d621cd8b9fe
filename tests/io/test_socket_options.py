"""What the kernel is set to do for every socket, accepted and connected alike."""

from __future__ import annotations

import socket
import sys

import pytest

from sse_io.socket_options import set_options
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
    for module in ("readiness_loop", "address_race"):

        def remember(sock: socket.socket, max_silence: float) -> None:
            set_options(sock, max_silence)
            seen.append(sock)

        monkeypatch.setattr(f"sse_io.{module}.set_options", remember)
    with listener() as (_, endpoint), served(Caller(Script(endpoint)), max_silence=90.0) as world:
        world.client()
        world.until(lambda: len(seen) == 2)
        for sock in seen:
            assert not sock.getblocking()
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert options_of(sock) == OPTIONS


def test_a_platform_that_has_not_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TCP_USER_TIMEOUT", "TCP_NOTSENT_LOWAT", "TCP_KEEPIDLE"):
        monkeypatch.delattr(socket, name, raising=False)
    with socket.socket() as sock:
        set_options(sock)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_unix_socket_has_none_of_tcps() -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        set_options(sock)
        assert not sock.getblocking()
