"""Who is to be called when: a heap that is only as exact as it needs to be.

Deadlines move all the time, and almost always to a later moment: each event that goes out puts the next
heartbeat off.  So an alarm is left where it is when its owner's deadline moves later; when it rings
too early, it is set again.  To put a deadline off costs nothing, and to ring in vain is rare.
"""

from __future__ import annotations

import heapq
import itertools
import math

from .owner import Owner

#: A heap is made anew when more than half of it, and more than this, is of no use any more.
_MIN_USELESS = 64


class Alarms:
    """The alarms of all owners of one reactor: one each."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int]] = []
        self._owners: dict[int, Owner] = {}
        self._numbers = itertools.count()

    @property
    def earliest(self) -> float:
        """When the next one rings, which may be in vain; infinity if there is none."""
        return self._heap[0][0] if self._heap else math.inf

    def set(self, owner: Owner, at: float) -> None:
        """Let it ring for ``owner`` at ``at`` (seconds), and at no other time."""
        self.cancel(owner)
        owner.alarm, owner.alarm_number = at, next(self._numbers)
        self._owners[owner.alarm_number] = owner
        heapq.heappush(self._heap, (at, owner.alarm_number))

    def cancel(self, owner: Owner) -> None:
        """Let it ring for ``owner`` no more; harmless if it wouldn't."""
        owner.alarm = math.inf
        if self._owners.pop(owner.alarm_number, None) is not None:
            self._tidy()

    def take_due(self, now: float) -> list[Owner]:
        """Whose deadline has come by ``now``, each once, whatever it is set to then.

        So one whose deadline is in the past again and again can't keep this call from returning.
        """
        rung: list[Owner] = []
        while self._heap and self._heap[0][0] <= now:
            _, number = heapq.heappop(self._heap)
            owner = self._owners.pop(number, None)
            if owner is not None:
                owner.alarm = math.inf
                rung.append(owner)
        for owner in rung:
            if owner.deadline > now:
                self.set(owner, owner.deadline)
        return [owner for owner in rung if owner.deadline <= now]

    def _tidy(self) -> None:
        """Nobody rings for who has gone: neither is it the earliest, nor does it take room for long."""
        while self._heap and self._heap[0][1] not in self._owners:
            heapq.heappop(self._heap)
        if len(self._heap) > 2 * len(self._owners) + _MIN_USELESS:
            self._heap = [entry for entry in self._heap if entry[1] in self._owners]
            heapq.heapify(self._heap)
