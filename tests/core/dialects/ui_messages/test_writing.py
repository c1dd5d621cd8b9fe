"""What our encoder sends a browser, event by event."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sse_core import LimitExceeded, LocalProtocolError, ServerSentEvent
from sse_core.blocks import (
    ArgumentsDelta,
    BlockEvent,
    BlockStart,
    BlockStop,
    CitationDelta,
    FieldsDelta,
    ItemsDelta,
    MessageCut,
    MessageReset,
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
from sse_core.dialects.ui_messages import HEADERS, Decoder, Encoder
from tests.core.dialects.ui_events import (
    DONE,
    FINISH,
    FINISH_STEP,
    START,
    UI,
    after_start,
    call,
    decode,
    encode,
    end,
    sse,
    start,
    text,
    whole,
)


def test_a_text_is_begun_grows_and_ends() -> None:
    assert after_start(*text(0, "Hel", "", "lo")) == [
        {"type": "text-start", "id": "0"},
        {"type": "text-delta", "id": "0", "delta": "Hel"},
        {"type": "text-delta", "id": "0", "delta": "lo"},
        {"type": "text-end", "id": "0"},
    ]


def test_thinking_is_reasoning_and_its_signature_comes_with_its_end() -> None:
    events = [BlockStart(0, ThinkingBlock("H")), ThinkingDelta(0, "m"), SignatureDelta(0, "s"), BlockStop(0)]
    assert after_start(*events) == [
        {"type": "reasoning-start", "id": "0"},
        {"type": "reasoning-delta", "id": "0", "delta": "H"},
        {"type": "reasoning-delta", "id": "0", "delta": "m"},
        {"type": "reasoning-end", "id": "0", "providerMetadata": {"anthropic": {"signature": "s"}}},
    ]


def test_only_the_provider_that_made_a_signature_gets_it_back() -> None:
    events = [BlockStart(0, ThinkingBlock("", "s")), BlockStop(0)]
    ends = {dialect: after_start(*events, dialect=dialect)[-1] for dialect in ("openai-chat", "gemini")}
    assert "providerMetadata" not in ends["openai-chat"]
    assert ends["gemini"]["providerMetadata"] == {"google": {"thoughtSignature": "s"}}


def test_redacted_thinking_is_reasoning_that_nobody_can_read() -> None:
    block = RedactedThinkingBlock("xyz")
    assert after_start(*whole(0, block)) == [
        {"type": "reasoning-start", "id": "0", "providerMetadata": {"anthropic": {"redactedData": "xyz"}}},
        {"type": "reasoning-end", "id": "0"},
    ]
    assert after_start(*whole(0, block), dialect="openai-chat") == []


@pytest.mark.parametrize(
    ("extra", "metadata"),
    [
        ({"caller": {"type": "direct"}}, {"caller": {"type": "direct"}}),
        ({"caller": {"type": "code", "tool_id": "t"}}, {"caller": {"type": "code", "toolId": "t"}}),
        ({"caller": "x"}, None),
    ],
)
def test_a_call_says_who_calls(extra: Any, metadata: Any) -> None:
    available = after_start(call(extra=extra), BlockStop(0), *end())[1]
    assert available["type"] == "tool-input-available"
    assert available.get("providerMetadata") == (metadata and {"anthropic": metadata})


def test_a_call_is_available_at_the_end_of_the_message() -> None:
    """The browser runs it at once: nothing may be run for a message that may still be cut."""
    events = [call(), ArgumentsDelta(0, '{"a":'), ArgumentsDelta(0, "1}"), BlockStop(0)]
    sent: list[Any] = [
        {"type": "tool-input-start", "toolCallId": "c1", "toolName": "f"},
        {"type": "tool-input-delta", "toolCallId": "c1", "inputTextDelta": '{"a":'},
        {"type": "tool-input-delta", "toolCallId": "c1", "inputTextDelta": "1}"},
    ]
    available = {"type": "tool-input-available", "toolCallId": "c1", "toolName": "f", "input": {"a": 1}}
    finish = {"type": "finish", "finishReason": "tool-calls"}
    assert after_start(*events) == sent
    assert after_start(*events, *text(1, "x"))[3]["type"] == "text-start"
    assert after_start(*events, *end()) == [*sent, available, FINISH_STEP, finish, DONE]
    assert after_start(*events, *end("STOP")) == [*sent, available, FINISH_STEP, finish, DONE]


@pytest.mark.parametrize(
    ("events", "finish"),
    [
        (end("max_tokens"), {"finishReason": "length"}),
        (end("refusal"), {"finishReason": "content-filter"}),
        (end("pause_turn"), {"finishReason": "other"}),
        (end("new_word"), {"finishReason": "other"}),
        ([MessageStop()], {}),
        ([MessageCut("truncated")], {"finishReason": "interrupted"}),
    ],
)
def test_a_call_of_a_message_after_which_nothing_may_run_is_never_available(
    events: list[BlockEvent], finish: Any
) -> None:
    chunks = after_start(call(), BlockStop(0), *events)
    assert chunks[1:] == [FINISH_STEP, {"type": "finish", **finish}, DONE]


def test_a_call_that_was_not_whole_is_never_available() -> None:
    chunks = after_start(call(), ArgumentsDelta(0, "{}"), *end())
    assert [chunk["type"] for chunk in chunks[:-1]] == [
        "tool-input-start",
        "tool-input-delta",
        "finish-step",
        "finish",
    ]


def test_a_call_without_arguments_has_those_that_it_began_with() -> None:
    assert after_start(call(start_input={"q": 1}), BlockStop(0), *end())[1]["input"] == {"q": 1}
    assert after_start(call(), ArgumentsDelta(0, " \n"), BlockStop(0), *end())[2]["input"] == {}


def test_arguments_that_are_no_json_are_sent_as_an_error_at_once() -> None:
    chunks = after_start(call(), ArgumentsDelta(0, '{"a":'), BlockStop(0))
    assert chunks[-1] == {
        "type": "tool-input-error",
        "toolCallId": "c1",
        "toolName": "f",
        "input": '{"a":',
        "errorText": "The arguments of this call are not valid JSON.",
    }


def test_free_text_is_the_input() -> None:
    chunks = after_start(call(input_encoding="text"), ArgumentsDelta(0, "x = 1"), BlockStop(0), *end())
    assert chunks[0]["inputEncoding"] == "text"
    assert chunks[2]["input"] == "x = 1"


def test_a_call_that_the_provider_runs_is_available_when_it_is_whole_and_so_is_its_result() -> None:
    result = ResultBlock({"type": "x_tool_result", "tool_use_id": "c1", "content": {"a_b": 1}})
    chunks = after_start(call(type="server_tool_use"), BlockStop(0), *whole(1, result))
    assert chunks == [
        {"type": "tool-input-start", "toolCallId": "c1", "toolName": "f", "providerExecuted": True},
        {
            "type": "tool-input-available",
            "toolCallId": "c1",
            "toolName": "f",
            "input": {},
            "providerExecuted": True,
        },
        {
            "type": "tool-output-available",
            "toolCallId": "c1",
            "output": {"a_b": 1},
            "providerExecuted": True,
        },
    ]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (
            {"content": {"type": "x_tool_result_error", "a_b": "y"}},
            '{"type":"x_tool_result_error","a_b":"y"}',
        ),
        ({"content": "it broke", "is_error": True}, "it broke"),
    ],
)
@pytest.mark.parametrize("dialect", ["", "openai-chat"])
def test_a_result_of_no_provider_we_know_is_an_error_where_it_says_so(
    data: Any, text: str, dialect: str
) -> None:
    result = ResultBlock({"type": "x_tool_result", "tool_use_id": "c1", **data})
    chunks = after_start(call(type="mcp_tool_use"), BlockStop(0), *whole(1, result), dialect=dialect)
    error = {"type": "tool-output-error", "toolCallId": "c1", "errorText": text, "providerExecuted": True}
    assert chunks[-1] == error
    known = ResultBlock({"type": "x_tool_result", "tool_use_id": "c1", "content": {"a_b": 1}})
    chunks = after_start(call(type="mcp_tool_use"), BlockStop(0), *whole(1, known), dialect=dialect)
    assert chunks[-1]["output"] == {"a_b": 1}


@pytest.mark.parametrize("data", [{}, {"tool_use_id": "another"}, {"tool_use_id": 1}])
def test_a_result_of_no_call_is_left_out(data: Any) -> None:
    for dialect in ("anthropic", "openai-chat"):
        result = ResultBlock({"type": "x_tool_result", **data})
        assert after_start(*whole(0, result), dialect=dialect) == []


def test_annotations_of_openai_are_sources_and_citations_with_their_place() -> None:
    flat = {"type": "url_citation", "url": "https://a.example", "start_index": 1, "end_index": 2}
    inner = {"type": "url_citation", "url_citation": {"url": "https://b.example", "end_index": -1}}
    events = [BlockStart(0, TextBlock()), CitationDelta(0, flat), CitationDelta(0, inner), BlockStop(0)]
    chunks = after_start(*events, dialect="openai-chat")
    assert [chunk["url"] for chunk in chunks if chunk["type"] == "source-url"] == [
        "https://a.example",
        "https://b.example",
    ]
    assert [{**citation, "source": 0} for citation in chunks[-1]["citations"]] == [
        {"source": 0, "startIndex": 1, "endIndex": 2},
        {"source": 0},
    ]
    assert "providerMetadata" not in chunks[-1]


def test_only_a_text_is_cited() -> None:
    nowhere = [BlockStart(0, ThinkingBlock()), CitationDelta(0, {"url": "u"}), CitationDelta(9, {"url": "u"})]
    assert after_start(*nowhere) == [{"type": "reasoning-start", "id": "0"}]
    no_address = after_start(BlockStart(0, TextBlock()), CitationDelta(0, {"a": 1}), BlockStop(0))
    assert "citations" not in no_address[-1]


@pytest.mark.parametrize(
    ("block", "delta"),
    [
        (TextBlock(), ThinkingDelta(0, "x")),
        (ThinkingBlock(), TextDelta(0, "x")),
        (TextBlock(), ArgumentsDelta(0, "x")),
        (TextBlock(), SignatureDelta(0, "x")),
        (UnknownBlock({"type": "x"}), TextReplaced(0, "x")),
    ],
)
def test_a_delta_that_its_block_has_no_room_for_is_left_out(block: Any, delta: BlockEvent) -> None:
    assert after_start(BlockStart(0, block), delta) == after_start(BlockStart(0, block))


@pytest.mark.parametrize(
    "event",
    [
        TextDelta(0, "x"),
        TextReplaced(0, "x"),
        FieldsDelta(0, {"a": 1}),
        BlockStop(0),
        UnknownDelta(0, {"type": "x"}),
        UnknownEvent({"type": "x"}),
        Ping(),
        ItemsDelta("messageMetadata", [1]),
        MessageStart("another", ""),
        TextDelta(0, "x", choice=1),
        BlockStart(0, TextBlock("x"), choice=1),
    ],
)
def test_what_has_no_form_is_left_out(event: BlockEvent) -> None:
    assert after_start(event) == []


def test_a_block_that_is_open_does_not_begin_again() -> None:
    assert len(after_start(BlockStart(0, TextBlock()), BlockStart(0, TextBlock()))) == 1


def test_a_text_that_is_replaced_is_sent_where_nothing_was() -> None:
    """What was said can't be taken back; the arguments of a call can, as long as they are not sent."""
    said = [BlockStart(0, TextBlock("a")), TextReplaced(0, "b")]
    assert [chunk["type"] for chunk in after_start(*said)] == ["text-start", "text-delta"]
    silent = [BlockStart(0, TextBlock()), TextReplaced(0, "b")]
    assert after_start(*silent)[-1]["delta"] == "b"
    chunks = after_start(call(), ArgumentsDelta(0, "{}"), TextReplaced(0, '{"a":1}'), BlockStop(0), *end())
    assert chunks[2]["input"] == {"a": 1}


