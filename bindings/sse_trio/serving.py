"""Serve an application: accept, read, push, and drive what the application needs of others.

An answer's bytes are pushed: when a stream wakes its connection, its bytes are pulled and given to
the kernel in that very call.  A task waits only for what can't be had at once: the peer's bytes,
room in the kernel's buffer, a deadline.
"""

from __future__ import annotations

import contextlib
import logging
import math
import ssl
from email.utils import formatdate
from functools import partial

import trio

from sse_core.errors import TransportError
from sse_http import (
    TLS,
    Application,
    Channel,
    ConnectionPhase,
    Exchange,
    Plain,
    ServerConnection,
    ServerSettings,
)

from .driver import Driver
from .link import Link

_log = logging.getLogger("sse_trio")

#: How often a connection is pulled from before other tasks get their turn.
_PULLS_IN_A_ROW = 16


async def serve(
    application: Application,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: ssl.SSLContext | None = None,
    upstream_tls: ssl.SSLContext | None = None,
    settings: ServerSettings | None = None,
    max_connections: int = 10_000,
    task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve ``application`` until cancelled.

    ``tls`` makes the server speak https; ``upstream_tls`` is for the connections that the
    application asks for.  Above ``max_connections`` a new one is closed at once.  Reports the port
    to ``task_status`` (useful with ``port=0``).  Raises ``OSError`` if the address can't be had.
    """
    listeners = await trio.open_tcp_listeners(port, host=host)
    server = _Server(application, settings or ServerSettings(), tls, upstream_tls, max_connections)
    try:
        async with trio.open_nursery() as nursery:
            server.start_in(nursery)
            nursery.start_soon(server.keep_time)
            handler_started = partial(trio.serve_listeners, server.accept, listeners)
            await nursery.start(handler_started)
            task_status.started(listeners[0].socket.getsockname()[1])
    finally:
        application.close(trio.current_time())


class _Server:
    """What the connections of one application share."""

    def __init__(
        self,
        application: Application,
        settings: ServerSettings,
        tls: ssl.SSLContext | None,
        upstream_tls: ssl.SSLContext | None,
        max_connections: int,
    ) -> None:
        self._application = application
        self._settings = settings
        self._tls = tls
        self._upstream_tls = upstream_tls
        self._max_connections = max_connections
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
        try:
            await Driver(exchange, self._upstream_tls).run()
        except Exception as error:  # noqa: BLE001  (one turn's trouble is no other's)
            _report(error)

    async def keep_time(self) -> None:
        """Call the application when its deadline is due."""
        while True:
            deadline = self._application.deadline
            with trio.CancelScope(deadline=math.inf if deadline is None else deadline) as self._sleep:
                await trio.sleep_forever()
            self._application.handle_timeout(trio.current_time())

    async def accept(self, stream: trio.SocketStream) -> None:
        """Serve one peer to the end of its connection."""
        if self._connections >= self._max_connections:
            _log.warning("closed a connection: there are max_connections=%d already", self._connections)
            stream.socket.close()
            return
        self._connections += 1
        try:
            await self._serve_peer(stream)
        except Exception as error:  # noqa: BLE001  (one connection's trouble is no other's)
            _report(error)
        finally:
            self._connections -= 1

    async def _serve_peer(self, stream: trio.SocketStream) -> None:
        client = _address(stream)
        channel: Channel = Plain() if self._tls is None else TLS(self._tls, server_side=True)
        connection = ServerConnection(
            self._application,
            trio.current_time(),
            settings=self._settings,
            client=client,
            on_error=_report,
            date=partial(formatdate, usegmt=True),
        )
        await _Peer(Link.over(stream, channel), connection).run()


class _Peer:
    """One accepted connection: a task that reads, a task that waits for room and for time."""

    def __init__(self, link: Link, connection: ServerConnection) -> None:
        self._link = link
        self._connection = connection
        self._wait = trio.CancelScope()
        self._pushing = False
        self._more = False
        connection.waker = self.push

    async def run(self) -> None:
        """Serve until one side has had enough."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._keep_going)
                await self._read()
                nursery.cancel_scope.cancel()
        finally:
            self._connection.connection_lost(trio.current_time())
            self._link.close()

    def push(self) -> None:
        """Give the kernel what there is, as far as it takes it."""
        if self._pushing:
            return
        self._pushing = True
        try:
            self._more = self._push_some()
        except TransportError:
            self._give_up()
        except Exception as error:  # noqa: BLE001  (one connection's trouble is no other's)
            _report(error)
            self._give_up()
        finally:
            self._pushing = False
        if self._connection.phase is ConnectionPhase.OVER:
            self._link.close()
        if self._more or self._link.blocked or self._deadline() < self._wait.deadline:
            self._wait.cancel()

    def _give_up(self) -> None:
        self._more = False
        self._connection.connection_lost(trio.current_time())

    def _push_some(self) -> bool:
        """Whether there may be more."""
        taken = self._link.flush_now()
        for _ in range(_PULLS_IN_A_ROW):
            data = self._connection.data_to_send(trio.current_time()) if taken else b""
            if not data:
                return False
            taken = self._link.send_now(data)
        return True

    def _deadline(self) -> float:
        deadline = self._connection.deadline
        return math.inf if deadline is None else deadline

    async def _read(self) -> None:
        while self._connection.phase is not ConnectionPhase.OVER:
            try:
                received = await self._link.receive()
            except (TransportError, trio.ClosedResourceError):
                return
            for data in received:
                self._connection.receive_data(data, trio.current_time())
            self.push()

    async def _keep_going(self) -> None:
        """Wait for room, for the deadline, or to be called; then push again."""
        while self._connection.phase is not ConnectionPhase.OVER:
            with trio.CancelScope(deadline=self._deadline()) as self._wait:
                await self._wait_for_something()
            if self._deadline() <= trio.current_time():
                self._connection.handle_timeout(trio.current_time())
            self.push()

    async def _wait_for_something(self) -> None:
        if self._link.blocked:
            with contextlib.suppress(trio.ClosedResourceError):
                await self._link.wait_writable()
        elif self._more:
            await trio.lowlevel.checkpoint()
        else:
            await trio.sleep_forever()


def _address(stream: trio.SocketStream) -> str:
    try:
        return str(stream.socket.getpeername()[0])
    except OSError:
        return "gone"


def _report(error: Exception) -> None:
    _log.error("a mistake in serving: please report it", exc_info=error)
