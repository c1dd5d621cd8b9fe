"""An event stream as an answer: its head, and when it ends for a reader."""

from __future__ import annotations

from collections.abc import Iterable

from sse_core.headers import Headers
from sse_core.lifecycle import ReaderOutcome

from .application import StreamHead, StreamState, Waker, no_waker

#: What the head of every event stream says.
EVENT_STREAM_HEADERS = (
    ("content-type", "text/event-stream; charset=utf-8"),
    # no-transform: some proxies hold back what they compress.
    ("cache-control", "no-cache, no-transform"),
    # nginx buffers answers otherwise.
    ("x-accel-buffering", "no"),
)

#: How an answer stands, by what has become of its reader's subscription.
READER_STATES: dict[ReaderOutcome | None, StreamState] = {
    None: StreamState.OPEN,
    ReaderOutcome.FINISHED: StreamState.FINISHED,
    ReaderOutcome.EXPIRED: StreamState.FINISHED,
    ReaderOutcome.EVICTED: StreamState.ABORTED,
    ReaderOutcome.GONE: StreamState.ABORTED,
}


class EventStreamHead:
    """The answer to HEAD where GET is answered with an event stream: a ``Stream`` that begins nothing.

    - ``fields``: what its head says beside ``EVENT_STREAM_HEADERS``.
    """

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self.waker: Waker = no_waker
        self.head: StreamHead = StreamHead(200, Headers([*EVENT_STREAM_HEADERS, *fields]))
        self.state = StreamState.FINISHED
        self.deadline: float | None = None
        self.has_more = False

    def data_to_send(self, now: float) -> bytes:  # noqa: ARG002  (the face of a Stream)
        """Nothing."""
        return b""

    def handle_timeout(self, now: float) -> None:
        """Waits for nothing."""

    def close(self, now: float) -> None:
        """Holds nothing."""
