"""The promises of every log: kept by that in memory and by one that reports later; wrong logs are found."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sse_core import ServerSentEvent
from sse_core.lifecycle import EventLog, LogReader, TurnLog
from sse_core.lifecycle.log.conformance import CASES, BrokenPromise, Trial
from tests.core.lifecycle.log.later_log import LaterLog

Case = Callable[[Trial], None]


def in_memory(max_events: int) -> EventLog:
    return TurnLog("e", max_events=max_events)


def later(max_events: int) -> EventLog:
    return LaterLog("e", max_events=max_events)


def settle(log: EventLog, now: float) -> None:
    assert isinstance(log, LaterLog)
    log.round_trip(now)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_the_log_in_memory_keeps_every_promise(case: Case) -> None:
    case(Trial(in_memory))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_a_log_that_reports_later_keeps_every_promise(case: Case) -> None:
    case(Trial(later, settle))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_each_case_says_what_it_is_about(case: Case) -> None:
    assert case.__doc__


class Greeting(TurnLog):
    """Begins with an event of its own."""

    def __init__(self, epoch: str, *, max_events: int) -> None:
        super().__init__(epoch, max_events=max_events)
        self.append(ServerSentEvent("message", "hello"))


class Numbers(TurnLog):
    """Counts from 0."""

    def read(self, position: int, max_bytes: int, *, max_merged_bytes: int = 0) -> tuple[bytes, int]:
        data, after = super().read(position, max_bytes, max_merged_bytes=max_merged_bytes)
        return data, max(after - 1, position)


class AnyEpoch(TurnLog):
    """Takes an ID of another log for its own."""

    def position_of(self, event_id: str) -> int | None:
        return super().position_of(f"{self.epoch}-{event_id.rpartition('-')[2]}")


class Future(TurnLog):
    """Takes the ID of an event that hasn't come yet."""

    def position_of(self, event_id: str) -> int | None:
        last, self.last = self.last, 10**9
        try:
            return super().position_of(event_id)
        finally:
            self.last = last


class Greedy(TurnLog):
    """Knows no bound of a read."""

    def read(self, position: int, max_bytes: int, *, max_merged_bytes: int = 0) -> tuple[bytes, int]:
        return super().read(position, 1000 * max_bytes, max_merged_bytes=max_merged_bytes)


class Stingy(TurnLog):
    """Gives nothing where an event doesn't fit."""

    def read(self, position: int, max_bytes: int, *, max_merged_bytes: int = 0) -> tuple[bytes, int]:
        data, after = super().read(position, max_bytes, max_merged_bytes=max_merged_bytes)
        return (b"", position) if len(data) > max_bytes else (data, after)


class Typeless(TurnLog):
    """Forgets the types of events."""

    def append(self, *events: ServerSentEvent) -> None:
        super().append(*(ServerSentEvent("message", event.data) for event in events))


class OnePerBatch(TurnLog):
    """Loses all but the last of a batch."""

    def append(self, *events: ServerSentEvent) -> None:
        super().append(*events[-1:])


class Silent(TurnLog):
    """Calls no reader at news."""

    def announce(self, now: float) -> None:
        """Say nothing."""


class SilentEnd(TurnLog):
    """Calls no reader at the end."""

    def close(self, now: float) -> None:
        self.closed = now >= 0


class Loyal(TurnLog):
    """Calls those who have left."""

    def remove_reader(self, reader: LogReader, now: float) -> None:
        self.reader_moved(reader.position, now)


class Strict(TurnLog):
    """Can't bear that somebody leaves twice."""

    def remove_reader(self, reader: LogReader, now: float) -> None:
        if reader not in self._readers:
            raise BrokenPromise("gone")
        super().remove_reader(reader, now)


class Iterating(TurnLog):
    """Can't bear that somebody leaves when he is called."""

    def announce(self, now: float) -> None:
        for reader in self._readers:
            reader.log_changed(now)


class Open(TurnLog):
    """Takes events after its end."""

    def append(self, *events: ServerSentEvent) -> None:
        closed, self.closed = self.closed, False
        super().append(*events)
        self.closed = closed


class AllOrNothing(TurnLog):
    """Keeps nothing of a batch with an event that can't be written."""

    def append(self, *events: ServerSentEvent) -> None:
        if not any("\n" in event.type for event in events):
            super().append(*events)


class Deaf(TurnLog):
    """Hears no wish to stop."""

    def wish_stop(self, now: float) -> None:
        """Do nothing."""


