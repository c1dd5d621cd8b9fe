"""What errors mean, in one word for all providers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sse_core import ServerSentEvent, dialects
from sse_core.blocks import ErrorKind, StreamError
from sse_core.dialects.provider_errors import kind_of, may_pass
from sse_core.headers import Headers

WORDS: dict[ErrorKind, tuple[list[str], bool]] = {
    "invalid_request": (
        ["invalid_request_error", "context_length_exceeded", "CONTEXT_LENGTH_EXCEEDED", "INVALID_ARGUMENT"],
        False,
    ),
    "authentication": (["authentication_error", "invalid_api_key", "UNAUTHENTICATED", "1002"], False),
    "permission": (["permission_error", "PERMISSION_DENIED"], False),
    "billing": (
        ["billing_error", "insufficient_quota", "usage_not_included", "exceeded_current_quota_error", "1113"],
        False,
    ),
    "not_found": (["not_found_error", "model_not_found", "NOT_FOUND"], False),
    "too_large": (["request_too_large"], False),
    "rate_limit": (
        ["rate_limit_error", "rate_limit_exceeded", "RESOURCE_EXHAUSTED", "Throttling.RateQuota", "1302"],
        True,
    ),
    "overloaded": (
        [
            "overloaded_error",
            "server_is_overloaded",
            "service_unavailable_error",
            "engine_overloaded_error",
            "UNAVAILABLE",
            "1305",
        ],
        True,
    ),
    "timeout": (["timeout_error", "DEADLINE_EXCEEDED"], True),
    "server": (["api_error", "server_error", "INTERNAL"], True),
    "refusal": (["content_filter", "1301"], False),
}
STATUSES: dict[int, tuple[ErrorKind, bool]] = {
    0: ("unknown", False),
    302: ("unknown", False),
    400: ("invalid_request", False),
    401: ("authentication", False),
    402: ("billing", False),
    403: ("permission", False),
    404: ("not_found", False),
    408: ("timeout", True),
    409: ("overloaded", True),
    413: ("too_large", False),
    418: ("invalid_request", False),
    429: ("rate_limit", True),
    500: ("server", True),
    502: ("server", True),
    503: ("overloaded", True),
    504: ("timeout", True),
    529: ("overloaded", True),
}


@pytest.mark.parametrize(
    ("kind", "word"), [(kind, word) for kind, (words, _) in WORDS.items() for word in words]
)
def test_what_the_providers_words_mean(kind: ErrorKind, word: str) -> None:
    assert kind_of(word) == kind
    assert may_pass(word) is WORDS[kind][1]


@pytest.mark.parametrize("status", STATUSES)
def test_a_word_that_is_not_known_leaves_it_to_the_status(status: int) -> None:
    kind, passes = STATUSES[status]
    assert kind_of("new_error", None, status=status) == kind
    assert may_pass("new_error", None, status=status) is passes


def test_the_first_word_that_is_known_counts() -> None:
    assert kind_of("insufficient_quota", "rate_limit_error", status=429) == "billing"
    assert kind_of(None, "new_error", "rate_limit_error", status=500) == "rate_limit"


@pytest.mark.parametrize(
    ("word", "passes"), [("stream_truncated", True), ("turn_stopped", False), ("turn_failed", False)]
)
def test_our_own_errors_mean_a_cut(word: str, *, passes: bool) -> None:
    assert kind_of(word) == "cut"
    assert may_pass(word) is passes


@pytest.mark.parametrize("name", ["anthropic", "openai-chat"])
def test_a_decoder_gives_the_kind(name: str) -> None:
    data = '{"type": "error", "error": {"type": "rate_limit_error", "message": "Slow down."}}'
    (error,) = dialects.get(name).Decoder().receive_event(ServerSentEvent("error", data))
    assert isinstance(error, StreamError)
    assert error.kind == "rate_limit"


ERROR_NAMES = ["anthropic", "openai-chat", "openai-responses", "gemini"]


def error_of(name: str, fields: dict[str, Any]) -> StreamError:
    data = json.dumps({"error": {"message": "m", **fields}})
    events = dialects.get(name).Decoder().receive_event(ServerSentEvent("error", data))
    assert isinstance(events[-1], StreamError)
    return events[-1]


@pytest.mark.parametrize("name", ERROR_NAMES)
@pytest.mark.parametrize(
    ("fields", "kind", "retryable"),
    [
        ({"code": "401", "type": None}, "authentication", False),
        ({"code": "429"}, "rate_limit", True),
        ({"code": "503", "type": "a_future_type"}, "overloaded", True),
        ({"code": 529}, "overloaded", True),
        ({"status_code": 400}, "invalid_request", False),
        ({"code": "4711"}, "unknown", False),
        ({"code": "302"}, "unknown", False),
        ({"code": 0}, "unknown", False),
        ({"code": True}, "unknown", False),
        ({"code": "A_FUTURE_CODE"}, "unknown", False),
        ({"code": "RATE_LIMIT_EXCEEDED"}, "rate_limit", True),
        ({}, "unknown", False),
    ],
)
def test_within_a_stream_a_code_may_be_a_status_and_nothing_is_made_up(
    name: str,
    fields: Any,
    kind: str,
    retryable: bool,  # noqa: FBT001
) -> None:
    error = error_of(name, fields)
    assert (error.kind, error.retryable) == (kind, retryable)


@pytest.mark.parametrize("name", ERROR_NAMES)
@pytest.mark.parametrize("code", ["401", "429", "504", "a_future_code"])
def test_what_was_read_so_is_the_same_when_it_is_sent_on(name: str, code: str) -> None:
    dialect, error = dialects.get(name), error_of(name, {"code": code})
    (sent,) = dialect.Encoder().send(error)
    (again,) = dialect.Decoder().receive_event(sent)
    assert isinstance(again, StreamError)
    assert (again.type, again.kind, again.retryable) == (error.type, error.kind, error.retryable)


@pytest.mark.parametrize("name", ["openai-chat", "openai-responses"])
def test_openais_own_words_for_overload_lead_to_a_retry(name: str) -> None:
    error = error_of(name, {"type": "service_unavailable_error", "code": "server_is_overloaded"})
    assert (error.type, error.kind, error.retryable) == ("service_unavailable_error", "overloaded", True)
    assert dialects.get(name).error_status(error.type) == 503


@pytest.mark.parametrize("name", ["anthropic", "openai-chat"])
@pytest.mark.parametrize("body", [b"<html>", b'{"error": {"type": "new_error", "message": "No."}}'])
def test_so_does_an_answer_that_is_an_error(name: str, body: bytes) -> None:
    error = dialects.get(name).parse_error(429, body, Headers({}))
    assert (error.kind, error.retryable) == ("rate_limit", True)
