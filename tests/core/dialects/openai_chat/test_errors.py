"""OpenAI's errors: in a stream, and as an HTTP answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sse_core.blocks import MessageCut, MessageStart, StreamError
from sse_core.headers import Headers
from tests.core.dialects.chat_events import CHAT, decode, sse


def error(data: Any, name: str = "message") -> StreamError:
    event = decode(sse(data, name))[-1]
    assert isinstance(event, StreamError)
    return event


def test_an_error_may_stand_in_the_choice_that_ends_with_it() -> None:
    """OpenRouter's form, where the model's provider fails after the stream has begun."""
    failed = {"code": 502, "message": "m", "metadata": {"error_type": "provider_unavailable"}}
    choice = {"index": 0, "delta": {"content": ""}, "finish_reason": "error", "error": failed}
    found = error({"id": "c", "object": "chat.completion.chunk", "choices": [choice]})
    assert (found.message, found.kind, found.retryable) == ("m", "server", True)
    assert found.extra == {"code": 502, "metadata": {"error_type": "provider_unavailable"}}


@pytest.mark.parametrize(
    "beside", [{"error": None}, {"finish_reason": "stop", "error": {"message": "m"}}, {}]
)
def test_a_choice_that_does_not_end_with_an_error_has_none(beside: Any) -> None:
    choice = {"index": 0, "delta": {"content": "Hi"}, "finish_reason": "error", **beside}
    events = decode(sse({"id": "c", "object": "chat.completion.chunk", "choices": [choice]}))
    assert not any(isinstance(event, StreamError) for event in events)


@pytest.mark.parametrize(
    ("data", "name", "expected"),
    [
        (
            {"error": {"message": "m", "type": "server_error", "param": None, "code": None}},
            "message",
            StreamError("server_error", "m", retryable=True, extra={"param": None}),
        ),
        (
            {
                "error": {
                    "message": "m",
                    "type": "invalid_request_error",
                    "code": "tool_use_failed",
                    "failed": "x",
                }
            },
            "error",
            StreamError("invalid_request_error", "m", code="tool_use_failed", extra={"failed": "x"}),
        ),
        (
            {"id": "c", "choices": [], "error": {"code": 502, "message": "m"}},
            "message",
            StreamError("server_error", "m", retryable=True, extra={"code": 502}),
        ),
        (
            {"object": "error", "message": "m", "type": "x", "code": 400},
            "message",
            StreamError("x", "m", extra={"code": 400}),
        ),
        ({"message": "m"}, "error", StreamError("error", "m")),
        ({"error": "m"}, "message", StreamError("error", "m")),
        ({"error": 7}, "message", StreamError("error", "The provider gave no message.")),
        (
            {"error": {"code": "c", "detail": "m"}},
            "message",
            StreamError("c", "m", "c", extra={"detail": "m"}),
        ),
    ],
)
def test_an_error_may_have_any_of_these_shapes(data: Any, name: str, expected: StreamError) -> None:
    assert error(data, name) == expected


@pytest.mark.parametrize("nothing", [None, "", {}, False])
def test_an_error_that_is_nothing_is_none(nothing: Any) -> None:
    assert not any(isinstance(e, StreamError) for e in decode(sse({"choices": [], "error": nothing})))


@pytest.mark.parametrize(
    ("kind", "code", "retryable"),
    [
        ("requests", "rate_limit_exceeded", True),
        ("insufficient_quota", "insufficient_quota", False),
        ("rate_limit_error", "insufficient_quota", False),
        ("server_error", "a_future_code", True),
        ("invalid_request_error", "context_length_exceeded", False),
        ("a_future_type", None, False),
        ("a_future_type", 503, True),
        ("a_future_type", 429, True),
        ("a_future_type", 400, False),
    ],
)
def test_code_and_type_say_whether_a_retry_may_help(kind: str, code: Any, retryable: bool) -> None:  # noqa: FBT001
    assert error({"error": {"message": "m", "type": kind, "code": code}}).retryable is retryable


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (429, "rate_limit_error"),
        (500, "server_error"),
    ],
)
def test_a_number_as_code_is_a_status_and_gives_the_type(code: int, kind: str) -> None:
    assert error({"error": {"message": "m", "code": code}}).type == kind


def test_its_text_is_bounded() -> None:
    event = error({"error": {"type": "t" * 10_000, "message": "m" * 10_000}})
    assert (len(event.type), len(event.message)) == (100, 2000)


@pytest.mark.parametrize(
    "event",
    [
        StreamError("server_error", "m", retryable=True, extra={"param": None}),
        StreamError(
            "x", "m", code="c", retryable=True, retry_after=2.0, extra={"param": "p", "request_id": "r"}
        ),
        StreamError("x", "m", retryable=True, extra={"param": None, "code": 503}),
    ],
)
def test_an_error_is_the_same_after_encoding_and_decoding(event: StreamError) -> None:
    (sent,) = CHAT.Encoder().send(event)
    again = error(json.loads(sent.data))
    assert again.extra.pop("outcome") == "failed"
    assert again == event


@pytest.mark.parametrize(
    ("completeness", "kind", "retryable"),
    [
        ("truncated", "stream_truncated", True),
        ("stopped", "turn_stopped", False),
        ("failed", "turn_failed", False),
    ],
)
def test_a_cut_is_sent_as_an_error(completeness: Any, kind: str, retryable: bool) -> None:  # noqa: FBT001
    (sent,) = CHAT.Encoder().send(MessageCut(completeness))
    event = error(json.loads(sent.data))
    assert (event.type, event.retryable, event.extra["outcome"]) == (kind, retryable, completeness)


@pytest.mark.parametrize(
    ("kind", "status"), [("insufficient_quota", 429), ("turn_stopped", 410), ("a_future_type", 500)]
)
def test_an_errors_type_has_a_status(kind: str, status: int) -> None:
    assert CHAT.error_status(kind) == status


def test_an_error_as_an_answer() -> None:
    event = StreamError("server_error", "m", retryable=True, extra={"request_id": "r"})
    body = {"message": "m", "type": "server_error", "param": None, "code": None}
    assert CHAT.error_response(event) == {"error": body, "request_id": "r"}


class TestAnswers:
    def parse(self, status: int, body: Any, **headers: str) -> StreamError:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return CHAT.parse_error(status, raw, Headers({k.replace("_", "-"): v for k, v in headers.items()}))

    def test_the_body_says_what_is_wrong(self) -> None:
        body = {"error": {"message": "m", "type": "insufficient_quota", "code": "insufficient_quota"}}
        found = self.parse(429, body, x_request_id="r")
        assert found == StreamError(
            "insufficient_quota", "m", code="insufficient_quota", extra={"request_id": "r"}
        )

    @pytest.mark.parametrize("body", [b"<html>", b"\xff", [], {}, {"x": "y"}])
    def test_where_a_body_has_no_words_the_status_speaks(self, body: Any) -> None:
        message = "The provider answered with status 503 and no error object."
        assert self.parse(503, body) == StreamError("service_unavailable", message, retryable=True)

    def test_what_the_body_leaves_out_the_status_says(self) -> None:
        assert self.parse(429, {"error": {"message": "m"}}).type == "rate_limit_error"
        assert self.parse(418, {"error": {"type": "x"}}).retryable is False
        assert self.parse(409, {"error": {"type": "x"}}).retryable is True

    @pytest.mark.parametrize(("wish", "retryable"), [("true", True), ("false", False), ("maybe", True)])
    def test_the_header_counts_most(self, wish: str, retryable: bool) -> None:  # noqa: FBT001
        assert self.parse(500, {}, x_should_retry=wish).retryable is retryable
        assert self.parse(400, {}, x_should_retry=wish).retryable is (wish == "true")


class TestOfOthers:
    """Errors in another protocol's words."""

    def sent(self, error: StreamError, dialect: str = "anthropic") -> Any:
        encoder = CHAT.Encoder()
        encoder.send(MessageStart("m", "c", dialect=dialect))
        (sent,) = encoder.send(error)
        body = json.loads(sent.data)["error"]
        return body["type"], body["code"]

    @pytest.mark.parametrize(
        ("kind", "type", "code"),
        [
            ("invalid_request", "invalid_request_error", None),
            ("authentication", "authentication_error", None),
            ("permission", "permission_error", None),
            ("billing", "insufficient_quota", "insufficient_quota"),
            ("not_found", "not_found_error", None),
            ("too_large", "invalid_request_error", "request_too_large"),
            ("rate_limit", "rate_limit_error", "rate_limit_exceeded"),
            ("overloaded", "service_unavailable", None),
            ("timeout", "timeout", None),
            ("server", "server_error", None),
            ("refusal", "invalid_request_error", "content_filter"),
            ("unknown", "THEIRS", None),
        ],
    )
    def test_they_are_sent_by_what_they_mean(self, kind: Any, type: str, code: str | None) -> None:
        given = StreamError("THEIRS", "m", "c", extra={"details": 1}, kind=kind)
        assert self.sent(given) == (type, code)

    def test_what_is_read_again_means_the_same(self) -> None:
        for kind in ("billing", "too_large", "rate_limit", "overloaded", "timeout", "server", "refusal"):
            sent = CHAT.error_response(StreamError("RESOURCE_EXHAUSTED", "m", kind=kind))
            assert error(sent).kind == kind

    def test_their_types_have_a_status(self) -> None:
        types = ["RESOURCE_EXHAUSTED", "NOT_FOUND", "request_too_large", "UNAVAILABLE"]
        assert [CHAT.error_status(type) for type in types] == [429, 404, 400, 503]

    def test_a_type_that_both_have_stays(self) -> None:
        given = StreamError("overloaded_error", "m", extra={"details": None}, kind="overloaded")
        assert self.sent(given) == ("overloaded_error", None)

    def test_a_new_type_of_ones_own_stays(self) -> None:
        new = StreamError("a_future_type", "m", "a_future_code", kind="rate_limit")
        assert self.sent(new, "openai-chat") == ("a_future_type", "a_future_code")
