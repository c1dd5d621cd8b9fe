"""A delta that goes on with the text of the one before it does what any other delta does."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import LimitExceeded, MessageAccumulator, SSEError
from sse_core.blocks import (
    ArgumentsDelta,
    Block,
    BlockEvent,
    BlockStart,
    BlockStop,
    MessageCut,
    MessageStart,
    MessageStop,
    Ping,
    TextBlock,
    TextDelta,
    TextReplaced,
    ThinkingBlock,
    ThinkingDelta,
    ToolUseBlock,
    UnknownBlock,
)

START = MessageStart("m", "claude")
PIECES = st.sampled_from(["", "a", "some text", "é", "😀", "\ud83d", "\ude00"])
#: Which deltas make which block longer; and a few that are out of place.
PLACES = [
    (TextDelta, 0),
    (ThinkingDelta, 1),
    (ArgumentsDelta, 2),
    (TextDelta, 3),
    (ThinkingDelta, 0),
    (TextDelta, 9),
]
OTHERS = st.one_of(
    st.just(Ping()),
    st.builds(TextReplaced, st.integers(0, 3), PIECES),
    st.builds(BlockStop, st.integers(0, 3)),
    st.sampled_from([MessageStop(), MessageCut("stopped")]),
)


@st.composite
def rows(draw: st.DrawFn) -> list[BlockEvent]:
    """Deltas of one place, as they come; a few of another answer, or with a cursor."""
    kind, index = draw(st.sampled_from([*PLACES[:3] * 3, *PLACES]))
    choices, cursors = st.sampled_from([0, 0, 0, 1]), st.sampled_from([None, None, None, 7])
    each = st.builds(
        lambda text, choice, cursor: kind(index, text, choice=choice, cursor=cursor), PIECES, choices, cursors
    )
    return draw(st.lists(each, min_size=1, max_size=5))


STREAMS = st.lists(rows() | OTHERS.map(lambda event: [event]), max_size=8).map(
    lambda lists: [event for events in lists for event in events]
)


def begun(room: int) -> MessageAccumulator:
    """An accumulator with open blocks of four kinds in two answers, and room for so many bytes more."""
    blocks: list[Block] = [
        TextBlock(),
        ThinkingBlock(),
        ToolUseBlock("t", "f"),
        UnknownBlock({"type": "new"}),
    ]
    accumulator = MessageAccumulator()
    for bound in (2**20, room):  # after the first time it is known what the blocks take
        accumulator = MessageAccumulator(max_message_bytes=accumulator.message_bytes + bound)
        for choice in (0, 1):
            accumulator.receive(MessageStart("m", "claude", choice=choice))
            for index, block in enumerate(blocks):
                accumulator.receive(BlockStart(index, block, choice=choice))
    return accumulator


def receive(accumulator: MessageAccumulator, event: BlockEvent) -> type[SSEError] | None:
    try:
        accumulator.receive(event)
    except SSEError as error:
        return type(error)
    return None


def state(accumulator: MessageAccumulator) -> tuple[object, ...]:
    message = accumulator.message
    return message, message.output_seen, message.resume_cursor, accumulator.message_bytes


@given(STREAMS, st.sampled_from([10, 100, 10_000]))
def test_each_delta_does_what_it_does_alone(events: list[BlockEvent], room: int) -> None:
    """Before each event of the other accumulator comes a ping, so that it never goes on with anything."""
    straight, interrupted = begun(room), begun(room)
    for event in events:
        interrupted.receive(Ping())
        assert receive(straight, event) == receive(interrupted, event)
        assert straight.message_bytes == interrupted.message_bytes
    assert state(straight) == state(interrupted)


@pytest.mark.parametrize(
    ("block", "kind", "read"),
    [
        (TextBlock(), TextDelta, lambda block: block.text),
        (ThinkingBlock(), ThinkingDelta, lambda block: block.thinking),
        (ToolUseBlock("t", "f"), ArgumentsDelta, lambda block: block.raw_arguments),
    ],
)
def test_reading_replacing_and_copying_between_two_deltas(
    block: TextBlock | ThinkingBlock | ToolUseBlock,
    kind: Callable[[int, str], BlockEvent],
    read: Callable[[object], str],
) -> None:
    accumulator = MessageAccumulator()
    for event in (START, BlockStart(0, block), kind(0, "a"), kind(0, "b")):
        accumulator.receive(event)
    (grown,) = accumulator.message.blocks
    assert read(grown) == "ab"
    accumulator.receive(kind(0, "c"))
    other = copy.deepcopy(accumulator)
    assert read(grown) == "abc"
    assert isinstance(grown, TextBlock | ThinkingBlock | ToolUseBlock)
    grown.replace("z")
    accumulator.receive(kind(0, "\ud83d"))
    accumulator.receive(kind(0, "\ude00"))
    assert read(grown) == "z😀"
    other.receive(kind(0, "d"))
    assert read(other.message.blocks[0]) == "abcd"


@pytest.mark.parametrize(
    "event",
    [
        TextDelta(0, "x", choice=1),
        TextDelta(0, "x", cursor=7),
        TextDelta(0, ""),
        TextDelta(3, "x"),
        ThinkingDelta(0, "x"),
        TextReplaced(0, "x"),
        BlockStop(0),
        MessageStop(),
    ],
    ids=repr,
)
def test_what_comes_after_two_deltas_does_what_it_does_alone(event: BlockEvent) -> None:
    straight, interrupted = begun(100), begun(100)
    for each in (TextDelta(0, "a"), TextDelta(0, "b"), event, TextDelta(0, "c"), TextDelta(0, "d")):
        interrupted.receive(Ping())
        assert receive(straight, each) == receive(interrupted, each)
    assert state(straight) == state(interrupted)


def test_more_fragments_than_are_kept_apart() -> None:
    accumulator = MessageAccumulator()
    for event in (START, BlockStart(0, TextBlock())):
        accumulator.receive(event)
    texts = [f"{number} " for number in range(5000)]
    for text in texts:
        accumulator.receive(TextDelta(0, text))
    (block,) = accumulator.message.blocks
    assert isinstance(block, TextBlock)
    assert len(block.fragments) <= 1024
    assert block.text == "".join(texts)


def test_the_bound_is_met_at_the_same_delta() -> None:
    accumulator = MessageAccumulator(max_message_bytes=200)
    for event in (START, BlockStart(0, TextBlock())):
        accumulator.receive(event)
    room = 200 - accumulator.message_bytes
    for _ in range(room // 2):
        accumulator.receive(TextDelta(0, "é"))
    for _ in range(room % 2):
        accumulator.receive(TextDelta(0, "a"))
    with pytest.raises(LimitExceeded, match="max_message_bytes=200"):
        accumulator.receive(TextDelta(0, "a"))
    assert len(accumulator.message.text.encode()) == room


def seconds(kind: Callable[[int, str], BlockEvent], block: TextBlock | ToolUseBlock, count: int) -> float:
    """CPU time of the best of three."""
    times = []
    for _ in range(3):
        accumulator = MessageAccumulator()
        accumulator.receive(START)
        accumulator.receive(BlockStart(0, block))
        events = [kind(0, f'"{number}",') for number in range(count)]
        started = time.process_time()
        for event in [kind(0, "["), *events, kind(0, "0]"), BlockStop(0)]:
            accumulator.receive(event)
        assert accumulator.message.blocks[0] != block
        times.append(time.process_time() - started)
    return min(times)


@pytest.mark.parametrize(
    ("kind", "block"), [(TextDelta, TextBlock()), (ArgumentsDelta, ToolUseBlock("t", "f"))]
)
@pytest.mark.untraced
def test_growth_is_linear(kind: Callable[[int, str], BlockEvent], block: TextBlock | ToolUseBlock) -> None:
    small, large = seconds(kind, block, 5_000), seconds(kind, block, 40_000)
    # A square would be 64 times; a busy machine and cold caches may double what is due.
    assert large < 24 * small + 0.01, (small, large)
