"""An event source: connect, read, reconnect, and when to stop doing so."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import (
    LimitExceeded,
    LocalProtocolError,
    RemoteProtocolError,
    ServerSentEvent,
    TransportError,
    encode_event,
)
from sse_core.headers import Headers
from sse_core.lifecycle import (
    BROWSER_RETRY,
    NO_RETRY,
    EventSource,
    HTTPRequest,
    RetryPolicy,
    SourceDeadlines,
    SourceState,
    Want,
)
from tests.core.lifecycle.source.source_support import (
    GET,
    STREAM,
    URL,
    connected,
    connecting,
    deadline_of,
    opened,
    refuse,
    reopen,
    state_of,
    taken,
    want_of,
)


class TestReading:
    def test_from_start_to_close(self) -> None:
        source = EventSource(GET)
        assert (state_of(source), want_of(source), deadline_of(source)) == (
            SourceState.IDLE,
            Want.NOTHING,
            None,
        )
        source.start(1.0)
        assert (state_of(source), want_of(source)) == (SourceState.CONNECTING, Want.CONNECT)
        assert deadline_of(source) == 11.0
        source.connected(2.0)
        assert (state_of(source), want_of(source)) == (SourceState.CONNECTING, Want.READ)
        assert deadline_of(source) == 62.0
        source.response_started(200, STREAM, 3.0)
        assert (state_of(source), want_of(source)) == (SourceState.OPEN, Want.READ)
        assert deadline_of(source) == 123.0
        source.receive_data(encode_event("one", event="tick", id="7"), 4.0)
        assert deadline_of(source) == 124.0
        assert taken(source) == [ServerSentEvent("tick", "one", "7")]
        assert source.last_event_id == "7"
        source.close(5.0)
        assert (state_of(source), want_of(source), deadline_of(source)) == (
            SourceState.CLOSED,
            Want.CLOSE,
            None,
        )
        source.closed(6.0)
        assert want_of(source) is Want.NOTHING
        assert source.error is None
        assert source.reconnects == 0

    def test_close_is_idempotent_and_nothing_undoes_it(self) -> None:
        for source in (EventSource(GET), connecting(), connected(), opened()):
            source.close(1.0)
            source.close(1.0)
            source.response_started(200, STREAM, 1.0)
            source.receive_data(encode_event("x"), 1.0)
            source.receive_eof(1.0)
            source.pause(1.0)
            source.resume(1.0)
            source.handle_timeout(1e9)
            source.connection_lost("gone", 1.0)
            assert (state_of(source), want_of(source), deadline_of(source)) == (
                SourceState.CLOSED,
                Want.NOTHING,
                None,
            )
            assert taken(source) == []
            assert source.error is None

    def test_a_transport_that_opens_after_close_is_closed(self) -> None:
        source = connecting()
        source.close(1.0)
        source.connected(2.0)
        assert want_of(source) is Want.CLOSE
        source.closed(3.0)
        assert want_of(source) is Want.NOTHING

    def test_misuse(self) -> None:
        with pytest.raises(LocalProtocolError, match="make a new one"):
            connecting().start(1.0)
        with pytest.raises(LocalProtocolError, match="call start"):
            EventSource(GET).connected(1.0)

    def test_what_comes_before_its_time_is_nothing(self) -> None:
        source = connecting()
        source.response_started(200, STREAM, 0.0)
        source.receive_data(encode_event("x"), 0.0)
        source.receive_eof(0.0)
        assert (state_of(source), want_of(source)) == (SourceState.CONNECTING, Want.CONNECT)
        assert taken(source) == []
        idle = EventSource(GET)
        idle.connection_lost("?", 0.0)
        idle.closed(0.0)
        idle.handle_timeout(1e9)
        assert state_of(idle) is SourceState.IDLE


class TestRequest:
    def test_what_is_sent(self) -> None:
        request = connecting().request
        assert (request.url, request.method, request.body) == (URL, "GET", b"")
        assert dict(request.headers) == {
            "authorization": "Bearer secret",
            "accept": "text/event-stream",
            "cache-control": "no-cache",
            "pragma": "no-cache",
        }

    def test_the_users_own_fields_stand(self) -> None:
        own = {
            "Accept": "application/json, text/event-stream",
            "Cache-Control": "no-store",
            "Pragma": "",
            "Last-Event-ID": "3",
        }
        source = opened(HTTPRequest(URL, headers=Headers(own)))
        assert dict(source.request.headers) == {name.lower(): value for name, value in own.items()}
        source.receive_data(encode_event("x", id="4"), 0.0)
        assert source.request.headers.get_all("last-event-id") == ["4"], "until there is a newer ID"

    def test_the_last_event_id_is_sent_back(self) -> None:
        source = opened()
        source.receive_data(encode_event("x", id="7") + b"id: 8\n\nid: 9\ndata: cut off\n", 0.0)
        assert source.request.headers.get("last-event-id") == "8"
        source.receive_data(b"\nid\n\n", 0.0)
        assert "last-event-id" not in source.request.headers, "an empty ID takes it away"

    def test_the_readers_id_is_not_ahead_of_the_reader(self) -> None:
        """Whoever goes on from it elsewhere has had no more than what was handed out."""
        source = connecting(last_event_id="0")
        source.connected(0.0)
        source.response_started(200, STREAM, 0.0)
        source.receive_data(b"".join(encode_event("x", id=str(number)) for number in (1, 2, 3)), 0.0)
        assert (source.last_event_id, source.request.headers.get("last-event-id")) == ("0", "3")
        for event_id in ("1", "2", "3"):
            event = source.next_event()
            assert event is not None
            assert source.last_event_id == event.last_event_id == event_id
        source.receive_data(b"id: 4\n\nid\n\n" + encode_event("y") + encode_event("z", id="5"), 0.0)
        assert source.last_event_id == "3", "what has no data is handed to nobody"
        source.connection_lost("reset", 0.0)
        assert source.request.headers.get("last-event-id") == "5", "the two that wait are still given out"
        assert [event.data for event in taken(source)] == ["y", "z"]
        assert source.last_event_id == "5"

    def test_one_that_was_kept_is_sent_with_the_first_request(self) -> None:
        assert connecting(last_event_id="7").request.headers.get("last-event-id") == "7"

    @given(st.text(st.characters(exclude_categories=["Cs"], min_codepoint=0x20, exclude_characters="\x7f")))
    def test_an_id_is_utf_8_on_the_wire(self, event_id: str) -> None:
        """A field's value is ISO-8859-1 text, so each of its characters is one byte of UTF-8."""
        value = connecting(last_event_id=event_id).request.headers.get("last-event-id", "")
        assert value is not None
        # White space around a field's value is not part of it.
        assert value.encode("latin-1") == event_id.encode().strip(b" \t")

    def test_half_a_character_in_an_id_does_no_harm(self) -> None:
        assert connecting(last_event_id="a\ud800b").request.headers.get("last-event-id") == "a?b"

    @pytest.mark.parametrize(
        "url",
        [
            "ftp://server.test/",
            "about:blank",
            "/events",
            "http://this is invalid/",
            "http://",
            "http://h:99999/",
        ],
    )
    def test_a_url_that_is_none(self, url: str) -> None:
        with pytest.raises(ValueError, match="URL"):
            EventSource(HTTPRequest(url))

    def test_a_url_with_credentials_in_it(self) -> None:
        with pytest.raises(ValueError, match="header") as caught:
            EventSource(HTTPRequest("https://user:secret@server.test/"))
        assert "secret" not in str(caught.value)

    def test_arguments_of_the_wrong_type(self) -> None:
        """A URL is no request; found at once, in a sentence that says what to do."""
        wrong: Any
        for wrong in (URL, None, {"url": URL}):
            with pytest.raises(TypeError, match=r"EventSource takes HTTPRequest, not .*HTTPRequest\(url\)"):
                EventSource(wrong)
        wrong = 7
        with pytest.raises(TypeError, match="last_event_id takes str, not int"):
            EventSource(GET, last_event_id=wrong)
        wrong = "{}"
        with pytest.raises(TypeError, match="body takes bytes, not str"):
            HTTPRequest(URL, "POST", body=wrong)
        wrong = b"http://server.test"
        with pytest.raises(TypeError, match="url takes str, not bytes"):
            HTTPRequest(wrong)
        wrong = {"X-Key": "1"}
        assert HTTPRequest(URL, headers=wrong).headers == Headers({"x-key": "1"}), "a mapping is taken"

    @pytest.mark.parametrize("event_id", ["a\nb", "a\rb", "a\0b", "a\x0bb", "\x1b[31m", "\x7f"])
    def test_an_id_that_no_header_can_hold(self, event_id: str) -> None:
        with pytest.raises(ValueError, match="no header can") as caught:
            EventSource(GET, last_event_id=event_id)
        assert str(caught.value).isprintable()

    @pytest.mark.parametrize("character", ["\x01", "\x0b", "\x0c", "\x1f", "\x7f"])
    def test_a_peers_id_that_no_header_can_hold_is_the_end_and_no_crash(self, character: str) -> None:
        """An event's ID may have any character but NUL; to go on without it would repeat events."""
        source = opened()
        source.receive_data(f"id: a{character}b\ndata: x\n\n".encode(), 0.0)
        source.receive_eof(1.0)
        assert state_of(source) is SourceState.CLOSED
        assert isinstance(source.error, RemoteProtocolError)
        assert len(taken(source)) == 1
        tab = opened()
        tab.receive_data(b"id: a\tb\ndata: x\n\n", 0.0)
        tab.receive_eof(1.0)
        assert state_of(tab) is SourceState.RECONNECTING


