"""Measuring side by side, for as long as each contender is worth waiting for.

The garbage collector runs, as it does for users; but what was made beforehand is kept out of its sight, since
a stream's events are not all there at once.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from accumulate_corpora import Shape
from accumulate_peers import Contender

#: Deltas between two looks at the clock.
_SLICE = 1000


@dataclass(frozen=True)
class Patience:
    """How long to wait, in seconds of CPU time."""

    rounds: int = 7
    measurement: float = 0.5  #: no other message is begun after that
    contender: float = 2.0  #: no other round
    message: float = 10.0  #: a message that takes longer is broken off


@dataclass(frozen=True)
class Cost:
    """Nanoseconds of CPU time for a delta: the median and the best of all rounds.

    ``whole`` is false where not even one message was finished: the rest of it would have cost more.
    """

    median: float
    best: float
    rounds: int
    whole: bool = True


@contextmanager
def frozen() -> Iterator[None]:
    """What is there now is no business of the garbage collector's."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def accumulate(
    contender: Contender, messages: list[list[list[Any]]], patience: Patience
) -> tuple[float, bool]:
    """Nanoseconds a delta, and whether a message was finished."""
    clock = time.thread_time_ns
    count, started = 0, clock()
    soft, hard = started + patience.measurement * 1e9, started + patience.message * 1e9
    for message in messages:
        contender.begin()
        for deltas in message:
            contender.take(deltas)
            count += len(deltas)
            if (now := clock()) > hard:
                return (now - started) / count, False
        contender.end()
        if clock() > soft:
            break
    return (clock() - started) / count, True


def sliced(deltas: list[Any]) -> list[list[Any]]:
    """The deltas, so many at a time."""
    return [deltas[start : start + _SLICE] for start in range(0, len(deltas), _SLICE)]


def messages_of(contender: Contender, shape: Shape, size: int, volume: int) -> list[list[list[Any]]]:
    """``volume`` characters of messages of ``size``, each of deltas of its own.

    So the memory that is gone through is the same for messages of all sizes: else a short one, taken again
    and again, would lie in the processor's caches, and a long one would seem to cost more.
    """
    count = max(1, min(volume, contender.most) // size)
    return [sliced(contender.deltas(shape.fragments(size))) for _ in range(count)]


def side_by_side(
    steps: Mapping[str, Callable[[], tuple[float, bool]]], patience: Patience
) -> dict[str, Cost]:
    """Rounds of one measurement each, until a contender has had its time."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    spent = dict.fromkeys(steps, 0.0)
    broken = set()
    order = list(steps)
    for number in range(patience.rounds):
        # Each begins a round in turn: who comes after the one that gave much memory back meets fresh pages.
        turn = number % len(order)
        for name in order[turn:] + order[:turn]:
            if spent[name] > patience.contender:
                continue
            gc.collect()
            started = time.thread_time()
            cost, whole = steps[name]()
            spent[name] += time.thread_time() - started
            times[name].append(cost)
            if not whole:
                broken.add(name)
    return {
        name: Cost(statistics.median(each), min(each), len(each), name not in broken)
        for name, each in times.items()
    }


def as_json(costs: Mapping[str, Cost]) -> dict[str, Any]:
    """All figures by name."""
    return {name: asdict(cost) for name, cost in costs.items()}
