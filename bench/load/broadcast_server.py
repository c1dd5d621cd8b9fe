"""One broadcast for whoever connects: a token a second, which says when it was written, and heartbeats.

The arguments are the binding, and after how many seconds without a byte a heartbeat is sent; the port is
printed.
"""

from __future__ import annotations

import itertools
import sys
import threading
import time
from importlib.util import find_spec

import anyio
import trio

import sse_anyio
import sse_socket
import sse_trio
from sse_core import ServerSentEvent
from sse_core.lifecycle import Broadcast, SubscriptionSettings
from sse_http import Follow, Request

PERIOD = 4.0  #: seconds between two tokens


class Ticker:
    """The broadcast, and what is published next."""

    def __init__(self, heartbeat: float) -> None:
        settings = SubscriptionSettings(heartbeat=heartbeat)
        self._broadcast = Broadcast("load", settings=settings, max_events=100)
        self._numbers = itertools.count()

    def follow(self, request: Request) -> Follow:  # noqa: ARG002  (a handler's face)
        """What a reader gets: all from now on."""
        return Follow(self._broadcast, join="now")

    async def answer(self, request: Request) -> Follow:
        """The same, where handlers are tasks."""
        return self.follow(request)

    def publish(self) -> None:
        """Give everybody a token.  To be called where the server runs."""
        text = f"@{time.monotonic_ns():016d}:{next(self._numbers):08d} "
        self._broadcast.publish([ServerSentEvent("message", text)], time.monotonic())


async def on_trio(ticker: Ticker) -> None:
    """Serve until killed."""
    async with trio.open_nursery() as nursery:
        print(await nursery.start(sse_trio.serve, ticker.answer), flush=True)
        while True:
            await trio.sleep(PERIOD)
            ticker.publish()


async def on_asyncio(ticker: Ticker) -> None:
    """Serve until killed."""
    async with anyio.create_task_group() as tasks:
        print(await tasks.start(sse_anyio.serve, ticker.answer), flush=True)
        while True:
            await anyio.sleep(PERIOD)
            ticker.publish()


def on_sockets(ticker: Ticker) -> None:
    """Serve until killed."""
    handle = sse_socket.ServerHandle()

    def publish_for_ever() -> None:
        print(handle.wait_until_started(), flush=True)
        while True:
            time.sleep(PERIOD)
            handle.call_soon(ticker.publish)

    threading.Thread(target=publish_for_ever, daemon=True).start()
    sse_socket.serve(ticker.follow, handle=handle)


def main(binding: str, heartbeat: str) -> None:
    """Serve until killed."""
    ticker = Ticker(float(heartbeat))
    if binding == "trio":
        trio.run(on_trio, ticker)
    elif binding == "asyncio":
        anyio.run(on_asyncio, ticker, backend_options={"use_uvloop": find_spec("uvloop") is not None})
    elif binding == "socket":
        on_sockets(ticker)
    else:
        raise ValueError(f"there is no binding {binding}")


if __name__ == "__main__":
    main(*sys.argv[1:])
