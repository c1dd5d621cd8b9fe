"""Host a readiness loop on asyncio, by callbacks of the event loop's own.

They cost half of what a task does: nothing is suspended and resumed for an event.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import importlib
import math
from collections.abc import Callable

import anyio
from anyio.abc import TaskGroup

from sse_io.readiness_loop import ReadinessLoop

from .resolver import Resolver


class AsyncioHost(Resolver):
    """Steps one loop when its descriptor is readable, and when its deadline has come."""

    def __init__(self, tasks: TaskGroup) -> None:
        super().__init__(tasks)
        self._events = asyncio.get_running_loop()
        self.now: Callable[[], float] = self._events.time
        self._loop: ReadinessLoop | None = None
        self._alarm: asyncio.Handle | None = None
        self._alarm_at = math.inf
        self._soon = False
        self._finished = anyio.Event()
        self._context = _asyncio_context()

    def look_again(self) -> None:
        """The deadline is earlier."""
        self._arm()

    async def run(self, loop: ReadinessLoop) -> None:
        """Have ``loop`` stepped until it is finished; then close it, or as soon as this task is cancelled.

        Raises ``RuntimeError`` where this event loop watches no descriptors (Windows' proactor).
        """
        descriptor = loop.fileno()
        try:
            # Its callbacks have this context from now on, and so have the tasks that they begin.
            self._context.run(self._events.add_reader, descriptor, self._step)
        except NotImplementedError:
            loop.close(self.now())
            raise RuntimeError(
                "this event loop watches no descriptors: run asyncio.SelectorEventLoop, or trio"
            ) from None
        self._loop = loop
        try:
            self._arm()
            await self._finished.wait()
        finally:
            self._loop = None
            self._events.remove_reader(descriptor)
            if self._alarm is not None:
                self._alarm.cancel()
            loop.close(self.now())

    def _step(self) -> None:
        if self._loop is not None:
            self._loop.step(self._events.time())
            self._arm()

    def _step_soon(self) -> None:
        self._soon = False
        self._step()

    def _arm(self) -> None:
        """Be called at the deadline.  An alarm that is too early is left: a step in vain is harmless."""
        loop = self._loop
        if loop is None:
            return
        if loop.finished:
            self._finished.set()
            return
        deadline = loop.deadline
        if deadline == -math.inf:
            if not self._soon:
                self._soon = True
                self._events.call_soon(self._step_soon, context=self._context)  # after what else is ready
        elif deadline < self._alarm_at:
            if self._alarm is not None:
                self._alarm.cancel()
            self._alarm_at = deadline
            self._alarm = self._events.call_at(deadline, self._ring, context=self._context)

    def _ring(self) -> None:
        self._alarm, self._alarm_at = None, math.inf
        self._step()


def _asyncio_context() -> contextvars.Context:
    """A context in which anyio sees that it is on asyncio.

    sniffio, if it is installed, sees that by the task that runs, and in a callback there is none.
    """
    context = contextvars.copy_context()
    with contextlib.suppress(ImportError):
        sniffio = importlib.import_module("sniffio")
        context.run(sniffio.current_async_library_cvar.set, "asyncio")
    return context
