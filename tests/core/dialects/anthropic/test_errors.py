"""Anthropic's errors as HTTP has them: status codes, bodies, and answers that are errors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sse_core import dialects
from sse_core.blocks import MessageStart, StreamError
from sse_core.dialects.provider_errors import may_pass
from sse_core.headers import Headers

ANTHROPIC = dialects.get("anthropic")


def parse(status: int, body: bytes = b"", **headers: str) -> StreamError:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return ANTHROPIC.parse_error(status, body, Headers(fields))


def body(kind: str, **fields: Any) -> bytes:
    return json.dumps({"type": "error", "error": {"type": kind, "message": "Why."}, **fields}).encode()


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("invalid_request_error", 400),
        ("authentication_error", 401),
        ("billing_error", 402),
        ("permission_error", 403),
        ("not_found_error", 404),
        ("request_too_large", 413),
        ("rate_limit_error", 429),
        ("api_error", 500),
        ("timeout_error", 504),
        ("overloaded_error", 529),
    ],
)
def test_each_type_has_its_status_and_each_status_its_type(kind: str, status: int) -> None:
    assert ANTHROPIC.error_status(kind) == status
    assert parse(status).type == kind


def test_cuts_have_a_status_too_and_an_unknown_type_is_a_servers_error() -> None:
    kinds = ["stream_truncated", "turn_failed", "turn_stopped", "a_future_error"]
    assert [ANTHROPIC.error_status(kind) for kind in kinds] == [502, 502, 410, 500]


def test_a_body_is_the_error_event_without_our_own_field() -> None:
    error = StreamError("overloaded_error", "Overloaded", retryable=True, extra={"request_id": "r"})
    assert ANTHROPIC.error_response(error) == {
        "type": "error",
        "error": {"type": "overloaded_error", "message": "Overloaded"},
        "request_id": "r",
    }


def test_what_the_body_says_is_taken() -> None:
    error = parse(429, body("rate_limit_error", request_id="r"))
    assert error == StreamError("rate_limit_error", "Why.", retryable=True, extra={"request_id": "r"})


@pytest.mark.parametrize(
    "text", [b"", b"<html><script>x</script>", b"\xff", b"[]", b'""', b"{}", b"[" * 99_999, b"7"]
)
def test_where_a_body_has_no_words_only_the_status_speaks(text: bytes) -> None:
    message = "The provider answered with status 503 and no error object."
    assert parse(503, text) == StreamError("api_error", message, retryable=True)


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (418, "invalid_request_error", False),
        (408, "invalid_request_error", True),
        (409, "invalid_request_error", True),
        (429, "rate_limit_error", True),
        (500, "api_error", True),
        (502, "api_error", True),
        (529, "overloaded_error", True),
        (599, "api_error", True),
    ],
)
def test_the_status_says_what_a_missing_body_does_not(status: int, kind: str, retryable: bool) -> None:  # noqa: FBT001
    error = parse(status)
    assert (error.type, error.retryable) == (kind, retryable)


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (429, "billing_error", False),
        (200, "overloaded_error", True),
        (429, "a_future_error", True),
        (400, "a_future_error", False),
    ],
)
def test_a_known_type_counts_more_than_the_status(status: int, kind: str, retryable: bool) -> None:  # noqa: FBT001
    """A retry does not help somebody who has run out of credit, whatever the status."""
    assert parse(status, body(kind)).retryable == retryable


@pytest.mark.parametrize(
    ("wish", "retryable"), [("true", [True, True]), ("false", [False, False]), ("maybe", [True, False])]
)
def test_the_provider_may_say_outright_whether_to_retry(wish: str, retryable: list[bool]) -> None:
    errors = [parse(529, body("overloaded_error"), x_should_retry=wish), parse(400, x_should_retry=wish)]
    assert [error.retryable for error in errors] == retryable


def test_the_requests_id_is_kept() -> None:
    assert parse(500, request_id="req_1").extra == {"request_id": "req_1"}
    assert parse(500, body("api_error", request_id="req_2"), request_id="req_1").extra == {
        "request_id": "req_2"
    }


def test_the_text_of_a_body_is_bounded() -> None:
    data = {"error": {"type": "t" * 10_000, "message": "m" * 10_000}}
    error = parse(500, json.dumps(data).encode())
    assert (len(error.type), len(error.message)) == (100, 2000)


class TestOfOthers:
    """Errors in another protocol's words."""

    def sent(self, error: StreamError, dialect: str = "gemini") -> Any:
        encoder = ANTHROPIC.Encoder()
        encoder.send(MessageStart("m", "c", dialect=dialect))
        (sent,) = encoder.send(error)
        return json.loads(sent.data)

    @pytest.mark.parametrize(
        ("kind", "type"),
        [
            ("invalid_request", "invalid_request_error"),
            ("authentication", "authentication_error"),
            ("permission", "permission_error"),
            ("billing", "billing_error"),
            ("not_found", "not_found_error"),
            ("too_large", "request_too_large"),
            ("rate_limit", "rate_limit_error"),
            ("overloaded", "overloaded_error"),
            ("timeout", "timeout_error"),
            ("server", "api_error"),
            ("refusal", "invalid_request_error"),
            ("unknown", "THEIRS"),
        ],
    )
    def test_they_are_sent_by_what_they_mean(self, kind: Any, type: str) -> None:
        error = StreamError("THEIRS", "m", "c", retryable=may_pass(type), extra={"x": 1}, kind=kind)
        error.extra["request_id"] = "r"
        assert self.sent(error) == {
            "type": "error",
            "error": {"type": type, "message": "m"},
            "outcome": "failed",
            "request_id": "r",
        }

    def test_a_type_that_both_have_stays_if_it_means_what_the_error_means(self) -> None:
        limited = StreamError("rate_limit_error", "m", "rate_limit_exceeded", kind="rate_limit")
        assert self.sent(limited)["error"]["type"] == "rate_limit_error"
        broke = StreamError("rate_limit_error", "m", "insufficient_quota", kind="billing")
        assert self.sent(broke)["error"]["type"] == "billing_error"

    @pytest.mark.parametrize("dialect", ["", "anthropic"])
    def test_in_a_message_of_ones_own_only_a_known_word_of_others_is_translated(self, dialect: str) -> None:
        known = StreamError("RESOURCE_EXHAUSTED", "m", retryable=True, kind="rate_limit")
        assert self.sent(known, dialect)["error"] == {"type": "rate_limit_error", "message": "m"}
        assert ANTHROPIC.error_response(known)["error"]["type"] == "rate_limit_error"
        new = StreamError("a_future_error", "m", extra={"x": 1}, kind="rate_limit")
        assert self.sent(new, dialect)["error"] == {"type": "a_future_error", "message": "m", "x": 1}

    def test_their_types_have_a_status(self) -> None:
        types = ["RESOURCE_EXHAUSTED", "insufficient_quota", "DEADLINE_EXCEEDED", "content_filter"]
        assert [ANTHROPIC.error_status(type) for type in types] == [429, 402, 504, 400]

    def test_a_delay_and_whether_to_retry_are_sent(self) -> None:
        error = StreamError("UNAVAILABLE", "m", retryable=False, retry_after=2, kind="overloaded")
        expected = {"type": "overloaded_error", "message": "m", "retryable": False, "retry_after": 2.0}
        assert self.sent(error)["error"] == expected
