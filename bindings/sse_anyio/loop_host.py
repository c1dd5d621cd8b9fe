"""Host a readiness loop: on asyncio by callbacks of the event loop's own, elsewhere by one task that waits.

Callbacks cost half of what a task does: nothing is suspended and resumed for an event.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import importlib
import math
from collections.abc import Callable
from typing import Protocol

import anyio
import anyio.lowlevel
from anyio.abc import TaskGroup

from sse_io.connector import Cancel, Resolved
from sse_io.readiness_loop import Host, ReadinessLoop

from .resolver import look_up


class MakesLoop(Protocol):
    """Makes a loop for a host: ``sse_io.serving.Serving`` is one."""

    def new_loop(self, host: Host) -> ReadinessLoop:
        """A loop that ``host`` waits for."""


def host_loop(serving: MakesLoop, tasks: TaskGroup) -> ReadinessLoop:
    """A loop, and a task in ``tasks`` that has it stepped to its end and closes it."""
    host = AsyncioHost(tasks) if _runs_asyncio() else TaskHost(tasks)
    loop = serving.new_loop(host)
    tasks.start_soon(host.run, loop)
    return loop


def _runs_asyncio() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


class _Resolver:
    """Looks names up in ``tasks``."""

    def __init__(self, tasks: TaskGroup) -> None:
        self._tasks = tasks

    def resolve(self, host: str, port: int, done: Resolved) -> Cancel:
        """Look up ``host`` and ``port``."""
        scope = anyio.CancelScope()
        self._tasks.start_soon(_look_up, host, port, done, scope)
        return scope.cancel


async def _look_up(host: str, port: int, done: Resolved, scope: anyio.CancelScope) -> None:
    with scope:
        try:
            found = await look_up(host, port)
        except (OSError, UnicodeError) as error:
            done(error)
        else:
            done(found)


class AsyncioHost(_Resolver):
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


class TaskHost(_Resolver):
    """Waits for one loop in a task."""

    def __init__(self, tasks: TaskGroup) -> None:
        super().__init__(tasks)
        self.now: Callable[[], float] = anyio.current_time
        self._scope = anyio.CancelScope()

    def look_again(self) -> None:
        """Leave off waiting."""
        self._scope.cancel()

    async def run(self, loop: ReadinessLoop) -> None:
        """Step ``loop`` until it is finished; then close it, or as soon as this task is cancelled."""
        try:
            while not loop.finished:
                deadline = loop.deadline
                if deadline == -math.inf:
                    await anyio.lowlevel.checkpoint()
                else:
                    with anyio.CancelScope(deadline=deadline) as self._scope:
                        await anyio.wait_readable(loop.fileno())
                loop.step(anyio.current_time())
        finally:
            anyio.notify_closing(loop.fileno())
            loop.close(anyio.current_time())
