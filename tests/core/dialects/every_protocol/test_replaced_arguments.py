"""A call whose arguments turn out to be others than its deltas said: nobody runs it with the wrong ones."""

from __future__ import annotations

import pytest

from sse_core import MessageAccumulator, dialects
from sse_core.blocks import (
    ArgumentsDelta,
    BlockEvent,
    BlockStart,
    BlockStop,
    Message,
    MessageDelta,
    MessageStart,
    MessageStop,
    TextBlock,
    TextDelta,
    TextReplaced,
    ToolUseBlock,
)

#: What can't take back what it sent, and what sends the arguments at the end.
CAN_NOT, CAN = ["anthropic", "openai-chat"], ["gemini", "openai-responses", "ui-messages"]
END: list[BlockEvent] = [MessageDelta("tool_use"), MessageStop()]


def crossed(name: str, *events: BlockEvent, origin: str = "x") -> Message:
    """The message that these events make when they have gone through a protocol.  ``origin``: its own."""
    dialect = dialects.get(name)
    encoder, decoder, accumulator = dialect.Encoder(), dialect.Decoder(), MessageAccumulator()
    sent = [sse for event in (MessageStart("m", "c", dialect=origin), *events) for sse in encoder.send(event)]
    for event in [event for sse in sent for event in decoder.receive_event(sse)] + decoder.receive_eof():
        accumulator.receive(event)
    return accumulator.message


def call(index: int, *middle: BlockEvent) -> list[BlockEvent]:
    start = BlockStart(index, ToolUseBlock(f"t{index}", "f"))
    return [start, ArgumentsDelta(index, '{"a": 1}'), *middle, BlockStop(index)]


def test_every_protocol_is_one_or_the_other() -> None:
    assert sorted(CAN_NOT + CAN) == dialects.names()


@pytest.mark.parametrize("name", CAN_NOT + CAN)
def test_a_call_as_its_deltas_said_is_run(name: str) -> None:
    assert [tool.arguments for tool in crossed(name, *call(0), *END).executable_tools] == [{"a": 1}]


@pytest.mark.parametrize("name", CAN_NOT)
@pytest.mark.parametrize("origin", ["x", ""])
def test_with_the_wrong_ones_nothing_is_run(name: str, origin: str) -> None:
    message = crossed(name, *call(0, TextReplaced(0, '{"a": 2}')), *END, origin=origin)
    assert message.completeness == "complete"
    assert message.executable_tools == []
    assert message.stop_meaning == "max_tokens"


def test_a_text_that_is_replaced_stops_as_any() -> None:
    text = [BlockStart(0, TextBlock()), TextDelta(0, "a"), TextReplaced(0, "b"), BlockStop(0)]
    message = crossed("anthropic", *text, *call(1), *END, origin="")
    assert message.text == "a"
    assert len(message.executable_tools) == 1


@pytest.mark.parametrize("name", CAN)
def test_where_they_are_sent_at_the_end_the_right_ones_are(name: str) -> None:
    message = crossed(name, *call(0, TextReplaced(0, '{"a": 2}')), *END)
    assert [tool.arguments for tool in message.executable_tools] == [{"a": 2}]


@pytest.mark.parametrize("name", CAN_NOT)
def test_what_comes_after_such_a_call_is_sent(name: str) -> None:
    text = [BlockStart(1, TextBlock()), TextDelta(1, "Hello"), BlockStop(1)]
    message = crossed(name, *call(0, TextReplaced(0, '{"a": 2}')), *text, *call(2), *END)
    assert message.text == "Hello"
    assert [tool.id for tool in message.tools] == ["t0", "t2"]
    assert message.executable_tools == []


@pytest.mark.parametrize("name", CAN_NOT)
def test_text_that_was_sent_stays_as_it_was(name: str) -> None:
    text = [BlockStart(0, TextBlock()), TextDelta(0, "Hello"), TextReplaced(0, "Good day"), BlockStop(0)]
    message = crossed(name, *text, *END)
    assert (message.text, message.completeness) == ("Hello", "complete")
    assert crossed(name, TextReplaced(7, "x"), *END).completeness == "complete"


def test_a_call_that_the_provider_runs_stops_as_any() -> None:
    ran = [BlockStart(0, ToolUseBlock("t0", "f", "server_tool_use")), TextReplaced(0, "{}"), BlockStop(0)]
    message = crossed("anthropic", *ran, *call(1), *END, origin="")
    assert [tool.state for tool in message.tools] == ["complete", "complete"]
    assert [tool.id for tool in message.executable_tools] == ["t1"]
