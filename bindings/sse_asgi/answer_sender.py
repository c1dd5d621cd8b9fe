"""Send one answer through ASGI: it waits, and decides nothing."""

from __future__ import annotations

import time

import anyio
import anyio.lowlevel

from sse_http import StreamState
from sse_http.exchange import ServerExchange, has_body

from .asgi_types import Message, Send
from .http_scope import start_of


class SendTimeoutError(TimeoutError):
    """The server took one message of an answer for longer than ``send_timeout``."""


class AnswerSender:
    """Sends what an exchange gives.

    - ``exchange``: whose waker is ``wake``.
    - ``send``: ASGI's.
    - ``separator``: stands for each line's end.
    - ``prefix``: lines that go before the first bytes of the body.
    - ``send_timeout``: seconds for one message.
    """

    def __init__(
        self,
        exchange: ServerExchange,
        send: Send,
        *,
        separator: bytes = b"\n",
        prefix: bytes = b"",
        send_timeout: float | None = None,
    ) -> None:
        self._exchange = exchange
        self._send = send
        self._separator = separator
        self._prefix = prefix
        self._send_timeout = send_timeout
        #: The last message is on its way.  A server may say amid it that the reader has gone (hypercorn on
        #: trio does), and closes the connection afterwards: it is not to be cancelled for that.
        self.is_ending = False
        self._changed = anyio.Event()
        self._earlier = anyio.Event()
        self._alarm: float | None = None  # what is slept until

    def wake(self) -> None:
        """There may be something to send, or another deadline."""
        self._changed.set()
        self._look_at_deadline()

    def _look_at_deadline(self) -> None:
        """Whoever keeps the time is to look again, if it is earlier now."""
        deadline = self._exchange.deadline
        if deadline is not None and (self._alarm is None or deadline < self._alarm):
            self._earlier.set()

    async def run(self) -> bool:
        """Send the answer; whether it was sent to its end.

        A server cuts the connection of an answer that is not: so half a stream never looks whole.
        """
        whole = False
        error: Exception | None = None  # raised in there it would come out in a group
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._keep_time, tasks.cancel_scope)
            try:
                whole = await self._send_all()
            except Exception as raised:  # noqa: BLE001  (whatever the server raises)
                error = raised
            tasks.cancel_scope.cancel()
        if error is not None:
            raise error
        return whole

    async def _send_all(self) -> bool:
        try:
            while True:
                self._changed = anyio.Event()  # what comes after this is seen
                if await self._send_next():
                    # A server that has room, or has lost its reader, takes a message without waiting.
                    await anyio.lowlevel.checkpoint()
                    continue
                if self._exchange.state is not StreamState.OPEN:
                    break
                await self._changed.wait()
            if self._exchange.state is not StreamState.FINISHED:
                return False
            self.is_ending = True
            await self._pass_on({"type": "http.response.body", "body": b"", "more_body": False})
        except SendTimeoutError:
            raise
        except OSError:  # ASGI's specification since 2.4: "send() should raise a subclass of OSError"
            return False
        return True

    async def _send_next(self) -> bool:
        """Send what there is; whether there may be more at once."""
        exchange, now = self._exchange, time.monotonic()
        if not exchange.has_begun:
            head = exchange.find_head(now)
            if head is None:
                return False
            reply = exchange.reply
            counts = reply is not None and has_body("GET", head.status)
            length = len(reply.body) if reply is not None and counts else None
            await self._pass_on(start_of(head, content_length=length))
            exchange.begin(head.status, now)
            return exchange.state is StreamState.OPEN
        data = exchange.data_to_send(now)
        self._look_at_deadline()  # a pull begins the time until the next sign of life
        if data:
            if exchange.reply is None:
                data, self._prefix = self._prefix + data, b""
                if self._separator != b"\n":
                    data = data.replace(b"\n", self._separator)
            await self._pass_on({"type": "http.response.body", "body": data, "more_body": True})
        return bool(data) and (exchange.has_more or exchange.reply is not None)

    async def _pass_on(self, message: Message) -> None:
        if self._send_timeout is None:
            await self._send(message)
            return
        with anyio.move_on_after(self._send_timeout) as scope:
            await self._send(message)
        if scope.cancelled_caught:
            raise SendTimeoutError(f"the server did not take a message in {self._send_timeout:g} s")

    async def _keep_time(self, everything: anyio.CancelScope) -> None:
        """Fire what is due, while a message is being sent, too: a reader that takes nothing is given up."""
        while True:
            self._alarm = deadline = self._exchange.deadline
            self._earlier = anyio.Event()
            left = None if deadline is None else max(deadline - time.monotonic(), 0.0)
            with anyio.move_on_after(left):
                await self._earlier.wait()
                continue
            if self._exchange.handle_timeout(time.monotonic()):
                everything.cancel()
                return
            self._changed.set()
            await anyio.lowlevel.checkpoint()
