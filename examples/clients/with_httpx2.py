"""Follow an event stream with httpx2, across reconnects; or, with --once, one connection of it.

    .venv/bin/python examples/clients/with_httpx2.py http://127.0.0.1:8080/

The client is yours: its pool, its certificates, its mocks in tests.  ``connect`` says what it is to ask for;
``aiter_events`` reads what you asked for yourself.
"""

from __future__ import annotations

import asyncio
import sys

import httpx2

import sse_anyio
from sse_core import aiter_events


async def follow(client: httpx2.AsyncClient, url: str) -> None:
    """Print each event, until one of the type "end"; a connection that is lost is made again."""
    async with sse_anyio.connect(url, transport=client) as source:
        async for event in source:
            print(event.last_event_id, event.data, flush=True)
            if event.type == "end":
                break


async def follow_once(client: httpx2.AsyncClient, url: str) -> None:
    """Print the events of one answer."""
    async with client.stream("GET", url, headers={"Accept": "text/event-stream"}) as response:
        response.raise_for_status()  # the body of an error is no event stream
        async with aiter_events(response.aiter_bytes()) as events:
            async for event in events:
                print(event.last_event_id, event.data, flush=True)


async def main() -> None:
    """Follow the URL that is the last argument."""
    async with httpx2.AsyncClient() as client:
        await (follow_once if "--once" in sys.argv else follow)(client, sys.argv[-1])


if __name__ == "__main__":
    asyncio.run(main())
