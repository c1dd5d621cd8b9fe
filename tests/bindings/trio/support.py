"""A server in a task of the test's own, beside scripted ones in threads."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import trio

import sse_trio
from tests.bindings.peers import Peer, ScriptedServer
from tests.bindings.server_stage import get
from tests.bindings.test_trio import RUNNER


@dataclass(frozen=True)
class Server:
    """A server on loopback."""

    host: str
    port: int
    scheme: str
    scope: trio.CancelScope

    @property
    def address(self) -> tuple[str, int]:
        return self.host, self.port

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}/"


@contextlib.asynccontextmanager
async def serving(application: Any, **options: Any) -> AsyncIterator[Server]:
    """``sse_trio.serve`` for the length of a test."""
    options.setdefault("host", "127.0.0.1")
    async with trio.open_nursery() as nursery:

        async def serve(task_status: trio.TaskStatus[int]) -> None:
            await sse_trio.serve(application, task_status=task_status, **options)

        port: int = await nursery.start(serve)
        scheme = "https" if options.get("tls") else "http"
        yield Server(options["host"], port, scheme, nursery.cancel_scope)
        nursery.cancel_scope.cancel()


@contextlib.contextmanager
def running(peer: Peer, **others: Server) -> Iterator[ScriptedServer]:
    """A scripted server, which may pass on to others."""
    with peer.running(RUNNER, others) as server:
        yield server


async def fetch(server: Server, path: str = "") -> bytes:
    """The whole answer to a GET, on a connection that is closed after it."""
    async with await trio.open_tcp_stream(server.host, server.port) as stream:
        await stream.send_all(get(path, "connection: close"))
        return b"".join([bytes(data) async for data in stream])
