"""Which call a fragment belongs to, and when a call is whole."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from sse_core import Message, MessageAccumulator, dialects
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
from sse_core.dialects.openai_chat import Decoder
from sse_core.testing import events_of
from tests.core.dialects.chat_events import CHAT, DONE, chunk, decode, end, fragment, read, sse, tool
from tests.core.growth import is_linear


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


def test_a_call_without_a_name_is_reported_and_never_whole() -> None:
    stream = [tool(fragment("{}", id="a", index=0), fragment(id="b", index=1)), chunk({"content": "x"})]
    expected = [("a", "", "{}", "incomplete"), ("b", "", "", "incomplete")]
    assert calls(read(*stream, end("tool_calls"), DONE)) == expected
    assert calls(read(*stream)) == expected


def test_other_fields_of_a_call_are_kept() -> None:
    extra = {"google": {"thought_signature": "s"}}
    early = fragment(name="f", index=0, extra_content=extra, type="custom")
    assert decode(tool(early, fragment("1", index=0, soon=0), fragment("2", index=0, late=1)))[1:] == [
        BlockStart(0, ToolUseBlock("", "f", extra={"extra_content": extra, "type": "custom", "soon": 0})),
        ArgumentsDelta(0, "1"),
        FieldsDelta(0, {"late": 1}),
        ArgumentsDelta(0, "2"),
    ]


def test_a_fragment_may_lack_its_function() -> None:
    fragments = [{"index": 0, "function": None}, {"index": 0}, fragment("1", name="f", index=0)]
    assert decode(tool(*fragments))[1:] == [BlockStart(0, ToolUseBlock("", "f")), ArgumentsDelta(0, "1")]


class TestNames:
    """A name that comes again, grows, or comes in pieces: the whole name, or nothing runs."""

    @pytest.mark.parametrize(
        ("names", "whole"),
        [
            (["get_", "weather"], "get_weather"),
            (["g", "et", "_weather"], "get_weather"),
            (["get_", "", None, "weather"], "get_weather"),
            (["get_weather", "get_weather", "get_weather"], "get_weather"),
            (["get_", "weather", "get_weather"], "get_weather"),
            (["get_", "get_wea", "get_weather", "get_weather"], "get_weather"),
            (["", "get_weather"], "get_weather"),
        ],
    )
    @pytest.mark.parametrize("identity", [{"id": "t", "index": 0}, {"id": "t"}, {"index": 0}, {}])
    def test_before_the_arguments_begin_it_may_grow(
        self, names: list[Any], whole: str, identity: Any
    ) -> None:
        stream = [tool(fragment("", name=name, **identity)) for name in names]
        message = read(*stream, tool(fragment("{}", **identity)), end("tool_calls"))
        assert [(call.name, call.arguments) for call in message.executable_tools] == [(whole, {})]
        without_arguments = read(*stream, end("tool_calls"))
        assert [call.name for call in without_arguments.executable_tools] == [whole]

    @pytest.mark.parametrize(
        "fragments",
        [
            [fragment("{", name="get_", index=0), fragment("}", name="weather", index=0)],
            [fragment("{}", name="get_", index=0), fragment("", name="weather", index=0)],
            [fragment("{}", name="get_", index=0), fragment("", name="get_weather", index=0)],
            [fragment("{}", index=0), fragment(name="get_", index=0), fragment(name="weather", index=0)],
            [fragment(name=name, index=0) for name in ("get_", "get_", "weather")],
            [fragment(name=name, index=0) for name in ("get", "_", "get_weather")],
        ],
        ids=[
            "within the arguments",
            "after the arguments",
            "whole, after the arguments",
            "after arguments that came before it",
            "a repetition and then a piece",
            "pieces and then what may be the whole",
        ],
    )
    @pytest.mark.parametrize("target", ["openai-chat", "anthropic", "openai-responses", "gemini"])
    def test_where_it_may_be_another_nothing_runs(self, fragments: list[Any], target: str) -> None:
        stream = [*map(tool, fragments), end("tool_calls"), DONE]
        message = read(*stream)
        assert message.completeness == "complete"
        assert (message.executable_tools, [call.state for call in message.tools]) == ([], ["incomplete"])
        dialect = dialects.get(target)
        encoder, decoder, accumulator = dialect.Encoder(), dialect.Decoder(), MessageAccumulator()
        for event in decode(*stream):
            for sent in encoder.send(event):
                for again in decoder.receive_event(sent):
                    accumulator.receive(again)
        assert accumulator.message.executable_tools == []

    def test_calls_that_grow_side_by_side_have_each_their_own(self) -> None:
        pieces = [("get_", 0), ("set_", 1), ("weather", 0), ("time", 1)]
        stream = [tool(fragment(name=name, index=index)) for name, index in pieces]
        arguments = [
            tool(fragment(text, index=index)) for text, index in [("[", 1), ("{", 0), ("]", 1), ("}", 0)]
        ]
        message = read(*stream, *arguments, end("tool_calls"))
        found = [(call.name, call.arguments) for call in message.executable_tools]
        assert found == [("get_weather", {}), ("set_time", [])]

    def test_calls_and_text_keep_the_order_in_which_they_came(self) -> None:
        stream = [
            chunk({"content": "a"}),
            tool(fragment(name="f", id="t", index=0)),
            chunk({"content": "b"}),
            tool(fragment(name="g", id="u", index=1)),
            chunk({"content": [{"type": "image_url"}]}),
            tool(fragment(name="h", id="v", index=2), fragment(name="i", id="w", index=3)),
            tool(fragment("1", id="w")),
            end("tool_calls"),
        ]
        blocks = read(*stream).blocks
        assert [getattr(block, "name", block.type) for block in blocks] == [
            *("text", "f", "text", "g", "image_url", "h", "i")
        ]

    def test_a_cut_or_an_error_sends_what_has_a_name(self) -> None:
        for last in ([], [chunk({}, finish_reason="length"), DONE], [sse({"error": {"message": "m"}})]):
            message = read(tool(fragment(name="f", id="t", index=0, type="custom", x=1)), *last)
            (call,) = message.tools
            assert (call.id, call.name, call.state, call.extra["x"]) == ("t", "f", "incomplete", 1)

    def test_a_name_that_is_no_text_is_none(self) -> None:
        message = read(
            tool(fragment("{}", name=5, index=0)), tool(fragment(name="f", index=0)), end("tool_calls")
        )
        assert [call.name for call in message.executable_tools] == ["f"]


class TestCallsApart:
    """Which items are one call, and which are two."""

    def executable(self, *lists: list[Any]) -> list[tuple[str, str, Any]]:
        message = read(*(tool(*items) for items in lists), end("tool_calls"))
        return [(call.id, call.name, call.arguments) for call in message.executable_tools]

    def test_one_id_under_another_index_and_another_name_is_another_call(self) -> None:
        first, second = fragment("1", id="x", index=0, name="a"), fragment("2", id="x", index=1, name="b")
        both = [("x", "a", 1), ("x", "b", 2)]
        assert self.executable([first], [second]) == both
        assert self.executable([first, second]) == both
        more = [fragment("0", index=0)], [fragment("0", index=1)], [fragment("0", id="x", index=0)]
        assert self.executable([first], [second], *more) == [("x", "a", 100), ("x", "b", 20)]
        assert self.executable([first], [second], [fragment("5", id="x")]) == [("x", "a", 1), ("x", "b", 25)]

    def test_one_id_under_another_index_is_one_call_else(self) -> None:
        first = fragment("[1", id="x", index=0, name="a")
        for name in ("a", "", None):
            assert self.executable([first], [fragment("]", id="x", index=1, name=name)]) == [("x", "a", [1])]

    def test_another_id_is_another_call_though_the_index_repeats(self) -> None:
        calls = [fragment(str(number), id=f"i{number}", index=0, name="f") for number in range(3)]
        assert self.executable(calls) == [(f"i{number}", "f", number) for number in range(3)]
        named = [fragment(id=f"i{number}", index=0, name=f"f{number}") for number in range(2)]
        assert self.executable(named) == [("i0", "f0", {}), ("i1", "f1", {})]

    def test_an_id_that_comes_after_the_name_is_not_that_of_another_call(self) -> None:
        assert self.executable([fragment(name="f", index=0)], [fragment("1", id="x", index=0)]) == [
            ("x", "f", 1)
        ]
        other = fragment("1", id="x", name="g", index=0)
        assert self.executable([fragment(name="f", index=0)], [other]) == [("", "f", {}), ("x", "g", 1)]

    @pytest.mark.parametrize("names", [("a", "b"), ("a", "a")])
    def test_items_of_one_list_without_id_and_index_are_a_call_each(self, names: tuple[str, str]) -> None:
        whole = [fragment(str(place), name=name) for place, name in enumerate(names)]
        both = [("", names[0], 0), ("", names[1], 1)]
        assert self.executable(whole) == both
        null = [{**item, "id": None, "index": None} for item in whole]
        assert self.executable(null) == both

    def test_later_lists_go_on_with_them_by_their_places(self) -> None:
        begun = [fragment("[1", name="a"), fragment("[2", name="b")]
        assert self.executable(begun, [fragment(",3]"), fragment("]")]) == [("", "a", [1, 3]), ("", "b", [2])]
        assert self.executable(
            [fragment("[1", name="a")], [fragment("]", name="a"), fragment("2", name="b")]
        ) == [
            ("", "a", [1]),
            ("", "b", 2),
        ]

    def test_where_one_of_several_goes_on_and_nothing_says_which_none_runs(self) -> None:
        begun = [fragment("1", name="a"), fragment("2", name="b")]
        assert self.executable(begun, [fragment("0")]) == []
        assert self.executable(begun, [fragment("")]) == [("", "a", 1), ("", "b", 2)]

    def test_calls_that_are_named_otherwise_may_stand_beside_them(self) -> None:
        named, other = fragment("1", id="x", name="a"), fragment("2", name="b")
        assert self.executable([named, other]) == [("x", "a", 1), ("", "b", 2)]
        assert self.executable([named], [other, fragment("3", name="c")]) == [
            ("x", "a", 1),
            ("", "b", 2),
            ("", "c", 3),
        ]

    def test_an_index_may_be_text(self) -> None:
        begun = [fragment("[", name="a", index="0"), fragment("{", name="b", index="1")]
        rest = [fragment("]", index="0")], [fragment("}", index=1)]
        assert self.executable(begun, *rest) == [("", "a", []), ("", "b", {})]

    def test_what_is_no_call_says_nothing(self) -> None:
        right = fragment("1", name="f", id="x")
        assert self.executable([1, None, "x", [], right, {"index": "0"}, {"id": [], "index": 0.5}]) == [
            ("x", "f", 1)
        ]
        assert self.executable([{"id": 7, "function": {"name": "f", "arguments": "1"}}]) == [("7", "f", 1)]
        message = read(chunk({"tool_calls": right, "function_call": "x"}), end("tool_calls"))
        assert [call.name for call in message.executable_tools] == ["f"]

    @pytest.mark.untraced
    def test_many_calls_take_linear_time(self) -> None:
        def decoding(count: int) -> Callable[[], object]:
            calls = [
                fragment("1", id=f"i{number}", index=number, name=f"f{number}") for number in range(count)
            ]
            names = [fragment(name=f"f{number}", index=number) for number in range(count)]
            stream = [
                tool(*calls),
                tool(*names),
                *(tool(fragment("1", index=number)) for number in range(count)),
            ]
            decoder = Decoder(max_held_bytes=2**30)
            return lambda: [decoder.receive_event(sent) for sent in stream]

        assert is_linear(decoding, 200)


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
        sent = events_of(CHAT, decode(*stream, DONE))
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
