"""Errors within a stream in the form of what stands before a provider: their words are passed on."""

from __future__ import annotations

from typing import Any

import pytest

from sse_core import ServerSentEvent, dialects
from sse_core.blocks import StreamError, UnknownEvent, strict_json

NAMES = ["openai-chat", "openai-responses", "gemini"]


def read(name: str, data: Any, event: str = "message") -> Any:
    """The last block event of an event."""
    return dialects.get(name).Decoder().receive_event(ServerSentEvent(event, strict_json.dumps(data)))[-1]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("data", "retryable"),
    [
        ({"detail": "It broke"}, False),
        ({"detail": [{"msg": "It broke"}]}, False),
        ({"errors": [{"message": "It broke"}]}, False),
        ({"message": "It broke", "code": 400}, False),
        ({"message": "It broke", "status": 429}, True),
        ({"message": "It broke", "statusCode": "503"}, True),
        ({"message": "It broke", "code": "Throttling.RateQuota"}, True),
        ({"error_code": 17, "error_msg": "It broke"}, False),
    ],
)
def test_the_words_are_passed_on(name: str, data: Any, *, retryable: bool) -> None:
    error = read(name, data)
    assert isinstance(error, StreamError)
    assert (error.message, error.retryable) == ("It broke", retryable)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "data",
    [
        {"message": "Hello"},
        {"message": "ok", "code": 200},
        {"message": {"role": "assistant", "content": "Hello"}, "status": 500},
        {"detail": []},
        {"detail": {"x": 1}},
        {"detail": "It broke", "type": "x"},
    ],
)
def test_what_does_not_say_that_it_failed_is_unknown(name: str, data: Any) -> None:
    assert isinstance(read(name, data), UnknownEvent)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("anthropic", {"type": "error", "message": "It broke"}),
        ("openai-responses", {"type": "response.error", "error": {"message": "It broke"}}),
        ("openai-responses", {"type": "response.error", "message": "It broke"}),
        ("openai-responses", {"type": "response.failed", "error": {"message": "It broke"}}),
        ("openai-responses", {"type": "response.failed", "response": None, "error": "It broke"}),
    ],
)
def test_the_words_are_found_where_the_host_has_them(name: str, data: Any) -> None:
    error = read(name, data, data["type"])
    assert isinstance(error, StreamError)
    assert (error.message, error.type, "message" in error.extra) == ("It broke", "error", False)
