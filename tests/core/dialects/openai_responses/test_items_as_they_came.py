"""Items that the provider sent go out as they came."""

from __future__ import annotations

from typing import Any

import pytest

from sse_core.blocks import (
    ArgumentsDelta,
    BlockEvent,
    BlockStart,
    BlockStop,
    CitationDelta,
    FieldsDelta,
    MessageDelta,
    MessageStart,
    MessageStop,
    Ping,
    ResultBlock,
    TextBlock,
    TextDelta,
    ThinkingBlock,
    ThinkingDelta,
    ToolUseBlock,
    UnknownBlock,
)
from tests.core.dialects.responses_written import (
    OWN,
    announce,
    of,
    types,
    write,
)


def test_its_own_citations_and_fields_of_parts_go_out_as_they_came() -> None:
    place = {"output_index": 0, "content_index": 1}
    sent = write(
        announce(0, type="message", id="i"),
        BlockStart(0, TextBlock("a", [{"type": "x"}], {**place, "y": 1})),
        FieldsDelta(0, {"logprobs": [2]}),
        BlockStop(0),
        start=OWN,
    )
    part = {"type": "output_text", "y": 1, "annotations": [], "text": ""}
    whole = {**part, "logprobs": [2], "annotations": [{"type": "x"}], "text": "a"}
    place = of("i", content_index=0)
    assert sent == [
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": {"type": "message", "id": "i", "content": []},
        },
        {"type": "response.content_part.added", **place, "part": part},
        {"type": "response.output_text.delta", **place, "delta": "a", "logprobs": []},
        {
            "type": "response.output_text.annotation.added",
            **place,
            "annotation_index": 0,
            "annotation": {"type": "x"},
        },
        {"type": "response.output_text.done", **place, "text": "a", "logprobs": [2]},
        {"type": "response.content_part.done", **place, "part": whole},
    ]


def test_items_go_out_where_and_as_the_provider_has_put_them() -> None:
    sent = write(
        announce(7, type="reasoning", id="a", status="in_progress", encrypted_content="x"),
        announce(9, type="message", id="b", status="in_progress", phase="p"),
        BlockStart(
            0, ThinkingBlock(extra={"output_index": 7, "content_index": 0, "field": "reasoning_text"})
        ),
        BlockStart(1, TextBlock(extra={"output_index": 9, "content_index": 0})),
        TextDelta(1, "t"),
        ThinkingDelta(0, "r"),
        BlockStop(1),
        announce(9, type="message", id="b", status="completed", phase="q"),
        announce(7, type="reasoning", id="a", status="completed", encrypted_content="y"),
        BlockStop(0),
        MessageDelta("completed"),
        MessageStop(),
        start=OWN,
    )
    done = [event for event in sent if event["type"] == "response.output_item.done"]
    content = [{"type": "output_text", "annotations": [], "text": "t"}]
    message = {"type": "message", "id": "b", "status": "completed", "phase": "q", "content": content}
    reasoning = {
        "type": "reasoning",
        "id": "a",
        "status": "completed",
        "encrypted_content": "y",
        "summary": [],
        "content": [{"type": "reasoning_text", "text": "r"}],
    }
    assert [(event["output_index"], event["item"]) for event in done] == [(9, message), (7, reasoning)]
    assert sent[-1]["response"]["output"] == [reasoning, message]
    assert {"type": "response.reasoning_text.delta", **of("a", 7, content_index=0), "delta": "r"} in sent


def test_a_block_that_begins_after_its_item_was_done_is_still_of_it() -> None:
    """Some hosts send no events of parts: the item that is done has it all."""
    extra = {"output_index": 0}
    sent = write(
        announce(0, type="message", id="i", status="in_progress"),
        announce(0, type="message", id="i", status="completed"),
        Ping(),
        BlockStart(0, TextBlock(extra=extra)),
        TextDelta(0, "a"),
        BlockStop(0),
        BlockStart(1, TextBlock(extra={**extra, "field": "refusal"})),
        BlockStop(1),
        announce(1, type="reasoning", id="j"),
        start=OWN,
    )
    assert types(sent) == [
        "output_item.added",
        *("content_part.added", "output_text.delta", "output_text.done", "content_part.done"),
        *("content_part.added", "refusal.done", "content_part.done"),
        *("output_item.done", "output_item.added"),
    ]
    assert len(sent[-2]["item"]["content"]) == 2


