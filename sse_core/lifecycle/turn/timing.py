"""How fast a turn was, by the clock of whoever drives it.

All moments are seconds of the binding's monotonic clock; all durations are seconds.

An *output* is a visible block event (:func:`~sse_core.blocks.is_visible`): characters of text, thinking
or a tool's arguments, or the start of a block that is more than empty.  Pings and comments are none.
An output is *reasoning* if it is of a thinking block, and *answer* if it is of any other.
"""

from __future__ import annotations

from dataclasses import dataclass

from ...blocks import RedactedThinkingBlock, ThinkingBlock
from ...blocks.events import BlockEvent, BlockStart, MessageReset, SignatureDelta, ThinkingDelta, is_visible


@dataclass(slots=True)
class Timing:
    """The moments of one turn.

    A turn keeps its own; whoever reads a stream without one sets the moments that are fields here, and
    gives each block event to :meth:`receive`.
    """

    started_at: float | None = None  #: the turn was started; attempts and back-off come after it
    first_byte_at: float | None = None  #: the head of the answer that was accepted
    first_output_at: float | None = None
    first_answer_at: float | None = None  #: the first output that is no reasoning
    last_output_at: float | None = None
    ended_at: float | None = None
    outputs: int = 0
    longest_gap: float = 0.0  #: the longest time between two outputs
    #: The part of the time from the first output to the last that passed before outputs that are
    #: reasoning; for these the reader waited.
    reasoning_time: float = 0.0

    def receive(self, event: BlockEvent, now: float) -> None:
        """Count ``event``, which came at ``now``, if it is an output; after a ``MessageReset``, anew."""
        if isinstance(event, MessageReset):
            self.taken_back()
        elif is_visible(event):
            self.output(now, reasoning=is_reasoning(event))

    def taken_back(self) -> None:
        """No output until now counts any more."""
        self.first_output_at = self.first_answer_at = self.last_output_at = None
        self.outputs, self.longest_gap, self.reasoning_time = 0, 0.0, 0.0

    def output(self, now: float, *, reasoning: bool = False) -> None:
        """Count one output."""
        if self.last_output_at is None:
            self.first_output_at = now
        else:
            gap = now - self.last_output_at
            if gap > self.longest_gap:  # noqa: PLR1730  (max() takes three times as long, for each event)
                self.longest_gap = gap
            if reasoning:
                self.reasoning_time += gap
        if self.first_answer_at is None and not reasoning:
            self.first_answer_at = now
        self.last_output_at = now
        self.outputs += 1

    @property
    def time_to_first_byte(self) -> float | None:
        """TTFB: head of the accepted answer minus start of the turn."""
        return _difference(self.first_byte_at, self.started_at)

    @property
    def time_to_first_token(self) -> float | None:
        """TTFT: first output minus start of the turn, retries and their back-off included."""
        return _difference(self.first_output_at, self.started_at)

    @property
    def time_to_first_answer(self) -> float | None:
        """First output that is no reasoning minus start of the turn."""
        return _difference(self.first_answer_at, self.started_at)

    @property
    def answer_time(self) -> float | None:
        """The rest of the time from the first output to the last: what was not reasoning time."""
        seconds = _difference(self.last_output_at, self.first_output_at)
        return None if seconds is None else seconds - self.reasoning_time

    @property
    def mean_gap(self) -> float | None:
        """ITL, the mean time between two outputs: (last output - first output) / (outputs - 1).

        An output may hold several tokens, or a part of one.
        """
        seconds = _difference(self.last_output_at, self.first_output_at)
        return None if seconds is None or self.outputs < 2 else seconds / (self.outputs - 1)

    def time_per_output_token(self, output_tokens: int) -> float | None:
        """TPOT: (end - first output) / (output tokens - 1), as vLLM defines it.

        ``output_tokens`` is the provider's count, ``message.token_counts.output``.
        """
        if output_tokens < 2:
            return None
        seconds = _difference(self.ended_at, self.first_output_at)
        return None if seconds is None else seconds / (output_tokens - 1)

    @property
    def duration(self) -> float | None:
        """End minus start of the turn."""
        return _difference(self.ended_at, self.started_at)


_REASONING = frozenset({ThinkingDelta, SignatureDelta})


def is_reasoning(event: BlockEvent) -> bool:
    """Whether an output shows what the model thinks, and not what it answers."""
    if type(event) is BlockStart:
        return isinstance(event.block, ThinkingBlock | RedactedThinkingBlock)
    return type(event) in _REASONING


def _difference(later: float | None, earlier: float | None) -> float | None:
    return None if later is None or earlier is None else later - earlier