class TestAnswers:
    @pytest.mark.parametrize(
        "content_type", ["text/event-stream;", "TEXT/event-stream; charset=windows-1252"]
    )
    def test_an_event_stream(self, content_type: str) -> None:
        opened(headers=Headers({"content-type": content_type}))

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"content-type": "text/html"},
            {"content-type": "x bogus"},
            {"content-type": "text/event-stream", "content-encoding": "br"},
        ],
    )
    def test_another_content_type_fails_for_good(self, headers: dict[str, str]) -> None:
        source = connected()
        refuse(source, 200, Headers(headers))
        assert (state_of(source), want_of(source)) == (SourceState.CLOSED, Want.CLOSE)
        assert isinstance(source.error, RemoteProtocolError)
        assert source.error.status == 502

    def test_204_says_stop_and_is_no_error(self) -> None:
        source = connected()
        source.response_started(204, Headers(), 0.0)
        assert (state_of(source), want_of(source)) == (SourceState.CLOSED, Want.CLOSE)
        assert source.error is None

    @pytest.mark.parametrize("status", [201, 205, 301, 304, 400, 401, 404, 410])
    def test_another_status_fails_for_good(self, status: int) -> None:
        source = connected()
        refuse(source, status, STREAM)
        assert state_of(source) is SourceState.CLOSED
        assert isinstance(source.error, RemoteProtocolError)
        assert source.error.status == status
        assert str(status) in str(source.error)

    @pytest.mark.parametrize("status", [408, 429, 500, 503])
    def test_beyond_the_specification_some_are_worth_another_try(self, status: int) -> None:
        source = connected()
        source.response_started(status, Headers({"retry-after": "3"}), 1.0)
        assert (state_of(source), want_of(source)) == (SourceState.RECONNECTING, Want.CLOSE)
        source.closed(1.0)
        assert (want_of(source), deadline_of(source)) == (Want.WAIT, 4.0)

    def test_until_the_policy_says_no(self) -> None:
        source = connected()
        refuse(source, 503, Headers({"retry-after": "61"}))
        assert state_of(source) is SourceState.CLOSED
        assert isinstance(source.error, RemoteProtocolError)
        assert source.error.status == 503

    def test_what_was_accepted_is_given(self) -> None:
        source = connected()
        assert (source.status, source.response_headers) == (None, Headers())
        answered = STREAM.replaced({"mcp-session-id": "s1"})
        source.response_started(200, answered, 0.0)
        assert (source.status, source.response_headers) == (200, answered)
        source.connection_lost("reset", 0.0)
        source.handle_timeout(1.0)
        source.connected(1.0)
        source.response_started(503, Headers(), 1.0)
        assert (source.status, source.response_headers) == (200, answered), "a refusal was not accepted"

    def test_a_retry_after_is_a_date_by_the_wall_clock(self) -> None:
        source = connected(wall_clock=lambda: 1_445_412_480.0)  # seven seconds before
        source.response_started(503, Headers({"retry-after": "Wed, 21 Oct 2015 07:28:07 GMT"}), 0.0)
        source.closed(0.0)
        assert deadline_of(source) == 7.0

    def test_a_second_head_is_nobodys(self) -> None:
        source = opened()
        source.response_started(500, Headers(), 0.0)
        assert state_of(source) is SourceState.OPEN


