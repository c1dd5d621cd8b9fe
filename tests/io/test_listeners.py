"""Listeners on all addresses of a host."""

from __future__ import annotations

import contextlib
import errno
import socket
from typing import Any

import pytest

from sse_io.address_race import Address
from sse_io.listeners import open_listeners, port_of

STREAM = socket.SOCK_STREAM


def ipv4(port: int = 0, host: str = "127.0.0.1") -> Address:
    return socket.AF_INET, STREAM, 0, "", (host, port)


def ipv6(port: int = 0) -> Address:
    return socket.AF_INET6, STREAM, 0, "", ("::1", port, 0, 0)


#: TEST-NET-1, RFC 5737: no machine has it.
ELSEWHERE = ipv4(host="192.0.2.1")


@contextlib.contextmanager
def opened(*addresses: Address, reuse_port: bool = False) -> Any:
    socks = open_listeners(addresses, reuse_port=reuse_port)
    try:
        yield socks
    finally:
        for sock in socks:
            sock.close()


def test_one_port_for_all_of_them() -> None:
    with opened(ipv4(), ipv6(), ipv4()) as socks:
        assert len(socks) == 2, "an address that comes twice is listened on once"
        assert len({port_of(sock) for sock in socks}) == 1
        for sock in socks:
            with socket.create_connection(sock.getsockname()[:2]):
                pass


def test_a_port_of_ones_own_choice() -> None:
    with opened(ipv4()) as [first]:
        port = port_of(first)
        with pytest.raises(OSError, match=r"in use"):
            open_listeners([ipv4(port)])
        with pytest.raises(OSError, match=r"in use"):
            open_listeners([ipv6(port), ipv4(port)])
    with opened(ipv4(port)) as [again]:
        assert port_of(again) == port


def test_an_address_that_is_not_here_is_left_out() -> None:
    with opened(ELSEWHERE, ipv4()) as [sock]:
        assert sock.getsockname()[0] == "127.0.0.1"


@pytest.mark.parametrize(("addresses", "words"), [([ELSEWHERE], "assign"), ([], "no address to listen on")])
def test_none_of_them_is_here(addresses: list[Address], words: str) -> None:
    with pytest.raises(OSError, match=words):
        open_listeners(addresses)


@pytest.mark.parametrize("taken", [1, 4, 5])
def test_a_port_that_is_taken_on_another_address(monkeypatch: pytest.MonkeyPatch, taken: int) -> None:
    """Another one is chosen, five times; no socket is left open."""
    tries: list[int] = []
    real = socket.socket.bind

    class Socket(socket.socket):
        def bind(self, address: Any) -> None:
            if self.family == socket.AF_INET6:
                tries.append(address[1])
                if len(tries) <= taken:
                    raise OSError(errno.EADDRINUSE, "Address already in use")
            real(self, address)

    monkeypatch.setattr("sse_io.listeners.socket.socket", Socket)
    if taken < 5:
        with opened(ipv4(), ipv6()) as socks:
            assert [port_of(sock) for sock in socks] == [tries[-1]] * 2
    else:
        with pytest.raises(OSError, match="in use"):
            open_listeners([ipv4(), ipv6()])
    assert len(tries) == min(taken + 1, 5)


def test_where_addresses_are_not_posix(monkeypatch: pytest.MonkeyPatch) -> None:
    """There SO_REUSEADDR would let somebody else have the port."""
    monkeypatch.setattr("sse_io.listeners.os.name", "nt")
    with opened(ipv4()) as [sock]:
        assert not sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)


@pytest.mark.skipif(not hasattr(socket, "SO_REUSEPORT"), reason="this system has no SO_REUSEPORT")
def test_a_port_that_is_shared_by_all_who_say_so() -> None:
    with opened(ipv4(), reuse_port=True) as [first]:
        port = port_of(first)
        with opened(ipv4(port), reuse_port=True) as [second]:
            assert port_of(second) == port
        with pytest.raises(OSError, match="in use"):
            open_listeners([ipv4(port)])


def test_where_no_port_can_be_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("sse_io.listeners.socket.SO_REUSEPORT", raising=False)
    with pytest.raises(OSError, match="can't share a port"):
        open_listeners([ipv4()], reuse_port=True)
