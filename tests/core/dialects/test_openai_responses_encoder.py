"""Block events to the events of a response."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from sse_core import LimitExceeded, LocalProtocolError, RemoteProtocolError, ServerSentEvent, dialects
from sse_core.blocks import (
    ArgumentsDelta,
    Block,
    BlockEvent,
    BlockStart,
    BlockStop,
    CitationDelta,
    FieldsDelta,
    ItemsDelta,
    MessageCut,
    MessageDelta,
    MessageStart,
    MessageStop,
    Ping,
    RedactedThinkingBlock,
    ResultBlock,
    SignatureDelta,
    StreamError,
    TextBlock,
    TextDelta,
    TextReplaced,
    ThinkingBlock,
    ThinkingDelta,
    ToolUseBlock,
    UnknownBlock,
    UnknownDelta,
    UnknownEvent,
)
from sse_core.dialects.openai_responses import Encoder

RESPONSES = dialects.get("openai-responses")
START = MessageStart("m", "gpt", dialect="anthropic")
OWN = MessageStart("r", "gpt", extra={"object": "response"}, dialect="openai-responses")
#: The fields of a response that OpenAI's clients need.
RESPONSE = {
    "object": "response",
    "created_at": 0,
    "instructions": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "temperature": None,
    "tool_choice": "auto",
    "tools": [],
    "top_p": None,
    "id": "m",
    "model": "gpt",
    "status": "in_progress",
    "error": None,
    "incomplete_details": None,
    "output": [],
    "usage": None,
}


def write(*events: BlockEvent, start: MessageStart = START) -> list[Any]:
    """The events after those of the response's beginning, without their numbers."""
    encoder = RESPONSES.Encoder()
    sent = [sse for event in [start, *events] for sse in encoder.send(event)]
    data = [json.loads(sse.data) for sse in sent]
    assert [event.pop("sequence_number") for event in data] == list(range(len(sent)))
    assert [event["type"] for event in data] == [sse.type for sse in sent]
    return data[2:]


def types(sent: list[Any]) -> list[str]:
    """The events' types, without what all have in common."""
    return [event["type"].removeprefix("response.") for event in sent]


def final(*events: BlockEvent, start: MessageStart = START) -> Any:
    """The response at its end."""
    return write(*events, MessageStop(), start=start)[-1]["response"]


def tell(index: int, **item: Any) -> MessageDelta:
    """What a decoder says of an item: that it begins, or is done."""
    return MessageDelta(extra={f"output.{index}": item})


def of(item: str, index: int = 0, **fields: Any) -> dict[str, Any]:
    """Fields of an event of a part."""
    return {"item_id": item, "output_index": index, **fields}


def test_a_response_begins_twice() -> None:
    sent = [json.loads(sse.data) for sse in RESPONSES.Encoder().send(START)]
    assert sent == [
        {"type": "response.created", "response": RESPONSE, "sequence_number": 0},
        {"type": "response.in_progress", "response": RESPONSE, "sequence_number": 1},
    ]


def test_a_message_of_another_protocol_leaves_its_fields_behind() -> None:
    start = MessageStart("m", "gpt", extra={"created": 7, "tier": "a"}, dialect="openai-chat")
    assert final(MessageDelta(extra={"x": 1, "output.0": {"type": "message"}}), start=start) == {
        **RESPONSE,
        "status": "completed",
    }


def test_a_response_keeps_its_fields() -> None:
    extra = {"object": "response", "created_at": 7.5, "event.copilot": 1, "status": "queued"}
    start = MessageStart("r", "gpt", extra=extra, dialect="openai-responses")
    (event,) = write(
        MessageDelta("completed", {"input_tokens": 1}, {"x": 1, "id": "late"}), MessageStop(), start=start
    )
    assert event == {
        "type": "response.completed",
        "copilot": 1,
        "response": {
            "id": "r",
            "object": "response",
            "created_at": 7.5,
            "x": 1,
            "model": "gpt",
            "status": "completed",
            "error": None,
            "incomplete_details": None,
            "output": [],
            "usage": {
                "input_tokens": 1,
                "input_tokens_details": {"cached_tokens": 0},
                "output_tokens": 0,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": 1,
            },
        },
    }


