"""A relay as it is written with aiohttp, server and client: what comes is written on, and not looked at.

The address of the provider is the one argument; the port is printed.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys

import uvloop
from aiohttp import ClientSession, ClientTimeout, TCPConnector, web


async def main(upstream: str) -> None:
    """Serve until killed."""
    timeout = ClientTimeout(total=None)
    async with ClientSession(connector=TCPConnector(limit=0), timeout=timeout) as session:

        async def messages(request: web.Request) -> web.StreamResponse:
            answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
            await answer.prepare(request)
            headers = {"Content-Type": "application/json"}
            body = await request.read()
            async with session.post(f"{upstream}/v1/messages", data=body, headers=headers) as response:
                async for data in response.content.iter_any():
                    await answer.write(data)
            await answer.write_eof()
            return answer

        app = web.Application()
        app.router.add_post("/v1/messages", messages)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
            await web.SockSite(runner, listener).start()
            print(listener.getsockname()[1], flush=True)
            await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt), asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(sys.argv[1]))
