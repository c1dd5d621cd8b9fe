"""What a log of events is to those who write and read it, wherever its events are kept.

One writer appends, any number of readers follow, each a cursor; the log numbers the events from 1 on, and
a reader's position is the number of the last event that it has.  :class:`.turn_log.TurnLog` keeps the
events in memory, and all that is appended can be read at once.  A log may be elsewhere, and learn later
what came of an append, or that another process has appended something.  So these rules hold for every log:

- What readers see is ``last``, ``closed`` and what ``read`` gives.  These three change together, and
  afterwards each reader's ``log_changed`` is called: within ``announce`` or ``close``, or later.
- An event that can be read stays where it is: numbers and IDs never change.
- What a reader who was added has yet to take is not dropped, unless the log was made so.
- Nothing here waits.  A log that needs a round trip has a part that makes it, which is the binding's.

``conformance.py`` holds these promises as cases, for any log.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ...framing import ServerSentEvent


class LogReader(Protocol):
    """What a log knows of its readers."""

    @property
    def position(self) -> int:
        """The sequence number of the last event that the reader has taken."""

    def log_changed(self, now: float) -> None:
        """There is something new to read, or the log was closed."""


class EventLog(Protocol):
    """The numbered events of one stream, as the bytes that readers are sent."""

    on_room: Callable[[float], object]
    """Called with ``now`` when ``full`` ends.  Set it if you write."""
    on_stop_wished: Callable[[float], object]
    """Called with ``now`` when somebody wishes the stream to stop.  Set it if you write."""

    # What there is

    @property
    def last(self) -> int:
        """The sequence number of the newest event that can be read; 0 before the first."""

    @property
    def first_retained(self) -> int:
        """The sequence number of the oldest event that can still be read."""

    @property
    def closed(self) -> bool:
        """Whether ``last`` is the last event of all."""

    @property
    def full(self) -> bool:
        """Whether whoever writes is to pause until ``on_room`` is called."""

    @property
    def stop_wished(self) -> bool:
        """Whether somebody wishes the stream to stop, in this process or in another one."""

    @property
    def retained_bytes(self) -> int:
        """What the log holds in this process, in bytes."""

    # For who writes

    def append(self, *events: ServerSentEvent) -> None:
        """Number a batch of events and keep them.  Readers see them after ``announce``, at once or later.

        Raises ``LocalProtocolError`` after ``close``, ``TypeError`` for what is no event, and ``ValueError``
        for an event that can't be written; those before it are kept.
        """

    def announce(self, now: float) -> None:
        """Let every reader know that there is something new, as soon as it can be read."""

    def close(self, now: float) -> None:
        """No event will follow.  Readers see it with the last event, at once or later; idempotent."""

    def discard(self, now: float) -> None:
        """Keep nothing, now and from now on: nobody will come back to read it."""

    # For who reads

    def position_of(self, event_id: str) -> int | None:
        """The position that ``event_id`` stands for, or ``None`` if it isn't one of this log."""

    def add_reader(self, reader: LogReader) -> None:
        """``reader`` is called when there is something new."""

    def remove_reader(self, reader: LogReader, now: float) -> None:
        """``reader`` has gone; harmless when it had gone before."""

    def reader_moved(self, before: int, now: float) -> None:
        """A reader's position has changed from ``before``: perhaps there is room now."""

    def read(self, position: int, max_bytes: int, *, max_merged_bytes: int = 0) -> tuple[bytes, int]:
        """What follows ``position``, and the position after it.

        - ``max_bytes``: whole events are joined up to so many, but at least one if there is one.
        - ``max_merged_bytes``: adjacent deltas come as one, with so many bytes of text at the most; 0, or a
          log that knows of no deltas, merges none.
        """

    def what_was_dropped(self, position: int) -> bytes:
        """What a reader at ``position`` is sent of the events after it that are gone; empty if none is.

        First an event ``gap``, whose data is a JSON object with the numbers ``from`` and ``to`` of the first
        and the last that are missing.  It has no ID: the next event's own ID is a position that exists.
        """

    def wish_stop(self, now: float) -> None:
        """Ask whoever writes, in whichever process, to stop.  Harmless when repeated, or when it is over."""
