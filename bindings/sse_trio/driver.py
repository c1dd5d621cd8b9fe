"""Carry out what an exchange wishes, one wish at a time.  This module decides nothing."""

from __future__ import annotations

import math
import ssl

import trio

from sse_core.errors import TransportError
from sse_core.lifecycle.machine import Want
from sse_http import Exchange, parse_url

from .link import Link, open_link


class Driver:
    """The transport of one exchange.  ``tls`` is the context for https upstreams."""

    def __init__(self, exchange: Exchange, tls: ssl.SSLContext | None = None) -> None:
        self._exchange = exchange
        self._tls = tls
        self._link: Link | None = None
        self._scope: trio.CancelScope | None = None
        exchange.waker = self.wake

    def wake(self) -> None:
        """The wish has changed: whatever is being waited for, look again."""
        if self._scope is not None:
            self._scope.cancel()

    def close(self) -> None:
        """Close the transport, if there is one; idempotent."""
        link, self._link = self._link, None
        if link is not None:
            link.close()

    async def run(self) -> None:
        """Drive the exchange to its end."""
        try:
            while self._exchange.want is not Want.NOTHING:
                await self.step()
        finally:
            self.close()

    async def step(self) -> None:
        """Carry out one wish, until the deadline at most."""
        exchange = self._exchange
        with trio.CancelScope(deadline=self._deadline()) as self._scope:
            await self._carry_out(exchange.want)
        self._scope = None
        if self._deadline() <= trio.current_time():
            exchange.handle_timeout(trio.current_time())

    def _deadline(self) -> float:
        deadline = self._exchange.deadline
        return math.inf if deadline is None else deadline

    async def _carry_out(self, want: Want) -> None:
        if want is Want.READ and self._link is not None:
            await self._read(self._link)
        elif want is Want.CONNECT:
            await self._connect()
        elif want is Want.CLOSE:
            self.close()
            self._exchange.closed(trio.current_time())
        else:
            await trio.sleep_forever()

    async def _connect(self) -> None:
        target = parse_url(self._exchange.url)
        try:
            self._link = await open_link(target.host, target.port, self._context if target.secure else None)
        except TransportError as error:
            self._exchange.connection_lost(str(error), trio.current_time())
            return
        self._exchange.connected(trio.current_time())
        await self._send_request(self._link)

    async def _send_request(self, link: Link) -> None:
        if self._scope is not None:
            self._scope.deadline = self._deadline()
        try:
            await link.send(self._exchange.data_to_send())
        except TransportError as error:
            self._lost(error)
        except trio.Cancelled:
            # Half a request is worse than none: a timeout amid a write loses the connection.
            self._lost(TransportError("the request could not be sent in time"))
            raise

    async def _read(self, link: Link) -> None:
        try:
            received = await link.receive()
        except trio.ClosedResourceError:
            return  # closed by `close`; the wish says what follows
        except TransportError as error:
            self._lost(error)
            return
        for data in received:
            self._exchange.receive_data(data, trio.current_time())

    def _lost(self, error: TransportError) -> None:
        self.close()
        self._exchange.connection_lost(str(error), trio.current_time())

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls
