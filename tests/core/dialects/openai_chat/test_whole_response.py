"""A message as the response that OpenAI would have sent without streaming."""

from __future__ import annotations

from typing import Any

import pytest

from sse_core.blocks import (
    BlockStart,
    BlockStop,
    MessageDelta,
    MessageStart,
    MessageStop,
    TextBlock,
    ThinkingBlock,
    ThinkingDelta,
    ToolUseBlock,
    UnknownBlock,
)
from sse_core.testing import message_of
from tests.core.dialects.chat_events import CHAT, DONE, chunk, end, fragment, read, sse, tool


def answer(*deltas: Any) -> Any:
    return CHAT.to_response(read(*map(chunk, deltas)))["choices"][0]["message"]


def test_a_response_has_what_openai_always_sends_and_what_came() -> None:
    usage = {"usage": {"total_tokens": 3}}
    message = read(chunk({"content": "a", "x": 1}, y=2), sse({"choices": [], "z": 3, **usage}), end(), DONE)
    whole = {"role": "assistant", "content": "a", "refusal": None, "x": 1}
    assert CHAT.to_response(message) == {
        "id": "c1",
        "object": "chat.completion",
        "model": "m",
        "choices": [{"index": 0, "message": whole, "finish_reason": "stop", "y": 2}],
        "z": 3,
        **usage,
    }


def test_calls_are_whole() -> None:
    message = read(tool(fragment('{"a":1}', id="t", name="f", index=4)), end("tool_calls"))
    response = CHAT.to_response(message)
    call = {"id": "t", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
    assert response["choices"][0]["message"]["tool_calls"] == [call]
    assert response["choices"][0]["message"]["content"] is None


@pytest.mark.parametrize("arguments", ["", '{"q":'])
def test_arguments_that_are_not_whole_stay_as_they_came(arguments: str) -> None:
    message = read(tool(fragment(arguments, id="t", name="f")), end("length"))
    call = CHAT.to_response(message)["choices"][0]["message"]["tool_calls"][0]
    assert call["function"]["arguments"] == arguments


def test_what_the_provider_runs_itself_is_no_call() -> None:
    tools = [BlockStart(0, ToolUseBlock("t", "f", "server_tool_use")), BlockStop(0)]
    message = message_of([MessageStart("m", "c"), *tools, MessageDelta("end_turn"), MessageStop()])
    (choice,) = CHAT.to_response(message)["choices"]
    assert "tool_calls" not in choice["message"]
    assert choice["finish_reason"] == "stop"


def test_thinking_of_another_protocol_has_the_name_that_most_hosts_use() -> None:
    thinking = [BlockStart(0, ThinkingBlock()), ThinkingDelta(0, "hm"), BlockStop(0)]
    message = message_of([MessageStart("m", "c"), *thinking, MessageStop()])
    assert CHAT.to_response(message)["choices"][0]["message"]["reasoning_content"] == "hm"


def test_thinking_has_the_name_that_it_came_by() -> None:
    found = answer({"reasoning": "a"}, {"content": "b"}, {"reasoning": "c"})
    assert (found["reasoning"], found["content"]) == ("ac", "b")
    assert "reasoning_content" not in found


def test_parts_of_a_list_are_whole() -> None:
    image = {"type": "image_url", "image_url": {"url": "u"}}

    def thinking(text: str) -> Any:
        return {"type": "thinking", "thinking": [{"type": "text", "text": text}], "closed": True}

    found = answer(
        {"content": [thinking("a"), thinking("b")]}, {"content": "x"}, {"content": [image]}, {"refusal": "no"}
    )
    assert found["content"] == [thinking("ab"), {"type": "text", "text": "x"}, image]
    assert found["refusal"] == "no"


def test_details_of_reasoning_are_joined_where_index_and_type_say_so() -> None:
    def detail(index: Any, **fields: Any) -> Any:
        return {"type": "reasoning.text", "index": index, "format": None, **fields}

    found = answer(
        {"reasoning_details": [detail(0, text="a", format="f"), detail(0, text="b"), detail(1, text="c")]},
        {
            "reasoning_details": [
                detail(1, signature="s"),
                {"type": "x", "data": "d"},
                {"type": "x", "data": "e"},
                "odd",
            ]
        },
        {"reasoning_details": [detail(1, text="z")]},
    )
    assert found["reasoning_details"] == [
        detail(0, text="ab", format="f"),
        detail(1, text="c", signature="s"),
        {"type": "x", "data": "d"},
        {"type": "x", "data": "e"},
        "odd",
        detail(1, text="z"),
    ]


def test_audio_is_joined() -> None:
    found = answer(
        {"audio": {"id": "a", "transcript": "Hel"}},
        {"audio": {"transcript": "lo", "data": "QUJD"}},
        {"audio": {"data": "REVG", "expires_at": 7, "id": None}},
    )
    assert found["audio"] == {"id": "a", "transcript": "Hello", "data": "QUJDREVG", "expires_at": 7}
    assert answer({"audio": None})["audio"] is None
    assert answer({"audio": {"id": "a"}})["audio"] == {"id": "a"}


def test_details_of_another_type_are_not_taken_for_a_list() -> None:
    message = message_of([MessageStart("m", "c", extra={"message.reasoning_details": 7})])
    assert CHAT.to_response(message)["choices"][0]["message"]["reasoning_details"] == 7


def test_no_field_of_the_providers_takes_the_place_of_a_known_one() -> None:
    names = [
        "id",
        "object",
        "model",
        "choices",
        "choice.index",
        "choice.finish_reason",
        "choice.message",
        "message.role",
    ]
    message = message_of([MessageStart("m", "c", extra=dict.fromkeys(names, "forged"))])
    assert "forged" not in repr(CHAT.to_response(message))


def test_a_response_is_its_own() -> None:
    """Changing it changes nothing in the message."""
    stream = [
        chunk({"reasoning_details": [{"index": 0, "text": "a"}]}, logprobs={"content": [1]}),
        chunk({"content": [{"type": "image_url"}]}),
        sse({"choices": [], "usage": {"a": 1}}),
    ]
    message = read(*stream)
    before = repr(message)
    response = CHAT.to_response(message)
    choice = response["choices"][0]
    choice["logprobs"]["content"].append(2)
    choice["message"]["content"][0]["x"] = choice["message"]["reasoning_details"][0]["x"] = 1
    response["usage"]["a"] = 2
    assert repr(message) == before


def test_a_message_of_another_protocol_is_written_in_openais_words() -> None:
    events = [
        MessageStart("m", "c", usage={"input_tokens": 1, "output_tokens": 2}, dialect="anthropic"),
        MessageStart("m", "c", dialect="anthropic", choice=1),
        BlockStart(0, TextBlock("a", [{"type": "char_location"}], {"x": 1})),
        BlockStart(1, TextBlock("no", extra={"field": "refusal"})),
        BlockStart(2, UnknownBlock({"type": "fallback"})),
        MessageDelta("stop_sequence", extra={"stop_sequence": "END", "message.x": 1}),
        MessageStop(),
    ]
    whole = {"role": "assistant", "content": "a", "refusal": "no"}
    other = {"role": "assistant", "content": None, "refusal": None}
    assert CHAT.to_response(message_of(events)) == {
        "id": "m",
        "object": "chat.completion",
        "model": "c",
        "choices": [
            {
                "index": 0,
                "message": whole,
                "finish_reason": "stop",
                "native_finish_reason": "stop_sequence",
            },
            {"index": 1, "message": other, "finish_reason": None},
        ],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
    }
