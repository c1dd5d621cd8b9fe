"""Blocks of another protocol as the items that are made for them."""

from __future__ import annotations

import pytest

from sse_core.blocks import (
    ArgumentsDelta,
    Block,
    BlockStart,
    BlockStop,
    CitationDelta,
    MessageDelta,
    MessageStart,
    MessageStop,
    RedactedThinkingBlock,
    ResultBlock,
    SignatureDelta,
    TextBlock,
    TextDelta,
    TextReplaced,
    ThinkingBlock,
    ThinkingDelta,
    ToolUseBlock,
    UnknownBlock,
    UnknownDelta,
)
from tests.core.dialects.responses_written import (
    RESPONSE,
    final,
    of,
    types,
    write,
)


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


def test_what_was_replaced_is_sent_at_the_end() -> None:
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
