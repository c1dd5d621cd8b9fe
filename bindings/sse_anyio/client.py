"""``connect`` on asyncio and on trio: any event stream, from connection to connection.

It pulls: bytes are read only while the consumer waits for an event, so a slow consumer slows the
peer and nothing is stored.  It is no async generator, so no cancel scope ever spans a yield.
"""

from __future__ import annotations

import inspect
import math
import random
import ssl
import time
from types import TracebackType
from typing import Any, Self

import anyio
import anyio.lowlevel

from sse_core.framing import ServerSentEvent
from sse_core.framing.decoder import DEFAULT_MAX_BYTES
from sse_core.headers import HeadersLike
from sse_core.lifecycle import (
    DEFAULT_MAX_REDIRECTS,
    EventSource,
    OnComment,
    OnReconnect,
    ResumeRule,
    RetryPolicy,
    SourceDeadlines,
)
from sse_http import Query, new_request
from sse_io.event_source import event_source
from sse_io.streams import EventStreamState, HeadersSource

from .driver import Driver
from .new_driver import new_driver
from .transport_driver import TransportDriver


def connect(
    url: str,
    *,
    method: str = "GET",
    headers: HeadersLike | HeadersSource = (),
    body: bytes = b"",
    content: bytes | str | None = None,
    json: Any = None,
    params: Query | None = None,
    timeout: float | None = None,
    follow_redirects: bool = True,
    retry: RetryPolicy | None = None,
    resume: ResumeRule | None = None,
    last_event_id: str = "",
    deadlines: SourceDeadlines | None = None,
    on_reconnect: OnReconnect | None = None,
    on_comment: OnComment | None = None,
    max_redirects: int = DEFAULT_MAX_REDIRECTS,
    max_line_bytes: int = DEFAULT_MAX_BYTES,
    max_event_bytes: int = DEFAULT_MAX_BYTES,
    tls: ssl.SSLContext | None = None,
    uds: str | None = None,
    proxy: str | None = None,
    trust_env: bool = True,
    transport: object | None = None,
) -> EventStream:
    """An event stream, to be entered with ``async with`` and read with ``async for``.

    It reconnects on its own, with the last event ID, until the server says 204, the ``retry``
    policy is exhausted, or ``resume`` forbids it.

    - ``url``: absolute, http or https, or ``http+unix://%2Fpath%2Fof.sock/`` for a Unix socket.
    - ``method``, ``body``: of the request.
    - ``content``: the same as ``body``; text is sent as UTF-8.
    - ``json``: the body as a value, sent as JSON, with its ``Content-Type``.
    - ``params``: the query, in place of the URL's: a mapping (whose values may be lists), pairs, or text.
    - ``timeout``: seconds for each single wait: to connect, for the answer's head, between two reads.  In
      place of ``deadlines``.
    - ``follow_redirects``: if not, an answer that says to ask elsewhere is a refusal.
    - ``headers``: a mapping, pairs, or a function, plain or ``async``.  The function is called and the
      mapping is read for each attempt, because tokens expire.  It has as long as connecting has; what it
      raises, the iteration raises.
    - ``retry``: how often and when a lost connection is made again.
    - ``resume``: how to go on where ``method`` is not safe.  By default such a request is never
      repeated, and its answer is read on by GET where the answer says at which URL.  ``"get"``: at the
      same URL.  ``"always"``: the request is repeated after a cut.  ``"never"``: neither.
    - ``last_event_id``: where to go on from.
    - ``deadlines``: in seconds.
    - ``on_reconnect``: called with a :class:`sse_core.lifecycle.Reconnect` for each connection that was
      lost and is to be made again: behind the events that came before, and before that is done.  To give
      up, let it raise: the iteration raises the same.
    - ``on_comment``: called with the text of each comment, in its place among the events.
    - ``max_redirects``: how many are followed for one connection.  To another origin go only fields that
      are known to hold no credential, and no body.
    - ``max_line_bytes``, ``max_event_bytes``: the largest line, and the largest data of an event.
    - ``tls``: the context for https; the system's authorities if ``None``.
    - ``uds``: the path of a Unix socket to connect to, whatever the URL's host.
    - ``proxy``: the URL of an HTTP proxy, ``http://user:password@host:port``, for all connections.
    - ``trust_env``: whether, without ``proxy``, the environment names one (``HTTP_PROXY``, ``HTTPS_PROXY``,
      ``ALL_PROXY``, but for ``NO_PROXY`` and for servers of this machine).
    - ``transport``: a client that you have, in place of connections of our own: httpx2's or httpx's
      ``AsyncClient``, aiohttp's ``ClientSession``, or a :class:`ClientTransport`.  It stays open.

    Raises ``ValueError`` for a ``url`` that is not absolute http or https, and for a request that can't be
    sent; ``TypeError`` for arguments of another type, and for two that say the same.  Iterating raises
    ``RemoteProtocolError`` when the server refuses for good (with the answer's ``status`` and ``headers``,
    and an ``excerpt`` of its body), ``TransportError`` when the connection can't be made or kept, and
    ``LimitExceeded`` when an event is too large, or the redirects are too many.
    """
    request = new_request(
        url,
        method=method,
        headers=() if callable(headers) else headers,
        body=body,
        content=content,
        json=json,
        params=params,
    )
    source = event_source(
        request,
        jitter=random.random,
        wall_clock=time.time,
        timeout=timeout,
        follow_redirects=follow_redirects,
        retry=retry,
        resume=resume,
        last_event_id=last_event_id,
        deadlines=deadlines,
        on_reconnect=on_reconnect,
        on_comment=on_comment,
        max_redirects=max_redirects,
        max_line_bytes=max_line_bytes,
        max_event_bytes=max_event_bytes,
    )
    driver = new_driver(source, transport=transport, tls=tls, uds=uds, proxy=proxy, trust_env=trust_env)
    return EventStream(source, driver, headers)


class EventStream(EventStreamState):
    """A running :func:`connect`."""

    def __init__(
        self,
        source: EventSource,
        driver: Driver | TransportDriver,
        headers: HeadersLike | HeadersSource = (),
    ) -> None:
        super().__init__(source, headers)
        self._driver = driver

    async def __aenter__(self) -> Self:
        self._source.start(anyio.current_time())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._source.close(anyio.current_time())
        await self._driver.leave()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ServerSentEvent:
        self._begin_reading(anyio.current_time())
        await anyio.lowlevel.checkpoint_if_cancelled()
        while (event := self._take(anyio.current_time())) is None:
            if self._is_over(self._driver.problem):
                raise StopAsyncIteration
            if self._wanted_headers is not None:
                await self._ask_for_headers(self._wanted_headers)
            await self._driver.step()
        return event

    async def _ask_for_headers(self, headers: HeadersSource) -> None:
        """Ask for the headers of this attempt; in vain if they take longer than connecting may."""
        deadline = self._source.deadline
        with anyio.CancelScope(deadline=math.inf if deadline is None else deadline):
            given = headers()
            self._renew_headers(await given if inspect.isawaitable(given) else given)
