"""``connect`` on plain sockets: any event stream, from connection to connection.

It pulls: bytes are read only while the consumer waits for an event, so a slow consumer slows the
peer and nothing is stored.
"""

from __future__ import annotations

import inspect
import random
import ssl
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

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
from sse_http import ClientExchange, Query, new_request
from sse_io.client_route import ClientRoute, client_route
from sse_io.event_source import event_source
from sse_io.streams import EventStreamState, HeadersSource

from .driver import Driver


def connect(
    url: str,
    *,
    method: str = "GET",
    headers: HeadersLike | Callable[[], HeadersLike] = (),
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
) -> EventStream:
    """An event stream, to be entered with ``with`` and read with ``for``.

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
    - ``headers``: a mapping, pairs, or a function.  The function is called and the mapping is read for each
      attempt, because tokens expire.  It may wait, for as long as connecting may take; nothing can interrupt
      it.  What it raises, the iteration raises.
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
    return EventStream(source, client_route(tls=tls, uds=uds, proxy=proxy, trust_env=trust_env), headers)


class EventStream(EventStreamState):
    """A running :func:`connect`.  One thread reads it; any may ``close`` it."""

    _WITH = "with"

    def __init__(
        self, source: EventSource, route: ClientRoute, headers: HeadersLike | HeadersSource = ()
    ) -> None:
        super().__init__(source, headers)
        self._closed = False
        self._driver = Driver(ClientExchange(source, route=route.http), route.tls)  # pyright: ignore[reportArgumentType]  # its waker is a property

    def close(self) -> None:
        """End the stream and close its connection at once, whatever it is doing; idempotent.

        May be called from any thread, from a signal's handler, and from ``on_comment`` and ``on_reconnect``.
        The iteration ends; what has come and was not handed out never is, and ``last_event_id`` says so.
        """
        self._closed = True
        self._driver.do(self._end)

    def _end(self) -> None:
        self._source.close(time.monotonic())
        self._driver.leave()

    def __enter__(self) -> Self:
        with self._driver:
            self._source.start(time.monotonic())
            self._driver.begin()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._driver:
            self._source.close(time.monotonic())
            self._driver.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> ServerSentEvent:
        with self._driver:
            self._begin_reading(time.monotonic())
        while True:
            with self._driver:
                event = None if self._closed else self._take(time.monotonic())
                if event is not None:
                    return event
                if self._closed or self._is_over(self._driver.problem):
                    raise StopIteration
                wanted = self._wanted_headers
                if wanted is None:
                    self._driver.step()
            if wanted is not None:
                self._ask_for_headers(wanted)

    def _ask_for_headers(self, headers: HeadersSource) -> None:
        """Ask for the headers of this attempt, without the lock: it may take its time."""
        given = headers()
        if inspect.isawaitable(given):
            if inspect.iscoroutine(given):
                given.close()
            raise TypeError("the function for headers is async: sse_trio and sse_anyio take such")
        with self._driver:
            if self._wanted_headers is not None:  # or somebody has closed the stream meanwhile
                self._renew_headers(given)
