"""Heartbeats: often enough for every proxy, and never seen by a client."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import anthropic
import pytest

from sse_core import EventStreamDecoder
from sse_core.lifecycle import SubscriptionSettings
from tests.relay.support import BEGINNING, ENDING, JSON, WHOLE, World, text

PING = b": ping\n"


def test_after_15_seconds_of_silence() -> None:
    world = World()
    reader = world.ask()
    provider = world.provider.connect().head().send(*BEGINNING, text("x"))
    before = reader.data
    world.pass_time(14.9)
    assert reader.data == before
    world.pass_time(0.1)
    assert reader.data == before + PING
    world.pass_time(30)
    assert reader.data == before + 3 * PING
    # Whatever is sent is a sign of life: the time begins anew.
    provider.send(text("y"))
    world.pass_time(14.9)
    assert reader.data.count(PING) == 3


def test_before_the_first_token_too() -> None:
    """A model may think for minutes, and nginx waits for 60 seconds."""
    world = World()
    reader = world.ask()
    world.provider.connect()
    world.pass_time(59)
    assert reader.data == 3 * PING
    world.provider.head().send(*WHOLE)
    assert reader.text == "Scattering."


def test_never_while_the_head_is_held_back() -> None:
    world = World(head_hold=20.0)
    reader = world.ask()
    world.provider.connect()
    world.pass_time(16)
    assert (reader.head, reader.data) == (None, b"")


def test_never_for_a_reader_that_has_not_taken_the_last_one() -> None:
    world = World(readers=SubscriptionSettings(stall=None))
    reader = world.ask()
    world.provider.connect().head().send(*BEGINNING, text("x"))
    reader.stalled = True
    world.pass_time(100)
    reader.go_on()
    assert reader.data.count(PING) == 1


def test_the_operator_can_switch_them_off() -> None:
    world = World(readers=SubscriptionSettings(heartbeat=None))
    reader = world.ask()
    world.provider.connect().head().send(*BEGINNING, text("x"))
    world.pass_time(100)
    assert PING not in reader.data


def stream_with_heartbeats() -> tuple[bytes, bytes]:
    """One answer, with a heartbeat at every place where there can be one, and without any."""
    streams = []
    for heartbeat in (15.0, None):
        world = World(readers=SubscriptionSettings(heartbeat=heartbeat))
        reader = world.ask()
        provider = world.provider.connect().head()
        for event in WHOLE:
            world.pass_time(15)
            provider.send(event)
        streams.append(reader.data)
    return streams[0], streams[1]


def test_they_change_no_event() -> None:
    beaten, silent = stream_with_heartbeats()
    assert beaten.count(PING) == len(WHOLE)
    assert beaten.replace(PING, b"") == silent
    assert EventStreamDecoder().receive_data(beaten) == EventStreamDecoder().receive_data(silent)


def test_they_stand_between_events_and_no_blank_line_follows() -> None:
    beaten, _ = stream_with_heartbeats()
    for before, after in zip(beaten.split(PING)[:-1], beaten.split(PING)[1:], strict=True):
        assert before == b"" or before.endswith(b"\n\n")
        assert after == b"" or after.startswith(b"event: ")


def sdk_events(stream: bytes) -> list[JSON]:
    """What the official SDK makes of the stream."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.end_headers()
            self.wfile.write(stream)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        with anthropic.Anthropic(api_key="x", base_url=address, max_retries=0) as client:
            question = [{"role": "user", "content": "x"}]
            with client.messages.stream(model="m", max_tokens=1, messages=question) as events:  # type: ignore[arg-type]
                return [json.loads(event.to_json()) for event in events]


def test_the_official_sdk_sees_the_same_events() -> None:
    beaten, silent = stream_with_heartbeats()
    assert sdk_events(beaten) == sdk_events(silent)
    assert [event["type"] for event in sdk_events(beaten)].count("message_stop") == 1


@pytest.mark.parametrize("piece", ["", "\n", ": ping\n", "\r\n\r\nevent: x"])
def test_a_text_that_looks_like_one(piece: str) -> None:
    world = World()
    reader = world.ask()
    world.provider.answer(*BEGINNING, text(f"a{piece}b"), *ENDING)
    assert reader.text == f"a{piece}b"
