"""An event stream as an answer: its head, and when it ends for a reader."""

from __future__ import annotations

from sse_core.lifecycle import ReaderOutcome

from .application import StreamState

#: What the head of every event stream says.
EVENT_STREAM_HEADERS = (
    ("content-type", "text/event-stream; charset=utf-8"),
    # no-transform: some proxies hold back what they compress.
    ("cache-control", "no-cache, no-transform"),
    # nginx buffers answers unless told not to.
    ("x-accel-buffering", "no"),
)

#: How an answer stands, by what has become of its reader's subscription.
READER_STATES = {
    None: StreamState.OPEN,
    ReaderOutcome.FINISHED: StreamState.FINISHED,
    ReaderOutcome.EXPIRED: StreamState.FINISHED,
    ReaderOutcome.EVICTED: StreamState.ABORTED,
    ReaderOutcome.GONE: StreamState.ABORTED,
}
