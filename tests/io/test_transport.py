"""A socket that never waits, with TLS or without."""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Iterator

import pytest

from sse_core.errors import TransportError
from sse_http import TLS
from sse_io.transport import READ_SIZE, Transport
from tests.io.support import Certificates

MUCH = b"x" * 20_000_000


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        theirs = socket.create_connection(server.getsockname())
        ours, _ = server.accept()
    for sock in (ours, theirs):
        sock.settimeout(0)
    with ours, theirs:
        yield ours, theirs


def is_blocked(transport: Transport) -> bool:
    """No attribute, or mypy would hold that what was seen once stays so."""
    return transport.blocked


def read(sock: socket.socket, size: int) -> bytes:
    sock.settimeout(5)
    received = b""
    while len(received) < size and (data := sock.recv(1_000_000)):
        received += data
    return received


def vanish(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


class TestPlain:
    def test_what_is_sent_is_in_the_kernel_at_once(self, pair: tuple[socket.socket, socket.socket]) -> None:
        transport = Transport(pair[0])
        assert transport.send_now(b"hello")
        assert not is_blocked(transport)
        assert pair[1].recv(100) == b"hello"

    def test_no_handshake_is_to_be_made(self, pair: tuple[socket.socket, socket.socket]) -> None:
        transport = Transport(pair[0])
        assert transport.ready
        transport.begin_handshake()
        with pytest.raises(BlockingIOError):
            pair[1].recv(1)

    def test_nothing_has_come(self, pair: tuple[socket.socket, socket.socket]) -> None:
        assert Transport(pair[0]).receive_now() is None

    def test_so_much_is_read_at_a_time(self, pair: tuple[socket.socket, socket.socket]) -> None:
        transport = Transport(pair[0])
        pair[1].sendall(b"x" * (READ_SIZE + 1))
        assert [len(transport.receive_now()[0]) for _ in range(2)] == [READ_SIZE, 1]  # type: ignore[index]
        pair[1].close()
        assert transport.receive_now() == [b""]

    def test_a_full_kernel_blocks_and_nothing_is_lost(
        self, pair: tuple[socket.socket, socket.socket]
    ) -> None:
        transport = Transport(pair[0])
        assert not transport.send_now(MUCH)
        assert is_blocked(transport)
        assert not transport.send_now(b"end")
        received = 0
        while is_blocked(transport):
            received += len(read(pair[1], 1))
            transport.flush()
        assert read(pair[1], len(MUCH) + 3 - received).endswith(b"xend")

    def test_a_peer_that_vanished(self, pair: tuple[socket.socket, socket.socket]) -> None:
        transport = Transport(pair[0])
        vanish(pair[1])
        with pytest.raises(TransportError, match="receiving failed: Connection reset"):
            transport.receive_now()
        with pytest.raises(TransportError, match="sending failed: Broken pipe"):
            transport.send_now(b"x")
        transport.close()
        transport.close()
        assert transport.closed

    @pytest.mark.parametrize("why", ["reset", "blocked"])
    def test_what_must_not_look_whole_ends_with_a_reset(
        self, pair: tuple[socket.socket, socket.socket], why: str
    ) -> None:
        transport = Transport(pair[0])
        transport.send_now(MUCH if why == "blocked" else b"half")
        transport.close(reset=why == "reset")
        with pytest.raises(ConnectionResetError):
            read(pair[1], len(MUCH))

    def test_else_with_an_end(self, pair: tuple[socket.socket, socket.socket]) -> None:
        transport = Transport(pair[0])
        transport.send_now(b"whole")
        transport.close()
        assert read(pair[1], 100) == b"whole"


class TestTLS:
    def both(
        self, pair: tuple[socket.socket, socket.socket], certificates: Certificates
    ) -> tuple[Transport, Transport]:
        client = Transport(pair[0], TLS(certificates.client, server_side=False, server_hostname="localhost"))
        server = Transport(pair[1], TLS(certificates.server, server_side=True))
        return client, server

    def shake(self, client: Transport, server: Transport) -> None:
        client.begin_handshake()
        for _ in range(1000):
            server.receive_now()
            client.receive_now()
            if client.ready and server.ready:
                return
        raise AssertionError

    def receive(self, transport: Transport) -> list[bytes]:
        for _ in range(10_000):
            if received := transport.receive_now():
                return received
        raise AssertionError

    def test_both_ways_and_to_the_end(
        self, pair: tuple[socket.socket, socket.socket], certificates: Certificates
    ) -> None:
        client, server = self.both(pair, certificates)
        assert not client.ready
        self.shake(client, server)
        client.send_now(b"question")
        assert self.receive(server) == [b"question"]
        server.send_now(b"answer")
        server.close()
        assert b"".join(self.receive(client)) == b"answer"
        client.close()

    def test_a_cut_has_no_end_of_its_own(
        self, pair: tuple[socket.socket, socket.socket], certificates: Certificates
    ) -> None:
        client, server = self.both(pair, certificates)
        self.shake(client, server)
        server.close(cut=True)
        with pytest.raises(TransportError, match="TLS failed"):
            self.receive(client)

    def test_who_speaks_no_tls(
        self, pair: tuple[socket.socket, socket.socket], certificates: Certificates
    ) -> None:
        client, _ = self.both(pair, certificates)
        client.begin_handshake()
        pair[1].sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        with pytest.raises(TransportError, match="TLS failed") as caught:
            self.receive(client)
        assert not caught.value.retryable

    def test_sending_after_a_failure(self, pair: tuple[socket.socket, socket.socket]) -> None:
        class Failed(TLS):
            def send(self, data: bytes) -> bytes:
                del data
                error = ssl.SSLError(1, "it has failed")
                error.reason = "BAD"
                raise error

        context = ssl.create_default_context()
        with pytest.raises(TransportError, match="TLS failed: BAD"):
            Transport(pair[0], Failed(context, server_side=False, server_hostname="x")).send_now(b"x")

    def test_an_alert_that_nobody_takes_is_no_failure_of_its_own(
        self, pair: tuple[socket.socket, socket.socket], certificates: Certificates
    ) -> None:
        client, server = self.both(pair, certificates)
        self.shake(client, server)
        server.close(cut=True)
        client.close()
        assert client.closed
