"""What of a client's request goes to the provider, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sse_core.blocks.json_structure import JSONBounds
from sse_http import Endpoint
from tests.relay.support import JSON, QUESTION, TURN_ID, World, question


def passed(headers: dict[str, str], *patterns: str, **settings: Any) -> dict[str, str]:
    """The fields that reach the provider."""
    world = World(pass_headers=patterns, **settings)
    world.ask(headers)
    (head, _), *_ = world.provider.connect().requests
    return {name.decode(): value.decode("latin-1") for name, value in head.headers}


USUAL = {
    "host": "provider.test",
    "connection": "close",
    "accept-encoding": "identity",
    "accept": "text/event-stream",
    "content-type": "application/json",
    "content-length": str(len(question())),
    "user-agent": "sse-core",
}


def test_only_what_is_known_to_be_wanted_is_passed_on() -> None:
    headers = {
        "Anthropic-Version": "2023-06-01",
        "Anthropic-Beta": "a, b",
        "Accept": "*/*",
        "Accept-Encoding": "gzip",
        "Content-Type": "text/plain",
        "User-Agent": "curl/8",
        "X-Forwarded-For": "10.0.0.1",
        "Sim-Tokens": "5",
    }
    assert passed(headers) == {**USUAL, "anthropic-version": "2023-06-01", "anthropic-beta": "a, b"}


def test_patterns_pass_more_on_whatever_their_case() -> None:
    headers = {"Sim-Tokens": "5", "SIM-RATE": "0", "Simple": "no", "X-Trace": "yes"}
    got = passed(headers, "Sim-*", "x-TRACE")
    assert got == {**USUAL, "sim-tokens": "5", "sim-rate": "0", "x-trace": "yes"}


@pytest.mark.parametrize(
    "name",
    [
        "Cookie",
        "Connection",
        "Content-Encoding",
        "Expect",
        "Forwarded",
        "Host",
        "Keep-Alive",
        "Last-Event-ID",
        "Origin",
        "Proxy-Authorization",
        "Proxy-Connection",
        "Referer",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "Turn-Id",
        "Turn-On-Disconnect",
        "Upgrade",
        "Via",
        "X-Forwarded-For",
    ],
)
def test_some_fields_are_never_passed_on(name: str) -> None:
    """Even where an operator's pattern takes everything."""
    value = {"Turn-Id": TURN_ID, "Turn-On-Disconnect": "detach=5", "Last-Event-ID": ""}.get(name, "made-up")
    assert "made-up" not in passed({name: value}, "*").values()
    assert {*passed({name: value}, "*")} == {*USUAL}


def test_a_field_that_is_for_this_hop_only_is_not_passed_on() -> None:
    """RFC 9110 section 7.6.1: remove "from the message any header field with the same name as" an option."""
    got = passed({"Connection": "close, X-Mine", "X-Mine": "1", "X-Yours": "2"}, "*")
    assert got == {**USUAL, "x-yours": "2"}


CREDENTIALS = {"x-api-key": "clients-own", "authorization": "Bearer clients-token"}


def test_without_a_key_of_its_own_the_clients_credentials_are_passed_on() -> None:
    assert passed(CREDENTIALS) == {**USUAL, **CREDENTIALS}


@pytest.mark.parametrize("patterns", [(), ("*",), ("x-api-key", "authorization")])
def test_its_own_key_stands_in_place_of_the_clients_credentials(patterns: tuple[str, ...]) -> None:
    assert passed(CREDENTIALS, *patterns, api_key="the-relays")["x-api-key"] == "the-relays"
    assert "clients" not in str(passed(CREDENTIALS, *patterns, api_key="the-relays"))


@pytest.mark.parametrize("patterns", [(), ("*",), ("x-api-key", "authorization")])
@pytest.mark.parametrize("api_key", [None, "the-relays"])
def test_a_key_for_the_relay_never_goes_upstream(patterns: tuple[str, ...], api_key: str | None) -> None:
    settings = {"api_key": api_key, "client_keys": frozenset({"clients-own"})}
    assert "clients" not in str(passed(CREDENTIALS, *patterns, **settings))


def sent(**fields: Any) -> JSON:
    """The body that reaches the provider."""
    world = World()
    world.ask(**fields)
    ((_, body),) = world.provider.connect().requests
    parsed: JSON = json.loads(body)
    return parsed


def test_a_streaming_request_is_passed_on_byte_by_byte() -> None:
    world = World()
    body = b' {"stream" : true,\r\n"a": 1.0, "a": 2, "b": "\xc3\xbc \\u00fc"}\n'
    world.send("POST", "/v1/messages", body=body)
    assert world.provider.connect().requests[0][1] == body


@pytest.mark.parametrize("stream", [None, False])
def test_a_request_for_the_whole_message_is_streamed_from_the_provider(stream: Any) -> None:
    assert sent(stream=stream) == QUESTION
    strange = "\ud800 \u00fc \U0001f600"
    assert sent(stream=stream, text=strange) == {**QUESTION, "text": strange}


