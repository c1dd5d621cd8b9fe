"""anthropic: ``Stream.raw_events``, over a transport that gives the chunks.

``sse.id`` is the last event ID in force; ``sse.retry`` is the event's own.
"""

from __future__ import annotations

from importlib.metadata import version

import anthropic
import httpx2
from protocol import Run, serve


def decode(run: Run) -> None:
    """As its docstring says."""

    def respond(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers={"Content-Type": "text/event-stream"}, content=run.chunks())

    with (
        httpx2.Client(transport=httpx2.MockTransport(respond)) as client,
        client.stream("GET", "http://localhost/") as response,
    ):
        for sse in anthropic.Stream.raw_events(response):
            run.event(sse.event, sse.data, lastEventId=sse.id or "", retry=sse.retry)


if __name__ == "__main__":
    serve("anthropic", version("anthropic"), ["event.lastEventId", "event.retry"], decode)
