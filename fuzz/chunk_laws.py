"""The law of chunked answers: what goes past h11 is what h11 would have read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import h11

from sse_core.headers import Headers
from sse_core.lifecycle.machine import HTTPRequest, Want
from sse_core.testing import pieces_of_size
from sse_http import ClientExchange
from sse_http.chunk_path import ChunkPath

#: So many are given one by one, which takes its time.
_BYTES = 40
HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@dataclass
class Machine:
    """A machine that notes what it is called with, in pieces that are joined."""

    request: HTTPRequest = field(default_factory=lambda: HTTPRequest("http://x.test/", "GET", Headers(), b""))
    want: Want = Want.CONNECT
    deadline: float | None = None
    calls: list[str] = field(default_factory=list)
    body: bytes = b""

    def connected(self, now: float) -> None:  # noqa: ARG002  (the face of a machine)
        self.want = Want.READ

    def response_started(self, status: int, headers: Headers, now: float) -> None:  # noqa: ARG002  (the face of a machine)
        self.calls.append(f"head {status}")

    def receive_data(self, data: bytes, now: float) -> None:  # noqa: ARG002  (the face of a machine)
        assert data, "no bytes are no news"
        assert self.calls == ["head 200"], "what comes of a body comes between its head and its end"
        self.body += data

    def receive_eof(self, now: float) -> None:  # noqa: ARG002  (the face of a machine)
        self.calls.append("eof")

    def connection_lost(self, reason: str, now: float, *, retryable: bool = True) -> None:  # noqa: ARG002  (the face of a machine)
        self.calls.append(f"lost: {reason} {retryable}")
        self.want = Want.NOTHING

    def closed(self, now: float) -> None:  # noqa: ARG002  (the face of a machine)
        self.calls.append("closed")

    def handle_timeout(self, now: float) -> None:
        """Nothing is waited for."""


class Closed(ChunkPath):
    """A path that takes nothing: h11 reads every chunk."""

    def split(self, data: bytes) -> tuple[bytes, bytes, bytes]:
        """All is h11's."""
        self.is_open = False
        return b"", data, b""


#: What a chunked answer came to: the body after each piece, and the machine's other calls.
Story = tuple[list[bytes], list[str]]


def any_cut_is_read_as_by_h11(pieces: list[bytes], path: Any = ChunkPath) -> None:
    """Give a body in these pieces, and byte by byte: the first of it, if it is long."""
    body = b"".join(pieces)[:_BYTES]
    for cuts in (pieces, pieces_of_size(body, 1)):
        is_read_as_by_h11(cuts, path)


def is_read_as_by_h11(pieces: list[bytes], path: Any = ChunkPath) -> None:
    """Give these pieces of a body with ``path`` and without: the machine gets the same, and as early.

    And h11 alone, given all at once, reads the same body, and the same end or none.
    """
    pieces = [piece for piece in pieces if piece]
    bodies, calls = story(pieces, path)
    assert (bodies, calls) == story(pieces, Closed)
    body, ended = by_h11(b"".join(pieces))
    if not any("limit: " in call for call in calls):
        assert (bodies[-1], calls[1:2] == ["eof"]) == (body, ended)


def story(pieces: Iterable[bytes], path: Any) -> Story:
    """What becomes of a body in these pieces, and of the connection's end behind it."""
    machine = Machine()
    bodies = []
    with mock.patch("sse_http.client.ChunkPath", path):
        exchange = ClientExchange(machine)
        exchange.connected(0.0)
        for piece in [HEAD, *pieces, b""]:
            exchange.receive_data(piece, 0.0)
            bodies.append(machine.body)
    if exchange.want is Want.CLOSE:
        exchange.closed(0.0)
    return bodies, machine.calls


def by_h11(data: bytes) -> tuple[bytes, bool]:
    """The body as h11 reads it, and whether it has an end."""
    http = h11.Connection(h11.CLIENT)
    http.send(h11.Request(method="GET", target="/", headers=[("host", "x.test")]))
    http.send(h11.EndOfMessage())
    http.receive_data(HEAD + data)
    http.receive_data(b"")
    body = b""
    try:
        while not isinstance(event := http.next_event(), h11.EndOfMessage):
            body += bytes(event.data) if isinstance(event, h11.Data) else b""
    except h11.RemoteProtocolError:
        return body, False
    return body, True