def test_text_is_a_part_of_a_message() -> None:
    sent = write(
        BlockStart(4, TextBlock("a")),
        TextDelta(4, ""),
        TextDelta(4, "b"),
        BlockStop(4),
        MessageDelta("end_turn"),
        MessageStop(),
    )
    item = {"id": "msg_m_0", "type": "message", "status": "in_progress", "role": "assistant", "content": []}
    part = {"type": "output_text", "annotations": [], "text": ""}
    whole = {**item, "status": "completed", "content": [{**part, "text": "ab"}]}
    place = of("msg_m_0", content_index=0)
    assert sent == [
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": "response.content_part.added", **place, "part": part},
        {"type": "response.output_text.delta", **place, "delta": "a", "logprobs": []},
        {"type": "response.output_text.delta", **place, "delta": "b", "logprobs": []},
        {"type": "response.output_text.done", **place, "text": "ab", "logprobs": []},
        {"type": "response.content_part.done", **place, "part": {**part, "text": "ab"}},
        {"type": "response.output_item.done", "output_index": 0, "item": whole},
        {"type": "response.completed", "response": {**RESPONSE, "status": "completed", "output": [whole]}},
    ]


def test_a_refusal_is_another_kind_of_part_of_the_same_message() -> None:
    sent = write(
        BlockStart(0, TextBlock("a")),
        BlockStart(1, TextBlock(extra={"field": "refusal", "x": 1})),
        TextDelta(1, "no"),
        CitationDelta(1, {"type": "url_citation", "url_citation": {}}),
        BlockStop(1),
    )
    place = of("msg_m_0", content_index=1)
    assert sent[3:] == [
        {"type": "response.content_part.added", **place, "part": {"type": "refusal", "refusal": ""}},
        {"type": "response.refusal.delta", **place, "delta": "no"},
        {"type": "response.refusal.done", **place, "refusal": "no"},
        {"type": "response.content_part.done", **place, "part": {"type": "refusal", "refusal": "no"}},
    ]


def test_thoughts_that_follow_each_other_are_parts_of_one_summary() -> None:
    sent = write(
        BlockStart(0, ThinkingBlock("", "signature", {"field": "reasoning_text"})),
        ThinkingDelta(0, "hm"),
        SignatureDelta(0, "other"),
        BlockStop(0),
        BlockStart(1, ThinkingBlock("ah")),
        BlockStart(2, TextBlock()),
        BlockStop(1),
    )
    assert types(sent) == [
        "output_item.added",
        *("reasoning_summary_part.added", "reasoning_summary_text.delta"),
        *("reasoning_summary_text.done", "reasoning_summary_part.done"),
        *("reasoning_summary_part.added", "reasoning_summary_text.delta"),
        *("output_item.added", "content_part.added"),
        *("reasoning_summary_text.done", "reasoning_summary_part.done", "output_item.done"),
    ]
    place = of("rs_m_0", summary_index=0)
    assert sent[0]["item"] == {"id": "rs_m_0", "type": "reasoning", "summary": []}
    assert sent[2:4] == [
        {"type": "response.reasoning_summary_text.delta", **place, "delta": "hm"},
        {"type": "response.reasoning_summary_text.done", **place, "text": "hm"},
    ]
    summary = [{"type": "summary_text", "text": text} for text in ("hm", "ah")]
    assert sent[-1]["item"] == {"id": "rs_m_0", "type": "reasoning", "summary": summary}


def test_a_call_is_an_item() -> None:
    sent = write(
        BlockStart(0, ToolUseBlock("t", "f", extra={"x": 1})),
        ArgumentsDelta(0, ""),
        ArgumentsDelta(0, '{"a":'),
        ArgumentsDelta(0, "1}"),
        BlockStop(0),
        MessageDelta("tool_use"),
        MessageStop(),
    )
    call = {"id": "fc_m_0", "type": "function_call", "status": "in_progress", "call_id": "t", "name": "f"}
    whole = {**call, "status": "completed", "arguments": '{"a":1}'}
    name = "response.function_call_arguments"
    assert sent[:-1] == [
        {"type": "response.output_item.added", "output_index": 0, "item": {**call, "arguments": ""}},
        {"type": f"{name}.delta", **of("fc_m_0"), "delta": '{"a":'},
        {"type": f"{name}.delta", **of("fc_m_0"), "delta": "1}"},
        {"type": f"{name}.done", **of("fc_m_0"), "arguments": '{"a":1}'},
        {"type": "response.output_item.done", "output_index": 0, "item": whole},
    ]
    assert (sent[-1]["response"]["status"], sent[-1]["response"]["output"]) == ("completed", [whole])


