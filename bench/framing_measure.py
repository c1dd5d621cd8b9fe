"""Measuring side by side: each round measures every contender once, so that all meet the same machine."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from framing_corpora import Corpus
from framing_peers import NOT_PEERS, OURS, Contender

#: A peer whose first round would take longer, in seconds, is left out of that line.
PATIENCE = 5.0


@dataclass(frozen=True)
class Sample:
    """What one thing costs: nanoseconds of CPU time, over all rounds."""

    median: float
    spread: float  #: half of the distance between the quartiles
    best: float


def sample(times: list[float]) -> Sample:
    """What the times of all rounds say."""
    low, median, high = statistics.quantiles(times, n=4) if len(times) > 1 else times * 3
    return Sample(median, (high - low) / 2, min(times))


def cpu_time(step: Callable[[], object]) -> int:
    """Nanoseconds of CPU time that ``step`` takes, without the garbage collector's."""
    gc.collect()
    gc.disable()
    try:
        started = time.thread_time_ns()
        step()
        return time.thread_time_ns() - started
    finally:
        gc.enable()


def side_by_side(steps: Mapping[str, Callable[[], object]], rounds: int, count: int) -> dict[str, Sample]:
    """What one of the ``count`` things costs that each step does."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            times[name].append(cpu_time(step) / count)
    return {name: sample(taken) for name, taken in times.items()}


def data_of(contender: Contender, chunks: Iterable[bytes]) -> list[str] | None:
    """The data of the events that a contender gives; nothing if it fails."""
    try:
        return [str(event.data) for event in contender.events(chunks)]
    except Exception:  # noqa: BLE001  (a peer may raise anything; it is left out then)
        return None


def patient(contender: Contender, corpus: Corpus, count: int, size: int) -> bool:
    """Whether a round is over in time, judged by an eighth of it and the square of that."""
    few = max(1, count // 8)
    chunks = corpus.chunks(few, size)
    if few == count:
        chunks = chunks[: max(1, len(chunks) // 8)]
    return cpu_time(lambda: contender.consume(chunks)) * 64 < PATIENCE * 1e9


def decode_times(
    contenders: Mapping[str, Contender], corpus: Corpus, size: int, events: int, rounds: int
) -> dict[str, Sample]:
    """Nanoseconds an event for each contender that reads the corpus right."""
    chunks = corpus.chunks(events, size)
    expected = data_of(contenders[OURS], chunks)
    steps = {}
    for name, contender in contenders.items():
        if name not in NOT_PEERS:
            if not patient(contender, corpus, events, size):
                continue
            if data_of(contender, chunks) != expected:
                continue
        steps[name] = partial(contender.consume, chunks)
    del expected
    return side_by_side(steps, rounds, events)


def fastest_peer(samples: Mapping[str, Sample]) -> str | None:
    """The peer with the least median."""
    peers = {name: each.median for name, each in samples.items() if name not in NOT_PEERS}
    return min(peers, key=peers.__getitem__) if peers else None


def as_json(samples: Mapping[str, Sample]) -> dict[str, Any]:
    """The samples, and the ratio of the fastest peer's median to ours."""
    peer = fastest_peer(samples)
    ratio = samples[peer].median / samples[OURS].median if peer and OURS in samples else None
    return {
        "ns": {name: asdict(each) for name, each in samples.items()},
        "fastest_peer": peer,
        "ratio": ratio,
    }
