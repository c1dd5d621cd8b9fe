"""One reader of a log: what it is sent, when it is alive, and how it ends."""

from __future__ import annotations

import json
import random
from bisect import bisect
from collections.abc import Callable

import pytest

from sse_core import EventStreamDecoder, ServerSentEvent
from sse_core.lifecycle import ReaderOutcome, Subscription, SubscriptionSettings, TurnLog

PING = b": ping\n"


def log_of(count: int, max_bytes: int = 10**6) -> TurnLog:
    log = TurnLog("e", max_bytes=max_bytes)
    for number in range(1, count + 1):
        log.append(ServerSentEvent("message", str(number)))
    return log


def trimmed_log() -> TurnLog:
    """A log of eight events of which the first two are gone."""
    log = log_of(8, max_bytes=8 * log_of(1).retained_bytes)
    assert log.first_retained == 3
    return log


def add(log: TurnLog, now: float, *data: str) -> None:
    for text in data:
        log.append(ServerSentEvent("message", text))
    log.announce(now)


def events(data: bytes) -> list[ServerSentEvent]:
    return EventStreamDecoder().receive_data(data)


def outcome_of(reader: Subscription) -> ReaderOutcome | None:
    return reader.outcome


def deadline_of(reader: Subscription) -> float | None:
    return reader.deadline


def texts(data: bytes) -> list[str]:
    return [event.data for event in events(data)]


class TestReading:
    def test_from_the_start_and_from_a_position(self) -> None:
        log = log_of(3)
        assert texts(Subscription(log, 0.0).data_to_send(0.0)) == ["1", "2", "3"]
        assert texts(Subscription(log, 0.0, after=2).data_to_send(0.0)) == ["3"]
        assert Subscription(log, 0.0, after=3).data_to_send(0.0) == b""

    @pytest.mark.parametrize("after", [-1, 4])
    def test_from_a_position_that_is_none(self, after: int) -> None:
        """It would wait in silence for events that have other numbers."""
        with pytest.raises(ValueError, match=f"from 0 to 3, not {after}"):
            Subscription(log_of(3), 0.0, after=after)

    def test_a_pull_is_bounded(self) -> None:
        reader = Subscription(log_of(3), 0.0)
        assert texts(reader.data_to_send(0.0, max_bytes=1)) == ["1"]
        assert reader.behind
        assert reader.position == 1
        assert texts(reader.data_to_send(0.0)) == ["2", "3"]
        assert not reader.behind

    def test_the_waker_is_called_for_what_was_there_and_for_what_comes(self) -> None:
        woken: list[str] = []
        log = log_of(1)
        reader = Subscription(log, 0.0, waker=lambda: woken.append("x"))
        assert len(woken) == 1
        reader.data_to_send(0.0)
        add(log, 1.0, "2")
        assert len(woken) == 2
        log.close(2.0)
        assert len(woken) == 3

    def test_reading_makes_room(self) -> None:
        log, room = TurnLog("e", max_bytes=200), list[float]()
        log.on_room = room.append
        reader = Subscription(log, 0.0)
        add(log, 0.0, "x" * 300)
        assert log.full
        reader.data_to_send(5.0)
        assert room == [5.0]