def test_calls_with_the_same_id_or_none_are_distinguished() -> None:
    ids = [call(0, "c"), call(1, "c"), call(2, ""), call(3, "c-1")]
    ids_sent = [chunk["toolCallId"] for chunk in after_start(*ids)]
    assert ids_sent[0] == "c"
    assert len(set(ids_sent)) == 4
    assert all(ids_sent)


def test_texts_that_grow_side_by_side_are_distinguished() -> None:
    block = TextBlock(extra={"id": "1"})
    ids = [chunk["id"] for chunk in encode(*(BlockStart(index, block) for index in range(3)))[2:]]
    assert ids[0] == "1"
    assert len(set(ids)) == 3


def test_what_a_message_begins_with_is_whole() -> None:
    blocks = [TextBlock("Hi"), ToolUseBlock("c1", "f", start_input={"a": 1})]
    chunks = encode(start(blocks=blocks, stop_reason="tool_use"), MessageStop())
    assert [chunk["type"] for chunk in chunks[2:-1]] == [
        "text-start",
        "text-delta",
        "text-end",
        "tool-input-start",
        "tool-input-available",
        "finish-step",
        "finish",
    ]


def test_a_message_without_a_start_gets_one() -> None:
    assert encode(BlockStart(0, TextBlock()))[:2] == [{"type": "start"}, {"type": "start-step"}]
    assert encode(MessageStop()) == [{"type": "start"}, {"type": "start-step"}, *FINISH]