def test_the_request_line() -> None:
    for upstream in ("http://provider.test:81/base", "http://provider.test:81/base/"):
        world = World(upstream)
        world.ask()
        assert world.provider.exchange.target == Endpoint("provider.test", 81)
        head, _ = world.provider.connect().requests[0]
        assert (head.method, head.target) == (b"POST", b"/base/v1/messages")


@pytest.mark.parametrize("query", ["beta=true", "a=1&a=%20?/&b", "x=\"'{}|^`"])
def test_the_query_goes_to_the_provider(query: str) -> None:
    for upstream in ("http://provider.test", "http://provider.test/base/"):
        world = World(upstream)
        world.read(world.send("POST", "/v1/messages", body=question(), query=query))
        head, _ = world.provider.connect().requests[0]
        path = head.target.decode().removeprefix("/base")
        assert path == f"/v1/messages?{query}"


def test_another_query_is_another_request() -> None:
    world = World()
    named = {"turn-id": TURN_ID}
    world.read(world.send("POST", "/v1/messages", named, body=question(), query="beta=true"))
    assert world.reply("POST", "/v1/messages", named, body=question()).status == 409
    again = world.read(world.send("POST", "/v1/messages", named, body=question(), query="beta=true"))
    assert again.open
    assert len(world.providers) == 1


@pytest.mark.parametrize("query", ["a b", "a#b", "\u00fc", "a\r\nb", "\0"])
def test_a_query_that_is_none(query: str) -> None:
    status, error = World().refused("POST", "/v1/messages", body=question(), query=query)
    assert status == 400
    assert "query" in error["message"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not JSON"),
        (b"{nope", "not JSON"),
        (b'{"a": NaN}', "not JSON"),
        (b'{"a": "\xff"}', "not JSON"),
        (b'{"a": ' + b"[" * 512 + b"]" * 512 + b"}", "max_json_depth=512"),
        (b'{"a": ' + b"[" * 100_000, "max_json_depth=512"),
        (b'{"a": [' + b"[]," * 100_000 + b"[]]}", "max_json_items=200000"),
        (b'{"a": "' + b"\\n" * 3_000_001 + b'"}', "max_json_escapes=3000000"),
        (b"[]", "JSON object"),
        (b"null", "JSON object"),
        (b'{"stream": 1}', '"stream"'),
        (b'{"stream": "yes"}', '"stream"'),
        (b'{"stream": null}', '"stream"'),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_body_that_is_refused(body: bytes, words: str) -> None:
    world = World()
    status, error = world.refused("POST", "/v1/messages", body=body)
    assert (status, error["type"]) == (400, "invalid_request_error")
    assert words in error["message"]
    assert not world.providers


@pytest.mark.parametrize("depth", [150, 199])
def test_a_body_that_can_be_read_can_be_written(depth: int) -> None:
    """Also where it has to be written anew, for a client that wants the whole message."""
    nested: list[object] = []
    for _ in range(depth - 1):
        nested = [nested]
    assert sent(stream=False, deep=nested)["deep"] == nested


def test_what_a_body_may_be_made_of_is_the_operators_to_say() -> None:
    bounds = JSONBounds(max_json_items=8, max_json_depth=2, max_json_escapes=1)
    world = World(json_bounds=bounds)
    world.read(world.send("POST", "/v1/messages", body=b'{"stream": true, "a": [1, 2, "\\n"]}'))
    for limit, body in (
        ("max_json_items=8", b'{"stream": true, "a": [1, 2, 3, 4, 5]}'),
        ("max_json_depth=2", b'{"stream": true, "a": [[]]}'),
        ("max_json_escapes=1", b'{"stream": true, "a": "\\n\\n"}'),
    ):
        status, error = world.refused("POST", "/v1/messages", body=body)
        assert (status, error["type"]) == (400, "invalid_request_error")
        assert limit in error["message"]


@pytest.mark.parametrize(
    "turn_id", ["", "short", "x" * 65, "with a space in it", "an\u0085end-of-line", "\u00fc" * 20, "dot." * 5]
)
def test_a_turn_id_that_is_refused(turn_id: str) -> None:
    status, error = World().refused("POST", "/v1/messages", {"turn-id": turn_id}, body=question())
    assert status == 400
    assert "Turn-Id" in error["message"]


@pytest.mark.parametrize(
    "wish", ["", "sometimes", "detach", "detach=-1", "detach=nan", "drain=3601", "cancel=1", "detach=1e3000"]
)
def test_a_wish_for_the_disconnect_that_is_refused(wish: str) -> None:
    status, error = World().refused("POST", "/v1/messages", {"turn-on-disconnect": wish}, body=question())
    assert status == 400
    assert error["message"].startswith("Turn-On-Disconnect: expected")


def test_the_longest_disconnect_is_the_operators_to_say() -> None:
    world = World(max_disconnect_seconds=5.0)
    world.ask({"turn-on-disconnect": "detach=5"})
    status, error = world.refused("POST", "/v1/messages", {"turn-on-disconnect": "detach=6"}, body=question())
    assert status == 400
    assert "0 to 5" in error["message"]
