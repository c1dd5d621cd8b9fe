"""Whichever protocols a message goes through, what may be run is what could be run, and never more."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import LimitExceeded, MessageAccumulator, ServerSentEvent, dialects
from sse_core.blocks import (
    ArgumentsDelta,
    BlockEvent,
    BlockStart,
    BlockStop,
    MessageDelta,
    MessageStart,
    MessageStop,
    TextBlock,
    TextDelta,
    ToolUseBlock,
)
from sse_core.dialects.anthropic import Encoder as AnthropicEncoder
from sse_core.dialects.openai_chat import Encoder as ChatEncoder
from sse_core.testing import message_of
from tests.core.dialects.executable import (
    HALF,
    NAMES,
    REASONS,
    allowed,
    crossed,
    executable,
    made_of,
    messages,
    obeys,
)

DIALECTS = st.sampled_from([dialects.get(name) for name in NAMES])


@given(DIALECTS, messages())
def test_what_may_be_run_is_what_could_be(dialect: dialects.Dialect, events: list[BlockEvent]) -> None:
    obeys(dialect, events)


@given(DIALECTS, DIALECTS, messages())
def test_over_every_pair(first: dialects.Dialect, second: dialects.Dialect, events: list[BlockEvent]) -> None:
    """From the wire of one protocol to that of another."""
    received = crossed(first, events)
    between = message_of(received)
    before = message_of(events)
    assert executable(between).items() <= executable(before).items()
    if first.name not in {second.name, before.dialect}:
        assert executable(between) == allowed(before, first.name)
        after = message_of(crossed(second, received), accumulator=MessageAccumulator(parse_json=made_of))
        assert executable(after) == allowed(between, second.name)


def call(name: str, *texts: str) -> list[BlockEvent]:
    """A message of the dialect ``name`` with a call for each of these arguments."""
    events: list[BlockEvent] = [MessageStart("m", "c", dialect=name)]
    for index, text in enumerate(texts):
        events += [BlockStart(index, ToolUseBlock(f"call_{index}", "delete"))]
        events += [ArgumentsDelta(index, text), BlockStop(index)]
    return [*events, MessageDelta(REASONS.get(name, ["tool_use"])[0]), MessageStop()]


@pytest.mark.parametrize("origin", sorted({*NAMES, ""} - {"anthropic"}))
@pytest.mark.parametrize("half", HALF)
def test_to_anthropic_half_a_call_never_stops(origin: str, half: str) -> None:
    encoder = dialects.get("anthropic").Encoder()
    sent = [json.loads(sse.data) for event in call(origin, half) for sse in encoder.send(event)]
    assert "content_block_stop" not in [data["type"] for data in sent]
    assert [data["delta"]["stop_reason"] for data in sent if data["type"] == "message_delta"] == [
        "max_tokens"
    ]
    # What came of it is sent, for whoever wants to look at it.
    said = [data["delta"]["partial_json"] for data in sent if data["type"] == "content_block_delta"]
    assert "".join(said) == half


def test_what_follows_half_a_call_does_not_wait_for_the_end() -> None:
    encoder = dialects.get("anthropic").Encoder()
    for event in call("openai-chat", HALF[0])[:-2]:
        encoder.send(event)
    started, said = (encoder.send(event)[0] for event in (BlockStart(1, TextBlock()), TextDelta(1, "Mended")))
    assert (json.loads(started.data)["index"], json.loads(said.data)["index"]) == (1, 1)


@pytest.mark.parametrize("name", NAMES)
def test_a_whole_call_beside_half_a_one(name: str) -> None:
    """All or nothing, but where each call has a state of its own."""
    message = message_of(crossed(dialects.get(name), call("x", '{"a": 1}', HALF[0])))
    assert message.completeness == "complete"
    assert list(executable(message)) == (["call_0"] if name == "ui-messages" else [])


@pytest.mark.parametrize("origin", ["gemini", ""])
@pytest.mark.parametrize("encoder", [AnthropicEncoder, ChatEncoder])
def test_what_is_kept_of_arguments_is_bounded(encoder: Any, origin: str) -> None:
    """And what is whole is not kept."""
    written = encoder(max_held_bytes=1000)
    written.send(MessageStart("m", "c", dialect=origin))
    for index in range(50):
        events: list[BlockEvent] = [BlockStart(index, ToolUseBlock(f"t{index}", "f"))]
        events += [ArgumentsDelta(index, '"' + "x" * 600 + '"'), BlockStop(index)]
        for event in events:
            written.send(event)
    written.send(BlockStart(50, ToolUseBlock("t50", "f")))
    written.send(ArgumentsDelta(50, "x" * 600))
    with pytest.raises(LimitExceeded, match="max_held_bytes=1000"):
        written.send(ArgumentsDelta(50, "x" * 600))


@pytest.mark.parametrize("name", ["anthropic", "openai-chat"])
def test_in_its_own_protocol_a_message_is_written_as_its_provider_wrote_it(name: str) -> None:
    message = message_of(crossed(dialects.get(name), call(name, HALF[0])))
    before = message_of(call(name, HALF[0]))
    assert (message.stop_reason, message.completeness) == (before.stop_reason, "complete")
    assert [(tool.state, tool.raw_arguments) for tool in message.tools] == [("invalid", HALF[0])]


def test_anthropics_own_response_lets_nobody_run_what_stands_in_for_half_a_call() -> None:
    response = dialects.get("anthropic").to_response(message_of(call("anthropic", HALF[0])))
    assert response["content"][0]["input"] == {"INVALID_JSON": HALF[0]}
    assert response["stop_reason"] == "max_tokens"


def test_what_the_provider_said_is_sent_on_verbatim() -> None:
    """In its own protocol a stream stays as it came."""
    decoder, encoder = dialects.get("anthropic").Decoder(), dialects.get("anthropic").Encoder(verbatim=True)
    data: list[dict[str, Any]] = [
        {"type": "message_start", "message": {"id": "m", "model": "c", "content": []}},
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "tool_use", "id": "a", "name": "f", "input": {}},
        },
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "input_json_delta", "partial_json": HALF[0]},
        },
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 1}},
        {"type": "message_stop"},
    ]
    stream = [ServerSentEvent(each["type"], json.dumps(each)) for each in data]
    assert [sse for each in stream for e in decoder.receive_event(each) for sse in encoder.send(e)] == stream