def test_a_text_that_is_open_at_the_end_ends() -> None:
    assert after_start(BlockStart(0, TextBlock()), MessageStop())[1] == {"type": "text-end", "id": "0"}


def test_a_stopped_turn_is_an_abort_and_nothing_else() -> None:
    reason = "The turn was stopped before the message was complete."
    chunks = after_start(BlockStart(0, TextBlock()), MessageCut("stopped"))
    assert chunks[1:] == [{"type": "abort", "reason": reason}, DONE]


def test_a_cut_stream_is_interrupted() -> None:
    chunks = after_start(BlockStart(0, TextBlock()), MessageCut("truncated"))
    finish = {"type": "finish", "finishReason": "interrupted"}
    assert chunks[1:] == [{"type": "text-end", "id": "0"}, FINISH_STEP, finish, DONE]


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (StreamError("overloaded_error", "Overloaded"), "Overloaded"),
        (StreamError("x", "y" * 5000), "y" * 2000),
        (MessageCut("failed"), "The turn failed before the message was complete."),
    ],
)
def test_an_error_is_a_text_for_the_user(event: BlockEvent, text: str) -> None:
    error = {"type": "error", "errorText": text}
    assert after_start(event) == [error, FINISH_STEP, {"type": "finish", "finishReason": "error"}, DONE]


