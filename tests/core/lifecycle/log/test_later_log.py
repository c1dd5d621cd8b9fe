"""Readers and broadcasts over a log that tells later: nothing is read before it is there, nothing is lost."""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sse_core import EventStreamDecoder, LocalProtocolError, ServerSentEvent
from sse_core.lifecycle import Broadcast, ReaderOutcome, Subscription, SubscriptionSettings, TurnLog
from tests.core.lifecycle.log.later_log import LaterLog


def event(text: str) -> ServerSentEvent:
    return ServerSentEvent("message", text)


def texts(data: bytes) -> list[str]:
    return [received.data for received in EventStreamDecoder().receive_data(data)]


class TestSubscription:
    def test_is_woken_when_the_events_are_there(self) -> None:
        log, woken = LaterLog("e"), list[float]()
        reader = Subscription(log, 0.0, waker=lambda: woken.append(log.last))
        woken.clear()
        log.append(event("a"), event("b"))
        log.announce(1.0)
        assert (woken, reader.behind, reader.data_to_send(1.0)) == ([], False, b"")
        log.round_trip(2.0)
        assert (woken, reader.behind) == ([2], True)
        assert texts(reader.data_to_send(2.0)) == ["a", "b"]

    def test_gets_what_another_process_wrote_first(self) -> None:
        log = LaterLog("e")
        reader = Subscription(log, 0.0)
        log.append(event("mine"))
        log.written_elsewhere(event("theirs"))
        log.round_trip(1.0)
        received = EventStreamDecoder().receive_data(reader.data_to_send(1.0))
        assert [(one.last_event_id, one.data) for one in received] == [("e-1", "theirs"), ("e-2", "mine")]

    def test_is_sent_heartbeats_while_events_are_under_way(self) -> None:
        log = LaterLog("e")
        reader = Subscription(log, 0.0, settings=SubscriptionSettings(heartbeat=15.0, stall=20.0))
        log.append(event("a"))
        log.announce(0.0)
        for now in (15.0, 30.0, 45.0):
            reader.handle_timeout(now)
            assert reader.outcome is None, "who has nothing to take does not stall"
            assert reader.data_to_send(now) == b": ping\n"

    def test_stalls_from_the_moment_when_there_is_something_to_take(self) -> None:
        log = LaterLog("e")
        reader = Subscription(log, 0.0, settings=SubscriptionSettings(heartbeat=None, stall=20.0))
        log.append(event("a"))
        log.announce(0.0)
        log.round_trip(10.0)
        assert reader.deadline == 30.0
        reader.handle_timeout(30.0)
        assert reader.outcome is ReaderOutcome.EVICTED

    def test_finishes_with_the_last_event(self) -> None:
        log = LaterLog("e")
        reader = Subscription(log, 0.0)
        log.append(event("a"))
        log.close(1.0)
        assert (reader.data_to_send(1.0), reader.outcome) == (b"", None)
        log.round_trip(2.0)
        assert texts(reader.data_to_send(2.0)) == ["a"]
        assert reader.outcome is ReaderOutcome.FINISHED


class TestBroadcast:
    def broadcast(self) -> tuple[Broadcast, LaterLog]:
        log = LaterLog("job", readers_hold=False)
        return Broadcast(log=log), log

    def test_publishes_when_the_log_has_it(self) -> None:
        broadcast, log = self.broadcast()
        reader = broadcast.subscribe(0.0)
        broadcast.publish([event("10 %"), event("20 %")], 0.0)
        late = broadcast.subscribe(1.0, join="now")
        assert reader.data_to_send(1.0) == b""
        log.round_trip(2.0)
        assert texts(reader.data_to_send(2.0)) == texts(late.data_to_send(2.0)) == ["10 %", "20 %"]

    def test_goes_on_after_an_id_and_ends(self) -> None:
        broadcast, log = self.broadcast()
        broadcast.publish([event("10 %"), event("20 %")], 0.0)
        broadcast.close(0.0)
        log.round_trip(1.0)
        reader = broadcast.subscribe(2.0, last_event_id="job-1")
        assert texts(reader.data_to_send(2.0)) == ["20 %"]
        assert reader.outcome is ReaderOutcome.FINISHED
        with pytest.raises(LocalProtocolError):
            broadcast.publish([event("30 %")], 3.0)

    def test_has_one_epoch(self) -> None:
        with pytest.raises(ValueError, match="a log has an epoch of its own"):
            Broadcast("job", log=TurnLog("job"))


class LaterMachine(RuleBasedStateMachine):
    """A log that tells later, its writers and its readers, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.log = LaterLog("e", max_events=8)
        self.log.on_room = lambda _: self.room.append(self.log.full)
        self.room: list[bool] = []
        self.readers: list[tuple[Subscription, list[str]]] = []
        self.sent: list[str] = []  # here, in order
        self.closing = False

    @precondition(lambda self: not self.closing and not self.log.full)
    @rule(count=st.integers(0, 3))
    def write(self, count: int) -> None:
        events = [f"here {len(self.sent) + number}" for number in range(count)]
        self.sent += events
        self.log.append(*map(event, events))
        self.log.announce(self.now)

    @precondition(lambda self: not self.log.closed and not self.log.full)
    @rule()
    def write_elsewhere(self) -> None:
        self.log.written_elsewhere(event("elsewhere"))

    @rule()
    def round_trip(self) -> None:
        self.now += 1.0
        self.log.round_trip(self.now)

    @rule()
    def subscribe(self) -> None:
        if self.log.first_retained == 1:
            self.readers.append((Subscription(self.log, self.now, settings=SETTINGS), []))

    @precondition(lambda self: self.readers)
    @rule(data=st.data(), max_bytes=st.sampled_from([1, 100, 10_000]))
    def pull(self, data: st.DataObject, max_bytes: int) -> None:
        reader, seen = data.draw(st.sampled_from(self.readers))
        seen += texts(reader.data_to_send(self.now, max_bytes))

    @rule()
    def close(self) -> None:
        self.closing = True
        self.log.close(self.now)

    @invariant()
    def nobody_reads_what_is_not_there(self) -> None:
        there = texts(self.log.read(0, 10**6)[0])
        for reader, seen in self.readers:
            assert len(seen) == reader.position <= self.log.last
            assert self.log.first_retained > 1 or seen == there[: len(seen)]

    @invariant()
    def room_is_there_when_it_is_told_of(self) -> None:
        assert not any(self.room)

    def teardown(self) -> None:
        """In the end everybody has all, once."""
        self.log.close(self.now)
        self.log.round_trip(self.now)
        for reader, seen in self.readers:
            while reader.outcome is None:
                seen.extend(texts(reader.data_to_send(self.now)))
            assert reader.outcome is ReaderOutcome.FINISHED
            assert [text for text in seen if text != "elsewhere"] == self.sent
            assert len(seen) == self.log.last


SETTINGS = SubscriptionSettings(heartbeat=None, stall=None)
TestLaterMachine = LaterMachine.TestCase
