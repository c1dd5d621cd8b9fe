"""CONNECT through a proxy, and TLS on both sides of it."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzz.targets import tunnel as target
from sse_core.errors import TransportError
from sse_core.testing import pieces
from sse_http import TLS, Channel, Endpoint, ForwardProxy, Layers, Tunnel
from tests.io.support import new_certificates

CERTIFICATES = new_certificates()
PROXY = ForwardProxy("proxy.test", 3128)
TARGET = Endpoint("host.test", 443, tls=True)
OPEN = b"HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n"


def asked(proxy: ForwardProxy = PROXY, target: Endpoint = TARGET) -> tuple[Tunnel, bytes]:
    tunnel = Tunnel(proxy, target)
    return tunnel, tunnel.data_to_send()


def read(channel: Channel, data: bytes, cuts: Iterable[int] = ()) -> bytes:
    return b"".join(piece for part in pieces(data, cuts) for piece in channel.receive_data(part))


class TestAsking:
    def test_the_request(self) -> None:
        _, request = asked()
        assert request == b"CONNECT host.test:443 HTTP/1.1\r\nhost: host.test:443\r\n\r\n"

    def test_an_address(self) -> None:
        _, request = asked(target=Endpoint("2001:db8::1", 8443))
        assert request.startswith(b"CONNECT [2001:db8::1]:8443 HTTP/1.1\r\n")

    def test_a_password(self) -> None:
        _, request = asked(ForwardProxy.parse("http://user:pass@proxy.test"))
        assert b"\r\nproxy-authorization: Basic dXNlcjpwYXNz\r\n" in request

    def test_what_is_sent_early_waits(self) -> None:
        tunnel = Tunnel(PROXY, TARGET)
        assert tunnel.send(b"early ").startswith(b"CONNECT ")
        assert tunnel.send(b"birds") == tunnel.data_to_send() == b""
        assert tunnel.receive_data(OPEN) == []
        assert tunnel.data_to_send() == b"early birds"
        assert tunnel.send(b"late") == b"late"
        assert tunnel.data_to_send() == tunnel.close() == b""


class TestAnswer:
    @given(st.lists(st.integers(1, len(OPEN) + 5)))
    def test_what_stands_behind_the_head_is_not_the_proxys(self, cuts: list[int]) -> None:
        tunnel, _ = asked()
        assert read(tunnel, OPEN + b"hello", cuts) == b"hello"
        assert tunnel.ready
        assert tunnel.receive_data(b"more") == [b"more"]
        assert tunnel.receive_data(b"") == [b""]

    @pytest.mark.parametrize(
        "head",
        [
            b"HTTP/1.0 200 OK\r\n\r\n",
            b"HTTP/1.1 204 No Content\r\n\r\n",
            # RFC 9110 section 9.3.6: "A client MUST ignore any Content-Length or Transfer-Encoding header
            # fields received in a successful response to CONNECT."
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        ],
    )
    def test_it_is_open(self, head: bytes) -> None:
        tunnel, _ = asked()
        assert read(tunnel, head + b"hello") == b"hello"
        assert tunnel.ready

    @pytest.mark.parametrize(
        ("status", "words", "retryable"),
        [
            (407, r"refused with status 407 \(Proxy Authentication Required\): it wants a user", False),
            (403, r"refused with status 403 \(Forbidden\)$", False),
            (302, r"refused with status 302 \(Found\)$", False),
            (502, r"refused with status 502 \(Bad Gateway\)$", True),
            (503, r"refused with status 503 ", True),
            (599, r"refused with status 599$", False),
        ],
    )
    def test_it_is_refused(self, status: int, words: str, *, retryable: bool) -> None:
        tunnel, _ = asked()
        with pytest.raises(TransportError, match=words) as caught:
            tunnel.receive_data(b"HTTP/1.1 %d \x1b[1mhunter2\r\nContent-Length: 7\r\n\r\nhunter2" % status)
        assert caught.value.retryable == retryable
        assert "hunter2" not in str(caught.value)
        assert not tunnel.ready

    @pytest.mark.parametrize(
        ("data", "words", "retryable"),
        [
            (b"", "closed before the tunnel was open", True),
            (b"SSH-2.0-x\r\n\r\n", "not valid HTTP/1.1", False),
            (b"\x15\x03\x01\x00\x02\x02\x46", "not valid HTTP/1.1", False),
            (b"HTTP/1.1 200 OK\r\nx: " + b"y" * 20_000, "not valid HTTP/1.1", False),
            (b"HTTP/1.1 200 OK\r\nx:" + b" " * 1000 + b"\r\n\r\n", "max_blank_run", False),
            (b"HTTP/1.1 100 Continue\r\n\r\n" * 21, "too many informational answers", False),
        ],
    )
    @pytest.mark.parametrize("cuts", [(), range(1, 21_000)])
    def test_it_is_none(self, data: bytes, words: str, cuts: Iterable[int], *, retryable: bool) -> None:
        tunnel, _ = asked()
        with pytest.raises(TransportError, match=words) as caught:
            read(tunnel, data, cuts) if data else tunnel.receive_data(b"")
        assert caught.value.retryable == retryable


@pytest.mark.parametrize("data", target.SEEDS)
def test_the_fuzzers_seeds_keep_the_law(data: bytes) -> None:
    target.check(data)
    target.check(b"\xfe|".join(data[at : at + 7] for at in range(0, len(data), 7)))


class _Forgetful(Tunnel):
    """Drops what stands behind the head in the same piece."""

    def receive_data(self, data: bytes) -> list[bytes]:
        was_ready = self.ready
        received = super().receive_data(data)
        return received if was_ready else []


class _Generous(Tunnel):
    """Lets the proxy's own bytes through."""

    def receive_data(self, data: bytes) -> list[bytes]:
        super().receive_data(data)
        return [data]


