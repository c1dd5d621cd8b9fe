"""What is decided when a request's head is there, before its body is read."""

from __future__ import annotations

import json

import pytest

from sse_core.headers import Headers
from sse_http import ConnectionPhase, Problem, Reply, Request, ServerSettings, problem_reply
from tests.http.support import OK, Doorkeeper, Mistake, Peer, each_byte, echo, request

NO_KEY = problem_reply(Problem(401, "authentication", "This server wants a key."))
FULL = problem_reply(Problem(503, "overloaded", "This server is full."))
EXPECT = {"expect": "100-continue", "content-length": "5"}
CHUNKED = {"transfer-encoding": "chunked"}


class TestApplicationsCheck:
    @pytest.mark.parametrize("fields", [EXPECT, {"content-length": "5"}, CHUNKED, {}])
    def test_a_refusal_comes_before_the_body(self, fields: dict[str, str]) -> None:
        peer = Peer(application=Doorkeeper(NO_KEY))
        peer.send(request("POST", "/v1?x=1", fields))
        assert peer.answer().status == 401
        assert peer.answer().closes
        assert peer.phase() is ConnectionPhase.LINGERING
        peer.send(b"5\r\nhello\r\n" * 1000)
        assert len(peer.answers()) == 1
        assert not peer.requests

    def test_it_sees_the_whole_head_and_no_body(self) -> None:
        application = Doorkeeper(None, echo)
        peer = Peer(application=application)
        peer.send(request("POST", "/p?q=1", {"x-api-key": "k"}, b"hello"), each_byte(b"x" * 200))
        [head] = application.heads
        assert (head.method, head.path, head.query, head.body) == ("POST", "/p", "q=1", b"")
        assert (head.headers.get("x-api-key"), head.client) == ("k", "192.0.2.7")
        assert peer.requests[0].body == b"hello"

    def test_who_waits_to_continue_gets_100_after_the_check(self) -> None:
        peer = Peer(application=Doorkeeper(None, echo))
        peer.send(request("POST", fields=EXPECT))
        assert peer.received == b"HTTP/1.1 100 Continue\r\n\r\n"
        peer.send(b"hello")
        assert peer.requests[0].body == b"hello"

    def test_each_request_of_a_connection_is_checked(self) -> None:
        application = Doorkeeper(lambda request: NO_KEY if request.path == "/bad" else None)
        peer = Peer(application=application)
        peer.send(request() + request(target="/bad") + request())
        assert [answer.status for answer in peer.answers()] == [200, 401]
        assert [request.path for request in peer.requests] == ["/"]

    @pytest.mark.parametrize(
        ("bound", "size", "status"),
        [(4, 4, 200), (4, 5, 413), (0, 1, 413), (0, 0, 200), (2_000_000, 1_048_577, 413)],
    )
    def test_it_may_bound_the_body(self, bound: int, size: int, status: int) -> None:
        """By less than ``max_body_bytes``."""
        for fields in ({}, CHUNKED):
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (size, b"x" * size) if fields and size else b"x" * size
            peer = Peer(application=Doorkeeper(bound))
            peer.send(request("POST", fields=fields if size else {}, body=body))
            assert peer.answer().status == status
            assert len(peer.requests) == (status == 200)

    def test_its_bound_is_kept_before_the_body_comes(self) -> None:
        peer = Peer(application=Doorkeeper(4))
        peer.send(request("POST", fields=EXPECT))
        assert peer.answer().status == 413

    def test_a_mistake_in_it_is_nobodys_answer(self) -> None:
        def fail(_: Request) -> None:
            raise Mistake

        peer = Peer(application=Doorkeeper(fail))
        peer.send(request("POST", fields=EXPECT))
        assert peer.answer().status == 500
        assert peer.answer().closes
        assert b"hunter2" not in peer.received
        assert len(peer.errors) == 1

    def test_host_and_origin_come_first(self) -> None:
        application = Doorkeeper(NO_KEY)
        peer = Peer(application=application)
        peer.send(request(host="evil.example"))
        assert peer.answer().status == 421
        assert not application.heads

    def test_head_has_no_body(self) -> None:
        peer = Peer(application=Doorkeeper(NO_KEY))
        peer.send(request("HEAD"))
        assert peer.answer("HEAD").status == 401
        assert bytes(peer.received).endswith(b"\r\n\r\n")

    def test_a_head_that_cannot_be_read_has_its_method_all_the_same(self) -> None:
        peer = Peer()
        peer.send(request("HEAD", fields={"content-length": "1", **CHUNKED}))
        assert peer.answer("HEAD").status == 400
        assert bytes(peer.received).endswith(b"\r\n\r\n")


