"""Block events to Gemini's streamed responses."""

from __future__ import annotations

import json
from collections import deque
from typing import Any, cast

import pytest

from sse_core import LimitExceeded, LocalProtocolError, ServerSentEvent
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
from sse_core.dialects.gemini import Encoder
from sse_core.testing import events_of, message_of
from tests.core.dialects.gemini_events import (
    GEMINI,
    args,
    call,
    decode,
    end,
    parts,
    read,
    sse,
    texts,
)

NAMED = {"modelVersion": "m", "responseId": "r1"}
OWN = MessageStart("r1", "m", dialect="gemini")
ANTHROPIC_START = MessageStart("r1", "m", dialect="anthropic", extra={"x": 1, "candidate.y": 2})


def write(*events: BlockEvent, start: MessageStart = OWN) -> list[Any]:
    """The responses for these events, after the message's start."""
    encoder = GEMINI.Encoder()
    assert encoder.send(start) == []
    sent = [received for event in events for received in encoder.send(event)]
    assert all(received.type == "message" for received in sent)
    return [json.loads(received.data) for received in sent]


def written(*events: BlockEvent, start: MessageStart = OWN) -> list[Any]:
    """The parts for these events, each of a response of its own."""
    found = []
    for response in write(*events, start=start):
        (candidate,) = response["candidates"]
        (part,) = candidate["content"]["parts"]
        found.append(part)
    return found


def ended(*events: BlockEvent, start: MessageStart = OWN) -> Any:
    """The last response of a message that ends after these events."""
    return write(*events, MessageStop(), start=start)[-1]


def reason(*events: BlockEvent, start: MessageStart = OWN) -> Any:
    return ended(*events, start=start)["candidates"][0]["finishReason"]


