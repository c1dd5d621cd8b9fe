"""Carry out what an exchange wishes, one wish at a time.  This module decides nothing."""

from __future__ import annotations

import contextlib
import math
import ssl

import trio

from sse_core.errors import TransportError
from sse_core.lifecycle.machine import Want
from sse_http import Exchange

from .link import Link, open_link
from .reading_share import ReadingShare


class Driver:
    """The transport of one exchange.

    ``tls`` is the context for https upstreams.  ``share`` bounds what is read of all exchanges of a
    server before others get their turn.
    """

    def __init__(
        self, exchange: Exchange, tls: ssl.SSLContext | None = None, share: ReadingShare | None = None
    ) -> None:
        self.problem: TransportError | None = None  #: how this connection failed, if it did
        self._exchange = exchange
        self._tls = tls
        self._share = share
        self._link: Link | None = None
        self._doing = Want.NOTHING
        self._scope = trio.CancelScope()
        exchange.waker = self.wake

    def wake(self) -> None:
        """The wish or the deadline has changed: leave off what is no longer wished."""
        self._scope.deadline = self._deadline()
        if self._exchange.want is not self._doing:
            self._scope.cancel()

    def close(self) -> None:
        """Close the transport, if there is one; idempotent."""
        link, self._link = self._link, None
        if link is not None:
            link.close()

    def leave(self) -> None:
        """The exchange was ended by its user: close, and wake the task that waits, if there is one."""
        self.close()
        self.wake()

    async def run(self) -> None:
        """Drive the exchange to its end."""
        try:
            while self._exchange.want is not Want.NOTHING:
                await self.step()
        finally:
            self.close()

    async def step(self) -> None:
        """Carry out one wish, until the deadline at most."""
        if self._deadline() <= trio.current_time():
            self._read_what_is_there()
        else:
            self._doing = self._exchange.want
            with trio.CancelScope(deadline=self._deadline()) as self._scope:
                await self._carry_out(self._doing)
        if self._deadline() <= trio.current_time():
            self._exchange.handle_timeout(trio.current_time())

    def lose(self, error: TransportError) -> None:
        """The connection is of no use any more, if there ever was one."""
        self.close()
        self.problem = error
        self._exchange.connection_lost(str(error), trio.current_time(), retryable=error.retryable)

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
        self.problem = None
        target = self._exchange.target
        try:
            link = await open_link(target.host, target.port, self._context() if target.tls else None)
        except TransportError as error:
            self.lose(error)
            return
        if self._exchange.want is not Want.CONNECT:
            link.close()  # it was stopped in the moment in which the connection was made
            return
        self._link = link
        self._exchange.connected(trio.current_time())
        # What the kernel has no room for goes out while the answer is read: it may come early.  If
        # sending fails, the answer may be there nevertheless: reading tells.
        with contextlib.suppress(TransportError):
            link.send_now(self._exchange.data_to_send())

    async def _read(self, link: Link) -> None:
        try:
            receive = link.receive_while_sending if link.blocked else link.receive
            received = await receive(self._share)
        except trio.ClosedResourceError:
            return  # closed by `close`; the wish says what follows
        except TransportError as error:
            self.lose(error)
            return
        self._hand_over(received)

    def _read_what_is_there(self) -> None:
        """Nobody has looked for long: what came meanwhile is no silence of the peer's."""
        if self._exchange.want is not Want.READ or self._link is None:
            return
        try:
            received = self._link.receive_now()
        except TransportError as error:
            self.lose(error)
            return
        self._hand_over(received or [])

    def _hand_over(self, received: list[bytes]) -> None:
        for data in received:
            self._exchange.receive_data(data, trio.current_time())
        if self._share is not None:
            self._share.spend(sum(map(len, received)))

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls
