"""Readers and broadcasts over a log that reports later: nothing is read too early, nothing is lost."""

from __future__ import annotations

import pytest

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
