"""A message to Gemini's whole response."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sse_core import dialects
from sse_core.blocks import (
    Block,
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
from sse_core.testing import message_of
from tests.core.dialects.gemini_events import GEMINI, call, end, parts, read, sse, texts
from tests.core.growth import is_linear


def response(*blocks: Block, dialect: str = "anthropic", **start: Any) -> Any:
    """The response of a message in another protocol."""
    events = [event for i, block in enumerate(blocks) for event in (BlockStart(i, block), BlockStop(i))]
    begin = MessageStart("msg_1", "claude", dialect=dialect, **start)
    return GEMINI.to_response(message_of([begin, *events, MessageDelta("tool_use"), MessageStop()]))


def test_a_response_is_what_came() -> None:
    feedback: Any = {"promptFeedback": {"safetyRatings": []}}
    stream = [sse({**feedback, "responseId": "r1", "modelVersion": "m"}), texts("a"), texts("b"), end()]
    assert GEMINI.to_response(read(*stream, sse({"usageMetadata": {"totalTokenCount": 3}}))) == {
        "candidates": [
            {"content": {"parts": [{"text": "ab"}], "role": "model"}, "finishReason": "STOP", "index": 0}
        ],
        "usageMetadata": {"totalTokenCount": 3},
        "modelVersion": "m",
        "responseId": "r1",
        **feedback,
    }


def test_nothing_is_made_up_for_a_message_that_never_began() -> None:
    assert GEMINI.to_response(message_of([])) == {}


def test_a_candidate_may_have_no_parts() -> None:
    (candidate,) = GEMINI.to_response(read(parts(finishReason="SAFETY")))["candidates"]
    assert candidate == {"content": {"parts": [], "role": "model"}, "finishReason": "SAFETY", "index": 0}
    (candidate,) = GEMINI.to_response(read(parts(tokenCount=1)))["candidates"]
    assert candidate == {"content": {"parts": [], "role": "model"}, "tokenCount": 1, "index": 0}


def test_a_message_of_another_protocol_is_written_in_geminis_words() -> None:
    figures = {"input_tokens": 3, "output_tokens": 9}
    blocks: list[Block] = [
        ThinkingBlock("hm", "sig"),
        ThinkingBlock("", "sig"),
        RedactedThinkingBlock("x"),
        TextBlock("a", [{"cited": 1}], {"x": 1}),
        TextBlock(""),
        ToolUseBlock("srv", "search", "server_tool_use"),
        ResultBlock({"type": "web_search_tool_result", "content": []}),
        UnknownBlock({"type": "fallback"}),
        ToolUseBlock("toolu_1", "f", raw_arguments='{"a":1}'),
    ]
    assert response(*blocks, usage=figures, extra={"candidate.x": 1, "container": 2}) == {
        "candidates": [
            {
                "content": {
                    "parts": [
                        {"text": "hm", "thought": True},
                        {"text": "a"},
                        {"functionCall": {"name": "f", "args": {"a": 1}, "id": "toolu_1"}},
                    ],
                    "role": "model",
                },
                "finishReason": "STOP",
                "index": 0,
            }
        ],
        "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 9, "totalTokenCount": 12},
        "modelVersion": "claude",
        "responseId": "msg_1",
    }


def test_the_mark_of_a_refusal_is_not_geminis() -> None:
    refusal = TextBlock("no", extra={"field": "refusal"})
    for dialect in ("", "openai-chat"):
        (candidate,) = response(refusal, dialect=dialect)["candidates"]
        assert candidate["content"]["parts"] == [{"text": "no"}]


@pytest.mark.parametrize(
    ("tool", "expected"),
    [
        (ToolUseBlock("i", "f", raw_arguments="[1"), None),
        (ToolUseBlock("i", "f", raw_arguments="[1]"), None),
        (ToolUseBlock("i", "f", raw_arguments="x", input_encoding="text"), {"args": {"input": "x"}}),
        (ToolUseBlock("i", "f", raw_arguments="{}"), {"args": {}}),
        (ToolUseBlock("i", "f"), {}),
    ],
)
@pytest.mark.parametrize("dialect", ["gemini", "anthropic", ""])
def test_a_call_whose_arguments_are_no_object_is_left_out(
    tool: ToolUseBlock, expected: Any, dialect: str
) -> None:
    (candidate,) = response(tool, dialect=dialect)["candidates"]
    parts = [] if expected is None else [{"functionCall": {"name": "f", "id": "i", **expected}}]
    assert candidate["content"]["parts"] == parts
    # Nobody may take the other calls for all.
    assert candidate["finishReason"] == ("MALFORMED_FUNCTION_CALL" if expected is None else "STOP")


def test_a_response_of_gemini_read_in_another_protocol_keeps_what_both_have() -> None:
    message = read(texts("a"), call(name="f", args={"q": 1}), end())
    chat = dialects.get("openai-chat").to_response(message)["choices"][0]
    assert chat["message"]["content"] == "a"
    assert chat["message"]["tool_calls"][0]["id"] == "call_r1_1"
    assert chat["message"]["tool_calls"][0]["function"] == {"name": "f", "arguments": '{"q":1}'}


@pytest.mark.untraced
def test_lists_that_grew_take_linear_time() -> None:
    def step(size: int) -> Callable[[], object]:
        message = Message()
        message.extra = {f"candidate.citationMetadata.{place}": [place] for place in range(size)}
        (candidate,) = GEMINI.to_response(message)["candidates"]
        assert len(candidate["citationMetadata"]) == size
        return lambda: GEMINI.to_response(message)

    assert is_linear(step, 3000)
