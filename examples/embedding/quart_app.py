"""Event streams beside Quart, in one process and at one port.

    .venv/bin/hypercorn --workers 0 examples/embedding/quart_app:application

Then "curl -N http://127.0.0.1:8000/events/count" in another terminal; all other paths are Quart's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from quart import Quart

from sse_asgi import asgi
from sse_core import ServerSentEvent
from sse_http import Reply, Request

app = Quart(__name__)


@app.get("/")
async def home() -> str:
    """A view like any other."""
    return "/ is Quart's"


async def numbers(number: int) -> AsyncIterator[ServerSentEvent]:
    """The numbers after this one, each with itself as its ID."""
    try:
        while True:
            number += 1
            yield ServerSentEvent("message", str(number), str(number))
            await asyncio.sleep(0.1)
    finally:
        print(f"the reader has gone after {number}", flush=True)


async def events(request: Request) -> Reply | AsyncIterator[ServerSentEvent]:
    """Count, from where the reader was."""
    if request.path != "/events/count":
        return Reply(404)
    seen = request.last_event_id
    return numbers(int(seen) if seen.isdecimal() else 0)


streams = asgi(events)


async def application(scope: Any, receive: Any, send: Any) -> None:
    """For the server, in place of Quart's own application."""
    is_stream = scope["type"] == "http" and scope["path"].startswith("/events/")
    await (streams if is_stream else app)(scope, receive, send)
