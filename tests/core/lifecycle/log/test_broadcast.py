"""One stream for many readers, with no provider behind it."""

from __future__ import annotations

import json

import pytest

from sse_core import EventStreamDecoder, LocalProtocolError, ServerSentEvent
from sse_core.lifecycle import Broadcast, ReaderOutcome, Subscription, SubscriptionSettings


def events(*texts: str) -> list[ServerSentEvent]:
    return [ServerSentEvent("progress", text) for text in texts]


def texts(reader: Subscription, now: float = 0.0) -> list[str]:
    return [event.data for event in EventStreamDecoder().receive_data(reader.data_to_send(now))]


def test_everybody_gets_what_comes() -> None:
    broadcast = Broadcast("job-1")
    readers = [broadcast.subscribe(0.0) for _ in range(3)]
    broadcast.publish(events("10 %", "20 %"), 0.0)
    assert [texts(reader) for reader in readers] == [["10 %", "20 %"]] * 3


def test_who_comes_later_joins_from_the_start_or_from_now() -> None:
    broadcast = Broadcast("job-1")
    broadcast.publish(events("10 %"), 0.0)
    early, late = broadcast.subscribe(1.0), broadcast.subscribe(1.0, join="now")
    broadcast.publish(events("20 %"), 2.0)
    assert texts(early) == ["10 %", "20 %"]
    assert texts(late) == ["20 %"]


def test_who_comes_back_goes_on_where_he_was() -> None:
    broadcast = Broadcast("job-1")
    broadcast.publish(events("10 %", "20 %", "30 %"), 0.0)
    for join in ("start", "now"):
        assert texts(broadcast.subscribe(1.0, last_event_id="job-1-2", join=join)) == ["30 %"]


@pytest.mark.parametrize(("join", "expected"), [("start", ["10 %"]), ("now", [])])
def test_an_id_from_before_a_restart_is_no_position(join: str, expected: list[str]) -> None:
    broadcast = Broadcast("job-2")
    broadcast.publish(events("10 %"), 0.0)
    reader = broadcast.subscribe(1.0, last_event_id="job-1-1", join="now" if join == "now" else "start")
    assert texts(reader) == expected


def test_a_reader_who_is_too_slow_has_a_gap_and_holds_nobody_up() -> None:
    broadcast = Broadcast("job-1", max_events=10)
    slow, quick = broadcast.subscribe(0.0), broadcast.subscribe(0.0)
    seen = []
    for number in range(100):
        broadcast.publish(events(str(number)), 0.0)
        seen += texts(quick)
        assert broadcast.log.last - broadcast.log.first_retained < 10
        assert not broadcast.log.full
    assert seen == [str(number) for number in range(100)]
    gap, *rest = texts(slow)
    missing = json.loads(gap)
    assert (missing["type"], missing["from"]) == ("gap", 1)
    assert rest == [str(number) for number in range(missing["to"], 100)]


def test_a_bound_on_bytes() -> None:
    broadcast = Broadcast("job-1", max_bytes=2000)
    broadcast.subscribe(0.0)
    for _ in range(100):
        broadcast.publish(events("x" * 100), 0.0)
        assert broadcast.log.retained_bytes < 2000


def test_its_end_is_everybodys_end() -> None:
    broadcast = Broadcast("job-1")
    reader = broadcast.subscribe(0.0)
    broadcast.publish(events("100 %"), 0.0)
    broadcast.close(1.0)
    assert texts(reader) == ["100 %"]
    assert reader.outcome is ReaderOutcome.FINISHED
    assert texts(broadcast.subscribe(2.0)) == ["100 %"]
    with pytest.raises(LocalProtocolError, match="this log was closed"):
        broadcast.publish(events("101 %"), 3.0)


def test_readers_are_woken_once_for_a_batch_and_treated_as_it_was_said() -> None:
    woken: list[int] = []
    settings = SubscriptionSettings(heartbeat=5.0, lifetime=100.0, lifetime_jitter=0.5)
    broadcast = Broadcast("job-1", settings=settings, jitter=lambda: 0.5)
    reader = broadcast.subscribe(0.0, waker=lambda: woken.append(1))
    woken.clear()
    broadcast.publish(events("a", "b"), 0.0)
    assert woken == [1]
    assert reader.deadline == 5.0
    assert texts(reader) == ["a", "b"]
    reader.handle_timeout(75.0)
    assert reader.outcome is ReaderOutcome.EXPIRED


def test_what_stands_before_an_event_that_can_not_be_written_is_sent() -> None:
    broadcast = Broadcast("job-1")
    woken: list[bool] = []
    reader = broadcast.subscribe(0.0, waker=lambda: woken.append(True))
    woken.clear()
    with pytest.raises(ValueError, match="CR or LF"):
        broadcast.publish([*events("10 %"), ServerSentEvent("two\nlines", "")], 0.0)
    assert woken
    assert texts(reader) == ["10 %"]


def test_with_room_for_one_the_last_is_kept() -> None:
    broadcast = Broadcast("job-1", max_events=1)
    broadcast.publish(events("10 %", "20 %", "30 %"), 0.0)
    assert texts(broadcast.subscribe(0.0))[1:] == ["30 %"]
    assert not broadcast.log.full
