"""Replies as applications make them, and the shape of a stream."""

from __future__ import annotations

from typing import Any

import pytest

from sse_core.headers import Headers
from sse_http import Application, Comment, Exchange, Reply, Request, Stream, StreamHead, no_waker
from tests.http.support import Pieces, Recorder, Scripted, Upstream


class TestReply:
    def test_json(self) -> None:
        reply = Reply.json(201, {"a": "\u00e9\n"}, [("x", "y")])
        assert reply.status == 201
        assert reply.body == b'{"a":"\\u00e9\\n"}\n'
        assert reply.headers == Headers(
            [("content-type", "application/json"), ("cache-control", "no-store"), ("x", "y")]
        )

    def test_a_field_can_not_forge_another(self) -> None:
        with pytest.raises(ValueError, match="CR, LF or NUL"):
            Reply.json(200, None, [("x", "a\r\nset-cookie: b")])


def test_requests_begin_empty() -> None:
    assert Request("GET", "/") == Request("GET", "/", "", Headers(), b"", "")


def test_the_shapes() -> None:
    """What the tests use has the faces that a user's own classes need."""
    stream: Stream = Pieces()
    application: Application = Scripted(stream)
    exchange: Exchange = Upstream(Recorder()).exchange
    assert isinstance(stream, Stream)
    assert not isinstance(StreamHead(200, Headers()), Stream)
    assert application.upstreams() == []
    assert exchange.waker is no_waker
    no_waker()


class TestArgumentsOfAReply:
    """They are reported where the reply is made, not when it can't be sent."""

    @pytest.mark.parametrize(
        ("name", "value", "words"),
        [
            ("status", "200", "status takes int, not str"),
            ("body", "text", r"body takes bytes, not str: str.encode\(\) gives some"),
            ("headers", 7, "Headers takes a mapping"),
        ],
    )
    def test_of_the_wrong_type(self, name: str, value: object, words: str) -> None:
        arguments: dict[str, Any] = {"status": 200, name: value}
        with pytest.raises(TypeError, match=words):
            Reply(**arguments)

    def test_a_mapping_is_taken_for_headers(self) -> None:
        given: Any = {"X": "y"}
        assert Reply(200, given).headers == Headers([("x", "y")])

    def test_a_comment_is_text(self) -> None:
        wrong: Any = b"a"
        with pytest.raises(TypeError, match="text takes str, not bytes"):
            Comment(wrong)
