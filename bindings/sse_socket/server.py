"""Serve an application until stopped, and then to the end of what it has to say."""

from __future__ import annotations

import random
import socket
import ssl
import time
from collections.abc import Callable
from email.utils import formatdate
from functools import partial
from types import NoneType

from sse_core.arguments import check_bound, check_type
from sse_http import Application, HandlerSettings, Refusal, ServerSettings
from sse_io.handler_application import BlockingHandler
from sse_io.listeners import port_of
from sse_io.server_tls import ServerTLS
from sse_io.serving import Serving
from sse_io.unix_listener import DEFAULT_MODE

from .error_log import log_refusal, report
from .handlers import HandlerThreads
from .loop_host import Ending, LoopHost
from .server_handle import ServerHandle

#: Threads for handlers, if it isn't said otherwise: each streams to one reader at a time.
HANDLER_THREADS = 100


def serve(
    application: Application | BlockingHandler,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    uds: str | None = None,
    uds_mode: int = DEFAULT_MODE,
    tls: ServerTLS | None = None,
    upstream_tls: ssl.SSLContext | None = None,
    settings: ServerSettings | None = None,
    max_connections: int = 10_000,
    handler_settings: HandlerSettings | None = None,
    on_refusal: Callable[[Refusal], None] = log_refusal,
    grace: float = 2.0,
    drain: float = 0.0,
    reuse_port: bool = False,
    handler_threads: int = HANDLER_THREADS,
    handle: ServerHandle | None = None,
) -> None:
    """Serve ``application`` in this thread, until ``handle`` is stopped.

    Then nothing more is accepted, and what is being answered goes on for ``drain`` seconds at most.  After
    that the application is closed, and what it still has to say goes out, for ``grace`` seconds at most: a
    handler's stream ends properly, a request without an answer gets 503.
    Ctrl-C, where nobody handles SIGINT, ends it at once.

    - ``application``: or a handler, ``def handler(request)``, that returns a ``Reply`` or an iterator of
      events: each a ``str`` (its data), a ``ServerSentEvent``, or a mapping (sent as JSON).  When its reader
      has gone, the iterator is closed at its next item, or at once if it waits for its reader.
    - ``host``, ``port``: where to listen; 0 is a port that the system chooses.
    - ``uds``: the path of a Unix socket to listen at in place of them.  Its file is made, in place of one at
      which nobody listens, and is removed in the end.
    - ``uds_mode``: that file's permissions: who may connect.
    - ``tls``: makes the server speak https: a context, or a function that gives one for each new
      connection, as :class:`CertificateFiles` does, which looks whether its files have changed.
    - ``upstream_tls``: for the connections that the application asks for; the system's authorities if
      ``None``.
    - ``settings``: bounds, deadlines, and which Hosts and Origins are served.
    - ``max_connections``: above it a new one is closed at once.
    - ``handler_settings``: how a handler's events are passed on.
    - ``on_refusal``: called with each request that is refused; by default it is logged.
    - ``grace``: seconds for what is still to be said.
    - ``drain``: seconds before that, for which what is being answered goes on by itself.
    - ``reuse_port``: lets other processes that say the same listen on the same port.
    - ``handler_threads``: how many handlers run at the same time; further requests wait for them, in order.
      An application needs none, nor does a reader of a broadcast.
    - ``handle``: by which other threads and signals' handlers learn the port, and stop it.

    Raises ``OSError`` if the address can't be had, and ``TypeError`` for what can't be served, and for
    arguments of another type.
    """
    check_type("handle", handle, ServerHandle, NoneType)
    handle = handle or ServerHandle()
    try:
        check_bound("handler_threads", handler_threads)
        handlers = HandlerThreads(handler_threads)
        serving = Serving(
            application,
            blocking=True,
            start=handlers.start,
            jitter=random.random,
            on_error=report,
            date=partial(formatdate, usegmt=True),
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
        _serve(serving, handlers, handle)
    finally:
        handle.ended()


def _serve(serving: Serving, handlers: HandlerThreads, handle: ServerHandle) -> None:
    listeners = serving.open_listeners(_addresses_of(serving))
    port = port_of(listeners[0])
    loop_host = LoopHost()
    loop = serving.new_loop(loop_host)
    handlers.post = loop_host.post = loop.call_soon_threadsafe
    try:
        for listener in listeners:
            loop.listen(listener)
        ending = Ending(loop, handle, serving.drain, serving.grace)
        handle.began(loop, port, ending.look)
        ending.look()  # it may have been stopped before
        loop_host.run(loop, ending)
    finally:
        loop.close(time.monotonic())
        handlers.close()


def _addresses_of(serving: Serving) -> list[tuple[int, int, int, str, object]]:
    if serving.uds is not None:
        return []
    flags = socket.AI_PASSIVE
    return [*socket.getaddrinfo(serving.host, serving.port, type=socket.SOCK_STREAM, flags=flags)]
