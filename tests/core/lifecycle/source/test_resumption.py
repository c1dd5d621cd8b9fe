"""Which request follows when a connection is gone: what is done once is not done twice."""

from __future__ import annotations

from typing import Any

import pytest

from sse_core import RemoteProtocolError, TransportError, encode_event
from sse_core.headers import Headers
from sse_core.lifecycle import EventSource, HTTPRequest, RetryPolicy, SourceState, Want
from tests.core.lifecycle.source.source_support import (
    GET,
    POST,
    STREAM,
    URL,
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

SAFE = ["GET", "HEAD", "OPTIONS", "QUERY", "REPORT"]
UNSAFE = ["POST", "PUT", "PATCH", "DELETE", "MKCOL", "post", "Get"]
RULES = [None, "get", "always", "never"]


def request_with(method: str) -> HTTPRequest:
    return HTTPRequest(URL, method, Headers({"content-type": "text/plain", "x-key": "1"}), b"{}")


def lose(source: EventSource, how: str) -> None:
    """The connection ends: cut, by a deadline, or properly."""
    if how == "cut":
        source.connection_lost("reset", 1.0)
    elif how == "silent":
        source.handle_timeout(1e6)
    else:
        source.receive_eof(1.0)


def next_request(source: EventSource) -> tuple[str, str, bytes] | None:
    """What the source asks for next, or ``None`` if it is over."""
    if state_of(source) is SourceState.CLOSED:
        return None
    assert state_of(source) is SourceState.RECONNECTING
    request = source.request
    return request.method, request.url, request.body


class TestSafeMethods:
    @pytest.mark.parametrize("how", ["cut", "silent", "ended"])
    @pytest.mark.parametrize("rule", [None, "get", "always"])
    @pytest.mark.parametrize("method", SAFE)
    def test_they_are_requested_again_as_whatwg_says(self, method: str, rule: str | None, how: str) -> None:
        source = opened(request_with(method), resume=rule)
        lose(source, how)
        assert next_request(source) == (method, URL, b"{}")
        assert source.request.headers.get("content-type") == "text/plain"

    @pytest.mark.parametrize("how", ["cut", "silent", "ended"])
    @pytest.mark.parametrize("method", SAFE)
    def test_never_means_not_once_they_were_answered(self, method: str, how: str) -> None:
        source = opened(request_with(method), resume="never")
        lose(source, how)
        assert next_request(source) is None
        assert (source.error is None) is (how == "ended")

    def test_without_an_answer_the_policy_alone_decides(self) -> None:
        source = connected(request_with("GET"), resume="never")
        source.connection_lost("reset", 0.0)
        assert state_of(source) is SourceState.RECONNECTING

    def test_a_content_location_moves_them_nowhere(self) -> None:
        source = opened(GET, STREAM.replaced({"content-location": "/turns/7"}))
        source.connection_lost("reset", 0.0)
        assert source.request.url == URL

    @pytest.mark.parametrize("status", [201, 202])
    def test_whatwg_wants_200(self, status: int) -> None:
        source = connected(GET)
        refuse(source, status, STREAM)
        assert isinstance(source.error, RemoteProtocolError)
        assert source.error.status == status


class TestOtherMethods:
    @pytest.mark.parametrize("how", ["cut", "silent", "ended"])
    @pytest.mark.parametrize("events", [b"", encode_event("x"), encode_event("x", id="1"), b"retry: 1\n"])
    @pytest.mark.parametrize("method", UNSAFE)
    def test_what_was_answered_is_not_requested_again(self, method: str, events: bytes, how: str) -> None:
        """An event ID says where a stream was left, and not what another request does."""
        source = opened(request_with(method), retry=RetryPolicy(max_attempts=99), last_event_id="7")
        source.receive_data(events, 0.0)
        lose(source, how)
        assert next_request(source) is None
        assert (source.error is None) is (how == "ended"), "what ended properly is over"

    def test_one_connection_for_a_server_that_closes_it_at_once(self) -> None:
        """As a server of MCP does that wants to be polled."""
        source = opened(POST)
        source.receive_data(b"id: 1\nretry: 50\ndata: \n\n", 0.0)
        source.receive_eof(0.0)
        source.closed(0.0)
        assert (state_of(source), want_of(source)) == (SourceState.CLOSED, Want.NOTHING)
        assert source.error is None
        assert source.reconnects == 0

    @pytest.mark.parametrize("rule", RULES)
    def test_always_repeats_it_after_a_cut_and_never_after_a_proper_end(self, rule: str | None) -> None:
        for how in ("cut", "silent", "ended"):
            source = opened(POST, resume=rule)
            source.receive_data(encode_event("x", id="1"), 0.0)
            lose(source, how)
            repeats = rule == "always" and how != "ended"
            expected = ("POST", URL, b"{}") if repeats else ("GET", URL, b"")
            goes_on = repeats or (rule == "get" and how != "ended")
            assert next_request(source) == (expected if goes_on else None)
            if goes_on:
                assert source.request.headers.get("last-event-id") == "1"

    @pytest.mark.parametrize("rule", ["if-event-id", "", "GET", 1])
    def test_another_rule_is_none(self, rule: Any) -> None:
        with pytest.raises(ValueError, match="'get', 'always', 'never' or None"):
            EventSource(POST, resume=rule)


class TestGet:
    """``resume="get"``: the answer to a POST is read on at the same URL."""

    def test_as_streamable_http_has_it(self) -> None:
        source = opened(POST, resume="get")
        source.receive_data(encode_event("x", id="s1/7"), 0.0)
        source.connection_lost("reset", 0.0)
        request = source.request
        assert (request.method, request.url, request.body) == ("GET", URL, b"")
        assert request.headers.get("last-event-id") == "s1/7"
        assert "content-type" not in request.headers, "there is no content"
        reopen(source)
        source.receive_data(encode_event("y", id="s1/8"), 1.0)
        assert [event.data for event in taken(source)] == ["x", "y"]
        source.connection_lost("reset", 2.0)
        assert source.request.method == "GET"

    def test_after_a_proper_end_only_if_the_server_sent_retry(self) -> None:
        source = opened(POST, resume="get")
        source.receive_data(b"id: 1\nretry: 1000\ndata: \n\n", 0.0)
        source.receive_eof(0.0)
        assert next_request(source) == ("GET", URL, b"")
        source.closed(0.0)
        assert deadline_of(source) == 1.0
        reopen(source)
        source.receive_eof(2.0)
        assert state_of(source) is SourceState.RECONNECTING, "as long as the attempts last"
        over = opened(POST, resume="get")
        over.receive_data(encode_event("x", id="1"), 0.0)
        over.receive_eof(0.0)
        assert next_request(over) is None
        assert over.error is None

    def test_nor_after_a_reading_on_that_ended(self) -> None:
        source = opened(POST, resume="get")
        source.connection_lost("reset", 0.0)
        reopen(source)
        source.receive_data(encode_event("the end", id="2"), 1.0)
        source.receive_eof(1.0)
        assert next_request(source) is None

    def test_a_content_location_is_another_rules(self) -> None:
        source = opened(POST, STREAM.replaced({"content-location": "/turns/7"}), resume="get")
        source.connection_lost("reset", 0.0)
        assert source.request.url == URL


class TestBeforeAnAnswer:
    @pytest.mark.parametrize("rule", RULES)
    def test_what_was_never_sent_may_be_sent_again(self, rule: str | None) -> None:
        source = connecting(POST, resume=rule)
        source.connection_lost("refused", 0.0)
        assert next_request(source) == ("POST", URL, b"{}")
        late = connecting(POST, resume=rule)
        late.handle_timeout(10.0)
        assert next_request(late) == ("POST", URL, b"{}")

    @pytest.mark.parametrize("rule", RULES)
    def test_what_may_have_been_done_may_not(self, rule: str | None) -> None:
        """RFC 9110 section 9.2.2; who says ``"always"`` has said that it does no harm."""
        for how in ("cut", "silent"):
            source = connected(POST, resume=rule)
            lose(source, how)
            assert next_request(source) == (("POST", URL, b"{}") if rule == "always" else None)
            assert rule == "always" or isinstance(source.error, TransportError)

    @pytest.mark.parametrize("status", [408, 409, 429, 503, 529])
    def test_a_refusal_that_says_that_nothing_was_done(self, status: int) -> None:
        source = connected(POST)
        source.response_started(status, Headers(), 0.0)
        assert next_request(source) == ("POST", URL, b"{}")
        reopen(source)
        source.receive_data(encode_event("x"), 1.0)
        source.connection_lost("reset", 1.0)
        assert next_request(source) is None, "now it was answered"

    @pytest.mark.parametrize("status", [500, 502, 504])
    def test_one_that_does_not(self, status: int) -> None:
        source = connected(POST)
        refuse(source, status)
        assert next_request(source) is None
        assert isinstance(source.error, RemoteProtocolError)
        sure = connected(POST)
        sure.response_started(status, Headers({"x-should-retry": "true"}), 0.0)
        assert next_request(sure) == ("POST", URL, b"{}"), "that is the server's own word"
        always = connected(POST, resume="always")
        always.response_started(status, Headers(), 0.0)
        assert next_request(always) == ("POST", URL, b"{}")

    def test_after_a_refusal_it_is_sent_anew(self) -> None:
        source = connected(POST)
        source.response_started(429, Headers(), 0.0)
        source.closed(0.0)
        source.handle_timeout(1.0)
        source.connected(1.0)
        source.connection_lost("reset", 1.0)
        assert next_request(source) is None


class TestPlace:
    """The answer to a POST may say where it can be read on (RFC 9110 sections 8.7 and 10.2.2)."""

    def located(self, place: str, status: int = 200, field: str = "content-location") -> EventSource:
        source = connected(POST)
        source.response_started(status, STREAM.replaced({field: place}), 0.0)
        assert state_of(source) is SourceState.OPEN
        return source

    @pytest.mark.parametrize(
        ("place", "url"),
        [
            ("/turns/7", "https://server.test/turns/7"),
            ("turns/7?a=b", "https://server.test/turns/7?a=b"),
            ("https://server.test/turns/7", "https://server.test/turns/7"),
            ("/turns/7#part", "https://server.test/turns/7"),
        ],
    )
    @pytest.mark.parametrize(
        ("status", "field"), [(200, "content-location"), (201, "location"), (202, "location")]
    )
    def test_it_is_read_on_there_by_get(self, place: str, url: str, status: int, field: str) -> None:
        source = self.located(place, status, field)
        source.connection_lost("reset", 0.0)
        request = source.request
        assert (request.url, request.method, request.body) == (url, "GET", b"")
        assert request.headers.get("accept") == "text/event-stream"
        assert "content-type" not in request.headers, "there is no content"
        reopen(source)
        assert state_of(source) is SourceState.OPEN

    def test_after_a_proper_end_too(self) -> None:
        """A server may end a reader's answer to have him back; 204 says that there is no more."""
        source = self.located("/turns/7")
        source.receive_eof(0.0)
        assert next_request(source) == ("GET", "https://server.test/turns/7", b"")
        source.closed(0.0)
        source.handle_timeout(1.0)
        source.connected(1.0)
        source.response_started(204, Headers(), 1.0)
        assert state_of(source) is SourceState.CLOSED
        assert source.error is None

    def test_the_content_location_goes_first_and_one_of_another_origin_for_none(self) -> None:
        for content_location, url in (
            ("/first", "https://server.test/first"),
            ("https://evil.test/first", "https://server.test/second"),
        ):
            fields = {"content-location": content_location, "location": "/second"}
            source = connected(POST)
            source.response_started(201, STREAM.replaced(fields), 0.0)
            assert source.request.url == url

    def test_a_location_of_a_200_is_none(self) -> None:
        source = self.located("/turns/7", 200, "location")
        source.connection_lost("reset", 0.0)
        assert next_request(source) is None

    @pytest.mark.parametrize("status", [201, 202])
    def test_without_a_place_they_are_streams_like_any(self, status: int) -> None:
        source = connected(POST)
        source.response_started(status, STREAM, 0.0)
        source.receive_data(encode_event("x"), 0.0)
        assert [event.data for event in taken(source)] == ["x"]
        assert source.status == status
        source.receive_eof(0.0)
        assert next_request(source) is None

    def test_credentials_go_with_it(self) -> None:
        post = HTTPRequest(URL, "POST", Headers({"authorization": "Bearer secret"}), b"{}")
        source = opened(post, STREAM.replaced({"content-location": "/turns/7"}))
        assert source.request.headers.get("authorization") == "Bearer secret"

    @pytest.mark.parametrize(
        "place",
        [
            "https://evil.test/turns/7",
            "//evil.test/turns/7",
            "http://server.test/turns/7",
            "https://server.test:444/turns/7",
            "https://user@server.test/turns/7",
            "javascript:alert(1)",
            "https://[::1/turns",
            "/turns/\xe9",
            "/turns/a b",
            "/turns/\x01",
        ],
    )
    @pytest.mark.parametrize(("status", "field"), [(200, "content-location"), (201, "location")])
    def test_but_nowhere_else(self, place: str, status: int, field: str) -> None:
        source = self.located(place, status, field)
        assert (source.request.url, source.request.method) == (URL, "POST")
        source.connection_lost("reset", 0.0)
        assert state_of(source) is SourceState.CLOSED

    def test_the_second_answer_moves_it_no_further(self) -> None:
        source = self.located("/turns/7")
        source.connection_lost("reset", 0.0)
        source.handle_timeout(1.0)
        source.connected(1.0)
        source.response_started(200, STREAM.replaced({"content-location": "/elsewhere"}), 1.0)
        assert source.request.url == "https://server.test/turns/7"

    @pytest.mark.parametrize("rule", ["always", "never"])
    def test_another_rule_has_no_place(self, rule: str) -> None:
        source = opened(POST, STREAM.replaced({"content-location": "/turns/7"}), resume=rule)
        assert source.request.url == URL


class TestRenewedHeaders:
    """A token may expire between two attempts."""

    def test_each_attempt_has_what_was_given_last(self) -> None:
        source = connecting()
        source.renew_headers(Headers({"authorization": "Bearer one"}))
        assert source.request.headers.get("authorization") == "Bearer one"
        source.connected(0.0)
        source.response_started(200, STREAM, 0.0)
        source.connection_lost("reset", 0.0)
        source.renew_headers(Headers({"authorization": "Bearer two"}))
        assert source.request.headers.get("authorization") == "Bearer two"

    def test_a_reading_on_has_none_that_describe_a_body(self) -> None:
        source = opened(POST, resume="get")
        source.connection_lost("reset", 0.0)
        source.renew_headers(Headers({"content-type": "application/json", "x-key": "2"}))
        request = source.request
        assert (request.method, request.headers.get("x-key")) == ("GET", "2")
        assert "content-type" not in request.headers

    def test_where_a_redirect_leads_they_do_not_go_along(self) -> None:
        source = connecting()
        follow(source, "https://other.test/")
        source.renew_headers(Headers({"authorization": "Bearer secret"}))
        assert "authorization" not in source.request.headers
        source.connection_lost("refused", 0.0)
        assert source.request.headers.get("authorization") == "Bearer secret"
