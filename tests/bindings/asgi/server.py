"""A server of ASGI's, by hand: what it received is what the application sent."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping, Sequence
from typing import Any

import anyio
import anyio.lowlevel

from sse_core import EventStreamDecoder, ServerSentEvent

Message = MutableMapping[str, Any]
Application = Callable[[Any, Any, Any], Awaitable[None]]


def scope_of(
    path: str = "/",
    headers: dict[str, str] | None = None,
    *,
    method: str = "GET",
    kind: str = "http",
    root_path: str = "",
    query: str = "",
) -> dict[str, Any]:
    return {
        "type": kind,
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "method": method,
        "path": root_path + path,
        "raw_path": (root_path + path).encode(),
        "root_path": root_path,
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in (headers or {}).items()],
        "client": ("127.0.0.1", 4711),
    }


class Connection:
    """One request, and what is sent for it.

    - ``body``: of the request, piece by piece.
    - ``room``: so many messages are taken; then ``send`` waits.
    - ``raises``: ``send`` raises it when the reader has gone.
    """

    def __init__(
        self,
        scope: dict[str, Any],
        *,
        body: Sequence[bytes] = (b"",),
        room: float = float("inf"),
        raises: type[OSError] | None = None,
    ) -> None:
        self.scope = scope
        self.sent: list[Message] = []
        self.ended = anyio.Event()  #: the application has returned, or raised
        self.error: BaseException | None = None
        self._pieces = list(body)
        self._room = room
        self._raises = raises
        self._gone = anyio.Event()
        self._changed = anyio.Event()

    # What the application calls

    async def receive(self) -> Message:
        if self._pieces:
            piece = self._pieces.pop(0)
            return {"type": "http.request", "body": piece, "more_body": bool(self._pieces)}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        while len(self.sent) >= self._room and not self._gone.is_set():
            await self._wait_for_change()
        if self._gone.is_set() and self._raises is not None:
            raise self._raises
        self.sent.append(message)
        self._change()

    # What the test does

    def leave(self) -> None:
        self._gone.set()
        self._change()

    def make_room(self) -> None:
        self._room = float("inf")
        self._change()

    @property
    def status(self) -> int:
        status: int = self.sent[0]["status"]
        return status

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent[1:])

    @property
    def whole(self) -> bool:
        """Whether the answer came to its proper end."""
        return bool(self.sent) and self.sent[-1].get("more_body") is False

    @property
    def events(self) -> list[ServerSentEvent]:
        return list(EventStreamDecoder().receive_data(self.body))

    @property
    def data(self) -> list[str]:
        return [event.data for event in self.events]

    async def until(self, condition: Callable[[], object], seconds: float = 3.0) -> None:
        """Wait until that is so, which may be seen whenever something was sent, or soon after."""
        with anyio.fail_after(seconds):
            while not condition():  # noqa: ASYNC110  (of many things, and some are a thread's)
                await anyio.sleep(0.002)

    async def _wait_for_change(self) -> None:
        await self._changed.wait()

    def _change(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()


@contextlib.asynccontextmanager
async def answering(application: Application, connection: Connection) -> AsyncIterator[Connection]:
    """The application answers meanwhile; it is cancelled at the end, if it has not ended."""

    async def run() -> None:
        try:
            await application(connection.scope, connection.receive, connection.send)
        except Exception as error:  # noqa: BLE001  (the test looks at it)
            connection.error = error
        finally:
            connection.ended.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run)
        yield connection
        tasks.cancel_scope.cancel()


async def whole_answer(application: Application, connection: Connection) -> Connection:
    """The connection when the application has ended."""
    async with answering(application, connection):
        with anyio.fail_after(5):
            await connection.ended.wait()
    return connection