def test_each_text_is_a_response() -> None:
    events = write(
        BlockStart(0, TextBlock("a")), TextDelta(0, "b"), TextDelta(0, ""), BlockStop(0), TextDelta(0, "x")
    )
    assert events == [
        {"candidates": [{"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}], **NAMED}
        for text in "ab"
    ]


def test_thinking_is_a_thought() -> None:
    thought = {"text": "hm", "thought": True}
    assert written(BlockStart(0, ThinkingBlock("hm")), ThinkingDelta(0, "hm")) == [thought, thought]


def test_a_signed_text_waits_for_its_end() -> None:
    signed: list[BlockEvent] = [
        BlockStart(0, TextBlock(extra={"thoughtSignature": "s"})),
        TextDelta(0, "a"),
        TextDelta(0, "b"),
    ]
    assert written(*signed) == []
    assert written(*signed, BlockStop(0)) == [{"text": "ab", "thoughtSignature": "s"}]
    assert written(*signed, TextReplaced(0, "c"), BlockStop(0)) == [{"text": "c", "thoughtSignature": "s"}]


def test_a_signature_that_comes_late_is_an_empty_text_of_its_own() -> None:
    assert written(BlockStart(0, ThinkingBlock()), ThinkingDelta(0, "a"), SignatureDelta(0, "s")) == [
        {"text": "a", "thought": True},
        {"text": "", "thought": True, "thoughtSignature": "s"},
    ]
    assert written(BlockStart(0, TextBlock()), FieldsDelta(0, {"thoughtSignature": "s"})) == [
        {"text": "", "thoughtSignature": "s"}
    ]


def test_a_signature_takes_the_place_of_one_that_waits() -> None:
    start = BlockStart(0, ThinkingBlock("a", "s"))
    assert written(start, SignatureDelta(0, "t"), BlockStop(0)) == [
        {"text": "a", "thought": True, "thoughtSignature": "t"}
    ]


def test_a_call_is_sent_when_it_is_whole() -> None:
    events: list[BlockEvent] = [
        BlockStart(0, ToolUseBlock("i", "f")),
        ArgumentsDelta(0, '{"a"'),
        ArgumentsDelta(0, ":1}"),
    ]
    assert written(*events) == []
    assert written(*events, BlockStop(0)) == [{"functionCall": {"name": "f", "args": {"a": 1}, "id": "i"}}]


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        (ToolUseBlock("i", "f"), {"name": "f", "id": "i"}),
        (ToolUseBlock("", "f"), {"name": "f"}),
        (ToolUseBlock("i", "f", start_input={"a": 1}), {"name": "f", "id": "i", "args": {"a": 1}}),
        (ToolUseBlock("i", "f", extra={"functionCall.id": None}), {"name": "f"}),
        (
            ToolUseBlock("i", "f", raw_arguments="x", input_encoding="text"),
            {"name": "f", "id": "i", "args": {"input": "x"}},
        ),
    ],
)
def test_calls_have_what_is_known_of_them(block: ToolUseBlock, expected: Any) -> None:
    assert written(BlockStart(0, block), BlockStop(0)) == [{"functionCall": expected}]


def test_fields_of_a_call_stand_where_they_came_from() -> None:
    block = ToolUseBlock("i", "f", extra={"thoughtSignature": "s", "functionCall.x": 1})
    late = FieldsDelta(0, {"thoughtSignature": "t", "functionCall.name": "forged"})
    assert written(BlockStart(0, block), late, BlockStop(0)) == [
        {"thoughtSignature": "t", "functionCall": {"name": "f", "x": 1, "id": "i"}}
    ]


@pytest.mark.parametrize(
    "events",
    [
        [BlockStart(0, ToolUseBlock("i", "f"))],
        [BlockStart(0, ToolUseBlock("i", "f")), ArgumentsDelta(0, '{"a"'), BlockStop(0)],
        [BlockStart(0, ToolUseBlock("i", "f")), ArgumentsDelta(0, "[1]"), BlockStop(0)],
    ],
)
def test_where_a_call_cannot_be_sent_the_end_says_so(events: list[BlockEvent]) -> None:
    assert written(*events) == []
    assert reason(*events, MessageDelta("tool_use")) == "MALFORMED_FUNCTION_CALL"
    assert reason(*events, MessageDelta("MAX_TOKENS")) == "MAX_TOKENS"


def test_parts_that_are_kept_as_they_came_go_out_so() -> None:
    part = {"executableCode": {"code": "1"}, "thoughtSignature": "s"}
    blocks: list[Block] = [
        ResultBlock({"type": "executableCode", **part}),
        UnknownBlock({"type": "part", "part": {"type": "x"}}),
    ]
    assert written(*(BlockStart(index, block) for index, block in enumerate(blocks))) == [part, {"type": "x"}]


@pytest.mark.parametrize(
    "events",
    [
        [Ping()],
        [UnknownEvent({"x": 1})],
        [MessageDelta(), UnknownDelta(0, {}), CitationDelta(0, {})],
        [BlockStart(0, RedactedThinkingBlock("x")), BlockStop(0)],
        [BlockStart(0, ToolUseBlock("t", "f", "server_tool_use")), ArgumentsDelta(0, "1"), BlockStop(0)],
        [BlockStart(0, UnknownBlock({"type": "x"})), TextDelta(0, "a")],
        [BlockStart(0, TextBlock()), TextReplaced(0, "a"), BlockStop(0)],
        [BlockStart(0, TextBlock("", extra={"field": "refusal"})), BlockStop(0)],
    ],
)
def test_what_a_response_has_no_form_for_is_left_out(events: list[BlockEvent]) -> None:
    assert write(*events) == []


def test_what_is_in_another_protocols_words_is_left_out() -> None:
    assert written(
        BlockStart(0, ThinkingBlock("hm", "sig", {"x": 1})),
        SignatureDelta(0, "sig"),
        BlockStart(1, TextBlock("a", extra={"x": 1})),
        FieldsDelta(1, {"x": 1}),
        BlockStart(2, ToolUseBlock("i", "f", extra={"x": 1})),
        FieldsDelta(2, {"y": 1}),
        BlockStop(2),
        BlockStart(3, ResultBlock({"type": "web_search_tool_result", "content": []})),
        MessageDelta(extra={"x": 1}),
        ItemsDelta("candidate.logprobsResult.x", [1]),
        start=ANTHROPIC_START,
    ) == [{"text": "hm", "thought": True}, {"text": "a"}, {"functionCall": {"name": "f", "id": "i"}}]


def test_what_a_message_begins_with_follows() -> None:
    blocks: list[Block] = [TextBlock("a"), ToolUseBlock("i", "f", start_input={"q": 1})]
    extra = {"createTime": 7, "candidate.x": 1, "content.y": 2}
    first, *others = GEMINI.Encoder().send(MessageStart("r1", "m", blocks=blocks, extra=extra))
    content = {"parts": [], "role": "model", "y": 2}
    assert json.loads(first.data) == {
        "candidates": [{"content": content, "x": 1, "index": 0}],
        **NAMED,
        "createTime": 7,
    }
    assert [json.loads(sent.data)["candidates"][0]["content"]["parts"] for sent in others] == [
        [{"text": "a"}],
        [{"functionCall": {"name": "f", "args": {"q": 1}, "id": "i"}}],
    ]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("end_turn", "STOP"),
        ("stop_sequence", "STOP"),
        ("tool_calls", "STOP"),
        ("length", "MAX_TOKENS"),
        ("content_filter", "SAFETY"),
        ("pause_turn", "OTHER"),
        ("error", "OTHER"),
        ("a_future_word", "OTHER"),
        ("RECITATION", "RECITATION"),
        ("A_FUTURE_WORD", "A_FUTURE_WORD"),
        (None, "FINISH_REASON_UNSPECIFIED"),
    ],
)
def test_the_end_gives_the_reason(word: str | None, expected: str) -> None:
    assert reason(MessageDelta(word)) == expected
    assert reason(start=MessageStart("r1", "m", stop_reason=word)) == expected
    assert read(*GEMINI.Encoder().send(MessageStop())).executable_tools == []


