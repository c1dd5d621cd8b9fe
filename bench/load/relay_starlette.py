"""A relay as it is written with Starlette, sse-starlette and httpx-sse, on uvicorn with uvloop and httptools.

It parses no JSON and keeps nothing: events are decoded and encoded anew, which is the least that such a
relay does.  The arguments are ``starlette`` or ``fastapi`` and the address of the provider; the port is
printed.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
from collections.abc import AsyncIterator

import httpx
import httpx_sse
import uvicorn
from fastapi import FastAPI
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route


def new_app(framework: str, upstream: str) -> Starlette:
    """The application."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    client = httpx.AsyncClient(base_url=upstream, limits=limits, timeout=None)  # noqa: S113  (streams wait)

    async def events(body: bytes) -> AsyncIterator[ServerSentEvent]:
        headers = {"Content-Type": "application/json"}
        request = httpx_sse.aconnect_sse(client, "POST", "/v1/messages", content=body, headers=headers)
        async with request as source:
            async for event in source.aiter_sse():
                yield ServerSentEvent(event.data, event=event.event, id=event.id or None, sep="\n")

    async def messages(request: Request) -> EventSourceResponse:
        return EventSourceResponse(events(await request.body()))

    if framework == "fastapi":
        app = FastAPI()
        app.post("/v1/messages", response_class=EventSourceResponse)(messages)
        return app
    return Starlette(routes=[Route("/v1/messages", messages, methods=["POST"])])


async def main(framework: str, upstream: str) -> None:
    """Serve until killed."""
    config = uvicorn.Config(
        new_app(framework, upstream), http="httptools", log_level="warning", access_log=False
    )
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        print(listener.getsockname()[1], flush=True)
        await uvicorn.Server(config).serve([listener])


if __name__ == "__main__":
    import uvloop

    with contextlib.suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(*sys.argv[1:]))
