"""What hosts do that OpenAI does not: whole messages at the end, values of another type, other streams."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from sse_core import Message, ServerSentEvent, dialects
from sse_core.blocks import (
    BlockEvent,
    BlockStart,
    FieldsDelta,
    MessageCut,
    MessageDelta,
    MessageStart,
    MessageStop,
    Ping,
    TextBlock,
    TextDelta,
    ThinkingBlock,
    UnknownEvent,
)
from sse_core.testing import events_of
from tests.core.dialects.chat_events import CHAT, DONE, chunk, decode, end, fragment, read, sse, tool
from tests.core.growth import is_linear


def whole(message: Any, **fields: Any) -> ServerSentEvent:
    """A completion as it comes where nobody streams."""
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return sse({"id": "c1", "object": "chat.completion", "model": "m", "choices": [choice], **fields})


class TestWholeMessages:
    """A ``message`` is all of the choice, and no more of it."""

    SAID: Any = {
        "content": "Hello",
        "refusal": "no",
        "annotations": [{"a": 1}],
        "images": [{"b": 1}],
        "x": "y",
    } | {"reasoning_content": "hm", "role": "assistant", "audio": {"data": "z"}}

    def test_after_deltas_it_adds_nothing(self) -> None:
        usage = {"total_tokens": 5}
        stream = [chunk({"content": "Hel"}), chunk({"content": "lo"}), end()]
        message = read(*stream, whole({"role": "assistant", "content": "Hello"}, usage=usage), DONE)
        assert (message.text, message.usage, message.stop_reason) == ("Hello", usage, "stop")

    def test_whatever_it_says_is_said_once(self) -> None:
        calls = [fragment("{}", id="t", name="f", index=0)]
        said = {**self.SAID, "tool_calls": calls}
        once = read(chunk(said), end())
        again = read(chunk(said), whole({**said, "tool_calls": [{**calls[0], "index": None}]}))
        assert again == once
        named = read(chunk({"reasoning": "hm"}), whole({"reasoning_content": "hm", "content": None}))
        assert [block for block in named.blocks if isinstance(block, ThinkingBlock)] == [
            ThinkingBlock("hm", extra={"field": "reasoning"})
        ]

    def test_what_has_not_come_is_taken_from_it(self) -> None:
        calls = [fragment("{}", id="t", name="f")]
        message = read(
            chunk({"content": "a", "tool_calls": [], "reasoning": ""}),
            whole({"content": "a", "reasoning": "hm", "tool_calls": calls, "x": 1}),
        )
        assert (message.text, [call.name for call in message.executable_tools]) == ("a", ["f"])
        assert message.extra["message.x"] == 1
        assert ThinkingBlock("hm", extra={"field": "reasoning"}) in message.blocks

    def test_alone_it_is_the_answer(self) -> None:
        assert read(whole({"content": "a"})).text == "a"
        assert read(whole({"content": "a"}), whole({"content": "a"})).text == "a"

    def test_a_delta_of_nulls_beside_it_says_nothing(self) -> None:
        assert read(chunk({"content": None, "role": None}, message={"content": "a"}), end()).text == "a"

    def test_of_chunks_it_is_a_delta_where_there_is_no_other(self) -> None:
        parts = [chunk(message={"content": text}) for text in "ab"]
        assert read(*parts, end()).text == "ab"
        assert read(chunk({"content": "ab"}), *parts[:1], end()).text == "ab"


class TestOtherTypes:
    """The stream goes on, and nothing is lost that has a place."""

    @pytest.mark.parametrize(
        ("values", "text"),
        [
            (["[", 1, "]"], "[1]"),
            (["x", 0, False, True, 1.5], "x0falsetrue1.5"),
            ([["a", 1, {"type": "text", "text": "b"}], {"type": "text", "text": 2}], "a1b2"),
            ([{"text": "a"}, {"type": "output_text", "text": "b"}], "ab"),
        ],
    )
    def test_a_token_that_looks_like_another_value_is_text(self, values: list[Any], text: str) -> None:
        message = read(*(chunk({"content": value}) for value in values), end(), DONE)
        assert (message.text, message.completeness) == (text, "complete")

    @pytest.mark.parametrize("name", ["refusal", "reasoning", "thinking"])
    def test_elsewhere_true_and_false_are_no_text(self, name: str) -> None:
        deltas = [{"content": "a"}, {name: False}, {name: True}]
        assert read(*map(chunk, deltas), end()).blocks == [TextBlock("a")]
        numbers = read(*(chunk({name: value}) for value in ("n=", 4)), end()).blocks
        assert [getattr(block, "text", None) or getattr(block, "thinking", None) for block in numbers] == [
            "n=4"
        ]

    @pytest.mark.parametrize(
        "data",
        [
            {"choices": {}},
            {"choices": [1, None, "x"]},
            {"choices": "broken"},
            {"choices": [{"index": -1}]},
            {"choices": [{"index": True, "finish_reason": 7}]},
            {"choices": [{"index": "0", "delta": []}]},
            {"choices": [{"delta": "x", "message": 5}]},
            {"choices": [{"delta": {"role": 5, "annotations": 1, "tool_calls": "x", "function_call": []}}]},
            {"choices": [{"delta": {"tool_calls": [1], "audio": 5, "images": None}}]},
            {"choices": [{"delta": {"reasoning_details": 5, "reasoning": 5.5}, "logprobs": [1]}]},
            {"choices": [{"logprobs": {"content": 5}, "usage": 5}], "usage": [1]},
            {"choices": [], "usage": 1, "x_groq": 5, "id": 5, "model": None, "created": "x"},
        ],
    )
    def test_the_stream_goes_on(self, data: Any) -> None:
        message = read(chunk({"content": "a"}), sse(data), chunk({"content": "b"}), end(), DONE)
        assert (message.text, message.completeness, message.stop_meaning) == ("ab", "complete", "end_turn")

    @pytest.mark.parametrize("part", [{}, {"x": 1}, {"type": None}, {"type": 5, "x": 1}, []])
    def test_parts_and_annotations_without_a_form_are_kept(self, part: Any) -> None:
        message = read(chunk({"content": [part], "annotations": [5]}), end())
        assert message.extra["message.content"] == [part]
        assert message.extra["message.annotations"] == [5]

    def test_a_text_part_has_no_signature_of_its_own(self) -> None:
        part = {"type": "text", "text": "a", "signature": "s"}
        assert decode(chunk({"content": [part]}))[-1] == FieldsDelta(0, {"signature": "s"})

    @pytest.mark.parametrize(
        ("reason", "stop"), [({"type": "stop"}, "stop"), ({"type": 5}, None), ("null", None), (5, None)]
    )
    def test_a_finish_reason_may_be_an_object_or_the_word_null(self, reason: Any, stop: str | None) -> None:
        message = read(chunk({"content": "a"}, finish_reason=reason))
        assert message.stop_reason == stop
        assert message.completeness == ("complete" if stop else "truncated")


class TestOtherStreams:
    """A stream that is none of chat's is no answer, not even an empty one."""

    def legacy(self, text: str | None, **fields: Any) -> ServerSentEvent:
        choice = {"text": text, "index": 0, "logprobs": None, "finish_reason": None, **fields}
        return sse({"id": "cmpl-1", "object": "text_completion", "model": "m", "choices": [choice]})

    @pytest.mark.parametrize("last", [[], [DONE]])
    def test_legacy_completions_are_unknown_and_never_complete(self, last: list[ServerSentEvent]) -> None:
        usage = sse(
            {"id": "cmpl-1", "object": "text_completion", "choices": [], "usage": {"total_tokens": 1}}
        )
        stream = [self.legacy("a"), self.legacy("b"), self.legacy("", finish_reason="stop"), usage]
        events = decode(*stream, *last, eof=True)
        assert [type(event) for event in events] == [*[UnknownEvent] * 4, *[Ping] * len(last), MessageCut]
        message = read(*stream, *last)
        assert (message.completeness, message.text, message.id) == ("truncated", "", "")

    def test_without_their_name_they_are_none_either(self) -> None:
        data = {"choices": [{"text": "a", "index": 0}]}
        assert decode(sse(data)) == [UnknownEvent(data)]

    def test_a_chunk_by_that_name_is_one(self) -> None:
        data = {"object": "text_completion", "choices": [{"delta": {"content": "a"}}]}
        assert decode(sse(data))[-1] == TextDelta(0, "a")

    @pytest.mark.parametrize(
        "data",
        [
            {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}},
            {"type": "response.created", "response": {}, "usage": None},
        ],
    )
    def test_another_protocols_event_with_usage_is_unknown(self, data: Any) -> None:
        assert decode(sse(data)) == [UnknownEvent(data)]