def test_an_item_that_the_next_has_ended_still_waits_for_what_follows_when_it_comes_again() -> None:
    text = TextBlock(extra={"output_index": 0})
    sent = write(
        *(announce(0, type="message"), BlockStart(0, text)),
        *(announce(1, type="message"), announce(0, type="message"), BlockStop(0)),
        *(BlockStart(1, text), BlockStop(1), announce(1, type="message")),
        start=OWN,
    )
    (done,) = [event for event in sent if event["type"] == "response.output_item.done"]
    assert (done, len(done["item"]["content"])) == (sent[-1], 2)


def test_one_event_may_carry_several_items() -> None:
    item = {"type": "reasoning", "id": "i"}
    both = MessageDelta(extra={"output.0": item, "output.1": item})
    assert types(write(both, both, MessageStop(), start=OWN)) == [
        *("output_item.added", "output_item.done", "output_item.added", "output_item.done", "completed")
    ]
    start = MessageStart("r", "gpt", extra=both.extra)
    assert types(write(start=start)) == ["output_item.added", "output_item.done", "output_item.added"]


def test_an_item_is_done_when_the_next_begins_unless_it_is_sure_to_come_again() -> None:
    for status, expected in (("in_progress", ["added", "added"]), ("x", ["added", "done", "added"])):
        sent = write(announce(0, type="message", status=status), announce(1, type="message"), start=OWN)
        assert types(sent) == [f"output_item.{kind}" for kind in expected]


def test_what_is_said_of_an_item_that_is_done_counts_at_the_end() -> None:
    sent = write(
        announce(0, type="reasoning", id="a", x=1),
        announce(1, type="reasoning", id="b"),
        announce(0, type="reasoning", id="other", x=2),
        announce(0, type="message", id="a", x=3),
        MessageStop(),
        start=OWN,
    )
    assert sent[1]["item"] == {"type": "reasoning", "id": "a", "x": 1, "summary": []}
    assert sent[-1]["response"]["output"] == [
        {"type": "reasoning", "id": "a", "x": 2, "summary": []},
        {"type": "reasoning", "id": "b", "summary": []},
    ]


X, Y = {"type": "x"}, {"type": "y"}


@pytest.mark.parametrize(
    ("begun", "done", "places", "expected"),
    [
        ([X, None, Y, None], [X, None, Y, None], [1, 3, 4], ["x", "a", "y", "b", "c"]),
        ([X], [X, None, None, Y], [1, 2, 3], ["x", "a", "b", "c", "y"]),
        ([], [X, None, None, Y], [0, 1, 2], ["a", "b", "c", "x", "y"]),
        ([X], [], [1, 2, 3], ["a", "b", "c"]),
        (None, 7, [0, 1, 2], ["a", "b", "c"]),
    ],
)
def test_parts_that_are_no_text_stand_where_they_do_not_change_the_places_of_text(
    begun: Any, done: Any, places: list[int], expected: list[str]
) -> None:
    """What a reader has taken for the third part can't become the fourth."""
    sent = write(
        announce(0, type="message", content=begun),
        *(BlockStart(n, TextBlock(text, extra={"output_index": 0})) for n, text in enumerate("abc")),
        announce(0, type="message", content=done),
        MessageStop(),
        start=OWN,
    )
    assert sent[0]["item"]["content"] == [part for part in begun or [] if part]
    added = [event for event in sent if event["type"] == "response.content_part.added"]
    assert [event["content_index"] for event in added] == places
    (item,) = sent[-1]["response"]["output"]
    assert [part.get("text", part["type"]) for part in item["content"]] == expected


