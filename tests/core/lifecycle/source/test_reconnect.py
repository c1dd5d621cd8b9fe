"""What an event source reports of each reconnect, and what counts as progress."""

from __future__ import annotations

import pytest

from sse_core import RemoteProtocolError, TransportError, encode_comment, encode_event
from sse_core.headers import Headers
from sse_core.lifecycle import (
    BROWSER_RETRY,
    EventSource,
    HTTPRequest,
    Reconnect,
    RetryPolicy,
    SourceState,
    Want,
)
from tests.core.lifecycle.source.source_support import (
    GET,
    POST,
    STREAM,
    connected,
    connecting,
    deadline_of,
    follow,
    opened,
    refuse,
    reopen,
    state_of,
    taken,
    want_of,
)


class TestReported:
    def test_what_it_says(self) -> None:
        seen: list[Reconnect] = []
        source = opened(on_reconnect=seen.append)
        source.receive_data(b"retry: 3000\n" + encode_event("x", id="7"), 1.0)
        assert len(taken(source)) == 1
        source.connection_lost("reset by peer", 5.0)
        assert source.next_event() is None
        (reconnect,) = seen
        assert (reconnect.attempt, reconnect.delay, reconnect.last_event_id) == (1, 3.0, "7")
        assert isinstance(reconnect.error, TransportError)
        assert "reset by peer" in reconnect.reason
        assert deadline_of(source) == 5.0 + reconnect.delay
        assert source.next_event() is None
        assert len(seen) == 1, "once each"

    def test_a_proper_end_is_no_error(self) -> None:
        seen: list[Reconnect] = []
        source = opened(on_reconnect=seen.append)
        source.receive_eof(5.0)
        assert taken(source) == []
        assert seen == [Reconnect(2, 0.5, "", None)]
        assert "ended" in seen[0].reason

    def test_a_refusal_for_now(self) -> None:
        seen: list[Reconnect] = []
        source = connected(on_reconnect=seen.append)
        source.response_started(429, Headers({"retry-after-ms": "1500", "retry-after": "9"}), 0.0)
        assert taken(source) == []
        assert seen[0].delay == 1.5
        assert isinstance(seen[0].error, RemoteProtocolError)
        assert seen[0].error.status == 429

    def test_a_deadline(self) -> None:
        seen: list[Reconnect] = []
        source = connecting(on_reconnect=seen.append)
        source.handle_timeout(10.0)
        assert taken(source) == []
        assert "deadline: connect" in seen[0].reason

    def test_attempts_count_up_to_the_last_one(self) -> None:
        seen: list[Reconnect] = []
        source = connecting(on_reconnect=seen.append, retry=RetryPolicy(max_attempts=4))
        while state_of(source) is not SourceState.CLOSED:
            source.connection_lost("refused", 0.0)
            source.handle_timeout(deadline_of(source) or 0.0)
        assert taken(source) == []
        assert [reconnect.attempt for reconnect in seen] == [2, 3, 4]
        assert [reconnect.delay for reconnect in seen] == [0.5, 1.0, 2.0]
        assert len(seen) == source.reconnects

    def test_the_end_is_reported_as_an_error_and_not_as_a_reconnect(self) -> None:
        seen: list[Reconnect] = []
        source = opened(POST, on_reconnect=seen.append)
        source.connection_lost("reset", 0.0)
        assert taken(source) == []
        assert seen == []
        assert isinstance(source.error, TransportError)

    def test_a_redirect_is_none(self) -> None:
        seen: list[Reconnect] = []
        source = connecting(on_reconnect=seen.append)
        follow(source, "/elsewhere")
        assert taken(source) == []
        assert seen == []

    def test_in_its_place_among_the_events(self) -> None:
        seen: list[str] = []
        source = opened(on_reconnect=lambda reconnect: seen.append(f"again {reconnect.last_event_id}"))
        for number in (1, 2):
            source.receive_data(encode_event(f"event {number}", id=str(number)), 0.0)
            source.connection_lost("reset", 0.0)
            reopen(source)
        source.receive_data(encode_event("event 3"), 0.0)
        while (event := source.next_event()) is not None:
            seen.append(event.data)
        assert seen == ["event 1", "again 1", "event 2", "again 2", "event 3"]

    def test_who_does_not_listen_misses_no_event(self) -> None:
        source = opened()
        source.receive_data(encode_event("one"), 0.0)
        source.connection_lost("reset", 0.0)
        reopen(source)
        source.receive_data(encode_event("two"), 0.0)
        assert [event.data for event in taken(source)] == ["one", "two"]

    def test_who_has_enough_may_close(self) -> None:
        source: EventSource = opened(on_reconnect=lambda _: source.close(1.0))
        source.connection_lost("reset", 0.0)
        assert want_of(source) is Want.WAIT
        assert source.next_event() is None
        assert (state_of(source), want_of(source)) == (SourceState.CLOSED, Want.NOTHING)

    def test_or_raise_and_go_on_later(self) -> None:
        def enough(_: Reconnect) -> None:
            raise KeyboardInterrupt

        source = opened(on_reconnect=enough)
        source.connection_lost("reset", 0.0)
        with pytest.raises(KeyboardInterrupt):
            source.next_event()
        assert source.next_event() is None
        reopen(source)
        assert state_of(source) is SourceState.OPEN


