"""The client side on trio: ``connect`` for any event stream, ``stream_turn`` for an LLM turn.

Both pull: bytes are read only while the consumer waits for an event, so a slow consumer slows the
peer and nothing is stored.  Neither is an async generator, so no cancel scope ever spans a yield.
"""

from __future__ import annotations

import random
import ssl
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import trio

from sse_core.blocks import BlockEvent, Message
from sse_core.framing import ServerSentEvent
from sse_core.headers import Headers, HeadersLike
from sse_core.lifecycle import (
    DEFAULT_MAX_REDIRECTS,
    EventSource,
    HTTPRequest,
    OnReconnect,
    Outcome,
    ResumeRule,
    RetryPolicy,
    SourceDeadlines,
    Timing,
    Turn,
    Upstream,
    Want,
)
from sse_http import ClientExchange, parse_url

from .driver import Driver


def connect(
    url: str,
    *,
    method: str = "GET",
    headers: HeadersLike = (),
    body: bytes = b"",
    retry: RetryPolicy | None = None,
    resume: ResumeRule | None = None,
    last_event_id: str = "",
    deadlines: SourceDeadlines | None = None,
    on_reconnect: OnReconnect | None = None,
    max_redirects: int = DEFAULT_MAX_REDIRECTS,
    tls: ssl.SSLContext | None = None,
) -> EventStream:
    """An event stream, to be entered with ``async with`` and read with ``async for``.

    It reconnects on its own, with the last event ID, until the server says 204, the ``retry``
    policy is exhausted, or ``resume`` forbids it (``"always"`` for GET, ``"if-event-id"`` for
    other methods, ``"never"``).  All of ``deadlines`` are in seconds.

    ``on_reconnect`` is called with a :class:`sse_core.lifecycle.Reconnect` for each connection that
    was lost and is to be made again: behind the events that came before, and before that is done.
    To give up, let it raise: the iteration raises the same.

    At most ``max_redirects`` redirects are followed for one connection.  To another origin go only
    fields that are known to hold no credential, and no body.

    Raises ``ValueError`` for a ``url`` that is not absolute http or https, and for a request that
    can't be sent.  Iterating raises ``RemoteProtocolError`` when the server refuses for good,
    ``TransportError`` when the connection can't be made or kept, and ``LimitExceeded`` when an
    event is too large, or the redirects are too many.
    """
    request = HTTPRequest(url, method, Headers(headers), body)
    source = EventSource(
        request,
        last_event_id=last_event_id,
        retry=retry,
        resume=resume,
        deadlines=deadlines,
        jitter=random.random,
        on_reconnect=on_reconnect,
        max_redirects=max_redirects,
    )
    return EventStream(source, tls)


def stream_turn(
    upstream: Upstream | str, body: bytes | Mapping[str, object], *, tls: ssl.SSLContext | None = None
) -> TurnStream:
    """One LLM turn, to be entered with ``async with`` and read with ``async for``.

    ``upstream`` is an :class:`sse_core.lifecycle.Upstream`, or the URL of one that speaks
    Anthropic's Messages.  ``body`` is the provider's own request; a mapping gets ``"stream": true``.
    A provider's failure is an event (``StreamError``) and an outcome, never an exception.  Raises
    ``ValueError`` for a URL that is not absolute http or https, and for a request that can't be sent.
    """
    target = upstream if isinstance(upstream, Upstream) else Upstream(upstream)
    parse_url(target.url)
    return TurnStream(target.turn(body, jitter=random.random), tls)


class EventStream:
    """A running :func:`connect`."""

    def __init__(self, source: EventSource, tls: ssl.SSLContext | None) -> None:
        self._source = source
        self._driver = Driver(ClientExchange(source), tls)

    @property
    def last_event_id(self) -> str:
        """The ID to go on from, on another connection or in another process."""
        return self._source.last_event_id

    @property
    def origin(self) -> str:
        """Whose events these are, as ``https://host:port``: the server's at the end of all redirects."""
        return self._source.origin

    @property
    def reconnects(self) -> int:
        """How many times the stream was connected to again."""
        return self._source.reconnects

    async def __aenter__(self) -> Self:
        self._source.start(trio.current_time())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._source.close(trio.current_time())
        self._driver.leave()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ServerSentEvent:
        await trio.lowlevel.checkpoint_if_cancelled()
        self._source.resume(trio.current_time())
        while (event := self._source.next_event()) is None:
            if self._source.want is Want.NOTHING:
                if self._source.error is not None:
                    raise self._source.error from self._driver.problem
                raise StopAsyncIteration
            await self._driver.step()
        self._source.pause(trio.current_time())
        return event


class TurnStream:
    """A running :func:`stream_turn`."""

    def __init__(self, turn: Turn, tls: ssl.SSLContext | None) -> None:
        self._turn = turn
        self._driver = Driver(ClientExchange(turn), tls)

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

    async def stop(self) -> Outcome:
        """Stop the turn and close its connection at once, whatever it is doing; idempotent.

        May be called from another task than the one that iterates; that one gets the last events
        and then the end.
        """
        outcome = self._turn.stop(trio.current_time())
        self._driver.leave()
        await trio.lowlevel.checkpoint()
        return outcome

    async def __aenter__(self) -> Self:
        self._turn.start(trio.current_time())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._turn.stop(trio.current_time())
        self._driver.leave()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> BlockEvent:
        await trio.lowlevel.checkpoint_if_cancelled()
        self._turn.resume(trio.current_time())
        while (event := self._turn.next_event()) is None:
            if self._turn.want is Want.NOTHING:
                raise StopAsyncIteration
            await self._driver.step()
        self._turn.pause(trio.current_time())
        return event
