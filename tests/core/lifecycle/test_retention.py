"""What has ended is kept for a stated time, within a stated total."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core.lifecycle import Retention


def deadline_of(kept: Retention[str]) -> float | None:
    return kept.deadline


def test_for_a_time() -> None:
    kept: Retention[str] = Retention(seconds=10.0, max_bytes=100)
    assert deadline_of(kept) is None
    assert kept.keep("a", 1, now=0.0) == []
    assert kept.keep("b", 1, now=5.0) == []
    assert len(kept) == 2
    assert deadline_of(kept) == 10.0
    assert kept.handle_timeout(9.9) == []
    assert kept.handle_timeout(10.0) == ["a"]
    assert kept.handle_timeout(100.0) == ["b"]
    assert (len(kept), kept.retained_bytes) == (0, 0)
    assert deadline_of(kept) is None


def test_within_a_total_the_oldest_go() -> None:
    kept: Retention[str] = Retention(seconds=10.0, max_bytes=10)
    assert [kept.keep(name, 4, 0.0) for name in "abc"] == [[], [], ["a"]]
    assert kept.keep("large", 10, 0.0) == ["b", "c"]
    assert kept.keep("too large", 11, 0.0) == ["large", "too large"]


@pytest.mark.parametrize(("seconds", "max_bytes"), [(-1.0, 1), (math.nan, 1), (math.inf, 1), (1.0, -1)])
def test_what_no_bounds_can_be(seconds: float, max_bytes: int) -> None:
    with pytest.raises(ValueError, match="below zero"):
        Retention(seconds=seconds, max_bytes=max_bytes)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 5))), st.integers(0, 100))
def test_everything_is_forgotten_once_and_in_order(steps: list[tuple[int, int]], max_bytes: int) -> None:
    kept: Retention[int] = Retention(seconds=8.0, max_bytes=max_bytes)
    now, forgotten = 0.0, []
    for name, (size, seconds) in enumerate(steps):
        now += seconds
        forgotten += kept.handle_timeout(now)
        forgotten += kept.keep(name, size, now)
        assert kept.retained_bytes <= max_bytes
        assert kept.deadline is None or kept.deadline > now
    forgotten += kept.handle_timeout(now + 8.0)
    assert forgotten == list(range(len(steps)))
