"""What our decoder makes of a UI message stream, chunk by chunk."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest

from sse_core import LimitExceeded, MessageAccumulator, RemoteProtocolError, ServerSentEvent
from sse_core.blocks import (
    ArgumentsDelta,
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
    ResultBlock,
    StreamError,
    TextBlock,
    TextDelta,
    TextReplaced,
    ThinkingBlock,
    ThinkingDelta,
    ToolUseBlock,
    UnknownBlock,
    UnknownEvent,
)
from sse_core.dialects.ui_messages import Decoder
from tests.core.dialects.ui_events import DONE, FINISH_STEP, START, UI, decode, read, sse, step

TEXT_START = {"type": "text-start", "id": "0"}
TEXT_END = {"type": "text-end", "id": "0"}
CALL: dict[str, Any] = {"toolCallId": "c1", "toolName": "f"}
CALL_START = {"type": "tool-input-start", **CALL}
AVAILABLE = {"type": "tool-input-available", **CALL}
FINISH = {"type": "finish", "finishReason": "stop"}


def delta(text: str, id: str = "0") -> dict[str, Any]:
    return {"type": "text-delta", "id": id, "delta": text}


def arguments(text: str) -> dict[str, Any]:
    return {"type": "tool-input-delta", "toolCallId": "c1", "inputTextDelta": text}


def tools(*chunks: Any, reason: str = "tool-calls") -> list[Any]:
    """The calls of a stream whose one step has these chunks, and how many the client may run."""
    message = read(*step(*chunks, reason=reason))
    return [
        len(message.executable_tools),
        *((tool.state, tool.arguments, tool.raw_arguments) for tool in message.tools),
    ]


def test_a_text_is_a_block_that_ends_with_the_step() -> None:
    assert decode(*START, TEXT_START, delta("Hi"), TEXT_END, FINISH_STEP, FINISH, DONE) == [
        MessageStart("m1", ""),
        Ping(),
        BlockStart(0, TextBlock(extra={"id": "0"})),
        TextDelta(0, "Hi"),
        FieldsDelta(0, {"state": "done"}),
        BlockStop(0),
        MessageDelta("stop"),
        MessageStop(),
    ]


def test_reasoning_is_thinking() -> None:
    metadata = {"providerMetadata": {"anthropic": {"signature": "s"}}}
    start, grown, said, ended = decode(
        {"type": "reasoning-start", "id": "0"},
        {"type": "reasoning-delta", "id": "0", "delta": "H", **metadata},
        {"type": "reasoning-end", "id": "0"},
    )[2:]
    assert start == BlockStart(0, ThinkingBlock(extra={"id": "0"}))
    assert (grown, said) == (ThinkingDelta(0, "H"), FieldsDelta(0, metadata))
    assert ended == FieldsDelta(0, {"state": "done"})


def test_the_end_of_a_text_gives_its_citations() -> None:
    events = decode(*START, TEXT_START, {**TEXT_END, "citations": [{"a": 1}]})
    assert events[3:] == [CitationDelta(0, {"a": 1}), FieldsDelta(0, {"state": "done"})]


def test_every_event_has_its_source_once() -> None:
    chunks = [*START, TEXT_START, TEXT_END, FINISH_STEP, FINISH, DONE, ""]
    events = decode(*chunks)
    assert [event.source for event in events if event.source] == [sse(chunk) for chunk in chunks[:-1]]


def test_a_call_is_whole_when_its_step_is() -> None:
    chunks = [CALL_START, arguments('{"a":'), arguments("1}"), {**AVAILABLE, "input": {"a": 1}}]
    block = BlockStart(0, ToolUseBlock("c1", "f"))
    grown = [ArgumentsDelta(0, '{"a":'), ArgumentsDelta(0, "1}")]
    assert decode(*START, *chunks)[2:] == [block, *grown, Ping()]
    assert tools(*chunks) == [1, ("complete", {"a": 1}, '{"a":1}')]
    assert read(*START, *chunks).executable_tools == []


@pytest.mark.parametrize(
    ("text", "value", "raw"),
    [
        ('{"a": 1}', {"a": 1}, '{"a": 1}'),
        ('{"a": 1}', {"a": True}, '{"a":true}'),
        ("", {"a": 1}, '{"a":1}'),
        ("", {}, ""),
        ('{"a"', {"a": 1}, '{"a":1}'),
        ('"x"', "x", '"x"'),
        ('{"a":1}', "repaired", '"repaired"'),
    ],
)
def test_the_value_of_arguments_counts_and_the_text_stays_where_it_says_the_same(
    text: str, value: Any, raw: str
) -> None:
    assert tools(CALL_START, arguments(text), {**AVAILABLE, "input": value}) == [1, ("complete", value, raw)]


def test_arguments_that_are_replaced_are_said_to_be() -> None:
    chunks = [CALL_START, arguments("{}"), {**AVAILABLE, "input": [1]}]
    assert decode(*START, *chunks)[-1] == TextReplaced(0, "[1]")


def test_a_call_that_comes_whole_needs_no_start() -> None:
    assert tools({**AVAILABLE, "input": {"a": 1}}) == [1, ("complete", {"a": 1}, '{"a":1}')]
    assert tools(AVAILABLE) == [1, ("complete", {}, "")]


def test_fields_of_a_call_are_kept() -> None:
    message = read(*step(CALL_START, {**AVAILABLE, "title": "T", "dynamic": True}))
    assert message.tools[0].extra == {"title": "T"}
    message = read(*step({**CALL_START, "title": "T", "dynamic": True}))
    assert message.tools[0].extra == {"title": "T", "dynamic": True}


@pytest.mark.parametrize(("value", "raw"), [("x = 1", "x = 1"), ("y", "y"), ({"a": 1}, '{"a":1}')])
def test_free_text_is_no_json(value: Any, raw: str) -> None:
    chunks = [{**CALL_START, "inputEncoding": "text"}, arguments("x = 1"), {**AVAILABLE, "input": value}]
    assert tools(*chunks) == [1, ("complete", raw, raw)]


def test_a_call_that_is_not_available_is_never_whole() -> None:
    assert tools(CALL_START, arguments("{}")) == [0, ("incomplete", None, "{}")]


@pytest.mark.parametrize("available", [[], [{**AVAILABLE, "input": {"a": 2}}]])
def test_a_call_whose_id_another_takes_is_never_whole(available: list[Any]) -> None:
    message = read(
        *step(CALL_START, arguments("1"), *available, CALL_START, {**AVAILABLE, "input": {"a": 1}})
    )
    assert [tool.state for tool in message.tools] == ["incomplete", "complete"]
    assert [tool.arguments for tool in message.executable_tools] == [{"a": 1}]


def test_a_call_may_take_the_id_of_one_whose_outcome_came() -> None:
    output = {"type": "tool-output-available", "toolCallId": "c1", "output": 1}
    message = read(*step({**AVAILABLE, "input": {}}, output, CALL_START, {**AVAILABLE, "input": {}}))
    assert [tool.state for tool in message.tools] == ["complete", "complete"]


def test_a_call_that_the_provider_runs_is_not_for_the_client() -> None:
    chunks = [{**CALL_START, "providerExecuted": True}, {**AVAILABLE, "input": {}}]
    assert tools(*chunks) == [0, ("complete", {}, "")]


@pytest.mark.parametrize(
    ("chunk", "state"),
    [
        ({"type": "tool-output-available", "output": 1}, "complete"),
        ({"type": "tool-output-error", "errorText": "x"}, "complete"),
        ({"type": "tool-output-denied"}, "complete"),
        ({"type": "tool-approval-request", "approvalId": "a"}, "complete"),
        ({"type": "tool-input-error", "toolName": "f", "errorText": "x", "input": {}}, "complete"),
    ],
)
def test_a_call_whose_outcome_came_is_not_left_for_the_client(chunk: Any, state: str) -> None:
    chunk = {**chunk, "toolCallId": "c1"}
    for before in ([CALL_START, AVAILABLE], [AVAILABLE]):
        message = read(*step(*before, chunk))
        assert message.stop_meaning == "end_turn"
        assert message.executable_tools == []
        assert [block for block in message.blocks if isinstance(block, ResultBlock)] == [
            ResultBlock({**chunk, "tool_use_id": "c1"})
        ]
        assert message.tools[0].state == state


def test_arguments_that_are_no_json_are_so_here_too() -> None:
    error = {"type": "tool-input-error", **CALL, "errorText": "x", "input": '{"a'}
    assert tools(CALL_START, arguments('{"a'), error) == [0, ("invalid", None, '{"a')]
    # Without a start, the text is the value.
    assert tools(error) == [0, ("complete", '{"a', '"{\\"a"')]


def test_an_outcome_of_a_call_that_is_not_whole_does_not_make_it_so() -> None:
    denied = {"type": "tool-output-denied", "toolCallId": "c1"}
    assert tools(CALL_START, arguments("1"), denied) == [0, ("incomplete", None, "1")]


def test_what_comes_for_a_call_after_its_outcome_changes_nothing() -> None:
    output = {"type": "tool-output-available", "toolCallId": "c1", "output": 1}
    chunks = [CALL_START, {**AVAILABLE, "input": {}}, output, {**AVAILABLE, "title": "T"}, output]
    assert tools(*chunks) == [0, ("complete", {}, "")]


OUTCOMES: list[Any] = [
    {"type": "tool-output-available", "toolCallId": "before", "output": 1},
    {"type": "tool-output-error", "toolCallId": "before", "errorText": "E"},
    {"type": "tool-output-denied", "toolCallId": "before"},
    {"type": "tool-approval-request", "toolCallId": "before", "approvalId": "a"},
    {"type": "tool-approval-response", "approvalId": "before", "approved": True},
]


@pytest.mark.parametrize("chunk", OUTCOMES)
def test_an_outcome_is_of_a_call_that_has_begun(chunk: Any) -> None:
    """The browser's reader gives up, unless the message that the stream goes on has the call."""
    decoder = Decoder()
    for before in (*START, CALL_START):
        decoder.receive_event(sse(before))
    with pytest.raises(RemoteProtocolError, match="'before'"):
        decoder.receive_event(sse(chunk))
    assert decoder.receive_event(sse(TEXT_START)) == []
    assert decoder.receive_eof() == [MessageCut("truncated")]
    (start, _) = Decoder(earlier_ids=["before"]).receive_event(sse(chunk))[-2:]
    assert isinstance(start, BlockStart)


