"""How fast a turn was."""

from __future__ import annotations

from sse_core.lifecycle import Timing


def test_nothing_is_known_before_it_happened() -> None:
    timing = Timing()
    assert timing.time_to_first_byte is None
    assert timing.time_to_first_token is None
    assert timing.duration is None
    assert timing.time_per_output_token(10) is None


def test_the_figures_of_a_turn() -> None:
    timing = Timing(started_at=10.0, first_byte_at=10.5)
    for moment in (12.0, 12.5, 15.0, 15.5):
        timing.output(moment)
    timing.ended_at = 16.0
    assert timing.time_to_first_byte == 0.5
    assert timing.time_to_first_token == 2.0
    assert timing.duration == 6.0
    assert (timing.outputs, timing.longest_gap, timing.last_output_at) == (4, 2.5, 15.5)


def test_tpot_is_the_time_after_the_first_token_over_the_tokens_after_it() -> None:
    """As vLLM defines it: (end - first token) / (output tokens - 1)."""
    timing = Timing(started_at=0.0, first_output_at=1.0, ended_at=5.0)
    assert timing.time_per_output_token(9) == 0.5
    assert timing.time_per_output_token(1) is None
    assert timing.time_per_output_token(0) is None
