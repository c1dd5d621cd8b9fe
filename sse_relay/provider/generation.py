"""One generation as a stream of bytes."""

from __future__ import annotations

from sse_http.application import StreamHead, StreamState, no_waker

from .events import frame
from .records import Record, RecordState
from .steps import Pacer, Then

#: Bytes that may wait for a slow reader; with more than that the generation pauses.
WAITING_BOUND = 65_536

#: What an end means for the connection, and for the record.
ENDS = {
    Then.NEXT: (StreamState.FINISHED, RecordState.COMPLETED),
    Then.FAIL: (StreamState.FINISHED, RecordState.FAULTED),
    Then.CUT: (StreamState.ABORTED, RecordState.FAULTED),
}


class Generation:
    """A ``Stream`` that sends each step of ``pacer`` when it is due.

    - ``pacer``: has the steps and their times.
    - ``record``: counts along.
    - ``head``: of the answer.
    - ``piece``: how many bytes ``data_to_send`` gives at most; without it, that may be one event more than
      ``WAITING_BOUND``.

    A reader that does not read stops the generation once ``WAITING_BOUND`` bytes wait: what was still to
    come is then postponed by the time that it lost, and does not arrive in a heap.
    """

    def __init__(self, pacer: Pacer, record: Record, head: StreamHead, piece: int | None = None) -> None:
        self.waker = no_waker
        self._pacer = pacer
        self._record = record
        self._head = head
        self._piece = piece
        self._waiting = bytearray()
        self._full_since: float | None = None
        self._state = StreamState.OPEN

    @property
    def head(self) -> StreamHead:
        """The head; it never waits for the content."""
        return self._head

    @property
    def state(self) -> StreamState:
        """Whether more bytes may come."""
        return self._state

    @property
    def deadline(self) -> float | None:
        """When the next event is due; ``None`` while too much waits, and at the end."""
        return self._pacer.deadline if self._state is StreamState.OPEN and not self._full else None

    @property
    def has_more(self) -> bool:
        """Whether the last pull left something."""
        return bool(self._waiting)

    def data_to_send(self, now: float) -> bytes:
        """What is due by now and not sent yet."""
        self._generate(now)
        data = bytes(self._waiting[: self._piece])
        del self._waiting[: self._piece]
        if self._full_since is not None and not self._full:
            self._pacer.postpone(now - self._full_since)
            self._full_since = None
        self._settle()
        return data

    def handle_timeout(self, now: float) -> None:
        """Make what is due by now."""
        self._generate(now)
        self._settle()
        self.waker()

    def close(self, now: float) -> None:  # noqa: ARG002  (the face of a Stream)
        """The exchange is over; if the generation is not, its reader has gone.  Harmless when repeated."""
        if self._state is StreamState.OPEN:
            self._state = StreamState.ABORTED
            self._record.end(RecordState.ABORTED)
            self._waiting.clear()

    @property
    def _full(self) -> bool:
        return len(self._waiting) >= WAITING_BOUND

    def _generate(self, now: float) -> None:
        if self._state is not StreamState.OPEN:
            return
        while not self._full:
            step = self._pacer.take(now)
            if step is None:
                return
            self._waiting += step.event if isinstance(step.event, bytes) else frame(step.event)
            self._record.tokens += step.tokens
        if self._full_since is None:
            self._full_since = now

    def _settle(self) -> None:
        """The last byte is on its way: only then it is over."""
        end = self._pacer.end
        if end is not None and not self._waiting and self._state is StreamState.OPEN:
            self._state, record_state = ENDS[end]
            self._record.end(record_state)
