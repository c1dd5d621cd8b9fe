"""An event stream in Starlette.

    .venv/bin/uvicorn --app-dir examples/embedding starlette_app:app

Then "curl -N http://127.0.0.1:8000/count" in another terminal.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from sse_asgi import EventStreamResponse
from sse_core import ServerSentEvent


async def numbers(number: int) -> AsyncIterator[ServerSentEvent]:
    """The numbers after this one, each with itself as its ID."""
    try:
        while True:
            number += 1
            yield ServerSentEvent("message", str(number), str(number))
            await asyncio.sleep(0.1)
    finally:
        print(f"the reader has gone after {number}", flush=True)


async def count(request: Request) -> EventStreamResponse:
    """Count, from where the reader was."""
    seen = request.headers.get("last-event-id", "")
    return EventStreamResponse(numbers(int(seen) if seen.isdecimal() else 0))


app = Starlette(routes=[Route("/count", count)])
