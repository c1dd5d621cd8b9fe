"""Run plain handlers: one task for each request.

An iterator is closed the moment its reader has gone, as ``contextlib.aclosing`` does it.
"""

from __future__ import annotations

import asyncio
import inspect
import math
from collections.abc import Awaitable, Callable

import anyio
from anyio.abc import TaskGroup

from sse_http import EventItem
from sse_io.handler_application import HandlerCall
from sse_io.iterator_closing import close_iterator, holds

from .item_pump import pump


class HandlerTasks:
    """Runs handlers in ``tasks``, which is set before the first of them is started.

    - ``now``: the clock by which the server gives its machines the time.
    - ``on_error``: called with what a handler raised.
    """

    tasks: TaskGroup

    def __init__(self, now: Callable[[], float], on_error: Callable[[BaseException], None]) -> None:
        self._now = now
        self._on_error = on_error

    def start(self, call: HandlerCall) -> None:
        """Begin to run ``call``, later than now."""
        scope = anyio.CancelScope()
        call.cancel = scope.cancel
        self.tasks.start_soon(self._run, call, scope)

    async def _run(self, call: HandlerCall, scope: anyio.CancelScope) -> None:
        try:
            if not call.answer.closed:  # or the reader had gone before the handler was begun
                with scope:
                    await _without_stray_cancellation(self._answer(call))
        except BaseException as error:
            call.answer.fail()
            if holds(error, (KeyboardInterrupt, anyio.get_cancelled_exc_class())):
                raise
            self._on_error(error)
        finally:
            call.finished()

    async def _answer(self, call: HandlerCall) -> None:
        given = call.begin()
        result = await given if inspect.isawaitable(given) else given
        events = call.take(result, self._now())
        if events is not None:
            iterator = aiter(events)
            try:
                whole = await pump(iterator, call.answer, now=self._now, item_of=_itself)
            finally:
                await close_iterator(iterator)
            if whole:
                call.answer.finish(self._now())


def _itself(item: EventItem) -> EventItem:
    return item


async def _without_stray_cancellation(answering: Awaitable[None]) -> None:
    """Await ``answering``, which only this task's own cancellation ends as cancelled.

    On asyncio, awaiting a task or future that was cancelled raises ``CancelledError``, too.  That is an
    error of the handler's, and ``RuntimeError`` here.
    """
    try:
        await answering
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        ordered = task is not None and task.cancelling() > 0
        if ordered or anyio.current_effective_deadline() == -math.inf:
            raise
        raise RuntimeError("the handler awaited what has been cancelled") from error
