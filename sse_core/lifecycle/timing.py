"""How fast a turn was, by the clock of whoever drives it.

All moments are seconds of the binding's monotonic clock; all durations are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Timing:
    """The moments of one turn.

    An *output* is a visible block event: characters of text, thinking or tool arguments, or the
    start of a block that is more than empty.  Pings and comments are none.
    """

    started_at: float | None = None  #: the turn was started; attempts and back-off come after it
    first_byte_at: float | None = None  #: the head of the answer that was accepted
    first_output_at: float | None = None
    last_output_at: float | None = None
    ended_at: float | None = None
    outputs: int = 0
    longest_gap: float = 0.0  #: the longest time between two outputs

    def output(self, now: float) -> None:
        """Count one output."""
        if self.last_output_at is None:
            self.first_output_at = now
        elif now - self.last_output_at > self.longest_gap:
            self.longest_gap = now - self.last_output_at
        self.last_output_at = now
        self.outputs += 1

    @property
    def time_to_first_byte(self) -> float | None:
        """Head of the accepted answer minus start of the turn."""
        return _difference(self.first_byte_at, self.started_at)

    @property
    def time_to_first_token(self) -> float | None:
        """TTFT: first output minus start of the turn, retries and their back-off included."""
        return _difference(self.first_output_at, self.started_at)

    def time_per_output_token(self, output_tokens: int) -> float | None:
        """TPOT: (end - first output) / (output tokens - 1), as vLLM defines it."""
        if output_tokens < 2:
            return None
        whole = _difference(self.ended_at, self.first_output_at)
        return None if whole is None else whole / (output_tokens - 1)

    @property
    def duration(self) -> float | None:
        """End minus start of the turn."""
        return _difference(self.ended_at, self.started_at)


def _difference(later: float | None, earlier: float | None) -> float | None:
    return None if later is None or earlier is None else later - earlier
