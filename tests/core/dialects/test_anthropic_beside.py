"""What an event of Anthropic's says beside that which is read of it is kept, and sent on once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sse_core import Message, MessageAccumulator, ServerSentEvent, dialects

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
