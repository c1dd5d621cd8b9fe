"""One timeout for all of the deadlines."""

from __future__ import annotations

from typing import Any

import pytest

from sse_core.lifecycle import Deadlines, SourceDeadlines
from sse_io.timeouts import source_deadlines, turn_deadlines


def test_without_one_the_deadlines_stand() -> None:
    ours = SourceDeadlines(idle=7)
    assert source_deadlines(None, ours) is ours
    assert source_deadlines(None, None) is None
    theirs = Deadlines(whole=7)
    assert turn_deadlines(None, theirs) is theirs


def test_with_one_each_wait_has_it() -> None:
    assert source_deadlines(3, None) == SourceDeadlines(connect=3, first_byte=3, idle=3, refusal=3)
    assert turn_deadlines(3, Deadlines(whole=70)) == Deadlines(
        connect=3, first_byte=3, refusal=3, first_output=6, output_gap=3, whole=70
    )


def test_both_contradict_each_other() -> None:
    with pytest.raises(TypeError, match="give one of the two"):
        source_deadlines(3, SourceDeadlines())


@pytest.mark.parametrize(
    ("timeout", "error"),
    [
        ("3", TypeError),
        (0, ValueError),
        (-1.0, ValueError),
        (float("inf"), ValueError),
        (float("nan"), ValueError),
    ],
)
def test_what_is_none(timeout: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="timeout"):
        source_deadlines(timeout, None)
    with pytest.raises(error, match="timeout"):
        turn_deadlines(timeout, Deadlines())
