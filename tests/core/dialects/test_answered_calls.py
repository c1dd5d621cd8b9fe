"""A call whose result is in the message was run already: in no other protocol does anybody run it again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sse_core import MessageAccumulator, ServerSentEvent, dialects
from sse_core.blocks import (
    BlockEvent,
    BlockStart,
    BlockStop,
    Message,
    MessageDelta,
    MessageStart,
    MessageStop,
    ResultBlock,
    ToolUseBlock,
)

PROVIDERS = sorted(set(dialects.names()) - {"ui-messages"})
#: What the browser's side is sent where the server runs the tools, as the AI SDK does.
CALL: dict[str, Any] = {
    "type": "tool-input-available",
    "toolCallId": "a",
    "toolName": "pay",
    "input": {"x": 1},
}
RESULT: dict[str, Any] = {"type": "tool-output-available", "toolCallId": "a", "output": "paid"}
UNANSWERED: list[dict[str, Any]] = [{"type": "start", "messageId": "m"}, {"type": "start-step"}, CALL]
TEXT: list[dict[str, Any]] = [
    {"type": "text-start", "id": "0"},
    {"type": "text-delta", "id": "0", "delta": "Done"},
    {"type": "text-end", "id": "0"},
]
END: list[dict[str, Any]] = [{"type": "finish-step"}, {"type": "finish", "finishReason": "stop"}]


def told(*chunks: dict[str, Any]) -> list[BlockEvent]:
    decoder = dialects.get("ui-messages").Decoder()
    data = [*(json.dumps(chunk) for chunk in chunks), "[DONE]"]
    return [event for text in data for event in decoder.receive_event(ServerSentEvent("message", text))]


def accumulated(events: list[BlockEvent]) -> Message:
    accumulator = MessageAccumulator()
    for event in events:
        accumulator.receive(event)
    return accumulator.message


def crossed(name: str, events: list[BlockEvent]) -> Message:
    encoder, decoder = dialects.get(name).Encoder(), dialects.get(name).Decoder()
    sent = [sse for event in events for sse in encoder.send(event)]
    return accumulated([e for sse in sent for e in decoder.receive_event(sse)] + decoder.receive_eof())


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_call_that_nobody_has_answered_is_run(name: str) -> None:
    message = crossed(name, told(*UNANSWERED, *END))
    assert [tool.arguments for tool in message.executable_tools] == [{"x": 1}]


@pytest.mark.parametrize("name", PROVIDERS)
def test_one_that_was_answered_is_not(name: str) -> None:
    events = told(*UNANSWERED, RESULT, *TEXT, *END)
    assert accumulated(events).executable_tools == []
    message = crossed(name, events)
    assert (message.completeness, message.text) == ("complete", "Done")
    assert message.executable_tools == []


@pytest.mark.parametrize("name", PROVIDERS)
def test_nor_in_the_whole_response(name: str) -> None:
    response = json.dumps(dialects.get(name).to_response(accumulated(told(*UNANSWERED, RESULT, *TEXT, *END))))
    allowing = {
        "anthropic": '"stop_reason": "tool_use"',
        "openai-chat": '"finish_reason": "stop"',
        "openai-responses": '"incomplete_details": null',
        "gemini": '"finishReason": "STOP"',
    }
    assert allowing[name] not in response
    unanswered = json.dumps(dialects.get(name).to_response(accumulated(told(*UNANSWERED, *END))))
    assert "pay" in unanswered
    assert allowing[name] in unanswered


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize("dialect", ["", "x"])
def test_whoever_makes_the_events(name: str, dialect: str) -> None:
    call = ToolUseBlock("a", "pay", start_input={"x": 1})
    result = ResultBlock({"type": "tool_result", "tool_use_id": "a", "content": "paid"})
    blocks = [BlockStart(0, call), BlockStop(0), BlockStart(1, result), BlockStop(1)]
    end = [MessageDelta("tool_use"), MessageStop()]
    message = crossed(name, [MessageStart("m", "c", dialect=dialect), *blocks, *end])
    assert message.executable_tools == []


@pytest.mark.parametrize("name", PROVIDERS)
@pytest.mark.parametrize("id_", [None, "b", ["a"], {}])
def test_the_result_of_another_call_says_nothing_of_this_one(name: str, id_: Any) -> None:
    call = ToolUseBlock("a", "pay", start_input={"x": 1})
    result = ResultBlock({"type": "x_tool_result", "tool_use_id": id_})
    start = MessageStart("m", "c", dialect="x", blocks=[call, result])
    message = crossed(name, [start, MessageDelta("tool_use"), MessageStop()])
    assert [tool.name for tool in message.executable_tools] == ["pay"]