class TestProgress:
    """Only an event makes up for the attempts before it."""

    def brings(self, body: bytes) -> bool:
        """Whether ``body`` on each connection keeps the source going for ever."""
        source = opened(retry=RetryPolicy(max_attempts=2))
        for _ in range(10):
            source.receive_data(body, 0.0)
            source.receive_eof(0.0)
            taken(source)
            if state_of(source) is SourceState.CLOSED:
                return False
            reopen(source)
        return True

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            encode_comment("ping"),
            encode_comment("padding " * 1000),
            b"retry: 1\n\n",
            b"id: 7\n\n",
            b"event: ping\n\n",
            # With a position and nothing else, as the first event of MCP's answers is.
            b"id: 7\ndata: \n\n",
            b"data\n\n",
            b"data: half an event\n",
            b"\n\n\n",
        ],
    )
    def test_none(self, body: bytes) -> None:
        assert not self.brings(body)

    @pytest.mark.parametrize("body", [encode_event("x"), encode_event("\n"), b"data\n\ndata:x\n\ndata\n\n"])
    def test_an_event_is(self, body: bytes) -> None:
        assert self.brings(body)

    def test_an_answer_alone_is_not(self) -> None:
        """Nor do refusals and lost connections have counts of their own."""
        source = connecting(retry=RetryPolicy(max_attempts=3))
        source.connection_lost("refused", 0.0)
        source.handle_timeout(deadline_of(source) or 0.0)
        source.connected(1.0)
        source.response_started(503, Headers(), 1.0)
        reopen(source)
        assert state_of(source) is SourceState.OPEN
        source.receive_data(encode_comment("ping"), 2.0)
        source.connection_lost("reset", 2.0)
        assert state_of(source) is SourceState.CLOSED


class TestByTheLetter:
    def test_the_network_is_tried_for_ever(self) -> None:
        source = EventSource(GET, retry=BROWSER_RETRY)
        source.start(0.0)
        waits = []
        for _ in range(1000):
            source.connection_lost("refused", 0.0)
            waits.append(deadline_of(source))
            source.handle_timeout(deadline_of(source) or 0.0)
        assert waits[:5] == [3.0, 6.0, 12.0, 24.0, 30.0]
        assert waits[-1] == 30.0

    @pytest.mark.parametrize("status", [404, 408, 429, 500, 503])
    def test_a_refusal_is_final(self, status: int) -> None:
        source = connected(HTTPRequest("http://server.test/"), retry=BROWSER_RETRY)
        refuse(source, status, STREAM.replaced({"retry-after": "1"}))
        assert state_of(source) is SourceState.CLOSED
