"""Host a readiness loop on trio, by one task that waits."""

from __future__ import annotations

import math
from collections.abc import Callable

import trio
from anyio.abc import TaskGroup

from sse_io.readiness_loop import ReadinessLoop

from .resolver import Resolver


class TrioHost(Resolver):
    """Waits for one loop in a task."""

    def __init__(self, tasks: TaskGroup) -> None:
        super().__init__(tasks)
        self.now: Callable[[], float] = trio.current_time
        self._scope = trio.CancelScope()

    def look_again(self) -> None:
        """Leave off waiting."""
        self._scope.cancel()

    async def run(self, loop: ReadinessLoop) -> None:
        """Step ``loop`` until it is finished; then close it, or as soon as this task is cancelled."""
        try:
            while not loop.finished:
                deadline = loop.deadline
                if deadline == -math.inf:
                    await trio.lowlevel.checkpoint()
                else:
                    with trio.CancelScope(deadline=deadline) as self._scope:
                        await trio.lowlevel.wait_readable(loop.fileno())
                _step(loop)
        finally:
            trio.lowlevel.notify_closing(loop.fileno())
            loop.close(trio.current_time())


@trio.lowlevel.enable_ki_protection
def _step(loop: ReadinessLoop) -> None:
    """One step, which Ctrl-C must not break off amid a machine's work."""
    loop.step(trio.current_time())
