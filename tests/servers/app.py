"""What the servers serve: streams that say how they fared, and the relay with a provider of its own."""

from __future__ import annotations

import itertools
import time
from collections.abc import AsyncIterator
from typing import Any

import anyio

from sse_asgi import EventSourceResponse, EventStreamResponse, asgi
from sse_core import ServerSentEvent
from sse_http import Reply, Request
from sse_relay.config import RelayConfig
from sse_relay.relay import Relay

KILOBYTE = "x" * 1000


class Streams:
    """How the streams of each name fared: bytes made, and when, and when they were closed."""

    def __init__(self) -> None:
        self.made: dict[str, int] = {}
        self.closed: dict[str, float] = {}
        self.history: dict[str, list[tuple[float, int]]] = {}

    async def flood(self, name: str) -> AsyncIterator[str]:
        """As much as it can, without waiting."""
        try:
            while True:
                self.made[name] = made = self.made.get(name, 0) + len(KILOBYTE)
                if made % 10_000 == 0:
                    self.history.setdefault(name, []).append((time.time(), made))
                yield KILOBYTE
        finally:
            self.closed[name] = time.time()

    async def tick(self, name: str) -> AsyncIterator[dict[str, int]]:
        """A number every hundredth of a second."""
        try:
            for number in itertools.count():
                self.made[name] = number
                yield {"number": number}
                await anyio.sleep(0.01)
        finally:
            self.closed[name] = time.time()

    async def count(self, start: int) -> AsyncIterator[ServerSentEvent]:
        """Ten numbers with IDs, behind the last one that the reader has."""
        for number in range(start + 1, start + 11):
            yield ServerSentEvent("message", str(number), str(number))
            await anyio.sleep(0.01)


STREAMS = Streams()
NUMBERS = itertools.count()


async def state(request: Request) -> Reply:  # noqa: ARG001  (the face of a handler)
    """How all streams fared."""
    return Reply.json(200, vars(STREAMS))


STATE = asgi(state)
_relay: Any = None


def relay_to(port: str) -> Any:
    """The relay, in front of the provider at ``port``; one for the whole process."""
    global _relay  # noqa: PLW0603  (a server imports this module once)
    if _relay is None:
        config = RelayConfig(f"http://127.0.0.1:{port}")
        _relay = asgi(Relay(config, new_id=lambda: f"turn-of-the-test-{next(NUMBERS)}"))
    return _relay


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Route by the path: ``/flood/NAME``, ``/tick/NAME``, ``/count``, ``/state``, and the relay."""
    if scope["type"] != "http":
        await STATE(scope, receive, send)
        return
    _, kind, *rest = scope["path"].split("/")
    headers = {name.lower(): value for name, value in scope["headers"]}
    if kind == "flood":
        answer: Any = EventStreamResponse(STREAMS.flood(rest[0]))
    elif kind == "tick":
        answer = EventStreamResponse(STREAMS.tick(rest[0]))
    elif kind == "count":
        start = int(headers.get(b"last-event-id", b"0"))
        answer = EventSourceResponse(STREAMS.count(start))
    elif kind == "v1":
        answer = relay_to(headers[b"x-provider-port"].decode())
    else:
        answer = STATE
    await answer(scope, receive, send)
