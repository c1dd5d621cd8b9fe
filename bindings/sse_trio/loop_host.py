"""Host a readiness loop on trio: one task, which waits for the loop's descriptor and its deadline."""

from __future__ import annotations

import contextlib
import math
import socket
from collections.abc import Awaitable, Callable

import trio

from sse_io.connector import Cancel, Resolved
from sse_io.owner import READ, WRITE, Owner
from sse_io.readiness_loop import ReadinessLoop


class LoopHost:
    """Waits for one loop.  Names are looked up, and sockets watched if need be, in tasks of ``nursery``."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self._nursery = nursery
        self._scope = trio.CancelScope()
        #: The clock, which the loop reads after every turn: by way of ``trio.current_time`` takes four calls.
        self.now: Callable[[], float] = trio.lowlevel.current_clock().current_time

    def look_again(self) -> None:
        """Leave off waiting."""
        self._scope.cancel()

    def resolve(self, host: str, port: int, done: Resolved) -> Cancel:
        """Look up ``host`` and ``port`` in a task."""
        scope = trio.CancelScope()
        self._nursery.start_soon(_resolve, host, port, done, scope)
        return scope.cancel

    async def run(self, loop: ReadinessLoop, watcher: TaskWatcher | None = None) -> None:
        """Step ``loop`` until it is finished; then close it, or as soon as this task is cancelled."""
        try:
            while not loop.finished:
                with trio.CancelScope(deadline=loop.deadline) as self._scope:
                    await self._wait_and_step(loop, watcher)
                _step(loop)
        finally:
            if watcher is None:
                trio.lowlevel.notify_closing(loop.fileno())
            loop.close(trio.current_time())

    async def _wait_and_step(self, loop: ReadinessLoop, watcher: TaskWatcher | None) -> None:
        """Again and again in one scope, as long as its deadline is early enough: to open one is dear."""
        bound = self._scope.deadline
        while not loop.finished:
            deadline = loop.deadline
            if deadline == -math.inf or (watcher is not None and watcher.has_news):
                await trio.lowlevel.checkpoint()  # others have their turn
            else:
                if deadline < bound:
                    bound = self._scope.deadline = deadline
                await _wait_for_news(loop, watcher)
            _step(loop)


async def _wait_for_news(loop: ReadinessLoop, watcher: TaskWatcher | None) -> None:
    if watcher is None:
        await trio.lowlevel.wait_readable(loop.fileno())
    else:
        await trio.sleep_forever()  # until the watcher has the host look again


@trio.lowlevel.enable_ki_protection
def _step(loop: ReadinessLoop) -> None:
    """One step, which Ctrl-C must not break off amid a machine's work."""
    loop.step(trio.current_time())


async def _resolve(host: str, port: int, done: Resolved, scope: trio.CancelScope) -> None:
    with scope:
        try:
            found = await trio.socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            done(error)
        else:
            done([*found])


class TaskWatcher:
    """Watches each socket in a task of its own: for systems where no selector can be watched."""

    def __init__(self, nursery: trio.Nursery, look_again: Callable[[], None]) -> None:
        self._nursery = nursery
        self._look_again = look_again
        self._tasks: dict[Owner, trio.CancelScope] = {}
        self._ready: list[tuple[Owner, int]] = []
        self._rest = trio.lowlevel.ParkingLot()

    def watch(self, owner: Owner, interest: int) -> None:
        """Have other tasks watch, in place of those that did."""
        if owner in self._tasks:
            self._tasks.pop(owner).cancel()
        sock = owner.sock
        if interest and sock is not None:
            scope = self._tasks[owner] = trio.CancelScope()
            self._nursery.start_soon(self._watch, owner, sock, interest, scope)

    @property
    def has_news(self) -> bool:
        """Whether somebody is ready whom no step has seen."""
        return bool(self._ready)

    def take_ready(self, wait: float) -> list[tuple[Owner, int]]:  # noqa: ARG002  (trio waits)
        """Who is ready; their tasks look again when others run."""
        ready, self._ready = self._ready, []
        self._rest.unpark_all()
        return ready

    def close(self) -> None:
        """Watch nobody any more."""
        for scope in self._tasks.values():
            scope.cancel()

    async def _watch(self, owner: Owner, sock: socket.socket, interest: int, scope: trio.CancelScope) -> None:
        async def watch(mask: int, until: Callable[[socket.socket], Awaitable[None]]) -> None:
            while not scope.cancel_called:  # or the socket may be closed by now
                await until(sock)
                self._ready.append((owner, mask))
                self._look_again()
                await self._rest.park()

        with scope, contextlib.suppress(trio.ClosedResourceError):
            async with trio.open_nursery() as nursery:
                if interest & READ:
                    nursery.start_soon(watch, READ, trio.lowlevel.wait_readable)
                if interest & WRITE:
                    nursery.start_soon(watch, WRITE, trio.lowlevel.wait_writable)
