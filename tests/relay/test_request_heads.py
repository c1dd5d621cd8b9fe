"""What the relay decides when it has a request's head, before the body is read."""

from __future__ import annotations

import gzip
import json

import pytest

from sse_http import BodyBudget, Reply, ServerConnection, Stream
from tests.relay.support import TURN_ID, WHOLE, World, question

EXPECT = "Expect: 100-continue\r\nContent-Length: 1000000\r\n"
KEYS = frozenset({"a-key"})


def first_line(world: World, head: str, fields: str = EXPECT) -> bytes:
    """What a peer that waits to send its body gets."""
    connection = ServerConnection(world.relay, 0.0, bodies=BodyBudget(1 << 30))
    connection.receive_data(f"{head} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n".encode(), 0.0)
    return connection.data_to_send(0.0).partition(b"\r\n")[0]


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("POST /v1/messages", b"401 Unauthorized"),
        ("POST /nothing", b"404 Not Found"),
        ("PUT /v1/messages", b"405 Method Not Allowed"),
        ("POST /turns/x", b"405 Method Not Allowed"),
        ("DELETE /turns/x", b"401 Unauthorized"),
        ("GET /healthz", b"413 Content Too Large"),
    ],
)
def test_nobody_gets_100_for_what_is_refused(head: str, status: bytes) -> None:
    assert first_line(World(client_keys=KEYS), head) == b"HTTP/1.1 " + status


def test_who_has_a_key_gets_100() -> None:
    fields = f"X-Api-Key: a-key\r\n{EXPECT}"
    assert first_line(World(client_keys=KEYS), "POST /v1/messages", fields) == b"HTTP/1.1 100 Continue"


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "zstd", "identity, br", "deflate"])
def test_a_compressed_body_is_no_broken_one(coding: str) -> None:
    body = gzip.compress(question())
    world = World()
    answer = world.reply("POST", "/v1/messages", {"Content-Encoding": coding}, body=body)
    assert answer.status == 415
    assert answer.headers.get("accept-encoding") == "identity"
    assert "compressed" in json.loads(answer.body)["error"]["message"]
    assert first_line(world, "POST /v1/messages", f"Content-Encoding: {coding}\r\n{EXPECT}").endswith(
        b" 415 Unsupported Media Type"
    )


@pytest.mark.parametrize("coding", ["identity", "", "none"])
def test_a_coding_that_is_none_compresses_nothing(coding: str) -> None:
    world = World()
    world.ask({"Content-Encoding": coding})
    assert len(world.providers) == 1


class TestHEAD:
    """RFC 9110 section 9.1: "All general-purpose servers MUST support the methods GET and HEAD"."""

    @pytest.mark.parametrize("path", ["/", "/healthz", "/config"])
    def test_of_what_is_whole(self, path: str) -> None:
        world = World()
        answers = [world.reply(method, path) for method in ("HEAD", "GET")]
        assert answers[0] == answers[1]
        assert first_line(world, f"HEAD {path}", "").endswith(b" 200 OK")

    def test_of_a_turn_reads_nothing_and_stops_nothing(self) -> None:
        world = World()
        reader = world.ask({"Turn-Id": TURN_ID})
        for _ in range(2):
            answer = world.send("HEAD", f"/turns/{TURN_ID}")
            assert not isinstance(answer, Reply)
            assert isinstance(answer, Stream)
            assert answer.head is not None
            assert answer.head.status == 200
            assert answer.head.headers.get("content-type") == "text/event-stream; charset=utf-8"
            assert answer.head.headers.get("turn-id") == TURN_ID
            answer.close(0.0)
        world.provider.answer(*WHOLE)
        assert reader.events[-1]["type"] == "message_stop"

    def test_of_a_turn_over_a_connection(self) -> None:
        world = World()
        world.ask({"Turn-Id": TURN_ID})
        assert first_line(world, f"HEAD /turns/{TURN_ID}", "").endswith(b" 200 OK")

    def test_of_a_turn_that_is_not_there(self) -> None:
        assert World().refused("HEAD", f"/turns/{TURN_ID}")[0] == 404

    def test_of_a_turn_needs_a_key_too(self) -> None:
        assert World(client_keys=KEYS).refused("HEAD", f"/turns/{TURN_ID}")[0] == 401