def test_a_call_of_a_tool_that_takes_text() -> None:
    sent = write(
        BlockStart(0, ToolUseBlock("t", "f", input_encoding="text")),
        BlockStop(0),
        BlockStart(1, ToolUseBlock("u", "f", input_encoding="text")),
        ArgumentsDelta(1, "x"),
        BlockStop(1),
        MessageDelta("tool_use"),
        MessageStop(),
    )
    assert types(sent)[:-1] == [
        *("output_item.added", "custom_tool_call_input.done", "output_item.done"),
        *("output_item.added", "custom_tool_call_input.delta"),
        *("custom_tool_call_input.done", "output_item.done"),
    ]
    assert sent[0]["item"]["type"] == "custom_tool_call"
    assert [item["input"] for item in sent[-1]["response"]["output"]] == ["", "x"]


@pytest.mark.parametrize("said", ["", " \n"])
def test_a_call_without_arguments_gets_those_that_it_began_with(said: str) -> None:
    start = BlockStart(0, ToolUseBlock("t", "f", start_input={"q": 1}))
    sent = write(start, ArgumentsDelta(0, said), BlockStop(0), MessageDelta("tool_use"), MessageStop())
    deltas = [event["delta"] for event in sent if event["type"].endswith(".delta")]
    (done,) = [event for event in sent if event["type"].endswith("arguments.done")]
    assert "".join(deltas) == done["arguments"] == said + '{"q":1}'


def test_calls_that_come_in_turns_are_done_when_each_is_whole() -> None:
    sent = write(
        BlockStart(0, ToolUseBlock("a", "f")),
        BlockStart(1, ToolUseBlock("b", "g")),
        ArgumentsDelta(1, "1"),
        ArgumentsDelta(0, "0"),
        BlockStop(0),
        BlockStop(1),
        BlockStart(2, TextBlock()),
    )
    places = [(kind, event["output_index"]) for kind, event in zip(types(sent), sent, strict=True)]
    assert places == [
        *(("output_item.added", 0), ("output_item.added", 1)),
        *(("function_call_arguments.delta", 1), ("function_call_arguments.delta", 0)),
        *(("function_call_arguments.done", 0), ("output_item.done", 0)),
        *(("function_call_arguments.done", 1), ("output_item.done", 1)),
        *(("output_item.added", 2), ("content_part.added", 2)),
    ]


@pytest.mark.parametrize("reason", ["tool_use", "end_turn", "max_tokens", "refusal", "huh", None])
def test_a_call_that_is_not_whole_never_looks_complete(reason: str | None) -> None:
    sent = write(
        BlockStart(0, ToolUseBlock("a", "f")),
        BlockStop(0),
        BlockStart(1, ToolUseBlock("b", "f")),
        ArgumentsDelta(1, "{}"),
        MessageDelta(reason),
        MessageStop(),
    )
    assert types(sent)[-3:] == ["function_call_arguments.delta", "output_item.done", "incomplete"]
    response = sent[-1]["response"]
    assert [item["status"] for item in response["output"]] == ["completed", "incomplete"]
    assert response["output"][1]["arguments"] == "{}"


def test_a_call_at_the_end_of_an_incomplete_response_is_incomplete() -> None:
    """Anthropic ends a block where the tokens end, whole or not."""
    sent = write(
        BlockStart(0, ToolUseBlock("a", "f")), BlockStop(0), MessageDelta("max_tokens"), MessageStop()
    )
    assert types(sent)[1:] == ["function_call_arguments.delta", "output_item.done", "incomplete"]
    assert sent[-2]["item"]["status"] == "incomplete"


