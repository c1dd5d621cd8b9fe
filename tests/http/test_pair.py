"""Both roles over a wire in memory that carries as little at a time as one byte."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core.headers import Headers
from sse_core.lifecycle.machine import Want
from sse_http import ConnectionPhase, Reply, StreamState
from tests.http.support import OK, ConnectionPair, Pieces, Recorder, echo

SIZES = [1, 2, 7, 1 << 16]


@pytest.mark.parametrize("size", SIZES)
class TestPair:
    def test_a_reply(self, size: int) -> None:
        pair = ConnectionPair(Recorder("http://localhost/a?b"), echo, size=size)
        machine = pair.run()
        assert (machine.status, bytes(machine.received)) == (200, b"GET /a?b ")
        assert machine.calls == ["connected", "response_started", "data", "eof", "lost"]
        assert pair.peer.phase() is ConnectionPhase.OVER

    def test_a_request_with_a_body(self, size: int) -> None:
        machine = Recorder("http://localhost/", "POST", {"x": "\xe9"}, bytes(range(256)) * 20)
        pair = ConnectionPair(machine, echo, size=size)
        assert pair.run().received == b"POST / " + bytes(range(256)) * 20
        assert pair.peer.requests[0].headers.get("x") == "\xe9"

    def test_a_stream(self, size: int) -> None:
        stream = Pieces()
        machine = Recorder("http://localhost/")
        pair = ConnectionPair(machine, stream, size=size)
        pair.run()
        assert machine.calls == ["connected", "response_started"]
        for number in range(5):
            stream.feed(b"data: %d\n\n" % number)
            pair.run()
            assert bytes(machine.received).endswith(b"data: %d\n\n" % number)
        stream.feed(end=StreamState.FINISHED)
        pair.run()
        assert machine.calls[2:] == ["data", "eof", "lost"]
        assert len(stream.closed) == 1

    def test_an_aborted_stream_is_seen_as_one(self, size: int) -> None:
        stream = Pieces(b"data: 1\n\n", end=StreamState.ABORTED)
        machine = ConnectionPair(Recorder("http://localhost/"), stream, size=size).run()
        assert machine.calls == ["connected", "response_started", "data", "lost"]
        assert "peer closed connection" in machine.reason

    def test_a_client_that_stops_is_seen_at_once(self, size: int) -> None:
        stream = Pieces(b"data: 1\n\n")
        machine = Recorder("http://localhost/", wishes=lambda what: Want.CLOSE if what == "data" else None)
        pair = ConnectionPair(machine, stream, size=size)
        pair.run()
        assert machine.calls[-1] == "closed"
        assert len(stream.closed) == 1
        assert pair.peer.phase() is ConnectionPhase.OVER

    def test_a_refusal(self, size: int) -> None:
        machine = ConnectionPair(Recorder("http://evil.example/"), OK, size=size).run()
        assert machine.status == 421

    def test_head(self, size: int) -> None:
        machine = ConnectionPair(Recorder("http://localhost/", "HEAD"), OK, size=size).run()
        assert (machine.status, bytes(machine.received)) == (200, b"")
        assert machine.headers.get("content-length") == "2"
        assert "eof" in machine.calls


@given(
    st.sampled_from(["GET", "POST", "DELETE", "X-Y"]),
    st.dictionaries(
        st.text("abc-", min_size=1), st.text(st.characters(min_codepoint=0x21, max_codepoint=0xFF))
    ),
    st.binary(max_size=500),
    st.lists(st.binary(min_size=1, max_size=100), max_size=5),
    st.sampled_from(SIZES),
)
def test_what_one_sends_the_other_gets(
    method: str, fields: dict[str, str], body: bytes, pieces: list[bytes], size: int
) -> None:
    machine = Recorder("http://localhost/x", method, fields, body)
    stream = Pieces(*pieces, end=StreamState.FINISHED)
    pair = ConnectionPair(machine, stream, size=size)
    pair.run()
    (request,) = pair.peer.requests
    assert (request.method, request.path, request.body) == (method, "/x", body)
    assert [pair for pair in request.headers if pair[0] in fields] == list(Headers(fields))
    assert machine.received == b"".join(pieces)
    assert machine.calls[-2:] == ["eof", "lost"]


def test_a_reply_goes_back_as_it_was_made() -> None:
    reply = Reply(418, Headers([("a", "1"), ("A", "2"), ("b", "\xff")]), b"\x00\r\n")
    machine = ConnectionPair(Recorder("http://localhost/"), reply).run()
    assert machine.status == 418
    assert list(machine.headers)[:3] == [("a", "1"), ("a", "2"), ("b", "\xff")]
    assert machine.received == b"\x00\r\n"