def test_nothing_comes_after_the_end() -> None:
    encoder = Encoder()
    encode(start(), MessageStop(), encoder=encoder)
    assert encode(*text(0, "x"), MessageStop(), StreamError("x", "y"), encoder=encoder) == []
    assert encoder.send(MessageReset()) == []


def test_a_step_is_taken_back_and_begins_anew() -> None:
    encoder = Encoder()
    first = after_start(*text(0, "Hel"), call(1), encoder=encoder)
    assert len(first) == 4
    assert encoder.send(MessageReset()) == [ServerSentEvent("message", '{"type":"reset-step"}')]
    again = encode(MessageStart("m2", "", dialect="gemini"), *text(0, "Hello"), *end("STOP"), encoder=encoder)
    assert [chunk["type"] for chunk in again[:-1]] == [
        "text-start",
        "text-delta",
        "text-end",
        "finish-step",
        "finish",
    ]
    assert again[-2]["finishReason"] == "stop"


def test_what_was_sent_on_verbatim_can_be_taken_back_too() -> None:
    assert Encoder(verbatim=True).send(MessageReset()) == [
        ServerSentEvent("message", '{"type":"reset-step"}')
    ]


def test_there_is_nothing_to_take_back_before_the_start() -> None:
    assert Encoder().send(MessageReset()) == []


def test_what_is_no_block_event_is_refused() -> None:
    for encoder in (Encoder(), Encoder(verbatim=True)):
        with pytest.raises(LocalProtocolError, match="object is no block event"):
            encoder.send(object())  # type: ignore[arg-type]  # that is the point
    with pytest.raises(LocalProtocolError, match="BlockEvent is no block event"):
        Encoder().send(BlockEvent())