def test_an_outcome_may_come_in_a_later_step_but_not_for_a_step_that_was_taken_back() -> None:
    begun = [*START, {**AVAILABLE, "toolCallId": "before", "input": {}}, OUTCOMES[3]]
    for chunk in (*OUTCOMES[:4], {**OUTCOMES[4], "approvalId": "a"}):
        assert decode(*begun, FINISH_STEP, {"type": "start-step"}, chunk)
        with pytest.raises(RemoteProtocolError):
            decode(*begun, {"type": "reset-step"}, chunk)


def test_an_answer_needs_a_request() -> None:
    requests = [{**OUTCOMES[3], "approvalId": id} for id in ("a", "b")]
    begun = [*START, {**AVAILABLE, "toolCallId": "before", "input": {}}, *requests]
    assert decode(*begun, {**OUTCOMES[4], "approvalId": "b"})
    for id_ in ("a", "c"):
        with pytest.raises(RemoteProtocolError, match="was not asked for"):
            decode(*begun, {**OUTCOMES[4], "approvalId": id_})


@pytest.mark.parametrize(
    "chunk",
    [
        {"type": "source-url", "sourceId": "s", "url": "u"},
        {"type": "source-document", "sourceId": "s", "mediaType": "m", "title": "t"},
        {"type": "file", "url": "u", "mediaType": "m"},
        {"type": "reasoning-file", "url": "u", "mediaType": "m"},
        {"type": "custom", "kind": "a.b"},
        {"type": "data-x", "id": "d", "data": 1},
    ],
)
def test_what_is_a_part_by_itself_is_a_block_as_it_came(chunk: Any) -> None:
    assert decode(*START, chunk)[2:] == [BlockStart(0, UnknownBlock(chunk)), BlockStop(0)]


