"""Host one exchange: wait for its socket and its deadline, and for nothing else.  It decides nothing."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Awaitable, Callable

import anyio
import anyio.lowlevel

from sse_core.errors import TransportError
from sse_core.lifecycle import Want
from sse_http import Endpoint, Exchange
from sse_io.client_pump import ClientPump
from sse_io.connect_errors import connect_failure
from sse_io.owner import READ, WRITE

from .open_socket import open_socket


class Driver:
    """The transport of one exchange.  ``tls`` is the context for https; the system's authorities if ``None``.

    One task steps it; any may ``leave``.
    """

    def __init__(self, exchange: Exchange, tls: ssl.SSLContext | None = None) -> None:
        self._pump = ClientPump(exchange, tls=self._context, let_go=anyio.notify_closing)
        self._tls = tls
        self._doing = Want.NOTHING
        self._scope: anyio.CancelScope | None = None  # of a wait
        exchange.waker = self._wake

    @property
    def problem(self) -> TransportError | None:
        """How the connection failed, if it did."""
        return self._pump.problem

    async def leave(self) -> None:
        """The exchange was ended by its user: close, and wake the task that waits, if there is one."""
        self._pump.close()
        self._wake()

    async def step(self) -> None:
        """Carry out one wish, until the deadline at most."""
        pump, now = self._pump, anyio.current_time()
        if pump.deadline <= now:
            pump.due(now)
        elif pump.want is Want.READ and pump.receive(now):
            await anyio.lowlevel.cancel_shielded_checkpoint()  # it may have more for ever
        elif pump.want is not Want.CLOSE:
            self._doing = pump.want
            with anyio.CancelScope(deadline=pump.deadline) as self._scope:
                await self._wait()
            self._scope = None
        pump.obey(anyio.current_time())

    def _wake(self) -> None:
        """The wish or the deadline has changed: leave off what is no longer wished."""
        if self._scope is None:
            return
        self._scope.deadline = self._pump.deadline
        if self._pump.want is not self._doing:
            self._scope.cancel()

    async def _wait(self) -> None:
        endpoint = self._pump.endpoint(anyio.current_time())
        if endpoint is not None:
            await self._connect(endpoint)
        elif self._pump.sock is not None and self._pump.interest:
            mask = await _wait_for(self._pump.sock, self._pump.interest)
            self._pump.ready(mask, anyio.current_time())
        elif self._pump.want is self._doing:
            await anyio.sleep_forever()

    async def _connect(self, endpoint: Endpoint) -> None:
        try:
            sock = await open_socket(endpoint)
        except (OSError, UnicodeError) as error:
            self._pump.lose(connect_failure(error), anyio.current_time())
        else:
            self._pump.opened(sock, anyio.current_time())

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls


async def _wait_for(sock: socket.socket, interest: int) -> int:
    """Wait until ``sock`` is ready for some of ``interest``, or is closed; for what it is."""
    if not interest & WRITE:
        with contextlib.suppress(anyio.ClosedResourceError):
            await anyio.wait_readable(sock)
        return READ
    ready = 0

    async def wait(mask: int, until: Callable[[socket.socket], Awaitable[None]]) -> None:
        nonlocal ready
        with contextlib.suppress(anyio.ClosedResourceError):
            await until(sock)
        ready |= mask
        tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(wait, WRITE, anyio.wait_writable)
        if interest & READ:
            tasks.start_soon(wait, READ, anyio.wait_readable)
    return ready