class TestReconnecting:
    @pytest.mark.parametrize("how", ["eof", "lost"])
    def test_a_stream_that_ends_is_connected_to_again(self, how: str) -> None:
        source = opened()
        source.receive_data(encode_event("one", id="1"), 5.0)
        if how == "eof":
            source.receive_eof(10.0)
            assert want_of(source) is Want.CLOSE, "close first, then sleep"
            assert deadline_of(source) is None
        else:
            source.connection_lost("reset", 10.0)
        assert state_of(source) is SourceState.RECONNECTING
        assert reopen(source, 10.0) == 10.5
        assert source.reconnects == 1
        assert source.request.headers.get("last-event-id") == "1"
        source.receive_data(encode_event("two", id="2"), 11.0)
        assert [event.data for event in taken(source)] == ["one", "two"]

    def test_half_an_event_is_dropped_with_its_connection(self) -> None:
        source = opened()
        source.receive_data(b"data: lost\nid: 9\n", 0.0)
        source.connection_lost("reset", 0.0)
        reopen(source)
        source.receive_data(b"\ndata: next\n\n", 1.0)
        assert taken(source) == [ServerSentEvent("message", "next", "")]

    def test_an_event_is_worth_new_attempts(self) -> None:
        source = opened(retry=RetryPolicy(max_attempts=2))
        now = 0.0
        for number in range(50):
            source.receive_data(encode_event(str(number)), now)
            source.connection_lost("reset", now)
            now = reopen(source)
        assert source.reconnects == 50
        assert state_of(source) is SourceState.OPEN

    def test_attempts_in_a_row_that_bring_none_are_counted(self) -> None:
        source = connecting()
        waits, now = [], 0.0
        for _ in range(2):
            source.connection_lost("refused", now)
            due = deadline_of(source)
            assert due is not None
            waits.append(due - now)
            now = due
            source.handle_timeout(now)
        source.connection_lost("refused", now)
        assert waits == [0.5, 1.0]
        assert (state_of(source), want_of(source)) == (SourceState.CLOSED, Want.NOTHING)
        assert isinstance(source.error, TransportError)
        assert "refused" in str(source.error)

    @pytest.mark.parametrize("make", [connecting, connected, opened])
    def test_what_another_connection_would_meet_too_fails_at_once(
        self, make: Callable[[], EventSource]
    ) -> None:
        source = make()
        source.connection_lost("the peer's certificate is refused", 1.0, retryable=False)
        assert (state_of(source), want_of(source)) == (SourceState.CLOSED, Want.NOTHING)
        assert isinstance(source.error, TransportError)
        assert "certificate is refused" in str(source.error)

    def test_a_connection_that_was_not_made_was_not_lost(self) -> None:
        for request, where in ((GET, "server.test:443"), (HTTPRequest("http://[::1]:81/"), "[::1]:81")):
            source = connecting(request, retry=NO_RETRY)
            source.connection_lost("Connection refused", 0.0)
            assert str(source.error) == f"could not connect to {where}: Connection refused"
            source = connected(request, retry=NO_RETRY)
            source.connection_lost("reset", 0.0)
            assert str(source.error) == f"the connection to {where} was lost: reset"

    def test_a_server_that_only_ever_ends_its_answers_is_an_error(self) -> None:
        source = opened()
        for _ in range(2):
            source.receive_data(b": ping\n\n", 0.0)
            source.receive_eof(0.0)
            reopen(source)
        source.receive_eof(9.0)
        assert state_of(source) is SourceState.CLOSED
        assert isinstance(source.error, TransportError)

    def test_no_retry_is_one_connection(self) -> None:
        source = opened(retry=NO_RETRY)
        source.receive_data(encode_event("x", id="1"), 0.0)
        source.receive_eof(0.0)
        assert state_of(source) is SourceState.CLOSED
        assert source.error is None, "it ended as it should"
        lost = opened(retry=NO_RETRY)
        lost.connection_lost("reset", 0.0)
        assert isinstance(lost.error, TransportError)

    def test_a_transport_that_opens_late_is_closed_before_the_next_attempt(self) -> None:
        source = connecting()
        source.handle_timeout(10.0)
        assert want_of(source) is Want.WAIT
        source.connected(10.2)
        assert want_of(source) is Want.CLOSE
        source.handle_timeout(20.0)
        assert (state_of(source), want_of(source)) == (SourceState.RECONNECTING, Want.CLOSE)
        source.closed(20.0)
        assert deadline_of(source) == 10.5
        source.handle_timeout(20.0)
        assert (want_of(source), deadline_of(source)) == (Want.CONNECT, 30.0)

    def test_thousands_of_attempts(self) -> None:
        source = connecting(retry=RetryPolicy(max_attempts=10**6, multiplier=1000.0))
        now = 0.0
        for _ in range(5000):
            source.connection_lost("refused", now)
            due = deadline_of(source)
            assert due is not None
            assert now < due <= now + 8.0
            now = due
            source.handle_timeout(now)
        assert source.reconnects == 5000


