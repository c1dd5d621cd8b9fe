"""Ids and names of a peer's choice: n deltas beside an id of n characters cost no square of it."""

from __future__ import annotations

import json

import pytest

from sse_core import MessageAccumulator, dialects
from sse_core.blocks import (
    ArgumentsDelta,
    BlockEvent,
    BlockStart,
    BlockStop,
    Message,
    MessageCut,
    MessageDelta,
    MessageStart,
    MessageStop,
    TextBlock,
    TextDelta,
    ToolUseBlock,
)
from sse_core.dialects.fields import MAX_REPEATED

#: The encoders of this file; those of OpenAI's protocols have tests of their own.
NAMES = ["anthropic", "gemini", "ui-messages"]
SIZE = 4000


def events(size: int, dialect: str = "x") -> list[BlockEvent]:
    """A message whose ids and names have ``size`` characters, in deltas of one."""
    name = "i" * size
    return [
        MessageStart(name, name, dialect=dialect),
        BlockStart(0, TextBlock(extra={"id": name})),
        *[TextDelta(0, "t") for _ in range(size)],
        BlockStop(0),
        BlockStart(1, ToolUseBlock(name, name)),
        ArgumentsDelta(1, '{"a":"'),
        *[ArgumentsDelta(1, "x") for _ in range(size)],
        ArgumentsDelta(1, '"}'),
        BlockStop(1),
        MessageDelta("tool_use"),
        MessageStop(),
    ]


def written(name: str, received: list[BlockEvent]) -> list[str]:
    encoder = dialects.get(name).Encoder()
    return [sse.data for event in received for sse in encoder.send(event)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("own", [False, True])
def test_what_is_written_grows_as_what_came(name: str, *, own: bool) -> None:
    dialect = name if own else "x"
    small, large = (sum(map(len, written(name, events(size, dialect)))) for size in (SIZE, 2 * SIZE))
    assert large < 2.2 * small


def read(name: str, received: list[BlockEvent]) -> Message:
    encoder, decoder, accumulator = (
        dialects.get(name).Encoder(),
        dialects.get(name).Decoder(),
        MessageAccumulator(),
    )
    sent = [sse for event in received for sse in encoder.send(event)]
    for event in [event for sse in sent for event in decoder.receive_event(sse)] + decoder.receive_eof():
        accumulator.receive(event)
    return accumulator.message


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [MAX_REPEATED, MAX_REPEATED + 1, SIZE])
def test_nothing_is_lost(name: str, size: int) -> None:
    message = read(name, events(size))
    (tool,) = message.executable_tools
    assert (tool.id, tool.name, tool.arguments) == ("i" * size, "i" * size, {"a": "x" * size})
    assert (message.text, message.id) == ("t" * size, "i" * size)
    assert message.model in ("", "i" * size)  # UI messages have none


def test_what_is_short_stands_in_each_event() -> None:
    chunks = [json.loads(data) for data in written("gemini", events(MAX_REPEATED))]
    assert {chunk["responseId"] for chunk in chunks} == {"i" * MAX_REPEATED}


def test_the_last_of_a_long_call_that_was_cut_is_sent_or_may_not_be_run() -> None:
    received = events(SIZE)[:-4]
    message = read("ui-messages", [*received, MessageCut("truncated")])
    assert message.executable_tools == []
    assert len(message.tools[0].raw_arguments) > 0


def test_a_long_call_that_comes_bit_by_bit_is_gathered() -> None:
    """Each chunk repeats the id: so none has less text than that."""
    chunks = [json.loads(data) for data in written("ui-messages", events(SIZE)) if data != "[DONE]"]
    pieces = [chunk["inputTextDelta"] for chunk in chunks if chunk["type"] == "tool-input-delta"]
    assert [len(text) for text in pieces] == [SIZE]