def test_the_places_of_text_never_go_back() -> None:
    start = BlockStart(0, TextBlock(extra={"output_index": 0}))
    items = [announce(0, type="message", content=content) for content in ([X, X, None], [])]
    sent = write(
        items[0],
        start,
        items[1],
        BlockStart(1, start.block),
        start=OWN,
    )
    assert [event["content_index"] for event in sent if "content_index" in event] == [2, 3]


def test_calls_go_out_as_the_provider_sent_them() -> None:
    fields = {"id": "i", "call_id": "c", "name": "f", "x": 1}
    block = ToolUseBlock("c", "f", extra={"output_index": 0})
    mcp = ToolUseBlock("j", "g", "mcp_tool_use", extra={"output_index": 1})
    sent = write(
        announce(0, type="function_call", status="in_progress", **fields),
        BlockStart(0, block),
        ArgumentsDelta(0, "[]"),
        announce(0, type="function_call", status="completed", **fields),
        BlockStop(0),
        announce(1, type="mcp_call", id="j", name="g", server_label="s"),
        BlockStart(1, mcp),
        ArgumentsDelta(1, "[]"),
        announce(1, type="mcp_call", id="j", name="g", server_label="s", output="o"),
        BlockStop(1),
        MessageDelta("completed"),
        MessageStop(),
        start=OWN,
    )
    assert types(sent) == [
        *("output_item.added", "function_call_arguments.delta"),
        *("function_call_arguments.done", "output_item.done"),
        *("output_item.added", "mcp_call_arguments.delta"),
        *("mcp_call_arguments.done", "output_item.done", "completed"),
    ]
    call = {"type": "function_call", "status": "completed", **fields, "arguments": "[]"}
    server = {"type": "mcp_call", "id": "j", "name": "g", "server_label": "s", "output": "o"}
    assert sent[-1]["response"]["output"] == [call, {**server, "arguments": "[]"}]


def test_a_call_that_the_provider_says_is_incomplete_stays_so() -> None:
    sent = write(
        announce(0, type="function_call", id="i", status="in_progress"),
        BlockStart(0, ToolUseBlock("c", "f", extra={"output_index": 0})),
        ArgumentsDelta(0, "{}"),
        announce(0, type="function_call", id="i", status="incomplete"),
        BlockStop(0),
        announce(1, type="message"),
        start=OWN,
    )
    assert types(sent)[2:] == ["output_item.done", "output_item.added"]
    assert sent[2]["item"]["status"] == "incomplete"


@pytest.mark.parametrize("type_", ["function_call", "custom_tool_call"])
def test_a_call_of_a_host_that_gives_no_status_is_incomplete_where_it_is_cut(type_: str) -> None:
    encoding: Any = "text" if type_ == "custom_tool_call" else "json"
    block = ToolUseBlock("c", "f", input_encoding=encoding, extra={"output_index": 0})
    item = announce(0, type=type_, id="i", call_id="c", name="f")
    sent = write(item, BlockStart(0, block), MessageDelta("completed"), MessageStop(), start=OWN)
    assert types(sent) == ["output_item.added", "output_item.done", "incomplete"]
    assert sent[1]["item"]["status"] == "incomplete"


def test_items_that_are_blocks_as_a_whole() -> None:
    data = {"type": "web_search_call", "id": "w", "status": "in_progress"}
    sent = write(
        announce(0, type="web_search_call", id="w"),
        BlockStart(0, ResultBlock(data)),
        FieldsDelta(0, {"status": "completed", "action": {}}),
        TextDelta(0, "in a kind of block that may grow some day"),
        CitationDelta(0, {}),
        BlockStop(0),
        BlockStart(1, UnknownBlock({"type": "shell_call", "x": 1})),
        BlockStop(1),
        announce(0, type="web_search_call", id="w", action={"q": 1}),
        MessageStop(),
        start=OWN,
    )
    done = {**data, "status": "completed", "action": {}}
    unknown = {"type": "shell_call", "x": 1}
    assert sent == [
        {"type": "response.output_item.added", "output_index": 0, "item": data},
        {"type": "response.output_item.done", "output_index": 0, "item": done},
        {"type": "response.output_item.added", "output_index": 1, "item": unknown},
        {"type": "response.output_item.done", "output_index": 1, "item": unknown},
        sent[-1],
    ]
    assert sent[-1]["response"]["output"] == [{**done, "action": {"q": 1}}, unknown]


