"""One exchange among many: what its pump wishes, done by the reactor and the host."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from typing import Any

from sse_core.errors import TransportError
from sse_core.lifecycle.machine import Want
from sse_http import Exchange, no_waker

from .client_pump import ClientPump
from .connect_errors import connect_failure
from .connector import Cancel, Connector
from .owner import READ, Owner
from .reactor import Reactor


class ExchangeDriver(Owner):
    """Drives ``exchange`` to its end; ``on_end`` is called then."""

    __slots__ = (
        "_busy",
        "_cancel_connecting",
        "_connector",
        "_exchange",
        "_on_end",
        "_pump",
        "_reactor",
        "_result",
        "ended",
    )

    sock: socket.socket | None

    def __init__(
        self,
        reactor: Reactor,
        connector: Connector,
        exchange: Exchange,
        tls: Callable[[], ssl.SSLContext],
        on_end: Callable[[ExchangeDriver], None],
    ) -> None:
        super().__init__()
        self.ended: bool = False
        self._reactor = reactor
        self._connector = connector
        self._exchange = exchange
        self._on_end = on_end
        self._pump = ClientPump(exchange, tls=tls, let_go=self._let_go)
        self._cancel_connecting: Cancel | None = None
        self._result: socket.socket | OSError | UnicodeError | None = None
        self._busy = False
        exchange.waker = self.wake

    def wake(self) -> None:
        """The wish or the deadline has changed: look at it in a later turn, as the caller may be busy."""
        if not self._busy and not self.ended:
            self._reactor.go_on(self)

    def ready(self, mask: int, now: float) -> None:
        """The socket is ready."""
        if mask == READ:
            self._do(now, self._pump.receive, now)
        else:
            self._do(now, self._pump.ready, mask, now)

    def due(self, now: float) -> None:
        """The exchange's deadline has come."""
        self._do(now, self._pump.due, now)

    def go_on(self, now: float) -> None:
        """Look at the wish and the deadline again, and at the connection that was made."""
        self._do(now, self._take_result, now)

    def end(self, now: float) -> None:  # noqa: ARG002  (the face of an owner)
        """Close the connection at once and leave the exchange alone; idempotent."""
        if self.ended:
            return
        self.ended = True
        self._exchange.waker = no_waker
        self._stop_connecting()
        self._pump.close()
        self._reactor.forget(self)
        self._on_end(self)

    def _do(self, now: float, action: Callable[..., object], *arguments: Any) -> None:
        """Do ``action``, then what is wished for."""
        if self.ended:
            return
        self._busy = True
        try:
            action(*arguments)
            self._follow_wish(now)
        except Exception as error:  # noqa: BLE001  (one turn's trouble is no other's)
            self.failed(error, now)
        finally:
            self._busy = False

    @property
    def problem(self) -> TransportError | None:
        """How the connection failed, if it did."""
        return self._pump.problem

    def failed(self, error: Exception, now: float) -> None:
        """Something raised ``error``: somebody's headers, a machine.  Who has one exchange overrides it."""
        self._reactor.on_error(error)
        self._lose(now)

    def _lose(self, now: float) -> None:
        """Whoever waits for this turn has to hear of a mistake; the turn says whether to try again."""
        try:
            self._pump.lose(TransportError("the request could not be made"), now)
        except Exception as error:  # noqa: BLE001  (as above)
            self._reactor.on_error(error)
            self.end(now)
        else:
            self._reactor.go_on(self)

    def _follow_wish(self, now: float) -> None:
        want = self._pump.obey(now)
        if want is Want.CONNECT:
            if self._cancel_connecting is None:
                self._connect(now)
        elif self._cancel_connecting is not None or self._result is not None:
            self._stop_connecting()
        if want is Want.NOTHING:
            self.end(now)
            return
        interest = self._pump.interest_of(want)
        if interest != self.interest:
            self._reactor.watch(self, interest)
        self._reactor.set_deadline(self, self._pump.deadline)
        if want is not Want.READ and self._pump.want is not want:
            self._reactor.go_on(self)  # closing it, or failing to connect, was the way to another wish

    def _connect(self, now: float) -> None:
        endpoint = self._pump.endpoint(now)
        if endpoint is not None:
            self._cancel_connecting = self._connector.connect(endpoint, self._connected)

    def _connected(self, result: socket.socket | OSError | UnicodeError) -> None:
        """To be looked at in the next turn: this may be called from within ``connect``."""
        self._result = result
        self._reactor.go_on(self)

    def _take_result(self, now: float) -> None:
        result, self._result = self._result, None
        if result is None:
            return
        self._cancel_connecting = None
        if isinstance(result, socket.socket):
            self.sock = result
            self._pump.opened(result, now)
        else:
            self._pump.lose(connect_failure(result), now)

    def _stop_connecting(self) -> None:
        cancel, self._cancel_connecting = self._cancel_connecting, None
        result, self._result = self._result, None
        if isinstance(result, socket.socket):
            result.close()
        elif cancel is not None:
            cancel()

    def _let_go(self, sock: socket.socket) -> None:  # noqa: ARG002  (it is this owner's)
        self._reactor.watch(self, 0)
