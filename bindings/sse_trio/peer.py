"""One accepted connection: its bytes in, its bytes out.

An answer's bytes are pushed: when a stream wakes its connection, they are pulled and given to the
kernel in that very call.  A task waits only for what can't be had at once: the peer's bytes, room
in the kernel's buffer, a deadline.
"""

from __future__ import annotations

import contextlib
import math

import trio

from sse_core.errors import TransportError
from sse_http import ConnectionPhase, ServerConnection, no_waker

from .error_log import report
from .link import Link

#: How much one connection is pulled before others get their turn: so many times, so many bytes.
_PULLS_IN_A_ROW = 16
_BYTES_IN_A_ROW = 64 * 1024


class Peer:
    """A connection, with a task that reads, and a task that waits for room and for time."""

    def __init__(self, link: Link, connection: ServerConnection) -> None:
        self._link = link
        self._connection = connection
        self._wait = trio.CancelScope()
        self._waits_for_room = False
        self._pushing = False
        self._more = False
        connection.waker = self.push

    async def run(self, nursery: trio.Nursery) -> None:
        """Serve until one side has had enough, with tasks in ``nursery``, which is then cancelled."""
        nursery.start_soon(self._keep_going)
        try:
            await self._read()
        finally:
            self._end()
            nursery.cancel_scope.cancel()

    def shut_down(self) -> None:
        """The server goes down: answer what is being answered, and nothing else."""
        self._connection.shut_down(trio.current_time())  # which wakes

    def push(self) -> None:
        """Give the kernel what there is, as far as it takes it.

        Raises nothing: whoever wakes this connection has others to wake.
        """
        if self._pushing or self._link.closed:
            return
        self._pushing = True
        try:
            self._more = self._push_some()
            self._see_to_the_wait()
        except TransportError:
            self._end()
        except Exception as error:  # noqa: BLE001  (one connection's trouble is no other's)
            report(error)
            self._end()
        finally:
            self._pushing = False

    def _push_some(self) -> bool:
        """Whether there may be more."""
        taken, size = self._link.flush_now(), 0
        for _ in range(_PULLS_IN_A_ROW):
            data = self._connection.data_to_send(trio.current_time()) if taken else b""
            if not data:
                return False
            taken = self._link.send_now(data)
            if not taken:
                self._connection.blocked(trio.current_time())
            if not (taken and self._connection.has_more):
                return False
            size += len(data)
            if size >= _BYTES_IN_A_ROW:
                break
        return taken

    def _see_to_the_wait(self) -> None:
        """Let the task that waits look again, if it waits for the wrong thing."""
        blocked = self._link.blocked and not self._waits_for_room
        if self._connection.phase is ConnectionPhase.OVER:
            self._end()
        elif self._more or blocked or self._deadline() < self._wait.deadline:
            self._wait.cancel()

    def _end(self) -> None:
        """Close at once; idempotent.  Both tasks find out by themselves."""
        self._connection.connection_lost(trio.current_time())
        self._connection.waker = no_waker  # neither keeps the other any more
        self._link.close(cut=self._connection.cut, reset=self._connection.reset)

    def _deadline(self) -> float:
        deadline = self._connection.deadline
        return math.inf if deadline is None else deadline

    async def _read(self) -> None:
        while True:
            try:
                received = await self._link.receive()
            except (TransportError, trio.ClosedResourceError):
                return
            for data in received:
                self._connection.receive_data(data, trio.current_time())
            self.push()

    async def _keep_going(self) -> None:
        """Wait for room, for the deadline, or to be called; then push again."""
        while not self._link.closed:
            with trio.CancelScope(deadline=self._deadline()) as self._wait:
                await self._wait_for_something()
            if self._deadline() <= trio.current_time():
                self._connection.handle_timeout(trio.current_time())  # which wakes
            else:
                self.push()

    async def _wait_for_something(self) -> None:
        if self._link.blocked:
            await self._wait_for_room()
        elif self._more:
            await trio.lowlevel.checkpoint()
        else:
            await trio.sleep_forever()

    async def _wait_for_room(self) -> None:
        self._waits_for_room = True
        try:
            with contextlib.suppress(trio.ClosedResourceError):
                await self._link.wait_writable()
        finally:
            self._waits_for_room = False
