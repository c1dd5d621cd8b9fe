"""A turn's events, numbered and bounded.  There are no queues: a reader is a cursor into the log.

The log's own bound is the bound of everybody's memory.  An entry that every reader has passed may
be dropped when room is needed; one that a reader still has to take may not, and then the log is
``full``: whoever fills it must pause.  With nobody reading, the oldest entries go.

Event IDs are ``epoch-sequence``: the epoch names the log, so an ID of another log is never taken
for a position in this one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ..framing import ServerSentEvent, encode_event

#: What an entry costs beside its bytes: the object's header and its slot.
ENTRY_OVERHEAD_BYTES = 64


class LogReader(Protocol):
    """What a log knows of its readers."""

    @property
    def position(self) -> int:
        """The sequence number of the last event that the reader has taken."""

    def log_changed(self, now: float) -> None:
        """There is something new to read, or the log was closed."""


class TurnLog:
    """The numbered events of one stream, as the bytes that readers are sent.

    ``epoch`` is the name of the log within its event IDs, of characters that an ID may hold and
    without a line ending.  ``max_bytes`` bounds what is retained.
    """

    def __init__(self, epoch: str, *, max_bytes: int = 4 * 1024 * 1024) -> None:
        self.epoch = epoch
        self.max_bytes = max_bytes
        self.retained_bytes = 0
        self.full = False  #: whoever fills the log must pause until ``on_room`` is called
        self.closed = False
        self.readers: list[LogReader] = []
        self.on_room: Callable[[float], None] = _nothing  #: called with ``now``
        self._entries: list[bytes] = []
        self._first = 1  # the sequence number of the oldest entry that is retained
        self._keeping = True
        # Room is made a quarter at a time: each entry is moved a bounded number of times, and a
        # reader that frees one entry doesn't start and stop the provider for it.
        self._low_bytes = max_bytes - max_bytes // 4

    @property
    def last(self) -> int:
        """The sequence number of the newest event; 0 before the first."""
        return self._first + len(self._entries) - 1

    @property
    def first_retained(self) -> int:
        """The sequence number of the oldest event that can still be read."""
        return self._first

    def append(self, event: ServerSentEvent) -> None:
        """Number ``event`` and keep it.  Readers are told by ``announce``, once for a batch."""
        if not self._keeping:
            self._first += 1
            return
        event_id = f"{self.epoch}-{self.last + 1}"
        name = None if event.type == "message" else event.type
        entry = encode_event(event.data, event=name, id=event_id)
        self._entries.append(entry)
        self.retained_bytes += len(entry) + ENTRY_OVERHEAD_BYTES
        if self.retained_bytes >= self.max_bytes:
            self._trim()

    def announce(self, now: float) -> None:
        """Tell every reader that there is something new."""
        for reader in tuple(self.readers):
            reader.log_changed(now)

    def close(self, now: float) -> None:
        """No event will follow."""
        self.closed = True
        self.announce(now)

    def discard(self, now: float) -> None:
        """Keep nothing, now and from now on: nobody will come back to read it."""
        self._keeping = False
        self._first += len(self._entries)
        self._entries.clear()
        self.retained_bytes = 0
        self._make_room(now)

    def add_reader(self, reader: LogReader) -> None:
        """Nothing that ``reader`` has yet to take will be dropped from now on."""
        self.readers.append(reader)

    def remove_reader(self, reader: LogReader, now: float) -> None:
        """``reader`` has gone; harmless when it had gone before."""
        if reader in self.readers:
            self.readers.remove(reader)
            self._make_room(now)

    def read(self, position: int, max_bytes: int) -> tuple[bytes, int]:
        """What follows ``position``, and the position after it.

        Whole entries, joined up to ``max_bytes``, but at least one if there is one.
        """
        start = end = max(position + 1 - self._first, 0)
        size = 0
        while end < len(self._entries):
            size += len(self._entries[end])
            if size > max_bytes and end > start:
                break
            end += 1
        return b"".join(self._entries[start:end]), self._first + end - 1

    def reader_moved(self, now: float) -> None:
        """A reader's position has changed: perhaps there is room now."""
        if self.full:
            self._make_room(now)

    def position_of(self, event_id: str) -> int | None:
        """The position that ``event_id`` stands for, or ``None`` if it isn't one of this log."""
        epoch, _, number = event_id.rpartition("-")
        # isdecimal() alone takes digits of every script; int() would too.
        if epoch != self.epoch or not (number.isascii() and number.isdecimal()) or len(number) > 15:
            return None
        position = int(number)
        return position if position <= self.last else None

    def _make_room(self, now: float) -> None:
        was_full = self.full
        if was_full:
            self._trim()
        if was_full and not self.full:
            self.on_room(now)

    def _trim(self) -> None:
        """Drop the oldest entries that nobody has to read, until a quarter of the room is free."""
        needed = min((reader.position for reader in self.readers), default=self.last)
        droppable = max(min(needed + 1 - self._first, len(self._entries)), 0)
        count = 0
        while count < droppable and self.retained_bytes > self._low_bytes:
            self.retained_bytes -= len(self._entries[count]) + ENTRY_OVERHEAD_BYTES
            count += 1
        del self._entries[:count]
        self._first += count
        self.full = self.retained_bytes > (self._low_bytes if self.full else self.max_bytes - 1)


def _nothing(now: float) -> None:
    """Nobody waits for room."""
