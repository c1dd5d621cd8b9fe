"""What a handler says beside its events: a head of its own, comments, a reconnection time; and HEAD."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from sse_core import EventStreamDecoder, ServerSentEvent
from sse_core.headers import Headers
from sse_core.lifecycle import Broadcast, SubscriptionSettings
from sse_http import (
    Comment,
    ConnectionPhase,
    EventStreamHead,
    EventStreamReply,
    Follow,
    HandlerAnswer,
    HandlerSettings,
    Reply,
    Request,
    Retry,
    StreamHead,
    StreamState,
)
from tests.http.support import Peer, request

SETTINGS = HandlerSettings(readers=SubscriptionSettings(heartbeat=None, stall=None))


async def none() -> AsyncIterator[str]:
    for text in list[str]():
        yield text


def begun(*, method: str = "GET") -> HandlerAnswer:
    answer = HandlerAnswer(SETTINGS, method=method)
    answer.begin(0.0)
    return answer


def head_of(answer: HandlerAnswer) -> tuple[int, Headers]:
    assert answer.head is not None
    return answer.head.status, answer.head.headers


class TestEventStreamReply:
    def test_its_head_is_the_streams_and_its_own(self) -> None:
        answer = HandlerAnswer(SETTINGS)
        answer.set_head(EventStreamReply(none(), status=201, headers={"Mcp-Session-Id": "7"}))
        assert answer.begin(0.0)
        answer.receive("x", 0.0)
        status, headers = head_of(answer)
        assert status == 201
        assert headers.get("mcp-session-id") == "7"
        assert headers.get("content-type") == "text/event-stream; charset=utf-8"
        assert answer.data_to_send(0.0) == b"data: x\n\n"

    def test_a_field_of_its_own_stands_in_place_of_the_usual(self) -> None:
        headers = EventStreamReply(none(), headers=[("Cache-Control", "no-store")]).head.headers
        assert headers.get_all("cache-control") == ["no-store"]

    @pytest.mark.parametrize("headers", [{"x": "a\r\nb: c"}, {"x y": "a"}, {"": "a"}, {"x\n": "a"}])
    def test_a_field_that_would_forge_another(self, headers: dict[str, str]) -> None:
        with pytest.raises(ValueError, match="header"):
            EventStreamReply(none(), headers=headers)

    @pytest.mark.parametrize("status", [0, 199, 204, 205, 304, 600])
    def test_a_status_without_content(self, status: int) -> None:
        with pytest.raises(ValueError, match=f"status {status}"):
            EventStreamReply(none(), status=status)


class TestLines:
    def test_a_comment_and_a_reconnection_time(self) -> None:
        answer = begun()
        answer.receive(Comment("two\nlines"), 0.0)
        answer.receive(Retry(3000), 0.0)
        assert answer.head is not None, "something was given"
        assert answer.data_to_send(0.0) == b": two\n: lines\nretry: 3000\n"
        answer.receive(ServerSentEvent("message", "a", "7"), 0.0)
        assert answer.data_to_send(0.0) == b"data: a\nid: 7\n\n"

    def test_no_client_takes_them_for_an_event(self) -> None:
        answer = begun()
        items: list[Any] = ["a", Comment("c"), Retry(1500), "b", Retry(2500)]
        for item in items:
            answer.receive(item, 0.0)
        answer.finish(0.0)
        decoder = EventStreamDecoder()
        events = decoder.receive_data(answer.data_to_send(0.0))
        assert [event.data for event in events] == ["a", "b"]
        assert decoder.reconnection_time == 2500
        assert answer.state is StreamState.FINISHED

    @pytest.mark.parametrize("milliseconds", [-1, 2**31, 1.5, True, "3"])
    def test_a_time_that_is_none(self, milliseconds: Any) -> None:
        with pytest.raises(ValueError, match="retry is an int of milliseconds"):
            Retry(milliseconds)


class TestHEAD:
    """RFC 9110 section 9.3.2: the same head, and no content; so nothing is begun."""

    def test_an_iterator_is_not_called(self) -> None:
        answer = HandlerAnswer(SETTINGS, method="HEAD")
        woken = list[int]()
        answer.waker = lambda: woken.append(1)
        assert not answer.begin(0.0)
        assert woken
        assert head_of(answer)[0] == 200
        assert answer.state is StreamState.FINISHED
        assert answer.data_to_send(0.0) == b""

    def test_of_an_application(self) -> None:
        peer = Peer(lambda _: EventStreamHead([("turn-id", "7")]))
        peer.send(request("HEAD") * 2)
        answers = peer.answers("HEAD", "HEAD")
        assert [(answer.status, answer.headers.get("turn-id")) for answer in answers] == [(200, "7")] * 2
        assert answers[0].headers.get("content-type") == "text/event-stream; charset=utf-8"

    def test_it_gives_nothing_whatever_is_called(self) -> None:
        head = EventStreamHead()
        head.handle_timeout(1e9)
        assert (head.data_to_send(0.0), head.deadline, head.state) == (b"", None, StreamState.FINISHED)

    def test_it_waits_for_the_handler(self) -> None:
        peer = Peer(HandlerAnswer(SETTINGS, method="HEAD"))
        peer.send(request("HEAD"))
        assert peer.phase() is ConnectionPhase.ANSWERING
        assert not peer.received

    def test_a_broadcast_is_not_followed(self) -> None:
        broadcast, answer = Broadcast("job"), HandlerAnswer(SETTINGS, method="HEAD")
        answer.follow(Follow(broadcast), Request("HEAD", "/"), 0.0)
        woken = list[int]()
        answer.waker = lambda: woken.append(1)
        broadcast.publish([ServerSentEvent("message", "a")], 0.0)
        assert not woken
        assert (head_of(answer)[0], answer.state) == (200, StreamState.FINISHED)

    def test_over_a_connection(self) -> None:
        peer = Peer(begun(method="HEAD"))
        peer.send(request("HEAD") + request("HEAD"))
        first = bytes(peer.received)
        assert first.startswith(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream")
        assert first.endswith(b"\r\n\r\n")
        assert b"content-length" not in first


class TestStopping:
    """The server goes down."""

    def test_what_was_given_is_sent_and_ends_properly(self) -> None:
        answer = begun()
        calls = list[str]()
        answer.receive("a", 0.0)
        answer.waker, answer.on_close = (lambda: calls.append("woken")), (lambda: calls.append("closed"))
        answer.stop(1.0)
        assert {*calls} == {"woken", "closed"}
        answer.receive("too late", 1.0)
        answer.fail()
        assert answer.data_to_send(1.0) == b"data: a\n\n"
        assert answer.state is StreamState.FINISHED
        assert isinstance(answer.head, StreamHead)

    def test_a_handler_that_was_not_decided(self) -> None:
        answer = HandlerAnswer(SETTINGS)
        answer.stop(0.0)
        answer.reply(Reply(200))
        answer.follow(Follow(Broadcast("job")), Request("GET", "/"), 0.0)
        assert not answer.begin(0.0)
        status, headers = head_of(answer)
        assert (status, headers.get("retry-after")) == (503, "1")

    def test_one_that_had_given_nothing_yet(self) -> None:
        answer = begun()
        answer.stop(0.0)
        assert head_of(answer)[0] == 503
        assert answer.deadline is None

    def test_who_follows_a_broadcast_gets_what_there_is(self) -> None:
        broadcast, answer = Broadcast("job"), HandlerAnswer(SETTINGS)
        answer.follow(Follow(broadcast), Request("GET", "/"), 0.0)
        broadcast.publish([ServerSentEvent("message", "a")], 0.0)
        answer.stop(1.0)
        states = [answer.state]
        assert answer.data_to_send(1.0) == b"data: a\nid: job-1\n\n"
        states.append(answer.state)
        assert states == [StreamState.OPEN, StreamState.FINISHED]

    def test_the_next_event_says_when_to_come_back(self) -> None:
        answer = begun()
        answer.announce_end(0.25)
        assert answer.data_to_send(0.0) == b""
        answer.receive("a", 0.0)
        assert answer.data_to_send(0.0) == b"retry: 2250\ndata: a\n\n", "one event, which has data"
        answer.receive("b", 0.0)
        answer.stop(1.0)
        assert answer.data_to_send(1.0) == b"data: b\n\n"

    def test_or_the_end_does(self) -> None:
        answer = begun()
        answer.receive("a", 0.0)
        assert answer.data_to_send(0.0) == b"data: a\n\n"
        answer.announce_end(0.0)
        answer.stop(0.0)
        assert answer.data_to_send(0.0) == b"retry: 1500\n", "no empty line, or it were an event to some"
        assert answer.data_to_send(0.0) == b""
        assert answer.state is StreamState.FINISHED

    def test_or_the_iterators_own_end(self) -> None:
        answer = begun()
        answer.receive("a", 0.0)
        answer.data_to_send(0.0)
        answer.announce_end(0.999)
        answer.finish(0.0)
        assert answer.data_to_send(0.0) == b"retry: 4497\n"

    def test_who_follows_a_broadcast_is_told_too(self) -> None:
        broadcast, answer = Broadcast("job"), HandlerAnswer(SETTINGS)
        answer.follow(Follow(broadcast), Request("GET", "/"), 0.0)
        answer.announce_end(0.5)
        broadcast.publish([ServerSentEvent("message", "a")], 0.0)
        assert answer.data_to_send(0.0) == b"retry: 3000\ndata: a\nid: job-1\n\n"

    def test_nobody_is_told_if_you_say_so(self) -> None:
        answer = HandlerAnswer(HandlerSettings(reconnect_after=None))
        assert answer.begin(0.0)
        answer.receive("a", 0.0)
        answer.announce_end(0.5)
        answer.stop(0.0)
        assert answer.data_to_send(0.0) == b"data: a\n\n"

    @pytest.mark.parametrize("seconds", [-1.0, 86401.0, float("nan")])
    def test_what_is_no_time_to_come_back(self, seconds: float) -> None:
        with pytest.raises(ValueError, match="reconnect_after must be from 0 to 86400 seconds"):
            HandlerSettings(reconnect_after=seconds)

    def test_once_or_too_late_does_no_harm(self) -> None:
        answer = begun()
        answer.receive("a", 0.0)
        answer.close(0.0)
        answer.stop(1.0)
        answer.stop(1.0)
        assert answer.data_to_send(1.0) == b""