class TestFields:
    @pytest.mark.parametrize(("count", "status"), [(100, 200), (101, 431)])
    def test_their_number_is_bounded(self, count: int, status: int) -> None:
        fields = [(f"x-{number}", "y") for number in range(count - 1)]
        for data in (request(fields=fields), request() + request(fields=fields)):
            for cuts in ((), each_byte(data)):
                peer = Peer()
                peer.send(data, cuts)
                assert peer.answers()[-1].status == status

    def test_the_error_names_the_limit(self) -> None:
        peer = Peer(settings=ServerSettings(max_head_fields=1))
        peer.send(request(fields={"x": "y"}))
        assert "1 fields (limit: max_head_fields)" in json.loads(peer.answer().body)["detail"]

    def test_a_line_that_is_folded_is_no_field(self) -> None:
        peer = Peer(settings=ServerSettings(max_head_fields=2))
        peer.send(b"GET / HTTP/1.1\r\nhost: localhost\r\nx: a\r\n b\r\n\tc\r\n\r\n")
        assert peer.answer().status == 200


class TestEmptyLines:
    """RFC 9112 section 2.2: a server should ignore them before a request."""

    @pytest.mark.parametrize("blank", [b"\r\n", b"\n", b"\r\n\r\n", b"\r\n" * 5000])
    def test_before_a_request(self, blank: bytes) -> None:
        data = blank + request() + blank + request("POST", body=b"x") + blank
        for cuts in ((), each_byte(data)):
            peer = Peer(OK)
            peer.send(data, cuts)
            assert [answer.status for answer in peer.answers()] == [200, 200]

    def test_they_begin_no_request(self) -> None:
        """Some clients send one behind a body: nothing follows, and that is no late request."""
        peer = Peer(OK)
        peer.send(request("POST", body=b"x"))
        for _ in range(7):
            peer.wait(10.0)
            peer.send(b"\r\n")
        assert peer.phase() is ConnectionPhase.READING
        peer.wait(5.0)
        assert peer.phase() is ConnectionPhase.OVER
        assert len(peer.answers()) == 1

    @pytest.mark.parametrize("data", [b"\rGET / HTTP/1.1\r\n\r\n", b"\r\r\n\r\n"])
    def test_half_of_one_is_none(self, data: bytes) -> None:
        for cuts in ((), each_byte(data)):
            peer = Peer(OK)
            peer.send(data, cuts)
            assert peer.answers()[0].status == 400

    def test_half_of_one_at_the_end(self) -> None:
        peer = Peer(OK)
        peer.send(b"\r")
        assert not peer.received
        peer.leave()
        assert peer.phase() is ConnectionPhase.OVER


