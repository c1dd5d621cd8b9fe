"""Google's errors: in a stream, and as an HTTP answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sse_core.blocks import BlockStart, MessageCut, MessageStart, StreamError, TextBlock, TextDelta
from sse_core.headers import Headers
from tests.core.dialects.gemini_events import GEMINI, decode, sse

RETRY = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "3.5s"}


def error(data: Any) -> StreamError:
    event = decode(sse(data))[-1]
    assert isinstance(event, StreamError)
    return event


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            {
                "error": {
                    "code": 429,
                    "message": "m",
                    "status": "RESOURCE_EXHAUSTED",
                    "details": [7, {}, RETRY],
                }
            },
            StreamError(
                "RESOURCE_EXHAUSTED",
                "m",
                retryable=True,
                retry_after=3.5,
                extra={"code": 429, "details": [7, {}, RETRY]},
            ),
        ),
        (
            [{"error": {"code": 503, "message": "m", "status": "UNAVAILABLE"}}],
            StreamError("UNAVAILABLE", "m", retryable=True, extra={"code": 503}),
        ),
        (
            {"error": {"code": "c", "message": "m", "status": "INVALID_ARGUMENT"}},
            StreamError("INVALID_ARGUMENT", "m", code="c"),
        ),
        ({"error": "m"}, StreamError("error", "m")),
        ({"error": [7]}, StreamError("error", "The provider gave no message.")),
        (
            {"error": {"code": 404, "message": "m"}},
            StreamError("NOT_FOUND", "m", extra={"code": 404}),
        ),
    ],
)
def test_an_error_may_have_any_of_these_shapes(data: Any, expected: StreamError) -> None:
    assert error(data) == expected


@pytest.mark.parametrize("nothing", [None, "", {}, False])
def test_an_error_that_is_nothing_is_none(nothing: Any) -> None:
    assert not any(isinstance(e, StreamError) for e in decode(sse({"candidates": [], "error": nothing})))


def test_what_comes_with_an_error_is_decoded_before_it() -> None:
    said = {"candidates": [{"content": {"parts": [{"text": "a"}]}}], "error": {"code": 500, "message": "m"}}
    events = decode(sse(said))
    assert events[:-1] == [MessageStart("", ""), BlockStart(0, TextBlock()), TextDelta(0, "a")]
    assert [event.source for event in events[:-1]] == [None] * 3
    assert events[-1].source == sse(said)


def test_an_error_is_never_refused_for_what_comes_with_it() -> None:
    (event,) = decode(sse({"candidates": 7, "error": {"code": 500}}))
    assert isinstance(event, StreamError)


@pytest.mark.parametrize(
    ("status", "code", "kind", "retryable"),
    [
        ("RESOURCE_EXHAUSTED", 429, "rate_limit", True),
        ("UNAVAILABLE", 503, "overloaded", True),
        ("DEADLINE_EXCEEDED", 504, "timeout", True),
        ("INTERNAL", 500, "server", True),
        ("DATA_LOSS", 500, "server", True),
        ("INVALID_ARGUMENT", 400, "invalid_request", False),
        ("UNIMPLEMENTED", 501, "invalid_request", False),
        ("ALREADY_EXISTS", 409, "invalid_request", False),
        ("PERMISSION_DENIED", 403, "permission", False),
        ("UNAUTHENTICATED", 401, "authentication", False),
        ("A_FUTURE_STATUS", 429, "rate_limit", True),
        ("A_FUTURE_STATUS", 418, "invalid_request", False),
        ("A_FUTURE_STATUS", None, "unknown", False),
    ],
)
def test_the_status_says_what_it_means_and_whether_a_retry_may_help(
    status: str,
    code: int | None,
    kind: str,
    retryable: bool,  # noqa: FBT001
) -> None:
    event = error({"error": {"code": code, "message": "m", "status": status}})
    assert (event.type, event.kind, event.retryable) == (status, kind, retryable)


@pytest.mark.parametrize(
    "details",
    [
        {},
        [RETRY["retryDelay"]],
        [{"@type": 7, "retryDelay": "3s"}],
        [{"@type": "x", "retryDelay": "3s"}],
        *([{**RETRY, "retryDelay": delay}] for delay in (None, 3, "3", "-3s", "3.s", "9" * 99 + "s", "infs")),
    ],
)
def test_a_delay_that_cannot_be_read_is_none(details: Any) -> None:
    assert error({"error": {"code": 429, "details": details}}).retry_after is None


def test_its_text_is_bounded() -> None:
    event = error({"error": {"status": "t" * 10_000, "message": "m" * 10_000}})
    assert (len(event.type), len(event.message)) == (100, 2000)


@pytest.mark.parametrize(
    "event",
    [
        StreamError("UNAVAILABLE", "m", retryable=True, extra={"code": 503}),
        StreamError("UNAVAILABLE", "m", retryable=False, extra={"code": 503, "request_id": "r"}),
        StreamError("X", "m", code="c", retryable=True),
        StreamError("X", "m", retryable=True, retry_after=3.5, extra={"code": 429, "details": [{}, RETRY]}),
        StreamError("X", "m", retryable=True, extra={"code": 429, "details": "text"}),
    ],
)
def test_an_error_is_the_same_after_encoding_and_decoding(event: StreamError) -> None:
    (sent,) = GEMINI.Encoder().send(event)
    again = error(json.loads(sent.data))
    assert again.extra.pop("outcome") == "failed"
    assert again == event


def test_an_error_goes_out_as_it_came() -> None:
    for status, code in [("UNAVAILABLE", 503), ("A_FUTURE_STATUS", 429), ("A_FUTURE_STATUS", 418)]:
        came = {"error": {"code": code, "message": "m", "status": status, "details": [RETRY]}}
        (sent,) = GEMINI.Encoder().send(error(came))
        assert json.loads(sent.data) == {**came, "outcome": "failed"}


@pytest.mark.parametrize(("seconds", "written"), [(3, "3s"), (0.25, "0.25s"), (0.0, "0s"), (1e6, "1000000s")])
@pytest.mark.parametrize("details", [{}, {"details": 7}, {"details": [{"a": 1}]}])
def test_a_delay_is_requested_as_google_does(seconds: float, written: str, details: Any) -> None:
    (sent,) = GEMINI.Encoder().send(StreamError("UNAVAILABLE", "m", retry_after=seconds, extra=details))
    body = json.loads(sent.data)["error"]
    assert body["details"][0] == {**RETRY, "retryDelay": written}
    assert body["details"][1:] == (details["details"] if isinstance(details.get("details"), list) else [])
    assert error({"error": body}).retry_after == seconds


def test_the_error_of_another_provider_is_sent_in_googles_words() -> None:
    (sent,) = GEMINI.Encoder().send(StreamError("overloaded_error", "m", retryable=True))
    body = {"code": 503, "message": "m", "status": "UNAVAILABLE"}
    assert json.loads(sent.data) == {"error": body, "outcome": "failed"}


@pytest.mark.parametrize(
    ("completeness", "kind", "code", "retryable"),
    [
        ("truncated", "stream_truncated", 502, True),
        ("stopped", "turn_stopped", 410, False),
        ("failed", "turn_failed", 502, False),
    ],
)
def test_a_cut_is_sent_as_an_error(completeness: Any, kind: str, code: int, retryable: bool) -> None:  # noqa: FBT001
    (sent,) = GEMINI.Encoder().send(MessageCut(completeness))
    event = error(json.loads(sent.data))
    assert (event.type, event.retryable, event.kind) == (kind, retryable, "cut")
    assert event.extra == {"code": code, "outcome": completeness}


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("NOT_FOUND", 404),
        ("CANCELLED", 499),
        ("turn_stopped", 410),
        ("rate_limit_error", 429),
        ("insufficient_quota", 400),
        ("a_future_type", 500),
    ],
)
def test_an_errors_type_has_a_status(kind: str, status: int) -> None:
    assert GEMINI.error_status(kind) == status


def test_an_error_as_an_answer() -> None:
    event = StreamError("INTERNAL", "m", retryable=True, extra={"request_id": "r"})
    body = {"code": 500, "message": "m", "status": "INTERNAL"}
    assert GEMINI.error_response(event) == {"error": body, "request_id": "r"}


class TestAnswers:
    def parse(self, status: int, body: Any, **headers: str) -> StreamError:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return GEMINI.parse_error(status, raw, Headers({k.replace("_", "-"): v for k, v in headers.items()}))

    @pytest.mark.parametrize("wrap", [lambda body: body, lambda body: [body]])
    def test_the_body_says_what_is_wrong(self, wrap: Any) -> None:
        body = {"error": {"code": 429, "message": "m", "status": "RESOURCE_EXHAUSTED", "details": [RETRY]}}
        found = self.parse(429, wrap(body), x_request_id="r")
        extra = {"code": 429, "details": [RETRY], "request_id": "r"}
        assert found == StreamError("RESOURCE_EXHAUSTED", "m", retryable=True, retry_after=3.5, extra=extra)
        assert found.kind == "rate_limit"

    @pytest.mark.parametrize("body", [b"<html>", b"\xff", [], {}, {"x": "y"}, 7])
    def test_where_a_body_has_no_words_the_status_speaks(self, body: Any) -> None:
        message = "The provider answered with status 503 and no error object."
        found = self.parse(503, body)
        assert found == StreamError("UNAVAILABLE", message, retryable=True)
        assert found.kind == "overloaded"

    def test_what_the_body_leaves_out_the_status_says(self) -> None:
        assert self.parse(429, {"error": {"message": "m"}}).type == "RESOURCE_EXHAUSTED"
        assert self.parse(400, {"error": {"message": "m"}}).type == "INVALID_ARGUMENT"
        assert self.parse(502, {"error": {"message": "m"}}).type == "INTERNAL"
        assert self.parse(418, {"error": {"status": "x"}}).retryable is False

    @pytest.mark.parametrize(("wish", "retryable"), [("true", True), ("false", False), ("maybe", True)])
    def test_the_header_counts_most(self, wish: str, retryable: bool) -> None:  # noqa: FBT001
        assert self.parse(500, {}, x_should_retry=wish).retryable is retryable
        assert self.parse(400, {}, x_should_retry=wish).retryable is (wish == "true")
