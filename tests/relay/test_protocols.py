"""A protocol is one file: a second one is added here as one record, and nothing else names the first."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest

import sse_relay
from sse_core import dialects
from sse_core.blocks.strict_json import JSONObject
from sse_core.headers import Headers
from sse_http import Problem, Reply
from sse_relay.config import RelayConfig
from sse_relay.routes import ROUTES, Route
from tests.relay.support import JSON, TURN_ID, WHOLE, Provider, Reader, World

CHAT_PATH = "/v1/chat/completions"


def error_body(status: int, error_type: str, message: str) -> JSONObject:
    return {"error": {"message": message, "type": error_type, "param": None, "code": str(status)}}


CHAT = Route(
    name="Chat Completions",
    dialect=dialects.get("openai-chat"),
    upstream="https://chat.test",
    model="chat-model",
    passed_headers=("openai-organization",),
    returned_headers=("x-request-id", "openai-*"),
    error_types={
        "server": "server_error",
        "invalid_request": "invalid_request_error",
        "conflict": "conflict",
    },
    error_body=error_body,
    max_body_bytes=1000,
)
QUESTION: JSON = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "Why?"}]}


@pytest.fixture
def world() -> World:
    return World(routes=(*ROUTES, CHAT))


def ask(world: World, headers: dict[str, str] | None = None, **fields: object) -> Reader:
    return world.read(world.send("POST", CHAT_PATH, headers, json.dumps({**QUESTION, **fields}).encode()))


def chunk(delta: JSON, finish_reason: str | None = None, **more: object) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    head = {"id": "c-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return b"data: %b\n\n" % json.dumps({**head, "choices": [choice], **more}).encode()


PIECES = [
    chunk({"role": "assistant", "content": ""}),
    chunk({"content": "Scat"}),
    chunk({"content": "tering."}),
    chunk({}, "stop"),
    b"data: [DONE]\n\n",
]


def answer(provider: Provider, **headers: str) -> None:
    provider.connect().head(200, **headers)
    for piece in PIECES:
        provider.body(piece)


def test_a_turn_of_a_second_protocol(world: World) -> None:
    reader = ask(world)
    answer(world.provider, x_request_id="req-1", openai_version="v", other="x")
    ((head, body),) = world.provider.requests
    assert (head.method, head.target) == (b"POST", CHAT_PATH.encode())
    assert json.loads(body) == QUESTION
    assert [event.data for event in reader.sse] == [piece.decode()[6:-2] for piece in PIECES]
    assert (reader.headers.get("x-request-id"), reader.headers.get("openai-version")) == ("req-1", "v")
    assert "other" not in reader.headers
    assert not reader.open


def test_and_its_whole_message(world: World) -> None:
    reader = ask(world, stream=False)
    answer(world.provider)
    response = json.loads(reader.reply.body)
    assert response["object"] == "chat.completion"
    assert response["choices"][0]["message"]["content"] == "Scattering."


def test_it_can_be_taken_up_again(world: World) -> None:
    first = ask(world, {"turn-id": TURN_ID, "turn-on-disconnect": "detach=30"})
    provider = world.provider.connect().head().body(PIECES[0] + PIECES[1])
    first.leave()
    provider.body(b"".join(PIECES[2:]))
    second = world.resume(TURN_ID, first.sse[-1].last_event_id)
    assert [event.data for event in (*first.sse, *second.sse)] == [piece.decode()[6:-2] for piece in PIECES]


def test_the_credential_stands_where_each_protocol_has_it() -> None:
    world = World(routes=(*ROUTES, CHAT), api_key="of-the-relay", client_keys=frozenset({"of-a-client"}))
    ask(world, {"authorization": "Bearer of-a-client"})
    world.ask({"x-api-key": "of-a-client"})
    sent = [dict(provider.connect().requests[0][0].headers) for provider in world.providers]
    assert (sent[0].get(b"authorization"), sent[0].get(b"x-api-key")) == (b"Bearer of-the-relay", None)
    assert (sent[1].get(b"authorization"), sent[1].get(b"x-api-key")) == (None, b"of-the-relay")


def test_a_clients_own_credential_goes_to_its_own_protocol_only(world: World) -> None:
    ask(
        world,
        {"authorization": "Bearer a", "x-api-key": "b", "openai-organization": "o", "anthropic-beta": "c"},
    )
    sent = dict(world.provider.connect().requests[0][0].headers)
    assert (sent[b"authorization"], sent[b"openai-organization"]) == (b"Bearer a", b"o")
    assert {b"x-api-key", b"anthropic-beta"}.isdisjoint(sent)


def test_errors_have_the_shape_of_the_routes_protocol(world: World) -> None:
    def refused(method: str, path: str, body: bytes = b"") -> JSON:
        error: JSON = json.loads(world.reply(method, path, body=body).body)
        return error

    assert refused("POST", CHAT_PATH, b"{") == error_body(
        400,
        "invalid_request_error",
        "The body is not JSON. Send a Chat Completions request as a JSON object.",
    )
    assert refused("GET", CHAT_PATH)["error"]["code"] == "405"
    assert refused("GET", ROUTES[0].path)["type"] == "error"
    assert refused("GET", "/nowhere")["type"] == "error"  # the first route's


def test_what_a_protocol_has_no_word_for_is_the_servers() -> None:
    reply = CHAT.problem_reply(Problem(410, "gone", "Away.", Headers({"retry-after": "1"})))
    assert json.loads(reply.body)["error"]["type"] == "server_error"
    assert (reply.status, reply.reason, reply.headers.get("retry-after")) == (410, "Away.", "1")


def test_one_turn_id_is_not_two_protocols_turn(world: World) -> None:
    body = json.dumps(QUESTION).encode()
    world.read(world.send("POST", CHAT_PATH, {"turn-id": TURN_ID}, body))
    reply = world.reply("POST", ROUTES[0].path, {"turn-id": TURN_ID}, body=body)
    assert (reply.status, json.loads(reply.body)["type"]) == (409, "error")


def test_a_failed_turn_is_reported_in_the_turns_own_protocol(world: World) -> None:
    ask(world, {"turn-id": TURN_ID})
    world.stop(TURN_ID)
    reader = ask(world)
    world.relay.close(world.now)
    assert isinstance(reader.head, Reply)
    assert json.loads(reader.reply.body) == error_body(
        503, "server_error", "The server is going down; ask again."
    )


@pytest.mark.parametrize("safe", [True, False])
def test_whose_clients_fail_at_a_comment_get_no_heartbeat(safe: object) -> None:
    dialect = dataclasses.replace(CHAT.dialect, comments_are_safe=bool(safe))
    world = World(routes=(dataclasses.replace(CHAT, dialect=dialect),))
    reader = ask(world)
    world.provider.connect().head().body(PIECES[0] + PIECES[1])
    world.pass_time(20.0)
    assert (b": ping" in reader.data) is safe


def test_the_first_protocol_is_as_it_was(world: World) -> None:
    reader = world.ask()
    world.provider.answer(*WHOLE)
    assert reader.events == WHOLE


@pytest.mark.parametrize("end", ["/v1", "/v1/", "/v1/chat", "/api/v1/chat/completions/"])
def test_an_upstream_that_has_the_beginning_of_a_routes_path(end: str) -> None:
    with pytest.raises(
        ValueError, match=r"^upstream: leave out /v1 at its end; /v1/chat/completions is added"
    ):
        RelayConfig(f"https://chat.test{end}", routes=(CHAT,))
    RelayConfig("https://chat.test/v1/chat/of", routes=(CHAT,))


def test_no_other_module_names_the_protocol() -> None:
    folder = Path(sse_relay.__file__).parent
    simulated = {folder / "cli" / "provider.py", *(folder / "provider").glob("*.py")}
    its_own = {folder / "routes" / "anthropic.py"}
    protocol = re.compile(r"anthropic|claude|/v1\b|x-api-key", re.IGNORECASE)
    found = {
        path.relative_to(folder).as_posix(): protocol.findall(path.read_text("utf-8"))
        for path in sorted({*folder.rglob("*.py")} - simulated - its_own)
    }
    assert all(protocol.search(path.read_text("utf-8")) for path in its_own)
    assert {name: names for name, names in found.items() if names} == {
        "routes/__init__.py": ["anthropic", "anthropic"]  # the list of them
    }
