"""What is reported of an answer that is no event stream: its status, its fields, and why."""

from __future__ import annotations

import pytest

from sse_core import RemoteProtocolError
from sse_core.headers import Headers
from sse_core.lifecycle import EventSource, RetryPolicy, SourceDeadlines, SourceState, Want
from sse_core.lifecycle.source.error_body import MAX_EXCERPT_BYTES
from tests.core.lifecycle.source.source_support import connected, deadline_of, refuse, state_of, want_of

JSON = Headers({"content-type": "application/json", "x-request-id": "r1"})
BODY = b'{"error":"key expired!"}'


def error_of(source: EventSource) -> RemoteProtocolError:
    assert state_of(source) is SourceState.CLOSED
    assert want_of(source) in {Want.CLOSE, Want.NOTHING}
    assert isinstance(source.error, RemoteProtocolError)
    return source.error


class TestWhy:
    @pytest.mark.parametrize("status", [400, 401, 404, 501])
    def test_status_fields_and_an_excerpt(self, status: int) -> None:
        source = connected(retry=RetryPolicy(max_attempts=1))
        refuse(source, status, JSON, BODY)
        error = error_of(source)
        assert (error.status, error.headers, error.excerpt) == (status, JSON, BODY.decode())
        assert str(error) == f"the server answered with status {status}: '{BODY.decode()}'"

    def test_of_a_200_that_is_no_stream(self) -> None:
        source = connected()
        refuse(source, 200, JSON, BODY)
        error = error_of(source)
        assert (error.status, error.headers, error.excerpt) == (502, JSON, BODY.decode())
        assert "'application/json' instead of text/event-stream: '{" in str(error)

    def test_without_a_body_there_is_none(self) -> None:
        source = connected()
        refuse(source, 404)
        assert str(error_of(source)) == "the server answered with status 404"
        assert error_of(source).excerpt == ""

    def test_the_last_of_several_says_it_too(self) -> None:
        """Before the last attempt nobody waits for the body."""
        source = connected(retry=RetryPolicy(max_attempts=2))
        source.response_started(503, JSON, 0.0)
        assert (state_of(source), want_of(source)) == (SourceState.RECONNECTING, Want.CLOSE)
        source.closed(0.0)
        source.handle_timeout(1.0)
        source.connected(1.0)
        refuse(source, 503, JSON, BODY)
        assert error_of(source).excerpt == BODY.decode()

    def test_what_a_peer_says_is_escaped(self) -> None:
        source = connected()
        refuse(source, 400, JSON, "\x1b[31m€\nforged: line".encode() + b"\xff" + b"x" * 1000)
        assert str(error_of(source)).isascii()
        assert str(error_of(source)).isprintable()
        assert len(str(error_of(source))) < 2000
        assert error_of(source).excerpt.startswith("\x1b[31m€\nforged: line\ufffd")

    def test_in_a_content_coding_it_is_no_text(self) -> None:
        source = connected()
        refuse(source, 400, JSON.replaced({"content-encoding": "br"}), b"\x1b\x00\x80")
        assert error_of(source).excerpt == ""


class TestBounds:
    def test_of_bytes(self) -> None:
        source = connected()
        source.response_started(400, JSON, 0.0)
        for _ in range(MAX_EXCERPT_BYTES):
            assert state_of(source) is SourceState.REFUSED
            source.receive_data(b"xy", 0.0)
            if state_of(source) is SourceState.CLOSED:
                break
        assert want_of(source) is Want.CLOSE
        assert len(error_of(source).excerpt) == MAX_EXCERPT_BYTES
        source.receive_data(b"more", 0.0)
        source.receive_eof(0.0)
        assert len(error_of(source).excerpt) == MAX_EXCERPT_BYTES

    def test_of_time(self) -> None:
        source = connected()
        source.response_started(400, JSON, 1.0)
        source.receive_data(BODY, 5.0)
        assert deadline_of(source) == 6.0, "however slowly it comes"
        source.handle_timeout(6.0)
        assert error_of(source).excerpt == BODY.decode()

    def test_which_is_yours(self) -> None:
        for refusal, deadline in ((0.5, 1.5), (None, None)):
            source = connected(deadlines=SourceDeadlines(refusal=refusal))
            source.response_started(400, JSON, 1.0)
            assert deadline_of(source) == deadline

    @pytest.mark.parametrize("how", ["eof", "lost", "closed", "close"])
    def test_however_it_ends(self, how: str) -> None:
        source = connected()
        source.response_started(401, JSON, 0.0)
        source.receive_data(BODY[:9], 0.0)
        if how == "eof":
            source.receive_eof(0.0)
        elif how == "lost":
            source.connection_lost("reset", 0.0)
        elif how == "closed":
            source.closed(0.0)
        else:
            source.close(0.0)
            assert state_of(source) is SourceState.CLOSED
            assert source.error is None
            return
        assert error_of(source).excerpt == BODY[:9].decode()