@pytest.mark.parametrize(
    "events",
    [
        [call(), *[ArgumentsDelta(0, "x" * 100)] * 10],
        [BlockStart(0, TextBlock()), *[CitationDelta(0, {"a": "x" * 100})] * 10],
        [BlockStart(0, TextBlock()), *[FieldsDelta(0, {"a": "x" * 100})] * 10],
        [BlockStart(index, TextBlock()) for index in range(10)],
        [BlockStart(0, UnknownBlock({"type": "x" * 1000}))],
        [call(), *[TextReplaced(0, "x" * 100)] * 10],
        [call(id="x" * 1000)],
    ],
)
def test_what_is_kept_has_a_bound(events: list[BlockEvent]) -> None:
    with pytest.raises(LimitExceeded, match="max_held_bytes=500") as caught:
        encode(start(), *events, encoder=Encoder(max_held_bytes=500))
    assert (caught.value.limit, caught.value.bound, caught.value.status) == ("max_held_bytes", 500, 502)


def test_what_was_sent_is_not_kept() -> None:
    encoder = Encoder(max_held_bytes=2000)
    encode(start(), encoder=encoder)
    for index in range(9):
        arguments = ArgumentsDelta(index, '"' + "x" * 500 + '"')
        encode(call(index, type="server_tool_use"), arguments, BlockStop(index), encoder=encoder)


def test_verbatim_sends_on_what_came_and_adds_only_an_end() -> None:
    chunks = [*START, {"type": "text-start", "id": "0"}, {"type": "text-end", "id": "0", "x": 1}]
    events = decode(*chunks, eof=True)
    sent = [sent for event in events for sent in Encoder(verbatim=True).send(event)]
    assert sent[: len(chunks)] == [sse(chunk) for chunk in chunks]
    finish = {"type": "finish", "finishReason": "interrupted"}
    assert sent[len(chunks) :] == [sse_of(FINISH_STEP), sse_of(finish), ServerSentEvent("message", DONE)]


def test_verbatim_leaves_out_what_else_was_made_of_an_event() -> None:
    events = decode({**START[0], "messageMetadata": 1})
    assert [sent for event in events for sent in Encoder(verbatim=True).send(event)] == [
        sse({**START[0], "messageMetadata": 1})
    ]


def sse_of(chunk: Any) -> ServerSentEvent:
    return ServerSentEvent("message", json.dumps(chunk, separators=(",", ":")))


def test_the_headers_that_an_answer_has_to_have() -> None:
    assert (
        UI.response_headers
        == HEADERS
        == {
            "content-type": "text/event-stream",
            "cache-control": "no-cache",
            "x-vercel-ai-ui-message-stream": "v1",
            "x-accel-buffering": "no",
        }
    )


# Of this protocol's own words, and of events that say nothing of where they come from.


def own(*events: BlockEvent) -> list[Any]:
    return after_start(*events, dialect="")


def test_parts_of_this_protocol_are_sent_as_they_are() -> None:
    part = {"type": "data-x", "data": [1]}
    assert own(*whole(0, UnknownBlock(part))) == [part]
    assert own(*whole(0, UnknownBlock({"type": "finish"}))) == []
    assert after_start(*whole(0, UnknownBlock(part)), dialect="anthropic") == []


def test_a_further_step_ends_the_one_before() -> None:
    step = UnknownBlock({"type": "start-step"})
    chunks = own(call(), BlockStop(0), *whole(1, step), call(2), BlockStop(2))
    assert [chunk["type"] for chunk in chunks] == [
        "tool-input-start",
        "tool-input-available",
        "finish-step",
        "start-step",
        "tool-input-start",
    ]
    assert chunks[0]["toolCallId"] == chunks[4]["toolCallId"]


def outcome(kind: str, **fields: Any) -> list[BlockEvent]:
    chunk = {"type": kind, "toolCallId": "c1", **fields}
    return whole(1, ResultBlock({**chunk, "tool_use_id": "c1"}))


def test_a_call_whose_outcome_is_sent_was_available_before() -> None:
    chunks = own(call(), BlockStop(0), *outcome("tool-output-available", output=1), *end())
    assert [chunk["type"] for chunk in chunks[1:3]] == ["tool-input-available", "tool-output-available"]
    assert chunks[3] == FINISH_STEP


def test_a_call_that_failed_is_never_available() -> None:
    chunks = own(call(), BlockStop(0), *outcome("tool-input-error", toolName="f", errorText="x"), *end())
    assert [chunk["type"] for chunk in chunks[1:3]] == ["tool-input-error", "finish-step"]


