"""Run a plain handler in the tasks of its own request.

An iterator is closed the moment its reader has gone, as ``contextlib.aclosing`` does it.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import AsyncIterable

import anyio
import anyio.abc
import anyio.lowlevel

from sse_http import EventItem, HandlerAnswer
from sse_io.handler_application import HandlerCall

from .error_log import report


class HandlerTasks:
    """Runs handlers in ``tasks``, which is set before a request is passed on."""

    tasks: anyio.abc.TaskGroup

    def start(self, call: HandlerCall) -> None:
        """Begin to run ``call``, later than now."""
        scope = anyio.CancelScope()
        call.cancel = scope.cancel
        self.tasks.start_soon(_run, call, scope)


async def _run(call: HandlerCall, scope: anyio.CancelScope) -> None:
    try:
        with scope:
            await _answer(call)
    except Exception as error:  # noqa: BLE001  (a stack trace must not reach the peer)
        report(error)
        call.answer.fail()
    finally:
        call.finished()


async def _answer(call: HandlerCall) -> None:
    given = call.begin()
    result = await given if inspect.isawaitable(given) else given
    events = call.take(result, time.monotonic())
    if events is not None:
        await pump(events, call.answer)


async def pump(events: AsyncIterable[EventItem], answer: HandlerAnswer) -> None:
    """Pull ``events`` into the answer, as fast as the reader takes them."""
    items = aiter(events)
    room = anyio.Event()

    def go_on() -> None:
        room.set()

    answer.on_room = go_on
    try:
        if not answer.begin(time.monotonic()):
            return
        async for item in items:
            answer.receive(item, time.monotonic())
            await anyio.lowlevel.checkpoint()  # a handler may never wait, and others want to run
            while answer.full:
                room = anyio.Event()
                await room.wait()
    finally:
        aclose = getattr(items, "aclose", None)
        if aclose is not None:
            await aclose()
    answer.finish(time.monotonic())