@pytest.mark.parametrize("wrong", [_Forgetful, _Generous])
def test_the_law_finds_what_is_wrong(wrong: type[Tunnel]) -> None:
    def try_all() -> None:
        for data in target.SEEDS:
            target.check(data[:10] + b"\xfe|" + data[10:], wrong)

    with pytest.raises(AssertionError):
        try_all()


def tls(*, server: bool, name: str = "localhost") -> TLS:
    if server:
        return TLS(CERTIFICATES.server, server_side=True)
    return TLS(CERTIFICATES.client, server_side=False, server_hostname=name)


class Wire:
    """A client's layers, and what is at the other end of each."""

    def __init__(self, *, tls_to_proxy: bool) -> None:
        self.tunnel = Tunnel(PROXY, TARGET)
        self.outer: Channel = Layers(tls(server=False), self.tunnel) if tls_to_proxy else self.tunnel
        self.client = Layers(self.outer, tls(server=False))
        self.proxy = tls(server=True) if tls_to_proxy else None
        self.server = tls(server=True)
        self.at_proxy = b""
        self.at_server: list[bytes] = []
        self.at_client: list[bytes] = []

    def to_client(self, data: bytes, size: int) -> None:
        if self.proxy is not None and data:
            data = self.proxy.send(data)
        for at in range(0, len(data), size):
            self.at_client += self.client.receive_data(data[at : at + size])

    def carry(self, data: bytes, size: int) -> None:
        """The client's bytes to the proxy, and through it to the server; their answers back."""
        while data:
            for at in range(0, len(data), size):
                piece = data[at : at + size]
                for plain in [piece] if self.proxy is None else self.proxy.receive_data(piece):
                    self.arrive(plain, size)
                if self.proxy is not None and (own := self.proxy.data_to_send()):
                    self.at_client += self.client.receive_data(own)
            data = self.client.data_to_send()

    def arrive(self, data: bytes, size: int) -> None:
        if not self.tunnel.ready:
            self.at_proxy += data
            if self.at_proxy.endswith(b"\r\n\r\n"):
                self.to_client(OPEN, size)
            return
        self.at_server += self.server.receive_data(data)
        if own := self.server.data_to_send():
            self.to_client(own, size)


@pytest.mark.parametrize("size", [1, 100, 100_000])
@pytest.mark.parametrize("tls_to_proxy", [False, True])
def test_tls_through_a_tunnel(size: int, *, tls_to_proxy: bool) -> None:
    wire = Wire(tls_to_proxy=tls_to_proxy)
    wire.carry(wire.client.data_to_send(), size)
    assert wire.client.ready
    assert wire.at_proxy == b"CONNECT host.test:443 HTTP/1.1\r\nhost: host.test:443\r\n\r\n"
    wire.carry(wire.client.send(b"hello"), size)
    assert b"".join(wire.at_server) == b"hello"
    wire.to_client(wire.server.send(b"and back"), size)
    assert b"".join(wire.at_client) == b"and back"
    wire.carry(wire.client.close(), size)
    assert wire.at_server[-1] == b"", "TLS's own end has come"
