"""ASGI servers that run in a thread of their own, in this process: uvicorn and hypercorn.

granian is not among them: embedded, it never closes the socket that it listened on, so that no scenario
could see that all its files are closed.  ``tests/servers`` has it in a process of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import socket
import ssl
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any, Literal, TypeVar

import h11
import hypercorn.asyncio
import hypercorn.protocol.h11
import hypercorn.trio
import trio
import uvicorn
from hypercorn.config import Config
from outcome import Outcome, capture

import sse_asgi
from sse_asgi.asgi_types import Message, Receive, Scope, Send

T = TypeVar("T")
#: What a server waits for streams that don't end, in seconds, where the scenario says nothing.
GRACE = 2.0
#: So often an event loop goes round, and more, from a request in the kernel until the application is called.
TURNS = 10


class ASGIServing(ABC):
    """A server in a thread of its own.

    - ``application``: an ASGI application.
    - ``host``: the address.
    - ``tls``: the server's own.
    - ``grace``: what it gives to streams when it ends, in seconds.
    """

    def __init__(
        self,
        application: sse_asgi.ASGIApplication,
        *,
        host: str = "127.0.0.1",
        tls: ssl.SSLContext | None = None,
        grace: float = GRACE,
    ) -> None:
        self.tls = tls
        self.grace = grace
        self.listener = listener_at(host)
        self.host = host
        self.port: int = self.listener.getsockname()[1]
        self._application = application
        self._begun: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
        self._call_soon: Callable[[Callable[[], object]], object]
        self._failure: BaseException | None = None
        self._is_stopped = False
        self._thread = threading.Thread(target=self._run)

    @abstractmethod
    def serve(self) -> None:
        """Serve ``self.answer`` on ``self.listener``, which is closed in the end."""

    @abstractmethod
    def end(self) -> None:
        """Have the server end as it does at a signal; called in its thread."""

    def start(self) -> None:
        """Return when the server has begun; raise what it raises before that."""
        self._thread.start()
        if (error := self._begun.get(timeout=20)) is not None:
            self._thread.join()
            raise error

    def call(self, function: Callable[[], T]) -> T:
        outcome: queue.SimpleQueue[Outcome[T]] = queue.SimpleQueue()
        self._call_soon(lambda: outcome.put(capture(function)))
        return outcome.get(timeout=10).unwrap()

    def post(self, function: Callable[[], None]) -> None:
        """The same without a result; what it raises is the event loop's to report."""
        self._call_soon(function)

    def stop(self) -> None:
        """What a signal does: first the streams learn of it, then the server does (docs/asgi.md)."""
        self._is_stopped = True
        sse_asgi.shut_down()
        with contextlib.suppress(RuntimeError):  # its event loop has ended
            self._call_soon(self.end)

    def finish(self) -> None:
        """Stop it, wait for its end, and raise what it raised."""
        if not self._is_stopped:
            # So that it has seen what its clients did last: a request that comes now would be refused.
            for _ in range(TURNS):
                self.call(lambda: None)
        self.stop()
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The application, whose beginning is seen."""
        if scope["type"] != "lifespan":
            await self._application(scope, receive, send)
            return
        self._call_soon = call_soon_here()

        async def send_and_tell(message: Message) -> None:
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                self._begun.put(None)

        await self._application(scope, receive, send_and_tell)

    def _run(self) -> None:
        try:
            self.serve()
        except BaseException as error:  # noqa: BLE001  (whatever it is, it is the test's)
            self._failure = error
            self._begun.put(error)
        finally:
            self.listener.close()


def listener_at(host: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, 0), family=family, backlog=512)


def call_soon_here() -> Callable[[Callable[[], object]], object]:
    """What calls a function in this event loop, from any thread."""
    if trio.lowlevel.in_trio_run():
        return trio.lowlevel.current_trio_token().run_sync_soon
    return asyncio.get_running_loop().call_soon_threadsafe


class UvicornServing(ASGIServing):
    """uvicorn on asyncio: it handles signals in the main thread only, and so none here."""

    http: Literal["h11", "httptools"] = "h11"

    def serve(self) -> None:
        config = uvicorn.Config(
            self.answer,
            interface="asgi3",
            http=self.http,
            ws="none",
            loop="asyncio",
            lifespan="on",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=self.grace,  # type: ignore[arg-type]  # it is awaited for so long
            ssl_context_factory=None if self.tls is None else lambda *_: self.tls,  # type: ignore[arg-type]
        )
        self._server = uvicorn.Server(config)
        self._server.run([self.listener])

    def end(self) -> None:
        self._server.should_exit = True


class HttptoolsServing(UvicornServing):
    """The same, with another parser."""

    http = "httptools"


def response_with_phrase(*, status_code: int, **fields: Any) -> h11.Response:
    """A head as the scenarios look for it: hypercorn says no reason phrase, and has no option for one."""
    return h11.Response(status_code=status_code, reason=HTTPStatus(status_code).phrase, **fields)


# What hypercorn calls h11 is h11 with another Response: nobody else's is changed.
vars(hypercorn.protocol.h11)["h11"] = SimpleNamespace(**{**vars(h11), "Response": response_with_phrase})


class HypercornConfig(Config):
    """Takes a context, for which hypercorn has no option."""

    def __init__(self, serving: ASGIServing) -> None:
        self.bind = [f"fd://{serving.listener.detach()}"]
        self.errorlog = logging.getLogger("hypercorn.error")
        self.graceful_timeout = serving.grace
        self._context = serving.tls

    @property
    def ssl_enabled(self) -> bool:
        return self._context is not None

    def create_ssl_context(self) -> ssl.SSLContext | None:
        return self._context


class HypercornServing(ASGIServing):
    """hypercorn on asyncio."""

    def serve(self) -> None:
        asyncio.run(self._serve())

    def end(self) -> None:
        self._ended.set()

    async def _serve(self) -> None:
        self._ended = asyncio.Event()
        config = HypercornConfig(self)
        await hypercorn.asyncio.serve(self.answer, config, shutdown_trigger=self._ended.wait)  # type: ignore[arg-type]


class HypercornOnTrioServing(ASGIServing):
    """hypercorn on trio."""

    def serve(self) -> None:
        trio.run(self._serve)

    def end(self) -> None:
        self._ended.set()

    async def _serve(self) -> None:
        self._ended = trio.Event()
        config = HypercornConfig(self)
        await hypercorn.trio.serve(self.answer, config, shutdown_trigger=self._ended.wait)  # type: ignore[arg-type]
