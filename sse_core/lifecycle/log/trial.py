"""What the cases of :mod:`.conformance` work with: logs to try, a clock, and readers that count."""

from __future__ import annotations

from collections.abc import Callable

from ...framing import EventStreamDecoder, ServerSentEvent
from .event_log import EventLog

#: Makes an empty log whose readers hold what they have yet to take, and which keeps so many events.
MakeLog = Callable[[int], EventLog]
#: Waits until all that a log has to do has come about; ``now`` is the time by then.
Settle = Callable[[EventLog, float], None]
#: More bytes than any log of a case holds.
ALL = 2**20


class BrokenPromise(AssertionError):
    """A log does not do what every log promises."""


class Trial:
    """Logs to try, and a clock.

    - ``make``: gives a new log each time.
    - ``settle``: waits for it; a log that does all at once needs none.
    """

    def __init__(self, make: MakeLog, settle: Settle | None = None) -> None:
        self.now: float = 0.0
        self._make = make
        self._settle = settle

    def log(self, *texts: str, max_events: int = 1000) -> EventLog:
        """A new log with these events in it."""
        log = self._make(max_events)
        self.write(log, *texts)
        return log

    def write(self, log: EventLog, *texts: str) -> None:
        """One batch of events, and the time that it takes until they can be read."""
        log.append(*(ServerSentEvent("message", text) for text in texts))
        log.announce(self.now)
        self.settle(log)

    def fill(self, log: EventLog) -> int:
        """Write until the log is full; how many events there are by then."""
        while not log.full:
            expect(log.last < 10_000, "a log with a reader who takes nothing must be full some time")
            self.write(log, str(log.last + 1))
        return log.last

    def close(self, log: EventLog) -> None:
        """No more events, and the time that it takes until readers see it."""
        log.close(self.now)
        self.settle(log)

    def settle(self, log: EventLog) -> None:
        """Let all come about that ``log`` has to do."""
        self.now += 1.0
        if self._settle is not None:
            self._settle(log, self.now)


class Reader:
    """A reader that keeps the calls that it gets."""

    def __init__(self, log: EventLog, position: int = 0) -> None:
        self.position: int = position
        self.calls: list[tuple[int, bool]] = []  #: ``last`` and ``closed``, at each call
        self._log = log
        log.add_reader(self)

    def log_changed(self, now: float) -> None:  # noqa: ARG002  (a log's call)
        """Something is new."""
        self.calls.append((self._log.last, self._log.closed))

    def take(self, now: float, max_bytes: int = ALL) -> bytes:
        """What comes next."""
        before = self.position
        data, self.position = self._log.read(before, max_bytes)
        self._log.reader_moved(before, now)
        return data


def expect(holds: object, promise: str) -> None:
    """Raise ``BrokenPromise`` unless this ``holds``."""
    if not holds:
        raise BrokenPromise(promise)


def decoded(data: bytes) -> list[ServerSentEvent]:
    """The events in these bytes."""
    return EventStreamDecoder().receive_data(data)


def texts(log: EventLog, position: int = 0) -> list[str]:
    """The data of all that follows ``position``."""
    return [event.data for event in decoded(log.read(position, ALL)[0])]
