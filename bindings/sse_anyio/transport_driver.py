"""Host one machine on somebody's client: as ``Driver`` does on a socket.  It decides nothing."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Awaitable, Callable

import anyio
import anyio.lowlevel

from sse_core.errors import TransportError
from sse_core.lifecycle import Want
from sse_core.lifecycle.machine import ConnectingMachine

from .client_transport import ClientAnswer, ClientTransport

#: Seconds for a client to let go of a connection.
_CLOSING = 5.0
_GIVEN_UP = TransportError("the wait for the answer was given up")


class TransportDriver:
    """Does on ``transport`` what ``machine`` wishes.

    One task steps it; any may ``leave``.  A wait that is cancelled costs the connection, as a client's own
    iterator can't be taken up again: the machine makes another one, if it may.
    """

    def __init__(self, machine: ConnectingMachine, transport: ClientTransport) -> None:
        self.problem: TransportError | None = None  #: how the last connection failed, if it did
        self._machine = machine
        self._transport = transport
        self._answer: ClientAnswer | None = None
        self._chunks: AsyncGenerator[bytes] | None = None
        self._scope: anyio.CancelScope | None = None  # of a wait

    async def leave(self) -> None:
        """The machine was ended by its user: close, or have the task that waits do it."""
        if self._scope is not None:
            self._scope.cancel()
        else:
            await self._close()

    async def step(self) -> None:
        """Carry out one wish, until the deadline at most."""
        machine, now = self._machine, anyio.current_time()
        deadline = math.inf if machine.deadline is None else machine.deadline
        if deadline <= now:
            machine.handle_timeout(now)
        elif machine.want is Want.CONNECT:
            await self._within(deadline, self._open)
        elif machine.want is Want.READ and self._chunks is not None:
            await self._within(deadline, self._read)
        elif machine.want is not Want.CLOSE:
            await self._rest(deadline)
        if machine.want in {Want.CLOSE, Want.NOTHING}:
            await self._close()
            if machine.want is Want.CLOSE:
                machine.closed(anyio.current_time())

    async def _rest(self, deadline: float) -> None:
        """Wait for the deadline, with no connection."""
        try:
            with anyio.CancelScope(deadline=deadline) as self._scope:
                await anyio.sleep_forever()
        finally:
            self._scope = None
        self._machine.handle_timeout(anyio.current_time())

    async def _within(self, deadline: float, wait: Callable[[], Awaitable[None]]) -> None:
        try:
            with anyio.CancelScope(deadline=deadline) as self._scope:
                await wait()
                return
        except TransportError as error:
            await self._lose(error)
            return
        except BaseException:
            await self._lose(_GIVEN_UP)
            raise
        finally:
            self._scope = None
        want = self._machine.want
        self._machine.handle_timeout(anyio.current_time())  # harmless, if that isn't why
        if self._machine.want is want:
            await self._lose(_GIVEN_UP)

    async def _open(self) -> None:
        try:
            answer = await self._transport.open(self._machine.request, self._connected)
        except ValueError as error:
            raise TransportError(str(error), retryable=False) from error
        self._connected()
        self._answer, self._chunks = answer, answer.chunks()
        self._machine.response_started(answer.status, answer.headers, anyio.current_time())

    def _connected(self) -> None:
        """The request is on its way: another deadline counts from now on."""
        machine = self._machine
        if machine.want is Want.CONNECT:
            machine.connected(anyio.current_time())
            if self._scope is not None:
                self._scope.deadline = math.inf if machine.deadline is None else machine.deadline

    async def _read(self) -> None:
        assert self._chunks is not None  # noqa: S101  (or it would be opened)
        try:
            data = await anext(self._chunks)
        except StopAsyncIteration:
            self._machine.receive_eof(anyio.current_time())
            await self._lose(TransportError("the answer ended"))
        else:
            self._machine.receive_data(data, anyio.current_time())

    async def _lose(self, error: TransportError) -> None:
        await self._close()
        if self._machine.want in {Want.CONNECT, Want.READ, Want.PAUSE}:
            self.problem = error
            self._machine.connection_lost(str(error), anyio.current_time(), retryable=error.retryable)

    async def _close(self) -> None:
        answer, chunks = self._answer, self._chunks
        self._answer = self._chunks = None
        if answer is not None and chunks is not None:
            with anyio.move_on_after(_CLOSING, shield=True):
                await chunks.aclose()
                await answer.aclose()
