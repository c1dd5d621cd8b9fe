"""Errors of Responses: in a stream, and as an HTTP answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from sse_core.blocks import MessageCut, MessageDelta, MessageStart, StreamError
from sse_core.dialects.openai_responses.errors import write_cut, write_error
from sse_core.headers import Headers
from sse_core.testing import strategies
from tests.core.dialects.responses_events import (
    RESPONSES,
    added,
    arguments,
    call,
    created,
    decode,
    end,
    event,
    message,
    output_text,
    read,
    sse,
)


def error(data: Any, name: str = "message") -> StreamError:
    (found,) = decode(sse(data, name), eof=True)
    assert isinstance(found, StreamError)
    return found


SERVER = {"type": "server_error", "message": "m", "param": None}
FOUND = StreamError("server_error", "m", retryable=True, extra={"param": None})


@pytest.mark.parametrize(
    ("data", "name", "expected"),
    [
        ({"type": "error", "sequence_number": 1, "error": {**SERVER, "code": None}}, "message", FOUND),
        ({"error": SERVER}, "message", FOUND),
        ({"error": SERVER}, "error", FOUND),
        (SERVER, "error", FOUND),
        (
            {"type": "error", "code": "rate_limit_exceeded", "message": "m", "param": None},
            "error",
            StreamError(
                "rate_limit_exceeded", "m", "rate_limit_exceeded", retryable=True, extra={"param": None}
            ),
        ),
        ({"type": "error", "code": "odd", "message": "m"}, "error", StreamError("odd", "m", "odd")),
        (
            {"type": "error", "error": {"type": "x", "code": "server_error", "message": "m"}},
            "message",
            StreamError("x", "m", "server_error", retryable=True),
        ),
        (
            {"type": "error", "code": 429},
            "message",
            StreamError(
                "rate_limit_error", "The provider gave no message.", retryable=True, extra={"code": 429}
            ),
        ),
        ({"error": "m"}, "message", StreamError("error", "m")),
        (
            {"type": "error", "status": 429, "error": {"message": "m", "code": "odd"}},
            "message",
            StreamError("odd", "m", "odd", retryable=True),
        ),
        ({"type": "error"}, "message", StreamError("error", "The provider gave no message.")),
        ({"type": "error", "error": ["m"]}, "message", StreamError("error", "m")),
    ],
)
def test_an_error_may_have_any_of_these_shapes(data: Any, name: str, expected: StreamError) -> None:
    assert error(data, name) == expected


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("insufficient_quota", "billing"),
        ("rate_limit_exceeded", "rate_limit"),
        ("odd", "unknown"),
        (None, "unknown"),
    ],
)
def test_what_an_error_means_is_said_in_one_word(code: str | None, kind: str) -> None:
    assert error({"type": "error", "code": code, "message": "m"}).kind == kind


@pytest.mark.parametrize(
    ("code", "kind", "retryable"),
    [
        ("server_is_overloaded", "overloaded", True),
        ("service_unavailable_error", "overloaded", True),
        ("usage_limit_reached", "rate_limit", False),
        ("429", "rate_limit", True),
        ("503", "overloaded", True),
    ],
)
def test_openais_own_words_mean_the_same_wherever_they_stand(code: str, kind: str, retryable: bool) -> None:  # noqa: FBT001
    fields = {"code": code, "message": "m"}
    last = decode(created(), end("failed", error=fields))[-1]
    assert isinstance(last, StreamError)
    for found in (error({"type": "error", **fields}), error({"type": "error", "error": fields}), last):
        assert (found.kind, found.retryable, found.message) == (kind, retryable, "m")


def test_a_limit_that_says_when_it_is_over_passes() -> None:
    fields = {"type": "usage_limit_reached", "message": "m", "resets_in_seconds": 30}
    last = decode(created(), end("failed", error=fields))[-1]
    assert isinstance(last, StreamError)
    for found in (error({"type": "error", "status_code": 429, "error": fields}), last):
        assert (found.kind, found.retryable, found.retry_after) == ("rate_limit", True, 30)


@pytest.mark.parametrize("name", ["status", "status_code"])
def test_a_status_and_headers_may_stand_beside_the_error(name: str) -> None:
    beside = {name: 503, "headers": {"retry-after": "3"}}
    found = error({"type": "error", **beside, "error": {"message": "m"}})
    assert (found.kind, found.retryable, found.retry_after) == ("overloaded", True, 3)


@pytest.mark.parametrize(
    ("headers", "delay"),
    [
        ({"retry-after": "3"}, 3.0),
        ({"Retry-After": 2.5}, 2.5),
        ({"retry-after-ms": "1500", "retry-after": "3"}, 1.5),
        ({"retry-after-ms": "x", "retry-after": 1}, 1.0),
        ({"retry-after": "0"}, None),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": 10**400}, None),
        ({"retry-after": True}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, None),
        ({}, None),
        (["retry-after"], None),
    ],
)
def test_headers_within_an_error_may_ask_for_a_delay(headers: Any, delay: float | None) -> None:
    found = error({"type": "error", "error": {**SERVER, "headers": headers}})
    assert found.retry_after == delay
    assert found.extra["headers"] == headers


def test_a_delay_of_the_error_itself_goes_before_its_headers() -> None:
    data = {**SERVER, "retry_after": 7.0, "headers": {"retry-after": "3"}}
    assert error({"type": "error", "error": data}).retry_after == 7.0


def test_a_response_that_failed_says_what_it_took_and_why() -> None:
    fields: Any = {"error": {"code": "server_error", "message": "m"}, "usage": {"total_tokens": 3}}
    failed = end("failed", **fields)
    events = decode(created(), failed, end(), eof=True)
    assert events[1:] == [
        MessageDelta(None, {"total_tokens": 3}, {"status": "failed"}),
        StreamError("server_error", "m", "server_error", retryable=True),
    ]
    assert [made.source for made in events[1:]] == [None, failed]


def test_a_failure_may_be_all_that_comes() -> None:
    events = decode(end("failed", error=None), eof=True)
    assert [type(made) for made in events] == [MessageStart, StreamError]


@pytest.mark.parametrize(
    "failed",
    [
        event("failed"),
        event("failed", response=5),
        event("failed", response={"usage": 5, "id": 5, "error": 5}),
    ],
)
def test_a_failure_is_never_refused_for_its_form(failed: Any) -> None:
    assert read(created(), failed).completeness == "failed"


def test_a_status_may_say_that_a_response_failed() -> None:
    assert read(created(), event("completed", response={"status": "failed"})).completeness == "failed"


def test_an_error_and_the_failure_after_it_are_one() -> None:
    failed = end("failed", error={"code": "x", "message": "other"})
    events = decode(created(), sse({"type": "error", "error": SERVER}), failed, eof=True)
    assert events[1:] == [FOUND]


def test_nothing_may_run_after_an_error() -> None:
    found = read(created(), added(call()), arguments("{}"), sse({"error": SERVER}))
    assert (found.completeness, found.executable_tools) == ("failed", [])


def test_what_a_failed_response_holds_is_kept() -> None:
    found = read(created(), end("failed", output=[message(output_text("a"))]))
    assert (found.text, found.completeness) == ("a", "failed")


def test_an_error_is_written_as_it_comes_in_a_stream() -> None:
    found = StreamError("server_error", "m", "c", extra={"param": "p", "request_id": "q"})
    assert write_error(found) == {
        "type": "error",
        "error": {"type": "server_error", "code": "c", "message": "m", "param": "p", "retryable": False},
        "outcome": "failed",
        "request_id": "q",
    }


@given(strategies.stream_errors())
def test_an_error_that_was_written_is_read_as_it_was(found: StreamError) -> None:
    found = error(write_error(found))
    assert error(write_error(found)) == found


@pytest.mark.parametrize(
    ("completeness", "type_", "retryable"),
    [
        ("truncated", "stream_truncated", True),
        ("stopped", "turn_stopped", False),
        ("failed", "turn_failed", False),
    ],
)
def test_a_cut_is_written_as_an_error(completeness: Any, type_: str, *, retryable: bool) -> None:
    data = write_cut(MessageCut(completeness))
    assert (data["type"], data["outcome"], data["error"]["type"]) == ("error", completeness, type_)
    found = error(data)
    assert (found.kind, found.retryable, found.extra["outcome"]) == ("cut", retryable, completeness)


def test_an_http_answer_has_the_form_of_chat_completions() -> None:
    body = json.dumps(
        {"error": {"message": "m", "type": "invalid_request_error", "param": "p", "code": None}}
    )
    found = RESPONSES.parse_error(400, body.encode(), Headers({"x-request-id": "q"}))
    assert (found.type, found.extra) == ("invalid_request_error", {"param": "p", "request_id": "q"})
    assert RESPONSES.error_status(found.type) == 400
    written = RESPONSES.error_response(found)
    assert written["error"] == {"message": "m", "type": "invalid_request_error", "param": "p", "code": None}
