"""A message that is still growing, in short: snapshot and rest make what all events make."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import MessageAccumulator, RemoteProtocolError
from sse_core.blocks import (
    ArgumentsDelta,
    BlockEvent,
    BlockStart,
    BlockStop,
    CitationDelta,
    Message,
    MessageCut,
    MessageDelta,
    MessageStart,
    MessageStop,
    StreamError,
    TextBlock,
    TextDelta,
    ThinkingBlock,
    ThinkingDelta,
    ToolUseBlock,
    UnknownDelta,
    UnknownEvent,
)
from sse_core.testing import strategies

EVENTS = strategies.block_events()


def accumulator_of(events: list[BlockEvent]) -> MessageAccumulator:
    """An accumulator that was given these; what can't come when it comes is left out."""
    accumulator = MessageAccumulator()
    for event in events:
        accumulator.receive(event)
    return accumulator


def shown(message: Message) -> dict[str, object]:
    """What a message says; what has no place in it, in any order."""
    unknown = sorted(repr(event) for event in message.unknown)
    alternatives = {index: shown(other) for index, other in message.alternatives.items()}
    return {**message.values(), "unknown": unknown, "alternatives": alternatives, "dialect": message.dialect}


def accepted(events: list[BlockEvent]) -> list[BlockEvent]:
    """Those of ``events`` that an accumulator takes."""
    accumulator, taken = MessageAccumulator(), []
    for event in events:
        try:
            accumulator.receive(event)
        except RemoteProtocolError:
            continue
        taken.append(event)
    return taken


@given(st.lists(EVENTS, max_size=12), st.integers(0, 12))
def test_snapshot_and_rest_make_what_all_make_at_every_cut(events: list[BlockEvent], cut: int) -> None:
    events = accepted([MessageStart("m", "model", dialect="anthropic"), *events])
    before = accumulator_of(events[:cut])
    again = accumulator_of([*before.snapshot(), *events[cut:]])
    assert shown(again.message) == shown(accumulator_of(events).message)


ANSWER: list[BlockEvent] = [
    MessageStart("m", "model", usage={"input_tokens": 1}, extra={"x": 1}, dialect="anthropic"),
    UnknownEvent({"type": "new"}),
    BlockStart(0, ThinkingBlock()),
    ThinkingDelta(0, "Hm"),
    BlockStop(0),
    BlockStart(1, TextBlock()),
    TextDelta(1, "a" * 40_000),
    CitationDelta(1, {"n": 1}),
    UnknownDelta(1, {"type": "new_delta"}),
    BlockStop(1),
    BlockStart(2, ToolUseBlock("t", "f")),
    ArgumentsDelta(2, '{"a": '),
    ArgumentsDelta(2, "1}"),
    BlockStop(2),
    MessageDelta("tool_use", {"output_tokens": 5}),
    MessageStop(),
]


@pytest.mark.parametrize("cut", range(len(ANSWER) + 1))
def test_of_an_answer_with_everything_in_it(cut: int) -> None:
    snapshot = list(accumulator_of(ANSWER[:cut]).snapshot())
    again = accumulator_of([*snapshot, *ANSWER[cut:]])
    assert shown(again.message) == shown(accumulator_of(ANSWER).message)


def test_a_long_text_comes_in_pieces() -> None:
    snapshot = accumulator_of(ANSWER[:7]).snapshot()
    sizes = [len(event.text) for event in snapshot if isinstance(event, TextDelta)]
    assert sum(sizes) == 40_000
    assert max(sizes) <= 16_384


@pytest.mark.parametrize(
    "end", [MessageStop(), MessageCut("truncated"), MessageCut("stopped"), StreamError("api_error", "No.")]
)
def test_the_end_is_a_part_of_it(end: BlockEvent) -> None:
    events = [*ANSWER[:12], end]
    again = accumulator_of(list(accumulator_of(events).snapshot()))
    assert shown(again.message) == shown(accumulator_of(events).message)


def test_before_the_message_begins_there_is_little_to_send() -> None:
    assert list(MessageAccumulator().snapshot()) == []
    early = UnknownEvent({"type": "new"})
    assert list(accumulator_of([early]).snapshot()) == [early]


def test_other_answers_to_the_same_request_are_included_too() -> None:
    others: list[BlockEvent] = [
        MessageStart("m", "model", choice=1),
        BlockStart(0, TextBlock(), choice=1),
        TextDelta(0, "b", choice=1),
    ]
    before = accumulator_of([*ANSWER[:7], *others])
    again = accumulator_of(list(before.snapshot()))
    assert again.message.alternatives[1].text == "b"
    assert shown(again.message) == shown(before.message)
