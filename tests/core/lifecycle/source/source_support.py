"""An event source that is driven on a made-up clock."""

from __future__ import annotations

from typing import Any

from sse_core import ServerSentEvent
from sse_core.headers import Headers
from sse_core.lifecycle import EventSource, HTTPRequest, SourceState, Want

URL = "https://server.test/events?x=1"
GET = HTTPRequest(URL, headers=Headers({"authorization": "Bearer secret"}))
POST = HTTPRequest(URL, "POST", Headers({"content-type": "application/json"}), b"{}")
NO_FIELDS = Headers()
STREAM = Headers({"content-type": "text/event-stream"})


def connecting(request: HTTPRequest = GET, **settings: Any) -> EventSource:
    """A source that was started at 0.0."""
    source = EventSource(request, **settings)
    source.start(0.0)
    return source


def connected(request: HTTPRequest = GET, **settings: Any) -> EventSource:
    """A source whose request is on its way, at 0.0."""
    source = connecting(request, **settings)
    source.connected(0.0)
    return source


def opened(request: HTTPRequest = GET, headers: Headers = STREAM, **settings: Any) -> EventSource:
    """A source that reads a stream, from 0.0."""
    source = connected(request, **settings)
    source.response_started(200, headers, 0.0)
    assert state_of(source) is SourceState.OPEN
    return source


def refuse(source: EventSource, status: int, headers: Headers = NO_FIELDS, body: bytes = b"") -> None:
    """A final answer, whole, at 0.0."""
    source.response_started(status, headers, 0.0)
    assert (source.state, source.want) == (SourceState.REFUSED, Want.READ)
    source.receive_data(body, 0.0)
    source.receive_eof(0.0)


# A type checker takes what an assertion says of an attribute to hold for ever; of a function's result
# it doesn't.


def state_of(source: EventSource) -> SourceState:
    return source.state


def want_of(source: EventSource) -> Want:
    return source.want


def deadline_of(source: EventSource) -> float | None:
    return source.deadline


def redirect(location: str, status: int = 307) -> tuple[int, Headers]:
    """The head of a redirect."""
    return status, Headers({"location": location})


def follow(source: EventSource, location: str, status: int = 307, now: float = 0.0) -> None:
    """Connect, be redirected, and leave; the source wishes to connect again."""
    if want_of(source) is Want.CONNECT:
        source.connected(now)
    source.response_started(*redirect(location, status), now)
    assert (state_of(source), want_of(source)) == (SourceState.REDIRECTING, Want.CLOSE)
    source.closed(now)
    assert (state_of(source), want_of(source)) == (SourceState.CONNECTING, Want.CONNECT)


def reopen(source: EventSource, now: float = 0.0) -> float:
    """Close, sleep, connect and be answered; the moment of that."""
    if want_of(source) is Want.CLOSE:
        source.closed(now)
    assert want_of(source) is Want.WAIT
    due = deadline_of(source)
    assert due is not None
    source.handle_timeout(due)
    assert want_of(source) is Want.CONNECT
    source.connected(due)
    source.response_started(200, STREAM, due)
    return due


def taken(source: EventSource) -> list[ServerSentEvent]:
    events = []
    while (event := source.next_event()) is not None:
        events.append(event)
    return events
