"""Paths, methods, and who may call: before any turn comes up."""

from __future__ import annotations

import json

import pytest

from tests.relay.support import TURN_ID, WHOLE, World, question


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/messages", "POST"),
        ("PUT", "/v1/messages", "POST"),
        ("POST", "/healthz", "GET, HEAD"),
        ("DELETE", "/config", "GET, HEAD"),
        ("POST", f"/turns/{TURN_ID}", "GET, DELETE, HEAD"),
        ("POST", "/", "GET, HEAD"),
    ],
)
def test_a_method_that_a_path_does_not_take(method: str, path: str, allowed: str) -> None:
    answer = World().reply(method, path)
    assert answer.status == 405
    # RFC 9110 section 15.5.6: "The origin server MUST generate an Allow header field".
    assert answer.headers.get("allow") == allowed


@pytest.mark.parametrize("path", ["/nothing", "/v1/messages/", "/turns", "/v1", "//", "/static/../cli.py"])
def test_an_unknown_path(path: str) -> None:
    assert World().refused("GET", path)[0] == 404


@pytest.mark.parametrize("path", ["/turns/", f"/turns/{TURN_ID}", "/turns/a/b", "/turns/%00"])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_unknown_turn(method: str, path: str) -> None:
    status, error = World().refused(method, path)
    assert (status, error["type"]) == (404, "not_found_error")


def test_what_is_open_to_all() -> None:
    world = World(client_keys=frozenset({"a-key"}), model="a-model", simulated=True)
    assert world.reply("GET", "/").body == b"<!doctype html>"
    assert world.reply("HEAD", "/").status == 200
    assert json.loads(world.reply("GET", "/config").body) == {"simulated": True, "model": "a-model"}
    assert json.loads(world.reply("GET", "/healthz").body) == {
        "status": "ok",
        "turns": {"running": 0, "finished": 0},
    }


def test_health_counts_turns() -> None:
    world = World()
    world.ask()
    world.provider.answer(*WHOLE)
    world.ask()
    assert world.health() == {"running": 1, "finished": 1}


KEYS = frozenset({"first-key", "second-key"})


@pytest.mark.parametrize("key", sorted(KEYS))
@pytest.mark.parametrize("name", ["x-api-key", "authorization"])
@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER  "])
def test_a_key_is_taken_from_either_field(name: str, key: str, scheme: str) -> None:
    value = scheme + key if name == "authorization" else key
    world = World(client_keys=KEYS)
    world.ask({name: value})
    assert len(world.providers) == 1


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-api-key": ""},
        {"x-api-key": "first-ke"},
        {"x-api-key": "first-key "[::-1]},
        {"x-api-key": "FIRST-KEY"},
        {"x-api-key": "Bearer first-key"},
        {"authorization": "first-key"},
        {"authorization": "Basic first-key"},
        {"authorization": "Bearer"},
        {"x-api-key": "sch\u00fcssel"},
        {"cookie": "x-api-key=first-key"},
    ],
    ids=repr,
)
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v1/messages"), ("GET", f"/turns/{TURN_ID}"), ("DELETE", f"/turns/{TURN_ID}")],
)
def test_without_a_right_key_nothing_is_served(method: str, path: str, headers: dict[str, str]) -> None:
    world = World(client_keys=KEYS)
    answer = world.reply(method, path, headers, body=question())
    assert answer.status == 401
    # RFC 9110 section 15.5.2: "The server generating a 401 response MUST send a WWW-Authenticate
    # header field".
    assert answer.headers.get("www-authenticate") == "Bearer"
    assert not world.providers


def test_every_key_is_compared_whatever_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the first match nor the first wrong byte ends the comparison."""
    compared: list[tuple[bytes, bytes]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return one == other

    monkeypatch.setattr("hmac.compare_digest", compare)
    for shown in ("first-key", "second-key", "x"):
        compared.clear()
        World(client_keys=KEYS).post({"x-api-key": shown})
        assert len(compared) == len(KEYS)
        # All of one length: that of a key reveals nothing either.
        assert len({len(text) for pair in compared for text in pair}) == 1
