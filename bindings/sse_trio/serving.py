"""Serve an application: accept, keep its time, and drive what it needs of others."""

from __future__ import annotations

import logging
import math
import ssl
from collections.abc import Callable
from email.utils import formatdate
from functools import partial
from typing import cast

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

from .driver import Driver
from .handlers import Handler, HandlerApplication, is_handler
from .link import Link
from .mistakes import log_refusal, report, reported
from .peer import Peer

_log = logging.getLogger("sse_trio")

#: How often to look for a port that is free on every address of a host.
_TRIES_FOR_A_PORT = 5
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
    task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve ``application`` until cancelled.

    It may also be a handler, ``async def handler(request)``, that returns a ``Reply`` or an async
    iterator of events: each a ``str`` (its data), a ``ServerSentEvent``, or a mapping (sent as
    JSON).  ``handler_settings`` says how they are passed on.  The iterator is closed as soon as its
    reader has gone.

    ``tls`` makes the server speak https; ``upstream_tls`` is for the connections that the
    application asks for.  Above ``max_connections`` a new one is closed at once.  ``on_refusal`` is
    told of each request that is refused; by default it is logged.  Reports the port to ``task_status``
    (useful with ``port=0``).  Raises ``OSError`` if the address can't be had.
    """
    listeners = await _listen(host, port)
    if is_handler(application):
        application = HandlerApplication(application, handler_settings or HandlerSettings())
    application = cast("Application", application)
    server = _Server(
        application,
        settings or ServerSettings(),
        tls=tls,
        upstream_tls=upstream_tls,
        max_connections=max_connections,
        on_refusal=on_refusal,
    )
    try:
        async with trio.open_nursery() as nursery:
            server.start_in(nursery)
            nursery.start_soon(server.keep_time)
            await nursery.start(partial(trio.serve_listeners, server.accept, listeners))
            task_status.started(_port(listeners[0]))
    finally:
        application.waker = no_waker
        application.close(trio.current_time())


async def _listen(host: str, port: int) -> list[trio.SocketListener]:
    """Listeners on every address of ``host``, all on one port."""
    listeners = await trio.open_tcp_listeners(port, host=host)
    for _ in range(_TRIES_FOR_A_PORT):
        if port != 0 or len(listeners) == 1:
            break
        # The system chose a port for each address.  One of them may be free on the others too.
        chosen = _port(listeners[0])
        for listener in listeners:
            listener.socket.close()
        try:
            return await trio.open_tcp_listeners(chosen, host=host)
        except OSError:
            listeners = await trio.open_tcp_listeners(port, host=host)
    return listeners


def _port(listener: trio.SocketListener) -> int:
    port: int = listener.socket.getsockname()[1]
    return port


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
        on_refusal: Callable[[Refusal], None],
    ) -> None:
        self._application = application
        self._settings = settings
        self._tls = tls
        self._upstream_tls = upstream_tls
        self._max_connections = max_connections
        self._on_refusal = on_refusal
        self._bodies = BodyBudget(settings.max_total_body_bytes)
        self._connections = 0
        self._sleep = trio.CancelScope()

    def start_in(self, nursery: trio.Nursery) -> None:
        """Exchanges are driven in ``nursery`` from now on."""
        self._nursery = nursery
        self._application.waker = self._look

    def _look(self) -> None:
        """The application has new exchanges, or another deadline."""
        for exchange in self._application.upstreams():
            self._nursery.start_soon(self._drive, exchange)
        self._sleep.cancel()

    async def _drive(self, exchange: Exchange) -> None:
        driver = Driver(exchange, self._upstream_tls)
        try:
            await driver.run()
        except Exception as error:  # noqa: BLE001  (one turn's trouble is no other's)
            report(error)
            with reported():
                # Whoever waits for this turn has to hear of it; the turn says whether to try again.
                driver.lose(TransportError("the request could not be made"))
                self._nursery.start_soon(self._drive, exchange)

    async def keep_time(self) -> None:
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

    async def accept(self, stream: trio.SocketStream) -> None:
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
            await Peer(Link.over(stream, channel), connection).run(nursery)

    def _application_of(self, connection: trio.Nursery) -> Application:
        application = self._application
        return application.within(connection) if isinstance(application, HandlerApplication) else application


def _address(stream: trio.SocketStream) -> str:
    try:
        return str(stream.socket.getpeername()[0])
    except OSError:
        return "gone"
