"""How fast a turn was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core.blocks import (
    ArgumentsDelta,
    BlockEvent,
    BlockStart,
    MessageReset,
    MessageStart,
    Ping,
    RedactedThinkingBlock,
    SignatureDelta,
    TextBlock,
    TextDelta,
    ThinkingBlock,
    ThinkingDelta,
    ToolUseBlock,
)
from sse_core.lifecycle import Timing
from tests.core.lifecycle.turn.turn_support import START, accepted, wire

THINKING, TEXT = ThinkingDelta(0, "Hm"), TextDelta(1, "So")


def timed(*moments: tuple[BlockEvent, float]) -> Timing:
    """The timing of a turn that began at 0.0 with these events."""
    timing = Timing(started_at=0.0)
    for event, now in moments:
        timing.receive(event, now)
    return timing


def test_nothing_is_known_before_it_happened() -> None:
    timing = Timing()
    assert timing.time_to_first_byte is None
    assert timing.time_to_first_token is None
    assert timing.time_to_first_answer is None
    assert timing.answer_time is None
    assert timing.mean_gap is None
    assert timing.duration is None
    assert timing.time_per_output_token(10) is None
    assert timing.reasoning_time == 0.0


def test_the_figures_of_a_turn() -> None:
    timing = Timing(started_at=10.0, first_byte_at=10.5)
    for moment in (12.0, 12.5, 15.0, 15.5):
        timing.receive(TEXT, moment)
    timing.ended_at = 16.0
    assert timing.time_to_first_byte == 0.5
    assert timing.time_to_first_token == 2.0
    assert timing.duration == 6.0
    assert (timing.outputs, timing.longest_gap, timing.last_output_at) == (4, 2.5, 15.5)
    assert timing.mean_gap == 3.5 / 3


def test_tpot_is_the_time_after_the_first_token_over_the_tokens_after_it() -> None:
    """As vLLM defines it: (end - first token) / (output tokens - 1)."""
    timing = Timing(started_at=0.0, first_output_at=1.0, ended_at=5.0)
    assert timing.time_per_output_token(9) == 0.5
    assert timing.time_per_output_token(1) is None
    assert timing.time_per_output_token(0) is None


def test_one_output_has_no_gap() -> None:
    assert timed((TEXT, 1.0)).mean_gap is None


@pytest.mark.parametrize("event", [Ping(), MessageStart("m", "model"), BlockStart(0, TextBlock())])
def test_what_nobody_sees_is_no_output(event: BlockEvent) -> None:
    timing = timed((event, 1.0))
    assert (timing.outputs, timing.first_output_at) == (0, None)


def test_reasoning_is_distinguished_from_the_answer() -> None:
    timing = timed((THINKING, 1.0), (THINKING, 3.0), (TEXT, 4.0), (THINKING, 7.0), (TEXT, 9.0))
    assert timing.time_to_first_token == 1.0
    assert timing.time_to_first_answer == 4.0
    assert timing.reasoning_time == 2.0 + 3.0
    assert timing.answer_time == 1.0 + 2.0


@pytest.mark.parametrize(
    ("event", "reasoning"),
    [
        (THINKING, True),
        (SignatureDelta(0, "s"), True),
        (BlockStart(0, RedactedThinkingBlock("data")), True),
        (BlockStart(0, ThinkingBlock("Hm")), True),
        (BlockStart(0, ToolUseBlock("id", "name")), False),
        (ArgumentsDelta(0, "{"), False),
        (TEXT, False),
    ],
)
def test_what_is_reasoning(event: BlockEvent, *, reasoning: bool) -> None:
    timing = timed((TEXT, 1.0), (event, 3.0))
    assert timing.reasoning_time == (2.0 if reasoning else 0.0)


@given(st.lists(st.tuples(st.sampled_from([THINKING, TEXT, Ping()]), st.integers(0, 100))))
def test_reasoning_and_answer_are_all_the_time_there_is(steps: list[tuple[BlockEvent, int]]) -> None:
    timing, now = Timing(started_at=0.0), 0.0
    for event, seconds in steps:
        now += seconds
        timing.receive(event, now)
    if timing.first_output_at is None or timing.last_output_at is None:
        assert (timing.answer_time, timing.reasoning_time) == (None, 0.0)
        return
    assert timing.answer_time is not None
    assert timing.answer_time >= 0.0
    assert timing.answer_time + timing.reasoning_time == timing.last_output_at - timing.first_output_at
    assert timing.longest_gap <= timing.last_output_at - timing.first_output_at


def test_a_turn_keeps_its_timing() -> None:
    turn = accepted()
    turn.receive_data(wire(START, BlockStart(0, ThinkingBlock()), ThinkingDelta(0, "Hm")), 1.0)
    turn.receive_data(wire(ThinkingDelta(0, "Hm")), 3.0)
    turn.receive_data(wire(BlockStart(1, TextBlock()), TextDelta(1, "So")), 4.0)
    assert turn.timing.time_to_first_token == 1.0
    assert turn.timing.time_to_first_answer == 4.0
    assert turn.timing.reasoning_time == 2.0


def test_what_was_taken_back_does_not_count() -> None:
    timing = timed((THINKING, 1.0), (TEXT, 2.0), (THINKING, 9.0), (MessageReset(), 9.0))
    assert timing == Timing(started_at=0.0)
    timing.receive(TEXT, 20.0)
    timing.receive(TEXT, 21.0)
    timing.ended_at = 21.0
    assert timing.time_to_first_token == timing.time_to_first_answer == 20.0
    assert (timing.outputs, timing.longest_gap, timing.mean_gap, timing.answer_time) == (2, 1.0, 1.0, 1.0)
    assert timing.time_per_output_token(2) == 1.0
