"""A client without an event loop, in thirty lines over what the bindings share; and what they all say."""

from __future__ import annotations

import itertools
import select
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any, TypeVar

import pytest

from sse_core.errors import LocalProtocolError, TransportError, TurnError
from sse_core.headers import Headers
from sse_core.lifecycle import EventSource, HTTPRequest, Outcome, RetryPolicy, Turn, Upstream
from sse_http import ClientExchange, Exchange, Reply, StreamState
from sse_io.client_pump import ClientPump
from sse_io.connect_errors import connect_failure
from sse_io.owner import READ, WRITE
from sse_io.socket_options import set_options
from sse_io.streams import EventStreamState, TurnStreamState, turn_upstream
from tests.http.support import Pieces, Scripted
from tests.io.support import Served, free_port, served

T = TypeVar("T")
ANSWER = b"".join(b"data: <%d>\nid: %d\n\n" % (number, number) for number in range(3))


class Steps:
    """Steps an exchange with blocking calls: the least that a binding without an event loop can be."""

    def __init__(self, exchange: Exchange) -> None:
        self.pump = ClientPump(exchange, tls=_no_tls, let_go=lambda _: None)

    def step(self) -> None:
        pump, now = self.pump, time.monotonic()
        endpoint = pump.endpoint(now)
        if pump.deadline <= now:
            pump.due(now)
        elif endpoint is not None:
            try:
                sock = socket.create_connection((endpoint.host, endpoint.port))
            except OSError as error:
                pump.lose(connect_failure(error), now)
            else:
                set_options(sock)
                pump.opened(sock, now)
        else:
            left = None if pump.deadline == float("inf") else pump.deadline - now
            watched = [] if pump.sock is None else [pump.sock]
            readable, writable, _ = select.select(watched, watched if pump.interest & WRITE else [], [], left)
            pump.ready((READ if readable else 0) | (WRITE if writable else 0), time.monotonic())
        pump.obey(time.monotonic())


def _no_tls() -> Any:
    raise AssertionError


class PlainEvents(EventStreamState):
    def __init__(self, source: EventSource, headers: Any = ()) -> None:
        super().__init__(source, headers)
        self.steps = Steps(ClientExchange(source))

    def __iter__(self) -> Iterator[str]:
        while True:
            self._begin_reading(time.monotonic())
            while (event := self._take(time.monotonic())) is None:
                if self._is_over(self.steps.pump.problem):
                    return
                headers = self.wanted()
                if headers is not None:
                    self.renew(headers())
                self.steps.step()
            yield event.data

    def wanted(self) -> Any:
        return self._wanted_headers

    def renew(self, fields: Any) -> None:
        self._renew_headers(fields)


class PlainTurn(TurnStreamState):
    def __init__(self, turn: Turn) -> None:
        super().__init__(turn)
        self.steps = Steps(ClientExchange(turn))

    def __iter__(self) -> Iterator[Any]:
        while True:
            self._begin_reading(time.monotonic())
            while (event := self._take(time.monotonic())) is None:
                if self._is_over:
                    return
                self.steps.step()
            yield event


@pytest.fixture
def stepping() -> Iterator[list[Served]]:
    """Whatever is served here is stepped by a thread, as the client waits."""
    worlds: list[Served] = []
    going_on = threading.Event()
    going_on.set()

    def step() -> None:
        while going_on.is_set():
            for world in tuple(worlds):
                world.loop.step(time.monotonic(), 0.01)
            if not worlds:
                time.sleep(0.001)

    thread = threading.Thread(target=step)
    thread.start()
    yield worlds
    going_on.clear()
    thread.join()


def url_of(world: Served) -> str:
    return f"http://127.0.0.1:{world.address[1]}/"


