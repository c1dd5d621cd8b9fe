"""How long an error asks to wait: a limit of usage that is reached, and when it ends."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sse_core import ServerSentEvent, dialects
from sse_core.blocks import StreamError
from sse_core.headers import Headers

DATE = "Sat, 17 Oct 2026 04:00:00 GMT"
NOW = 1792209600  #: the same, on the clock of Unix
NO_DELAYS: list[Any] = [0, -1, "soon", True, None, 10**400, [60]]
NO_MOMENTS: list[Any] = [NOW, NOW - 1, "soon", "2026-10-17T05:00:00", 10**20, {}, None]
NAMES = ["openai-chat", "openai-responses", "anthropic"]


def parse(name: str, date: str | None = DATE, **fields: Any) -> StreamError:
    body = {"error": {"type": "usage_limit_reached", "message": "m", **fields}}
    headers = Headers({} if date is None else {"date": date})
    return dialects.get(name).parse_error(429, json.dumps(body).encode(), headers)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("fields", "delay"),
    [
        ({"resets_in_seconds": 529498, "resets_at": 1}, 529498.0),
        ({"resets_in_seconds": "60"}, 60.0),
        ({"resets_at": NOW + 90}, 90.0),
        ({"resets_at": str(NOW + 90)}, 90.0),
        ({"resets_at": "2026-10-17T04:01:30Z"}, 90.0),
        ({"retry_after": 7, "resets_in_seconds": 60}, 7.0),
        ({"headers": {"Retry-After": "3"}, "resets_in_seconds": 60}, 3.0),
    ],
)
def test_the_time_of_the_reset_is_read(name: str, fields: Any, delay: float) -> None:
    error = parse(name, **fields)
    assert (error.kind, error.retryable, error.retry_after) == ("rate_limit", True, delay)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "fields",
    [
        {},
        *({"resets_in_seconds": value} for value in NO_DELAYS),
        *({"resets_at": value} for value in NO_MOMENTS),
    ],
)
def test_where_it_is_not_given_nobody_retries(name: str, fields: Any) -> None:
    error = parse(name, **fields)
    assert (error.kind, error.retryable, error.retry_after) == ("rate_limit", False, None)


def test_a_moment_means_nothing_without_the_answers_date() -> None:
    assert parse("openai-chat", None, resets_at=NOW + 90).retry_after is None
    assert parse("openai-chat", "yesterday", resets_at=NOW + 90).retry_after is None


@pytest.mark.parametrize("name", NAMES)
def test_it_is_read_within_a_stream_and_sent_on(name: str) -> None:
    limit = {"type": "usage_limit_reached", "message": "m", "resets_at": NOW, "resets_in_seconds": 3600}
    dialect = dialects.get(name)
    data = json.dumps({"type": "error", "error": limit})
    for _ in range(2):
        (error,) = dialect.Decoder().receive_event(ServerSentEvent("error", data))
        assert isinstance(error, StreamError)
        assert (error.kind, error.retryable, error.retry_after) == ("rate_limit", True, 3600.0)
        data = dialect.Encoder().send(error)[0].data


def test_a_plan_without_the_model_is_no_matter_of_time() -> None:
    body = json.dumps({"error": {"type": "usage_not_included", "message": "m"}}).encode()
    error = dialects.get("openai-responses").parse_error(429, body, Headers())
    assert (error.kind, error.retryable) == ("billing", False)
