"""What comes of each event of Responses, and of what the protocol has no room for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import LimitExceeded, RemoteProtocolError, ServerSentEvent
from sse_core.blocks import (
    ArgumentsDelta,
    BlockStart,
    BlockStop,
    CitationDelta,
    FieldsDelta,
    MessageCut,
    MessageDelta,
    MessageStart,
    MessageStop,
    Ping,
    ResultBlock,
    TextBlock,
    TextDelta,
    TextReplaced,
    ThinkingBlock,
    ThinkingDelta,
    ToolUseBlock,
    UnknownBlock,
    UnknownEvent,
)
from sse_core.dialects.openai_responses import Decoder
from tests.core.dialects.responses import (
    DONE,
    accumulate,
    added,
    arguments,
    call,
    created,
    decode,
    done,
    end,
    event,
    message,
    numbered,
    output_text,
    read,
    response,
    sse,
    text,
)

STARTED = [created()]
GROWTH = {"message": [text("a")], "function_call": [arguments('{"a"')]}
PLACE = {"output_index": 0, "content_index": 0}


def after(*stream: ServerSentEvent) -> Any:
    """The block events of these events, after a response began."""
    return decode(*STARTED, *stream)[1:]


def part(kind: str, data: Any, index: int = 0, place: int = 0) -> ServerSentEvent:
    return event(f"content_part.{kind}", part=data, output_index=index, content_index=place)


# The response.


def test_a_stream_of_text() -> None:
    begun = message(status="in_progress")
    whole = message(output_text("Hello"), status="completed")
    usage = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
    assert decode(
        created(x=1, usage=None),
        event("in_progress", response=response(x=1)),
        added(begun),
        part("added", output_text("")),
        text("Hel"),
        text("lo"),
        event("output_text.done", text="Hello", **PLACE),
        part("done", output_text("Hello")),
        done(whole),
        end(output=[whole], usage=usage, x=2),
        eof=True,
    ) == [
        MessageStart("r", "m", extra={"object": "response", "status": "in_progress", "x": 1}),
        Ping(),
        MessageDelta(extra={"output.0": {k: begun[k] for k in begun if k != "content"}}),
        BlockStart(0, TextBlock("", [], PLACE)),
        TextDelta(0, "Hel"),
        TextDelta(0, "lo"),
        Ping(),
        BlockStop(0),
        MessageDelta(extra={"output.0": {k: whole[k] for k in whole if k != "content"}}),
        MessageDelta("completed", usage, {"status": "completed", "x": 2}),
        MessageStop(),
    ]


def test_each_event_is_the_source_of_the_first_that_was_made_of_it() -> None:
    stream = [created(), added(call()), arguments("{}"), done(call("{}")), end()]
    decoder = Decoder()
    for received in stream:
        made = decoder.receive_event(received)
        assert [one.source for one in made] == [received] + [None] * (len(made) - 1)


def test_the_message_names_its_dialect() -> None:
    (start,) = decode(created())
    assert isinstance(start, MessageStart)
    assert start.dialect == "openai-responses"


def test_what_stands_beside_the_response_is_kept() -> None:
    beside = {"type": "response.completed", "response": response("completed"), "copilot_usage": 3}
    assert read(*STARTED, sse(beside)).extra["event.copilot_usage"] == 3
    assert read(sse({**beside, "type": "response.created"})).extra["event.copilot_usage"] == 3


def test_a_model_that_comes_late_is_kept() -> None:
    assert read(created(), end(model="m-2")).extra["model"] == "m-2"


@pytest.mark.parametrize(
    ("kind", "fields", "reason"),
    [
        ("completed", {}, "completed"),
        ("incomplete", {"incomplete_details": {"reason": "max_output_tokens"}}, "max_output_tokens"),
        ("incomplete", {"incomplete_details": {"reason": 5}}, "incomplete"),
        ("incomplete", {"incomplete_details": None}, "incomplete"),
        ("completed", {"status": "incomplete"}, "incomplete"),
        ("incomplete", {"status": "completed"}, "incomplete"),
        ("completed", {"status": "x"}, "completed"),
        ("completed", {"status": ["completed"]}, "completed"),
    ],
)
def test_a_response_that_ends_is_complete(kind: str, fields: Any, reason: str) -> None:
    ended = event(kind, response=response(**{"status": kind, **fields}))
    found = read(*STARTED, ended)
    assert (found.completeness, found.stop_reason) == ("complete", reason)


@pytest.mark.parametrize(
    "ended",
    [event("cancelled", response=response("cancelled")), event("completed", response=response("cancelled"))],
)
def test_a_response_that_was_cancelled_is_stopped(ended: ServerSentEvent) -> None:
    events = decode(*STARTED, ended, eof=True)
    assert events[1:] == [MessageDelta(extra={"status": "cancelled"}), MessageCut("stopped")]


def test_a_stream_that_ends_before_its_response_was_cut() -> None:
    decoder = Decoder()
    decode(*STARTED, DONE, decoder=decoder)
    assert decoder.receive_eof() == [MessageCut("truncated")]
    assert decoder.receive_eof() == []
    assert decoder.receive_event(end()) == []


def test_what_comes_after_the_end_is_ignored() -> None:
    assert decode(*STARTED, end(), DONE, end(), created(id="x"), eof=True) == decode(*STARTED, end())


def test_a_response_may_be_nothing_but_its_end() -> None:
    output = [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]}, call('{"a":1}')]
    found = read(end(output=output, usage={"total_tokens": 1}))
    assert (found.id, found.completeness, found.usage) == ("r", "complete", {"total_tokens": 1})
    assert [tool.arguments for tool in found.executable_tools] == [{"a": 1}]


@pytest.mark.parametrize("status", ["incomplete", "failed"])
def test_what_only_the_end_of_an_incomplete_response_tells_is_not_whole(status: str) -> None:
    found = read(*STARTED, end(status, output=[call("{}")]))
    assert [tool.state for tool in found.tools] == ["incomplete"]


def test_the_same_start_twice_is_a_repetition() -> None:
    assert after(created(x=5)) == []


def test_a_second_response_is_refused() -> None:
    with pytest.raises(RemoteProtocolError, match="a second response begins") as caught:
        after(*numbered(created(id="other")))
    assert caught.value.status == 502


def test_a_start_that_comes_late_says_what_the_message_is() -> None:
    found = read(text("a"), created(x=1), end())
    assert (found.id, found.extra["id"], found.extra["model"], found.extra["x"]) == ("", "r", "m", 1)


def test_ids_that_change_with_each_event_are_no_new_response() -> None:
    found = read(created(id="1"), event("in_progress", response=response(id="2")), end(id="3"))
    assert (found.id, "id" in found.extra) == ("1", False)


# Items and parts.


@pytest.mark.parametrize(
    ("item", "index_name", "kind", "block", "delta"),
    [
        (message(), "content_index", "refusal", TextBlock("", None, {"field": "refusal"}), TextDelta),
        (
            {"type": "reasoning", "summary": []},
            "content_index",
            "reasoning_text",
            ThinkingBlock("", None, {"field": "reasoning_text"}),
            ThinkingDelta,
        ),
        (
            {"type": "reasoning", "summary": []},
            "summary_index",
            "reasoning_summary_text",
            ThinkingBlock("", None, {"field": "summary"}),
            ThinkingDelta,
        ),
    ],
)
def test_each_kind_of_text_is_a_block(item: Any, index_name: str, kind: str, block: Any, delta: Any) -> None:
    field = "refusal" if kind == "refusal" else "text"
    place = {"output_index": 0, index_name: 3}
    block.extra.update(place)
    stream = [
        added(item),
        event(f"{kind}.delta", delta="a", **place),
        event(f"{kind}.done", **{field: "ab"}, **place),
    ]
    assert after(*stream)[1:] == [BlockStart(0, block), delta(0, "a"), delta(0, "b")]


@pytest.mark.parametrize(
    ("kind", "type_", "index_name"),
    [
        ("content_part", "reasoning_text", "content_index"),
        ("reasoning_part", "reasoning_text", "content_index"),
        ("reasoning_summary_part", "summary_text", "summary_index"),
    ],
)
def test_a_part_of_reasoning_begins_and_ends(kind: str, type_: str, index_name: str) -> None:
    place = {"output_index": 0, index_name: 0}
    stream = [
        added({"type": "reasoning", "summary": []}),
        event(f"{kind}.added", part={"type": type_, "text": ""}, **place),
        event(f"{kind}.done", part={"type": type_, "text": "hm"}, **place),
    ]
    events = after(*stream)[1:]
    assert [type(made) for made in events] == [BlockStart, ThinkingDelta, BlockStop]


def test_indexes_may_begin_at_one_and_leave_gaps() -> None:
    whole = message(output_text("a"), output_text("b"), output_text("c"))
    found = read(
        *STARTED, added(message(), 4), text("a", 4, 1), text("b", 4, 7), done(whole, 4), end(output=[whole])
    )
    assert [(b.extra["output_index"], b.extra["content_index"], b.text) for b in found.blocks] == [  # type: ignore[union-attr]
        (4, 1, "a"),
        (4, 7, "b"),
        (4, 8, "c"),
    ]


def test_an_index_may_be_missing() -> None:
    found = read(
        *STARTED,
        added(message(), None),
        text("a", None, None),
        done(message(output_text("a")), None),
        added(message(), None),
        text("b", None, None),
        text("c", None, None),
        done(message(output_text("bc")), None),
        end(),
    )
    assert [b.extra["output_index"] for b in found.blocks] == [0, 1]  # type: ignore[union-attr]
    assert found.text == "abc"


def test_ids_of_items_are_not_asked() -> None:
    found = read(
        *STARTED, added(message()), *(text(t) for t in "ab"), done(message(output_text("ab"), id="j"))
    )
    assert found.text == "ab"
    assert found.extra["output.0"]["id"] == "j"


def test_items_may_overlap() -> None:
    found = read(
        *STARTED,
        added({"type": "reasoning", "summary": []}),
        text("h", 0, kind="reasoning_text.delta"),
        added(message(), 1),
        text("a", 1),
        done(message(output_text("a")), 1),
        text("m", 0, kind="reasoning_text.delta"),
        done({"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]}, 0),
        end(),
    )
    assert [getattr(block, "thinking", None) or getattr(block, "text", None) for block in found.blocks] == [
        "hm",
        "a",
    ]


def test_an_item_that_was_not_announced_begins_with_its_first_event() -> None:
    unannounced = event("output_text.delta", delta="a", item_id="i", output_index=2, content_index=0)
    start, skeleton, block, delta = decode(unannounced)
    assert start == MessageStart("", "")
    assert skeleton == MessageDelta(extra={"output.2": {"id": "i", "type": "message"}})
    assert block == BlockStart(0, TextBlock("", None, {"output_index": 2, "content_index": 0}))
    assert delta == TextDelta(0, "a")


def test_a_second_announcement_is_ignored() -> None:
    assert after(added(message()), added(call()))[1:] == [Ping()]


def test_an_item_that_is_done_twice_is_done_once() -> None:
    again = message(output_text("b"), status="completed")
    assert after(done(message(output_text("a"))), done(again))[-1] == Ping()


@pytest.mark.parametrize("empty", [message(output_text("")), call("")])
def test_an_empty_text_takes_nothing_back_before_the_end(empty: Any) -> None:
    """A response that was cut may tell less of its items than its deltas did."""
    begun = {"message": message(), "function_call": call()}[empty["type"]]
    found = read(*STARTED, added(begun), *GROWTH[empty["type"]], end("incomplete", output=[empty]))
    (block,) = found.blocks
    assert isinstance(block, TextBlock | ToolUseBlock)
    assert "a" in (block.text if isinstance(block, TextBlock) else block.raw_arguments)


def test_an_item_that_is_announced_whole_is_told_at_once() -> None:
    found = after(
        added(message(output_text("a", logprobs=[1]))), done(message(output_text("ab", logprobs=[1])))
    )
    assert found[1:] == [
        BlockStart(0, TextBlock("", [], {**PLACE, "logprobs": [1]})),
        TextDelta(0, "a"),
        TextDelta(0, "b"),
        BlockStop(0),
    ]


def test_reasoning_that_is_encrypted_stays_with_its_item() -> None:
    begun = {"type": "reasoning", "summary": [], "encrypted_content": "a"}
    found = read(*STARTED, added(begun), done({**begun, "content": [], "encrypted_content": "b"}), end())
    assert found.extra["output.0"] == {"type": "reasoning", "content": [], "encrypted_content": "b"}
    assert found.blocks == []


def test_a_part_that_is_no_text_stays_with_its_item() -> None:
    audio = {"type": "output_audio", "data": "x"}
    whole = message(audio, output_text("a"), 5)
    found = read(*STARTED, added(message()), part("added", audio), done(whole), end())
    assert found.extra["output.0"]["content"] == [audio, None, 5]
    assert [type(made) for made in found.unknown] == [UnknownEvent]
    assert found.text == "a"


def test_what_was_announced_as_text_may_be_a_refusal() -> None:
    refused = message({"type": "refusal", "refusal": "no"})
    found = read(
        *STARTED, added(message()), part("added", output_text("")), done(refused), end(output=[refused])
    )
    assert [(b.text, b.extra.get("field")) for b in found.blocks if isinstance(b, TextBlock)] == [
        ("", None),
        ("no", "refusal"),
    ]
    events = after(added(message()), part("added", output_text("")), done(refused))
    assert [made.index for made in events if isinstance(made, BlockStop)] == [1, 0]


def test_an_item_that_is_done_as_another_kind_is_unknown() -> None:
    assert isinstance(after(added(message()), done(call()))[-1], UnknownEvent)


@pytest.mark.parametrize(
    "misplaced",
    [
        text("a"),
        part("added", output_text("")),
        event("output_text.done", text="a", **PLACE),
        event("output_text.annotation.added", annotation={}, **PLACE),
        arguments("x", 1),
        event("refusal.delta", delta="x", output_index=2, content_index=0),
        event("steer.accepted"),
        event("audio.delta", delta="x"),
        part("done", {"type": 5}, 2),
    ],
)
def test_what_has_no_room_is_kept_as_it_came(misplaced: ServerSentEvent) -> None:
    begun = [
        added(call()),
        added(message(), 2),
        text("a", 2),
        done(call("{}")),
        added(call(), 1),
        done(call(), 1),
    ]
    assert after(*begun, misplaced)[-1] == UnknownEvent(json.loads(misplaced.data))


def test_what_comes_of_a_part_after_its_end_is_no_part_of_it() -> None:
    stream = [added(message()), part("done", output_text("a")), part("done", output_text("b"))]
    late = [text("c"), event("output_text.done", text="d", **PLACE)]
    cite = event("output_text.annotation.added", annotation={}, **PLACE)
    events = after(*stream, *late, cite)
    assert [type(made) for made in events[4:]] == [Ping, UnknownEvent, Ping, UnknownEvent]


# Texts that are told whole.


@pytest.mark.parametrize(
    ("deltas", "whole", "told"),
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
def test_the_whole_text_counts(deltas: list[str], whole: str, told: list[str | None]) -> None:
    stream = [added(message()), *map(text, deltas)]
    events = after(*stream, event("output_text.done", text=whole, **PLACE))
    expected = [TextReplaced(0, whole) if rest is None else TextDelta(0, rest) for rest in told]
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


def test_citations_are_told_once() -> None:
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


def test_a_completed_response_that_tells_of_the_call_ends_it() -> None:
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


# Items that are one block.


@pytest.mark.parametrize(
    "kind", ["web_search_call", "file_search_call", "image_generation_call", "mcp_list_tools"]
)
def test_what_the_provider_ran_is_a_result(kind: str) -> None:
    begun = {"type": kind, "id": "i", "status": "in_progress", "x": 1}
    whole = {**begun, "status": "completed", "result": "r"}
    progress = [
        event(f"{kind}.{word}", output_index=0, item_id="i") for word in ("in_progress", "partial_image")
    ]
    assert after(added(begun), *progress, done(whole), end(output=[whole])) == [
        MessageDelta(extra={"output.0": {"type": kind, "id": "i"}}),
        BlockStart(0, ResultBlock(begun)),
        Ping(),
        Ping(),
        FieldsDelta(0, {"status": "completed", "result": "r"}),
        BlockStop(0),
        MessageDelta("completed", {}, {"status": "completed"}),
        MessageStop(),
    ]


def test_a_result_that_was_whole_at_once_is_told_once() -> None:
    item = {"type": "mcp_approval_request", "id": "i"}
    assert after(added(item), done(item))[2:] == [BlockStop(0)]


@pytest.mark.parametrize("kind", ["computer_call", "shell_call", "compaction", "program", "x"])
def test_what_a_client_runs_and_what_is_unknown_stays_as_it_came(kind: str) -> None:
    assert read(*STARTED, done({"type": kind, "y": 1}), end()).blocks == [
        UnknownBlock({"type": kind, "y": 1})
    ]


def test_what_the_end_says_otherwise_stands_beside_the_block() -> None:
    item = {"type": "mcp_list_tools", "id": "i", "tools": [1]}
    found = read(*STARTED, done(item), end(output=[{**item, "tools": [1, 2]}]))
    assert found.blocks == [ResultBlock(item)]
    assert found.extra["output.0"] == {"type": "mcp_list_tools", "id": "i", "tools": [1, 2]}


def test_partial_images_are_not_kept() -> None:
    image = event("image_generation_call.partial_image", output_index=0, partial_image_b64="x" * 1000)
    found = read(*STARTED, added({"type": "image_generation_call"}), *[image] * 5, end())
    assert found.unknown == []


@pytest.mark.parametrize("kind", ["keepalive", "ping"])
def test_a_sign_of_life_says_nothing(kind: str) -> None:
    assert decode(sse({"type": kind})) == [Ping()]


@pytest.mark.parametrize("data", ["", "  ", "[DONE]"])
def test_an_event_without_data_says_nothing(data: str) -> None:
    assert decode(ServerSentEvent("message", data)) == [Ping()]


# What the response's end says of its items.


def ended(known: dict[int, str], output: list[Any]) -> dict[str, Any]:
    stream = [added({"type": kind, "n": index}, index) for index, kind in known.items()]
    found = read(*STARTED, *stream, end(output=output))
    return {name: value for name, value in found.extra.items() if name.startswith("output.")}


def test_the_items_of_the_end_stand_where_their_indexes_say() -> None:
    output = [{"type": "reasoning", "n": "a"}, {"type": "message", "n": "b"}, {"type": "message", "n": "c"}]
    assert ended({2: "message", 0: "reasoning"}, output) == {
        f"output.{index}": item for index, item in enumerate(output)
    }


def test_the_items_of_the_end_are_the_next_of_their_type_where_indexes_have_gaps() -> None:
    output = [{"type": "message", "n": "a"}, {"type": "message", "n": "b"}, {"type": "message", "n": "c"}]
    assert ended({0: "reasoning", 3: "message", 5: "message"}, output) == {
        "output.0": {"type": "reasoning", "n": 0},
        "output.3": output[0],
        "output.5": output[1],
        "output.6": output[2],
    }


@pytest.mark.parametrize("output", [None, [], [5], [{}], "x"])
def test_an_end_without_items_takes_nothing_back(output: Any) -> None:
    assert ended({0: "message"}, output) == {"output.0": {"type": "message", "n": 0}}


# Numbers, and streams that are resumed.

WHOLE = [
    created(background=True),
    event("in_progress", response=response(background=True)),
    added(message()),
    text("a"),
    text("b"),
    text("c"),
    done(message(output_text("abc"))),
    end(output=[message(output_text("abc"))]),
]


@pytest.mark.parametrize("cut", range(1, len(WHOLE)))
@pytest.mark.parametrize("back", [0, 1, 3])
def test_the_same_decoder_goes_on_over_a_second_connection(cut: int, back: int) -> None:
    stream = numbered(*WHOLE)
    decoder = Decoder()
    events = decode(*stream[:cut], decoder=decoder)
    events += decode(*stream[max(cut - back, 0) :], eof=True, decoder=decoder)
    assert events == decode(*stream, eof=True)
    assert accumulate(events).completeness == "complete"


def test_an_event_that_was_seen_is_no_event() -> None:
    decoder = Decoder()
    stream = numbered(*WHOLE[:4], *[text("x")] * 20)
    decode(*stream, decoder=decoder)
    assert decode(*stream, decoder=decoder) == []


@pytest.mark.parametrize("last", [end(), end("failed"), sse({"type": "error", "message": "m"})])
def test_an_end_is_never_taken_for_a_repetition(last: ServerSentEvent) -> None:
    (again,) = numbered(last, first=15)
    found = read(*numbered(*WHOLE[:4], *[text("x")] * 20), again)
    assert found.completeness in ("complete", "failed")


@pytest.mark.parametrize("number", [0, 7])
def test_numbers_that_are_all_the_same_say_nothing(number: int) -> None:
    stream = [numbered(one, first=number)[0] for one in WHOLE]
    events = decode(*stream)
    assert accumulate(events).text == "abc"
    assert {made.cursor for made in events[1:]} == {None}


def test_numbers_that_begin_anew_say_nothing() -> None:
    stream = numbered(*WHOLE[:3]) + numbered(*WHOLE[3:])
    assert read(*stream).text == "abc"


@pytest.mark.parametrize("number", [None, "3", 1.0, True])
def test_a_number_may_be_anything(number: Any) -> None:
    stream = [sse({**json.loads(one.data), "sequence_number": number}) for one in WHOLE]
    assert read(*stream).text == "abc"


def test_a_response_in_the_background_can_be_resumed() -> None:
    events = decode(*numbered(*WHOLE))
    assert [made.cursor for made in events[:5]] == [0, 1, 2, None, 3]
    assert accumulate(events[:5]).resume_cursor == 3


def test_any_other_response_can_not() -> None:
    events = decode(*numbered(created(background=False), *WHOLE[2:-1]))
    assert {made.cursor for made in events} == {None}


def test_a_decoder_may_begin_in_the_middle() -> None:
    stream = numbered(*WHOLE)
    assert decode(stream[0], decoder=Decoder(starting_after=0)) == []
    found = accumulate(decode(*stream[1:], decoder=Decoder(starting_after=0)))
    assert found == read(*stream)
    late = decode(*stream[3:], decoder=Decoder(starting_after=3))
    assert [made.cursor for made in late[:3]] == [None, None, None]
    assert late[3].cursor == 4
    found = accumulate(late)
    assert (found.id, found.extra["id"], found.text) == ("", "r", "abc")


# What can't be read.


@pytest.mark.parametrize(
    "data",
    [
        "{",
        "[]",
        "5",
        "{}",
        '{"type":5}',
        '{"type":"response.created"}',
        '{"type":"response.in_progress","response":5}',
        '{"type":"response.completed"}',
        '{"type":"response.output_item.added"}',
        '{"type":"response.output_item.added","item":{}}',
        '{"type":"response.output_item.done","item":{"type":5}}',
        '{"type":"response.output_item.added","item":{"type":"x"},"output_index":-1}',
        '{"type":"response.output_item.added","item":{"type":"x"},"output_index":4294967296}',
        '{"type":"response.output_item.added","item":{"type":"x"},"output_index":true}',
        '{"type":"response.output_text.delta","delta":5}',
        '{"type":"response.output_text.delta","delta":"a","content_index":"0"}',
        '{"type":"response.output_text.done","text":5}',
        '{"type":"response.output_text.annotation.added","annotation":5}',
        '{"type":"response.content_part.added","part":null}',
    ],
)
def test_what_can_not_be_read_is_refused_and_ends_the_stream(data: str) -> None:
    decoder = Decoder()
    decode(*STARTED, added(message()), decoder=decoder)
    with pytest.raises(RemoteProtocolError, match="unreadable event") as caught:
        decoder.receive_event(ServerSentEvent("message", data))
    assert caught.value.status == 502
    assert decoder.receive_event(end()) == []
    assert decoder.receive_eof() == [MessageCut("truncated")]


def test_the_name_of_an_event_is_its_type_where_the_data_has_none() -> None:
    assert decode(ServerSentEvent("response.created", json.dumps({"response": response()}))) == decode(
        created()
    )


@pytest.mark.parametrize(
    "stream",
    [
        [added({"type": "x"}, index) for index in range(20)],
        [text("", 0, place) for place in range(20)],
        [done({"type": "x", **{f"f{n}": n for n in range(100)}})],
        [created(**{f"f{n}": n for n in range(100)})],
    ],
)
def test_what_is_kept_is_bounded(stream: list[ServerSentEvent]) -> None:
    decoder = Decoder(max_held_bytes=5000)
    with pytest.raises(LimitExceeded) as caught:
        decode(*stream, decoder=decoder)
    assert (caught.value.limit, caught.value.bound, caught.value.status) == ("max_held_bytes", 5000, 502)
    assert decoder.receive_event(end()) == []


def test_a_long_text_costs_nothing_to_keep() -> None:
    deltas = [text("x" * 1000)] * 100
    found = accumulate(
        decode(
            *STARTED,
            added(message()),
            *deltas,
            done(message(output_text("x" * 100_000))),
            decoder=Decoder(max_held_bytes=5000),
        )
    )
    assert len(found.text) == 100_000
