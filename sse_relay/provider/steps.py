"""Steps: what happens in a generation, and when."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass

from .events import Event


class Then(enum.Enum):
    """What follows a step."""

    NEXT = "next"  #: the next step; after the last one the generation is complete
    FAIL = "fail"  #: a proper end, after an error event
    CUT = "cut"  #: the connection is cut
    STALL = "stall"  #: nothing, ever


@dataclass(frozen=True, slots=True)
class Step:
    """One event, or bytes that stand in an event's place.

    - ``at``: when it is due, in seconds after the request.
    - ``event``: what is sent.
    - ``content``: whether faults count it.
    - ``tokens``: how many were made for it.
    - ``then``: what follows it.
    """

    at: float
    event: Event | bytes
    content: bool = False
    tokens: int = 0
    then: Then = Then.NEXT


class Pacer:
    """Hands out each step when it is due.

    - ``steps``: in the order of their times.
    - ``started``: the time of the request, by the clock that ``now`` comes from.
    """

    def __init__(self, steps: Iterator[Step], started: float) -> None:
        self._steps = steps
        self._started = started
        self._last = Then.NEXT
        self._next = next(steps, None)

    @property
    def deadline(self) -> float | None:
        """When the next step is due; ``None`` when there is none."""
        return None if self._next is None else self._started + self._next.at

    @property
    def end(self) -> Then | None:
        """How it ended, ``NEXT`` meaning complete; ``None`` as long as it goes on or stalls."""
        return None if self._next is not None or self._last is Then.STALL else self._last

    def take(self, now: float) -> Step | None:
        """The next step, if it is due."""
        step = self._next
        if step is None or self._started + step.at > now:
            return None
        self._last = step.then
        self._next = next(self._steps, None) if step.then is Then.NEXT else None
        return step

    def postpone(self, seconds: float) -> None:
        """Move all that is still to come."""
        self._started += seconds
