"""Responses that were written of block events, for tests."""

from __future__ import annotations

import json
from typing import Any

from sse_core import dialects
from sse_core.blocks import (
    BlockEvent,
    MessageDelta,
    MessageStart,
    MessageStop,
)
from sse_core.testing import events_of

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
    sent = events_of(RESPONSES, [start, *events])
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


def announce(index: int, **item: Any) -> MessageDelta:
    """What a decoder says of an item: that it begins, or is done."""
    return MessageDelta(extra={f"output.{index}": item})


def of(item: str, index: int = 0, **fields: Any) -> dict[str, Any]:
    """Fields of an event of a part."""
    return {"item_id": item, "output_index": index, **fields}
