"""One broadcast for whoever connects: a token a second, which says when it was written, and heartbeats.

The arguments are the binding, and after how many seconds without a byte a heartbeat is sent; the port is
printed.
"""

from __future__ import annotations

import itertools
import sys
import threading
import time

import trio

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

    def follow(self) -> Follow:
        """What a reader gets: all from now on."""
        return Follow(self._broadcast, join="now")

    def publish(self) -> None:
        """Give everybody a token.  To be called where the server runs."""
        text = f"@{time.monotonic_ns():016d}:{next(self._numbers):08d} "
        self._broadcast.publish([ServerSentEvent("message", text)], time.monotonic())


async def on_trio(ticker: Ticker) -> None:
    """Serve until killed."""

    async def handler(request: Request) -> Follow:  # noqa: ARG001  (a handler's face)
        return ticker.follow()

    async with trio.open_nursery() as nursery:
        print(await nursery.start(sse_trio.serve, handler), flush=True)
        while True:
            await trio.sleep(PERIOD)
            ticker.publish()


def on_sockets(ticker: Ticker) -> None:
    """Serve until killed."""
    handle = sse_socket.ServerHandle()

    def publish_for_ever() -> None:
        print(handle.wait_until_started(), flush=True)
        while True:
            time.sleep(PERIOD)
            handle.call_soon(ticker.publish)

    def handler(request: Request) -> Follow:  # noqa: ARG001  (a handler's face)
        return ticker.follow()

    threading.Thread(target=publish_for_ever, daemon=True).start()
    sse_socket.serve(handler, handle=handle)


def main(binding: str, heartbeat: str) -> None:
    """Serve until killed."""
    ticker = Ticker(float(heartbeat))
    if binding == "trio":
        trio.run(on_trio, ticker, clock=None)
    else:
        on_sockets(ticker)


if __name__ == "__main__":
    main(*sys.argv[1:])
