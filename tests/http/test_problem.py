"""Problems: in no protocol's shape, until whoever routes gives them one."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from sse_core.headers import Headers
from sse_http import Problem, Reply, Request, ServerSettings, ShapesProblems, problem_reply
from tests.http.support import Doorkeeper, Mistake, Peer, Scripted, Shaped, request

FULL = Problem(503, "overloaded", "Come back later.", Headers({"retry-after": "1"}))


def test_the_neutral_shape() -> None:
    """RFC 9457: https://www.rfc-editor.org/rfc/rfc9457#section-3.1."""
    reply = problem_reply(FULL)
    assert reply.headers == Headers(
        [("content-type", "application/problem+json"), ("cache-control", "no-store"), ("retry-after", "1")]
    )
    assert reply.status == 503
    assert reply.reason == "Come back later."
    assert json.loads(reply.body) == {
        "type": "about:blank",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "Come back later.",
        "kind": "overloaded",
    }


def test_a_status_without_a_name() -> None:
    assert json.loads(problem_reply(Problem(599, "server", "No.")).body)["title"] == ""


def test_headers_may_be_a_mapping() -> None:
    assert Problem(503, "overloaded", "x", {"A": "b"}).headers == Headers({"a": "b"})  # type: ignore[arg-type]


def test_an_application_says_that_it_shapes_problems() -> None:
    assert isinstance(Shaped(), ShapesProblems)
    assert not isinstance(Scripted(), ShapesProblems)


def fail(_: Request) -> Reply:
    raise Mistake


REFUSALS: dict[str, tuple[bytes, bytes]] = {
    "no HTTP": (b"rubbish\r\n\r\n", b"400 invalid_request at "),
    "two framings": (
        request(fields={"transfer-encoding": "chunked", "content-length": "1"}),
        b"400 invalid_request at ",
    ),
    "no such version": (b"GET / HTTP/2.0\r\nHost: localhost\r\n\r\n", b"505 invalid_request at "),
    "another host": (request(target="/x", host="evil.example"), b"421 misdirected at /x"),
    "another origin": (request(fields={"origin": "null"}), b"403 permission at /"),
    "too large a head": (request(fields={"x": "y" * 400}), b"431 invalid_request at "),
    "too large a body": (request("POST", "/x", body=b"y" * 20), b"413 too_large at /x"),
    "too many bodies": (request("POST", "/x", body=b"y" * 11), b"503 overloaded at /x"),
    "a mistake": (request(target="/x"), b"500 server at /x"),
}


class TestTheServersOwn:
    """They have the application's shape, wherever they come from."""

    def answer(self, data: bytes, application: Scripted) -> bytes:
        settings = ServerSettings(max_head_bytes=300, max_body_bytes=12, max_total_body_bytes=48)
        peer = Peer(application=application, settings=settings)
        self.peer = peer
        if b"y" * 11 in data and b"y" * 20 not in data:
            assert peer.bodies is not None
            peer.bodies.take("192.0.2.7", 12)
        peer.send(data)
        answer = peer.answer()
        return b"%d %b" % (answer.status, answer.body)

    @pytest.mark.parametrize("name", REFUSALS)
    def test_in_its_shape(self, name: str) -> None:
        data, expected = REFUSALS[name]
        assert self.answer(data, Shaped(fail)) == expected

    def test_too_late(self) -> None:
        peer = Peer(application=Shaped())
        peer.send(b"GET /x HTTP/1.1\r\n")
        peer.wait(30.0)
        assert (peer.answer().status, peer.answer().body) == (408, b"timeout at ")

    def test_going_down(self) -> None:
        peer = Peer(application=Shaped())
        peer.send(b"GET /x HTTP/1.1\r\n")
        peer.connection.shut_down(0.0)
        peer.pull()
        assert (peer.answer().status, peer.answer().body) == (503, b"overloaded at ")

    def test_an_applications_own_refusal_stays_as_it_is(self) -> None:
        class Shaping(Shaped, Doorkeeper):
            pass

        assert self.answer(request(), Shaping(Reply(403, body=b"mine"))) == b"403 mine"

    @pytest.mark.parametrize(
        "shape",
        [
            lambda *_: fail(Request("", "")),
            lambda *_: Reply(500, Headers({"x": "\x0b"})),
            lambda *_: None,
        ],
    )
    def test_where_the_shape_is_a_mistake_too(self, shape: Callable[..., Reply]) -> None:
        application = Shaped(fail)
        application.problem_reply = shape  # type: ignore[method-assign]
        status, _, body = self.answer(request(), application).partition(b" ")
        assert (status, json.loads(body)["kind"]) == (b"500", "server")
        assert len(self.peer.errors) == 2