class TestGap:
    def test_a_position_that_is_gone_leads_to_an_event_that_a_browser_sees(self) -> None:
        log = trimmed_log()
        reader = Subscription(log, 0.0)
        assert reader.behind
        gap, *rest = events(reader.data_to_send(0.0))
        assert gap.type == "gap"
        assert json.loads(gap.data) == {"type": "gap", "from": 1, "to": 2}
        assert gap.last_event_id == "", "it has no position of its own"
        assert [event.data for event in rest] == ["3", "4", "5", "6", "7", "8"]

    def test_from_inside_the_gap(self) -> None:
        gap, *rest = events(Subscription(trimmed_log(), 0.0, after=1).data_to_send(0.0))
        assert json.loads(gap.data) == {"type": "gap", "from": 2, "to": 2}
        assert len(rest) == 6

    def test_at_its_edge_there_is_none(self) -> None:
        assert texts(Subscription(trimmed_log(), 0.0, after=2).data_to_send(0.0))[0] == "3"

    def test_it_is_sent_once(self) -> None:
        reader = Subscription(trimmed_log(), 0.0)
        reader.data_to_send(0.0, max_bytes=1)
        assert [event.type for event in events(reader.data_to_send(0.0))] == ["message"] * 5

    def test_of_a_log_that_kept_nothing(self) -> None:
        log = log_of(3)
        log.discard(0.0)
        log.close(0.0)
        reader = Subscription(log, 0.0)
        assert [json.loads(text) for text in texts(reader.data_to_send(0.0))] == [
            {"type": "gap", "from": 1, "to": 3}
        ]
        assert outcome_of(reader) is ReaderOutcome.FINISHED

    def test_who_still_has_to_hear_of_it_loses_nothing_more(self) -> None:
        log = trimmed_log()
        reader = Subscription(log, 0.0)
        for number in range(9, 30):
            add(log, 0.0, str(number))
        gap, *rest = events(reader.data_to_send(0.0))
        assert json.loads(gap.data)["to"] == 2
        assert [event.data for event in rest] == [str(number) for number in range(3, 30)]


class TestEnds:
    def test_it_is_finished_when_all_of_a_closed_log_was_taken(self) -> None:
        log = log_of(2)
        reader = Subscription(log, 0.0)
        log.close(0.0)
        assert outcome_of(reader) is None
        reader.data_to_send(0.0, max_bytes=1)
        assert outcome_of(reader) is None
        reader.data_to_send(0.0)
        assert outcome_of(reader) is ReaderOutcome.FINISHED
        assert deadline_of(reader) is None
        assert reader.data_to_send(0.0) == b""

    def test_a_log_that_closes_when_there_is_nothing_to_take(self) -> None:
        log = log_of(1)
        reader = Subscription(log, 0.0)
        reader.data_to_send(0.0)
        log.close(1.0)
        assert reader.data_to_send(1.0) == b""
        assert outcome_of(reader) is ReaderOutcome.FINISHED

    def test_who_leaves_holds_nothing_back_any_more(self) -> None:
        log, room = TurnLog("e", max_bytes=200), list[float]()
        log.on_room = room.append
        reader = Subscription(log, 0.0)
        add(log, 0.0, "x" * 300)
        reader.close(1.0)
        reader.close(2.0)
        assert room == [1.0]
        assert outcome_of(reader) is ReaderOutcome.GONE
        assert deadline_of(reader) is None

    def test_the_first_end_stands(self) -> None:
        log = log_of(1)
        log.close(0.0)
        reader = Subscription(log, 0.0)
        reader.data_to_send(0.0)
        reader.close(1.0)
        assert outcome_of(reader) is ReaderOutcome.FINISHED

    def test_who_has_ended_is_left_alone_even_amid_an_announcement(self) -> None:
        """One reader's waker may close another's connection."""
        log = log_of(1)
        readers: list[Subscription] = []

        def close_the_second() -> None:
            if len(readers) == 2:
                readers[1].close(1.0)

        readers.append(Subscription(log, 0.0, waker=close_the_second))
        readers.append(Subscription(log, 0.0))
        log.announce(1.0)
        assert readers[1].outcome is ReaderOutcome.GONE
        assert readers[1].deadline is None