class TestLastEventID:
    """WHATWG HTML 9.2.4: the field is "encoded as UTF-8"."""

    @pytest.mark.parametrize("event_id", ["", "7", "jöb-7", "仕事-1", "🙂"])
    def test_it_is_decoded(self, event_id: str) -> None:
        peer = Peer(OK)
        peer.send(b"GET / HTTP/1.1\r\nhost: localhost\r\nlast-event-id: %b\r\n\r\n" % event_id.encode())
        assert peer.requests[0].last_event_id == event_id
        assert peer.requests[0].headers.get_all("last-event-id") == [event_id]

    def test_it_is_decoded_once(self) -> None:
        twice = "j\xc3\xb6b-7"  # what UTF-8 decoded as ISO-8859-1 looks like, and an ID may be
        peer = Peer(OK)
        peer.send(b"GET / HTTP/1.1\r\nhost: localhost\r\nlast-event-id: %b\r\n\r\n" % twice.encode())
        assert peer.requests[0].last_event_id == twice

    def test_what_is_no_utf8_is_taken_as_it_is(self) -> None:
        peer = Peer(OK)
        peer.send(b"GET / HTTP/1.1\r\nhost: localhost\r\nlast-event-id: j\xf6b\r\n\r\n")
        assert peer.requests[0].last_event_id == "j\xf6b"

    def test_none(self) -> None:
        assert Request("GET", "/").last_event_id == ""

    def test_a_request_made_by_hand(self) -> None:
        assert Request("GET", "/", headers=Headers({"last-event-id": "仕事-1"})).last_event_id == "仕事-1"


class TestReports:
    """The operator learns what was refused, and what would let it in."""

    @pytest.mark.parametrize(
        ("data", "status", "line", "setting", "value"),
        [
            (
                request(target="/p?key=secret", host="Evil.example:80"),
                421,
                "GET /p",
                "peers.hosts",
                "evil.example",
            ),
            (request(fields={"origin": "http://a.b"}), 403, "GET /", "peers.origins", "http://a.b"),
            (request("POST", fields={"content-length": "1048577"}), 413, "POST /", "max_body_bytes", ""),
            (request(fields={"x": "y" * 70_000}), 431, "", "", ""),
            (b"rubbish\r\n\r\n", 400, "", "", ""),
            (request("POST", fields={"transfer-encoding": "gzip, chunked"}), 501, "", "", ""),
            (request("CONNECT", target="localhost:1"), 501, "CONNECT", "", ""),
        ],
    )
    def test_refusals(self, data: bytes, status: int, line: str, setting: str, value: str) -> None:
        peer = Peer()
        peer.send(data)
        [refusal] = peer.refusals
        assert (refusal.status, refusal.request, refusal.setting, refusal.value) == (
            status,
            line,
            setting,
            value,
        )
        assert refusal.client == "192.0.2.7"
        assert refusal.reason == json.loads(peer.answer().body)["detail"]

    def test_a_line_for_a_log(self) -> None:
        peer = Peer()
        peer.send(request(target="/p?key=secret", host="evil.example"))
        peer.send(b"")
        assert str(peer.refusals[0]) == (
            'status=421 client="192.0.2.7" request="GET /p" reason="This server does not answer for that '
            'Host. Its operator can allow it (setting: peers.hosts)." '
            'setting=peers.hosts value="evil.example"'
        )

    def test_a_late_request(self) -> None:
        peer = Peer()
        peer.send(b"GET")
        peer.wait(30.0)
        assert [(refusal.status, refusal.setting) for refusal in peer.refusals] == [(408, "request_timeout")]

    def test_what_the_application_refuses(self) -> None:
        for reply in (NO_KEY, FULL):
            for peer in (Peer(reply), Peer(application=Doorkeeper(reply))):
                peer.send(request())
                assert [(refusal.status, refusal.reason) for refusal in peer.refusals] == [
                    (reply.status, reply.reason)
                ]

    @pytest.mark.parametrize("reply", [OK, Reply(304), Reply(500), Reply(502), Reply(504)])
    def test_no_other_answer(self, reply: Reply) -> None:
        peer = Peer(reply)
        peer.send(request())
        assert not peer.refusals

    def test_a_peers_words_are_escaped_and_shortened(self) -> None:
        peer = Peer()
        peer.send(request(target="/%0a" + "x" * 10_000, fields={"origin": '"\x85' + "y" * 10_000}))
        line = str(peer.refusals[0])
        assert len(line) < 800
        assert line.isprintable()
        assert r"\"\u0085yyy" in line
