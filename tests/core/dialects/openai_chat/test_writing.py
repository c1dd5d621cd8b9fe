"""Block events to chat completion chunks."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from sse_core import LocalProtocolError, ServerSentEvent
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
    ThinkingBlock,
    ThinkingDelta,
    ToolUseBlock,
    UnknownBlock,
    UnknownDelta,
    UnknownEvent,
)
from sse_core.testing import events_of, message_of
from tests.core.dialects.chat_events import CHAT, DONE, chunk, decode, end, fragment, sse, tool

BASE = {"id": "c1", "object": "chat.completion.chunk", "created": 0, "model": "m"}
START = MessageStart("c1", "m")


def write(*events: BlockEvent) -> list[Any]:
    """The chunks after the one with the role."""
    encoder = CHAT.Encoder()
    encoder.send(START)
    sent = [received for event in events for received in encoder.send(event)]
    assert all(received.type == "message" for received in sent)
    return [received.data if received.data == "[DONE]" else json.loads(received.data) for received in sent]


def deltas(*events: BlockEvent) -> list[Any]:
    return [data["choices"][0]["delta"] for data in write(*events)]


def test_a_message_begins_with_its_role() -> None:
    extra = {"created": 7, "tier": "a", "choice.x": 1, "message.y": 2}
    (sent,) = CHAT.Encoder().send(MessageStart("c1", "m", extra=extra))
    delta = {"role": "assistant", "content": None, "y": 2}
    choice = {"x": 1, "index": 0, "delta": delta, "finish_reason": None}
    assert json.loads(sent.data) == {**BASE, "tier": "a", "created": 7, "choices": [choice]}


def test_what_a_message_begins_with_follows() -> None:
    blocks: list[Block] = [
        TextBlock("a", [{"u": 1}]),
        ThinkingBlock("b"),
        ToolUseBlock("t", "f", start_input={"q": 1}),
    ]
    sent = CHAT.Encoder().send(MessageStart("c1", "m", blocks=blocks))
    assert [json.loads(data.data)["choices"][0]["delta"] for data in sent[1:]] == [
        {"content": "a"},
        {"annotations": [{"u": 1, "index": 0}]},
        {"reasoning_content": "b"},
        {
            "tool_calls": [
                {"type": "function", "index": 0, "id": "t", "function": {"name": "f", "arguments": ""}}
            ]
        },
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"q":1}'}}]},
    ]


def test_text_and_thinking_go_to_the_fields_that_they_are_of() -> None:
    names: list[tuple[BlockStart, Any]] = [
        (BlockStart(0, TextBlock()), "content"),
        (BlockStart(0, TextBlock(extra={"field": "refusal"})), "refusal"),
        (BlockStart(0, ThinkingBlock()), "reasoning_content"),
        (BlockStart(0, ThinkingBlock(extra={"field": "thinking"})), "reasoning_content"),
        (BlockStart(0, ThinkingBlock(extra={"field": "reasoning"})), "reasoning"),
    ]
    for start, name in names:
        delta = TextDelta(0, "a") if isinstance(start.block, TextBlock) else ThinkingDelta(0, "a")
        assert deltas(start, delta, BlockStop(0), delta) == [{name: "a"}]


def test_thinking_that_stands_in_the_details_is_not_said_twice() -> None:
    start = BlockStart(0, ThinkingBlock(extra={"field": "reasoning_details"}))
    items = ItemsDelta("message.reasoning_details", [{"text": "a"}])
    assert deltas(start, ThinkingDelta(0, "a"), items) == [{"reasoning_details": [{"text": "a"}]}]


def test_citations_are_numbered() -> None:
    start = BlockStart(0, TextBlock("", [{"u": 1}, {"u": 2}]))
    assert deltas(start, CitationDelta(0, {"u": 3})) == [
        {"annotations": [{"u": 1, "index": 0}, {"u": 2, "index": 1}]},
        {"annotations": [{"u": 3, "index": 2}]},
    ]


def test_calls_are_numbered_whatever_blocks_they_are() -> None:
    function = {"name": "f", "arguments": ""}
    assert deltas(
        BlockStart(3, ToolUseBlock("a", "f", extra={"x": 1, "id": "forged"})),
        BlockStart(7, ToolUseBlock("b", "f")),
        ArgumentsDelta(7, "1"),
        ArgumentsDelta(3, ""),
        FieldsDelta(3, {"y": 2, "index": 9}),
        BlockStop(7),
        BlockStop(3),
    ) == [
        {"tool_calls": [{"type": "function", "x": 1, "index": 0, "id": "a", "function": function}]},
        {"tool_calls": [{"type": "function", "index": 1, "id": "b", "function": function}]},
        {"tool_calls": [{"index": 1, "function": {"arguments": "1"}}]},
        {"tool_calls": [{"index": 0, "y": 2}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]},
    ]


def test_a_function_call_of_the_old_kind() -> None:
    block = ToolUseBlock("", "f", extra={"type": "function_call"})
    assert deltas(BlockStart(0, block), ArgumentsDelta(0, "1"), FieldsDelta(0, {"x": 1})) == [
        {"function_call": {"name": "f", "arguments": ""}},
        {"function_call": {"arguments": "1"}},
    ]


@pytest.mark.parametrize(
    "events",
    [
        [Ping()],
        [UnknownEvent({"x": 1})],
        [
            BlockStart(0, ThinkingBlock()),
            SignatureDelta(0, "s"),
            UnknownDelta(0, {}),
            FieldsDelta(0, {"x": 1}),
        ],
        [BlockStart(0, RedactedThinkingBlock("x"))],
        [BlockStart(0, ResultBlock({"type": "x_tool_result"})), TextDelta(0, "a")],
        [BlockStart(0, ToolUseBlock("t", "f", "server_tool_use")), ArgumentsDelta(0, "1"), BlockStop(0)],
    ],
)
def test_what_a_chunk_has_no_form_for_is_left_out(events: list[BlockEvent]) -> None:
    assert write(*events) == []


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("tool_use", "tool_calls"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("refusal", "content_filter"),
        ("pause_turn", "length"),
        ("compaction", "length"),
        ("MALFORMED_FUNCTION_CALL", "error"),
        ("a_future_reason", "a_future_reason"),
        ("stop", "stop"),
    ],
)
def test_the_end_gives_the_reason_the_usage_and_done(reason: str, finish: str) -> None:
    figures = {"prompt_tokens": 1, "details": None}
    facts = [MessageDelta(reason), MessageDelta(usage=figures), MessageDelta(usage={"prompt_tokens": None})]
    assert write(*facts, MessageStop()) == [
        {**BASE, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]},
        {**BASE, "choices": [], "usage": figures},
        "[DONE]",
    ]


def test_without_a_reason_and_usage_done_is_all() -> None:
    assert write(MessageStop()) == ["[DONE]"]


def test_usage_is_counted_as_openai_counts_it() -> None:
    figures = {
        "input_tokens": 3,
        "output_tokens": 9,
        "cache_read_input_tokens": 4,
        "cache_creation_input_tokens": None,
    }
    *_, sent, _ = write(MessageDelta(usage=figures), MessageStop())
    assert sent["usage"] == {
        "prompt_tokens": 7,
        "completion_tokens": 9,
        "total_tokens": 16,
        "prompt_tokens_details": {"cached_tokens": 4},
    }


def test_a_call_that_is_not_whole_does_not_look_so() -> None:
    events = write(
        BlockStart(0, ToolUseBlock("t", "f")),
        ArgumentsDelta(0, "1"),
        MessageDelta("stop_sequence"),
        MessageStop(),
    )
    assert events[-2]["choices"][0]["finish_reason"] == "length"


def test_fields_and_lists_go_where_they_came_from() -> None:
    first, second, third = write(
        MessageDelta(extra={"top": 1, "choice.x": 2, "message.y": 3}),
        ItemsDelta("choice.logprobs.content", [{"token": "a"}]),
        ItemsDelta("top", [1]),
    )
    assert first == {
        **BASE,
        "top": 1,
        "choices": [{"x": 2, "index": 0, "delta": {"y": 3}, "finish_reason": None}],
    }
    assert second["choices"][0]["logprobs"] == {"content": [{"token": "a"}], "refusal": None}
    assert third["top"] == [1]


def test_each_choice_is_written_with_its_index() -> None:
    sent = write(
        MessageStart("c1", "m", choice=1),
        BlockStart(0, TextBlock(), choice=1),
        TextDelta(0, "b", choice=1),
        MessageDelta("stop", choice=1),
        MessageDelta("length"),
        MessageStop(),
    )
    choices = [data["choices"][0] for data in sent[:-1]]
    assert [(choice["index"], choice["finish_reason"]) for choice in choices] == [
        (1, None),
        (1, None),
        (0, "length"),
        (1, "stop"),
    ]


def test_half_a_surrogate_pair_can_be_sent() -> None:
    encoder = CHAT.Encoder()
    (sent,) = [*encoder.send(BlockStart(0, TextBlock())), *encoder.send(TextDelta(0, "\ud83d"))]
    assert sent.data.isascii()


@pytest.mark.parametrize("wrong", [object(), BlockEvent(), ServerSentEvent("message", "")])
@pytest.mark.parametrize("verbatim", [False, True])
def test_what_is_no_block_event_is_the_callers_error(wrong: Any, verbatim: bool) -> None:  # noqa: FBT001
    if verbatim and isinstance(wrong, BlockEvent):
        assert CHAT.Encoder(verbatim=True).send(wrong) == []
        return
    with pytest.raises(LocalProtocolError, match="is no block event"):
        CHAT.Encoder(verbatim=verbatim).send(cast(BlockEvent, wrong))


class TestVerbatim:
    @pytest.mark.parametrize(
        "stream",
        [
            [chunk({"content": "a", "x": 1}), sse({"future": 1}), end(), DONE],
            [tool(fragment("1")), tool(fragment("2", name="f")), end()],
            [sse({"error": {"message": "m"}}, "error")],
        ],
    )
    def test_events_are_sent_on_as_they_came_and_once(self, stream: list[ServerSentEvent]) -> None:
        encoder = CHAT.Encoder(verbatim=True)
        assert [sent for event in decode(*stream, eof=True) for sent in encoder.send(event)] == stream

    @pytest.mark.parametrize("ours", [MessageCut("stopped"), StreamError("turn_failed", "m")])
    def test_an_end_that_the_provider_did_not_send_is_sent(self, ours: BlockEvent) -> None:
        (sent,) = CHAT.Encoder(verbatim=True).send(ours)
        assert "error" in json.loads(sent.data)


def test_what_was_written_anew_is_the_same_message() -> None:
    stream = [
        chunk(
            {"reasoning": "hm", "content": ""}, logprobs={"content": [{"token": "a"}], "refusal": None}, x=1
        ),
        chunk({"content": "a", "annotations": [{"type": "url_citation"}], "y": [2]}),
        tool(fragment("1", id="t", name="f"), fragment("{}", id="u", name="g")),
        chunk({"content": "b", "audio": {"id": "a", "data": "QUJD"}}, index=1),
        chunk({"audio": {"data": "REVG"}}, index=1),
        sse({"choices": [], "usage": {"prompt_tokens": 1}, "z": 3}),
        end("tool_calls"),
        end("stop", 1),
        DONE,
    ]
    events = decode(*stream)
    again = decode(*events_of(CHAT, events))
    assert CHAT.to_response(message_of(again)) == {**CHAT.to_response(message_of(events)), "created": 0}


class TestOtherDialects:
    """Messages that came in another protocol."""

    START = MessageStart("c1", "m", usage={"input_tokens": 3}, extra={"x": 1}, dialect="anthropic")

    def write(self, *events: BlockEvent) -> list[Any]:
        encoder = CHAT.Encoder()
        sent = [received.data for event in [self.START, *events] for received in encoder.send(event)]
        return [json.loads(data) for data in sent if data != "[DONE]"]

    def end(self, *events: BlockEvent) -> dict[str, Any]:
        """The choice that has the finish reason."""
        sent = self.write(*events, MessageStop())
        (choice,) = [c for data in sent for c in data["choices"] if c["finish_reason"] is not None]
        return dict(choice)

    def test_no_words_of_others_are_sent(self) -> None:
        sent = self.write(
            BlockStart(0, TextBlock("a", [{"type": "char_location"}], {"x": 1})),
            CitationDelta(0, {"type": "char_location"}),
            BlockStart(1, ToolUseBlock("t", "f", extra={"caller": {"type": "direct"}})),
            FieldsDelta(1, {"x": 1}),
            BlockStart(2, UnknownBlock({"type": "fallback"})),
            BlockStart(3, ThinkingBlock("hm", extra={"field": "reasoning_details"})),
            ItemsDelta("x", [1]),
            MessageDelta(extra={"x": 1}),
        )
        call = {"index": 0, "id": "t", "type": "function", "function": {"name": "f", "arguments": ""}}
        assert sent[0] == {
            **BASE,
            "choices": [{"index": 0, "delta": {"role": "assistant", "content": None}, "finish_reason": None}],
        }
        assert [data["choices"][0]["delta"] for data in sent[1:]] == [
            {"content": "a"},
            {"tool_calls": [call]},
            {"reasoning_content": "hm"},
        ]

    def test_the_text_of_a_refusal_is_common_to_all(self) -> None:
        sent = self.write(BlockStart(0, TextBlock("no", extra={"field": "refusal"})))
        assert sent[1]["choices"][0]["delta"] == {"refusal": "no"}

    def test_the_others_word_for_the_end_stands_beside_ours(self) -> None:
        assert self.end(MessageDelta("stop_sequence")) == {
            "index": 0,
            "delta": {},
            "finish_reason": "stop",
            "native_finish_reason": "stop_sequence",
        }

    def test_a_turn_that_wants_calls_says_so(self) -> None:
        call = [BlockStart(0, ToolUseBlock("t", "f")), BlockStop(0)]
        assert self.end(*call, MessageDelta("STOP"))["finish_reason"] == "tool_calls"

    def test_calls_that_may_not_run_do_not_run_here(self) -> None:
        call = [BlockStart(0, ToolUseBlock("t", "f")), BlockStop(0)]
        assert self.end(*call, MessageDelta("stop_sequence"))["finish_reason"] == "length"
        assert self.end(*call, MessageDelta("new_word"))["finish_reason"] == "new_word"

    def test_a_call_that_is_not_whole_has_no_other_word(self) -> None:
        end = self.end(BlockStart(0, ToolUseBlock("t", "f")), MessageDelta("tool_use"))
        assert end == {"index": 0, "delta": {}, "finish_reason": "length"}

    def test_usage_that_nobody_knows_is_not_sent(self) -> None:
        encoder = CHAT.Encoder()
        encoder.send(MessageStart("c1", "m", usage={"x": 1}, dialect="gemini"))
        assert [sent.data for sent in encoder.send(MessageStop())] == ["[DONE]"]

    def test_all_figures_are_sent(self) -> None:
        figures = {
            "promptTokenCount": 5,
            "candidatesTokenCount": 2,
            "thoughtsTokenCount": 3,
            "cachedContentTokenCount": 4,
        }
        assert self.write(MessageDelta(usage=figures), MessageStop())[-1]["usage"] == {
            "prompt_tokens": 5,
            "completion_tokens": 5,
            "total_tokens": 10,
            "prompt_tokens_details": {"cached_tokens": 4},
            "completion_tokens_details": {"reasoning_tokens": 3},
        }

    def test_tokens_that_were_written_to_a_cache_have_openrouters_name(self) -> None:
        facts = MessageDelta(usage={"output_tokens": 2, "cache_creation_input_tokens": 4})
        sent = self.write(facts, MessageStop())[-1]["usage"]
        assert (sent["prompt_tokens"], sent["prompt_tokens_details"]) == (7, {"cache_write_tokens": 4})

    @pytest.mark.parametrize("end", [MessageCut("truncated"), StreamError("overloaded_error", "m")])
    def test_the_figures_are_sent_before_a_cut(self, end: BlockEvent) -> None:
        figures, error = self.write(end)[-2:]
        assert figures["usage"]["prompt_tokens"] == 3
        assert "error" in error

    def test_free_text_is_a_custom_call(self) -> None:
        sent = self.write(
            BlockStart(0, ToolUseBlock("t", "sh", input_encoding="text")),
            ArgumentsDelta(0, "ls {"),
            BlockStop(0),
        )
        assert [data["choices"][0]["delta"]["tool_calls"][0] for data in sent[1:]] == [
            {"index": 0, "id": "t", "type": "custom", "custom": {"name": "sh", "input": ""}},
            {"index": 0, "custom": {"input": "ls {"}},
        ]


def test_words_of_a_host_of_its_own_stay_as_they_are() -> None:
    """They came in this protocol, whoever else has them."""
    encoder = CHAT.Encoder()
    usage = {"input_tokens": 1, "output_tokens": 2}
    encoder.send(MessageStart("c1", "m", usage=usage, dialect="openai-chat"))
    encoder.send(MessageDelta("end_turn"))
    end, figures, _ = [sent.data for sent in encoder.send(MessageStop())]
    assert json.loads(end)["choices"][0]["finish_reason"] == "end_turn"
    assert json.loads(figures)["usage"] == usage
