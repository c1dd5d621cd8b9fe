"""Redirects: where they lead, what goes along, and what never does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import LimitExceeded, RemoteProtocolError, TransportError, encode_event
from sse_core.headers import Headers
from sse_core.lifecycle import (
    DEFAULT_MAX_REDIRECTS,
    EventSource,
    HTTPRequest,
    RetryPolicy,
    SourceState,
    Want,
)
from sse_core.urls import parse_url
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
    redirect,
    refuse,
    reopen,
    state_of,
    taken,
    want_of,
)

STATUSES = [301, 302, 303, 307, 308]
SECRETS = {
    "authorization": "Bearer secret",
    "cookie": "session=secret",
    "proxy-authorization": "secret",
    "x-api-key": "secret",
    "api-key": "secret",
    "x-goog-api-key": "secret",
    "x-any-other": "secret",
}
HARMLESS = {
    "accept": "text/event-stream",
    "accept-language": "de",
    "cache-control": "no-store",
    "last-event-id": "7",
    "pragma": "no-cache",
    "user-agent": "mine",
}


def request_with(method: str = "GET", body: bytes = b"", **fields: str) -> HTTPRequest:
    return HTTPRequest(URL, method, Headers({**SECRETS, **HARMLESS, **fields}), body)


class TestWhere:
    @pytest.mark.parametrize("status", STATUSES)
    def test_each_status_that_says_where(self, status: int) -> None:
        source = connecting()
        follow(source, "/elsewhere", status)
        assert source.request.url == "https://server.test/elsewhere"
        source.connected(1.0)
        source.response_started(200, STREAM, 1.0)
        source.receive_data(encode_event("here"), 1.0)
        assert [event.data for event in taken(source)] == ["here"]
        assert source.url == URL, "no redirect changes it"
        assert source.reconnects == 0, "a redirect is none"

    @pytest.mark.parametrize(
        ("location", "url"),
        [
            ("", URL),
            ("?y=2", "https://server.test/events?y=2"),
            ("other", "https://server.test/other"),
            ("/a/../b", "https://server.test/b"),
            ("//other.test/a", "https://other.test/a"),
            ("https://other.test:8443/a?b=c", "https://other.test:8443/a?b=c"),
            ("/part#one", "https://server.test/part"),
            ("https:/same", "https://server.test/same"),
        ],
    )
    def test_a_location_is_relative_to_where_one_is(self, location: str, url: str) -> None:
        source = connecting()
        follow(source, location)
        assert source.request.url == url

    def test_each_step_is_relative_to_the_last_one(self) -> None:
        source = connecting()
        for location in ("https://other.test/a/b", "c", "../d"):
            follow(source, location)
        assert source.request.url == "https://other.test/d"

    @pytest.mark.parametrize(
        "location",
        [
            "ftp://server.test/",
            "javascript:alert(1)",
            "data:text/event-stream,data:x",
            "https://user:secret@server.test/",
            "https://[::1/secret",
            "https://secret\u2100.test/",
            "/\xe9",
            "/a b",
            "https://:80/secret",
        ],
    )
    def test_what_is_no_url_to_follow(self, location: str) -> None:
        source = connected()
        source.response_started(*redirect(location), 0.0)
        assert (state_of(source), want_of(source)) == (SourceState.CLOSED, Want.CLOSE)
        assert isinstance(source.error, RemoteProtocolError)
        assert source.error.status == 502
        assert "redirects" in str(source.error)
        assert "secret" not in str(source.error)

    def test_two_locations_are_none(self) -> None:
        source = connected()
        source.response_started(302, Headers([("location", "/a"), ("location", "/b")]), 0.0)
        assert "several" in str(source.error)

    @pytest.mark.parametrize("status", STATUSES)
    def test_a_redirect_to_nowhere_is_a_refusal(self, status: int) -> None:
        source = connected()
        refuse(source, status)
        assert state_of(source) is SourceState.CLOSED
        assert isinstance(source.error, RemoteProtocolError)
        assert source.error.status == status

    @pytest.mark.parametrize("status", STATUSES)
    def test_one_that_is_not_to_be_followed_is_a_refusal(self, status: int) -> None:
        source = connected(follow_redirects=False)
        refuse(source, *redirect("/there", status))
        assert state_of(source) is SourceState.CLOSED
        assert isinstance(source.error, RemoteProtocolError)
        assert source.error.status == status
        assert source.error.headers.get("location") == "/there"

    @pytest.mark.parametrize("status", [300, 304, 305, 306, 201, 404])
    def test_another_status_is_no_redirect_whatever_its_location(self, status: int) -> None:
        source = connected()
        refuse(source, *redirect("/elsewhere", status))
        assert state_of(source) is SourceState.CLOSED

    def test_nobody_is_led_from_https_to_http(self) -> None:
        source = connected()
        source.response_started(*redirect("http://server.test/events"), 0.0)
        assert state_of(source) is SourceState.CLOSED
        assert "from https to http" in str(source.error)

    def test_the_other_way_is_well_trodden(self) -> None:
        source = connecting(HTTPRequest("http://server.test/"))
        follow(source, "https://server.test/", 308)
        assert source.request.url == "https://server.test/"

    @pytest.mark.parametrize(
        ("location", "url"),
        [
            ("/b?c#d", "http+unix://%2Frun%2Fx.sock/b?c"),
            ("b", "http+unix://%2Frun%2Fx.sock/a/b"),
            ("?q", "http+unix://%2Frun%2Fx.sock/a/?q"),
            ("http+unix://%2Frun%2Fx.sock/b", "http+unix://%2Frun%2Fx.sock/b"),
            ("http://server.test/b", "http://server.test/b"),
        ],
    )
    def test_from_a_unix_socket(self, location: str, url: str) -> None:
        source = connecting(HTTPRequest("http+unix://%2Frun%2Fx.sock/a/", headers=Headers(SECRETS)))
        follow(source, location)
        assert source.request.url == url
        assert ("authorization" in source.request.headers) == url.startswith("http+unix:")

    @pytest.mark.parametrize("url", ["http+unix://%2Frun%2Fx.sock/", "http://server.test/"])
    @pytest.mark.parametrize(
        "location", ["http+unix://%2Frun%2Fother.sock/", "HTTP+unix://other/", "//other/", "http+unix:///x"]
    )
    def test_no_peer_chooses_another_unix_socket(self, url: str, location: str) -> None:
        """One of them may be an administrator's."""
        if location == "//other/" and url.startswith("http:"):
            return
        source = connected(HTTPRequest(url))
        source.response_started(*redirect(location), 0.0)
        assert state_of(source) is SourceState.CLOSED


