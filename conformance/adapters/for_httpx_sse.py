"""httpx-sse: ``connect_sse``, over a transport that gives the chunks.

``sse.id`` is the last event ID in force; ``sse.retry`` is the event's own.
"""

from __future__ import annotations

from importlib.metadata import version

import httpx
from httpx_sse import connect_sse
from protocol import Run, serve


def decode(run: Run) -> None:
    """As its README shows it."""

    def respond(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"Content-Type": "text/event-stream"}, content=run.chunks())

    with (
        httpx.Client(transport=httpx.MockTransport(respond)) as client,
        connect_sse(client, "GET", "http://localhost/") as source,
    ):
        for sse in source.iter_sse():
            run.event(sse.event, sse.data, lastEventId=sse.id, retry=sse.retry)


if __name__ == "__main__":
    serve("httpx-sse", version("httpx-sse"), ["event.lastEventId", "event.retry"], decode)