def test_the_end_gives_the_usage() -> None:
    figures: list[dict[str, Any]] = [
        {"promptTokenCount": 1, "thoughtsTokenCount": 2},
        {"promptTokenCount": None},
    ]
    assert ended(*(MessageDelta("STOP", usage) for usage in figures)) == {
        "candidates": [
            {"content": {"parts": [{"text": ""}], "role": "model"}, "finishReason": "STOP", "index": 0}
        ],
        **NAMED,
        "usageMetadata": figures[0],
    }


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        (
            {"input_tokens": 3, "output_tokens": 9, "cache_read_input_tokens": 4},
            {
                "promptTokenCount": 7,
                "candidatesTokenCount": 9,
                "cachedContentTokenCount": 4,
                "totalTokenCount": 16,
            },
        ),
        (
            {
                "prompt_tokens": 3,
                "completion_tokens": 9,
                "completion_tokens_details": {"reasoning_tokens": 4},
            },
            {
                "promptTokenCount": 3,
                "candidatesTokenCount": 5,
                "thoughtsTokenCount": 4,
                "totalTokenCount": 12,
            },
        ),
        (
            {"output_tokens": 1, "output_tokens_details": {"thinking_tokens": 4}},
            {"candidatesTokenCount": 0, "thoughtsTokenCount": 4},
        ),
        ({"input_tokens": 1}, {"promptTokenCount": 1}),
        ({"trafficType": "ON_DEMAND"}, {"trafficType": "ON_DEMAND"}),
    ],
)
def test_usage_is_counted_as_gemini_counts_it(figures: Any, expected: Any) -> None:
    assert ended(MessageDelta(usage=figures), start=ANTHROPIC_START)["usageMetadata"] == expected