class TestHowOften:
    def test_so_many_and_no_more(self) -> None:
        source = connecting()
        for _ in range(DEFAULT_MAX_REDIRECTS):
            follow(source, "/round")
        source.connected(0.0)
        source.response_started(*redirect("/round"), 0.0)
        assert (state_of(source), want_of(source)) == (SourceState.CLOSED, Want.CLOSE)
        assert isinstance(source.error, LimitExceeded)
        assert (source.error.limit, source.error.bound) == ("max_redirects", 20)
        assert source.error.status == 502

    def test_none_if_you_say_so(self) -> None:
        source = connected(max_redirects=0)
        source.response_started(*redirect("/elsewhere"), 0.0)
        assert isinstance(source.error, LimitExceeded)
        with pytest.raises(ValueError, match="max_redirects"):
            EventSource(GET, max_redirects=-1)

    def test_each_attempt_has_its_own(self) -> None:
        source = connecting(max_redirects=1, retry=RetryPolicy(max_attempts=9))
        for _ in range(5):
            follow(source, "/elsewhere")
            source.connection_lost("refused", 0.0)
            source.handle_timeout(deadline_of(source) or 0.0)

    def test_it_is_no_attempt(self) -> None:
        """Two attempts, each with redirects before it fails."""
        source = connecting(retry=RetryPolicy(max_attempts=2))
        for last in (False, True):
            follow(source, "/a")
            follow(source, "/b")
            source.connection_lost("refused", 0.0)
            assert (state_of(source) is SourceState.CLOSED) is last
            source.handle_timeout(deadline_of(source) or 0.0)
        assert source.reconnects == 1
        assert isinstance(source.error, TransportError)

    def test_each_server_has_its_own_time(self) -> None:
        source = connected()
        source.response_started(*redirect("/elsewhere"), 50.0)
        assert deadline_of(source) is None, "to close takes none"
        source.closed(51.0)
        assert deadline_of(source) == 61.0
        source.connected(52.0)
        assert deadline_of(source) == 112.0


