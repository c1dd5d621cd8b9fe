"""Any application of this project's, the relay included, as an ASGI application."""

from __future__ import annotations

import random
import ssl
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import anyio

from sse_anyio.handlers import HandlerTasks
from sse_core.arguments import check_callable, check_type
from sse_http import (
    GOING_DOWN,
    Application,
    ChecksHeads,
    HandlerSettings,
    Problem,
    Refusal,
    Refused,
    Reply,
    Request,
    ServerSettings,
)
from sse_http.exchange import ServerExchange
from sse_http.refusal import refusal_of
from sse_io.arguments import check_tls
from sse_io.handler_application import Handler, as_application
from sse_io.readiness_loop import ReadinessLoop

from .answer_sender import AnswerSender
from .asgi_types import Receive, Scope, Send
from .error_log import log_refusal, report
from .http_scope import request_of
from .loop_host import LoopHost, spawn
from .request_reader import ReaderGone, RequestReader
from .shutdown import shutdown_seen


def asgi(
    application: Application | Handler,
    *,
    settings: ServerSettings | None = None,
    handler_settings: HandlerSettings | None = None,
    upstream_tls: ssl.SSLContext | None = None,
    on_refusal: Callable[[Refusal], None] = log_refusal,
) -> ASGIApplication:
    """``application`` as one for ASGI servers, or to be mounted in a framework.

    Which Hosts and Origins are served is the server's or the framework's to say; ``sse_http.Guard`` around
    the application does it, too.

    - ``application``: or a handler, ``async def handler(request)``, as for ``serve``.
    - ``settings``: of them ``max_body_bytes``, ``max_total_body_bytes`` and the times of requests count here.
    - ``handler_settings``: how a handler's events are passed on.
    - ``upstream_tls``: for the connections that the application asks for; the system's authorities if
      ``None``.
    - ``on_refusal``: called with each request that is refused; by default it is logged.

    Raises ``TypeError`` for what can't be served, and for arguments of another type.
    """
    check_type("settings", settings, ServerSettings, type(None))
    check_type("handler_settings", handler_settings, HandlerSettings, type(None))
    check_tls("upstream_tls", upstream_tls)
    check_callable("on_refusal", on_refusal)
    handlers = HandlerTasks(time.monotonic, report)
    served = as_application(application, handler_settings or HandlerSettings(), handlers.start, random.random)
    return ASGIApplication(
        served, handlers, settings or ServerSettings(), upstream_tls=upstream_tls, on_refusal=on_refusal
    )


class ASGIApplication:
    """What :func:`asgi` gives: to be called by a server, once for each request.

    - ``application``, ``settings``, ``upstream_tls``, ``on_refusal``: as for :func:`asgi`.
    - ``handlers``: runs handlers, if the application is one.
    """

    def __init__(
        self,
        application: Application,
        handlers: HandlerTasks,
        settings: ServerSettings,
        *,
        upstream_tls: ssl.SSLContext | None,
        on_refusal: Callable[[Refusal], None],
    ) -> None:
        self._application = application
        self._handlers = handlers
        self._settings = settings
        self._upstream_tls = upstream_tls
        self._on_refusal = on_refusal
        self._reader = RequestReader(settings)
        self._loop: ReadinessLoop | None = None
        self._going_down = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or take part in the server's beginning and end."""
        if scope["type"] == "http":
            self._begin()
            await self._answer(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1000})
        else:
            raise NotImplementedError(f"there is no answer to a scope of the type {scope['type']!r}")

    # One request

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = request_of(scope)
        exchange = ServerExchange(self._application, request, on_error=report)
        sender = AnswerSender(exchange, send)
        try:
            request = await self._read(request, receive)
        except ReaderGone:
            return
        except Refused as refused:
            self._record(refused.answer, request, refused.setting, refused.value)
            exchange.refuse(refused.answer)
            await sender.run()
            return
        except Exception as error:  # noqa: BLE001  (the check of a head is the application's)
            exchange.fail(error, time.monotonic())
            await sender.run()
            return
        try:
            async with anyio.create_task_group() as tasks:
                self._handlers.tasks = tasks  # of the one call that the next line makes
                exchange.ask(request, time.monotonic(), sender.wake)
                if exchange.reply is not None:
                    self._record(exchange.reply, request)
                tasks.start_soon(_watch, receive, sender, tasks.cancel_scope)
                await sender.run()
                tasks.cancel_scope.cancel()
        finally:
            exchange.close(time.monotonic())

    async def _read(self, request: Request, receive: Receive) -> Request:
        """The whole request.  Raises ``Refused``, ``ReaderGone``, and what the application's check raises."""
        if self._going_down:
            raise Refused(GOING_DOWN)
        most = self._settings.max_body_bytes
        if isinstance(self._application, ChecksHeads):
            verdict = self._application.check_head(request, time.monotonic())
            if isinstance(verdict, Reply):
                raise Refused(verdict)
            most = most if verdict is None else min(most, verdict)
        return replace(request, body=await self._reader.read(request, receive, most))

    def _record(self, answer: Reply | Problem, request: Request, setting: str = "", value: str = "") -> None:
        refusal = refusal_of(answer, request, request.client, setting=setting, value=value)
        if refusal is not None:
            self._on_refusal(refusal)

    # What goes on beside requests

    def _begin(self) -> None:
        """Drive what the application asks for, from the first request on: a mount has no lifespan."""
        if not self._going_down and (self._loop is None or self._loop.finished):
            host = LoopHost()
            self._loop = ReadinessLoop(
                self._application, host, on_error=report, upstream_tls=self._upstream_tls
            )
            spawn(partial(host.run, self._loop))
            spawn(self._end_at_the_signal)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._going_down = False  # it may have lived before
                self._begin()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                self._end()
                await send({"type": "lifespan.shutdown.complete"})
                return

    async def _end_at_the_signal(self) -> None:
        with shutdown_seen() as event:
            await event.wait()
        self._end()

    def _end(self) -> None:
        """Close the application: each stream gets its end, and whoever comes now a 503."""
        self._going_down = True
        if self._loop is not None:
            self._loop.shut_down(time.monotonic())


async def _watch(receive: Receive, sender: AnswerSender, everything: anyio.CancelScope) -> None:
    """Wait until the reader has gone: no server says so but to who receives."""
    message = await receive()
    while message["type"] != "http.disconnect":
        message = await receive()
    if not sender.is_ending:
        everything.cancel()
