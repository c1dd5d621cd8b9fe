"""An event stream in aiohttp's server.

    .venv/bin/python examples/embedding/aiohttp_app.py

Then "curl -N http://127.0.0.1:8080/count" in another terminal.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
from collections.abc import AsyncIterator, MutableMapping
from typing import Any

from aiohttp import web

from sse_asgi import EventStreamResponse
from sse_core import ServerSentEvent


async def send_events(request: web.Request, response: EventStreamResponse) -> web.StreamResponse:
    """Send what is made for ASGI by aiohttp's own means, which wait while the reader is slow."""
    answer = web.StreamResponse()
    whole = False

    async def receive() -> MutableMapping[str, Any]:
        return await asyncio.Future()  # for ever: when the reader has gone, aiohttp cancels all of this

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal whole
        if message["type"] == "http.response.start":
            answer.set_status(message["status"])
            for name, value in message["headers"]:
                answer.headers.add(name.decode("latin-1"), value.decode("latin-1"))
            await answer.prepare(request)
        else:
            await answer.write(message["body"])
            whole = not message.get("more_body", False)

    scope = {
        "type": "http",
        "method": request.method,
        "path": request.path,
        "query_string": request.query_string.encode(),
        "headers": [(name.lower(), value) for name, value in request.raw_headers],
        "client": (request.remote or "", 0),
    }
    await response(scope, receive, send)  # what the iterator raises is aiohttp's to answer, or to cut
    if not whole and request.transport is not None:
        request.transport.abort()  # the reader was given up: half a stream must not look whole
    return answer


async def numbers(number: int) -> AsyncIterator[ServerSentEvent]:
    """The numbers after this one, each with itself as its ID."""
    try:
        while True:
            number += 1
            yield ServerSentEvent("message", str(number), str(number))
            await asyncio.sleep(0.1)
    finally:
        print(f"the reader has gone after {number}", flush=True)


async def count(request: web.Request) -> web.StreamResponse:
    """Count, from where the reader was."""
    seen = request.headers.get("Last-Event-ID", "")
    return await send_events(request, EventStreamResponse(numbers(int(seen) if seen.isdecimal() else 0)))


app = web.Application()
app.add_routes([web.get("/count", count)])

if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=8080, help="where to listen on 127.0.0.1; default: 8080")
    listener = socket.create_server(("127.0.0.1", parser.parse_args().port))
    web.run_app(app, sock=listener, handler_cancellation=True)
