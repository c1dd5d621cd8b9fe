"""Run plain handlers: one task for each request.

An iterator is closed the moment its reader has gone, as ``contextlib.aclosing`` does it.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterable

import trio

from sse_http import EventItem, HandlerAnswer
from sse_io.handler_application import HandlerCall
from sse_io.iterator_closing import close_iterator, holds

from .error_log import report


class HandlerTasks:
    """The tasks of all handlers, in ``nursery``, which is set before the first of them is started."""

    nursery: trio.Nursery

    def start(self, call: HandlerCall) -> None:
        """Begin to run ``call``, later than now."""
        scope = trio.CancelScope()
        call.cancel = scope.cancel
        self.nursery.start_soon(_run, call, scope)


async def _run(call: HandlerCall, scope: trio.CancelScope) -> None:
    try:
        if not call.answer.closed:  # or the reader had gone before the handler was begun
            with scope:
                await _answer(call)
    except BaseException as error:
        call.answer.fail()
        if holds(error, (KeyboardInterrupt, trio.Cancelled)):
            raise
        report(error)
    finally:
        call.finished()


async def _answer(call: HandlerCall) -> None:
    given = call.begin()
    result = await given if inspect.isawaitable(given) else given
    events = call.take(result, trio.current_time())
    if events is not None:
        await _pump(events, call.answer)


async def _pump(events: AsyncIterable[EventItem], answer: HandlerAnswer) -> None:
    """Pull ``events`` into the answer, as fast as the reader takes them."""
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
        await close_iterator(items)
    answer.finish(trio.current_time())