def test_an_answer_without_a_request_is_left_out() -> None:
    answer = whole(2, UnknownBlock({"type": "tool-approval-response", "approvalId": "a", "approved": True}))
    request = outcome("tool-approval-request", approvalId="a")
    assert own(*answer) == []
    assert [c["type"] for c in own(call(), BlockStop(0), *request, *answer)[2:]] == [
        "tool-approval-request",
        "tool-approval-response",
    ]


@pytest.mark.parametrize(
    ("extra", "sent"),
    [
        (
            {"title": "T", "dynamic": True, "toolMetadata": {}},
            {"title": "T", "dynamic": True, "toolMetadata": {}},
        ),
        ({"title": 1, "dynamic": "x", "toolMetadata": []}, {}),
        ({"providerMetadata": {"x": {}}}, {"providerMetadata": {"x": {}}}),
        ({"providerMetadata": {"x": 1}}, {}),
    ],
)
def test_extra_fields_of_a_call_are_sent_where_a_browser_takes_them(extra: Any, sent: Any) -> None:
    available = own(call(extra=extra), BlockStop(0), *end())[1]
    assert available == {
        "type": "tool-input-available",
        "toolCallId": "c1",
        "toolName": "f",
        "input": {},
        **sent,
    }


URL = {"type": "source", "sourceType": "url", "id": "i", "url": "u"}


@pytest.mark.parametrize(
    ("cited", "taken"),
    [
        ({"source": URL, "startIndex": 0, "citedText": "x"}, True),
        ({"source": {**URL, "sourceType": "document", "mediaType": "m", "title": "t"}}, True),
        ({"source": {**URL, "sourceType": "document"}}, False),
        ({"source": {**URL, "sourceType": []}}, False),
        ({"source": {**URL, "sourceType": "x"}}, False),
        ({"source": {**URL, "title": 1}}, False),
        ({"source": {**URL, "type": "x"}}, False),
        ({"source": URL, "startIndex": 2**60}, False),
        ({"source": URL, "citedText": None}, False),
        ({"url": "u"}, False),
    ],
)
def test_citations_of_this_protocol_are_sent_where_a_browser_takes_them(cited: Any, *, taken: bool) -> None:
    chunks = own(BlockStart(0, TextBlock()), CitationDelta(0, cited), BlockStop(0))
    assert chunks[1:] == [{"type": "text-end", "id": "0", **({"citations": [cited]} if taken else {})}]


def test_a_text_that_says_it_is_done_ends() -> None:
    events = [BlockStart(0, TextBlock()), FieldsDelta(0, {"state": "done"})]
    assert own(*events)[1:] == [{"type": "text-end", "id": "0"}]
    assert after_start(*events)[1:] == []
    assert len(own(BlockStart(0, UnknownBlock({"type": "x"})), FieldsDelta(0, {"state": "done"}))) == 0


def test_what_an_application_adds_is_sent_as_it_is() -> None:
    metadata = {"type": "message-metadata", "messageMetadata": {"a": 1}}
    assert own(ItemsDelta("messageMetadata", [{"a": 1}])) == [metadata]
    assert own(ItemsDelta("another", [1])) == []


def test_blocks_that_were_taken_back_are_so_again() -> None:
    assert own(*text(0, "x"), ItemsDelta("droppedBlocks", [0]))[-1] == {"type": "reset-step"}


def test_a_first_part_without_a_step_gets_none() -> None:
    begun = MessageStart("m", "", extra={"stepless": True})
    assert encode(begun) == [{"type": "start", "messageId": "m"}]


@pytest.mark.parametrize("end", [[], ["[DONE]"]])
@pytest.mark.parametrize("before", [[], ['{"type":"start"}', '{"type":"start-step"}', ""]])
def test_an_error_that_was_sent_on_as_it_came_is_not_sent_again(before: list[str], end: list[str]) -> None:
    """Where the upstream closes without the end that the protocol wants, that is added."""
    came = [*before[:2], '{"type":"error","errorText":"It broke"}', *before[2:3], *end]
    decoder, encoder = Decoder(), Encoder(verbatim=True)
    events = [event for data in came for event in decoder.receive_event(ServerSentEvent("message", data))]
    sent = [sse.data for event in [*events, *decoder.receive_eof()] for sse in encoder.send(event)]
    assert sent == (came if end else [*came, "[DONE]"])
