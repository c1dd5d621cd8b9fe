"""Look names up: the system's resolver blocks, so it is asked on a thread."""

from __future__ import annotations

import socket
from functools import partial

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup

from sse_io.address_race import Address
from sse_io.connector import Cancel, Resolved


async def look_up(host: str, port: int, flags: int = 0) -> list[Address]:
    """The addresses of ``host`` and ``port`` for TCP, as ``socket.getaddrinfo`` gives them.

    - ``flags``: of that function.

    Raises ``OSError``, and ``UnicodeError`` for what is no name.
    """
    ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM, flags=flags)
    return [*await anyio.to_thread.run_sync(ask, abandon_on_cancel=True)]


class Resolver:
    """Looks names up in ``tasks``."""

    def __init__(self, tasks: TaskGroup) -> None:
        self._tasks = tasks

    def resolve(self, host: str, port: int, done: Resolved) -> Cancel:
        """Look up ``host`` and ``port``, until the result is called."""
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
