"""One ``timeout``, as httpx names it, in place of the deadlines of each wait."""

from __future__ import annotations

import math
from dataclasses import replace

from sse_core.arguments import check_type
from sse_core.lifecycle import Deadlines, SourceDeadlines


def source_deadlines(timeout: float | None, deadlines: SourceDeadlines | None) -> SourceDeadlines | None:
    """What ``connect`` waits for: ``timeout`` seconds for each thing, or as ``deadlines`` say.

    Raises ``TypeError`` where both are given, and ``ValueError`` for no number of seconds.
    """
    if timeout is None:
        return deadlines
    _check(timeout)
    if deadlines is not None:
        raise TypeError("timeout says the same as deadlines, for all of them at once: give one of the two")
    return SourceDeadlines(timeout, timeout, timeout, timeout)


def turn_deadlines(timeout: float | None, deadlines: Deadlines) -> Deadlines:
    """What a turn waits for: ``timeout`` seconds for each thing; for the whole what ``deadlines`` say.

    Raises ``TypeError`` and ``ValueError`` for what is no number of seconds.
    """
    if timeout is None:
        return deadlines
    _check(timeout)
    return replace(
        deadlines,
        connect=timeout,
        first_byte=timeout,
        refusal=timeout,
        first_output=2 * timeout,  # which is counted from the request on: for the head, and for the output
        output_gap=timeout,
    )


def _check(timeout: float) -> None:
    check_type("timeout", timeout, int, float)
    if not 0 < timeout < math.inf:
        raise ValueError(f"timeout must be a finite number of seconds above zero: {timeout!r}")
