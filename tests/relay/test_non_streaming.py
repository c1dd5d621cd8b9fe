"""A client that wants the whole message: one reply, once the turn is over."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sse_core.lifecycle import Deadlines, RetryPolicy
from tests.relay.support import (
    BEGINNING,
    ENDING,
    JSON,
    TURN_ID,
    WHOLE,
    Reader,
    World,
    block_start,
    block_stop,
    delta,
    error_event,
    error_of,
    message_delta,
    message_start,
    text,
)

NAMED = {"turn-id": TURN_ID}
ONE_ATTEMPT = RetryPolicy(max_attempts=1)


def ask(**settings: Any) -> tuple[World, Reader]:
    world = World(**settings)
    return world, world.ask(NAMED, stream=False)


def body(reader: Reader) -> JSON:
    assert reader.reply.status == 200
    message: JSON = json.loads(reader.reply.body)
    return message


def test_a_completed_message() -> None:
    world, reader = ask()
    provider = world.provider.connect().head(request_id="req_1")
    provider.send(*BEGINNING, text("Scat"))
    assert (reader.head, reader.data) == (None, b"")
    provider.send(text("tering."), *ENDING)
    assert body(reader) == {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-test",
        "content": [{"type": "text", "text": "Scattering."}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 7},
    }
    assert reader.headers.get("content-type") == "application/json"
    assert reader.headers.get("turn-id") == TURN_ID
    assert reader.headers.get("request-id") == "req_1"
    assert not reader.open


def test_thinking_and_a_tool() -> None:
    world, reader = ask()
    world.provider.answer(
        message_start(),
        block_start(type="thinking", thinking="", signature=""),
        delta(0, type="thinking_delta", thinking="Hm."),
        delta(0, type="signature_delta", signature="c2ln"),
        block_stop(),
        block_start(1, type="tool_use", id="toolu_1", name="look", input={}),
        delta(1, type="input_json_delta", partial_json='{"at": '),
        delta(1, type="input_json_delta", partial_json='"sky"}'),
        block_stop(1),
        message_delta("tool_use"),
        {"type": "message_stop"},
    )
    assert body(reader)["content"] == [
        {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
        {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"at": "sky"}},
    ]


def test_a_refused_request() -> None:
    world, reader = ask()
    world.provider.connect().refuse(400, {"error": {"type": "invalid_request_error", "message": "No."}})
    assert reader.reply.status == 400
    assert error_of(reader.reply)["message"] == "No."


@pytest.mark.parametrize(
    ("events", "status", "kind"),
    [
        ([*BEGINNING, text("x"), error_event()], 529, "overloaded_error"),
        ([*BEGINNING, text("x"), {"type": "content_block_stop", "index": 5}], 502, "api_error"),
    ],
    ids=["error event", "broken stream"],
)
def test_a_failed_turn(events: list[JSON], status: int, kind: str) -> None:
    """A part of a message is never taken for the whole: it is an error, though there was text."""
    world, reader = ask()
    world.provider.answer(*events)
    assert (reader.reply.status, error_of(reader.reply)["type"]) == (status, kind)
    assert b"Scat" not in reader.reply.body


def test_a_cut_stream() -> None:
    for how in ("cut", "end"):
        world, reader = ask()
        provider = world.provider.connect().head().send(*BEGINNING, text("x"))
        provider.cut() if how == "cut" else provider.end()
        assert reader.reply.status == 502
        assert world.stop(TURN_ID) == "truncated"


def test_a_turn_that_takes_too_long() -> None:
    world, reader = ask(deadlines=Deadlines(whole=5.0))
    world.provider.connect().head().send(*BEGINNING, text("x"))
    world.pass_time(5)
    assert reader.reply.status == 504
    assert error_of(reader.reply)["type"] == "timeout_error"
    assert world.stop(TURN_ID) == "expired"


def test_a_stopped_turn() -> None:
    world, reader = ask()
    world.provider.connect().refuse(503)
    assert reader.head is None
    world.stop(TURN_ID)
    # 410: the SDKs would take 409 for "try again", and undo the stop.
    assert reader.reply.status == 410
    assert error_of(reader.reply)["type"] == "turn_stopped"
    assert not reader.open


def test_failures_in_between_are_not_reported() -> None:
    world, reader = ask(retry=RetryPolicy(max_attempts=3, initial_delay=1.0))
    world.provider.connect().refuse(529)
    world.pass_time(1)
    world.provider.connect().head().send(message_start(), error_event())
    world.provider.close()
    world.pass_time(2)
    world.provider.answer(*WHOLE)
    assert body(reader)["content"][0]["text"] == "Scattering."


def test_it_waits_as_long_as_it_takes() -> None:
    world, reader = ask(head_hold=2.0)
    world.provider.connect()
    world.pass_time(59)
    world.provider.head()
    world.pass_time(100)
    assert (reader.head, reader.data, reader.open) == (None, b"", True)
    assert reader.stream.deadline is None
    world.provider.send(*WHOLE)
    assert body(reader)


def test_the_same_request_again() -> None:
    world, first = ask()
    second = world.ask(NAMED, stream=False)
    world.provider.answer(*WHOLE)
    third = world.ask(NAMED, stream=False)
    assert first.reply == second.reply == third.reply
    assert len(world.providers) == 1


def test_its_events_can_be_read_too() -> None:
    world, _ = ask()
    along = world.resume(TURN_ID)
    world.provider.answer(*WHOLE)
    assert along.text == world.resume(TURN_ID).text == "Scattering."


def test_nothing_has_to_be_kept_for_it() -> None:
    """It takes the message, not the events: a long answer never fills its log."""
    world, reader = ask(log_bytes=2000)
    provider = world.provider.connect().head().send(*BEGINNING)
    for _ in range(100):
        provider.send(text("x" * 100))
        assert provider.exchange.log.retained_bytes < 2000
    provider.send(*ENDING)
    assert body(reader)["content"][0]["text"] == "x" * 10_000
    assert provider.exchange.readers == 0


def test_an_event_reader_beside_it_sets_its_own_pace() -> None:
    world, reader = ask(log_bytes=2000)
    slow = world.resume(TURN_ID)
    slow.stalled = True
    provider = world.provider.connect().head().send(*BEGINNING, text("x" * 3000))
    assert provider.want == "pause"
    slow.go_on()
    provider.send(*ENDING)
    assert body(reader)
    assert slow.text == "x" * 3000


def test_what_it_answers_a_server_that_demands_too_much() -> None:
    """A stream's other faces do nothing here, and do no harm."""
    world, reader = ask()
    reader.stream.handle_timeout(world.now)
    assert reader.stream.data_to_send(world.now) == b""
    world.provider.answer(*WHOLE)
    assert body(reader)
