"""What comes of the texts of a response, of what belongs to them, and of calls."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import ServerSentEvent
from sse_core.blocks import (
    ArgumentsDelta,
    BlockStart,
    BlockStop,
    CitationDelta,
    FieldsDelta,
    MessageDelta,
    Ping,
    TextBlock,
    TextDelta,
    TextReplaced,
    ToolUseBlock,
    UnknownBlock,
)
from tests.core.dialects.responses_events import (
    PLACE,
    STARTED,
    added,
    after,
    arguments,
    call,
    done,
    end,
    event,
    message,
    output_text,
    part,
    read,
    text,
)

# Texts that come whole.


@pytest.mark.parametrize(
    ("deltas", "whole", "sent"),
    [
        (["a", "b"], "ab", []),
        (["a"], "abc", ["bc"]),
        ([], "abc", ["abc"]),
        ([], "", []),
        (["ab"], "a", [None]),
        (["ab"], "cd", [None]),
        (["ab"], "cde", [None]),
        (["\ud83d", "\ude00"], "😀", []),
        (["x\ud83d"], "x😀y", ["\ude00y"]),
        (["x\ud83d"], "x", [None]),
        (["x\ud83d"], "xy", [None]),
        (["x\ud83d"], "x\ud83d", []),
        (["é", "ß"], "éß€", ["€"]),
    ],
)
def test_the_whole_text_counts(deltas: list[str], whole: str, sent: list[str | None]) -> None:
    stream = [added(message()), *map(text, deltas)]
    events = after(*stream, event("output_text.done", text=whole, **PLACE))
    expected = [TextReplaced(0, whole) if rest is None else TextDelta(0, rest) for rest in sent]
    start = 2 + len(deltas) if deltas else 2
    assert [made for made in events[start:] if not isinstance(made, Ping)] == expected
    assert read(*STARTED, *stream, done(message(output_text(whole)))).text == whole


@given(st.lists(st.text(st.characters(codec=None), max_size=5), max_size=5), st.text(max_size=5))
def test_whatever_the_deltas_were_the_text_is_the_whole(deltas: list[str], more: str) -> None:
    whole = ("".join(deltas) + more).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    stream = [added(message()), *map(text, deltas), done(message(output_text(whole)))]
    assert read(*STARTED, *stream).text == whole
    assert not [made for made in after(*stream) if isinstance(made, TextReplaced)]


@given(st.lists(st.text(max_size=4), max_size=4), st.text(max_size=8))
def test_a_whole_that_is_not_what_the_deltas_were_counts_too(deltas: list[str], whole: str) -> None:
    stream = [added(message()), *map(text, deltas), done(message(output_text(whole)))]
    assert read(*STARTED, *stream).text == whole


def test_text_that_was_replaced_goes_on() -> None:
    stream = [
        added(message()),
        part("added", output_text("")),
        text("abc"),
        event("output_text.done", text="x", **PLACE),
        part("done", output_text("xyz")),
    ]
    events = after(*stream)
    assert events[-3:] == [TextReplaced(0, "x"), TextDelta(0, "yz"), BlockStop(0)]


# Citations and other fields of parts.


def test_citations_come_once() -> None:
    one, two = {"type": "url_citation", "url": "a"}, {"type": "url_citation", "url": "b"}
    cite = event("output_text.annotation.added", annotation=one, annotation_index=0, **PLACE)
    nothing = event("output_text.annotation.added", annotation=None, **PLACE)
    end_of_part = part("done", output_text("", annotations=[one, 5, two]))
    events = after(added(message()), text(""), cite, nothing, end_of_part)
    assert events[2:] == [CitationDelta(0, one), Ping(), CitationDelta(0, two), BlockStop(0)]


def test_a_list_of_citations_may_be_empty_and_late() -> None:
    events = after(added(message()), text("a"), part("done", output_text("a")))
    assert events[-2:] == [FieldsDelta(0, {"annotations": []}), BlockStop(0)]


def test_log_probabilities_stay_where_a_later_list_is_empty() -> None:
    values = [{"token": "a", "logprob": -1e-7}]
    stream = [
        added(message()),
        part("added", output_text("", logprobs=[])),
        text("a"),
        event("output_text.done", text="a", logprobs=values, **PLACE),
        part("done", output_text("a", logprobs=[])),
    ]
    block = read(*STARTED, *stream).blocks[0]
    assert isinstance(block, TextBlock)
    assert block.extra["logprobs"] == values


def test_fields_of_a_part_do_not_say_where_it_stands() -> None:
    events = after(added(message()), part("added", output_text("", output_index=9, field="refusal", x=1)))
    assert events[1] == BlockStart(0, TextBlock("", [], {"x": 1, **PLACE}))


# Calls.


def test_a_call_grows_and_ends_with_its_item() -> None:
    stream = [added(call()), arguments('{"a"'), arguments(":1}")]
    whole = event("function_call_arguments.done", arguments='{"a":1}', output_index=0)
    events = after(*stream, whole)
    skeleton = {"type": "function_call", "id": "i", "call_id": "c", "name": "f"}
    assert events == [
        MessageDelta(extra={"output.0": skeleton}),
        BlockStart(0, ToolUseBlock("c", "f", extra={"output_index": 0})),
        ArgumentsDelta(0, '{"a"'),
        ArgumentsDelta(0, ":1}"),
        Ping(),
    ]
    assert after(*stream, whole, done(call('{"a":1}')))[-1] == BlockStop(0)


@pytest.mark.parametrize(
    "whole",
    [event("function_call_arguments.done", arguments='{"a":1}', output_index=0), done(call('{"a":1}'))],
)
def test_arguments_may_come_without_deltas(whole: ServerSentEvent) -> None:
    """LM Studio sends none."""
    assert ArgumentsDelta(0, '{"a":1}') in after(added(call()), whole)


def test_arguments_may_be_the_value_itself() -> None:
    found = read(*STARTED, added(call()), arguments({"a": 1}), arguments(None), done(call({"a": 1})), end())
    assert [tool.arguments for tool in found.executable_tools] == [{"a": 1}]


def test_the_arguments_of_the_item_count() -> None:
    found = read(*STARTED, added(call()), arguments("{"), done(call('{"b":2}')), end())
    assert [tool.arguments for tool in found.executable_tools] == [{"b": 2}]


def test_a_call_without_an_end_of_its_own_is_not_whole() -> None:
    stream = [added(call()), event("function_call_arguments.done", arguments="{}", output_index=0)]
    found = read(*STARTED, *stream, end())
    assert [tool.state for tool in found.tools] == ["incomplete"]
    assert found.executable_tools == []


def test_a_call_that_is_whole_stays_what_it_is() -> None:
    found = read(*STARTED, done(call("{}")), end(output=[call('{"b":2}', caller="x")]))
    assert [tool.arguments for tool in found.executable_tools] == [{}]
    assert found.extra["output.0"]["caller"] == "x"


def test_a_completed_response_that_has_the_call_ends_it() -> None:
    found = read(*STARTED, added(call()), arguments("{}"), end(output=[call("{}", status="completed")]))
    assert [tool.arguments for tool in found.executable_tools] == [{}]


def test_a_call_that_was_cut_is_not_whole() -> None:
    item = call('{"a":', status="incomplete")
    found = read(*STARTED, added(call()), arguments('{"a":'), done(item), end("incomplete", output=[item]))
    assert [(tool.state, tool.raw_arguments) for tool in found.tools] == [("incomplete", '{"a":')]


def test_a_custom_tool_takes_text() -> None:
    item = {"type": "custom_tool_call", "call_id": "c", "name": "f", "input": ""}
    grow = event("custom_tool_call_input.delta", delta="SELECT", output_index=0)
    whole = event("custom_tool_call_input.done", input="SELECT 1", output_index=0)
    found = read(*STARTED, added(item), grow, whole, done({**item, "input": "SELECT 1"}), end())
    assert [(tool.arguments, tool.input_encoding) for tool in found.executable_tools] == [
        ("SELECT 1", "text")
    ]
    assert "input" not in found.extra["output.0"]


def test_a_call_that_the_provider_runs_is_not_executable() -> None:
    item = {"type": "mcp_call", "id": "i", "name": "f", "server_label": "s", "arguments": ""}
    grow = event("mcp_call_arguments.delta", delta="{}", output_index=0)
    progress = [event(f"mcp_call.{word}", output_index=0) for word in ("in_progress", "completed")]
    found = read(
        *STARTED, added(item), grow, *progress, done({**item, "arguments": "{}", "output": "o"}), end()
    )
    assert [(tool.id, tool.type, tool.state) for tool in found.tools] == [("i", "mcp_tool_use", "complete")]
    assert found.extra["output.0"]["output"] == "o"
    assert found.executable_tools == []
    assert found.server_tool_seen


def test_a_call_that_was_not_announced_begins_with_its_end() -> None:
    """Only then is there a name: a resumed stream may begin in the middle of the arguments."""
    early = [arguments('{"a"'), event("function_call_arguments.done", arguments="{}", output_index=0)]
    assert after(*early) == [Ping(), Ping()]
    found = read(*STARTED, *early, done(call("{}")), end())
    assert [tool.arguments for tool in found.executable_tools] == [{}]


def test_a_call_waits_for_its_name() -> None:
    stream = [added(call(name=None)), arguments("{}")]
    assert [type(made) for made in after(*stream)] == [MessageDelta, Ping]
    found = read(*STARTED, *stream, done(call("{}")), end())
    assert [tool.name for tool in found.executable_tools] == ["f"]


def test_a_call_without_a_name_is_unknown() -> None:
    item = call("{}", name="")
    found = read(*STARTED, added(item), done(item), end(output=[item]))
    assert found.blocks == [UnknownBlock(item)]
