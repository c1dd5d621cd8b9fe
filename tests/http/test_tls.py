"""TLS in memory: a server and a client, and a wire between them that is cut, split and garbled."""

from __future__ import annotations

import functools
import ssl
from collections.abc import Iterable

import pytest
import trustme

from sse_core.testing import pieces
from sse_http import TLS, ConnectionPhase, ServerConnection, StreamState
from tests.http.support import Pieces, Scripted, request

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]


@functools.cache
def authority() -> trustme.CA:
    return trustme.CA()


def server_context(name: str = "localhost") -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority().issue_cert(name).configure_cert(context)
    return context


def client_context(version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.maximum_version = version
    authority().configure_trust(context)
    return context


class Pair:
    """A client's and a server's channel, and what each has read."""

    def __init__(self, client: ssl.SSLContext, server: ssl.SSLContext, name: str = "localhost") -> None:
        self.client = TLS(client, server_side=False, server_hostname=name)
        self.server = TLS(server, server_side=True)
        self.read: dict[TLS, list[bytes]] = {self.client: [], self.server: []}

    def carry(self, size: int = 1 << 16, *, extra: bytes = b"") -> None:
        """Carry what is there, ``size`` bytes at a time, until nothing moves."""
        moved = True
        while moved:
            to_server = self.client.data_to_send() + extra
            extra = b""
            self.deliver(self.server, to_server, range(0, len(to_server), size))
            to_client = self.server.data_to_send()
            self.deliver(self.client, to_client, range(0, len(to_client), size))
            moved = bool(to_server or to_client)

    def deliver(self, channel: TLS, data: bytes, cuts: Iterable[int] = ()) -> None:
        for piece in pieces(data, cuts):
            self.read[channel] += channel.receive_data(piece)

    def text(self, channel: TLS) -> bytes:
        return b"".join(self.read[channel])


def connected(version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3, size: int = 1 << 16) -> Pair:
    pair = Pair(client_context(version), server_context())
    pair.carry(size)
    assert pair.client.ready
    assert pair.server.ready
    return pair


@pytest.mark.parametrize("version", VERSIONS)
class TestHandshake:
    @pytest.mark.parametrize("size", [1, 2, 100, 1 << 16])
    def test_split_anywhere(self, version: ssl.TLSVersion, size: int) -> None:
        pair = connected(version, size)
        assert pair.read == {pair.client: [], pair.server: []}

    @pytest.mark.parametrize("size", [1, 1 << 16])
    def test_what_is_sent_early_waits(self, version: ssl.TLSVersion, size: int) -> None:
        pair = Pair(client_context(version), server_context())
        start = pair.client.send(b"GET ") + pair.client.send(b"/")
        assert b"GET" not in start
        assert pair.server.send(b"early ") + pair.server.send(b"answer") == b""
        pair.carry(size, extra=start)
        assert pair.text(pair.server) == b"GET /"
        assert pair.text(pair.client) == b"early answer"

    def test_a_name_that_the_certificate_does_not_have(self, version: ssl.TLSVersion) -> None:
        pair = Pair(client_context(version), server_context("elsewhere.example"))
        with pytest.raises(ssl.SSLCertVerificationError):
            pair.carry()
        assert not pair.client.ready
        with pytest.raises(ssl.SSLError):  # the alert tells the server why
            pair.deliver(pair.server, pair.client.data_to_send())

    def test_an_authority_that_nobody_knows(self, version: ssl.TLSVersion) -> None:
        stranger = ssl.create_default_context(cafile=None)
        stranger.maximum_version = version
        pair = Pair(stranger, server_context())
        with pytest.raises(ssl.SSLCertVerificationError):
            pair.carry()
        assert pair.client.close() != b""  # the alert; no closing of what never was open
        assert not pair.client.ready

    def test_an_end_amid_it(self, version: ssl.TLSVersion) -> None:
        for pair in (Pair(client_context(version), server_context()) for _ in range(2)):
            pair.deliver(pair.server, pair.client.data_to_send()[:50])
            for channel in (pair.server, pair.client):
                with pytest.raises(ssl.SSLError):
                    channel.receive_data(b"")

    def test_http_where_tls_was_meant(self, version: ssl.TLSVersion) -> None:
        pair = Pair(client_context(version), server_context())
        with pytest.raises(ssl.SSLError):
            pair.server.receive_data(request())
        with pytest.raises(ssl.SSLError):
            pair.client.receive_data(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@pytest.mark.parametrize("version", VERSIONS)
class TestData:
    @pytest.mark.parametrize("size", [1, 1000, 1 << 16])
    def test_both_ways(self, version: ssl.TLSVersion, size: int) -> None:
        pair = connected(version)
        there, back = bytes(range(256)) * 20, bytes(reversed(range(256))) * 300
        for piece in pieces(there, range(0, len(there), 999)):
            data = pair.client.send(piece)
            assert piece not in data
            pair.deliver(pair.server, data, range(0, len(data), size))
        data = pair.server.send(back)
        pair.deliver(pair.client, data, range(0, len(data), size))
        assert (pair.text(pair.server), pair.text(pair.client)) == (there, back)
        assert b"" not in pair.read[pair.client] + pair.read[pair.server]

    def test_nothing_to_send_is_nothing_sent(self, version: ssl.TLSVersion) -> None:
        pair = connected(version)
        assert pair.client.send(b"") == pair.server.send(b"") == pair.client.data_to_send() == b""

    def test_a_garbled_record_is_an_error(self, version: ssl.TLSVersion) -> None:
        pair = connected(version)
        data = bytearray(pair.client.send(b"secret"))
        data[-1] ^= 1
        with pytest.raises(ssl.SSLError):
            pair.server.receive_data(bytes(data))
        with pytest.raises(ssl.SSLError):
            pair.server.receive_data(b"more")
        with pytest.raises(ssl.SSLError):
            pair.deliver(pair.client, pair.server.data_to_send())


@pytest.mark.parametrize("version", VERSIONS)
class TestEnd:
    def test_an_orderly_end(self, version: ssl.TLSVersion) -> None:
        pair = connected(version)
        data = pair.server.send(b"the last words") + pair.server.close()
        pair.deliver(pair.client, data)
        assert pair.read[pair.client] == [b"the last words", b""]
        assert pair.client.receive_data(b"") == [b""]
        pair.deliver(pair.server, pair.client.close())
        assert pair.read[pair.server] == [b""]

    def test_byte_by_byte(self, version: ssl.TLSVersion) -> None:
        pair = connected(version)
        data = pair.server.send(b"bye") + pair.server.close()
        pair.deliver(pair.client, data, range(len(data)))
        assert pair.read[pair.client] == [b"bye", b""]

    def test_a_cut_is_an_error(self, version: ssl.TLSVersion) -> None:
        """Else somebody in between could end a body early, and nobody would see it."""
        pair = connected(version)
        pair.deliver(pair.client, pair.server.send(b"the first half"))
        for _ in range(2):
            with pytest.raises(ssl.SSLEOFError):
                pair.client.receive_data(b"")
        assert pair.text(pair.client) == b"the first half"

    def test_a_cut_amid_a_record(self, version: ssl.TLSVersion) -> None:
        pair = connected(version)
        pair.deliver(pair.client, pair.server.send(b"the first half")[:-1])
        with pytest.raises(ssl.SSLEOFError):
            pair.client.receive_data(b"")
        assert pair.text(pair.client) == b""

    def test_closing_twice_or_too_early_is_harmless(self, version: ssl.TLSVersion) -> None:
        pair = connected(version)
        assert pair.server.close() != b""
        assert pair.server.close() == b""
        fresh = TLS(server_context(), server_side=True)
        assert fresh.close() == b""

    def test_a_body_that_ends_with_the_connection(self, version: ssl.TLSVersion) -> None:
        """HTTP/1.0 over TLS: the closing alert is the end of the body."""
        pair = connected(version)
        connection = ServerConnection(Scripted(Pieces(b"body", end=StreamState.FINISHED)), 0.0)
        connection.receive_data(request(version="1.0"), 0.0)
        while data := connection.data_to_send(0.0):
            pair.deliver(pair.client, pair.server.send(data))
        assert connection.phase is ConnectionPhase.OVER
        pair.deliver(pair.client, pair.server.close())
        assert pair.text(pair.client).endswith(b"\r\n\r\nbody")
        assert pair.read[pair.client][-1] == b""
