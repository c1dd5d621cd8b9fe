"""Whether something takes linear time: a ratio of two sizes, since a busy machine makes both slow."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

#: Eight times the size may take so many times as long: a square would be 64, and a busy machine and cold
#: caches may double what is due.
FACTOR, MOST = 8, 24


def is_linear(make: Callable[[int], Callable[[], object]], size: int) -> bool:
    """Whether what ``make`` gives for eight times ``size`` takes about eight times as long.

    What it takes to make it isn't counted, nor the garbage collector, which looks through all that the
    other tests hold.
    """
    small, large = (_seconds(make(times * size)) for times in (1, FACTOR))
    return large < MOST * small + 0.01


def _seconds(step: Callable[[], object]) -> float:
    """The best of three, in CPU time."""
    times = []
    gc.disable()
    for _ in range(3):
        started = time.process_time()
        step()
        times.append(time.process_time() - started)
    gc.enable()
    return min(times)