def test_each_candidate_is_written_with_its_index() -> None:
    events: list[BlockEvent] = [
        MessageStart("r1", "m", choice=1, dialect="gemini"),
        BlockStart(0, TextBlock("b"), choice=1),
        MessageDelta("STOP", choice=1),
        MessageDelta("MAX_TOKENS"),
    ]
    first, *_ = write(*events)
    assert first["candidates"][0]["index"] == 1
    reasons = [(candidate["index"], candidate["finishReason"]) for candidate in ended(*events)["candidates"]]
    assert reasons == [(0, "MAX_TOKENS"), (1, "STOP")]


def test_a_blocked_prompt_has_no_candidate() -> None:
    for stream in (
        [sse({"promptFeedback": {"blockReason": "SAFETY"}, "responseId": "r1"})],
        [sse({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 1}})],
    ):
        events = decode(*stream, eof=True)
        sent = events_of(GEMINI, events)
        assert not any("candidates" in json.loads(response.data) for response in sent)
        assert message_of(decode(*sent, eof=True)) == message_of(events)


def test_what_was_said_before_a_block_is_a_candidate() -> None:
    stream = [texts("a"), sse({"promptFeedback": {"blockReason": "SAFETY"}}), end("SAFETY")]
    events = decode(*stream, eof=True)
    again = decode(*events_of(GEMINI, events), eof=True)
    assert message_of(again) == message_of(events) == read(*stream)
    assert message_of(again).completeness == "complete"


def test_half_a_surrogate_pair_can_be_sent() -> None:
    (sent,) = GEMINI.Encoder().send(BlockStart(0, TextBlock("\ud83d")))
    assert sent.data.isascii()


@pytest.mark.parametrize("wrong", [object(), BlockEvent(), ServerSentEvent("message", "")])
@pytest.mark.parametrize("verbatim", [False, True])
def test_what_is_no_block_event_is_the_callers_error(wrong: Any, verbatim: bool) -> None:  # noqa: FBT001
    if verbatim and isinstance(wrong, BlockEvent):
        assert GEMINI.Encoder(verbatim=True).send(wrong) == []
        return
    with pytest.raises(LocalProtocolError, match="is no block event"):
        GEMINI.Encoder(verbatim=verbatim).send(cast(BlockEvent, wrong))


class TestVerbatim:
    @pytest.mark.parametrize(
        "stream",
        [
            [texts("a", "b"), sse({"future": 1}), end()],
            [call(name="f", willContinue=True), args(("$.a", 1)), call(), end()],
            [texts("a"), sse({"error": {"message": "m"}})],
        ],
    )
    def test_events_are_sent_on_as_they_came_and_once(self, stream: list[ServerSentEvent]) -> None:
        encoder = GEMINI.Encoder(verbatim=True)
        assert [sent for event in decode(*stream, eof=True) for sent in encoder.send(event)] == stream

    @pytest.mark.parametrize("ours", [MessageCut("stopped"), StreamError("turn_failed", "m")])
    def test_an_end_that_the_provider_did_not_send_is_sent(self, ours: BlockEvent) -> None:
        (sent,) = GEMINI.Encoder(verbatim=True).send(ours)
        assert "error" in json.loads(sent.data)


