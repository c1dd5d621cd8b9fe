"""What a client's streams are, apart from waiting: for those who await, and for those who don't.

A binding steps its connection until there is an event::

    self._begin_reading(now)
    while (event := self._take(now)) is None:
        if self._over:
            stop
        renew the headers, if self._wants_headers
        step
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Mapping

from sse_core.blocks import BlockEvent, Message
from sse_core.errors import LocalProtocolError, TransportError
from sse_core.framing import ServerSentEvent
from sse_core.headers import Headers, HeadersLike, as_headers
from sse_core.lifecycle import (
    EventSource,
    OnComment,
    Outcome,
    SourceState,
    Timing,
    Turn,
    TurnState,
    Upstream,
    Want,
)
from sse_http import parse_url

from .timeouts import turn_deadlines

#: Gives the headers of the next attempt, at once or when it is awaited.
HeadersSource = Callable[[], HeadersLike | Awaitable[HeadersLike]]


class EventStreamState:
    """A running ``connect``."""

    _WITH = "async with"  # how it is entered

    def __init__(self, source: EventSource, headers: HeadersLike | HeadersSource = ()) -> None:
        self._source = source
        self._headers = _source_of(headers)
        self._content_type = source.request.headers.get("content-type")  # of a body that was made, too
        self._attempt_with_headers = -1

    @property
    def last_event_id(self) -> str:
        """The ID of the event that was handed out last: to go on from, in another process too."""
        return self._source.last_event_id

    @property
    def origin(self) -> str:
        """Whose events these are, as ``https://host:port``: the server's at the end of all redirects."""
        return self._source.origin

    @property
    def status(self) -> int | None:
        """The status of the answer that was accepted last, or ``None`` before there is one."""
        return self._source.status

    @property
    def response_headers(self) -> Headers:
        """The fields of the answer that was accepted last; none before there is one."""
        return self._source.response_headers

    @property
    def reconnects(self) -> int:
        """How many times the stream was connected to again."""
        return self._source.reconnects

    def _begin_reading(self, now: float) -> None:
        if self._source.state is SourceState.IDLE:
            raise LocalProtocolError(f"enter the stream first: {self._WITH} connect(...) as stream: ...")
        self._source.resume(now)

    def _take(self, now: float) -> ServerSentEvent | None:
        """The next event, if there is one: then nothing more is read until the caller wants the next."""
        event = self._source.next_event()
        if event is not None:
            self._source.pause(now)
        return event

    def _is_over(self, problem: TransportError | None) -> bool:
        """Whether no event will come any more.  Raises the source's error, if that is why."""
        if self._source.want is not Want.NOTHING:
            return False
        if self._source.error is not None:
            raise self._source.error from problem
        return True

    @property
    def _wanted_headers(self) -> HeadersSource | None:
        """What to ask for the headers of the attempt that begins now; ``None`` if it has them."""
        begins = self._source.want is Want.CONNECT and self._attempt_with_headers != self._source.reconnects
        return self._headers if begins else None

    def _renew_headers(self, fields: HeadersLike) -> None:
        renewed = as_headers(fields)
        if self._content_type is not None and "content-type" not in renewed:
            renewed = Headers([*renewed, ("content-type", self._content_type)])
        self._source.renew_headers(renewed)
        self._attempt_with_headers = self._source.reconnects


def _source_of(headers: HeadersLike | HeadersSource) -> HeadersSource | None:
    """Where the headers of each attempt come from; ``None`` if they stay as they are."""
    if callable(headers):
        return headers
    return (lambda: headers) if isinstance(headers, Mapping) else None


class TurnStreamState:
    """A running ``stream_turn``."""

    _WITH = "async with"  # how it is entered

    def __init__(self, turn: Turn) -> None:
        self._turn = turn

    @property
    def message(self) -> Message:
        """The message so far, as the events that were read make it."""
        return self._turn.message

    @property
    def outcome(self) -> Outcome | None:
        """How the turn ended, or ``None`` while it runs."""
        return self._turn.outcome

    @property
    def timing(self) -> Timing:
        """When its outputs came."""
        return self._turn.timing

    @property
    def attempts(self) -> int:
        """How many requests were made."""
        return self._turn.attempts

    @property
    def response_status(self) -> int | None:
        """The status of the answer that was accepted."""
        return self._turn.response_status

    @property
    def response_headers(self) -> Headers:
        """The fields of the answer that was accepted."""
        return self._turn.response_headers

    def raise_for_outcome(self) -> None:
        """Raise unless the turn has completed.

        Raises :class:`sse_core.TurnError`, with the provider's words where it said why, and
        ``LocalProtocolError`` before the turn has ended.
        """
        self._turn.raise_for_outcome()

    def _begin_reading(self, now: float) -> None:
        if self._turn.state is TurnState.IDLE:
            raise LocalProtocolError(f"enter the turn first: {self._WITH} stream_turn(...) as turn: ...")
        self._turn.resume(now)

    def _take(self, now: float) -> BlockEvent | None:
        """The next event, if there is one: then nothing more is read until the caller wants the next."""
        event = self._turn.next_event()
        if event is not None:
            self._turn.pause(now)
        return event

    @property
    def _is_over(self) -> bool:
        return self._turn.want is Want.NOTHING


def turn_upstream(
    upstream: Upstream | str,
    *,
    timeout: float | None = None,
    max_line_bytes: int | None,
    max_event_bytes: int | None,
    on_comment: OnComment | None,
) -> Upstream:
    """The upstream of a turn, with what the call says in place of its own.

    Raises ``ValueError`` for a URL that is not absolute http or https, and for what can't be.
    """
    target = upstream if isinstance(upstream, Upstream) else Upstream(upstream)
    parse_url(target.url)
    return dataclasses.replace(
        target,
        deadlines=turn_deadlines(timeout, target.deadlines),
        max_line_bytes=target.max_line_bytes if max_line_bytes is None else max_line_bytes,
        max_event_bytes=target.max_event_bytes if max_event_bytes is None else max_event_bytes,
        on_comment=on_comment or target.on_comment,
    )
