"""Host a readiness loop by the means of whichever event loop runs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from anyio.abc import TaskGroup

from sse_io.host import Host
from sse_io.readiness_loop import ReadinessLoop

from .asyncio_host import AsyncioHost

if TYPE_CHECKING:
    from .trio_host import TrioHost


class MakesLoop(Protocol):
    """Makes a loop for a host: ``sse_io.serving.Serving`` is one."""

    def new_loop(self, host: Host) -> ReadinessLoop:
        """A loop that ``host`` waits for."""


def host_loop(serving: MakesLoop, tasks: TaskGroup) -> ReadinessLoop:
    """A loop, and a task in ``tasks`` that has it stepped to its end and closes it."""
    host = AsyncioHost(tasks) if _runs_asyncio() else _trio_host(tasks)
    loop = serving.new_loop(host)
    tasks.start_soon(host.run, loop)
    return loop


def _trio_host(tasks: TaskGroup) -> TrioHost:
    from .trio_host import TrioHost  # noqa: PLC0415  (where asyncio runs, there may be no trio)

    return TrioHost(tasks)


def _runs_asyncio() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
