"""A provider's address and policies as plain data, and the turns that it makes."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from sse_core import dialects
from sse_core.headers import Headers
from sse_core.lifecycle import Deadlines, HTTPRequest, OnDisconnect, RetryPolicy, Upstream, Want
from tests.core.lifecycle.turn.turn_support import ANSWER, EVENT_STREAM, drained, wire

URL = "https://api.provider.test/v1/messages"


def test_a_mapping_is_sent_as_json_that_asks_for_a_stream() -> None:
    turn = Upstream(URL, Headers({"X-API-Key": "secret", "Accept": "*/*"})).turn(
        {"model": "m", "stream": False}
    )
    request = turn.request
    assert (request.method, request.url) == ("POST", URL)
    assert json.loads(request.body) == {"model": "m", "stream": True}
    assert dict(request.headers) == {
        "x-api-key": "secret",
        "content-type": "application/json",
        "accept": "text/event-stream",
    }


def test_a_dialect_of_ones_own_says_what_asks_for_a_stream() -> None:
    mine = dataclasses.replace(dialects.get("anthropic"), name="mine", request_fields={"mode": "sse"})
    turn = Upstream(URL, dialect=mine).turn({"model": "m"})
    assert json.loads(turn.request.body) == {"model": "m", "mode": "sse"}
    assert turn.dialect is mine


def test_the_address_alone_makes_gemini_stream() -> None:
    turn = Upstream("https://g.test/m:streamGenerateContent?alt=sse", dialect="gemini").turn({"contents": []})
    assert json.loads(turn.request.body) == {"contents": []}


def test_bytes_are_sent_as_they_are() -> None:
    assert Upstream(URL).turn(b'{"stream":true}').request.body == b'{"stream":true}'


def test_its_policies_are_the_turns() -> None:
    upstream = Upstream(URL, retry=RetryPolicy(initial_delay=4.0), deadlines=Deadlines(connect=3.0))
    turn = upstream.turn(b"{}", on_disconnect=OnDisconnect("detach", 1.0), jitter=lambda: 0.5)
    turn.start(0.0)
    assert turn.deadline == 3.0
    turn.readers_changed(0, 0.0)
    assert turn.deadline == 1.0
    turn.connection_lost("refused", 0.5)
    assert turn.retry_at == 4.0


def test_its_turns_speak_its_dialect() -> None:
    turn = Upstream(URL, dialect="anthropic").turn(b"{}")
    turn.start(0.0)
    turn.connected(0.0)
    turn.response_started(200, EVENT_STREAM, 0.0)
    turn.receive_data(wire(*ANSWER), 0.0)
    assert len(drained(turn)) == len(ANSWER)
    assert turn.want is Want.CLOSE


def test_a_dialect_that_is_none() -> None:
    with pytest.raises(ValueError, match="dialect"):
        Upstream(URL, dialect="klingon").turn(b"{}")


def test_no_secret_shows_in_a_repr() -> None:
    upstream = Upstream(URL, Headers({"x-api-key": "secret"}))
    assert "secret" not in repr(upstream)
    assert "secret" not in repr(upstream.turn(b"{}").request)


def test_a_request_shows_nothing_that_may_be_secret() -> None:
    request = HTTPRequest("http://a.test/?key=s3cret", "POST", Headers({"x-api-key": "s3cret"}), b"s3cret")
    assert "s3cret" not in repr(request)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("url", b"https://provider.example", "url takes str, not bytes"),
        ("url", None, "url takes str, not NoneType"),
        ("dialect", 7, "dialect takes str or Dialect, not int"),
        ("retry", 3, "retry takes RetryPolicy, not int"),
        ("deadlines", 5.0, "deadlines takes Deadlines, not float"),
        ("max_line_bytes", "5", "max_line_bytes takes int, not str"),
        ("max_event_bytes", 1.5, "max_event_bytes takes int, not float"),
        ("on_comment", "x", "on_comment takes a function or None, not str"),
    ],
)
def test_an_argument_of_the_wrong_type_is_reported_at_once(name: str, value: object, words: str) -> None:
    arguments: dict[str, Any] = {"url": "https://api.provider.test/v1/messages", name: value}
    with pytest.raises(TypeError, match=words):
        Upstream(**arguments)


@pytest.mark.parametrize("name", ["max_line_bytes", "max_event_bytes"])
def test_a_bound_below_one_is_refused_at_once(name: str) -> None:
    arguments: dict[str, Any] = {name: 0}
    with pytest.raises(ValueError, match=f"{name} must be 1 or more, not 0"):
        Upstream("https://api.provider.test/v1/messages", **arguments)


@pytest.mark.parametrize("body", ["{}", None, 7, ["x"]])
def test_a_body_is_a_mapping_or_bytes(body: Any) -> None:
    with pytest.raises(TypeError, match=r"body takes Mapping or bytes, not \w+: the provider's request"):
        Upstream("https://api.provider.test/v1/messages").turn(body)


def test_a_body_is_json_before_it_is_sent() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        Upstream("https://api.provider.test/v1/messages").turn({"temperature": float("nan")})