class TestMethod:
    @pytest.mark.parametrize(
        ("status", "method", "after"),
        [
            *((status, "GET", "GET") for status in STATUSES),
            *((status, "HEAD", "HEAD") for status in STATUSES),
            (301, "POST", "GET"),
            (302, "POST", "GET"),
            (303, "POST", "GET"),
            (307, "POST", "POST"),
            (308, "POST", "POST"),
            (301, "PUT", "PUT"),
            (302, "PUT", "PUT"),
            (303, "PUT", "GET"),
            (307, "PUT", "PUT"),
        ],
    )
    def test_what_fetch_says(self, status: int, method: str, after: str) -> None:
        body = b"" if method in {"GET", "HEAD"} else b"{}"
        source = connecting(
            request_with(method, body, **{"content-type": "text/plain", "content-language": "de"})
        )
        follow(source, "/elsewhere", status)
        request = source.request
        assert request.method == after
        assert request.body == (body if after == method else b"")
        assert ("content-type" in request.headers) is (after == method)
        assert ("content-language" in request.headers) is (after == method)
        assert request.headers.get("authorization") == "Bearer secret", "it is the same origin"

    def test_a_post_that_became_a_get_is_not_made_again(self) -> None:
        """It was heard, and may have had its effect: the rule for resuming holds from there."""
        source = connecting(POST)
        follow(source, "/result", 303)
        source.connection_lost("refused", 0.0)
        assert state_of(source) is SourceState.CLOSED
        assert isinstance(source.error, TransportError)

    def test_one_that_was_only_sent_elsewhere_is(self) -> None:
        source = connecting(POST)
        follow(source, "/elsewhere", 307)
        source.connection_lost("refused", 0.0)
        assert state_of(source) is SourceState.RECONNECTING


class TestOtherOrigins:
    OTHERS = (
        "https://other.test/",
        "https://server.test:444/",
        "//sub.server.test/",
        "https://server.test./",
    )

    @pytest.mark.parametrize("location", OTHERS)
    @pytest.mark.parametrize("status", STATUSES)
    def test_no_credential_goes_there(self, location: str, status: int) -> None:
        source = connecting(request_with())
        follow(source, location, status)
        assert dict(source.request.headers) == HARMLESS

    @pytest.mark.parametrize("location", ["https://SERVER.test:443/a", "/a", "?b"])
    def test_the_same_one_may_be_written_otherwise(self, location: str) -> None:
        source = connecting(request_with())
        follow(source, location)
        assert dict(source.request.headers) == {**SECRETS, **HARMLESS}

    def test_what_was_taken_away_does_not_come_back(self) -> None:
        """The other origin says where on this one: it must not choose what is done in your name."""
        source = connecting(request_with())
        follow(source, "https://other.test/")
        follow(source, URL + "&transfer=everything")
        assert dict(source.request.headers) == HARMLESS

    @pytest.mark.parametrize("status", [307, 308])
    def test_no_body_goes_there(self, status: int) -> None:
        """It may hold credentials too, and is for whom it was written."""
        source = connected(POST)
        source.response_started(*redirect("https://other.test/", status), 0.0)
        assert state_of(source) is SourceState.CLOSED
        assert "body" in str(source.error)

    @pytest.mark.parametrize("status", [301, 302, 303])
    def test_a_get_does(self, status: int) -> None:
        source = connecting(request_with("POST", b"{}"))
        follow(source, "https://other.test/", status)
        assert (source.request.method, source.request.body) == ("GET", b"")
        assert dict(source.request.headers) == HARMLESS

    def test_the_last_event_id_does(self) -> None:
        """It is the stream's own word, and without it events would come twice."""
        source = connecting(last_event_id="9")
        follow(source, "https://other.test/")
        assert source.request.headers.get("last-event-id") == "9"

    def test_the_origin_of_events(self) -> None:
        source = connecting()
        assert source.origin == "https://server.test"
        follow(source, "https://Other.test:8443/a")
        source.connected(0.0)
        source.response_started(200, STREAM, 0.0)
        assert source.origin == "https://other.test:8443"
        source.connection_lost("reset", 0.0)
        assert source.origin == "https://other.test:8443", "the events that were read came from there"
        reopen(source)
        assert source.origin == "https://server.test"

    @given(
        st.sampled_from(["GET", "POST", "PUT", "HEAD"]),
        st.lists(
            st.tuples(
                st.sampled_from(STATUSES),
                st.sampled_from(["/a", "b", "//other.test/", "https://server.test/", "https://a.test:1/c"]),
            ),
            max_size=6,
        ),
    )
    def test_a_secret_is_seen_by_its_own_origin_only(self, method: str, hops: list[tuple[int, str]]) -> None:
        body = b"secret" if method in {"POST", "PUT"} else b""
        source = connecting(request_with(method, body))
        for status, location in hops:
            source.connected(0.0)
            source.response_started(*redirect(location, status), 0.0)
            source.closed(0.0)
            if state_of(source) is SourceState.CLOSED:
                return
            request = source.request
            if parse_url(request.url).origin != "https://server.test":
                assert "secret" not in repr([*request.headers, request.body])