def test_a_chunk_of_another_kind_is_unknown() -> None:
    assert decode(*START, {"type": "new", "a": 1})[2:] == [UnknownEvent({"type": "new", "a": 1})]


def test_a_further_step_is_a_block() -> None:
    message = read(*step(TEXT_START, delta("a"), FINISH_STEP, {"type": "start-step"}, TEXT_START, delta("b")))
    assert [block.type for block in message.blocks] == ["text", "start-step", "text"]
    assert message.extra == {}


def test_a_part_before_any_step_says_so() -> None:
    message = read(START[0], TEXT_START, {"type": "start-step"}, FINISH, DONE)
    assert [block.type for block in message.blocks] == ["text", "start-step"]
    assert message.extra == {"stepless": True}


def test_what_an_application_adds_is_kept_in_order() -> None:
    added = [{"type": kind, "messageMetadata": kind} for kind in ("start", "message-metadata", "finish")]
    assert read(*added, DONE).extra == {"messageMetadata": ["start", "message-metadata", "finish"]}
    assert decode({"type": "message-metadata", "messageMetadata": None})[1:] == []


def test_a_reset_takes_the_step_back() -> None:
    before = [TEXT_START, delta("Hel"), CALL_START, {"type": "data-x", "data": 1}]
    events = decode(*START, *before, {"type": "reset-step"})
    assert events[-3:] == [
        ItemsDelta("droppedBlocks", [0, 1, 2]),
        TextReplaced(0, ""),
        TextReplaced(1, ""),
    ]
    message = read(*step(*before, {"type": "reset-step"}, TEXT_START, delta("Hello"), AVAILABLE))
    assert message.text == "Hello"
    assert [tool.state for tool in message.tools] == ["incomplete", "complete"]
    assert message.completeness == "complete"


