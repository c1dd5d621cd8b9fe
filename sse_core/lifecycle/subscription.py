"""One reader of a log: a cursor, a heartbeat, an end.

Nothing is copied for a reader and nothing waits for it: whoever owns its socket pulls the next
bytes when the socket has room.  A reader that takes nothing for ``stall`` seconds, though there is
something to take, is evicted, so that the others and the provider need not wait for it for ever.

Heartbeats are a comment line with no blank line after it: several clients dispatch an empty event
for a comment that a blank line follows.  They are sent only when nothing else was.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Callable
from dataclasses import dataclass

from ..framing import encode_comment, encode_event
from .log import TurnLog
from .seconds import check_durations
from .timers import Timer, Timers

_PING = encode_comment("ping")
_MAX_BYTES_A_PULL = 64 * 1024


@dataclass(frozen=True, slots=True)
class SubscriptionSettings:
    """How a reader is treated; all in seconds, ``None`` switches a thing off.

    ``heartbeat`` is well below the 60 s after which nginx, HAProxy and AWS cut an idle stream.
    Raises ``ValueError`` for what is not above zero, or not finite.
    """

    heartbeat: float | None = 15.0
    stall: float | None = 60.0
    lifetime: float | None = None

    def __post_init__(self) -> None:
        check_durations(self)


class ReaderOutcome(enum.Enum):
    """How it ended for one reader."""

    FINISHED = "finished"  #: it was given everything
    GONE = "gone"  #: it left
    EVICTED = "evicted"  #: it took nothing for too long
    EXPIRED = "expired"  #: its lifetime was over; it may come back with its last event ID


class Subscription:
    """A cursor into ``log``, from ``after`` (a position; 0 is the start).

    ``waker`` is called when there may be something to pull.

    Raises ``ValueError`` for an ``after`` that the log hasn't come to yet.
    """

    def __init__(
        self,
        log: TurnLog,
        now: float,
        *,
        after: int = 0,
        settings: SubscriptionSettings | None = None,
        waker: Callable[[], None] | None = None,
    ) -> None:
        if not 0 <= after <= log.last:
            raise ValueError(f"a reader begins after an event from 0 to {log.last}, not {after}")
        self.position = after
        self.waker = waker or _nobody
        self.outcome: ReaderOutcome | None = None
        self._log = log
        self._settings = settings or SubscriptionSettings()
        self._timers = Timers()
        self._heartbeat_due = False
        self._gap = self._find_gap()
        log.add_reader(self)
        self._arm(Timer.HEARTBEAT, self._settings.heartbeat, now)
        self._arm(Timer.LIFETIME, self._settings.lifetime, now)
        self.log_changed(now)

    @property
    def deadline(self) -> float | None:
        """When to call ``handle_timeout``."""
        return self._timers.deadline

    @property
    def behind(self) -> bool:
        """Whether there is something to pull."""
        return self.position < self._log.last or bool(self._gap)

    def data_to_send(self, now: float, max_bytes: int = _MAX_BYTES_A_PULL) -> bytes:
        """The next bytes for this reader: events, or a heartbeat that is due, or nothing."""
        if self.outcome is not None:
            return b""
        data = self._take(now, max_bytes)
        if not data and self._heartbeat_due:
            data = _PING
        if data:
            self._heartbeat_due = False
            self._arm(Timer.HEARTBEAT, self._settings.heartbeat, now)
        self._timers.disarm(Timer.STALL)
        if self.behind:
            self._arm(Timer.STALL, self._settings.stall, now)
        elif self._log.closed:
            self._end(ReaderOutcome.FINISHED, now)
        return data

    def _take(self, now: float, max_bytes: int) -> bytes:
        gap, self._gap = self._gap, b""
        data, self.position = self._log.read(self.position, max_bytes)
        self._log.reader_moved(now)
        return gap + data

    def log_changed(self, now: float) -> None:
        """The log has something new, or was closed."""
        if self.outcome is not None:
            return
        if self.behind and self._timers.due(Timer.STALL) is None:
            self._arm(Timer.STALL, self._settings.stall, now)
        self.waker()

    def handle_timeout(self, now: float) -> None:
        """Fire the timers that are due."""
        for timer in self._timers.take_expired(now):
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

    def _arm(self, timer: Timer, seconds: float | None, now: float) -> None:
        if seconds is not None:
            self._timers.arm(timer, now + seconds)

    def _find_gap(self) -> bytes:
        """What tells a reader that events it asks for are gone.

        It is an event with data, so that a browser's EventSource sees it, and it has no ID: the
        next event's own ID is a position that exists.
        """
        if self.position + 1 >= self._log.first_retained:
            return b""
        missing = {"type": "gap", "from": self.position + 1, "to": self._log.first_retained - 1}
        return encode_event(json.dumps(missing), event="gap")


def _nobody() -> None:
    """Nobody is waiting yet."""
