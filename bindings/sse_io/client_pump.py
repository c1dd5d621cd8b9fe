"""One exchange with an upstream: what to do with its connection, as the exchange wishes.

Who hosts it makes connections, watches the socket for ``interest``, and keeps the ``deadline``.  What is
to be done then is decided here, for a loop of many exchanges and for a client that has one.
"""

from __future__ import annotations

import math
import socket
import ssl
from collections.abc import Callable
from functools import reduce

from sse_core.errors import TransportError
from sse_core.lifecycle.machine import Want
from sse_http import TLS, Channel, Endpoint, Exchange, Layers, Tunnel

from .owner import READ, WRITE
from .transport import Transport


class ClientPump:
    """The connections of one exchange, one after another.

    - ``exchange``: says what is wished for, and takes what comes.
    - ``tls``: gives the context for https upstreams.
    - ``let_go``: called with a socket that is about to be closed: whoever watches it leaves it alone.
    """

    __slots__ = ("_channel", "_exchange", "_let_go", "_shaking", "_tls", "_transport", "problem")

    def __init__(
        self,
        exchange: Exchange,
        *,
        tls: Callable[[], ssl.SSLContext],
        let_go: Callable[[socket.socket], None],
    ) -> None:
        self.problem: TransportError | None = None  #: how this connection failed, if it did
        self._exchange = exchange
        self._tls = tls
        self._let_go = let_go
        self._transport: Transport | None = None
        self._channel: Channel | None = None
        self._shaking = False

    # What to do

    @property
    def want(self) -> Want:
        """The exchange's wish."""
        return self._exchange.want

    @property
    def deadline(self) -> float:
        """When to call ``due``; infinity for never."""
        deadline = self._exchange.deadline
        return math.inf if deadline is None else deadline

    @property
    def sock(self) -> socket.socket | None:
        """The socket of the connection, as soon as there is one."""
        return None if self._transport is None else self._transport.sock

    @property
    def interest(self) -> int:
        """What to watch the socket for, READ and WRITE; 0 is to leave it alone."""
        return self.interest_of(self._exchange.want)

    def interest_of(self, want: Want) -> int:
        """The same, where the wish is known to be ``want``."""
        transport = self._transport
        if transport is None:
            return 0
        reading = self._shaking or want is Want.READ
        return (READ if reading else 0) | (WRITE if transport.blocked else 0)

    # What happened

    def endpoint(self, now: float) -> Endpoint | None:
        """Where to connect, a proxy perhaps, if that is the wish and there is no connection yet.

        ``opened`` or ``lose`` follows.
        """
        if self._exchange.want is not Want.CONNECT or self._transport is not None:
            return None
        self.problem = None
        try:
            target = self._exchange.target
            self._channel = _channel_to(target, self._tls)
        except TransportError as error:
            self.lose(error, now)
            return None
        proxy = target.proxy
        return target if proxy is None else Endpoint(proxy.host, proxy.port, tls=proxy.secure)

    def opened(self, sock: socket.socket, now: float) -> None:
        """The connection is made.  It is closed, if it is wished for no more."""
        if self._exchange.want is not Want.CONNECT:
            sock.close()
            return
        self._transport = transport = Transport(sock, self._channel)
        self._shaking = not transport.ready
        if not self._shaking:
            self._begin(transport, now)
            return
        try:
            transport.begin_handshake()
        except TransportError as error:
            self.lose(error, now)

    def ready(self, mask: int, now: float) -> None:
        """The socket is ready for ``mask``: go on with what is left to send, read what has come."""
        if mask & WRITE and self._transport is not None:
            _try_to_send(self._transport)
        if mask & READ:
            self.receive(now)

    def receive(self, now: float) -> bool:
        """Read what has come; whether that was anything, the connection's end included."""
        if self._transport is None:
            return False
        try:
            received = self._transport.receive_now()
        except TransportError as error:
            self.lose(error, now)
            return True
        if received is None:
            return False
        if not self._shaking or self._shake(self._transport, now):
            for data in received:
                self._exchange.receive_data(data, now)
        return True

    def due(self, now: float) -> None:
        """The deadline has come: fire what is due.

        Nobody may have looked for long: what came meanwhile is no silence of the peer's.
        """
        if self._exchange.want is Want.READ:
            self.receive(now)
        if self.deadline <= now:
            self._exchange.handle_timeout(now)

    def lose(self, error: TransportError, now: float) -> None:
        """The connection is of no use any more, or could not be made."""
        self.close()
        self.problem = error
        self._exchange.connection_lost(str(error), now, retryable=error.retryable)

    def obey(self, now: float) -> Want:
        """Close what is not wished for any more: to be called after everything else.  Returns the wish."""
        want = self._exchange.want
        if want is Want.CLOSE:
            self.close()
            self._exchange.closed(now)
            want = self._exchange.want
        elif want is Want.NOTHING or (self._shaking and want is not Want.CONNECT):
            self.close()
        return want

    def close(self) -> None:
        """Close the connection, if there is one; idempotent."""
        transport, self._transport = self._transport, None
        self._shaking = False
        if transport is not None:
            self._let_go(transport.sock)
            transport.close()

    def _shake(self, transport: Transport, now: float) -> bool:
        """Go on with a handshake, TLS's or a tunnel's; whether it is over: the rest is the exchange's."""
        if transport.ready:
            self._shaking = False
            self._begin(transport, now)
        return transport.ready

    def _begin(self, transport: Transport, now: float) -> None:
        self._exchange.connected(now)
        # What the kernel has no room for goes out while the answer is read: it may come early.
        _try_to_send(transport, self._exchange.data_to_send())


def _try_to_send(transport: Transport, data: bytes = b"") -> None:
    """Send ``data``, or what is left of before.

    A peer may answer a request that it has not read and never will.  So to fail in sending is no failure
    yet: the answer may be there, and reading shows it.
    """
    try:
        if data:
            transport.send_now(data)
        else:
            transport.flush()
    except TransportError:
        transport.give_up_sending()


def _channel_to(target: Endpoint, context: Callable[[], ssl.SSLContext]) -> Channel | None:
    """What the bytes of a connection for ``target`` go through, from the outside in; ``None``: nothing."""
    layers: list[Channel] = []
    proxy = target.proxy
    if proxy is not None and proxy.secure:
        layers.append(_client_tls(context(), proxy.host))
    if proxy is not None and target.tls:
        layers.append(Tunnel(proxy, target))
    if target.tls:
        layers.append(_client_tls(context(), target.host))
    return reduce(Layers, layers) if layers else None


def _client_tls(context: ssl.SSLContext, host: str) -> TLS:
    try:
        return TLS(context, server_side=False, server_hostname=host)
    except ValueError as error:
        message = f"{host!r} is not a name that a certificate can be checked for"
        raise TransportError(message, retryable=False) from error