def test_a_reset_of_nothing_says_nothing() -> None:
    assert decode(*START, {"type": "reset-step"})[2:] == [Ping()]


@pytest.mark.parametrize(
    ("chunks", "completeness"),
    [
        ([FINISH, DONE], "complete"),
        ([FINISH], "complete"),
        ([DONE], "complete"),
        ([], "truncated"),
        ([{"type": "finish", "finishReason": "interrupted"}, DONE], "truncated"),
        ([{"type": "finish", "finishReason": "interrupted"}], "truncated"),
        ([{"type": "abort", "reason": "x"}, DONE], "stopped"),
        ([{"type": "abort"}], "stopped"),
        ([{"type": "error", "errorText": "x"}, FINISH, DONE], "failed"),
    ],
)
def test_how_a_message_ends(chunks: list[Any], completeness: str) -> None:
    assert read(*START, *chunks).completeness == completeness


def test_done_alone_is_no_message() -> None:
    assert read(DONE).completeness == "truncated"


def test_nothing_counts_after_the_end() -> None:
    decoder = Decoder()
    for chunk in step(TEXT_START):
        decoder.receive_event(sse(chunk))
    assert decoder.receive_event(sse(TEXT_START)) == []
    assert decoder.receive_eof() == []


def test_an_error_has_nothing_but_a_text() -> None:
    assert decode({"type": "error", "errorText": "x" * 3000, "a": 1}, eof=True) == [
        Ping(),
        StreamError("error", "x" * 2000, extra={"a": 1}),
    ]
    (_, error) = decode({"type": "error"}, DONE)
    assert isinstance(error, StreamError)
    assert error.message == "The provider gave no message."


@pytest.mark.parametrize("end", [[FINISH, DONE], [FINISH], [{"type": "abort"}], [DONE], [], ["no json"]])
def test_an_error_is_reported_at_the_end_since_parts_may_end_after_it(end: list[Any]) -> None:
    errors = [{"type": "error", "errorText": text} for text in ("first", "second")]
    decoder, accumulator = Decoder(), MessageAccumulator()
    for chunk in (*START, TEXT_START, delta("a"), *errors, TEXT_END, FINISH_STEP, *end):
        with contextlib.suppress(RemoteProtocolError):
            for event in decoder.receive_event(sse(chunk)):
                accumulator.receive(event)
    for event in decoder.receive_eof():
        accumulator.receive(event)
    message = accumulator.message
    assert (message.completeness, message.error) == ("failed", StreamError("error", "first"))
    part = {"type": "text", "text": "a", "state": "done"}
    assert UI.to_response(message)["parts"] == [{"type": "step-start"}, part]


