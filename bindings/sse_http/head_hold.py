"""The head of an answer, which waits until a failure can no longer be its status.

Until the first event, or until somebody else has answered, what goes wrong can still be a 500 or a 502.  The
client of an event stream should not wait for ever to see that it has begun, though: so the head is shown
when the hold is over, whatever has come.
"""

from __future__ import annotations

from .application import Reply, StreamHead


class HeadHold:
    """The head of one answer.

    - ``until``: when the hold is over, in seconds; ``None`` if nothing has begun to wait.
    """

    __slots__ = ("deadline", "head")

    def __init__(self, until: float | None = None) -> None:
        self.head: StreamHead | Reply | None = None  #: once it is decided
        self.deadline = until  #: the end of the hold; ``None`` once it is over

    def begin(self, until: float) -> None:
        """Wait until then."""
        self.deadline = until

    def decide(self, head: StreamHead | Reply) -> None:
        """Let ``head`` be the answer's, unless there is one already; nothing is waited for any more."""
        self.deadline = None
        if self.head is None:
            self.head = head

    def give_up(self) -> None:
        """The answer is over: nothing is waited for any more."""
        self.deadline = None

    def is_over(self, now: float) -> bool:
        """Whether the head is to be decided now."""
        return self.deadline is not None and self.deadline <= now
