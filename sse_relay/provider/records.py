"""The provider's own record of what it generated: it stands for the provider's billing page."""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass


class RecordState(enum.Enum):
    """How a generation is, or how it ended."""

    RUNNING = "running"
    COMPLETED = "completed"
    ABORTED = "aborted"  #: the reader went away, or the provider went down
    FAULTED = "faulted"  #: a fault on request ended it


@dataclass(slots=True)
class Record:
    """One generation.  ``started`` and ``ended`` are wall-clock times in seconds since the epoch."""

    id: str
    path: str
    clock: Callable[[], float]
    started: float
    state: RecordState = RecordState.RUNNING
    tokens: int = 0
    ended: float | None = None

    def end(self, state: RecordState) -> None:
        """The generation has ended."""
        self.state = state
        self.ended = self.clock()

    def as_json(self) -> dict[str, object]:
        """The record as ``GET /sim/generations`` shows it."""
        return {
            "id": self.id,
            "path": self.path,
            "state": self.state.value,
            "tokens": self.tokens,
            "started": self.started,
            "ended": self.ended,
        }


class Records:
    """The latest ``bound`` records, newest last."""

    def __init__(self, clock: Callable[[], float], bound: int = 10_000) -> None:
        self._clock = clock
        self._records: deque[Record] = deque(maxlen=bound)

    def begin(self, record_id: str, path: str) -> Record:
        """A record of a generation that begins now."""
        record = Record(record_id, path, self._clock, self._clock())
        self._records.append(record)
        return record

    def clear(self) -> None:
        """Forget all; a generation that runs goes on, without a place in the list."""
        self._records.clear()

    def as_json(self) -> list[dict[str, object]]:
        """All of them."""
        return [record.as_json() for record in self._records]
