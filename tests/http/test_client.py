"""The client role: requests as they go out, answers cut anywhere, and peers that break off or lie."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core.errors import LimitExceeded, RemoteProtocolError
from sse_core.headers import Headers
from sse_core.lifecycle.machine import HTTPRequest, Want
from sse_http import ClientExchange, Endpoint, ForwardProxy, Proxies, Route
from tests.http.support import Recorder, Upstream, each_byte

WHOLE = ["connected", "response_started", "data", "eof"]
CUT = ["connected", "response_started", "data", "lost"]

LENGTH = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\n0123456789"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"4\r\n0123\r\n6;x=y\r\n456789\r\n0\r\nTrailer: v\r\n\r\n"
)
TO_THE_END = b"HTTP/1.1 200 OK\r\n\r\n0123456789"
OLD = b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n0123456789"
BARE = b"HTTP/1.1 200 OK\nContent-Length: 10\n\n0123456789"
EARLY_HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n" + LENGTH

ANSWERS = {
    "length": (LENGTH, False),
    "chunked": (CHUNKED, False),
    "to the end": (TO_THE_END, True),
    "1.0": (OLD, True),
    "bare lines": (BARE, False),
    "informational": (EARLY_HINTS, False),
}


def ask(machine: Recorder | None = None, **settings: int) -> Upstream:
    return Upstream(machine or Recorder(), **settings).connect()


def seen(machine: Recorder) -> tuple[object, ...]:
    """Not the reason: h11 sees early that bytes are rubbish, and late what kind of rubbish."""
    return (machine.calls, machine.status, machine.headers, bytes(machine.received))


class TestRequest:
    def test_get(self) -> None:
        upstream = ask()
        assert upstream.exchange.target == Endpoint("example.org", 80)
        assert upstream.sent == (
            b"GET /v1?x=1 HTTP/1.1\r\nhost: example.org\r\nconnection: close\r\n"
            b"accept-encoding: identity\r\nuser-agent: sse-core\r\n\r\n"
        )
        assert upstream.exchange.data_to_send() == b""

    def test_post(self) -> None:
        machine = Recorder("https://h:8443/", "POST", {"X-Api-Key": "k", "User-Agent": "me"}, b"body")
        sent = ask(machine).sent
        head, _, body = sent.partition(b"\r\n\r\n")
        assert head.split(b"\r\n") == [
            b"POST / HTTP/1.1",
            b"host: h:8443",
            b"connection: close",
            b"accept-encoding: identity",
            b"content-length: 4",
            b"x-api-key: k",
            b"user-agent: me",
        ]
        assert body == b"body"

    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
    def test_where_a_body_is_expected_none_is_said(self, method: str) -> None:
        """RFC 9110 section 8.6: a user agent "SHOULD send Content-Length" then, 0 for no content."""
        assert b"content-length: 0\r\n" in ask(Recorder(method=method)).sent
        assert b"content-length" not in ask(Recorder(method="DELETE")).sent

    def test_a_body_may_go_with_any_method(self) -> None:
        sent = ask(Recorder(method="GET", body=b"x" * 100_000)).sent
        assert b"content-length: 100000\r\n" in sent
        assert sent.endswith(b"\r\n\r\n" + b"x" * 100_000)

    @pytest.mark.parametrize(
        "field",
        [
            ("Host", "evil.example"),
            ("Connection", "keep-alive"),
            ("Content-Length", "3"),
            ("Transfer-Encoding", "chunked"),
            ("Accept-Encoding", "gzip"),
            ("Upgrade", "websocket"),
            ("Expect", "100-continue"),
            ("Keep-Alive", "1"),
            ("Proxy-Connection", "close"),
            ("TE", "trailers"),
            ("Trailer", "x"),
        ],
    )
    def test_fields_of_the_connection_are_not_the_users(self, field: tuple[str, str]) -> None:
        """RFC 9110 section 7.6.1: such fields are about one connection, and this one is ours."""
        plain = ask(Recorder(method="POST", body=b"body")).sent
        assert ask(Recorder(method="POST", headers=[field], body=b"body")).sent == plain

    def test_text_of_iso_8859_1_goes_out_as_its_bytes(self) -> None:
        assert b"x: \xe9\r\n" in ask(Recorder(headers={"x": "\xe9"})).sent

    def test_each_attempt_sends_what_the_machine_says_then(self) -> None:
        upstream = ask()
        upstream.answer(b"", end=True)
        upstream.machine.request = HTTPRequest("http://example.org/again")
        upstream.machine.want = Want.CONNECT
        upstream.connect()
        assert upstream.sent.startswith(b"GET /again ")
        assert upstream.answer(LENGTH).received == b"0123456789"


UNSENDABLE = [
    Recorder("ftp://example.org/"),
    Recorder("http://user:hunter2@example.org/"),
    Recorder("http://example.org:99999/?key=hunter2"),
    Recorder(headers={"x-api-key": "hunter2\x0b"}),
    Recorder(headers={"x-api-key": "'hunter2\x0c'"}),
    Recorder(headers={"x-api-key": "hunter2\u20ac"}),
    Recorder(headers={"x-api-key": "hunter2 \x1f\x0b b'"}),
    Recorder(method="GE T"),
    Recorder(method=""),
    Recorder(method="G\u00c9T"),
    Recorder(method="GET / HTTP/1.1\r\nx: y\r\n\r\n"),
    Recorder(method="CONNECT"),
]


class TestUnsendable:
    @pytest.mark.parametrize("machine", UNSENDABLE)
    def test_it_is_refused_where_it_is_made(self, machine: Recorder) -> None:
        """So the caller sees the error, not whoever drives the connection later."""
        with pytest.raises(ValueError, match=r"URL|can't be sent") as caught:
            ClientExchange(machine)
        assert type(caught.value) is ValueError
        assert "hunter2" not in str(caught.value)
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__ or caught.value.__context__ is None

    @pytest.mark.parametrize("machine", UNSENDABLE)
    def test_one_that_becomes_so_is_a_lost_attempt(self, machine: Recorder) -> None:
        """A peer's event ID may be what no field can hold: that must not stop whoever drives us."""
        late = Recorder()
        upstream = Upstream(late)
        late.request = machine.request
        upstream.connect()
        assert upstream.sent == b""
        assert upstream.exchange.want is Want.CLOSE
        upstream.exchange.receive_data(LENGTH, 1.0)
        upstream.exchange.closed(1.0)
        assert late.calls == ["connected", "lost"]
        assert "URL" in late.reason or "can't be sent" in late.reason
        assert "hunter2" not in late.reason

    def test_the_text_says_what_is_wrong(self) -> None:
        for machine, words in (
            (Recorder(method="G T"), "method"),
            (Recorder(headers={"x": "\x0b"}), "header value"),
            (Recorder(headers={"x-y": "\u20ac"}), "x-y"),
            (Recorder(method="CONNECT"), "CONNECT"),
        ):
            with pytest.raises(ValueError, match=words):
                ClientExchange(machine)