class TestBounds:
    @pytest.mark.parametrize(
        "events",
        [
            [BlockStart(0, ToolUseBlock("i", "f")), *(ArgumentsDelta(0, "x" * 100) for _ in range(300))],
            [BlockStart(0, TextBlock(extra={"x": 1})), *(TextDelta(0, "é" * 100) for _ in range(300))],
            [BlockStart(0, TextBlock(extra={"x": 1})), *(TextReplaced(0, "x" * 100) for _ in range(300))],
            [
                BlockStart(0, ToolUseBlock("i", "f")),
                *(FieldsDelta(0, {f"{i}": "x" * 99}) for i in range(300)),
            ],
            [BlockStart(i, TextBlock()) for i in range(300)],
        ],
    )
    def test_what_waits_is_bounded(self, events: list[BlockEvent]) -> None:
        encoder = Encoder(max_held_bytes=20_000)
        with pytest.raises(LimitExceeded, match="max_held_bytes=20000"):
            deque(map(encoder.send, events), maxlen=0)

    def test_what_does_not_wait_is_not_counted(self) -> None:
        encoder = Encoder(max_held_bytes=2000)
        for i in range(300):
            encoder.send(BlockStart(i, ToolUseBlock("i", "f")))
            encoder.send(ArgumentsDelta(i, '{"a":"' + "x" * 1000 + '"}'))
            assert len(encoder.send(BlockStop(i))) == 1
            encoder.send(BlockStart(i, TextBlock()))
            encoder.send(TextDelta(i, "x" * 10_000))
            encoder.send(BlockStop(i))


def test_what_was_written_anew_is_the_same_message() -> None:
    stream = [
        parts({"text": "hm", "thought": True}, {"text": "", "thought": True, "thoughtSignature": "s"}),
        parts({"text": "a"}, {"inlineData": {"data": "QQ=="}}, safetyRatings=[1]),
        parts({"text": "b"}, index=1, citationMetadata={"citations": [{"uri": "u"}], "x": 1}),
        call(name="f", willContinue=True),
        args(("$.a", "x")),
        call(),
        sse({"usageMetadata": {"promptTokenCount": 1}, "createTime": 3}),
        end(),
        end("MAX_TOKENS", 1),
    ]
    events = decode(*stream, eof=True)
    again = decode(*events_of(GEMINI, events), eof=True)
    assert message_of(again) == message_of(events)


@pytest.mark.parametrize("end", [MessageCut("truncated"), StreamError("api_error", "m"), MessageStop()])
def test_a_text_that_waits_is_sent_before_the_end(end: BlockEvent) -> None:
    events = [
        BlockStart(0, TextBlock("a", extra={"thoughtSignature": "s"})),
        BlockStart(1, ToolUseBlock("t", "f")),
    ]
    sent = write(*events, end)
    assert sent[0]["candidates"][0]["content"]["parts"] == [{"text": "a", "thoughtSignature": "s"}]
    assert "functionCall" not in json.dumps(sent)


def test_the_usage_of_a_message_is_sent_before_an_error() -> None:
    figures = {"promptTokenCount": 3, "totalTokenCount": 3}
    facts, error = write(MessageDelta(usage=figures), MessageCut("truncated"))
    assert facts == {**NAMED, "usageMetadata": figures}
    assert error["outcome"] == "truncated"


def test_a_message_that_was_cut_before_it_said_anything_has_its_names() -> None:
    assert write(MessageCut("stopped"), start=ANTHROPIC_START)[:-1] == [NAMED]


def test_signatures_of_another_protocol_stay_behind() -> None:
    blocks: list[Block] = [ThinkingBlock("a", "sig")]
    encoder = GEMINI.Encoder()
    begin = MessageStart("r1", "m", blocks=blocks, dialect="anthropic")
    events = [begin, BlockStart(1, ThinkingBlock("b", "sig")), SignatureDelta(1, "sig"), BlockStop(1)]
    sent = [json.loads(sse.data) for event in events for sse in encoder.send(event)]
    parts = [part for data in sent for part in data["candidates"][0]["content"]["parts"]]
    assert parts == [{"text": "a", "thought": True}, {"text": "b", "thought": True}]


def test_calls_that_may_not_run_do_not_end_with_stop() -> None:
    call = [BlockStart(0, ToolUseBlock("t", "f")), BlockStop(0)]
    assert reason(*call, MessageDelta("stop_sequence"), start=ANTHROPIC_START) == "MAX_TOKENS"
    assert reason(MessageDelta("stop_sequence"), start=ANTHROPIC_START) == "STOP"
