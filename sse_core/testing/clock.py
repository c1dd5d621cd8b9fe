"""A clock that stands still until it is told to go on."""

from __future__ import annotations


class Clock:
    """Made-up time.

    - ``now``: where it begins, in seconds.

    It can be called, as code wants that takes a function for its clock: that gives ``now``.
    """

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        """The time."""
        return self.now

    def advance(self, seconds: float) -> float:
        """Let ``seconds`` pass; the time by then.  Raises ``ValueError`` if they are negative."""
        if not seconds >= 0:
            raise ValueError(f"time does not go back: {seconds!r} seconds")
        self.now += seconds
        return self.now

    def advance_to(self, moment: float) -> float:
        """Let the time be ``moment``, unless that has passed; the time by then."""
        return self.advance(max(moment - self.now, 0.0))
