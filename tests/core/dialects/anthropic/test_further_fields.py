"""What an event of Anthropic's says beside that which is read of it is kept, and sent on once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sse_core import LimitExceeded, Message, MessageAccumulator, ServerSentEvent, dialects
from sse_core.blocks import MessageCut, MessageDelta, MessageStart, StreamError
from sse_core.dialects.anthropic import Encoder

ANTHROPIC = dialects.get("anthropic")
START: dict[str, Any] = {"type": "message_start", "message": {"id": "m", "model": "c"}}


def sse(data: dict[str, Any]) -> ServerSentEvent:
    return ServerSentEvent(data["type"], json.dumps(data))


def delta(**fields: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": 0, "delta": fields}


def message_of(*stream: ServerSentEvent) -> Message:
    decoder, accumulator = ANTHROPIC.Decoder(), MessageAccumulator()
    for event in [event for each in stream for event in decoder.receive_event(each)]:
        accumulator.receive(event)
    return accumulator.message


BESIDE = {"type": "text_delta", "text": "a", "estimated_tokens": 3}


def test_of_the_stop() -> None:
    metrics = {"inputTokenCount": 1, "cacheReadInputTokenCount": 7}
    stop = {"type": "message_stop", "usage": {"cache_read_input_tokens": 7}, "x-metrics": metrics}
    message = message_of(sse(START), sse({**stop, "note": None}))
    assert message.completeness == "complete"
    assert message.usage["cache_read_input_tokens"] == 7
    assert message.extra["x-metrics"] == metrics


@pytest.mark.parametrize("usage", [None, 5, []])
def test_of_a_stop_whose_usage_is_none(usage: object) -> None:
    message = message_of(sse(START), sse({"type": "message_stop", "usage": usage}))
    assert (message.completeness, message.extra["usage"]) == ("complete", usage)


@pytest.mark.parametrize(
    ("data", "kept"),
    [
        (delta(**BESIDE), [{"type": "text_delta", "estimated_tokens": 3}]),
        (delta(**BESIDE, more=None), [{"type": "text_delta", "estimated_tokens": 3}]),
        ({**delta(type="text_delta", text="a"), "x": [1]}, [{"type": "text_delta", "x": [1]}]),
        (delta(type="text_delta", x=1), [{"type": "text_delta", "x": 1}]),
        (delta(type="text_delta", text="a"), []),
    ],
)
def test_of_a_delta(data: dict[str, Any], kept: list[Any]) -> None:
    text = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    message = message_of(sse(START), sse(text), *[sse(data)] * 3)
    assert message.text == ("aaa" if "text" in data["delta"] else "")
    assert [unknown.delta for unknown in message.unknown] == kept * 3  # type: ignore[attr-defined]


@pytest.mark.parametrize("data", [{"type": "message_stop", "x": 1}, delta(**BESIDE)])
def test_it_is_sent_on_once(data: dict[str, Any]) -> None:
    decoder, encoder = ANTHROPIC.Decoder(), ANTHROPIC.Encoder(verbatim=True)
    received = [sse(START), sse(data), sse({"type": "ping"})]
    events = [event for each in received for event in decoder.receive_event(each)]
    sent = [again for event in events for again in encoder.send(event)]
    assert sent == received[: 3 if data["type"] != "message_stop" else 2]


@pytest.mark.parametrize("data", [{"type": "message_stop", "x": 1}, delta(**BESIDE), delta(**BESIDE, y=2)])
def test_built_anew_it_says_the_same(data: dict[str, Any]) -> None:
    events = ANTHROPIC.Decoder().receive_event(sse(data))
    encoder, decoder = ANTHROPIC.Encoder(), ANTHROPIC.Decoder()
    written = [again for event in events for again in encoder.send(event)]
    assert [event for each in written for event in decoder.receive_event(each)] == events


REASON: dict[str, Any] = {
    "type": "message_delta",
    "delta": {"stop_reason": "end_turn"},
    "usage": {"output_tokens": 3},
}
STOP: dict[str, Any] = {"type": "message_stop", "usage": {"cache_read_input_tokens": 7}, "x": {"y": 1}}


def anew(*events: Any) -> list[Any]:
    encoder = ANTHROPIC.Encoder()
    return [json.loads(sse.data) for event in events for sse in encoder.send(event)]


def test_built_anew_figures_of_the_stop_take_no_stop_reason_back() -> None:
    """The official SDK takes the last ``message_delta`` at its word, null too."""
    decoder = ANTHROPIC.Decoder()
    events = [event for data in (START, REASON, STOP) for event in decoder.receive_event(sse(data))]
    sent = anew(*events)
    assert [data["type"] for data in sent] == ["message_start", "message_delta", "message_stop"]
    assert sent[-1] == STOP
    assert sent[1]["delta"]["stop_reason"] == "end_turn"


@pytest.mark.parametrize("end", [MessageCut("truncated"), StreamError("x", "m")])
def test_what_came_after_the_stop_reason_is_sent_before_any_end(end: Any) -> None:
    late = [
        MessageDelta(usage={"a": 1}),
        MessageDelta(usage={"b": 2}, extra={"x": 1}),
        MessageDelta(extra={"z": 2}),
    ]
    sent = anew(MessageStart("m", "c"), MessageDelta("end_turn"), *late, end)
    assert [data["type"] for data in sent] == ["message_start", "message_delta", "message_delta", "error"]
    assert sent[2]["usage"] == {"a": 1, "b": 2}
    assert sent[2]["delta"].items() >= {"x": 1, "z": 2}.items()


def test_what_is_late_is_bounded() -> None:
    encoder = Encoder(max_held_bytes=100)
    encoder.send(MessageDelta("end_turn"))
    with pytest.raises(LimitExceeded, match="max_held_bytes=100"):
        encoder.send(MessageDelta(extra={"x": "y" * 100}))
