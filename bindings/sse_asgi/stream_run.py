"""One event stream while it is sent through ASGI."""

from __future__ import annotations

import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import anyio
import anyio.abc

from sse_http import (
    EventItem,
    EventStreamReply,
    Exchange,
    HandlerAnswer,
    HandlerSettings,
    Request,
    StreamHead,
    no_waker,
)
from sse_http.exchange import ServerExchange
from sse_io.iterator_closing import holds

from .answer_sender import AnswerSender
from .asgi_types import Message, Receive, Send
from .feeder import Feeder
from .shutdown import shutdown_seen


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """How a response sends its events; times in seconds.

    - ``feeder``: gives them.
    - ``settings``: how they are passed on.
    - ``separator``: ends each line.
    - ``prefix``: lines that go before all others.
    - ``send_timeout``: what the server may take for one message.
    - ``ping``, ``new_ping``: how often a sign of life of the user's own is sent, and what makes one.
    - ``beside``: runs as long as the stream does.
    - ``on_disconnect``: called when the reader has gone.
    - ``shutdown_event``, ``grace``: what is set when the server goes down, and the time for last words.
    """

    feeder: Feeder
    settings: HandlerSettings
    separator: bytes
    prefix: bytes
    send_timeout: float | None
    ping: float
    new_ping: Callable[[], EventItem] | None
    beside: Callable[[], Awaitable[object]] | None
    on_disconnect: Callable[[Message], Awaitable[object]] | None
    shutdown_event: anyio.Event | None
    grace: float


class StreamRun:
    """Sends one stream, to one reader.

    - ``plan``: how.
    - ``head``: of the answer.
    - ``request``: what is answered.
    - ``send``: ASGI's.
    """

    def __init__(self, plan: StreamPlan, head: StreamHead, request: Request, send: Send) -> None:
        self._plan = plan
        self._request = request
        self._errors: list[BaseException] = []
        self._gone: Message | None = None
        self._answer = HandlerAnswer(plan.settings, method=request.method)
        reply = EventStreamReply([], status=head.status)
        reply.head = head
        self._answer.set_head(reply)
        self._exchange = ServerExchange(_OneAnswer(self._answer), request, on_error=self._errors.append)  # pyright: ignore[reportArgumentType]  # its waker is a property
        self._sender = AnswerSender(
            self._exchange,
            send,
            separator=plan.separator,
            prefix=plan.prefix,
            send_timeout=plan.send_timeout,
        )

    async def run(self, receive: Receive) -> None:
        """Send it to its end.  Raises what the user's own code raised."""
        plan = self._plan
        self._exchange.ask(self._request, time.monotonic(), self._sender.wake)
        try:
            async with anyio.create_task_group() as tasks:
                self._start(tasks, self._feed)
                self._start(tasks, self._go_down)
                if plan.new_ping is not None and plan.ping:
                    self._start(tasks, self._send_pings)
                if plan.beside is not None:
                    self._start(tasks, plan.beside)
                self._start(tasks, lambda: self._watch(receive), ends=True)
                self._start(tasks, self._sender.run, ends=True)
        finally:
            self._exchange.close(time.monotonic())
        if self._gone is not None and plan.on_disconnect is not None:
            await plan.on_disconnect(self._gone)
        if self._errors:
            raise self._errors[0]

    def _start(
        self, tasks: anyio.abc.TaskGroup, work: Callable[[], Awaitable[object]], *, ends: bool = False
    ) -> None:
        """Run ``work`` beside the others; with it, or with its error, all end."""

        async def run() -> None:
            try:
                await work()
            except BaseException as error:
                if holds(error, (KeyboardInterrupt, anyio.get_cancelled_exc_class())):
                    raise
                self._errors.append(error)
                tasks.cancel_scope.cancel()
            if ends:
                tasks.cancel_scope.cancel()

        tasks.start_soon(run)

    async def _feed(self) -> None:
        with anyio.CancelScope() as scope:
            self._answer.on_close = scope.cancel
            try:
                await self._plan.feeder.feed(self._answer, self._request)
            except Exception as error:
                if self._answer.head is None:
                    raise  # the framework answers with a status
                self._errors.append(error)
                self._answer.fail()  # what was given before comes before the cut

    async def _watch(self, receive: Receive) -> None:
        """Wait until the reader has gone: no server says so but to who receives."""
        message = await receive()
        while message["type"] not in {"http.disconnect", "websocket.disconnect"}:
            message = await receive()
        if self._sender.is_ending:
            await anyio.sleep_forever()
        self._gone = message

    async def _go_down(self) -> None:
        with shutdown_seen() as event:
            await event.wait()
        self._answer.announce_end(random.random())  # noqa: S311  (it is no secret)
        if self._plan.shutdown_event is not None:
            self._plan.shutdown_event.set()
        await anyio.sleep(self._plan.grace)
        self._answer.stop(time.monotonic())

    async def _send_pings(self) -> None:
        new_ping = self._plan.new_ping
        while new_ping is not None:
            await anyio.sleep(self._plan.ping)
            self._answer.receive(new_ping(), time.monotonic())


class _OneAnswer:
    """An application that has one answer."""

    deadline: float | None = None

    def __init__(self, answer: HandlerAnswer) -> None:
        self.waker = no_waker
        self._answer = answer

    def handle(self, request: Request, now: float) -> HandlerAnswer:  # noqa: ARG002  (an Application's face)
        return self._answer

    def upstreams(self) -> list[Exchange]:
        return []

    def handle_timeout(self, now: float) -> None:
        """Waits for nothing."""

    def close(self, now: float) -> None:
        """Has nothing to end."""
