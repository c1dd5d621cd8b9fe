"""A message as the response object that Anthropic sends without streaming."""

from __future__ import annotations

from typing import Any

import pytest

from sse_core import MessageAccumulator, dialects
from sse_core.blocks import (
    ArgumentsDelta,
    Block,
    BlockEvent,
    BlockStart,
    BlockStop,
    Message,
    MessageDelta,
    MessageStart,
    MessageStop,
    RedactedThinkingBlock,
    ResultBlock,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
    UnknownBlock,
)

ANTHROPIC = dialects.get("anthropic")


def accumulate(*events: BlockEvent) -> Message:
    accumulator = MessageAccumulator()
    for event in events:
        accumulator.receive(event)
    return accumulator.message


def test_a_response_has_everything_that_the_stream_said() -> None:
    result: dict[str, Any] = {"type": "web_search_tool_result", "tool_use_id": "s", "content": []}
    blocks: list[Block] = [
        ThinkingBlock("hm", "sig"),
        RedactedThinkingBlock("enc"),
        TextBlock("a", [{"url": "u"}], {"x": 1}),
        ToolUseBlock("s", "web_search", "server_tool_use", start_input={"q": "a"}),
        ResultBlock(result),
        UnknownBlock({"type": "future", "z": 1}),
    ]
    message = accumulate(
        MessageStart("msg_1", "claude", usage={"input_tokens": 1}, extra={"stop_details": None}),
        *(BlockStart(index, block) for index, block in enumerate(blocks)),
        BlockStop(3),
        MessageDelta(
            "stop_sequence", {"output_tokens": 2}, {"stop_sequence": "END", "container": {"id": "c"}}
        ),
        MessageStop(),
    )
    assert ANTHROPIC.to_response(message) == {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": "sig"},
            {"type": "redacted_thinking", "data": "enc"},
            {"type": "text", "text": "a", "citations": [{"url": "u"}], "x": 1},
            {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"q": "a"}},
            result,
            {"type": "future", "z": 1},
        ],
        "stop_reason": "stop_sequence",
        "stop_sequence": "END",
        "stop_details": None,
        "container": {"id": "c"},
        "usage": {"input_tokens": 1, "output_tokens": 2},
    }


@pytest.mark.parametrize(
    ("rest", "shown"),
    [
        ([ArgumentsDelta(0, '{"a": 1}'), BlockStop(0)], {"a": 1}),
        ([BlockStop(0)], {"start": 1}),
        ([], {"start": 1}),
        ([ArgumentsDelta(0, '{"a": '), BlockStop(0)], {"INVALID_JSON": '{"a": '}),
        ([ArgumentsDelta(0, '{"a": 1}')], {"INVALID_JSON": '{"a": 1}'}),
    ],
)
def test_arguments_that_are_not_whole_are_never_shown_as_an_input(rest: list[BlockEvent], shown: Any) -> None:
    tool = BlockStart(0, ToolUseBlock("t", "run", start_input={"start": 1}))
    message = accumulate(MessageStart("m", "c"), tool, *rest, MessageStop())
    assert ANTHROPIC.to_response(message)["content"][0]["input"] == shown


def test_no_field_of_the_providers_takes_the_place_of_a_known_one() -> None:
    extra = {"id": "forged", "type": "forged", "content": "forged", "usage": "forged"}
    response = ANTHROPIC.to_response(accumulate(MessageStart("m", "c"), MessageDelta(extra=extra)))
    assert (response["id"], response["type"], response["content"]) == ("m", "message", [])


def test_a_response_is_its_own() -> None:
    """Changing it changes nothing in the message."""
    message = accumulate(MessageStart("m", "c", usage={"a": 1}), BlockStart(0, UnknownBlock({"type": "x"})))
    before = repr(message)
    response = ANTHROPIC.to_response(message)
    response["usage"]["a"] = response["content"][0]["type"] = "changed"
    assert repr(message) == before
