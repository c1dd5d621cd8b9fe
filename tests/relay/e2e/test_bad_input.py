"""Bad input gets a clear error with the right status, and never a stack trace."""

from __future__ import annotations

import json
import socket
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from tests.relay.e2e.support import Answer, House, Program


def raw(base: str, request: bytes) -> tuple[int, bytes]:
    """The status and the whole answer to these bytes."""
    address = urlsplit(base)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(request)
        connection.settimeout(10)
        received = b""
        while b"\r\n\r\n" not in received or not received.endswith(b"\n"):
            data = connection.recv(65536)
            if not data:
                break
            received += data
    return int(received.split(b" ", 2)[1]), received


def assert_clear(status: int, received: bytes, expected: int, words: str) -> None:
    assert status == expected
    body = json.loads(received.partition(b"\r\n\r\n")[2])
    assert body["type"] == "error"
    assert words in body["error"]["message"]
    for trace in (b"Traceback", b"File ", b".py"):
        assert trace not in received


POST = b"POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%b"


@pytest.mark.parametrize(
    ("request_bytes", "expected", "words"),
    [
        (POST % (5, b"{nope"), 400, "not JSON"),
        (POST % (2, b"[]"), 400, "JSON object"),
        (POST % (10, b'{"stream":2'[:10]), 400, "not JSON"),
        (POST % (12, b'{"stream":2}'), 400, '"stream"'),
        (POST % (200_000, b"[" * 200_000), 400, "not JSON"),
        (POST % (2, b"\xff\xfe"), 400, "not JSON"),
        (b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n", 404, "nothing at this path"),
        (b"GET /turns/unknown HTTP/1.1\r\nHost: localhost\r\n\r\n", 404, "No such turn"),
        (b"PUT /v1/messages HTTP/1.1\r\nHost: localhost\r\n\r\n", 405, "POST"),
        (b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421, "Host"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, "HTTP"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\n\r\n", 403, "Origin"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 70_000 + b"\r\n\r\n", 431, "header"),
        (b"rubbish\r\n\r\n", 400, "HTTP"),
        (POST % (99_999_999, b""), 413, "max_body_bytes"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_clear_error(house: House, request_bytes: bytes, expected: int, words: str) -> None:
    assert_clear(*raw(house.relay, request_bytes), expected, words)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Turn-Id", "short"),
        ("Turn-Id", "x" * 65),
        ("Turn-On-Disconnect", "sometimes"),
        ("Turn-On-Disconnect", "detach=-1"),
        ("Turn-On-Disconnect", "drain=1e9"),
    ],
)
def test_a_bad_field_is_named(house: House, name: str, value: str) -> None:
    with closing(Answer("POST", house.relay, "/v1/messages", {name: value}, b"{}")) as answer:
        assert answer.status == 400
        assert name in answer.json()["error"]["message"]


def test_an_upstream_that_is_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with Program("serve", "--port", "0", "--upstream", f"http://127.0.0.1:{port}") as relay:
        body = b'{"model":"m","max_tokens":1,"stream":true,"messages":[{"role":"user","content":"x"}]}'
        with closing(Answer("POST", relay.address(), "/v1/messages", {}, body)) as answer:
            assert answer.status == 502
            error = answer.json()["error"]
    assert error["type"] == "api_error"
    assert "can't be reached" in error["message"]
    assert "Traceback" not in "".join(relay.log)


def test_the_providers_own_refusal_is_passed_on(house: House) -> None:
    with closing(Answer("POST", house.relay, "/v1/messages", {}, b'{"stream":true}')) as answer:
        assert answer.status == 400
        assert "model" in answer.json()["error"]["message"]


def test_the_relay_lives_on(house: House) -> None:
    with closing(house.get("/healthz")) as answer:
        assert answer.json()["status"] == "ok"
    assert not [line for line in house.program.log if "Traceback" in line or "ERROR" in line]