class TestComments:
    def test_they_come_in_their_place_from_next_event(self) -> None:
        seen: list[str] = []
        source = opened(
            on_comment=lambda text: seen.append(f"-{text}"),
            on_reconnect=lambda reconnect: seen.append(f"again {reconnect.last_event_id}"),
        )
        source.receive_data(b": a\nid: 1\ndata: 1\n\n: b\n\n: c\ndata: 2\n\n: d\n", 0.0)
        source.connection_lost("reset", 0.0)
        assert seen == []
        while (event := source.next_event()) is not None:
            seen.append(event.data)
        assert seen == ["-a", "1", "-b", "-c", "2", "-d", "again 1"]

    def test_they_are_no_progress_and_need_no_listener(self) -> None:
        source = opened()
        source.receive_data(b": a\n\ndata: 1\n\n: b\n\n", 0.0)
        assert [event.data for event in taken(source)] == ["1"]


class TestReconnectionTime:
    def delay(self, retry: bytes, random: float = 0.0, failures: int = 0) -> float:
        source = opened(retry=RetryPolicy(max_attempts=100), jitter=lambda: random)
        source.receive_data(b"retry: " + retry + b"\ndata: x\n\n", 0.0)
        source.connection_lost("reset", 0.0)
        now = 0.0
        for _ in range(failures):
            due = deadline_of(source)
            assert due is not None
            source.handle_timeout(due)
            source.connection_lost("refused", due)
            now = due
        due = deadline_of(source)
        assert due is not None
        return due - now

    def test_it_is_the_streams_word(self) -> None:
        assert self.delay(b"3000") == 3.0
        assert self.delay(b"20000") == 20.0, "also above the longest delay of our own"
        assert self.delay(b"never") == 0.5

    def test_nobody_connects_hundreds_of_times_in_a_second_or_not_for_a_month(self) -> None:
        for retry in (b"0", b"000", b"1", b"499"):
            assert self.delay(retry) == RetryPolicy().min_reconnection_time == 0.5
        for retry in (b"300000", b"300001", b"2147483647"):
            assert self.delay(retry) == RetryPolicy().max_reconnection_time == 300.0

    def test_the_bounds_hold_by_the_letter_too_and_are_yours(self) -> None:
        for policy, seconds in (
            (BROWSER_RETRY, 0.5),
            (RetryPolicy(min_reconnection_time=0.0), 0.0),
            (RetryPolicy(min_reconnection_time=2.0), 2.0),
        ):
            source = opened(retry=policy)
            source.receive_data(b"retry: 0\ndata: x\n\n", 0.0)
            source.connection_lost("reset", 0.0)
            assert deadline_of(source) == seconds

    def test_jitter_makes_it_later_never_earlier(self) -> None:
        """The rule: "Wait a delay equal to the reconnection time"; "Optionally, wait some more"."""
        assert self.delay(b"3000", random=0.999) == pytest.approx(3.75, abs=0.01)

    def test_it_grows_while_attempts_fail(self) -> None:
        assert [self.delay(b"3000", failures=failures) for failures in range(5)] == [3.0, 3.0, 6.0, 8.0, 8.0]

    def test_retry_after_is_the_newer_word(self) -> None:
        source = opened()
        source.receive_data(b"retry: 3000\ndata: x\n\n", 0.0)
        source.receive_eof(0.0)
        source.closed(0.0)
        source.handle_timeout(3.0)
        source.connected(3.0)
        source.response_started(429, Headers({"retry-after": "1"}), 3.0)
        source.closed(3.0)
        assert deadline_of(source) == 4.0


