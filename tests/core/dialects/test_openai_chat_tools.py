"""Which call a fragment belongs to, and when a call is whole."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import pytest

from sse_core import Message
from sse_core.blocks import (
    ArgumentsDelta,
    BlockStart,
    BlockStop,
    FieldsDelta,
    MessageDelta,
    MessageStop,
    TextBlock,
    TextDelta,
    ToolUseBlock,
)
from tests.core.dialects.chat import CHAT, DONE, chunk, decode, end, fragment, read, tool


def calls(message: Message) -> list[tuple[str, str, str, str]]:
    return [
        (block.id, block.name, block.raw_arguments, block.state)
        for block in message.blocks
        if isinstance(block, ToolUseBlock)
    ]


def test_a_call_is_whole_at_the_end_of_the_stream_and_not_before() -> None:
    stream = [
        chunk({"content": "a"}),
        tool(fragment("", id="t", name="f", index=0, type="function")),
        tool(fragment("1", index=0)),
        tool(fragment("2", index=0)),
        end("tool_calls"),
    ]
    assert decode(*stream, DONE)[1:] == [
        BlockStart(0, TextBlock()),
        TextDelta(0, "a"),
        BlockStop(0),
        BlockStart(1, ToolUseBlock("t", "f")),
        ArgumentsDelta(1, "1"),
        ArgumentsDelta(1, "2"),
        MessageDelta("tool_calls"),
        BlockStop(1),
        MessageStop(),
    ]
    (executable,) = read(*stream).executable_tools
    assert executable.arguments == 12


@pytest.mark.parametrize(
    ("fragments", "found"),
    [
        (
            [fragment("1", id="a", name="f", index=0), fragment("2", id="b", name="g", index=0)],
            [("a", "f", "1"), ("b", "g", "2")],
        ),
        (
            [fragment("1", id="a", name="f"), fragment("2", id="b", name="g"), fragment("3", id="a")],
            [("a", "f", "13"), ("b", "g", "2")],
        ),
        (
            [fragment("1", name="f", index=1), fragment("2", name="g", index=0), fragment("3", index=1)],
            [("", "f", "13"), ("", "g", "2")],
        ),
        (
            [fragment("1", id="a", name="f"), fragment("2"), fragment("3", id="", name="")],
            [("a", "f", "123")],
        ),
        ([fragment("1", id="a", name="f", index=0), fragment("2", name="f")], [("a", "f", "12")]),
        ([fragment("1"), fragment("2", name="f")], [("", "f", "12")]),
        (
            [fragment("1", index=0), fragment("2", id="a", index=0), fragment(name="f", index=0)],
            [("a", "f", "12")],
        ),
        (
            [fragment("1", name="f", index=0), fragment("2", id="a", name="g", index=0)],
            [("", "f", "1"), ("a", "g", "2")],
        ),
        (
            [fragment("1", id="a", index=0), fragment("2", id="b", index=0), fragment(name="g", index=0)],
            [("b", "g", "2"), ("a", "", "1")],
        ),
    ],
    ids=[
        "a new id is a new call, even if the index repeats",
        "a known id is that call",
        "without an id the index counts",
        "without both it is the latest call",
        "a name is set once",
        "without anything it is the first call",
        "an id and a name may come late",
        "an id comes too late for a call that has begun",
        "an id is never changed",
    ],
)
def test_a_fragment_belongs_to(fragments: list[Any], found: list[tuple[str, str, str]]) -> None:
    in_one = read(tool(*fragments), end("tool_calls"), DONE)
    in_many = read(*map(tool, fragments), end("tool_calls"), DONE)
    assert [call[:3] for call in calls(in_one)] == [call[:3] for call in calls(in_many)] == found


@pytest.mark.parametrize(
    ("arguments", "text"), [({"q": [1]}, '{"q":[1]}'), ([], "[]"), (False, "false"), (None, ""), ("", "")]
)
def test_arguments_may_be_the_value_itself(arguments: Any, text: str) -> None:
    assert calls(read(tool(fragment(arguments, name="f")), end("tool_calls")))[0][2] == text


@pytest.mark.parametrize("text", ["", " \n"])
def test_no_arguments_are_an_empty_object(text: str) -> None:
    message = read(tool(fragment(text, id="a", name="f")), end("tool_calls"))
    assert [call.arguments for call in message.executable_tools] == [{}]
    assert (
        CHAT.to_response(message)["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"] == "{}"
    )


@pytest.mark.parametrize("reason", ["length", "content_filter", "error"])
def test_after_a_reason_that_cuts_no_call_is_whole(reason: str) -> None:
    message = read(tool(fragment("{}", id="a", name="f")), end(reason), DONE)
    assert message.completeness == "complete"
    assert calls(message) == [("a", "f", "{}", "incomplete")]
    assert message.executable_tools == []


def test_without_a_reason_nothing_is_executable() -> None:
    message = read(tool(fragment("{}", id="a", name="f")), DONE)
    assert calls(message) == [("a", "f", "{}", "complete")]
    assert message.executable_tools == []


def test_a_call_without_a_name_is_told_of_and_never_whole() -> None:
    stream = [tool(fragment("{}", id="a", index=0), fragment(id="b", index=1)), chunk({"content": "x"})]
    expected = [("a", "", "{}", "incomplete"), ("b", "", "", "incomplete")]
    assert calls(read(*stream, end("tool_calls"), DONE)) == expected
    assert calls(read(*stream)) == expected


def test_other_fields_of_a_call_are_kept() -> None:
    extra = {"google": {"thought_signature": "s"}}
    early = fragment(name="f", index=0, extra_content=extra, type="custom")
    assert decode(tool(early, fragment("1", index=0, late=1)))[1:] == [
        BlockStart(0, ToolUseBlock("", "f", extra={"extra_content": extra, "type": "custom"})),
        FieldsDelta(0, {"late": 1}),
        ArgumentsDelta(0, "1"),
    ]


def test_a_fragment_may_lack_its_function() -> None:
    assert decode(tool({"index": 0, "function": None}, {"index": 0}, fragment(name="f", index=0)))[1:] == [
        BlockStart(0, ToolUseBlock("", "f"))
    ]


def test_a_function_call_of_the_old_kind_is_a_call() -> None:
    stream = [
        chunk({"function_call": {"name": "f", "arguments": '{"a"'}}),
        chunk({"function_call": {"arguments": ":1}"}}),
        end("function_call"),
    ]
    message = read(*stream)
    assert [call.arguments for call in message.executable_tools] == [{"a": 1}]
    answer = CHAT.to_response(message)["choices"][0]["message"]
    assert answer["function_call"] == {"name": "f", "arguments": '{"a":1}'}
    assert "tool_calls" not in answer


class TestFreeText:
    """Calls of OpenAI's custom tools: https://platform.openai.com/docs/guides/function-calling#custom-tools."""

    FIRST: ClassVar[Any] = {"index": 0, "id": "t", "type": "custom", "custom": {"name": "sh", "input": ""}}
    LATER: ClassVar[Any] = {"index": 0, "custom": {"input": "ls {"}}

    def test_their_arguments_are_text(self) -> None:
        message = read(tool(self.FIRST), tool(self.LATER), end("tool_calls"))
        (call,) = message.executable_tools
        assert (call.name, call.input_encoding, call.arguments, call.extra) == ("sh", "text", "ls {", {})

    def test_they_are_written_as_they_came(self) -> None:
        stream = [tool(self.FIRST), tool(self.LATER), end("tool_calls")]
        encoder = CHAT.Encoder()
        sent = [sse for event in decode(*stream, DONE) for sse in encoder.send(event)]
        assert read(*sent).blocks == read(*stream).blocks
        written = [json.loads(sse.data)["choices"][0]["delta"] for sse in sent[1:3]]
        assert written == [{"tool_calls": [self.FIRST]}, {"tool_calls": [self.LATER]}]

    def test_without_any_text_nothing_is_made_up(self) -> None:
        encoder = CHAT.Encoder()
        events = decode(tool(self.FIRST), end("tool_calls"), DONE)
        sent = [sse for event in events for sse in encoder.send(event)]
        (call,) = read(*sent).executable_tools
        assert call.arguments == ""

    def test_they_stand_in_the_whole_response(self) -> None:
        response = CHAT.to_response(read(tool(self.FIRST), tool(self.LATER), end("tool_calls")))
        call = {"id": "t", "type": "custom", "custom": {"name": "sh", "input": "ls {"}}
        assert response["choices"][0]["message"]["tool_calls"] == [call]

    @pytest.mark.parametrize("beside", [{"custom": "x"}, {"custom": {"name": "no"}, "type": "custom"}])
    def test_beside_a_function_such_a_field_means_nothing(self, beside: Any) -> None:
        message = read(tool(fragment("1", id="t", name="f", **beside)), end("tool_calls"))
        (call,) = message.executable_tools
        assert (call.name, call.arguments, call.extra) == ("f", 1, beside)