def test_the_same_message_may_start_twice() -> None:
    assert decode(*START, {"type": "start"}, START[0])[2:] == [Ping(), Ping()]


@pytest.mark.parametrize(
    "chunk",
    [
        [],
        "no json",
        {},
        {"type": 1},
        {"type": "start", "messageId": "another"},
        {"type": "text-start"},
        delta("x", "9"),
        {"type": "text-end", "id": "9"},
        {"type": "text-delta", "id": "0"},
        {"type": "text-end", "id": "0", "citations": [1]},
        {"type": "reasoning-delta", "id": "0", "delta": "x"},
        {"type": "tool-input-start", "toolCallId": "c"},
        {"type": "tool-input-start", "toolCallId": 1, "toolName": "f"},
        arguments("x") | {"toolCallId": "c9"},
        {"type": "tool-input-delta", "toolCallId": "c1"},
        {"type": "tool-input-available", "toolName": "f"},
        {"type": "tool-output-error", "toolCallId": "c1"},
        {"type": "source-url", "url": "u"},
        {"type": "source-url", "url": "u", "sourceId": "s", "title": None},
        {"type": "file", "url": "u", "mediaType": "m", "providerMetadata": {"x": 1}},
        {"type": "data-x", "id": 1},
        {"type": "tool-approval-response", "approvalId": "a"},
        {"type": "finish", "finishReason": 1},
    ],
)
def test_what_a_browser_would_not_take_is_refused(chunk: Any) -> None:
    decoder = Decoder()
    for before in (*START, TEXT_START, CALL_START):
        decoder.receive_event(sse(before))
    with pytest.raises(RemoteProtocolError, match="unreadable event") as caught:
        decoder.receive_event(sse(chunk))
    assert caught.value.status == 502
    assert decoder.receive_event(sse(DONE)) == []
    assert decoder.receive_eof() == [MessageCut("truncated")]


def test_arguments_of_a_whole_call_do_not_grow() -> None:
    with pytest.raises(RemoteProtocolError, match="arguments are whole"):
        decode(*START, AVAILABLE, arguments("x"))


def receive(decoder: Decoder, chunks: list[Any]) -> None:
    for chunk in chunks:
        decoder.receive_event(sse(chunk))


@pytest.mark.parametrize(
    "chunks",
    [
        [CALL_START, *[arguments("x" * 100)] * 10],
        [{**TEXT_START, "id": "x" * 600}],
        [{"type": "data-x", "data": 1}] * 10,
    ],
)
def test_what_is_kept_has_a_bound(chunks: list[Any]) -> None:
    decoder = Decoder(max_held_bytes=500)
    with pytest.raises(LimitExceeded, match="max_held_bytes=500") as caught:
        receive(decoder, [*START, *chunks])
    assert (caught.value.limit, caught.value.bound, caught.value.status) == ("max_held_bytes", 500, 502)
    assert decoder.receive_event(sse(DONE)) == []


def test_nothing_is_kept_of_a_finished_step() -> None:
    decoder = Decoder(max_held_bytes=800)
    for _ in range(5):
        for chunk in [{"type": "start-step"}, CALL_START, arguments("x" * 500), FINISH_STEP]:
            decoder.receive_event(sse(chunk))


def test_an_empty_event_is_a_sign_of_life() -> None:
    assert Decoder().receive_event(ServerSentEvent("message", " ")) == [Ping()]


def test_a_cut_keeps_what_came() -> None:
    message = read(*START, TEXT_START, delta("Hi"), CALL_START)
    assert message.text == "Hi"
    assert [tool.state for tool in message.tools] == ["incomplete"]
    assert decode(eof=True) == [MessageCut("truncated")]
