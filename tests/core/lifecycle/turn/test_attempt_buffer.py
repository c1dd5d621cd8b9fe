"""What a decoder holds back until more has come: given with the turn's end, and known to who reads on."""

from __future__ import annotations

import dataclasses
import json

import pytest

from sse_core import MessageAccumulator, dialects
from sse_core.blocks import BlockEvent, Message, ToolUseBlock
from sse_core.dialects import Dialect
from sse_core.lifecycle import NO_RETRY, Deadlines, Outcome, Turn
from tests.core.lifecycle.turn.turn_support import EVENT_STREAM, REQUEST, drained

CHAT = dialects.get("openai-chat")
#: Its decoders have another around them.
OWN = dataclasses.replace(CHAT, name="own", stop_reasons={"done": "end_turn"})


def chunk(delta: object) -> bytes:
    data = {"id": "m", "model": "model", "choices": [{"index": 0, "delta": delta}]}
    return b"data: " + json.dumps(data).encode() + b"\n\n"


def call(index: int, name: str) -> bytes:
    return chunk({"tool_calls": [{"index": index, "id": f"c{index}", "function": {"name": name}}]})


TEXT = chunk({"content": "Hi"})
NOTES = chunk({"notes": "a"}) * 2 + chunk({"notes": "b"})
CALLS = call(0, "look") + call(1, "see")


def started(dialect: Dialect, accumulator: MessageAccumulator | None = None) -> Turn:
    turn = Turn(
        REQUEST, dialect, retry=NO_RETRY, deadlines=Deadlines(output_gap=20.0), accumulator=accumulator
    )
    turn.start(0.0)
    turn.connected(0.0)
    turn.response_started(200, EVENT_STREAM, 0.0)
    return turn


def read_on(events: list[BlockEvent]) -> Message:
    """What who reads the events as they came makes of them."""
    encoder, decoder, accumulator = CHAT.Encoder(verbatim=True), CHAT.Decoder(), MessageAccumulator()
    for event in events:
        for sse in encoder.send(event):
            for received in decoder.receive_event(sse):
                accumulator.receive(received)
    return accumulator.message


@pytest.mark.parametrize("dialect", [CHAT, OWN], ids=["chat", "own"])
@pytest.mark.parametrize("body", [TEXT + CALLS, CALLS, TEXT + NOTES + CALLS, NOTES + CALLS])
@pytest.mark.parametrize("end", ["stop", "lost", "timeout", "unreadable", "eof"])
def test_who_reads_on_knows_what_the_turn_knows(dialect: Dialect, body: bytes, end: str) -> None:
    turn = started(dialect)
    turn.receive_data(body, 1.0)
    if end == "stop":
        turn.stop(2.0)
    elif end == "lost":
        turn.connection_lost("reset", 2.0)
    elif end == "timeout":
        turn.handle_timeout(1000.0)
    elif end == "unreadable":
        turn.receive_data(b"data: {\n\n", 2.0)
    else:
        turn.receive_eof(2.0)
    read = read_on(drained(turn))
    assert read.blocks == turn.message.blocks
    assert [block.name for block in read.blocks if isinstance(block, ToolUseBlock)] == ["look", "see"]
    assert read.extra == turn.message.extra


def test_what_has_no_room_in_the_message_is_left_out() -> None:
    turn = started(CHAT, MessageAccumulator(max_blocks=1))
    turn.receive_data(TEXT + CALLS, 1.0)
    assert turn.stop(2.0) is Outcome.STOPPED
    assert len(turn.message.blocks) == 1
    assert turn.message.completeness == "stopped"
