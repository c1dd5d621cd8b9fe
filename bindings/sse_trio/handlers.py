"""Run plain handlers: one task for each request, within its connection's own nursery.

So whatever a handler opens is closed before the connection's task ends: its iterator is closed the
moment its reader has gone, as ``contextlib.aclosing`` does it.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from functools import partial
from typing import cast

import trio

from sse_http import (
    Application,
    EventItem,
    EventStreamReply,
    Exchange,
    Follow,
    HandlerAnswer,
    HandlerSettings,
    Reply,
    Request,
    no_waker,
)

from .error_log import report

#: What a handler may return.
Returned = Reply | EventStreamReply | Follow | AsyncIterator[EventItem]
#: ``async def handler(request)`` that returns one of these, or that yields itself.
Handler = Callable[[Request], Awaitable[Returned] | AsyncIterator[EventItem]]


#: What an application has: see ``sse_http.Application``.
_APPLICATION = ("handle", "upstreams", "handle_timeout", "close", "deadline", "waker")


def as_application(served: Application | Handler, settings: HandlerSettings) -> Application:
    """``served`` itself, or the handler that it is as an application.

    Raises ``TypeError``, saying what to pass, for what is neither.
    """
    if hasattr(served, "handle"):
        missing = [name for name in _APPLICATION if not hasattr(served, name)]
        if missing:
            raise TypeError(f"an application needs {', '.join(missing)} too: see sse_http.Application")
        return cast("Application", served)
    _check_handler(served)
    return HandlerApplication(served, settings)


def _check_handler(served: object) -> None:
    wanted = "serve takes an application, or a handler: async def handler(request)"
    if inspect.iscoroutine(served) or inspect.isasyncgen(served):
        raise TypeError(f"{wanted}; pass the handler itself, without calling it")
    if not callable(served):
        raise TypeError(f"{wanted}; not {type(served).__name__}")
    function = _function_of(served)
    if inspect.isgeneratorfunction(function):
        raise TypeError(f"{wanted}; this generator is not async: write async def in front of it")
    if inspect.isfunction(function) and not (
        inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)
    ):
        raise TypeError(f"{wanted}; this one is a plain def: write async def in front of it")


def _function_of(served: object) -> object:
    """The function that runs when ``served`` is called, as far as that can be told."""
    function: object = inspect.unwrap(cast("Handler", served))
    while isinstance(function, partial):
        function = inspect.unwrap(function.func)
    if not inspect.isroutine(function) and not inspect.isclass(function):
        function = inspect.unwrap(type(function).__call__)
    return getattr(function, "__func__", function)


class HandlerApplication:
    """``handler`` as the application of one connection, whose tasks run in ``nursery``.

    Without a nursery it stands for all connections, and ``within`` makes the one of each; they share
    ``answers``, those that have not ended.
    """

    deadline: float | None = None

    def __init__(
        self,
        handler: Handler,
        settings: HandlerSettings,
        nursery: trio.Nursery | None = None,
        answers: set[HandlerAnswer] | None = None,
    ) -> None:
        self.waker = no_waker
        self._handler = handler
        self._settings = settings
        self._nursery = nursery
        self._answers: set[HandlerAnswer] = set() if answers is None else answers

    def within(self, nursery: trio.Nursery) -> HandlerApplication:
        """The application of a connection."""
        return HandlerApplication(self._handler, self._settings, nursery, self._answers)

    def handle(self, request: Request, now: float) -> HandlerAnswer:  # noqa: ARG002  (an Application's face)
        """Start the handler; its answer is known later."""
        if self._nursery is None:
            raise RuntimeError("a handler needs its connection's nursery: call within() first")
        answer = HandlerAnswer(self._settings, method=request.method)
        self._answers.add(answer)
        scope = trio.CancelScope()

        def end() -> None:
            self._answers.discard(answer)
            scope.cancel()
            answer.on_close = no_waker  # it would keep all of this

        answer.on_close = end
        self._nursery.start_soon(_run, self._handler, request, answer, scope)
        return answer

    def check_head(self, request: Request, now: float) -> Reply | int | None:
        """The handler's own check, if it has one."""
        check = self._settings.check_head
        return None if check is None else check(request, now)

    def upstreams(self) -> list[Exchange]:
        """None: a handler connects by itself."""
        return []

    def handle_timeout(self, now: float) -> None:
        """Waits for nothing."""

    def close(self, now: float) -> None:
        """Cancel every handler; what it has given is sent, and its answer ends properly."""
        for answer in tuple(self._answers):
            answer.stop(now)


async def _run(handler: Handler, request: Request, answer: HandlerAnswer, scope: trio.CancelScope) -> None:
    if answer.closed:
        return  # the reader had gone before the handler was begun
    try:
        with scope:
            await _answer(handler(request), request, answer)
    except Exception as error:  # noqa: BLE001  (a stack trace must not reach the peer)
        report(error)
        answer.fail()


async def _answer(
    given: Awaitable[Returned] | AsyncIterator[EventItem], request: Request, answer: HandlerAnswer
) -> None:
    result = await given if inspect.isawaitable(given) else given
    if isinstance(result, Reply):
        answer.reply(result)
    elif isinstance(result, Follow):
        answer.follow(result, request, trio.current_time())
    elif isinstance(result, EventStreamReply):
        answer.set_head(result)
        await _pump(result.events, answer)
    else:
        await _pump(result, answer)


async def _pump(events: object, answer: HandlerAnswer) -> None:
    """Pull ``events`` into the answer, as fast as the reader takes them."""
    if not isinstance(events, AsyncIterable):
        raise TypeError(
            "a handler gives a Reply, an EventStreamReply, a Follow or an async iterator, "
            f"not {type(events).__name__}"
        )
    items = aiter(events)
    waiting = trio.lowlevel.ParkingLot()

    def go_on() -> None:
        waiting.unpark_all()

    answer.on_room = go_on
    try:
        if not answer.begin(trio.current_time()):
            return
        async for item in items:
            answer.receive(item, trio.current_time())
            await trio.lowlevel.checkpoint()  # a handler may never wait, and others want to run
            while answer.full:
                await waiting.park()
    finally:
        aclose = getattr(items, "aclose", None)
        if aclose is not None:
            await aclose()
    answer.finish(trio.current_time())
