"""Errors of servers that speak the UI message stream, as HTTP answers."""

from __future__ import annotations

import json

import pytest

from sse_core import ServerSentEvent
from sse_core.blocks import StreamError
from sse_core.headers import Headers
from tests.core.dialects.ui_events import UI


@pytest.mark.parametrize(
    ("type", "status"),
    [
        ("rate_limit_error", 429),
        ("overloaded_error", 503),
        ("invalid_request_error", 400),
        ("stream_truncated", 502),
        ("turn_stopped", 410),
        ("error", 500),
    ],
)
def test_the_status_of_an_error(type: str, status: int) -> None:
    assert UI.error_status(type) == status


def test_the_body_of_an_answer_is_the_chunk() -> None:
    error = StreamError("overloaded_error", "Overloaded", extra={"secret": 1})
    assert UI.error_response(error) == {"type": "error", "errorText": "Overloaded"}


def test_an_answer_says_what_its_body_says_or_its_status() -> None:
    headers = Headers({"x-request-id": "r"})
    assert (
        UI.parse_error(429, b'{"type": "error", "errorText": "Slow down."}', headers).message == "Slow down."
    )
    assert UI.parse_error(429, b"Slow down.", headers).message == "Slow down."
    error = UI.parse_error(429, b"", headers)
    assert (error.type, error.message) == ("error", "The server answered with status 429.")
    assert (error.kind, error.retryable, error.extra) == ("rate_limit", True, {"request_id": "r"})
    assert not UI.parse_error(400, b"", Headers()).retryable
    assert not UI.parse_error(500, b"", Headers({"x-should-retry": "false"})).retryable


@pytest.mark.parametrize(
    ("beside", "message"),
    [
        ({"errorText": "Slow down."}, "Slow down."),
        ({"error": {"message": "Slow down.", "code": 7}}, "Slow down."),
        ({"message": "Slow down."}, "Slow down."),
        ({"errorText": None, "detail": "Slow down."}, "Slow down."),
        ({}, "The provider gave no message."),
    ],
)
def test_an_error_without_its_text_says_what_else_it_has(beside: dict[str, object], message: str) -> None:
    decoder = UI.Decoder()
    decoder.receive_event(ServerSentEvent("message", json.dumps({"type": "error", **beside})))
    (error,) = decoder.receive_eof()
    assert isinstance(error, StreamError)
    assert error.message == message
    assert error.extra == {name: value for name, value in beside.items() if name != "errorText"}
