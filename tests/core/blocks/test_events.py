"""Block events as values, and which of them a reader sees."""

from __future__ import annotations

import pytest

from sse_core import ServerSentEvent
from sse_core.blocks import (
    ArgumentsDelta,
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
    is_visible,
)

VISIBLE: list[BlockEvent] = [
    TextDelta(0, "a"),
    ThinkingDelta(0, "a"),
    ArgumentsDelta(0, "{"),
    SignatureDelta(0, ""),
    CitationDelta(0, {}),
    FieldsDelta(0, {}),
    UnknownDelta(0, {}),
    ItemsDelta("x", [1]),
    TextReplaced(0, "a"),
    BlockStart(0, TextBlock("a")),
    BlockStart(0, TextBlock("", [{}])),
    BlockStart(0, ThinkingBlock("a")),
    BlockStart(0, ThinkingBlock("", "signature")),
    BlockStart(0, RedactedThinkingBlock("")),
    BlockStart(0, ToolUseBlock("i", "n")),
    BlockStart(0, UnknownBlock({"type": "x"})),
    MessageStart("m", "c", blocks=[TextBlock("a")]),
]
INVISIBLE: list[BlockEvent] = [
    TextDelta(0, ""),
    ThinkingDelta(0, ""),
    ArgumentsDelta(0, ""),
    ItemsDelta("x", []),
    BlockStart(0, TextBlock()),
    BlockStart(0, TextBlock("", [])),
    BlockStart(0, ThinkingBlock("", "")),
    BlockStop(0),
    MessageStart("m", "c"),
    MessageDelta("end_turn"),
    MessageStop(),
    MessageCut("truncated"),
    StreamError("api_error", "no"),
    UnknownEvent({}),
    Ping(),
]


@pytest.mark.parametrize("event", VISIBLE, ids=repr)
def test_a_part_of_the_answer_is_visible(event: BlockEvent) -> None:
    assert is_visible(event)


@pytest.mark.parametrize("event", INVISIBLE, ids=repr)
def test_what_says_nothing_is_not_visible(event: BlockEvent) -> None:
    assert not is_visible(event)


def test_where_an_event_came_from_is_no_part_of_its_value() -> None:
    """So an event that was encoded and decoded again is equal to what it was."""
    event = TextDelta(0, "a", source=ServerSentEvent("x", "secret"))
    assert event == TextDelta(0, "a")
    assert "secret" not in repr(event)
