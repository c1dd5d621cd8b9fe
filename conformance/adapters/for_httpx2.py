"""httpx2: ``Client.sse``, over a transport that gives the chunks.

``sse.id`` is the last event ID in force; ``sse.retry`` is the event's own.
"""

from __future__ import annotations

from importlib.metadata import version

import httpx2
from protocol import Run, serve


def decode(run: Run) -> None:
    """As its documentation shows it."""

    def respond(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, headers={"Content-Type": "text/event-stream"}, content=run.chunks())

    with (
        httpx2.Client(transport=httpx2.MockTransport(respond)) as client,
        client.sse("http://localhost/") as source,
    ):
        for sse in source:
            run.event(sse.event, sse.data, lastEventId=sse.id, retry=sse.retry)


if __name__ == "__main__":
    serve("httpx2", version("httpx2"), ["event.lastEventId", "event.retry"], decode)
