"""Block events of another protocol as Anthropic's events."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sse_core import LimitExceeded, MessageAccumulator, dialects
from sse_core.blocks import (
    ArgumentsDelta,
    Block,
    BlockEvent,
    BlockStart,
    BlockStop,
    CitationDelta,
    FieldsDelta,
    ItemsDelta,
    Message,
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
    ThinkingBlock,
    ThinkingDelta,
    TokenCounts,
    ToolUseBlock,
    UnknownBlock,
    UnknownDelta,
    UnknownEvent,
)
from sse_core.dialects.anthropic import Encoder

ANTHROPIC = dialects.get("anthropic")
START = MessageStart("c1", "m", dialect="openai-chat")
NOTHING = {"input_tokens": 0, "output_tokens": 0}


def write(*events: BlockEvent, start: MessageStart = START) -> list[Any]:
    """The data of what is written after the start."""
    encoder = ANTHROPIC.Encoder()
    encoder.send(start)
    return [json.loads(sse.data) for event in events for sse in encoder.send(event)]


def brief(data: Any) -> Any:
    """What an event says, in short."""
    kind = data["type"].removeprefix("content_block_")
    if kind == "delta":
        (value,) = [value for name, value in data["delta"].items() if name != "type"]
        return data["index"], value
    return (data["index"], kind) if "index" in data else kind


def order(*events: BlockEvent) -> list[Any]:
    return [brief(data) for data in write(*events)]


def read(*events: BlockEvent, start: MessageStart = START) -> Message:
    """The message that is read of what is written."""
    decoder, encoder, accumulator = ANTHROPIC.Decoder(), ANTHROPIC.Encoder(), MessageAccumulator()
    for event in [start, *events]:
        for sse in encoder.send(event):
            for again in decoder.receive_event(sse):
                accumulator.receive(again)
    return accumulator.message


def whole(*events: BlockEvent, start: MessageStart = START) -> Any:
    """The response object of these events."""
    accumulator = MessageAccumulator()
    for event in [start, *events]:
        accumulator.receive(event)
    return ANTHROPIC.to_response(accumulator.message)


def stop_reason(word: str | None, *events: BlockEvent, native: Any = None) -> Any:
    extra = {} if native is None else {"choice.native_finish_reason": native}
    facts = MessageDelta(word, extra=extra)
    streamed = read(*events, facts, MessageStop()).stop_reason
    assert whole(*events, facts, MessageStop())["stop_reason"] == streamed
    return streamed


def tool(index: int, **fields: Any) -> BlockStart:
    return BlockStart(index, ToolUseBlock(f"t{index}", "f", **fields))


class TestStart:
    def test_it_has_anthropics_form_and_no_words_of_others(self) -> None:
        extra = {"created": 7, "system_fingerprint": "x", "choice.logprobs": None}
        (sse,) = ANTHROPIC.Encoder().send(
            MessageStart("c1", "m", usage={"prompt_tokens": 5}, extra=extra, dialect="openai-chat")
        )
        assert json.loads(sse.data)["message"] == {
            "id": "c1",
            "type": "message",
            "role": "assistant",
            "model": "m",
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": 5, "output_tokens": 0},
        }

    def test_what_a_message_begins_with_follows_as_blocks(self) -> None:
        blocks: list[Block] = [
            TextBlock("a", [{"u": 1}], {"x": 1}),
            UnknownBlock({"type": "x"}),
            ToolUseBlock("t", "f", raw_arguments='{"q":1}'),
        ]
        message = read(MessageStop(), start=MessageStart("c1", "m", blocks=blocks, dialect="gemini"))
        assert message.blocks == [
            TextBlock("a"),
            ToolUseBlock("t", "f", raw_arguments='{"q":1}', arguments={"q": 1}, state="complete"),
        ]

    @pytest.mark.parametrize("own", ["", "anthropic"])
    def test_what_is_anthropics_own_or_nobodys_stays_as_it_is(self, own: str) -> None:
        start = MessageStart("c1", "m", extra={"x": 1}, dialect=own)
        encoder = ANTHROPIC.Encoder()
        (sse,) = encoder.send(start)
        assert json.loads(sse.data)["message"]["x"] == 1
        (sse,) = encoder.send(MessageDelta("stop"))
        assert json.loads(sse.data)["delta"]["stop_reason"] == "stop"

    def test_what_is_unknown_is_nobodys_before_it(self) -> None:
        """Another protocol's event may be no event of Anthropic's at all."""
        assert ANTHROPIC.Encoder().send(UnknownEvent({"object": "x"})) == []
        assert len(ANTHROPIC.Encoder(verbatim=True).send(UnknownEvent({"type": "x"}))) == 1


class TestBlocks:
    def test_one_is_open_at_a_time_and_what_comes_of_others_waits(self) -> None:
        assert order(
            tool(0),
            ArgumentsDelta(0, "[1"),
            tool(1),
            ArgumentsDelta(1, "[2"),
            ArgumentsDelta(0, "]"),
            ArgumentsDelta(1, "]"),
            BlockStop(1),
            tool(2),
            BlockStop(0),
            ArgumentsDelta(2, "3"),
            BlockStop(2),
        ) == [
            (0, "start"),
            (0, "[1"),
            (0, "]"),
            (0, "stop"),
            (1, "start"),
            (1, "[2"),
            (1, "]"),
            (1, "stop"),
            (2, "start"),
            (2, "3"),
            (2, "stop"),
        ]

    def test_the_first_is_sent_at_once(self) -> None:
        encoder = ANTHROPIC.Encoder()
        encoder.send(START)
        assert [len(encoder.send(event)) for event in (tool(0), tool(1), ArgumentsDelta(0, "1"))] == [1, 0, 1]

    def test_indexes_have_no_gaps(self) -> None:
        """Anthropic's own clients raise on a gap."""
        result = BlockStart(2, ResultBlock({"type": "x_tool_result"}))
        assert order(
            tool(1), BlockStop(1), result, TextDelta(2, "a"), BlockStop(2), tool(5), BlockStop(5)
        ) == [
            (0, "start"),
            (0, "stop"),
            (1, "start"),
            (1, "stop"),
        ]

    def test_they_have_what_all_protocols_have(self) -> None:
        blocks: list[Block] = [
            TextBlock("a", [{"u": 1}], {"x": 1}),
            TextBlock("no", extra={"field": "refusal", "x": 1}),
            ThinkingBlock("hm", extra={"field": "reasoning"}),
            ThinkingBlock("hm", "sig"),
            RedactedThinkingBlock("enc", {"x": 1}),
            ToolUseBlock("t", "f", start_input={"q": 1}, extra={"thoughtSignature": "s"}),
            ToolUseBlock("s", "web_search", "server_tool_use"),
        ]
        events = [event for i, block in enumerate(blocks) for event in (BlockStart(i, block), BlockStop(i))]
        sent = [data["content_block"] for data in write(*events) if "content_block" in data]
        assert sent == [
            {"type": "text", "text": "a"},
            {"type": "text", "text": "no", "field": "refusal"},
            {"type": "thinking", "thinking": "hm", "signature": ""},
            {"type": "thinking", "thinking": "hm", "signature": "sig"},
            {"type": "redacted_thinking", "data": "enc"},
            {"type": "tool_use", "id": "t", "name": "f", "input": {"q": 1}},
            {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
        ]
        assert whole(*events)["content"] == sent

    @pytest.mark.parametrize(
        "event",
        [
            CitationDelta(0, {"type": "url_citation"}),
            FieldsDelta(0, {"x": 1}),
            UnknownDelta(0, {"type": "x"}),
            UnknownEvent({"type": "x"}),
            ItemsDelta("message.reasoning_details", [1]),
            MessageDelta(extra={"x": 1}),
            TextDelta(7, "a"),
            BlockStop(7),
            MessageStart("c1", "m", choice=1),
        ],
    )
    def test_what_has_no_form_is_left_out(self, event: BlockEvent) -> None:
        assert write(BlockStart(0, TextBlock()), event)[1:] == []

    def test_text_thinking_signs_of_life_and_signatures_pass(self) -> None:
        events = [
            BlockStart(3, ThinkingBlock()),
            ThinkingDelta(3, "hm"),
            SignatureDelta(3, "s"),
            BlockStop(3),
        ]
        events += [Ping(), BlockStart(4, TextBlock()), TextDelta(4, "a"), BlockStop(4)]
        assert order(*events) == [
            (0, "start"),
            (0, "hm"),
            (0, "s"),
            (0, "stop"),
            "ping",
            (1, "start"),
            (1, "a"),
            (1, "stop"),
        ]

    def test_arguments_that_are_text_stand_in_an_object(self) -> None:
        events = [
            tool(0, input_encoding="text"),
            ArgumentsDelta(0, 'a "b"\n\ud83d'),
            ArgumentsDelta(0, "\ude00"),
            BlockStop(0),
            MessageDelta("completed"),
            MessageStop(),
        ]
        (call,) = read(*events).executable_tools
        assert call.arguments == {"input": 'a "b"\n😀'}
        assert whole(*events)["content"][0]["input"] == {"input": 'a "b"\n😀'}

    def test_of_text_that_is_cut_the_whole_response_has_what_was_sent_of_the_input(self) -> None:
        events = [tool(0, input_encoding="text"), ArgumentsDelta(0, "ab"), MessageCut("truncated")]
        assert whole(*events)["content"][0]["input"] == {"INVALID_JSON": '{"input":"ab'}
        assert read(*events).tools[0].raw_arguments == '{"input":"ab'


class TestBound:
    def test_what_waits_is_bounded(self) -> None:
        encoder = Encoder(max_held_bytes=1000)
        for event in (START, tool(0), tool(1)):
            encoder.send(event)
        with pytest.raises(LimitExceeded, match="max_held_bytes=1000") as caught:
            encoder.send(ArgumentsDelta(1, "é" * 300))
        assert (caught.value.limit, caught.value.status) == ("max_held_bytes", 502)

    def test_what_has_waited_counts_no_more(self) -> None:
        encoder = Encoder(max_held_bytes=1000)
        encoder.send(START)
        for index in range(0, 100, 2):
            for event in (tool(index), tool(index + 1), BlockStop(index), BlockStop(index + 1)):
                encoder.send(event)

    def test_nothing_waits_that_does_not_have_to(self) -> None:
        """Nor is anything kept but the arguments of the call that is open."""
        encoder = Encoder(max_held_bytes=100)
        for event in (START, tool(0), *[ArgumentsDelta(0, "1")] * 100, BlockStop(0), tool(1)):
            assert encoder.send(event)
        for index in range(1, 100):
            for event in (ArgumentsDelta(index, '"' + "é" * 90 + '"'), BlockStop(index), tool(index + 1)):
                assert encoder.send(event)


class TestEnd:
    def test_the_stop_reason_and_the_figures_come_after_all_blocks(self) -> None:
        sent = write(
            tool(0),
            MessageDelta("tool_calls", {"prompt_tokens": 5, "completion_tokens": None}),
            MessageDelta(usage={"completion_tokens": 2, "prompt_tokens": None}),
            BlockStop(0),
            MessageStop(),
        )
        assert [brief(data) for data in sent] == [(0, "start"), (0, "stop"), "message_delta", "message_stop"]
        assert sent[2] == {
            "type": "message_delta",
            "delta": {"stop_reason": "tool_use", "stop_sequence": None},
            "usage": {"input_tokens": 5, "output_tokens": 2},
        }

    def test_without_any_figures_there_are_still_some(self) -> None:
        assert write(MessageStop())[0]["usage"] == NOTHING

    def test_a_call_that_never_stops_has_no_stop_and_no_call_looks_whole(self) -> None:
        events = [tool(0), ArgumentsDelta(0, "1"), tool(1), BlockStop(1), MessageDelta("stop"), MessageStop()]
        assert order(*events) == [
            (0, "start"),
            (0, "1"),
            (1, "start"),
            (1, "stop"),
            "message_delta",
            "message_stop",
        ]
        message = read(*events)
        assert [call.state for call in message.tools] == ["incomplete", "complete"]
        assert (message.stop_reason, message.executable_tools) == ("max_tokens", [])

    @pytest.mark.parametrize("end", [MessageCut("truncated"), StreamError("x", "m")])
    def test_what_waited_and_the_figures_are_sent_before_a_cut(self, end: BlockEvent) -> None:
        usage = {"prompt_tokens": 5, "completion_tokens": 2}
        events = [tool(0), tool(1), ArgumentsDelta(1, "1"), MessageDelta("tool_calls", usage), end]
        assert order(*events) == [(0, "start"), (1, "start"), (1, "1"), "message_delta", "error"]
        message = read(*events)
        assert (message.completeness, message.stop_reason) == ("failed", None)
        assert message.token_counts == TokenCounts(5, 2)

    def test_without_figures_a_cut_sends_none(self) -> None:
        assert order(MessageCut("stopped")) == ["error"]


class TestStopReasons:
    @pytest.mark.parametrize(
        ("word", "said"),
        [
            (None, None),
            ("stop", "end_turn"),
            ("length", "max_tokens"),
            ("tool_calls", "tool_use"),
            ("function_call", "tool_use"),
            ("content_filter", "refusal"),
            ("SAFETY", "refusal"),
            ("STOP", "end_turn"),
            ("completed", "end_turn"),
            ("CONTINUATION", "pause_turn"),
            ("model_context_window_exceeded", "model_context_window_exceeded"),
            ("MALFORMED_FUNCTION_CALL", "MALFORMED_FUNCTION_CALL"),
            ("a_future_reason", "a_future_reason"),
        ],
    )
    def test_they_are_said_in_anthropics_words(self, word: str | None, said: str | None) -> None:
        assert stop_reason(word) == said

    @pytest.mark.parametrize("word", ["stop", "STOP", "completed", "end_turn"])
    def test_a_turn_that_wants_calls_says_so(self, word: str) -> None:
        assert stop_reason(word, tool(0), BlockStop(0)) == "tool_use"
        server = BlockStart(0, ToolUseBlock("t", "f", "server_tool_use"))
        assert stop_reason(word, server, BlockStop(0)) == "end_turn"

    @pytest.mark.parametrize(
        ("word", "native", "said"),
        [
            ("stop", "stop_sequence", "stop_sequence"),
            ("length", "model_context_window_exceeded", "model_context_window_exceeded"),
            ("length", "pause_turn", "pause_turn"),
            ("stop", "refusal", "refusal"),
            ("length", "tool_use", "max_tokens"),
            ("stop", "completed", "end_turn"),
            ("stop", 5, "end_turn"),
        ],
    )
    def test_the_models_own_word_counts_unless_it_would_let_calls_run(
        self, word: str, native: Any, said: str
    ) -> None:
        assert stop_reason(word, native=native) == said


class TestUsage:
    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            (
                {
                    "prompt_tokens": 10,
                    "completion_tokens": 4,
                    "prompt_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 2},
                    "completion_tokens_details": {"reasoning_tokens": 1},
                },
                {
                    "input_tokens": 5,
                    "output_tokens": 4,
                    "cache_read_input_tokens": 3,
                    "cache_creation_input_tokens": 2,
                    "output_tokens_details": {"thinking_tokens": 1},
                },
            ),
            (
                {"prompt_tokens": 10, "prompt_tokens_details": {"cached_tokens": 30}},
                {"input_tokens": 0, "output_tokens": 0, "cache_read_input_tokens": 10},
            ),
            ({"x": 1}, NOTHING),
        ],
    )
    def test_it_is_counted_as_anthropic_counts(self, given: Any, expected: Any) -> None:
        assert write(MessageDelta(usage=given), MessageStop())[0]["usage"] == expected
        assert whole(MessageDelta(usage=given))["usage"] == expected


def test_a_whole_response_has_no_words_of_others() -> None:
    events = [
        MessageDelta("stop", extra={"created": 7, "choice.native_finish_reason": "STOP"}),
        BlockStart(0, UnknownBlock({"type": "image_url"})),
        BlockStart(1, TextBlock("a", [{"u": 1}])),
        MessageStop(),
    ]
    assert whole(*events) == {
        "id": "c1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [{"type": "text", "text": "a"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": NOTHING,
    }