class TestAnswer:
    @pytest.mark.parametrize("name", ANSWERS)
    def test_whole(self, name: str) -> None:
        data, end = ANSWERS[name]
        machine = ask().answer(data, end=end)
        assert machine.calls[:4] == WHOLE
        assert (machine.status, bytes(machine.received)) == (200, b"0123456789")
        assert machine.want is Want.NOTHING

    @pytest.mark.parametrize("name", ANSWERS)
    def test_byte_by_byte_and_cut_in_two_anywhere(self, name: str) -> None:
        data, end = ANSWERS[name]
        whole = seen(ask().answer(data, end=end))
        assert seen(ask().answer(data, each_byte(data), end=end)) == whole
        for cut in range(1, len(data)):
            assert seen(ask().answer(data, {cut}, end=end)) == whole

    def test_its_fields(self) -> None:
        machine = ask().answer(b"HTTP/1.1 429 \r\nX-Y: \xe9\r\nx-y: 2\r\nContent-Length: 0\r\n\r\n")
        assert machine.status == 429
        assert machine.headers == Headers([("x-y", "\xe9"), ("x-y", "2"), ("content-length", "0")])
        assert machine.calls == ["connected", "response_started", "eof", "lost"]

    def test_head_has_no_body(self) -> None:
        machine = ask(Recorder(method="HEAD")).answer(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")
        assert machine.calls[:3] == ["connected", "response_started", "eof"]

    @pytest.mark.parametrize("status", [b"204", b"304"])
    def test_neither_have_these(self, status: bytes) -> None:
        machine = ask().answer(b"HTTP/1.1 " + status + b" x\r\nTransfer-Encoding: chunked\r\n\r\nabc")
        assert machine.calls[:3] == ["connected", "response_started", "eof"]
        assert not machine.received

    @pytest.mark.parametrize("extra", [b"HTTP/1.1 500 No\r\n\r\n", b"x", b"\r\n", LENGTH])
    @pytest.mark.parametrize("name", ["length", "chunked"])
    def test_bytes_behind_the_end_are_nobodys(self, name: str, extra: bytes) -> None:
        data, _ = ANSWERS[name]
        whole = seen(ask().answer(data))
        assert seen(ask().answer(data + extra)) == whole
        assert seen(ask().answer(data + extra, each_byte(data + extra))) == whole

    def test_a_machine_that_wants_more_learns_that_nothing_follows(self) -> None:
        machine = ask().answer(LENGTH)
        assert (machine.calls[-1], machine.reason) == ("lost", "the answer ended")

    def test_a_machine_that_is_content_learns_that_it_was_closed(self) -> None:
        machine = Recorder(wishes=lambda what: Want.CLOSE if what == "eof" else None)
        assert ask(machine).answer(LENGTH).calls == [*WHOLE, "closed"]

    @pytest.mark.parametrize("moment", ["response_started", "data"])
    def test_a_machine_that_stops_gets_no_more(self, moment: str) -> None:
        machine = Recorder(wishes=lambda what: Want.CLOSE if what == moment else None)
        upstream = ask(machine)
        upstream.answer(CHUNKED)
        upstream.exchange.receive_data(CHUNKED, 2.0)
        assert machine.calls[-2:] == [moment, "closed"]
        assert bytes(machine.received) in {b"", b"0123"}

    @pytest.mark.parametrize("data", [b"", LENGTH])
    def test_a_machine_that_wants_to_close_does_not_learn_that_it_was_lost(self, data: bytes) -> None:
        upstream = ask()
        upstream.machine.want = Want.CLOSE  # somebody pressed Stop
        upstream.exchange.receive_data(data, 1.0)
        upstream.exchange.closed(1.0)
        assert upstream.machine.calls == ["connected", "closed"]

    def test_a_machine_that_pauses_gets_what_was_read_already(self) -> None:
        machine = Recorder(wishes=lambda what: Want.PAUSE if what == "data" else None)
        upstream = ask(machine)
        upstream.exchange.receive_data(CHUNKED, 1.0)
        assert machine.received == b"0123456789"
        assert machine.calls == WHOLE

    def test_time_is_the_machines(self) -> None:
        upstream = ask()
        upstream.machine.deadline = 7.0
        assert upstream.exchange.deadline == 7.0
        upstream.exchange.handle_timeout(7.5)
        assert upstream.machine.calls[-1] == "timeout at 7.5"

    @pytest.mark.parametrize("answers", [1, 100])
    def test_informational_answers_are_passed_over(self, answers: int) -> None:
        machine = ask().answer(b"HTTP/1.1 102 Processing\r\n\r\n" * answers + LENGTH)
        assert machine.calls[:4] == WHOLE


class TestBreakingOff:
    @pytest.mark.parametrize("name", ["length", "chunked"])
    def test_a_peer_that_closes_early_anywhere(self, name: str) -> None:
        data, _ = ANSWERS[name]
        head = data.index(b"\r\n\r\n") + 4
        for size in range(len(data)):
            machine = ask().answer(data[:size], end=True)
            expected = ["connected"] if size < head else ["connected", "response_started"]
            calls = [what for what in machine.calls if what != "data"]
            assert calls == [*expected, "lost"]
            assert b"0123456789".startswith(machine.received)
            assert machine.reason.startswith(("the peer closed", "the answer is not valid HTTP/1.1: peer"))

    def test_before_any_answer(self) -> None:
        assert ask().answer(b"", end=True).reason == "the peer closed the connection before it answered"
        informed = ask().answer(b"HTTP/1.1 100 Continue\r\n\r\n", end=True)
        assert informed.reason == "the peer closed the connection before it answered"

    def test_an_end_is_reported_once(self) -> None:
        upstream = ask()
        for _ in range(3):
            upstream.exchange.receive_data(b"", 1.0)
        upstream.exchange.receive_data(LENGTH, 1.0)
        assert upstream.exchange.want is Want.CLOSE
        upstream.exchange.closed(1.0)
        assert upstream.machine.calls == ["connected", "lost"]

    @pytest.mark.parametrize("data", [b"", LENGTH[:30], LENGTH[:-2]])
    def test_the_transport_breaks(self, data: bytes) -> None:
        upstream = ask()
        upstream.answer(data)
        upstream.exchange.connection_lost("reset by peer", 2.0)
        assert upstream.machine.reason == "reset by peer"
        count = len(upstream.machine.calls)
        upstream.exchange.receive_data(LENGTH, 3.0)
        assert len(upstream.machine.calls) == count

    def test_the_transport_is_never_there(self) -> None:
        upstream = Upstream(Recorder())
        upstream.exchange.receive_data(b"x", 1.0)
        upstream.exchange.connection_lost("refused", 1.0)
        assert upstream.machine.calls == ["lost"]
        assert upstream.exchange.data_to_send() == b""


class TestGarbage:
    @pytest.mark.parametrize(
        "data",
        [
            b"SSH-2.0-OpenSSH_9.9\r\n\r\n",
            b"\x15\x03\x01\x00\x02\x02\x46",  # a TLS alert: https was meant
            b"\r\n\r\n",
            b"HTTP/1.1\r\n\r\n",
            b"HTTP/2 200\r\n\r\n",
            b"HTTP/1.1 20 OK\r\n\r\n",
            b"HTTP/1.1 099 OK\r\n\r\n",
            b"HTTP/1.1 2000 OK\r\n\r\n",
            b"HTTP/1.1 \xb2\xb2\xb2 OK\r\n\r\n",
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n" + LENGTH,
            b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nn\xe4me: x\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nx: \x00\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nab",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabXX",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nbad\r\n\r\n",
        ],
    )
    def test_it_is_a_lost_connection_with_a_reason(self, data: bytes) -> None:
        for cuts in ((), each_byte(data)):
            machine = ask().answer(data, cuts)
            assert machine.calls[-1] == "lost"
            assert "eof" not in machine.calls
            assert machine.reason.startswith("the answer is not valid HTTP/1.1: ")

    def test_the_reason_is_short_and_harmless(self) -> None:
        """A reason is read in a log and a terminal, and may be passed on to a client."""
        line = b"\x1b[2J<b>\xff" + b"x" * 10_000
        reason = ask().answer(b"HTTP/1.1 200 OK\r\n" + line + b"\r\n\r\n").reason
        assert len(reason) < 300
        assert reason.isprintable()

    def test_an_oversize_head(self) -> None:
        def head(size: int) -> bytes:
            start, end = b"HTTP/1.1 200 OK\r\nx: ", b"\r\n\r\n"
            return start + b"y" * (size - len(start + end)) + end

        for cuts in ((), range(0, 2000, 7), range(2000)):
            assert ask(max_head_bytes=1000).answer(head(1000), cuts).status == 200
            machine = ask(max_head_bytes=1000).answer(head(1002), cuts)
            assert machine.status == 0
            assert "1000 bytes (limit: max_head_bytes)" in machine.reason

    @pytest.mark.parametrize(
        ("tail", "limit"),
        [
            (b"x:" + b" " * 60_000 + b"\x00\r\n\r\n", "max_blank_run"),
            (b"Transfer-Encoding: chunked\r\n\r\n1;" + b" " * 60_000 + b"\n\r\n", "max_chunk_line_bytes"),
            (b"Transfer-Encoding: chunked\r\n\r\n0\r\nx:" + b" " * 60_000, "max_chunk_line_bytes"),
        ],
    )
    @pytest.mark.untraced
    def test_lines_that_would_cost_quadratic_time(self, tail: bytes, limit: str) -> None:
        start = time.process_time()
        machine = ask().answer(b"HTTP/1.1 200 OK\r\n" + tail)
        assert time.process_time() - start < 0.5
        assert f"(limit: {limit})" in machine.reason
        assert machine.calls[-1] == "lost"

    def test_the_default_bound(self) -> None:
        machine = ask().answer(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 70_000)
        assert "65536 bytes (limit: max_head_bytes)" in machine.reason

    @pytest.mark.parametrize(
        "error",
        [RemoteProtocolError("no event stream"), LimitExceeded("no event stream", limit="x", bound=1)],
    )
    def test_what_a_machine_refuses_is_lost_too(self, error: Exception) -> None:
        class Picky(Recorder):
            def response_started(self, status: int, headers: Headers, now: float) -> None:
                super().response_started(status, headers, now)
                raise error

        machine = ask(Picky()).answer(CHUNKED)
        assert (machine.calls[-1], machine.reason) == ("lost", "no event stream")

    @given(st.binary(max_size=200), st.booleans(), st.sets(st.integers(1, 300)))
    def test_any_bytes(self, tail: bytes, behind_a_head: bool, cuts: set[int]) -> None:  # noqa: FBT001
        data = (CHUNKED[:47] if behind_a_head else b"") + tail
        whole = ask().answer(data, end=True)
        assert whole.want is Want.NOTHING
        assert seen(ask().answer(data, cuts, end=True)) == seen(whole)


class TestSecrets:
    def test_none_in_a_repr(self) -> None:
        machine = Recorder("http://h/?key=hunter2", "POST", {"x-api-key": "hunter2"}, b"hunter2")
        upstream = ask(machine)
        assert b"hunter2" in upstream.sent
        assert "hunter2" not in repr(upstream.exchange)
        assert "hunter2" not in repr(machine.request.headers)

    @pytest.mark.parametrize("answer", [b"", b"garbage\r\n\r\n", LENGTH])
    def test_none_in_a_reason(self, answer: bytes) -> None:
        machine = Recorder("http://h/?key=hunter2", "POST", {"x-api-key": "hunter2"}, b"hunter2")
        assert "hunter2" not in ask(machine).answer(answer, end=True).reason


class TestForwardProxy:
    """A proxy that reads a request and passes it on; a tunnel is the pump's."""

    ROUTE = Route(proxies=Proxies(ForwardProxy.parse("http://user:hunter2@proxy.test:3128")))

    def test_the_whole_url_is_sent_to_it(self) -> None:
        upstream = Upstream(Recorder("http://host.test:8080/v1?a=b"), route=self.ROUTE)
        assert upstream.exchange.target.proxy == ForwardProxy.parse("http://user:hunter2@proxy.test:3128")
        sent = upstream.connect().sent
        assert sent.startswith(b"GET http://host.test:8080/v1?a=b HTTP/1.1\r\nhost: host.test:8080\r\n")
        assert b"\r\nproxy-authorization: Basic dXNlcjpodW50ZXIy\r\n" in sent

    def test_the_next_request_goes_by_its_own_way(self) -> None:
        machine = Recorder("http://host.test/")
        upstream = Upstream(machine, route=self.ROUTE)
        machine.request = HTTPRequest("https://host.test/")
        sent = upstream.connect().sent
        assert sent.startswith(b"GET / HTTP/1.1\r\n")
        assert b"proxy-authorization" not in sent

    def test_a_refusal_of_the_proxys_own(self) -> None:
        machine = (
            Upstream(Recorder("http://host.test/"), route=self.ROUTE)
            .connect()
            .answer(b"HTTP/1.1 407 \x1b[1mhunter2\r\nContent-Length: 0\r\n\r\n")
        )
        assert machine.calls == ["connected", "lost"]
        assert "the proxy proxy.test:3128 refuses the request with status 407" in machine.reason
        assert "hunter2" not in machine.reason
        assert not machine.retryable

    def test_407_of_somebody_else_is_an_answer(self) -> None:
        machine = Upstream(Recorder("http://host.test/")).connect().answer(b"HTTP/1.1 407 No\r\n\r\n")
        assert (machine.calls, machine.status) == (["connected", "response_started"], 407)

    @pytest.mark.parametrize(
        ("route", "words"),
        [
            (ROUTE, "refused, by the proxy proxy.test:3128"),
            (Route(uds="/x"), "refused, by the Unix socket '/x'"),
            (Route(), "refused"),
        ],
    )
    def test_an_error_says_by_which_way_it_was(self, route: Route, words: str) -> None:
        machine = Recorder("http://host.test/")
        exchange = ClientExchange(machine, route=route)
        assert exchange.target.host == "host.test"
        exchange.connection_lost("refused", 0.0)
        assert machine.reason == words
