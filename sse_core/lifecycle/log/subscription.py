"""One reader of a log: a cursor, a heartbeat, an end.

Nothing is copied for a reader and nothing waits for it: whoever owns its socket pulls the next
bytes when the socket has room.  A reader that takes nothing for ``stall`` seconds, though there is
something to take, is evicted, so that the others and the provider need not wait for it for ever.

Heartbeats are a comment line with no blank line after it: several clients dispatch an empty event
for a comment that a blank line follows.  They are sent only when nothing else was.

A reader who doesn't keep up gets all that there is in one piece, and, after a while, adjacent deltas as
one event.  One who does gets each event when it comes.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

from ...framing import encode_comment
from ..durations import check_durations
from ..retry import Jitter, no_jitter
from ..timers import Timer, Timers
from .event_log import EventLog

_MAX_BYTES_A_PULL = 64 * 1024


@dataclass(frozen=True, slots=True)
class SubscriptionSettings:
    """How a reader is treated; times in seconds, ``None`` switches a thing off.

    - ``heartbeat``: after so long without a byte one is sent: well below the 60 s after which nginx, HAProxy
      and AWS cut an idle stream.
    - ``stall``: a reader that takes nothing for so long, though there is something, is evicted.
    - ``lifetime``: after it, a reader is to come back on a new connection.
    - ``lifetime_jitter``: up to this fraction of ``lifetime`` is taken away at random, so that readers who
      came together don't come back together.
    - ``heartbeat_bytes``: how long a heartbeat is at the least, for what holds small writes back.
    - ``merge_after``: a reader who has been behind for so long gets adjacent deltas as one.
    - ``max_merged_bytes``: of text in such a delta.

    Raises ``ValueError``, naming the setting, for what none of these can be.
    """

    heartbeat: float | None = 15.0
    stall: float | None = 60.0
    lifetime: float | None = None
    lifetime_jitter: float = 0.25
    heartbeat_bytes: int = 0
    merge_after: float | None = 1.0
    max_merged_bytes: int = 16 * 1024

    def __post_init__(self) -> None:
        check_durations(self, "heartbeat", "stall", "lifetime", "merge_after")
        if not 0 <= self.lifetime_jitter <= 1:
            raise ValueError("lifetime_jitter is a fraction: it must be between 0 and 1")
        encode_comment("", pad_to=self.heartbeat_bytes)
        if self.max_merged_bytes < 1:
            raise ValueError(f"max_merged_bytes must be 1 or more: {self.max_merged_bytes!r}")


_SETTINGS = SubscriptionSettings()  # of those who are given none


class ReaderOutcome(enum.Enum):
    """How it ended for one reader."""

    FINISHED = "finished"  #: it was given everything
    GONE = "gone"  #: it left
    EVICTED = "evicted"  #: it took nothing for too long
    EXPIRED = "expired"  #: its lifetime was over; it may come back with its last event ID


class Subscription:
    """A cursor into a log.

    - ``log``: any :class:`.event_log.EventLog`.
    - ``after``: the position to begin at; 0 is the start.
    - ``settings``: how the reader is treated.
    - ``waker``: called when there may be something to pull.
    - ``jitter``: the randomness of ``lifetime_jitter``.

    Raises ``ValueError`` for an ``after`` that the log hasn't come to yet.
    """

    def __init__(
        self,
        log: EventLog,
        now: float,
        *,
        after: int = 0,
        settings: SubscriptionSettings | None = None,
        waker: Callable[[], None] | None = None,
        jitter: Jitter = no_jitter,
    ) -> None:
        if not 0 <= after <= log.last:
            raise ValueError(f"a reader begins after an event from 0 to {log.last}, not {after}")
        self.position: int = after
        self.waker: Callable[[], None] = waker or _nobody
        self.outcome: ReaderOutcome | None = None
        self._log = log
        self._settings = settings or _SETTINGS
        self._timers = Timers()
        self._heartbeat_due = False
        self._behind_since: float | None = None
        self._is_pulled = False
        log.add_reader(self)
        self._timers.begin(Timer.HEARTBEAT, self._settings.heartbeat, now)
        if self._settings.lifetime is not None:
            shorter = self._settings.lifetime_jitter * jitter()
            self._timers.begin(Timer.LIFETIME, self._settings.lifetime * (1 - shorter), now)
        self.log_changed(now)

    @property
    def deadline(self) -> float | None:
        """When to call ``handle_timeout``."""
        return self._timers.deadline

    @property
    def behind(self) -> bool:
        """Whether there is something to pull."""
        return self.position < self._log.last

    def data_to_send(self, now: float, max_bytes: int = _MAX_BYTES_A_PULL) -> bytes:
        """The next bytes for this reader: events, or a heartbeat that is due, or nothing.

        About ``max_bytes``, but at least one event; a gap and its snapshot come in one piece, before them.
        Pull until there is nothing.  A waker that pulls while a pull makes room is given nothing: what it
        would be given comes behind what that pull gives.
        """
        if self.outcome is not None or self._is_pulled:
            return b""
        data = self._take(now, max_bytes) if self.position < self._log.last else b""
        if self._has_ended():  # by whoever was called because there is room
            return b""
        if not data and self._heartbeat_due:
            data = encode_comment("ping", pad_to=self._settings.heartbeat_bytes)
        if data:
            self._heartbeat_due = False
            self._timers.begin(Timer.HEARTBEAT, self._settings.heartbeat, now)
        if self.position < self._log.last:
            self._timers.begin(Timer.STALL, self._settings.stall, now)
            return data
        self._timers.disarm(Timer.STALL)
        self._behind_since = None
        if self._log.closed:
            self._end(ReaderOutcome.FINISHED, now)
        return data

    def _take(self, now: float, max_bytes: int) -> bytes:
        log, settings = self._log, self._settings
        gap = log.what_was_dropped(self.position)
        since = now - (now if self._behind_since is None else self._behind_since)
        merges = settings.merge_after is not None and since >= settings.merge_after
        merged = settings.max_merged_bytes if merges else 0
        before = self.position
        data, self.position = log.read(before, max_bytes, max_merged_bytes=merged)
        self._is_pulled = True
        try:
            log.reader_moved(before, now)
        finally:
            self._is_pulled = False
        return gap + data

    def _has_ended(self) -> bool:
        return self.outcome is not None

    def log_changed(self, now: float) -> None:
        """The log has something new, or was closed."""
        if self.outcome is not None:
            return
        if self._behind_since is None and self.position < self._log.last:
            self._behind_since = now
            self._timers.begin(Timer.STALL, self._settings.stall, now)
        self.waker()

    def handle_timeout(self, now: float) -> None:
        """Fire the timers that are due."""
        # One by one: a waker that pulls puts off the timers that were due with this one.
        while (timer := self._timers.next_expired(now)) is not None:
            if timer is Timer.HEARTBEAT:
                self._heartbeat_due = True
            else:
                evicted = timer is Timer.STALL
                self._end(ReaderOutcome.EVICTED if evicted else ReaderOutcome.EXPIRED, now)
            self.waker()

    def close(self, now: float) -> None:
        """The reader has gone; idempotent."""
        self._end(ReaderOutcome.GONE, now)

    def _end(self, outcome: ReaderOutcome, now: float) -> None:
        if self.outcome is None:
            self.outcome = outcome
            self._timers.clear()
            self._log.remove_reader(self, now)


def _nobody() -> None:
    """Nobody is waiting yet."""