@pytest.mark.parametrize(
    ("stop_reason", "calls", "status", "reason"),
    [
        ("end_turn", False, "completed", None),
        ("stop", True, "completed", None),
        ("tool_use", True, "completed", None),
        ("stop_sequence", False, "completed", None),
        ("stop_sequence", True, "incomplete", "stop_sequence"),
        (None, False, "completed", None),
        (None, True, "incomplete", None),
        ("incomplete", False, "incomplete", None),
        ("length", False, "incomplete", "max_output_tokens"),
        ("model_context_window_exceeded", False, "incomplete", "max_output_tokens"),
        ("SAFETY", True, "incomplete", "content_filter"),
        ("pause_turn", False, "incomplete", "pause_turn"),
        ("huh", False, "incomplete", "huh"),
    ],
)
def test_what_a_message_ended_for_is_a_status(
    stop_reason: str | None, *, calls: bool, status: str, reason: str | None
) -> None:
    tool: list[BlockEvent] = [BlockStart(0, ToolUseBlock("t", "f")), BlockStop(0)]
    response = final(*(tool if calls else []), MessageDelta(stop_reason))
    assert response["status"] == status
    assert response["incomplete_details"] == (reason and {"reason": reason})


def test_details_of_an_incomplete_response_are_kept() -> None:
    details = {"reason": "max_output_tokens", "x": 1}
    for told, kept in ((details, details), ({"reason": "x"}, {"reason": "max_output_tokens"})):
        delta = MessageDelta("max_output_tokens", extra={"incomplete_details": told})
        assert final(delta, start=OWN)["incomplete_details"] == kept


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ({}, None),
        (
            {"input_tokens": 1, "cache_read_input_tokens": 2, "cache_creation_input_tokens": 4},
            (7, {"cached_tokens": 2, "cache_write_tokens": 4}, 0, {"reasoning_tokens": 0}, 7),
        ),
        (
            {
                "prompt_tokens": 5,
                "completion_tokens": 3,
                "completion_tokens_details": {"reasoning_tokens": 2},
            },
            (5, {"cached_tokens": 0}, 3, {"reasoning_tokens": 2}, 8),
        ),
        ({"input_tokens_details": {"x": 1}}, {"input_tokens_details": {"x": 1}}),
        ({"input_tokens": 1, "total_tokens": 9}, {"input_tokens": 1, "total_tokens": 9}),
    ],
)
def test_usage_is_counted_as_responses_count(figures: dict[str, Any], expected: Any) -> None:
    names = (
        "input_tokens",
        "input_tokens_details",
        "output_tokens",
        "output_tokens_details",
        "total_tokens",
    )
    usage = dict(zip(names, expected, strict=True)) if isinstance(expected, tuple) else expected
    assert final(MessageDelta("end_turn", figures))["usage"] == usage


def test_citations_are_annotations_where_they_have_such_a_form() -> None:
    cited = {"url": "u", "title": "t", "start_index": 0, "end_index": 1}
    chat = {"type": "url_citation", "url_citation": cited}
    sent = write(
        BlockStart(0, TextBlock("a", [chat])),
        CitationDelta(0, {"type": "char_location"}),
        CitationDelta(0, {"type": "url_citation", "url_citation": "?"}),
        CitationDelta(0, chat),
        BlockStop(0),
    )
    place = of("msg_m_0", content_index=0)
    added = {"type": "response.output_text.annotation.added", **place}
    annotation = {"type": "url_citation", **cited}
    assert sent[3:5] == [
        {**added, "annotation_index": 0, "annotation": annotation},
        {**added, "annotation_index": 1, "annotation": annotation},
    ]
    assert sent[-1]["part"]["annotations"] == [annotation, annotation]


