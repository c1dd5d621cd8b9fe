"""A message as the response that OpenAI would have sent without streaming."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sse_core import Message
from sse_core.blocks import (
    ArgumentsDelta,
    BlockEvent,
    BlockStart,
    BlockStop,
    CitationDelta,
    MessageCut,
    MessageDelta,
    MessageStart,
    MessageStop,
    RedactedThinkingBlock,
    ResultBlock,
    StreamError,
    TextBlock,
    TextDelta,
    ThinkingBlock,
    ThinkingDelta,
    ToolUseBlock,
    UnknownBlock,
)
from sse_core.testing import message_of
from tests.core.dialects.responses_events import (
    RESPONSES,
    added,
    arguments,
    call,
    created,
    decode,
    done,
    end,
    event,
    message,
    output_text,
    read,
    response,
    sse,
    text,
)
from tests.core.dialects.responses_written import RESPONSE
from tests.core.growth import is_linear

USAGE = {"input_tokens": 1, "input_tokens_details": {}, "output_tokens": 2, "total_tokens": 3}
OUTPUT = [
    {
        "type": "reasoning",
        "id": "r",
        "summary": [{"type": "summary_text", "text": "s"}],
        "content": [{"type": "reasoning_text", "text": "t"}],
        "encrypted_content": "e",
    },
    {"type": "web_search_call", "id": "w", "status": "completed", "action": {"type": "search"}},
    message(
        output_text("a", annotations=[{"type": "url_citation"}], logprobs=[1]),
        {"type": "output_audio", "data": "x"},
        {"type": "refusal", "refusal": "no"},
        status="completed",
    ),
    call('{"a":1}', status="completed"),
    {"type": "custom_tool_call", "id": "k", "call_id": "d", "name": "g", "input": "SELECT"},
    {"type": "mcp_call", "id": "m", "name": "h", "arguments": "{}", "output": "o", "server_label": "s"},
    {"type": "compaction", "id": "p", "encrypted_content": "e"},
    {"type": "web_search_call", "id": "v", "status": "completed"},
    {"type": "reasoning", "id": "z", "summary": [], "content": []},
    message(),
]


def blocks(*found: Any) -> list[BlockEvent]:
    """Blocks one after the other, each with what it grows by."""
    events: list[BlockEvent] = []
    for index, (block, *deltas) in enumerate(found):
        events += [
            BlockStart(index, block),
            *(delta(index, value) for delta, value in deltas),
            BlockStop(index),
        ]
    return events


def portable(
    *found: Any, reason: str | None = "end_turn", usage: Any = None, dialect: str = "anthropic"
) -> Message:
    """A message of another protocol."""
    start = MessageStart("m1", "model", usage=usage or {}, extra={"x": 1}, dialect=dialect)
    return message_of([start, *blocks(*found), MessageDelta(reason), MessageStop()])


def test_a_response_is_what_its_end_said() -> None:
    whole = response("completed", output=OUTPUT, usage=USAGE, error=None, x={"y": 1})
    assert RESPONSES.to_response(read(event("completed", response=whole))) == whole


def test_a_response_is_what_its_items_said() -> None:
    whole = response("completed", output=OUTPUT, usage=USAGE, error=None)
    items = [done(item, index) for index, item in enumerate(OUTPUT)]
    found = read(created(), *items, end(usage=USAGE))
    assert RESPONSES.to_response(found) == whole


def test_items_stand_in_the_order_of_their_indexes() -> None:
    found = read(
        created(), done(call("{}"), 5), done({"type": "x", "n": 1}, 3), done({"type": "x", "n": 2}, 1), end()
    )
    types = [(item["type"], item.get("n")) for item in RESPONSES.to_response(found)["output"]]
    assert sorted(types, key=str) == sorted([("x", 2), ("x", 1), ("function_call", None)], key=str)
    assert types[-1] == ("function_call", None)


def test_a_call_that_nobody_can_run_stands_among_the_others() -> None:
    items = [call("{}"), call("{}", name="", call_id="e"), call("{}", call_id="d")]
    found = read(created(), *(done(item, index) for index, item in enumerate(items)), end())
    assert RESPONSES.to_response(found)["output"] == items


def test_what_the_end_says_otherwise_counts() -> None:
    item = {"type": "mcp_list_tools", "id": "i", "tools": [1]}
    found = read(created(), done(item), end(output=[{**item, "id": "j", "tools": [2]}]))
    assert RESPONSES.to_response(found)["output"] == [{**item, "id": "j", "tools": [2]}]


def test_what_stands_beside_the_response_is_no_part_of_it() -> None:
    beside = sse({"type": "response.completed", "response": response("completed"), "copilot_usage": 1})
    assert RESPONSES.to_response(read(beside)) == {**response("completed"), "error": None, "usage": None}


def test_a_name_that_came_late_counts() -> None:
    found = RESPONSES.to_response(read(text("a"), end(model="m-2")))
    assert (found["id"], found["model"]) == ("r", "m-2")
    assert RESPONSES.to_response(read(text("a")))["id"] == ""


@pytest.mark.parametrize(
    ("last", "status", "error"),
    [
        ([], "incomplete", None),
        ([end("cancelled")], "cancelled", None),
        ([sse({"type": "error", "code": "c", "message": "m"})], "failed", {"code": "c", "message": "m"}),
        (
            [end("failed", error={"code": "server_error", "message": "m"})],
            "failed",
            {"code": "server_error", "message": "m"},
        ),
    ],
)
def test_a_message_that_was_cut_holds_what_came(last: list[Any], status: str, error: Any) -> None:
    stream = [
        created(),
        added(message(status="in_progress")),
        text("a"),
        added(call(), 1),
        arguments('{"q', 1),
    ]
    found = RESPONSES.to_response(read(*stream, *last))
    assert (found["status"], found["error"]) == (status, error)
    (said, called) = found["output"]
    assert (said["content"], said["status"]) == ([{"type": "output_text", "text": "a"}], "in_progress")
    assert called == call('{"q')


def test_a_message_that_goes_on_is_in_progress() -> None:
    assert RESPONSES.to_response(message_of(decode(created())))["status"] == "in_progress"


def test_of_an_item_that_was_not_announced_nothing_is_made_up() -> None:
    hm = event("reasoning_summary_text.delta", delta="hm", output_index=0, summary_index=0, item_id="q")
    found = RESPONSES.to_response(read(created(), hm, text("a", 1)))
    assert found["output"] == [
        {"type": "reasoning", "id": "q", "summary": [{"type": "summary_text", "text": "hm"}]},
        {"type": "message", "content": [{"type": "output_text", "text": "a"}]},
    ]


def test_a_message_of_another_protocol_is_items() -> None:
    tool = ToolUseBlock("c1", "f", extra={"output_index": 7, "caller": "x"})
    custom = ToolUseBlock("c2", "g", input_encoding="text")
    found = portable(
        (ThinkingBlock("", "sig", {"field": "reasoning_text"}), (ThinkingDelta, "h")),
        (ThinkingBlock(), (ThinkingDelta, "m")),
        (RedactedThinkingBlock("x"),),
        (TextBlock(), (TextDelta, "a"), (CitationDelta, {"type": "char_location"})),
        (TextBlock("", None, {"field": "refusal"}), (TextDelta, "no")),
        (ToolUseBlock("s", "web_search", "server_tool_use"),),
        (ResultBlock({"type": "web_search_tool_result"}),),
        (UnknownBlock({"type": "fallback"}),),
        (tool, (ArgumentsDelta, '{"a":1}')),
        (custom, (ArgumentsDelta, "SELECT")),
        (ToolUseBlock("c3", "h"),),
        (TextBlock(), (TextDelta, "b")),
        usage={"input_tokens": 1, "cache_read_input_tokens": 2, "output_tokens": 3},
        reason="tool_use",
    )
    assert RESPONSES.to_response(found) == {
        **RESPONSE,
        "id": "m1",
        "model": "model",
        "status": "completed",
        "output": [
            {
                "type": "reasoning",
                "id": "rs_m1_0",
                "summary": [{"type": "summary_text", "text": "h"}, {"type": "summary_text", "text": "m"}],
            },
            {
                "type": "message",
                "id": "msg_m1_1",
                "role": "assistant",
                "status": "completed",
                "content": [
                    {"type": "output_text", "text": "a", "annotations": []},
                    {"type": "refusal", "refusal": "no"},
                ],
            },
            {
                "type": "function_call",
                "id": "fc_m1_2",
                "call_id": "c1",
                "name": "f",
                "status": "completed",
                "arguments": '{"a":1}',
            },
            {
                "type": "custom_tool_call",
                "id": "ctc_m1_3",
                "call_id": "c2",
                "name": "g",
                "status": "completed",
                "input": "SELECT",
            },
            {
                "type": "function_call",
                "id": "fc_m1_4",
                "call_id": "c3",
                "name": "h",
                "status": "completed",
                "arguments": "{}",
            },
            {
                "type": "message",
                "id": "msg_m1_5",
                "role": "assistant",
                "status": "completed",
                "content": [{"type": "output_text", "text": "b", "annotations": []}],
            },
        ],
        "usage": {
            "input_tokens": 3,
            "input_tokens_details": {"cached_tokens": 2},
            "output_tokens": 3,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 6,
        },
    }


@pytest.mark.parametrize(
    ("reason", "status", "details"),
    [
        ("end_turn", "completed", None),
        ("max_tokens", "incomplete", {"reason": "max_output_tokens"}),
        ("refusal", "incomplete", {"reason": "content_filter"}),
    ],
)
def test_how_a_message_of_another_protocol_ended(reason: str, status: str, details: Any) -> None:
    found = RESPONSES.to_response(portable((TextBlock(),), reason=reason))
    assert (found["status"], found["incomplete_details"], found["usage"]) == (status, details, None)


def test_citations_of_chat_completions_are_annotations() -> None:
    cite = {"type": "url_citation", "url_citation": {"url": "u"}}
    found = portable((TextBlock("a"), (CitationDelta, cite)), dialect="openai-chat")
    (item,) = RESPONSES.to_response(found)["output"]
    assert item["content"][0]["annotations"] == [{"type": "url_citation", "url": "u"}]


def test_a_message_of_another_protocol_that_was_cut() -> None:
    tool = [BlockStart(0, ToolUseBlock("c", "f")), ArgumentsDelta(0, '{"a"')]
    start = MessageStart("m1", "model", dialect="anthropic")
    found = RESPONSES.to_response(message_of([start, *tool, MessageCut("truncated")]))
    assert found["status"] == "incomplete"
    assert [(item["arguments"], item["status"]) for item in found["output"]] == [('{"a"', "incomplete")]
    failed = RESPONSES.to_response(message_of([start, StreamError("overloaded_error", "m")]))
    assert failed["error"] == {"code": "overloaded_error", "message": "m"}


def test_a_message_without_a_protocol_counts_as_ones_own() -> None:
    found = portable(
        (TextBlock("a", [{"type": "url_citation"}], {"logprobs": [1]}),),
        (ThinkingBlock("t", None, {"field": "reasoning_text"}),),
        (ToolUseBlock("i", "f", "mcp_tool_use"), (ArgumentsDelta, "{}")),
        (ResultBlock({"type": "web_search_call", "id": "w"}),),
        (ToolUseBlock("c", "f", extra={"output_index": 7}),),
        dialect="",
        usage={"total_tokens": 1},
    )
    whole = RESPONSES.to_response(found)
    assert whole["x"] == 1
    assert whole["usage"] == {"total_tokens": 1}
    said, thought, requested, ran, called = whole["output"]
    assert said["content"] == [
        {"type": "output_text", "text": "a", "annotations": [{"type": "url_citation"}], "logprobs": [1]}
    ]
    assert (thought["summary"], thought["content"]) == ([], [{"type": "reasoning_text", "text": "t"}])
    assert requested == {"type": "mcp_call", "id": "i", "name": "f", "arguments": "{}", "status": "completed"}
    assert ran == {"type": "web_search_call", "id": "w"}
    assert (called["call_id"], called["arguments"]) == ("c", "{}")


def test_fields_that_only_look_like_items_are_no_items() -> None:
    extra = {"output.x": 1, "output.3": 5, "output.4": {"z": 1}, "output.5": {"type": 5}}
    extra |= {name: {"type": "message"} for name in ("output.\u0663", "output." + "9" * 5000, "output.-1")}
    message = message_of([MessageStart("m", "c", extra=extra), *blocks((TextBlock("a"),)), MessageStop()])
    assert [item["type"] for item in RESPONSES.to_response(message)["output"]] == [5, "message"]


def test_parts_stand_in_the_order_of_their_indexes() -> None:
    found = read(created(), added(message()), text("b", 0, 1), text("a", 0, 0), end())
    (item,) = RESPONSES.to_response(found)["output"]
    assert [part["text"] for part in item["content"]] == ["a", "b"]


def test_a_block_without_a_place_joins_no_item_that_came() -> None:
    start = MessageStart("m1", "c", extra={"output.0": {"type": "message", "id": "i"}})
    placed = TextBlock("a", None, {"output_index": 0})
    found = message_of([start, *blocks((placed,), (TextBlock("b"),)), MessageStop()])
    output = RESPONSES.to_response(found)["output"]
    assert [(item["id"], item["content"][0]["text"]) for item in output] == [("i", "a"), ("msg_m1_1", "b")]


def test_blocks_without_a_place_share_an_item_where_they_can() -> None:
    found = portable(
        (TextBlock("a"),), (ToolUseBlock("s", "f", "server_tool_use"),), (TextBlock("b"),), dialect=""
    )
    (item,) = RESPONSES.to_response(found)["output"]
    assert [part["text"] for part in item["content"]] == ["a", "b"]


@pytest.mark.parametrize("dialect", ["", "anthropic"])
def test_a_call_whose_arguments_are_no_json_is_not_whole(dialect: str) -> None:
    found = RESPONSES.to_response(
        portable((ToolUseBlock("c", "f"), (ArgumentsDelta, "{a")), reason="tool_use", dialect=dialect)
    )
    assert (found["status"], found["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    assert [(item["arguments"], item["status"]) for item in found["output"]] == [("{a", "incomplete")]


def test_the_last_item_of_an_incomplete_response_is_incomplete() -> None:
    found = RESPONSES.to_response(portable((TextBlock("a"),), (ToolUseBlock("c", "f"),), reason="max_tokens"))
    assert [item["status"] for item in found["output"]] == ["completed", "incomplete"]


def test_a_message_of_another_protocol_that_goes_on() -> None:
    events = [MessageStart("m", "c", dialect="gemini"), BlockStart(0, TextBlock("a")), BlockStop(0)]
    found = RESPONSES.to_response(message_of(events))
    assert (found["status"], [item["status"] for item in found["output"]]) == ("in_progress", ["in_progress"])


def test_a_response_belongs_to_its_caller() -> None:
    message = portable((TextBlock("a"),))
    RESPONSES.to_response(message)["tools"].append("mine")
    assert RESPONSES.to_response(message)["tools"] == []


@pytest.mark.untraced
def test_blocks_without_an_item_take_linear_time() -> None:
    def step(size: int) -> Callable[[], object]:
        message = Message()
        message.indexed_blocks = {index: ToolUseBlock(str(index), "f") for index in range(size)}
        assert len(RESPONSES.to_response(message)["output"]) == size
        return lambda: RESPONSES.to_response(message)

    assert is_linear(step, 2000)