class TestAgain:
    @pytest.mark.parametrize("how", ["lost while connecting", "refused for now", "lost while reading"])
    def test_a_reconnect_begins_where_the_first_did(self, how: str) -> None:
        source = connecting(request_with())
        follow(source, "https://other.test/a")
        source.connected(0.0)
        if how == "refused for now":
            source.response_started(503, Headers(), 0.0)
        elif how == "lost while reading":
            source.response_started(200, STREAM, 0.0)
        source.connection_lost("reset", 0.0)
        request = source.request
        assert request.url == URL
        assert dict(request.headers) == {**SECRETS, **HARMLESS}
        reopen(source)
        assert source.reconnects == 1

    def test_the_server_may_break_the_connection_itself(self) -> None:
        source = connected()
        source.response_started(*redirect("/elsewhere"), 0.0)
        source.connection_lost("reset", 0.0)
        assert (state_of(source), want_of(source)) == (SourceState.CONNECTING, Want.CONNECT)
        assert source.request.url == "https://server.test/elsewhere"

    def test_close_is_close(self) -> None:
        source = connected()
        source.response_started(*redirect("/elsewhere"), 0.0)
        source.close(0.0)
        source.closed(0.0)
        assert (state_of(source), want_of(source)) == (SourceState.CLOSED, Want.NOTHING)
        assert source.error is None

    def test_words_of_the_old_transport_are_nobodys(self) -> None:
        source = connected()
        source.response_started(*redirect("/elsewhere"), 0.0)
        source.response_started(200, STREAM, 0.0)
        source.receive_data(encode_event("x"), 0.0)
        source.receive_eof(0.0)
        source.handle_timeout(1e9)
        assert state_of(source) is SourceState.REDIRECTING
        assert taken(source) == []

    def test_204_at_the_end_stops(self) -> None:
        source = connecting()
        follow(source, "/elsewhere")
        source.connected(0.0)
        source.response_started(204, Headers(), 0.0)
        assert state_of(source) is SourceState.CLOSED
        assert source.error is None


class TestContentLocation:
    """Where a POST's answer is read on, if the answer came from elsewhere."""

    def located(self, to: str, status: int, content_location: str) -> EventSource:
        source = connecting(request_with("POST", b"" if "other" in to else b"{}"))
        follow(source, to, status)
        source.connected(0.0)
        source.response_started(200, STREAM.replaced({"content-location": content_location}), 0.0)
        return source

    def test_it_is_relative_to_the_final_url(self) -> None:
        source = self.located("/turns/", 307, "7")
        assert source.request.url == "https://server.test/turns/7"
        assert source.request.method == "GET"
        assert source.request.headers.get("authorization") == "Bearer secret"

    @pytest.mark.parametrize("content_location", ["7", "https://server.test/turns/7"])
    def test_another_origin_has_no_say(self, content_location: str) -> None:
        """Not in its own name, where the credentials don't belong; not in ours."""
        source = self.located("https://other.test/", 307, content_location)
        assert (source.request.url, source.request.method) == (URL, "POST")

    def test_a_reading_on_may_be_redirected(self) -> None:
        source = opened(POST, STREAM.replaced({"content-location": "/turns/7"}))
        source.connection_lost("reset", 0.0)
        source.handle_timeout(deadline_of(source) or 0.0)
        follow(source, "/archive/7", 302)
        assert (source.request.url, source.request.method) == ("https://server.test/archive/7", "GET")
        source.connected(1.0)
        source.response_started(200, STREAM, 1.0)
        source.connection_lost("reset", 1.0)
        assert source.request.url == "https://server.test/turns/7"