class TestTimers:
    def settings(self, **seconds: float | None) -> SubscriptionSettings:
        make: Callable[..., SubscriptionSettings] = SubscriptionSettings
        return make(**{"heartbeat": None, "stall": None, "lifetime": None, **seconds})

    def test_all_of_them_can_be_switched_off(self) -> None:
        assert Subscription(log_of(1), 0.0, settings=self.settings()).deadline is None

    def test_a_heartbeat_is_sent_when_nothing_else_was(self) -> None:
        log, woken = TurnLog("e"), list[int]()
        reader = Subscription(log, 0.0, settings=self.settings(heartbeat=15), waker=lambda: woken.append(1))
        woken.clear()
        assert deadline_of(reader) == 15
        assert reader.data_to_send(14.0) == b""
        assert deadline_of(reader) == 15, "an empty pull is no sign of life"
        reader.handle_timeout(15.0)
        assert woken == [1]
        assert reader.data_to_send(15.0) == PING
        assert reader.data_to_send(15.0) == b""
        assert deadline_of(reader) == 30

    def test_an_event_is_a_sign_of_life_itself(self) -> None:
        log = TurnLog("e")
        reader = Subscription(log, 0.0, settings=self.settings(heartbeat=15))
        reader.handle_timeout(15.0)
        add(log, 15.0, "x")
        assert texts(reader.data_to_send(20.0)) == ["x"]
        assert deadline_of(reader) == 35
        assert reader.data_to_send(20.0) == b""

    def test_a_heartbeat_is_a_comment_with_no_blank_line(self) -> None:
        """Several clients dispatch an empty event for a comment that a blank line follows."""
        log = log_of(1)
        reader = Subscription(log, 0.0, settings=self.settings(heartbeat=1))
        sent = reader.data_to_send(0.0)
        reader.handle_timeout(1.0)
        sent += reader.data_to_send(1.0)
        add(log, 1.0, "2")
        sent += reader.data_to_send(1.0)
        assert sent.endswith(b"\n\n: ping\ndata: 2\nid: e-2\n\n")
        assert texts(sent) == ["1", "2"]

    def test_early_it_is_harmless(self) -> None:
        reader = Subscription(log_of(1), 0.0)
        reader.handle_timeout(1.0)
        assert deadline_of(reader) == 15.0
        assert outcome_of(reader) is None

    def test_who_takes_nothing_though_there_is_something_is_evicted(self) -> None:
        log, woken = TurnLog("e"), list[int]()
        reader = Subscription(log, 0.0, settings=self.settings(stall=60), waker=lambda: woken.append(1))
        assert deadline_of(reader) is None, "there is nothing to take"
        add(log, 10.0, "1")
        add(log, 20.0, "2")
        assert deadline_of(reader) == 70, "from the first that it did not take"
        woken.clear()
        reader.handle_timeout(70.0)
        assert outcome_of(reader) is ReaderOutcome.EVICTED
        assert woken == [1], "so that its owner closes the connection"
        assert reader.data_to_send(70.0) == b""

    def test_who_takes_a_part_is_slow_but_not_stalled(self) -> None:
        reader = Subscription(log_of(3), 0.0, settings=self.settings(stall=60))
        assert deadline_of(reader) == 60
        reader.data_to_send(50.0, max_bytes=1)
        assert deadline_of(reader) == 110
        reader.data_to_send(100.0)
        assert deadline_of(reader) is None

    def test_an_eviction_makes_room_for_the_others(self) -> None:
        log, room = TurnLog("e", max_bytes=200), list[float]()
        log.on_room = room.append
        stalled, fast = (Subscription(log, 0.0, settings=self.settings(stall=60)) for _ in range(2))
        add(log, 0.0, "x" * 300)
        fast.data_to_send(0.0)
        assert log.full
        stalled.handle_timeout(60.0)
        assert room == [60.0]

    def test_a_lifetime_ends_it_so_that_it_comes_back(self) -> None:
        log = log_of(3)
        reader = Subscription(log, 0.0, settings=self.settings(lifetime=100))
        first = reader.data_to_send(0.0, max_bytes=1)
        reader.handle_timeout(100.0)
        assert outcome_of(reader) is ReaderOutcome.EXPIRED
        position = log.position_of(events(first)[-1].last_event_id)
        assert position is not None
        assert texts(Subscription(log, 101.0, after=position).data_to_send(101.0)) == ["2", "3"]

    def test_much_too_late_the_first_that_was_due_counts(self) -> None:
        settings = SubscriptionSettings(heartbeat=15, stall=60, lifetime=100)
        stalled = Subscription(log_of(1), 0.0, settings=settings)
        stalled.handle_timeout(1000.0)
        assert stalled.outcome is ReaderOutcome.EVICTED
        idle = Subscription(TurnLog("e"), 0.0, settings=settings)
        idle.handle_timeout(1000.0)
        assert idle.outcome is ReaderOutcome.EXPIRED