class TestEvents:
    def test_one_after_another_and_again_after_the_end(self, stepping: list[Served]) -> None:
        requested: list[tuple[str | None, str | None]] = []

        def answer(request: Any) -> Any:
            requested.append((request.headers.get("x-token"), request.headers.get("last-event-id")))
            return Reply(204) if len(requested) == 2 else Pieces(ANSWER, end=StreamState.FINISHED)

        tokens = itertools.count()
        with served(Scripted(answer)) as world:
            stepping.append(world)
            source = EventSource(
                HTTPRequest(url_of(world)), retry=RetryPolicy(initial_delay=0.0), jitter=lambda: 0.0
            )
            stream = PlainEvents(source, lambda: {"x-token": str(next(tokens))})
            source.start(time.monotonic())
            assert list(stream) == ["<0>", "<1>", "<2>"]
            assert requested == [("0", None), ("1", "2")]
            assert (stream.last_event_id, stream.reconnects, stream.status) == ("2", 1, 200)
            assert stream.origin == url_of(world).rstrip("/")
            assert stream.response_headers.get("content-type") == "text/event-stream"
            stepping.clear()
            time.sleep(0.05)

    def test_what_went_wrong_is_raised_with_its_cause(self) -> None:
        source = EventSource(
            HTTPRequest(f"http://127.0.0.1:{free_port()}/"), retry=RetryPolicy(max_attempts=1)
        )
        stream = PlainEvents(source)
        source.start(time.monotonic())
        with pytest.raises(TransportError, match="Connection refused") as caught:
            next(iter(stream))
        assert isinstance(caught.value.__cause__, TransportError)

    def test_it_has_to_be_entered(self) -> None:
        with pytest.raises(LocalProtocolError, match="enter the stream first"):
            next(iter(PlainEvents(EventSource(HTTPRequest("http://127.0.0.1/")))))

    def test_the_type_of_the_body_is_not_forgotten(self) -> None:
        """It was made with the body: whoever gives the headers anew may know nothing of it."""
        request = HTTPRequest("http://h/", "POST", Headers({"content-type": "application/json"}), b"{}")
        for given, wanted in (({"a": "b"}, "application/json"), ({"Content-Type": "mine"}, "mine")):
            source = EventSource(request)
            PlainEvents(source, dict).renew(given)
            assert source.request.headers.get_all("content-type") == [wanted]

    def test_headers_that_stay_are_not_made_anew(self) -> None:
        source = EventSource(HTTPRequest("http://127.0.0.1/", headers=Headers({"a": "b"})))
        source.start(0.0)
        assert PlainEvents(source, [("a", "b")]).wanted() is None
        mapping = {"a": "b"}
        stream = PlainEvents(source, mapping)
        wanted = stream.wanted()
        assert wanted is not None
        assert wanted() is mapping
        stream.renew(mapping)
        assert stream.wanted() is None


TURN = (
    b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","role":"assistant",'
    b'"content":[],"model":"m","usage":{}}}\n\n'
    b'event: content_block_start\ndata: {"type":"content_block_start","index":0,'
    b'"content_block":{"type":"text","text":""}}\n\n'
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":0,'
    b'"delta":{"type":"text_delta","text":"Hello"}}\n\n'
    b'event: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\n'
    b'event: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{}}\n\n'
    b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
)


class TestTurns:
    def test_to_its_outcome(self, stepping: list[Served]) -> None:
        with served(Scripted(lambda _: Pieces(TURN, end=StreamState.FINISHED))) as world:
            stepping.append(world)
            turn = turn_upstream(
                url_of(world) + "v1/messages", max_line_bytes=None, max_event_bytes=None, on_comment=None
            ).turn({"model": "m"})
            stream = PlainTurn(turn)
            with pytest.raises(LocalProtocolError, match="enter the turn first"):
                next(iter(stream))
            turn.start(time.monotonic())
            assert list(stream)
            assert stream.message.text == "Hello"
            assert (stream.outcome, stream.attempts, stream.response_status) == (Outcome.COMPLETED, 1, 200)
            assert stream.response_headers.get("content-type") == "text/event-stream"
            assert stream.timing is turn.timing
            stream.raise_for_outcome()
            stepping.clear()
            time.sleep(0.05)

    def test_a_failure_is_an_outcome(self) -> None:
        upstream = Upstream(f"http://127.0.0.1:{free_port()}/", retry=RetryPolicy(max_attempts=1))
        turn = turn_upstream(upstream, max_line_bytes=None, max_event_bytes=None, on_comment=None).turn({})
        stream = PlainTurn(turn)
        turn.start(time.monotonic())
        list(stream)
        assert stream.outcome is Outcome.FAILED
        with pytest.raises(TurnError):
            stream.raise_for_outcome()

    def test_what_a_call_says_goes_before_what_its_upstream_says(self) -> None:
        comments: list[str] = []
        upstream = Upstream("http://127.0.0.1/", max_line_bytes=10, max_event_bytes=20)
        same = turn_upstream(upstream, max_line_bytes=None, max_event_bytes=None, on_comment=None)
        assert same == upstream
        other = turn_upstream(upstream, max_line_bytes=1, max_event_bytes=2, on_comment=comments.append)
        assert (other.max_line_bytes, other.max_event_bytes) == (1, 2)
        assert other.on_comment == comments.append
        with pytest.raises(ValueError, match="http"):
            turn_upstream("nowhere", max_line_bytes=None, max_event_bytes=None, on_comment=None)
