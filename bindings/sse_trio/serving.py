"""Serve an application: accept, keep its time, and drive what it needs of others."""

from __future__ import annotations

import logging
import math
import ssl
from collections.abc import Callable
from email.utils import formatdate
from functools import partial

import trio

from sse_core.errors import TransportError
from sse_http import (
    TLS,
    Application,
    BodyBudget,
    Channel,
    Exchange,
    HandlerSettings,
    Plain,
    Refusal,
    ServerConnection,
    ServerSettings,
    no_waker,
)

from .arguments import check_serving
from .driver import Driver
from .error_log import log_refusal, report, reported
from .handlers import Handler, HandlerApplication, as_application
from .link import Link
from .listeners import open_listeners, port_of
from .peer import Peer
from .reading_share import ReadingShare

_log = logging.getLogger("sse_trio")

_PAUSE_AFTER_A_MISTAKE = 1.0


async def serve(
    application: Application | Handler,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: ssl.SSLContext | None = None,
    upstream_tls: ssl.SSLContext | None = None,
    settings: ServerSettings | None = None,
    max_connections: int = 10_000,
    handler_settings: HandlerSettings | None = None,
    on_refusal: Callable[[Refusal], None] = log_refusal,
    grace: float = 2.0,
    task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve ``application`` until cancelled.

    Then nothing more is accepted, the application is closed, and what it still has to say goes out, for
    ``grace`` seconds at most: a handler's stream ends properly, a request without an answer gets 503.

    It may also be a handler, ``async def handler(request)``, that returns a ``Reply`` or an async
    iterator of events: each a ``str`` (its data), a ``ServerSentEvent``, or a mapping (sent as
    JSON).  ``handler_settings`` says how they are passed on.  The iterator is closed as soon as its
    reader has gone.

    ``tls`` makes the server speak https; ``upstream_tls`` is for the connections that the
    application asks for.  Above ``max_connections`` a new one is closed at once.  ``on_refusal`` is
    told of each request that is refused; by default it is logged.  Reports the port to ``task_status``
    (useful with ``port=0``).  Raises ``OSError`` if the address can't be had, and ``TypeError`` for what
    can't be served, and for arguments of another type.
    """
    check_serving(
        host=host,
        port=port,
        tls=tls,
        upstream_tls=upstream_tls,
        settings=settings,
        max_connections=max_connections,
        handler_settings=handler_settings,
        on_refusal=on_refusal,
        grace=grace,
    )
    handler_settings = handler_settings or HandlerSettings()
    served = as_application(application, handler_settings)
    settings = settings or ServerSettings()
    listeners = await open_listeners(host, port)
    server = _Server(
        served,
        settings,
        tls=tls,
        upstream_tls=upstream_tls,
        max_connections=max_connections,
        patience=max(settings.write_timeout, handler_settings.readers.stall or 0.0),
        on_refusal=on_refusal,
    )
    try:
        await server.run(listeners, grace, task_status)
    finally:
        server.close_application()


class _Server:
    """What the connections of one application share."""

    def __init__(
        self,
        application: Application,
        settings: ServerSettings,
        *,
        tls: ssl.SSLContext | None,
        upstream_tls: ssl.SSLContext | None,
        max_connections: int,
        patience: float,
        on_refusal: Callable[[Refusal], None],
    ) -> None:
        self._application = application
        self._settings = settings
        self._tls = tls
        self._upstream_tls = upstream_tls
        self._max_connections = max_connections
        self._on_refusal = on_refusal
        self._bodies = BodyBudget(settings.max_total_body_bytes)
        self._patience = patience
        self._connections = 0
        self._peers: set[Peer] = set()
        self._share = ReadingShare()
        self._sleep = trio.CancelScope()
        self._closed = False

    async def run(
        self, listeners: list[trio.SocketListener], grace: float, task_status: trio.TaskStatus[int]
    ) -> None:
        """Serve until cancelled; then let what is open come to its end, for ``grace`` seconds at most."""
        ended = trio.Event()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._keep_time)
            # Whoever cancels the server doesn't cut its connections: they are told first.
            with trio.CancelScope(shield=True) as last_words:
                async with trio.open_nursery() as self._nursery:
                    self._application.waker = self._look
                    await nursery.start(self._listen, listeners, ended)
                    task_status.started(port_of(listeners[0]))
                    await ended.wait()
                    last_words.deadline = trio.current_time() + grace
                    for peer in tuple(self._peers):
                        peer.shut_down()
                    self.close_application()
            nursery.cancel_scope.cancel()

    async def _listen(
        self,
        listeners: list[trio.SocketListener],
        ended: trio.Event,
        task_status: trio.TaskStatus[list[trio.SocketListener]],
    ) -> None:
        try:
            await trio.serve_listeners(
                self._accept, listeners, handler_nursery=self._nursery, task_status=task_status
            )
        finally:
            ended.set()

    def close_application(self) -> None:
        """It begins nothing any more, and ends what it has begun; idempotent."""
        self._application.waker = no_waker
        if not self._closed:
            self._closed = True
            with reported():
                self._application.close(trio.current_time())

    def _look(self) -> None:
        """The application has new exchanges, or another deadline."""
        for exchange in self._application.upstreams():
            self._nursery.start_soon(self._drive, exchange)
        self._sleep.cancel()

    async def _drive(self, exchange: Exchange) -> None:
        driver = Driver(exchange, self._upstream_tls, self._share)
        try:
            await driver.run()
        except Exception as error:  # noqa: BLE001  (one turn's trouble is no other's)
            report(error)
            with reported():
                # Whoever waits for this turn has to hear of it; the turn says whether to try again.
                driver.lose(TransportError("the request could not be made"))
                self._nursery.start_soon(self._drive, exchange)

    async def _keep_time(self) -> None:
        """Call the application when its deadline is due."""
        while True:
            deadline = self._application.deadline
            with trio.CancelScope(deadline=math.inf if deadline is None else deadline) as self._sleep:
                await trio.sleep_forever()
            try:
                self._application.handle_timeout(trio.current_time())
            except Exception as error:  # noqa: BLE001  (its connections go on)
                report(error)
                await trio.sleep(_PAUSE_AFTER_A_MISTAKE)  # the deadline may be due for ever

    async def _accept(self, stream: trio.SocketStream) -> None:
        """Serve one peer to the end of its connection."""
        if self._connections >= self._max_connections:
            _log.warning("closed a connection: there are max_connections=%d already", self._connections)
            return  # and trio closes it
        self._connections += 1
        try:
            await self._serve_peer(stream)
        except* Exception as errors:  # noqa: BLE001  (one connection's trouble is no other's)
            report(errors)
        finally:
            self._connections -= 1

    async def _serve_peer(self, stream: trio.SocketStream) -> None:
        channel: Channel = Plain() if self._tls is None else TLS(self._tls, server_side=True)
        async with trio.open_nursery() as nursery:
            connection = ServerConnection(
                self._application_of(nursery),
                trio.current_time(),
                settings=self._settings,
                client=_address(stream),
                bodies=self._bodies,
                on_error=report,
                on_refusal=self._on_refusal,
                date=partial(formatdate, usegmt=True),
            )
            link = Link.over(stream, channel)
            link.bound_silence(self._patience)
            peer = Peer(link, connection)
            self._peers.add(peer)
            try:
                await peer.run(nursery)
            finally:
                self._peers.discard(peer)

    def _application_of(self, connection: trio.Nursery) -> Application:
        application = self._application
        return application.within(connection) if isinstance(application, HandlerApplication) else application


def _address(stream: trio.SocketStream) -> str:
    try:
        return str(stream.socket.getpeername()[0])
    except OSError:
        return "gone"
