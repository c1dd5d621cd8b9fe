"""Host a readiness loop in the server's own event loop: for the connections that an application makes."""

from __future__ import annotations

import math
import socket
import sys
import time
from collections.abc import Awaitable, Callable

import anyio
import anyio.lowlevel

from sse_io.connector import Cancel, Resolved
from sse_io.readiness_loop import ReadinessLoop


class LoopHost:
    """Waits for one loop, in a task of its own that nobody has to wait for.

    Its clock is ``time.monotonic``, as everywhere here: those of the event loops differ.
    """

    def __init__(self) -> None:
        self.now: Callable[[], float] = time.monotonic
        self._scope = anyio.CancelScope()

    def look_again(self) -> None:
        """Leave off waiting."""
        self._scope.cancel()

    def resolve(self, host: str, port: int, done: Resolved) -> Cancel:
        """Look up ``host`` and ``port`` in a task."""
        scope = anyio.CancelScope()

        async def look_up() -> None:
            with scope:
                try:
                    found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
                except (OSError, UnicodeError) as error:
                    done(error)
                else:
                    done([*found])

        spawn(look_up)
        return scope.cancel

    async def run(self, loop: ReadinessLoop) -> None:
        """Step ``loop`` until it is finished; then close it."""
        try:
            while not loop.finished:
                deadline = loop.deadline
                if deadline == -math.inf:
                    await anyio.lowlevel.checkpoint()
                else:
                    left = None if deadline == math.inf else max(deadline - time.monotonic(), 0.0)
                    with anyio.move_on_after(left) as self._scope:
                        await anyio.wait_readable(loop.fileno())
                loop.step(time.monotonic())
        finally:
            anyio.notify_closing(loop.fileno())
            loop.close(time.monotonic())


def spawn(work: Callable[[], Awaitable[None]]) -> None:
    """Run ``work`` beside everything else: a mounted application is told neither when to begin nor to end."""
    if "trio" in sys.modules:
        import trio  # noqa: PLC0415  (only where it is there already)

        if trio.lowlevel.in_trio_run():
            trio.lowlevel.spawn_system_task(_run, work)
            return
    import asyncio  # noqa: PLC0415  (as above)

    task = asyncio.get_running_loop().create_task(_run(work))
    _tasks.add(task)  # an event loop keeps none by itself
    task.add_done_callback(_tasks.discard)


_tasks: set[object] = set()


async def _run(work: Callable[[], Awaitable[None]]) -> None:
    await work()
