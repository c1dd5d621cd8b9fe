"""The words of an answer that is an error, whatever form its body has."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import dialects
from sse_core.blocks import StreamError
from sse_core.headers import Headers
from tests.core.growth import is_linear

NAMES = dialects.names()
PAGE = b"""<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>502 Bad &amp; Gateway</title><style>h1 { color: red }</style></head>
<body><h1>The server &lt;x&gt; is gone</h1><script>alert("x")</script></body></html>"""


def parse(name: str, body: bytes | Any, status: int = 400, **headers: str) -> StreamError:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = {key.replace("_", "-"): value for key, value in headers.items()}
    return dialects.get(name).parse_error(status, raw, Headers(fields))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"upstream connect error or disconnect", "upstream connect error or disconnect"),
        (b"  two\r\n lines \x1b[31m\x00 ", "two lines [31m"),
        (b"cut within a char: \xc3", "cut within a char: \ufffd"),
        (PAGE, "502 Bad & Gateway"),
        (b"<html><body><h1>Not&nbsp;here</h1>\n<p>at all</body>", "Not here at all"),
        (b"<html><body>never closed<script>x", "never closed"),
        (b"<p>A part of a page</p>", "A part of a page"),
        ({"detail": "Not authenticated"}, "Not authenticated"),
        (
            {"detail": [{"loc": ["body", "messages", 0], "msg": "Field required"}, {"msg": "No."}]},
            "body.messages.0: Field required; No.",
        ),
        ({"message": "Forbidden"}, "Forbidden"),
        ({"Message": "User is not authorized"}, "User is not authorized"),
        ({"error": "no such model"}, "no such model"),
        ({"error": "invalid_client", "error_description": "Bad secret"}, "Bad secret"),
        ({"error": {"message": "m\x1b[0m\u202e"}}, "m[0m"),
        ({"error": {"detail": {"error": "deep"}}}, "deep"),
        ({"errors": [{"message": "a"}, "b"]}, "a; b"),
        ({"type": "about:blank", "title": "Bad", "status": 400, "detail": "Too long"}, "Too long"),
        ([{"error": {"message": "listed"}}], "listed"),
        ([{"error": "listed"}], "listed"),
        ("a text in JSON", "a text in JSON"),
    ],
)
def test_the_words_reach_the_client(name: str, body: Any, words: str) -> None:
    assert parse(name, body).message == words


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"\x00\xff\xfe\x80 no text at all \xff", b"----", b"<html><script>x</script></html>", 7, None),
        *([], {}, {"x": "y"}, {"error": {}}, {"error": 7}, {"error": [[[[[["too deep"]]]]]]}),
    ],
)
def test_a_body_without_words_leaves_it_to_the_status(name: str, body: Any) -> None:
    assert "answered with status 400" in parse(name, body).message


@pytest.mark.parametrize("name", NAMES)
def test_a_body_that_says_that_it_is_text_may_be_in_any_coding(name: str) -> None:
    body = "Zugriff für niemanden".encode("latin-1")
    assert parse(name, body, content_type="text/plain").message == "Zugriff f\ufffdr niemanden"
    assert parse(name, b"a < b", content_type="text/html").message == "a < b"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("body", "length"),
    [
        (b"x" * 100_000, 500),
        (b"<html><title>" + b"x" * 1000, 500),
        ({"detail": "x" * 10_000}, 2000),
        ({"error": {"message": "x" * 10_000}}, 2000),
        ({"detail": [{"loc": ["y" * 1000] * 100, "msg": "x" * 100}] * 1000}, 2000),
    ],
)
def test_the_words_are_bounded(name: str, body: Any, length: int) -> None:
    assert len(parse(name, body).message) == length


@given(st.text())
def test_whatever_the_body_no_control_character_is_passed_on(text: str) -> None:
    for body in (text.encode("utf-8", "replace"), json.dumps({"detail": text}).encode()):
        message = parse("openai-chat", body).message
        assert not any(char < " " and char not in "\n\t" for char in message)


@pytest.mark.parametrize(
    "piece", [b"a", b" ", b"<", b"<a ", b"<script>", b"</", b"<title>", b"<!--", b"&amp;", b"< >"]
)
@pytest.mark.untraced
def test_a_page_takes_linear_time(piece: bytes) -> None:
    def reading(count: int) -> Callable[[], object]:
        body = b"<html><a" + piece * count
        return lambda: parse("anthropic", body)

    assert is_linear(reading, 5_000)


def test_what_else_the_body_says_is_read() -> None:
    body = {"message": "m", "type": "rate_limit_error", "code": "429", "param": "p", "request_id": "r"}
    error = parse("openai-chat", body)
    assert (error.type, error.kind, error.code, error.extra) == (
        "rate_limit_error",
        "rate_limit",
        "429",
        {"param": "p", "request_id": "r"},
    )
    denied = parse("openai-chat", {"error": "insufficient_quota", "error_description": "Pay first"}, 429)
    assert (denied.code, denied.kind, denied.retryable) == ("insufficient_quota", "billing", False)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "body", [b"text", {"error": "text"}, {"detail": "text"}, {"error": {"message": "text"}}]
)
@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (400, "invalid_request", False),
        (401, "authentication", False),
        (429, "rate_limit", True),
        (409, "overloaded", True),
        (503, "overloaded", True),
    ],
)
def test_without_a_type_the_status_decides(
    name: str,
    body: Any,
    status: int,
    kind: str,
    retryable: bool,  # noqa: FBT001
) -> None:
    error = parse(name, body, status)
    assert (error.kind, error.retryable) == (kind, retryable)