class Nagging(TurnLog):
    """Passes each wish to stop on."""

    def wish_stop(self, now: float) -> None:
        self.stop_wished = True
        self.on_stop_wished(now)


class Dropping(TurnLog):
    """Drops what a reader has yet to take."""

    def __init__(self, epoch: str, *, max_events: int) -> None:
        super().__init__(epoch, max_events=max_events, readers_hold=False)


class FullForEver(TurnLog):
    """Stays full."""

    def reader_moved(self, before: int, now: float) -> None:
        """Do nothing."""


class Unbounded(TurnLog):
    """Keeps all that comes."""

    def __init__(self, epoch: str, *, max_events: int) -> None:
        super().__init__(epoch, max_events=1000 * max_events)


class GapWithID(TurnLog):
    """Gives the event that reports a gap an ID."""

    def what_was_dropped(self, position: int) -> bytes:
        return super().what_was_dropped(position).replace(b"\n\n", b"\nid: e-1\n\n")


class NoGap(TurnLog):
    """Says nothing of what is gone."""

    def what_was_dropped(self, position: int) -> bytes:
        return super().what_was_dropped(position)[:0]


class Uncounted(TurnLog):
    """Counts no bytes."""

    def append(self, *events: ServerSentEvent) -> None:
        super().append(*events)
        self.retained_bytes = 0


class Hoarding(TurnLog):
    """Throws nothing away."""

    def discard(self, now: float) -> None:
        """Do nothing."""


class TooEarly(LaterLog):
    """Says that events can be read that are still under way."""

    @property
    def last(self) -> int:
        return super().last + len(self._under_way)


class ClosedTooEarly(LaterLog):
    """Says that it is closed when its last events are still under way."""

    @property
    def closed(self) -> bool:
        return self._closing


#: Wrong logs, and a case that each of them fails.
WRONG: dict[type[TurnLog], str] = {
    Greeting: "an_empty_log",
    Numbers: "reads_are_bounded",
    AnyEpoch: "other_ids_are_none",
    Future: "other_ids_are_none",
    Greedy: "reads_are_bounded",
    Stingy: "reads_are_bounded",
    Typeless: "events_as_they_came",
    OnePerBatch: "events_as_they_came",
    Silent: "readers_are_called",
    SilentEnd: "the_end",
    Loyal: "who_has_left_is_not_called",
    Strict: "who_has_left_is_not_called",
    Open: "nothing_follows_the_end",
    AllOrNothing: "what_cannot_be_written",
    Deaf: "a_wish_to_stop",
    Nagging: "a_wish_to_stop",
    Dropping: "readers_hold_what_they_need",
    FullForEver: "room_is_announced",
    Unbounded: "readers_hold_what_they_need",
    GapWithID: "a_gap_is_sent",
    NoGap: "a_gap_is_sent",
    Uncounted: "what_is_kept_is_counted",
    Hoarding: "nothing_is_kept_any_more",
}


def broken(trial: Trial) -> set[str]:
    """The cases that a log fails."""
    failed = set()
    for case in CASES:
        try:
            case(trial)
        except (AssertionError, RuntimeError, ValueError):
            failed.add(case.__name__)
    return failed


@pytest.mark.parametrize(("kind", "case"), WRONG.items(), ids=lambda value: getattr(value, "__name__", value))
def test_a_wrong_log_is_found(kind: Callable[..., TurnLog], case: str) -> None:
    assert case in broken(Trial(lambda max_events: kind("e", max_events=max_events)))


def test_who_cannot_bear_that_somebody_leaves_is_found() -> None:
    trial = Trial(lambda max_events: Iterating("e", max_events=max_events))
    assert "who_leaves_when_called" in broken(trial)


@pytest.mark.parametrize(("kind", "case"), [(TooEarly, "last_can_be_read"), (ClosedTooEarly, "the_end")])
def test_who_reports_too_early_is_found(kind: type[LaterLog], case: str) -> None:
    assert case in broken(Trial(lambda max_events: kind("e", max_events=max_events), settle))


def test_a_case_is_found_by_a_wrong_log_of_its_own() -> None:
    """A case that no wrong log fails would show nothing."""
    kinds = [Trial(lambda most, kind=kind: kind("e", max_events=most)) for kind in [*WRONG, Iterating]]  # type: ignore[misc]
    found = set().union(*map(broken, kinds))
    assert {case.__name__ for case in CASES} - found == set()