def test_its_own_citations_and_fields_of_parts_go_out_as_they_came() -> None:
    place = {"output_index": 0, "content_index": 1}
    sent = write(
        tell(0, type="message", id="i"),
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


def test_what_was_replaced_is_told_at_the_end() -> None:
    sent = write(
        BlockStart(0, TextBlock("a")),
        TextReplaced(0, "b"),
        BlockStop(0),
        BlockStart(1, ToolUseBlock("t", "f")),
        ArgumentsDelta(1, "1"),
        TextReplaced(1, "2"),
        BlockStop(1),
        MessageDelta("tool_use"),
        MessageStop(),
    )
    assert [event["delta"] for event in sent if "delta" in event] == ["a", "1"]
    assert [event["text"] for event in sent if "text" in event] == ["b"]
    message, call = sent[-1]["response"]["output"]
    assert (message["content"][0]["text"], call["arguments"]) == ("b", "2")


def test_blocks_that_a_message_begins_with() -> None:
    blocks: list[Block] = [TextBlock("a"), RedactedThinkingBlock("x"), ToolUseBlock("t", "f")]
    response = final(start=MessageStart("m", "gpt", blocks=blocks, stop_reason="tool_use"))
    assert [item["type"] for item in response["output"]] == ["message", "function_call"]
    assert response["output"][1]["arguments"] == "{}"


@pytest.mark.parametrize(
    "block",
    [
        RedactedThinkingBlock("x"),
        ToolUseBlock("t", "f", "server_tool_use"),
        ToolUseBlock("t", "f", "mcp_tool_use"),
        ResultBlock({"type": "web_search_tool_result"}),
        UnknownBlock({"type": "x"}),
    ],
)
def test_what_another_provider_ran_or_nobody_knows_is_left_out(block: Block) -> None:
    start, text = BlockStart(1, block), TextBlock()
    events = [BlockStart(0, text), BlockStop(0), start, BlockStop(1), BlockStart(2, text), BlockStop(2)]
    if isinstance(block, ToolUseBlock):
        events.insert(3, ArgumentsDelta(1, "{}"))
    if isinstance(block, UnknownBlock):
        events[3:3] = [CitationDelta(1, {}), UnknownDelta(1, {"type": "x"})]
    (item,) = final(*events, MessageDelta("end_turn"))["output"]
    assert len(item["content"]) == 2


@pytest.mark.parametrize(
    "event",
    [Ping(), UnknownEvent({"type": "x"}), ItemsDelta("x", [1]), MessageDelta("end_turn"), START],
)
def test_what_has_no_form_is_left_out(event: BlockEvent) -> None:
    assert write(event) == []


def test_a_response_is_one_answer() -> None:
    sent = write(
        MessageStart("m", "gpt", choice=1),
        BlockStart(0, TextBlock("a"), choice=1),
        BlockStart(0, TextBlock("b")),
        MessageDelta("max_tokens", choice=1),
    )
    assert [event["delta"] for event in sent if "delta" in event] == ["b"]
    assert final(MessageDelta("max_tokens", choice=1))["status"] == "completed"


def test_items_go_out_where_and_as_the_provider_has_put_them() -> None:
    sent = write(
        tell(7, type="reasoning", id="a", status="in_progress", encrypted_content="x"),
        tell(9, type="message", id="b", status="in_progress", phase="p"),
        BlockStart(
            0, ThinkingBlock(extra={"output_index": 7, "content_index": 0, "field": "reasoning_text"})
        ),
        BlockStart(1, TextBlock(extra={"output_index": 9, "content_index": 0})),
        TextDelta(1, "t"),
        ThinkingDelta(0, "r"),
        BlockStop(1),
        tell(9, type="message", id="b", status="completed", phase="q"),
        tell(7, type="reasoning", id="a", status="completed", encrypted_content="y"),
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


def test_a_block_that_begins_after_its_item_was_told_as_done_is_still_of_it() -> None:
    """Some hosts send no events of parts: the item that is done has it all."""
    extra = {"output_index": 0}
    sent = write(
        tell(0, type="message", id="i", status="in_progress"),
        tell(0, type="message", id="i", status="completed"),
        Ping(),
        BlockStart(0, TextBlock(extra=extra)),
        TextDelta(0, "a"),
        BlockStop(0),
        BlockStart(1, TextBlock(extra={**extra, "field": "refusal"})),
        BlockStop(1),
        tell(1, type="reasoning", id="j"),
        start=OWN,
    )
    assert types(sent) == [
        "output_item.added",
        *("content_part.added", "output_text.delta", "output_text.done", "content_part.done"),
        *("content_part.added", "refusal.done", "content_part.done"),
        *("output_item.done", "output_item.added"),
    ]
    assert len(sent[-2]["item"]["content"]) == 2


def test_an_item_that_the_next_has_ended_still_waits_for_what_follows_when_it_is_told_again() -> None:
    text = TextBlock(extra={"output_index": 0})
    sent = write(
        *(tell(0, type="message"), BlockStart(0, text)),
        *(tell(1, type="message"), tell(0, type="message"), BlockStop(0)),
        *(BlockStart(1, text), BlockStop(1), tell(1, type="message")),
        start=OWN,
    )
    (done,) = [event for event in sent if event["type"] == "response.output_item.done"]
    assert (done, len(done["item"]["content"])) == (sent[-1], 2)


def test_one_event_may_tell_of_several_items() -> None:
    told = {"type": "reasoning", "id": "i"}
    both = MessageDelta(extra={"output.0": told, "output.1": told})
    assert types(write(both, both, MessageStop(), start=OWN)) == [
        *("output_item.added", "output_item.done", "output_item.added", "output_item.done", "completed")
    ]
    start = MessageStart("r", "gpt", extra=both.extra)
    assert types(write(start=start)) == ["output_item.added", "output_item.done", "output_item.added"]


def test_an_item_is_done_when_the_next_begins_unless_it_is_sure_to_be_told_again() -> None:
    for status, expected in (("in_progress", ["added", "added"]), ("x", ["added", "done", "added"])):
        sent = write(tell(0, type="message", status=status), tell(1, type="message"), start=OWN)
        assert types(sent) == [f"output_item.{kind}" for kind in expected]


def test_what_is_told_of_an_item_that_is_done_counts_at_the_end() -> None:
    sent = write(
        tell(0, type="reasoning", id="a", x=1),
        tell(1, type="reasoning", id="b"),
        tell(0, type="reasoning", id="other", x=2),
        tell(0, type="message", id="a", x=3),
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
        tell(0, type="message", content=begun),
        *(BlockStart(n, TextBlock(text, extra={"output_index": 0})) for n, text in enumerate("abc")),
        tell(0, type="message", content=done),
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
    told = [tell(0, type="message", content=content) for content in ([X, X, None], [])]
    sent = write(
        told[0],
        start,
        told[1],
        BlockStart(1, start.block),
        start=OWN,
    )
    assert [event["content_index"] for event in sent if "content_index" in event] == [2, 3]


def test_calls_go_out_as_the_provider_told_of_them() -> None:
    told = {"id": "i", "call_id": "c", "name": "f", "x": 1}
    block = ToolUseBlock("c", "f", extra={"output_index": 0})
    mcp = ToolUseBlock("j", "g", "mcp_tool_use", extra={"output_index": 1})
    sent = write(
        tell(0, type="function_call", status="in_progress", **told),
        BlockStart(0, block),
        ArgumentsDelta(0, "[]"),
        tell(0, type="function_call", status="completed", **told),
        BlockStop(0),
        tell(1, type="mcp_call", id="j", name="g", server_label="s"),
        BlockStart(1, mcp),
        ArgumentsDelta(1, "[]"),
        tell(1, type="mcp_call", id="j", name="g", server_label="s", output="o"),
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
    call = {"type": "function_call", "status": "completed", **told, "arguments": "[]"}
    server = {"type": "mcp_call", "id": "j", "name": "g", "server_label": "s", "output": "o"}
    assert sent[-1]["response"]["output"] == [call, {**server, "arguments": "[]"}]


def test_a_call_that_the_provider_says_is_incomplete_stays_so() -> None:
    sent = write(
        tell(0, type="function_call", id="i", status="in_progress"),
        BlockStart(0, ToolUseBlock("c", "f", extra={"output_index": 0})),
        ArgumentsDelta(0, "{}"),
        tell(0, type="function_call", id="i", status="incomplete"),
        BlockStop(0),
        tell(1, type="message"),
        start=OWN,
    )
    assert types(sent)[2:] == ["output_item.done", "output_item.added"]
    assert sent[2]["item"]["status"] == "incomplete"


@pytest.mark.parametrize("type_", ["function_call", "custom_tool_call"])
def test_a_call_of_a_host_that_gives_no_status_is_incomplete_where_it_is_cut(type_: str) -> None:
    encoding: Any = "text" if type_ == "custom_tool_call" else "json"
    block = ToolUseBlock("c", "f", input_encoding=encoding, extra={"output_index": 0})
    told = tell(0, type=type_, id="i", call_id="c", name="f")
    sent = write(told, BlockStart(0, block), MessageDelta("completed"), MessageStop(), start=OWN)
    assert types(sent) == ["output_item.added", "output_item.done", "incomplete"]
    assert sent[1]["item"]["status"] == "incomplete"


def test_items_that_are_blocks_as_a_whole() -> None:
    data = {"type": "web_search_call", "id": "w", "status": "in_progress"}
    sent = write(
        tell(0, type="web_search_call", id="w"),
        BlockStart(0, ResultBlock(data)),
        FieldsDelta(0, {"status": "completed", "action": {}}),
        TextDelta(0, "in a kind of block that may grow some day"),
        CitationDelta(0, {}),
        BlockStop(0),
        BlockStart(1, UnknownBlock({"type": "shell_call", "x": 1})),
        BlockStop(1),
        tell(0, type="web_search_call", id="w", action={"q": 1}),
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
        tell(0, type="function_call", status="in_progress"),
        tell(0, type="function_call"),
        BlockStart(0, UnknownBlock(data)),
        BlockStop(0),
        MessageDelta("completed"),
        MessageStop(),
        start=OWN,
    )
    assert types(sent) == ["output_item.added", "output_item.done", "completed"]
    assert sent[-1]["response"]["output"] == [data]


def test_an_item_that_was_told_and_has_no_block_is_told_at_the_end() -> None:
    sent = write(tell(0, type="x"), MessageStop(), start=OWN)
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
    sent = write(tell(0, type="reasoning", id="i"), BlockStart(0, TextBlock("a", extra=extra)), start=OWN)
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


@pytest.mark.parametrize("kind", ["truncated", "stopped", "failed"])
def test_a_cut_is_an_error(kind: Any) -> None:
    (event,) = write(MessageCut(kind), Ping(), BlockStart(0, TextBlock()), MessageStop(), MessageCut(kind))
    assert (event["type"], event["outcome"]) == ("error", kind)
    assert event["error"]["type"] in {"stream_truncated", "turn_stopped", "turn_failed"}


def test_an_error_may_come_first() -> None:
    (sent,) = RESPONSES.Encoder().send(StreamError("overloaded_error", "Overloaded"))
    data = json.loads(sent.data)
    assert (sent.type, data["error"]["message"], data["sequence_number"]) == ("error", "Overloaded", 0)


def test_nothing_follows_the_end() -> None:
    assert write(MessageStop(), BlockStart(0, TextBlock()), StreamError("x", "y"))[1:] == []


@pytest.mark.parametrize(
    "event",
    [
        BlockStart(0, TextBlock()),
        TextDelta(0, "a"),
        BlockStop(0),
        MessageDelta(),
        MessageStop(),
    ],
)
def test_an_event_that_cannot_come_now_is_refused(event: BlockEvent) -> None:
    with pytest.raises(RemoteProtocolError):
        RESPONSES.Encoder().send(event)


def test_what_is_kept_is_bounded() -> None:
    small = Encoder(max_message_bytes=300)
    small.send(START)
    small.send(BlockStart(0, TextBlock()))
    small.send(TextDelta(0, "1234567890"))
    with pytest.raises(LimitExceeded) as caught:
        small.send(TextDelta(0, "1234567890" * 30))
    assert caught.value.limit == "max_message_bytes"
    few = Encoder(max_blocks=1)
    few.send(START)
    few.send(BlockStart(0, TextBlock()))
    with pytest.raises(LimitExceeded) as caught:
        few.send(BlockStart(1, TextBlock()))
    assert caught.value.limit == "max_blocks"


@pytest.mark.parametrize("verbatim", [True, False])
@pytest.mark.parametrize("wrong", [None, "text", BlockEvent()])
def test_what_is_no_block_event_is_refused(wrong: Any, *, verbatim: bool) -> None:
    encoder = RESPONSES.Encoder(verbatim=verbatim)
    if verbatim and isinstance(wrong, BlockEvent):
        assert encoder.send(wrong) == []
        return
    with pytest.raises(LocalProtocolError):
        encoder.send(cast(BlockEvent, wrong))


@pytest.mark.parametrize(
    ("last", "number"), [({"sequence_number": 4}, 5), ({}, None), ({"sequence_number": "4"}, None)]
)
def test_verbatim_only_what_the_provider_did_not_tell_is_written(
    last: dict[str, Any], number: int | None
) -> None:
    encoder = RESPONSES.Encoder(verbatim=True)
    source = ServerSentEvent("response.x", json.dumps(last))
    assert encoder.send(MessageStart("r", "m", source=source)) == [source]
    assert encoder.send(BlockStart(0, TextBlock("a"))) == []
    (end,) = encoder.send(MessageCut("truncated"))
    assert json.loads(end.data).get("sequence_number") == number
    assert encoder.send(StreamError("x", "y", source=source)) == [source]


def test_verbatim_an_end_that_is_all_there_is_has_the_first_number() -> None:
    (end,) = RESPONSES.Encoder(verbatim=True).send(StreamError("x", "y"))
    assert json.loads(end.data)["sequence_number"] == 0