class TestDeadlines:
    @pytest.mark.parametrize(("name", "seconds"), [("connect", 10.0), ("first_byte", 60.0), ("idle", 120.0)])
    def test_each_is_tried_again_and_has_its_words(self, name: str, seconds: float) -> None:
        source = {"connect": connecting, "first_byte": connected, "idle": opened}[name]()
        assert deadline_of(source) == seconds
        source.handle_timeout(seconds - 0.001)
        assert state_of(source) is not SourceState.RECONNECTING
        source.handle_timeout(seconds)
        assert state_of(source) is SourceState.RECONNECTING
        once = {"connect": connecting, "first_byte": connected, "idle": opened}[name](retry=NO_RETRY)
        once.handle_timeout(seconds)
        assert isinstance(once.error, TransportError)
        assert f"deadline: {name}" in str(once.error)

    def test_any_byte_is_a_sign_of_life(self) -> None:
        source = opened()
        source.receive_data(b":", 100.0)
        assert deadline_of(source) == 220.0

    def test_without_deadlines_there_is_none(self) -> None:
        nothing = SourceDeadlines(connect=None, first_byte=None, idle=None)
        for make in (connecting, connected, opened):
            assert deadline_of(make(deadlines=nothing)) is None

    def test_much_too_late_is_late_and_no_more(self) -> None:
        source = connected()
        source.handle_timeout(1e6)
        source.closed(1e6)
        source.handle_timeout(1e6)
        assert deadline_of(source) == 1e6 + 0.5