class TestComingBack:
    """The lifetime of a reader, so that a server can be drained without a herd."""

    SETTINGS = SubscriptionSettings(heartbeat=None, stall=None, lifetime=100.0, lifetime_jitter=0.5)

    @pytest.mark.parametrize(("dice", "seconds"), [(0.0, 100.0), (0.5, 75.0), (0.99, 50.5)])
    def test_it_is_shorter_at_random(self, dice: float, seconds: float) -> None:
        reader = Subscription(log_of(0), 1000.0, settings=self.SETTINGS, jitter=lambda: dice)
        assert reader.deadline == pytest.approx(1000.0 + seconds)
        reader.handle_timeout(1000.0 + seconds)
        assert outcome_of(reader) is ReaderOutcome.EXPIRED

    def test_a_thousand_readers_do_not_come_back_together(self) -> None:
        dice = random.Random(7)
        log = log_of(0)
        readers = [Subscription(log, 0.0, settings=self.SETTINGS, jitter=dice.random) for _ in range(1000)]
        moments = sorted(reader.deadline or 0.0 for reader in readers)
        busiest = max(bisect(moments, at + 1.0) - place for place, at in enumerate(moments))
        assert busiest < 50  # of 1000 in 50 seconds, 20 are due in each


def test_a_heartbeat_may_be_long_for_what_holds_small_writes_back() -> None:
    settings = SubscriptionSettings(heartbeat=5.0, heartbeat_bytes=2048)
    reader = Subscription(log_of(0), 0.0, settings=settings)
    reader.handle_timeout(5.0)
    beat = reader.data_to_send(5.0)
    assert len(beat) == 2048
    assert EventStreamDecoder().receive_data(beat) == []


def test_many_small_events_go_out_in_one_piece_when_a_reader_was_busy() -> None:
    log = log_of(0)
    reader = Subscription(log, 0.0)
    for number in range(30):
        add(log, number / 100, str(number))  # the reader's socket has no room: nothing is pulled
    assert len(texts(reader.data_to_send(1.0))) == 30
    assert not reader.behind


class TestWakersThatPull:
    """A binding may write at once: its waker pulls."""

    def test_who_pulls_when_a_heartbeat_is_due_is_not_evicted(self) -> None:
        log = log_of(1)
        reader = Subscription(log, 0.0, settings=SubscriptionSettings(heartbeat=15.0, stall=60.0))
        received: list[bytes] = []
        reader.waker = lambda: received.append(reader.data_to_send(100.0))
        reader.handle_timeout(100.0)  # the loop was busy for long, and both are due
        assert texts(b"".join(received)) == ["1"]
        assert outcome_of(reader) is None

    def test_what_room_brings_comes_behind_what_made_the_room(self) -> None:
        log, left = TurnLog("e", max_events=4), list(range(1, 100))
        reader = Subscription(log, 0.0)
        received = b""

        def fill(now: float) -> None:
            while left and not log.full:
                log.append(ServerSentEvent("message", str(left.pop(0))))
            log.announce(now)

        def pull() -> None:
            nonlocal received
            while data := reader.data_to_send(0.0, 30):
                received += data

        log.on_room, reader.waker = fill, pull
        fill(0.0)
        assert texts(received) == [str(number) for number in range(1, 100)]

    def test_who_is_closed_when_there_is_room_has_no_deadline(self) -> None:
        log = TurnLog("e", max_events=4)
        reader = Subscription(log, 0.0)
        log.on_room = reader.close
        add(log, 0.0, *"abcd")
        assert reader.data_to_send(0.0) == b""
        assert outcome_of(reader) is ReaderOutcome.GONE
        assert deadline_of(reader) is None
