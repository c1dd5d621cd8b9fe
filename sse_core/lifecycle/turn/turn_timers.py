"""A turn's timers: as long as its deadlines say, and a gap between outputs that stands still in a pause."""

from __future__ import annotations

from ..policies import Deadlines
from ..timers import Timer, Timers


class TurnTimers(Timers):
    """The armed timers of one turn."""

    __slots__ = ("_deadlines", "_gap_left", "paused")

    def __init__(self, deadlines: Deadlines) -> None:
        super().__init__()
        self.paused = False
        self._deadlines = deadlines
        self._gap_left: float | None = None  # while paused: what the provider still has for its next output

    def begin(self, timer: Timer, now: float) -> None:
        """Let ``timer`` run for as long as its deadline says; without one, not at all."""
        seconds: float | None = getattr(self._deadlines, timer.value)
        if self.paused and timer is Timer.OUTPUT_GAP:
            self._gap_left = seconds
        elif seconds is not None:
            self.arm(timer, now + seconds)

    def pause(self, now: float) -> None:
        """No gap is measured, and what is left of it is kept: idempotent."""
        if not self.paused:
            self.paused = True
            self._gap_left = self.stop(Timer.OUTPUT_GAP, now)

    def resume(self, now: float, *, streaming: bool) -> None:
        """Go on with what is left of the gap, if there is one while the turn is ``streaming``."""
        was_paused, self.paused = self.paused, False
        if was_paused and streaming and self._gap_left is not None:
            self.arm(Timer.OUTPUT_GAP, now + self._gap_left)
