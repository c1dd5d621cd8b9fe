"""Serve an application on asyncio or on trio until cancelled, and then to the end of what it has to say."""

from __future__ import annotations

import random
import socket
import ssl
from collections.abc import Callable
from email.utils import formatdate
from functools import partial

import anyio
from anyio.abc import TaskStatus

from sse_http import Application, HandlerSettings, Refusal, ServerSettings
from sse_io.handler_application import Handler
from sse_io.listeners import port_of
from sse_io.server_tls import ServerTLS
from sse_io.serving import Serving
from sse_io.unix_listener import DEFAULT_MODE

from .error_log import log_refusal, report
from .handlers import HandlerTasks
from .loop_host import host_loop
from .resolver import look_up


async def serve(
    application: Application | Handler,
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
    task_status: TaskStatus[int] = anyio.TASK_STATUS_IGNORED,
) -> None:
    """Serve ``application`` until cancelled.

    Then nothing more is accepted, and what is being answered goes on for ``drain`` seconds at most.  After
    that the application is closed, and what it still has to say goes out, for ``grace`` seconds at most: a
    handler's stream ends properly, a request without an answer gets 503.

    - ``application``: or a handler, ``async def handler(request)``, that returns a ``Reply`` or an async
      iterator of events: each a ``str`` (its data), a ``ServerSentEvent``, or a mapping (sent as JSON).
      The iterator is closed as soon as its reader has gone.
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
    - ``task_status``: gets the port; 0 for a Unix socket.

    Raises ``OSError`` if the address can't be had, and ``TypeError`` for what can't be served, and for
    arguments of another type.
    """
    handlers = HandlerTasks(anyio.current_time, report)
    serving = Serving(
        application,
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
    listeners = serving.open_listeners(
        [] if uds is not None else await look_up(host, port, socket.AI_PASSIVE)
    )
    await _serve_until_cancelled(serving, listeners, handlers, task_status)


async def _serve_until_cancelled(
    serving: Serving, listeners: list[socket.socket], handlers: HandlerTasks, task_status: TaskStatus[int]
) -> None:
    port = port_of(listeners[0])
    cancellation: BaseException | None = None
    async with anyio.create_task_group() as waiting:
        cancelled = anyio.Event()
        # Whoever cancels the server doesn't cut its connections: they come to their ends.
        with anyio.CancelScope(shield=True) as last_words:
            async with anyio.create_task_group() as tasks:
                handlers.tasks = tasks
                loop = host_loop(serving, tasks)
                for listener in listeners:
                    loop.listen(listener)
                waiting.start_soon(_sleep_until_cancelled, cancelled)
                task_status.started(port)
                try:
                    await cancelled.wait()
                except anyio.get_cancelled_exc_class() as error:
                    cancellation = error  # asyncio's own, which no shield keeps out
                now = anyio.current_time()
                last_words.deadline = now + serving.drain + serving.grace
                loop.shut_down(now, serving.drain)
        waiting.cancel_scope.cancel()
    if cancellation is not None:
        raise cancellation


async def _sleep_until_cancelled(cancelled: anyio.Event) -> None:
    try:
        await anyio.sleep_forever()
    finally:
        cancelled.set()
