"""``HandlerAnswer`` by itself: what it decides, on a made-up clock."""

from __future__ import annotations

import math
from typing import Any

import pytest

from sse_core import ServerSentEvent
from sse_core.headers import Headers
from sse_core.lifecycle import Broadcast, SubscriptionSettings
from sse_http import (
    EncodedEvents,
    Follow,
    HandlerAnswer,
    HandlerSettings,
    Reply,
    Request,
    Stream,
    StreamHead,
    StreamState,
)

QUIET = SubscriptionSettings(heartbeat=None, stall=None)


def begun(**settings: Any) -> HandlerAnswer:
    answer = HandlerAnswer(HandlerSettings(**{"readers": QUIET, **settings}))
    answer.begin(100.0)
    return answer


def status(answer: HandlerAnswer) -> int | None:
    return answer.head.status if answer.head is not None else None


def test_it_is_a_stream() -> None:
    assert isinstance(HandlerAnswer(), Stream)


class TestHead:
    def test_it_waits_for_the_first_event(self) -> None:
        answer = begun()
        assert status(answer) is None
        answer.receive("x", 100.1)
        assert isinstance(answer.head, StreamHead)
        assert answer.deadline is None

    def test_it_waits_so_long_and_no_longer(self) -> None:
        answer = begun(head_hold=2.0)
        woken = []
        answer.waker = lambda: woken.append(True)
        assert answer.deadline == 102.0
        answer.handle_timeout(101.9)
        assert status(answer) is None
        answer.handle_timeout(102.0)
        assert status(answer) == 200
        assert woken
        assert answer.deadline is None

    def test_it_comes_with_the_end(self) -> None:
        answer = begun()
        answer.finish(100.0)
        assert status(answer) == 200

    def test_an_undecided_handler_has_none_and_waits_for_nothing(self) -> None:
        answer = HandlerAnswer()
        assert answer.deadline is None
        answer.handle_timeout(1e9)
        assert answer.head is None
        assert answer.state is StreamState.OPEN
        assert answer.data_to_send(1e9) == b""

    def test_a_reply_is_the_head(self) -> None:
        answer = HandlerAnswer()
        answer.reply(Reply(204))
        assert answer.head == Reply(204)

    def test_a_failure_before_it_becomes_a_500(self) -> None:
        for answer in (HandlerAnswer(), begun()):
            answer.fail()
            assert isinstance(answer.head, Reply)
            assert answer.head.status == 500
            assert answer.deadline is None

    def test_a_failure_after_it_changes_nothing_in_it(self) -> None:
        answer = begun(head_hold=0.0)
        answer.handle_timeout(100.0)
        answer.fail()
        assert isinstance(answer.head, StreamHead)
        assert answer.state is StreamState.ABORTED

    def test_an_item_that_is_no_event_shows_no_head(self) -> None:
        answer = begun()
        with pytest.raises(TypeError, match="int"):
            answer.receive(42, 100.0)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="JSON"):
            answer.receive({"a": float("inf")}, 100.0)
        with pytest.raises(ValueError, match="event"):
            answer.receive(ServerSentEvent("a\nb"), 100.0)
        assert answer.head is None
        answer.fail()
        assert status(answer) == 500


class TestBody:
    def test_items_as_they_are_written(self) -> None:
        answer = begun()
        for item in ("a\nb", ServerSentEvent("named", "c", "7"), {"d": ["é", None]}):
            answer.receive(item, 100.0)
        assert answer.data_to_send(100.0) == (
            b'data: a\ndata: b\n\nevent: named\ndata: c\nid: 7\n\ndata: {"d":["\xc3\xa9",null]}\n\n'
        )

    def test_each_item_wakes(self) -> None:
        answer = begun()
        pulled = []
        answer.waker = lambda: pulled.append(answer.data_to_send(100.0))
        answer.receive("a", 100.0)
        answer.receive("b", 100.0)
        assert pulled == [b"data: a\n\n", b"data: b\n\n"]

    def test_the_end_comes_after_the_last_byte(self) -> None:
        answer = begun()
        answer.receive("a", 100.0)
        answer.finish(100.0)
        states = [answer.state]
        assert answer.data_to_send(100.0)
        states.append(answer.state)
        assert states == [StreamState.OPEN, StreamState.FINISHED]

    def test_a_cut_comes_after_the_last_byte(self) -> None:
        answer = begun()
        answer.receive("a", 100.0)
        answer.fail()
        assert answer.state is StreamState.ABORTED
        assert answer.data_to_send(100.0) == b"data: a\n\n"

    def test_it_is_full_until_there_is_room(self) -> None:
        answer = begun(max_log_bytes=1000)
        room = []
        answer.on_room = lambda: room.append(True)
        while not answer.full:
            answer.receive("x" * 100, 100.0)
        assert room == []
        while answer.data_to_send(100.0):
            pass
        assert room == [True]
        assert not answer.full

    def test_heartbeats_and_lifetimes_are_the_subscriptions(self) -> None:
        answer = begun(readers=SubscriptionSettings(heartbeat=5.0, stall=None, lifetime=12.0), head_hold=0.0)
        answer.handle_timeout(100.0)
        assert answer.deadline == 105.0
        answer.handle_timeout(105.0)
        assert answer.data_to_send(105.0) == b": ping\n"
        answer.handle_timeout(112.0)
        assert answer.state is StreamState.FINISHED

    def test_a_reader_that_is_given_up_is_cut_off(self) -> None:
        answer = begun(readers=SubscriptionSettings(heartbeat=None, stall=5.0))
        answer.receive("x", 100.0)
        answer.handle_timeout(105.0)
        assert answer.state is StreamState.ABORTED


