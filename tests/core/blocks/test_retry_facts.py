"""What a message says to whoever decides whether a request may be repeated."""

from __future__ import annotations

import pytest

from sse_core import MessageAccumulator
from sse_core.blocks import (
    ArgumentsDelta,
    BlockEvent,
    BlockStart,
    ItemsDelta,
    Message,
    MessageStart,
    Ping,
    ResultBlock,
    TextBlock,
    TextDelta,
    ThinkingBlock,
    ToolUseBlock,
    UnknownBlock,
)

START = MessageStart("m", "model")
CALL = BlockStart(0, ToolUseBlock("1", "run"))


def message_of(*events: BlockEvent) -> Message:
    accumulator = MessageAccumulator()
    for event in events:
        accumulator.receive(event)
    return accumulator.message


@pytest.mark.parametrize(
    "events", [[], [START, Ping()], [START, BlockStart(0, TextBlock()), TextDelta(0, "")]]
)
def test_nothing_was_seen_of_what_nobody_sees(events: list[BlockEvent]) -> None:
    message = message_of(*events)
    assert (message.output_seen, message.tool_seen, message.server_tool_seen) == (False, False, False)


@pytest.mark.parametrize(
    "event", [BlockStart(0, TextBlock("a")), BlockStart(0, ThinkingBlock("a")), CALL, ItemsDelta("x", [1])]
)
def test_a_part_of_the_answer_was_seen(event: BlockEvent) -> None:
    assert message_of(START, event).output_seen
    assert message_of(START, event, Ping()).output_seen


def test_a_call_was_seen_whole_or_not() -> None:
    assert message_of(START, CALL, ArgumentsDelta(0, "{")).tool_seen
    assert not message_of(START, CALL).server_tool_seen


@pytest.mark.parametrize(
    "block",
    [
        ToolUseBlock("1", "search", "server_tool_use"),
        ToolUseBlock("1", "remote", "mcp_tool_use"),
        ResultBlock({"type": "web_search_tool_result"}),
    ],
    ids=lambda block: block.type,
)
def test_the_provider_ran_a_tool(block: ToolUseBlock | ResultBlock) -> None:
    message = message_of(START, BlockStart(0, block))
    assert message.server_tool_seen
    assert not message.tool_seen


def test_a_block_of_another_kind_is_no_tool() -> None:
    message = message_of(START, BlockStart(0, UnknownBlock({"type": "image"})))
    assert (message.output_seen, message.tool_seen, message.server_tool_seen) == (True, False, False)


def test_what_was_seen_of_an_alternative_was_seen() -> None:
    other = [MessageStart("m", "model", choice=1), BlockStart(0, ToolUseBlock("1", "run"), choice=1)]
    message = message_of(START, *other)
    assert (message.output_seen, message.tool_seen) == (True, True)


def test_the_cursor_is_that_of_the_last_event_that_has_one() -> None:
    assert message_of(START).resume_cursor is None
    opened, delta = BlockStart(0, TextBlock(), cursor=3), TextDelta(0, "a", cursor=4)
    assert message_of(START, opened, delta, Ping()).resume_cursor == 4