class TestPause:
    def test_no_reading_and_no_idling_while_paused(self) -> None:
        source = opened()
        source.pause(1.0)
        assert (want_of(source), deadline_of(source)) == (Want.PAUSE, None)
        source.handle_timeout(1e6)
        assert state_of(source) is SourceState.OPEN
        source.resume(1e6)
        assert (want_of(source), deadline_of(source)) == (Want.READ, 1e6 + 120)

    def test_bytes_that_were_read_before_it_still_count(self) -> None:
        source = opened()
        source.pause(1.0)
        source.receive_data(encode_event("x"), 2.0)
        assert len(taken(source)) == 1
        assert deadline_of(source) is None

    def test_resuming_what_is_not_paused_changes_nothing(self) -> None:
        """Otherwise a consumer that only asks often would keep a dead peer alive."""
        source = opened()
        source.resume(100.0)
        assert deadline_of(source) == 120.0

    def test_it_outlasts_a_connection(self) -> None:
        source = opened()
        source.pause(0.0)
        source.connection_lost("reset", 0.0)
        assert want_of(source) is Want.WAIT
        reopen(source)
        assert (want_of(source), deadline_of(source)) == (Want.PAUSE, None)

    def test_and_waits_for_no_head(self) -> None:
        source = connected()
        source.pause(0.0)
        assert (want_of(source), deadline_of(source)) == (Want.READ, 60.0)
        source.resume(1.0)
        assert deadline_of(source) == 60.0


class TestBounds:
    @pytest.mark.parametrize("limit", ["max_line_bytes", "max_event_bytes"])
    def test_what_is_beyond_a_bound_ends_it(self, limit: str) -> None:
        settings: dict[str, Any] = {limit: 100}
        source = opened(**settings)
        source.receive_data((b"data: " + b"x" * 60 + b"\n") * 2, 0.0)
        source.receive_data(b"data: " + b"x" * 120 + b"\n", 0.0)
        assert (state_of(source), want_of(source)) == (SourceState.CLOSED, Want.CLOSE)
        assert isinstance(source.error, LimitExceeded)
        assert (source.error.limit, source.error.bound) == (limit, 100)

    @pytest.mark.parametrize("how", ["data", "eof"])
    def test_behind_whole_events_in_one_chunk(self, how: str) -> None:
        """The events before it are given; then it ends, and is not requested again and again."""
        source = opened(max_line_bytes=100)
        source.receive_data(encode_event("one", id="1") + b"data: " + b"x" * 120, 0.0)
        assert [event.data for event in taken(source)] == ["one"]
        assert state_of(source) is SourceState.OPEN
        if how == "data":
            source.receive_data(b"x", 0.0)
        else:
            source.receive_eof(0.0)
        assert state_of(source) is SourceState.CLOSED
        assert isinstance(source.error, LimitExceeded)

    def test_a_cut_behind_it_leads_to_it_again(self) -> None:
        source = opened(max_line_bytes=100)
        source.receive_data(encode_event("one", id="1") + b"data: " + b"x" * 120, 0.0)
        source.connection_lost("reset", 0.0)
        reopen(source)
        source.receive_data(b"data: " + b"x" * 120, 0.0)
        assert isinstance(source.error, LimitExceeded)

    def test_a_huge_reconnection_time_is_a_finite_wait(self) -> None:
        source = opened()
        source.receive_data(b"retry: " + b"9" * 30 + b"\ndata: x\n\n", 0.0)
        source.receive_eof(0.0)
        source.closed(0.0)
        due = deadline_of(source)
        assert due is not None
        assert due < math.inf
