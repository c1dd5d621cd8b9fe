"""One accepted connection: its bytes in, its bytes out, its deadline.

An answer's bytes are pushed: when a stream wakes its connection, they are pulled and given to the kernel
in that very call.  The reactor is needed only for what can't be had at once: the peer's bytes, room in
the kernel's buffer, a deadline, a turn after the others'.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from sse_core.errors import TransportError
from sse_http import ConnectionPhase, ServerConnection, no_waker

from .owner import READ, WRITE, Owner
from .reactor import Reactor
from .transport import Transport

#: How much one connection is pulled before others get their turn: so many times, so many bytes.
_PULLS_IN_A_ROW = 16
_BYTES_IN_A_ROW = 64 * 1024


class ServerPump(Owner):
    """Moves bytes between ``transport`` and ``connection``.  ``on_end`` is called when it is over."""

    __slots__ = ("_connection", "_on_end", "_pushing", "_reactor", "_transport", "ended")

    def __init__(
        self,
        reactor: Reactor,
        transport: Transport,
        connection: ServerConnection,
        on_end: Callable[[ServerPump], None],
    ) -> None:
        super().__init__(transport.sock)
        self.ended: bool = False
        self._reactor = reactor
        self._transport = transport
        self._connection = connection
        self._on_end = on_end
        self._pushing = False
        connection.waker = self.push

    def begin(self, now: float) -> None:
        """Start; most requests are there already when their connection is accepted.  Raises nothing."""
        try:
            self._receive(now)
        except Exception as error:  # noqa: BLE001  (one connection's trouble is no other's)
            self._reactor.on_error(error)
            self.end(now)

    def ready(self, mask: int, now: float) -> None:
        """Read what has come, or go on writing."""
        if mask & READ:
            self._receive(now)
        if mask & WRITE:
            self.push()

    def due(self, now: float) -> None:
        """The connection's deadline has come."""
        self._connection.handle_timeout(now)  # which wakes

    def go_on(self, now: float) -> None:  # noqa: ARG002  (the face of an owner)
        """There was more to pull than is one connection's share."""
        self.push()

    def shut_down(self, now: float) -> None:
        """The server goes down: answer what is being answered, and nothing else."""
        self._connection.shut_down(now)  # which wakes

    def push(self) -> None:
        """Give the kernel what there is, as far as it takes it.

        Raises nothing: whoever wakes this connection has others to wake.
        """
        if self._pushing or self.ended:
            return
        self._pushing = True
        now = self._reactor.moment()
        try:
            self._push_some(now)
            self._settle(now)
        except TransportError:
            self.end(now)
        except Exception as error:  # noqa: BLE001  (one connection's trouble is no other's)
            self._reactor.on_error(error)
            self.end(now)
        finally:
            self._pushing = False

    def _receive(self, now: float) -> None:
        try:
            received = self._transport.receive_now()
        except TransportError:
            self.end(now)
            return
        for data in received or ():
            self._connection.receive_data(data, now)  # which wakes
        if not received:
            self.push()  # TLS may have answered for itself

    def _push_some(self, now: float) -> None:
        if self._transport.blocked and not self._transport.flush():
            return
        size = 0
        for _ in range(_PULLS_IN_A_ROW):
            data = self._connection.data_to_send(now)
            if not data:
                return
            if not self._transport.send_now(data):
                self._connection.blocked(now)
                return
            if not self._connection.has_more:
                return
            size += len(data)
            if size >= _BYTES_IN_A_ROW:
                break
        self._reactor.go_on(self)

    def _settle(self, now: float) -> None:
        """See what to wait for."""
        if self._connection.phase is ConnectionPhase.OVER:
            self.end(now)
            return
        interest = READ | WRITE if self._transport.blocked else READ
        if interest != self.interest:
            self._reactor.watch(self, interest)
        deadline = self._connection.deadline
        self._reactor.set_deadline(self, math.inf if deadline is None else deadline)

    def end(self, now: float) -> None:
        """Close at once; idempotent."""
        if self.ended:
            return
        self.ended = True
        self._reactor.forget(self)
        try:
            self._connection.connection_lost(now)
        except Exception as error:  # noqa: BLE001  (its socket and its place are to be free nevertheless)
            self._reactor.on_error(error)
        self._connection.waker = no_waker  # neither keeps the other any more
        self._transport.close(cut=self._connection.cut, reset=self._connection.reset)
        self._on_end(self)
