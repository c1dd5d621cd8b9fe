"""What ``serve`` makes of its arguments in every binding."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterable

from sse_core.lifecycle.retry import Jitter
from sse_http import Application, HandlerSettings, Refusal, ServerSettings

from .address_race import Address
from .arguments import check_serving
from .handler_application import BlockingHandler, Handler, HandlerCall, as_application
from .host import Host
from .listeners import open_listeners
from .readiness_loop import ReadinessLoop
from .server_tls import ServerContexts, ServerTLS
from .unix_listener import UnixListener
from .watcher import Watcher


class Serving:
    """A call of ``serve``: its arguments, and the loop that they make.

    - ``served``: an application, or a handler.
    - ``start``: begins to run a call of a handler: see ``HandlerCall``.
    - ``jitter``: the binding's randomness, from 0 to 1.
    - ``on_error``: called with every mistake, and with a ``ServerLimit`` where a bound is met.
    - ``date``: gives the Date field.
    - ``host``, ``port``: where to listen.
    - ``uds``, ``uds_mode``: the path of a Unix socket to listen at in place of them, and its permissions.
    - ``tls``, ``upstream_tls``, ``settings``, ``max_connections``, ``on_refusal``: as for ``ReadinessLoop``.
    - ``handler_settings``: of a handler's answers.
    - ``grace``: seconds for what is still to be said when the server ends.
    - ``blocking``: whether handlers are plain functions and generators.
    - ``drain``: seconds before that, for which what is being answered goes on.
    - ``reuse_port``: as for ``open_listeners``.

    Raises ``TypeError`` and ``ValueError`` that name the argument.
    """

    def __init__(
        self,
        served: Application | Handler | BlockingHandler,
        *,
        start: Callable[[HandlerCall], None],
        jitter: Jitter,
        on_error: Callable[[Exception], None],
        date: Callable[[], str],
        host: str,
        port: int,
        uds: str | None,
        uds_mode: int,
        tls: ServerTLS | None,
        upstream_tls: ssl.SSLContext | None,
        settings: ServerSettings | None,
        max_connections: int,
        handler_settings: HandlerSettings | None,
        on_refusal: Callable[[Refusal], None],
        grace: float,
        drain: float,
        reuse_port: bool,
        blocking: bool = False,
    ) -> None:
        check_serving(
            host=host,
            port=port,
            uds=uds,
            uds_mode=uds_mode,
            tls=tls,
            upstream_tls=upstream_tls,
            settings=settings,
            max_connections=max_connections,
            handler_settings=handler_settings,
            on_refusal=on_refusal,
            grace=grace,
            drain=drain,
            reuse_port=reuse_port,
        )
        self.host = host
        self.port = port
        self.uds = uds
        self.grace = grace
        self.drain = drain
        self._reuse_port = reuse_port
        self._uds_mode = uds_mode
        handlers = handler_settings or HandlerSettings()
        self._settings = settings or ServerSettings()
        self._application = as_application(served, handlers, start, jitter, blocking=blocking)
        self._max_silence = max(self._settings.write_timeout, handlers.readers.stall or 0.0)
        self._max_connections = max_connections
        # Asked for one before anybody listens: what it raises, ``serve`` raises.
        self._tls = None if tls is None else ServerContexts(tls, on_error).current
        self._listeners: list[socket.socket] = []
        self._upstream_tls = upstream_tls
        self._on_error = on_error
        self._on_refusal = on_refusal
        self._date = date

    def open_listeners(self, addresses: Iterable[Address]) -> list[socket.socket]:
        """Sockets that listen, for ``ReadinessLoop.listen``.

        - ``addresses``: those of ``host`` and ``port``, as ``socket.getaddrinfo`` gives them; none where
          there is a ``uds``.

        Raises ``OSError`` if no socket can be had.
        """
        if self.uds is not None:
            self._listeners = [UnixListener(self.uds, self._uds_mode)]
        else:
            self._listeners = open_listeners(addresses, reuse_port=self._reuse_port)
        return self._listeners

    def new_loop(self, host: Host, watcher: Watcher | None = None) -> ReadinessLoop:
        """The loop that serves, hosted by ``host``; ``watcher`` as for ``ReadinessLoop``.

        Raises ``OSError`` where no file is left for it; nobody listens then.
        """
        try:
            return self._new_loop(host, watcher)
        except BaseException:
            for listener in self._listeners:
                listener.close()
            raise

    def _new_loop(self, host: Host, watcher: Watcher | None) -> ReadinessLoop:
        return ReadinessLoop(
            self._application,
            host,
            settings=self._settings,
            tls=self._tls,
            upstream_tls=self._upstream_tls,
            max_connections=self._max_connections,
            max_silence=self._max_silence,
            on_error=self._on_error,
            on_refusal=self._on_refusal,
            date=self._date,
            watcher=watcher,
        )
