"""A log in memory: events, numbered and bounded.  There are no queues: a reader is a cursor into the log.

The log's own bounds are the bound of everybody's memory.  An entry that every reader has passed may
be dropped when room is needed; one that a reader still has to take may not, and then the log is
``full``: whoever fills it must pause.  With nobody reading, the oldest entries go.  Where nobody can
pause, readers don't hold anything: the oldest entries go, and a reader who hasn't taken them has a gap.

Event IDs are ``epoch-sequence``: the epoch names the log, so an ID of another log is never taken
for a position in this one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from ...arguments import wrong_type
from ...errors import LocalProtocolError
from ...framing import ServerSentEvent, encode_event
from .delta_merge import merged
from .event_log import LogReader
from .snapshots import Snapshots

#: What an entry costs beside its bytes: the object's header and its slot.
ENTRY_OVERHEAD_BYTES = 64


class TurnLog:
    """An :class:`.event_log.EventLog` in memory: what is appended can be read at once.

    - ``epoch``: the name of the log within its event IDs; with ``None`` it gives none, and each event keeps
      the ``last_event_id`` that it came with.
    - ``max_bytes``, ``max_events``: bound what is retained: whoever writes while the log isn't ``full``
      exceeds ``max_bytes`` by less than one entry.
    - ``readers_hold``: false means that the log is never full: what goes beyond the bounds is dropped,
      whoever has yet to take it.
    - ``delta``: says which neighbours may be merged for a reader who is behind (``Dialect.delta``).
    - ``snapshots``: gives a reader in short what was dropped.

    Raises ``ValueError`` for an ``epoch`` that is empty or that no event ID can hold, and for bounds
    below 1.
    """

    def __init__(
        self,
        epoch: str | None,
        *,
        max_bytes: int = 4 * 1024 * 1024,
        max_events: int = 100_000,
        readers_hold: bool = True,
        delta: re.Pattern[bytes] | None = None,
        snapshots: Snapshots | None = None,
    ) -> None:
        if epoch == "":
            raise ValueError("the epoch names the log within its event IDs: it can't be empty")
        encode_event("", id=epoch)
        for name, bound in (("max_bytes", max_bytes), ("max_events", max_events)):
            if bound < 1:
                raise ValueError(f"{name} must be 1 or more, not {bound}")
        self.epoch = epoch
        self.max_bytes = max_bytes
        self.max_events = max_events
        self.retained_bytes: int = 0
        self.last: int = 0  #: the sequence number of the newest event; 0 before the first
        self.full: bool = False  #: whoever fills the log must pause until ``on_room`` is called
        self.closed: bool = False
        self.stop_wished: bool = False  #: somebody wishes the stream to stop
        self.on_room: Callable[[float], object] = _nothing  #: called with ``now`` when ``full`` ends
        self.on_stop_wished: Callable[[float], object] = _nothing  #: called with ``now``, once
        self._readers: dict[LogReader, None] = {}  # a set that keeps its order
        self._entries: list[bytes] = []
        self._dropped = 0  # how many of them, from the front, are empty by now
        self._first = 1  # the sequence number of the oldest entry that is retained
        self._needed = 0  # the oldest event that a reader had yet to take when room was needed last
        self._holders = 0  # how many readers have yet to take it
        self._keeping = True
        self._readers_hold = readers_hold
        self._delta = delta
        self._snapshots = snapshots
        # Room is made a quarter at a time: a reader that frees one entry doesn't start and stop the
        # provider for it.
        self._low_bytes = max_bytes - max_bytes // 4
        self._low_events = max_events - max_events // 4

    @property
    def first_retained(self) -> int:
        """The sequence number of the oldest event that can still be read."""
        return self._first

    def append(self, *events: ServerSentEvent) -> None:
        """Number a batch of events and keep them.  Readers are called by ``announce``.

        Raises ``LocalProtocolError`` after ``close``, ``TypeError`` for what is no event, and ``ValueError``
        for an event that can't be written; those before it are kept.
        """
        for event in events:
            if not isinstance(event, ServerSentEvent):
                raise wrong_type("append", event, ServerSentEvent)
            lines = b""  # of what is thrown away nothing is written
            if self._keeping:
                own = event.last_event_id or None
                event_id = own if self.epoch is None else f"{self.epoch}-{self.last + 1}"
                lines = encode_event(event.data, event=event.type, id=event_id)
            self.append_lines(lines)

    def append_lines(self, lines: bytes) -> None:
        """Keep whole lines as they are: a comment, for one.  They have a number, and no ID.

        Raises ``LocalProtocolError`` after ``close``.
        """
        if self.closed:
            raise LocalProtocolError("this log was closed: no event may follow")
        self.last += 1
        if not self._keeping:
            self._first += 1
            return
        self._entries.append(lines)
        self.retained_bytes += len(lines) + ENTRY_OVERHEAD_BYTES
        # It ends being full in `_make_room` only, where whoever waits for that is called.
        if self.full:
            return
        if self.retained_bytes >= self.max_bytes or self.last - self._first + 1 >= self.max_events:
            self._drop_what_all_have_passed()
            somebody_needs_it = self._needed <= self.last
            self.full = somebody_needs_it and self._is_beyond(self.max_bytes, self.max_events)

    def announce(self, now: float) -> None:
        """Let every reader know that there is something new."""
        for reader in tuple(self._readers):
            reader.log_changed(now)

    def close(self, now: float) -> None:
        """No event will follow."""
        self.closed = True
        self._settle()
        self.announce(now)

    def discard(self, now: float) -> None:
        """Keep nothing, now and from now on: nobody will come back to read it."""
        self._keeping = False
        self._first = self.last + 1
        self._entries.clear()
        self._dropped = 0
        self.retained_bytes = 0
        if self._snapshots is not None:
            # It knows nothing of what is thrown away here, so it can't stand for it.
            self._snapshots.forget()
        self._make_room(now)

    def wish_stop(self, now: float) -> None:
        """Ask whoever writes to stop.  Harmless when repeated, or after ``close``."""
        if not self.stop_wished and not self.closed:
            self.stop_wished = True
            self.on_stop_wished(now)

    def add_reader(self, reader: LogReader) -> None:
        """Nothing that ``reader`` has yet to take will be dropped from now on."""
        self._readers[reader] = None
        self._holders += reader.position < self._needed

    def remove_reader(self, reader: LogReader, now: float) -> None:
        """``reader`` has gone; harmless when it had gone before."""
        if reader in self._readers:
            del self._readers[reader]
            self._make_room(now)

    def read(self, position: int, max_bytes: int, *, max_merged_bytes: int = 0) -> tuple[bytes, int]:
        """What follows ``position``, and the position after it.

        Whole entries, joined up to ``max_bytes``, but at least one if there is one.  Adjacent deltas
        come as one, with up to ``max_merged_bytes`` of text, if that is not 0 and the log knows of deltas.
        """
        if position + 1 == self.last >= self._first:
            return self._entries[-1], self.last  # a reader who keeps up takes one event, as it is
        start = end = self._index(max(position + 1, self._first))
        size = 0
        while end < len(self._entries):
            size += len(self._entries[end])
            if size > max_bytes and end > start:
                break
            end += 1
        entries = self._entries[start:end]
        after = self._first + end - self._dropped - 1
        if max_merged_bytes and self._delta is not None:
            return b"".join(merged(entries, self._delta, max_merged_bytes)), after
        return b"".join(entries), after

    def what_was_dropped(self, position: int) -> bytes:
        """What a reader at ``position`` is sent of the events after it that are gone, if any are.

        First an event ``gap``, with the numbers of the first and the last that are missing.  It has data,
        so that a browser's EventSource sees it, and no ID: the next event's own ID is a position that
        exists.  Then, where the log has snapshots, all that was dropped since the beginning, in short:
        ``snapshot`` says in how many events, and the last of them has the ID of the last that was dropped.
        """
        if position + 1 >= self._first:
            return b""
        missing = {"type": "gap", "from": position + 1, "to": self._first - 1}
        count, short = 0, b""
        if self._snapshots is not None:
            count, short = self._snapshots.in_short(self._last_dropped_id())
        if count:
            missing["snapshot"] = count
        return encode_event(json.dumps(missing), event="gap") + short

    def reader_moved(self, before: int, now: float) -> None:
        """A reader's position has changed from ``before``: perhaps there is room now."""
        # Of a thousand readers only the last of those who were the last can make room.
        if before < self._needed:
            self._holders -= 1
            if self._holders <= 0:
                self._make_room(now)

    def position_of(self, event_id: str) -> int | None:
        """The position that ``event_id`` stands for, or ``None`` if it isn't one of this log."""
        epoch, _, number = event_id.rpartition("-")
        # isdecimal() alone takes digits of every script; int() would too.
        if epoch != self.epoch or not (number.isascii() and number.isdecimal()) or len(number) > 15:
            return None
        position = int(number)
        if number != str(position):
            return None
        return position if position <= self.last else None

    def _settle(self) -> None:
        if self.closed and not self.full and self._snapshots is not None:
            # Nothing more comes, so nothing more is dropped.
            self._snapshots.settle(self._last_dropped_id())

    def _last_dropped_id(self) -> str | None:
        return None if self.epoch is None else f"{self.epoch}-{self._first - 1}"

    def _make_room(self, now: float) -> None:
        if self.full:
            self._drop_what_all_have_passed()
            if not self._is_beyond(self._low_bytes + 1, self._low_events + 1):
                self.full = False
                self._settle()
                self.on_room(now)

    def _is_beyond(self, max_bytes: int, max_events: int) -> bool:
        return self.retained_bytes >= max_bytes or self.last - self._first + 1 >= max_events

    def _drop_what_all_have_passed(self) -> None:
        """Drop the oldest entries that nobody has to read, until a quarter of the room is free."""
        positions = [reader.position for reader in self._readers] if self._readers_hold else []
        passed = min(positions, default=self.last)
        self._needed, self._holders = passed + 1, positions.count(passed)
        end = min(self._index(self._needed), len(self._entries))
        while self._dropped < end and self._is_beyond(self._low_bytes + 1, self._low_events + 1):
            entry = self._entries[self._dropped]
            if self._snapshots is not None:
                self._snapshots.dropped(entry)
            self.retained_bytes -= len(entry) + ENTRY_OVERHEAD_BYTES
            self._entries[self._dropped] = b""
            self._dropped += 1
            self._first += 1
        # Moved only when at least half of it is empty: so each entry is moved once or twice in all.
        if 2 * self._dropped > len(self._entries):
            del self._entries[: self._dropped]
            self._dropped = 0

    def _index(self, number: int) -> int:
        """Where in ``_entries`` the event with this sequence number is, or would be."""
        return number - self._first + self._dropped


def _nothing(now: float) -> None:
    """Nobody waits for it."""