def test_a_call_that_nobody_could_run_is_a_block_as_a_whole() -> None:
    data = {"type": "function_call", "arguments": "1"}
    sent = write(
        announce(0, type="function_call", status="in_progress"),
        announce(0, type="function_call"),
        BlockStart(0, UnknownBlock(data)),
        BlockStop(0),
        MessageDelta("completed"),
        MessageStop(),
        start=OWN,
    )
    assert types(sent) == ["output_item.added", "output_item.done", "completed"]
    assert sent[-1]["response"]["output"] == [data]


def test_an_item_that_came_and_has_no_block_is_sent_at_the_end() -> None:
    sent = write(announce(0, type="x"), MessageStop(), start=OWN)
    assert types(sent) == ["output_item.added", "output_item.done", "completed"]


@pytest.mark.parametrize(
    "extra",
    [
        {"output.": {"type": "message"}},
        {"output.x": {"type": "message"}},
        {"output.99999999999": {"type": "message"}},
        {"output.0": "message"},
        {"output.0": {"type": ["message"]}},
    ],
)
def test_what_is_no_item_is_none(extra: dict[str, Any]) -> None:
    assert write(MessageDelta(extra=extra), start=OWN) == []


@pytest.mark.parametrize("index", [0, "0", [0], None, True, 5])
def test_a_block_whose_item_is_of_another_type_or_unknown_gets_one(index: Any) -> None:
    extra = {"output_index": index}
    sent = write(announce(0, type="reasoning", id="i"), BlockStart(0, TextBlock("a", extra=extra)), start=OWN)
    assert types(sent)[-4:] == [
        *("output_item.done", "output_item.added", "content_part.added", "output_text.delta")
    ]
    assert sent[-3]["output_index"] == 1


def test_blocks_of_no_item_do_not_join_one_that_is_verbatim_or_at_its_end() -> None:
    events: list[BlockEvent] = [
        BlockStart(0, UnknownBlock({"type": "message"})),
        BlockStart(1, UnknownBlock({"type": "x"})),
        BlockStart(2, UnknownBlock({"type": "x"})),
        BlockStart(3, TextBlock()),
        BlockStart(4, ToolUseBlock("t", "f", "mcp_tool_use")),
    ]
    sent = write(*events, start=OWN)
    assert types(sent) == [*["output_item.added"] * 3, "content_part.added"]


def test_a_call_that_was_only_announced_is_incomplete_at_the_end() -> None:
    """Else its id would stand in for the ``call_id`` that it lacks, and it could be run."""
    announced = {"type": "function_call", "id": "fc", "name": "f", "status": "in_progress"}
    sent = write(announce(0, **announced), MessageDelta("completed"), MessageStop(), start=OWN)
    assert [event["item"]["status"] for event in sent if "item" in event] == ["in_progress", "incomplete"]


def test_a_call_without_a_call_id_gets_the_one_that_its_client_answers_to() -> None:
    item = {"type": "function_call", "id": "fc", "name": "f", "arguments": "{}"}
    call = ToolUseBlock("fc", "f", extra={"output_index": 0})
    end = [MessageDelta("completed"), MessageStop()]
    sent = write(announce(0, **item), BlockStart(0, call), BlockStop(0), *end, start=OWN)
    assert sent[-1]["response"]["output"] == [{**item, "call_id": "fc"}]