class TestClosing:
    @pytest.mark.parametrize("answer", [HandlerAnswer(), begun()])
    def test_whoever_runs_the_handler_is_called_once(self, answer: HandlerAnswer) -> None:
        calls = []
        answer.on_close = lambda: calls.append(True)
        answer.close(101.0)
        answer.close(102.0)
        assert calls == [True]
        assert answer.closed
        assert answer.deadline is None

    def test_what_comes_late_goes_nowhere(self) -> None:
        answer = begun(max_log_bytes=1000)
        answer.close(101.0)
        assert answer.state is StreamState.ABORTED
        for _ in range(100):
            answer.receive("x" * 100, 102.0)
        assert answer.data_to_send(102.0) == b""
        assert not answer.full
        answer.finish(103.0)
        answer.fail()
        assert answer.data_to_send(103.0) == b""


class TestFollowing:
    def test_a_reader_gets_what_is_published_and_the_end(self) -> None:
        broadcast, answer, woken = Broadcast("job"), HandlerAnswer(), list[int]()
        answer.waker = lambda: woken.append(1)
        answer.follow(Follow(broadcast), Request("GET", "/"), 0.0)
        assert status(answer) == 200
        woken.clear()
        broadcast.publish([ServerSentEvent("message", "a")], 1.0)
        assert woken
        assert answer.data_to_send(1.0) == b"data: a\nid: job-1\n\n"
        broadcast.close(2.0)
        assert answer.data_to_send(2.0) == b""
        assert answer.state is StreamState.FINISHED
        answer.close(2.0)
        assert answer.closed

    def test_who_has_gone_before_it_holds_nothing(self) -> None:
        broadcast, answer = Broadcast("job"), HandlerAnswer()
        answer.close(0.0)
        answer.follow(Follow(broadcast), Request("GET", "/"), 0.0)
        woken: list[int] = []
        answer.waker = lambda: woken.append(1)
        broadcast.publish([ServerSentEvent("message", "a")], 1.0)
        assert not woken
        assert answer.deadline is None

    @pytest.mark.parametrize("last_event_id", ["job-1", ""])
    def test_who_has_all_of_what_is_over_must_not_come_again(self, last_event_id: str) -> None:
        broadcast = Broadcast("job")
        if last_event_id:
            broadcast.publish([ServerSentEvent("message", "a")], 0.0)
        broadcast.close(0.0)
        answer = HandlerAnswer()
        request = Request("GET", "/", headers=Headers([("last-event-id", last_event_id)]))
        answer.follow(Follow(broadcast), request, 1.0)
        assert answer.head == Reply(204)
        assert answer.deadline is None


@pytest.mark.parametrize("bound", [0, -1])
def test_a_log_that_holds_nothing(bound: int) -> None:
    with pytest.raises(ValueError, match="max_log_bytes must be 1 or more"):
        HandlerSettings(max_log_bytes=bound)


@pytest.mark.parametrize("seconds", [-0.1, math.inf, math.nan])
def test_a_hold_that_is_none_or_never_over(seconds: float) -> None:
    with pytest.raises(ValueError, match="head_hold must be a finite number of seconds"):
        HandlerSettings(head_hold=seconds)


def test_events_that_are_encoded_already_are_sent_as_they_are() -> None:
    answer = begun()
    answer.receive(EncodedEvents(b"data: a\n\ndata: b\n\n"), 100.0)
    answer.receive("c", 100.0)
    sent = b"".join(iter(lambda: answer.data_to_send(100.0), b""))
    assert sent == b"data: a\n\ndata: b\n\ndata: c\n\n"
    with pytest.raises(TypeError, match="data takes bytes, not str"):
        EncodedEvents("data: a\n\n")  # type: ignore[arg-type]  # what is tried
