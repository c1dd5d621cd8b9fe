"""Serve an application on sockets that never wait: the loop that other loops host.

The contract of a host, complete: wait until ``fileno()`` is readable or ``deadline`` has come; call
``step(now)``; again, until ``finished``.  If ``look_again`` is called, ``deadline`` has become earlier: leave
off waiting.  See docs/readiness-loop.md.
"""

from __future__ import annotations

import math
import socket
import ssl
from collections.abc import Callable
from functools import partial

from sse_http import (
    TLS,
    Application,
    BodyBudget,
    Exchange,
    Refusal,
    ServerConnection,
    ServerSettings,
)

from .acceptor import Acceptor, ServerLimit
from .application_clock import ApplicationClock
from .connector import Connector
from .exchange_driver import ExchangeDriver
from .handler_application import HandlerApplication
from .host import Host
from .reactor import Reactor
from .server_pump import ServerPump
from .server_tls import ServerContexts, ServerTLS
from .socket_options import MAX_SILENCE, set_options
from .thread_calls import ThreadCalls
from .transport import Transport
from .watcher import NestedSelector, Watcher


class ReadinessLoop:
    """One application, its listeners, its connections, and the exchanges that it wants.

    - ``application``: answers requests; a ``HandlerApplication`` runs handlers.
    - ``host``: gives the clock, and waits.
    - ``settings``: of each connection.
    - ``tls``: makes it speak https: a context, or a function that gives one for each new connection.
    - ``upstream_tls``: for its exchanges; the system's authorities if ``None``.
    - ``max_connections``: above it a new one is closed at once.
    - ``max_silence``: seconds for which a peer may acknowledge nothing; not below what a slow reader has.
    - ``on_error``: called with every mistake, and with a ``ServerLimit`` where a bound is met.
    - ``on_refusal``: called with every request that is refused.
    - ``date``: gives the Date field.
    - ``watcher``: watches the sockets where a selector can't be nested; ``fileno`` is of no use then.
    """

    def __init__(
        self,
        application: Application,
        host: Host,
        *,
        on_error: Callable[[Exception], None],
        settings: ServerSettings | None = None,
        tls: ServerTLS | None = None,
        upstream_tls: ssl.SSLContext | None = None,
        max_connections: int = 10_000,
        max_silence: float = MAX_SILENCE,
        on_refusal: Callable[[Refusal], None] | None = None,
        date: Callable[[], str] | None = None,
        watcher: Watcher | None = None,
    ) -> None:
        self._application = application
        self._settings = settings = settings or ServerSettings()
        self._tls = None if tls is None else ServerContexts(tls, on_error)
        self._upstream_tls = upstream_tls
        self._max_connections = max_connections
        self._max_silence = max_silence
        self._on_error = on_error
        self._on_refusal = on_refusal
        self._date = date
        self._bodies = BodyBudget(settings.max_total_body_bytes)
        self._selector = NestedSelector() if watcher is None else None
        self._watcher: Watcher = watcher or self._selector  # type: ignore[assignment]
        self._reactor = Reactor(host.now, host.look_again, on_error, self._watcher)
        self._connector = Connector(self._reactor, host.resolve, max_silence)
        self._places = 0  #: connections, and closed ones whose handlers haven't ended
        self._going_down = False
        self._closed = False
        self._listeners: list[Acceptor] = []
        self._pumps: set[ServerPump] = set()
        self._drivers: set[ExchangeDriver] = set()
        self._calls = ThreadCalls(self._reactor)
        self._clock = ApplicationClock(self._reactor, application, self._drive)

    # What the host calls

    def fileno(self) -> int:
        """A descriptor that is readable when there is something to do.  It is closed by ``close``."""
        assert self._selector is not None, "the host watches the sockets itself"  # noqa: S101
        return self._selector.fileno()

    @property
    def deadline(self) -> float:
        """When to call ``step``; minus infinity: as soon as others had a turn."""
        return -math.inf if self._going_down and self.finished else self._reactor.deadline

    @property
    def finished(self) -> bool:
        """Whether it was shut down and nothing is left to be done."""
        return self._going_down and not self._places and not self._drivers

    @property
    def connections(self) -> int:
        """How many peers are connected."""
        return len(self._pumps)

    @property
    def exchanges(self) -> int:
        """How many exchanges are driven."""
        return len(self._drivers)

    def step(self, now: float, wait: float = 0.0) -> None:
        """Do a bounded part of what there is to do; wait for it, ``wait`` seconds at most."""
        self._reactor.step(now, wait)

    def listen(self, sock: socket.socket) -> None:
        """Accept connections on ``sock``, which listens, and is the loop's from now on."""
        self._listeners.append(Acceptor(self._reactor, sock, self._accept))

    def call_soon_threadsafe(self, call: Callable[[], None]) -> None:
        """Have ``call`` made in a step; from any thread.  Raises ``RuntimeError`` after ``close``."""
        self._calls.add(call)

    def shut_down(self, now: float, drain: float = 0.0) -> None:
        """Accept nobody any more, and answer what is being answered; then close the application.

        - ``drain``: seconds for which what is being answered goes on by itself, before that.  To call it
          again makes them fewer, never more.

        The loop goes on until it is ``finished``, which may be earlier.  Whoever has no patience for that
        calls ``close``.
        """
        if self._going_down:
            self._clock.close_within(now, drain)
        else:
            if not self._closed:
                for acceptor in self._listeners:
                    acceptor.accept_rest(now)
            self._going_down = True
            self._end_all(self._listeners, now)
            for pump in tuple(self._pumps):
                pump.shut_down(now)
            self._clock.drain(now, drain)
        self._reactor.look_again()

    def close(self, now: float) -> None:
        """Close everything at once; idempotent.  Whoever waits for ``fileno()`` has to leave off before."""
        if self._closed:
            return
        self._closed = True
        self.shut_down(now)
        self._end_all(self._pumps, now)
        self._end_all(self._drivers, now)
        self._clock.end(now)
        self._calls.end(now)
        self._watcher.close()

    def _end_all(self, owners: set[ServerPump] | set[ExchangeDriver] | list[Acceptor], now: float) -> None:
        for owner in tuple(owners):
            owner.end(now)

    # What comes up

    def _accept(self, sock: socket.socket, client: str, now: float) -> None:
        """Serve one peer to the end of its connection."""
        if self._places >= self._max_connections:
            sock.close()
            bound = self._max_connections
            self._on_error(ServerLimit(f"closed a connection: there are max_connections={bound} already"))
            return
        self._places += 1
        try:
            self._open(sock, client, now)
        except Exception as error:  # noqa: BLE001  (one connection's trouble is no other's)
            self._places -= 1
            sock.close()
            self._on_error(error)

    def _open(self, sock: socket.socket, client: str, now: float) -> None:
        set_options(sock, self._max_silence)
        channel = None if self._tls is None else TLS(self._tls.current(), server_side=True)
        application, on_end = self._application, self._ended
        if isinstance(application, HandlerApplication):
            application = application.within()
            on_end = partial(self._ended_with_handlers, application)
        connection = ServerConnection(
            application,  # pyright: ignore[reportArgumentType]  # its streams' waker is a property
            now,
            settings=self._settings,
            client=client,
            bodies=self._bodies,
            on_error=self._on_error,
            on_refusal=self._on_refusal,
            date=self._date,
        )
        pump = ServerPump(self._reactor, Transport(sock, channel), connection, on_end)
        self._pumps.add(pump)
        pump.begin(now)

    def _ended(self, pump: ServerPump) -> None:
        self._pumps.discard(pump)
        self._leave_place()

    def _ended_with_handlers(self, application: HandlerApplication, pump: ServerPump) -> None:
        """Its place is free when the iterators of its handlers are closed, too."""
        self._pumps.discard(pump)
        if application.running:
            application.on_idle = self._leave_place
        else:
            self._leave_place()

    def _leave_place(self) -> None:
        self._places -= 1
        if self.finished:
            self._reactor.look_again()

    def _drive(self, exchange: Exchange) -> None:
        driver = ExchangeDriver(
            self._reactor, self._connector, exchange, self._upstream_context, self._drivers.discard
        )
        self._drivers.add(driver)
        driver.wake()

    def _upstream_context(self) -> ssl.SSLContext:
        if self._upstream_tls is None:
            self._upstream_tls = ssl.create_default_context()
        return self._upstream_tls