class TestStopWords:
    """Words that hosts document: what they mean, and what no call survives."""

    def ended(self, reason: str) -> Message:
        return read(tool(fragment("{}", id="t", name="f", index=0)), end(reason), DONE)

    @pytest.mark.parametrize("reason", ["eos", "eos_token"])
    def test_after_an_ordinary_end_calls_run(self, reason: str) -> None:
        message = self.ended(reason)
        assert (message.stop_meaning, len(message.executable_tools)) == ("tool_use", 1)

    @pytest.mark.parametrize(
        ("reason", "meaning"),
        [
            ("abort", "error"),
            ("network_error", "error"),
            ("insufficient_system_resource", "error"),
            ("function_call_filter: MALFORMED_FUNCTION_CALL", "error"),
            ("sensitive", "refusal"),
            ("model_context_window_exceeded", "max_tokens"),
        ],
    )
    def test_after_any_other_a_call_may_be_cut(self, reason: str, meaning: str) -> None:
        message = self.ended(reason)
        assert (message.completeness, message.stop_meaning) == ("complete", meaning)
        assert [call.state for call in message.tools] == ["incomplete"]

    @pytest.mark.parametrize(
        ("reason", "expected"),
        [
            (
                "eos",
                {"anthropic": "end_turn", "openai-responses": None, "gemini": "STOP", "ui-messages": "stop"},
            ),
            ("COMPLETE", {"gemini": "STOP"}),
            (
                "sensitive",
                {"anthropic": "refusal", "openai-responses": "content_filter", "gemini": "SAFETY"}
                | {"ui-messages": "content-filter"},
            ),
            (
                "network_error",
                {"openai-responses": "network_error", "gemini": "OTHER", "ui-messages": "error"},
            ),
            ("function_call_filter: x", {"gemini": "OTHER", "ui-messages": "error"}),
        ],
    )
    def test_other_protocols_get_what_they_mean(self, reason: str, expected: dict[str, str | None]) -> None:
        fields = {
            "anthropic": ("delta", "stop_reason"),
            "openai-responses": ("response", "incomplete_details", "reason"),
            "gemini": ("candidates", 0, "finishReason"),
            "ui-messages": ("finishReason",),
        }
        for name, word in expected.items():
            encoder = dialects.get(name).Encoder()
            events = decode(chunk({"content": "x"}), end(reason), DONE)
            sent = [json.loads(s.data) for event in events for s in encoder.send(event) if s.data != "[DONE]"]
            assert word in [at(data, fields[name]) for data in sent]


def at(data: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        try:
            data = data[step]
        except (KeyError, TypeError, IndexError):
            return None
    return data


@pytest.mark.parametrize("field", ["id", "model"])
@pytest.mark.untraced
def test_a_long_id_or_name_is_written_once(field: str) -> None:
    def sending(count: int) -> Callable[[], object]:
        start = MessageStart("c", "m", dialect="openai-chat")
        setattr(start, field, "x" * 20 * count)
        deltas = [TextDelta(0, "a") for _ in range(count)]
        events: list[BlockEvent] = [start, BlockStart(0, TextBlock()), *deltas, MessageStop()]
        encoder = CHAT.Encoder()
        return lambda: [encoder.send(event) for event in events]

    assert is_linear(sending, 500)
    events = [MessageStart("i" * 1000, "m"), MessageDelta("stop"), MessageStop()]
    first, last, done = events_of(CHAT, events)
    assert json.loads(first.data)["id"] == "i" * 1000
    assert "id" not in json.loads(last.data)
    assert read(first, last, done).id == "i" * 1000
