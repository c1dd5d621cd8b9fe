"""A call whose result is in the message was run already: in no other protocol does anybody run it again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sse_core import ServerSentEvent, dialects
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
from sse_core.testing import message_of

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


def decoded(*chunks: dict[str, Any]) -> list[BlockEvent]:
    decoder = dialects.get("ui-messages").Decoder()
    data = [*(json.dumps(chunk) for chunk in chunks), "[DONE]"]
    return [event for text in data for event in decoder.receive_event(ServerSentEvent("message", text))]


def crossed(name: str, events: list[BlockEvent]) -> Message:
    encoder, decoder = dialects.get(name).Encoder(), dialects.get(name).Decoder()
    sent = [sse for event in events for sse in encoder.send(event)]
    return message_of([e for sse in sent for e in decoder.receive_event(sse)] + decoder.receive_eof())


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_call_that_nobody_has_answered_is_run(name: str) -> None:
    message = crossed(name, decoded(*UNANSWERED, *END))
    assert [tool.arguments for tool in message.executable_tools] == [{"x": 1}]


@pytest.mark.parametrize("name", PROVIDERS)
def test_one_that_was_answered_is_not(name: str) -> None:
    events = decoded(*UNANSWERED, RESULT, *TEXT, *END)
    assert message_of(events).executable_tools == []
    message = crossed(name, events)
    assert (message.completeness, message.text) == ("complete", "Done")
    assert message.executable_tools == []


@pytest.mark.parametrize("name", PROVIDERS)
def test_nor_in_the_whole_response(name: str) -> None:
    response = json.dumps(
        dialects.get(name).to_response(message_of(decoded(*UNANSWERED, RESULT, *TEXT, *END)))
    )
    allowing = {
        "anthropic": '"stop_reason": "tool_use"',
        "openai-chat": '"finish_reason": "stop"',
        "openai-responses": '"incomplete_details": null',
        "gemini": '"finishReason": "STOP"',
    }
    assert allowing[name] not in response
    unanswered = json.dumps(dialects.get(name).to_response(message_of(decoded(*UNANSWERED, *END))))
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


def received(name: str, *data: Any) -> Message:
    decoder = dialects.get(name).Decoder()
    texts = [item if isinstance(item, str) else json.dumps(item) for item in data]
    events = [event for text in texts for event in decoder.receive_event(ServerSentEvent("message", text))]
    return message_of(events + decoder.receive_eof())


CHAT_CALL = {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "pay", "arguments": "{}"}}]}
PARTS = [{"functionCall": {"name": "pay", "args": {}}}]
ITEM = {"type": "function_call", "call_id": "a", "name": "pay", "arguments": "{}", "status": "completed"}


def test_a_result_without_an_id_may_be_any_calls() -> None:
    nameless = {"type": "tool-input-error", "toolCallId": "", "toolName": "", "errorText": ""}
    events = decoded({"type": "start"}, nameless, {"type": "finish", "finishReason": "tool-calls"})
    assert crossed("ui-messages", events).executable_tools == []


class TestAReasonIsNotLifted:
    """A reason that lets no call run isn't lifted by one that comes later, or beside it."""

    @pytest.mark.parametrize(("first", "runs"), [("stop", 1), ("length", 0), ("content_filter", 0)])
    def test_of_a_chat_completion(self, first: str, runs: int) -> None:
        reasons = [
            {"choices": [{"index": 0, "delta": {}, "finish_reason": r}]} for r in (first, "tool_calls")
        ]
        message = received("openai-chat", {"choices": [{"index": 0, "delta": CHAT_CALL}]}, *reasons, "[DONE]")
        assert len(message.executable_tools) == runs

    @pytest.mark.parametrize(("first", "runs"), [("STOP", 1), ("MAX_TOKENS", 0), ("SAFETY", 0)])
    def test_of_gemini(self, first: str, runs: int) -> None:
        chunks = [{"candidates": [{"content": {"parts": PARTS}, "finishReason": first}]}]
        chunks.append({"candidates": [{"content": {"parts": []}, "finishReason": "STOP"}]})
        assert len(received("gemini", *chunks).executable_tools) == runs

    @pytest.mark.parametrize(("details", "runs"), [(None, 1), ({}, 1), ({"reason": "max_output_tokens"}, 0)])
    def test_of_a_response(self, details: Any, runs: int) -> None:
        response = {"id": "r", "status": "completed", "incomplete_details": details}
        message = received(
            "openai-responses",
            {"type": "response.created", "response": {"id": "r"}},
            {"type": "response.output_item.done", "output_index": 0, "item": ITEM},
            {"type": "response.completed", "response": response},
        )
        assert message.completeness == "complete"
        assert len(message.executable_tools) == runs
