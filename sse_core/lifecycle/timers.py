"""One enum of timers, one table, one deadline.

A machine arms a timer with the moment it is due and disarms it when its cause has gone.  The
binding sees only the earliest moment.  ``next_expired`` may be called at any time: early it
gives nothing, late it gives what is due, one timer a call, in the order in which they fell due.
What one timer sets off may disarm the others, so a machine looks again after each.
"""

from __future__ import annotations

import enum


class TableKey(enum.Enum):
    """A member of an enumeration that tables are looked up by."""


# It is hashed by what it is, as any object: by its name, as members of enumerations are, takes 100 ns
# longer, and a turn looks up eight of them for an event.
TableKey.__hash__ = object.__hash__  # type: ignore[method-assign]


class Timer(TableKey):
    """Everything that a machine of the house waits for."""

    CONNECT = "connect"  #: the transport should be open by now
    FIRST_BYTE = "first_byte"  #: the head of the answer should have come
    REFUSAL = "refusal"  #: the body of an answer that is an error should have ended by now
    FIRST_OUTPUT = "first_output"  #: something visible should have come
    OUTPUT_GAP = "output_gap"  #: something visible should have come again
    IDLE = "idle"  #: a byte, any byte, should have come again
    WHOLE = "whole"  #: the whole turn should be over
    BACKOFF = "backoff"  #: the time for the next attempt
    NO_READER = "no_reader"  #: nobody has been reading for as long as the policy allows
    HEARTBEAT = "heartbeat"  #: nothing was sent for so long that a proxy may lose patience
    STALL = "stall"  #: a reader with something to read has not taken any of it
    LIFETIME = "lifetime"  #: this reader should come back on a new connection
    REQUEST = "request"  #: the peer's request should be complete by now
    KEEP_ALIVE = "keep_alive"  #: an idle connection has been kept for long enough


def earlier(moment: float | None, other: float | None) -> float | None:
    """The earlier of two moments, of which either may be none."""
    if moment is None or (other is not None and other < moment):
        return other
    return moment


class Timers:
    """The armed timers of one machine."""

    __slots__ = ("_due", "_earliest")

    def __init__(self) -> None:
        self._due: dict[Timer, float] = {}
        self._earliest: float | None = None  # the earliest due time, until a change

    def arm(self, timer: Timer, at: float) -> None:
        """Let ``timer`` be due at ``at`` (seconds), in place of an earlier arming."""
        self._due[timer] = at
        self._earliest = None

    def begin(self, timer: Timer, seconds: float | None, now: float) -> None:
        """Let ``timer`` be due ``seconds`` after ``now``; with ``None`` leave it as it is."""
        if seconds is not None:
            self._due[timer] = now + seconds
            self._earliest = None

    def disarm(self, timer: Timer) -> None:
        """Forget ``timer``; harmless if it is not armed."""
        if self._due.pop(timer, None) is not None:
            self._earliest = None

    def stop(self, timer: Timer, now: float) -> float | None:
        """Disarm ``timer``; the seconds that were left of it, or ``None`` if it was not armed."""
        at = self._due.pop(timer, None)
        self._earliest = None
        return None if at is None else at - now

    def clear(self, *, but: frozenset[Timer] = frozenset()) -> None:
        """Forget all timers, except those in ``but``."""
        for timer in self._due.keys() - but:
            del self._due[timer]
        self._earliest = None

    def due(self, timer: Timer) -> float | None:
        """When ``timer`` is due, or ``None`` if it isn't armed."""
        return self._due.get(timer)

    @property
    def deadline(self) -> float | None:
        """The earliest moment at which any timer is due."""
        if self._earliest is None and self._due:
            self._earliest = min(self._due.values())
        return self._earliest

    def next_expired(self, now: float) -> Timer | None:
        """Remove and return the timer that fell due first, or ``None`` if none is due at ``now``."""
        deadline = self.deadline
        if deadline is None or deadline > now:
            return None
        timer = min((at, timer.value, timer) for timer, at in self._due.items())[2]
        del self._due[timer]
        self._earliest = None
        return timer

    def take_expired(self, now: float) -> list[Timer]:
        """Remove and return all timers due at ``now`` or before, the oldest first.

        For whoever treats them all alike; see ``next_expired`` for when not.
        """
        expired: list[Timer] = []
        while (timer := self.next_expired(now)) is not None:
            expired.append(timer)
        return expired
