"""Function calls: whole, and with arguments that come value by value."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import ServerSentEvent
from sse_core.blocks import (
    ArgumentsDelta,
    BlockStart,
    BlockStop,
    FieldsDelta,
    ToolUseBlock,
    UnknownBlock,
    UnknownDelta,
    strict_json,
)
from sse_core.testing import strategies
from tests.core.dialects.gemini_events import (
    arg,
    args,
    call,
    decode,
    end,
    parts,
    read,
    response_parts,
    sse,
    texts,
)

NUMBERS = strategies.numbers()
TEXTS = strategies.texts()

#: More steps than a path may have.
_TOO_DEEP = strict_json.MAX_DEPTH + 1
BEGIN = call(name="f", willContinue=True)
DONE = call()
#: What is no path to a value within an object, or one of RFC 9535's that may mean several.
NO_PATHS = [
    *["", "$", "a", ".a", "$a", "$.", "$..a", "$.*", "$[*]", "$[0]", "$.a[-1]", "$.a[01]", "$.a[", "$.a]"],
    *["$['a]", "$['\\x']", '$["\n"]', "$.a b[", "$.a[0:1]", "$.a[?@.b]", "$" + ".a" * _TOO_DEEP],
]
NO_ID: dict[str, Any] = {"functionCall.id": None}


def fragments(*stream: ServerSentEvent) -> list[str]:
    return [event.text for event in decode(*stream) if isinstance(event, ArgumentsDelta)]


def arguments(*stream: ServerSentEvent) -> Any:
    (tool,) = read(BEGIN, *stream, end()).executable_tools
    return tool.arguments


def refused(*stream: ServerSentEvent) -> ToolUseBlock:
    """The call of a stream that has one which may not be run."""
    message = read(BEGIN, *stream, end())
    assert message.completeness == "complete"
    assert message.executable_tools == []
    (tool,) = message.tools
    assert tool.state == "incomplete"
    return tool


class TestWhole:
    def test_a_call_is_whole_with_its_part(self) -> None:
        assert decode(texts("a"), call(name="f", id="i", args={"a": 1}))[3:] == [
            BlockStop(0),
            BlockStart(1, ToolUseBlock("i", "f")),
            ArgumentsDelta(1, '{"a":1}'),
            BlockStop(1),
        ]

    @pytest.mark.parametrize(("fields", "raw"), [({}, ""), ({"args": None}, ""), ({"args": {}}, "{}")])
    def test_a_call_without_arguments_has_an_empty_object(self, fields: Any, raw: str) -> None:
        (tool,) = read(call(name="f", **fields), end()).executable_tools
        assert (tool.raw_arguments, tool.arguments) == (raw, {})

    @pytest.mark.parametrize("fields", [{}, {"id": ""}, {"id": None}])
    def test_an_id_is_made_up_of_the_responses(self, fields: Any) -> None:
        message = read(texts("a"), call(name="f", **fields), call(name="f", **fields), end())
        assert [(tool.id, tool.extra) for tool in message.tools] == [
            ("call_r1_1", NO_ID),
            ("call_r1_2", NO_ID),
        ]
        assert response_parts(call(name="f", **fields)) == [{"functionCall": {"name": "f"}}]

    def test_an_id_that_is_made_up_may_be_sent_to_any_provider(self) -> None:
        response = {"responseId": "a b\n" + "c" * 100, "candidates": [{"content": {"parts": []}}]}
        (tool,) = read(sse(response), call(name="f")).tools
        assert tool.id == "call_ab" + "c" * 22 + "_0"

    def test_fields_beside_it_are_kept(self) -> None:
        part = {"functionCall": {"name": "f", "id": "i", "x": 1}, "thoughtSignature": "s", "thought": True}
        (tool,) = read(parts(part)).tools
        assert tool.extra == {"thoughtSignature": "s", "thought": True, "functionCall.x": 1}
        assert response_parts(parts(part)) == [part]

    @pytest.mark.parametrize("fields", [{"args": {"a": 1}}, {"partialArgs": []}, {"name": "", "args": {}}])
    def test_a_call_without_a_name_is_none(self, fields: Any) -> None:
        (block,) = read(call(**fields)).blocks
        assert block == UnknownBlock({"type": "functionCall", "functionCall": fields})

    def test_an_end_of_no_call_is_nothing_unless_it_is_signed(self) -> None:
        assert read(DONE).blocks == []
        signed = {"functionCall": {}, "thoughtSignature": "s"}
        assert response_parts(parts(signed)) == [signed]


class TestPartialArgs:
    def test_the_text_grows_with_each_value(self) -> None:
        stream = [
            BEGIN,
            call(partialArgs=[{**arg("$.a", "x"), "willContinue": True}], willContinue=True),
            call(partialArgs=[arg("$.a", "y")], willContinue=True),
            args(("$.b", 1.5), ("$.c", None)),
            DONE,
        ]
        assert decode(*stream)[1:] == [
            BlockStart(0, ToolUseBlock("call_r1_0", "f", extra=NO_ID)),
            ArgumentsDelta(0, '{"a":"x'),
            ArgumentsDelta(0, "y"),
            ArgumentsDelta(0, '","b":1.5,"c":null'),
            ArgumentsDelta(0, "}"),
            BlockStop(0),
        ]

    def test_a_path_leaves_what_it_is_not_in(self) -> None:
        values = [
            ("$.a.b[0].c", 1),
            ("$.a.b[0].d", "x"),
            ("$.a.b[1][0]", True),
            ("$.a.b[1][1]", False),
            ("$.a.e", "y"),
            ("$.f", "z"),
        ]
        expected = {"a": {"b": [{"c": 1, "d": "x"}, [True, False]], "e": "y"}, "f": "z"}
        assert arguments(args(*values), DONE) == expected
        assert arguments(*map(args, values), DONE) == expected

    @pytest.mark.parametrize(
        ("path", "name"),
        [
            ("$.a", "a"),
            ("$['a']", "a"),
            ('$["a"]', "a"),
            ("$.é", "é"),
            ("$.a-b", "a-b"),
            ("$['']", ""),
            ("$['a.b']", "a.b"),
            ("$['a\\'b']", "a'b"),
            ("$['a\"b']", 'a"b'),
            ('$["a\\"b"]', 'a"b'),
            ("$['\\n\\u00e9\\\\']", "\né\\"),
        ],
    )
    def test_a_name_may_be_written_in_these_ways(self, path: str, name: str) -> None:
        assert arguments(args((path, 1)), DONE) == {name: 1}

    def test_strings_of_one_path_are_one_string(self) -> None:
        assert arguments(args(("$.a", "x"), ("$['a']", "y")), args(("$.a", 'z"')), DONE) == {"a": 'xyz"'}

    def test_halves_of_a_surrogate_pair_are_joined(self) -> None:
        assert arguments(args(("$.a", "\ud83d")), args(("$.a", "\ude00")), DONE) == {"a": "😀"}

    def test_nothing_more_of_a_string_may_come_without_a_value(self) -> None:
        assert arguments(args(("$.a", "x")), call(partialArgs=[{"jsonPath": "$.a"}]), end()) == {"a": "x"}

    def test_null_may_have_protobufs_name(self) -> None:
        null = {"jsonPath": "$.a", "nullValue": "NULL_VALUE"}
        assert arguments(call(partialArgs=[null], willContinue=True), DONE) == {"a": None}

    def test_a_call_may_begin_and_end_in_one_part(self) -> None:
        (tool,) = read(call(name="g", partialArgs=[arg("$.a", 1)]), end()).executable_tools
        assert tool.arguments == {"a": 1}

    def test_the_last_part_may_have_values(self) -> None:
        assert arguments(args(("$.a", "x")), args(("$.b", 2), willContinue=False)) == {"a": "x", "b": 2}

    def test_a_call_that_goes_on_may_have_no_arguments(self) -> None:
        assert arguments(DONE) == {}

    def test_the_arguments_may_come_at_once(self) -> None:
        assert arguments(call(args={"a": 1})) == {"a": 1}
        assert arguments(call(args={"a": 1}, willContinue=True), DONE) == {"a": 1}

    def test_text_may_come_between(self) -> None:
        message = read(BEGIN, args(("$.a", "x")), texts("hm"), args(("$.a", "y")), DONE, end())
        assert message.text == "hm"
        assert [tool.arguments for tool in message.executable_tools] == [{"a": "xy"}]

    def test_what_comes_late_beside_it_is_kept(self) -> None:
        late = parts({"functionCall": {"id": "i", "x": 1, "willContinue": True}, "thoughtSignature": "s"})
        again = parts({"functionCall": {"id": "i"}, "thoughtSignature": "t"})
        deltas = [event for event in decode(BEGIN, late, again) if isinstance(event, FieldsDelta)]
        assert deltas == [
            FieldsDelta(0, {"thoughtSignature": "s", "functionCall.x": 1, "functionCall.id": "i"}),
            FieldsDelta(0, {"thoughtSignature": "t"}),
        ]
        assert response_parts(BEGIN, late, again) == [
            {"functionCall": {"name": "f", "id": "i", "x": 1}, "thoughtSignature": "t"}
        ]


class TestWhatIsNotWhole:
    def test_a_call_without_its_end_never_is(self) -> None:
        tool = refused(args(("$.a", "x")))
        assert (tool.raw_arguments, tool.arguments) == ('{"a":"x', None)

    def test_the_end_of_another_is_not_its_own(self) -> None:
        message = read(BEGIN, args(("$.a", "x")), call(name="g", willContinue=True), DONE, DONE, end())
        assert [(tool.name, tool.state) for tool in message.tools] == [("f", "incomplete"), ("g", "complete")]
        assert [tool.name for tool in message.executable_tools] == ["g"]

    def test_it_says_so_in_the_response(self) -> None:
        call_ = {"name": "f", "args": {"INVALID_JSON": '{"a":"x'}, "willContinue": True}
        assert response_parts(BEGIN, args(("$.a", "x"))) == [{"functionCall": call_}]
        assert response_parts(BEGIN) == [{"functionCall": {"name": "f", "willContinue": True}}]

    @pytest.mark.parametrize(
        "values",
        [
            [("$.a", 1), ("$.a", 2)],
            [("$.a", "x"), ("$.a", 2)],
            [("$.a", "x"), ("$.b", 1), ("$.a", "y")],
            [("$.a.b", 1), ("$.c", 1), ("$.a.d", 1)],
            [("$.a.b", 1), ("$.a[0]", 1)],
            [("$.a[0]", 1), ("$.a.b", 1)],
            [("$.a[0]", 1), ("$.a[2]", 1)],
            [("$.a[1]", 1)],
            [("$.a[0]", "x"), ("$.a[1]", "y"), ("$.a[0]", "z")],
        ],
    )
    def test_a_value_that_cannot_be_placed_takes_the_call_with_it(self, values: list[Any]) -> None:
        tool = refused(args(*values[:-1]), args(values[-1]), args(("$.z", 1)), DONE)
        assert tool.raw_arguments.startswith("{") is (len(values) > 1)

    @pytest.mark.parametrize("path", NO_PATHS)
    def test_so_does_one_whose_path_cannot_be_read(self, path: str) -> None:
        refused(args((path, 1)), DONE)

    def test_a_path_may_be_as_deep_as_json(self) -> None:
        assert arguments(args(("$" + ".a" * strict_json.MAX_DEPTH, 1)), DONE)["a"]["a"]

    @pytest.mark.parametrize(
        "value",
        [
            1,
            {},
            {"jsonPath": 1, "numberValue": 1},
            {"jsonPath": "$.a"},
            {"jsonPath": "$.a", "numberValue": "1"},
            {"jsonPath": "$.a", "numberValue": True},
            {"jsonPath": "$.a", "boolValue": 1},
            {"jsonPath": "$.a", "stringValue": 1},
        ],
    )
    def test_so_does_one_that_is_no_value(self, value: Any) -> None:
        refused(call(partialArgs=[value], willContinue=True), DONE)

    def test_what_could_not_be_placed_is_kept(self) -> None:
        lost, after = (
            {"functionCall": {"partialArgs": [arg(path, 1)], "willContinue": True}} for path in ("$", "$.a")
        )
        message = read(BEGIN, parts(lost), parts(after), DONE, end())
        assert message.unknown == [UnknownDelta(0, lost), UnknownDelta(0, after)]

    @pytest.mark.parametrize(
        "stream",
        [
            [args(("$.a", 1)), call(args={"a": 1})],
            [call(args={"a": 1}, willContinue=True), args(("$.a", 1)), DONE],
            [call(args={"a": 1}, willContinue=True), call(args={"a": 1})],
        ],
    )
    def test_arguments_that_come_in_both_ways_are_neither(self, stream: list[ServerSentEvent]) -> None:
        refused(*stream)


LEAVES = st.none() | st.booleans() | NUMBERS | TEXTS
#: An object or a list without items has no value that could have a path.
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3) | st.dictionaries(TEXTS, inner, min_size=1, max_size=3)
    ),
    max_leaves=12,
)


def spelled(value: Any, path: str, quote: str) -> list[tuple[str, Any]]:
    """The values within ``value``, each with its path."""
    if isinstance(value, dict):
        steps = [(f"[{_quoted(name, quote)}]", inner) for name, inner in value.items()]
    elif isinstance(value, list):
        steps = [(f"[{index}]", inner) for index, inner in enumerate(value)]
    else:
        return [(path, value)]
    return [pair for step, inner in steps for pair in spelled(inner, path + step, quote)]


def _quoted(name: str, quote: str) -> str:
    double = json.dumps(name)
    return double if quote == '"' else "'" + double[1:-1].replace('\\"', '"').replace("'", "\\'") + "'"


@given(st.dictionaries(TEXTS, VALUES, max_size=3), st.sampled_from("'\""), st.data())
def test_any_arguments_come_out_as_they_went_in(
    value: dict[str, Any], quote: str, data: st.DataObject
) -> None:
    stream = []
    for path, leaf in spelled(value, "$", quote):
        cut = data.draw(st.integers(0, len(leaf))) if isinstance(leaf, str) else None
        pieces = [leaf] if cut is None else [leaf[:cut], leaf[cut:]]
        stream += [args((path, piece)) for piece in pieces]
    assert arguments(*stream, DONE) == value
