"""Run plain handlers: one task for each request, within its connection's own nursery.

So whatever a handler opens is closed before the connection's task ends: its iterator is closed the
moment its reader has gone, as ``contextlib.aclosing`` does it.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeGuard

import trio

from sse_http import (
    Application,
    EventItem,
    Exchange,
    Follow,
    HandlerAnswer,
    HandlerSettings,
    Reply,
    Request,
    no_waker,
)

from .mistakes import report

#: What a handler may return.
Returned = Reply | Follow | AsyncIterator[EventItem]
#: ``async def handler(request)`` that returns one of these, or that yields itself.
Handler = Callable[[Request], Awaitable[Returned] | AsyncIterator[EventItem]]


def is_handler(served: Application | Handler) -> TypeGuard[Handler]:
    """Whether it is to be called with each request, and is no application."""
    return not hasattr(served, "handle")


class HandlerApplication:
    """``handler`` as the application of one connection, whose tasks run in ``nursery``.

    Without a nursery it stands for all connections, and ``within`` makes the one of each.
    """

    deadline: float | None = None

    def __init__(
        self, handler: Handler, settings: HandlerSettings, nursery: trio.Nursery | None = None
    ) -> None:
        self.waker = no_waker
        self._handler = handler
        self._settings = settings
        self._nursery = nursery

    def within(self, nursery: trio.Nursery) -> HandlerApplication:
        """The application of a connection."""
        return HandlerApplication(self._handler, self._settings, nursery)

    def handle(self, request: Request, now: float) -> HandlerAnswer:  # noqa: ARG002  (an Application's face)
        """Start the handler; its answer is known later."""
        if self._nursery is None:
            raise RuntimeError("a handler needs its connection's nursery: call within() first")
        answer = HandlerAnswer(self._settings)
        scope = trio.CancelScope()
        answer.on_close = scope.cancel
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
        """Its tasks end with their connections."""


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
    elif hasattr(result, "__aiter__"):
        await _pump(aiter(result), answer)
    else:
        given_type = type(result).__name__
        raise TypeError(f"a handler gives a Reply, a Follow or an async iterator, not {given_type}")


async def _pump(items: AsyncIterator[EventItem], answer: HandlerAnswer) -> None:
    """Pull ``items`` into the answer, as fast as the reader takes them."""
    waiting = trio.lowlevel.ParkingLot()

    def go_on() -> None:
        waiting.unpark_all()

    answer.on_room = go_on
    answer.begin(trio.current_time())
    try:
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
