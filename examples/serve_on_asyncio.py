"""Count, for whoever connects, on asyncio.

    .venv/bin/python examples/serve_on_asyncio.py

Then "curl -N http://127.0.0.1:8080/" in another terminal, or open the address in a browser.  For a client
that reconnects with Last-Event-ID the count goes on where it was.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator
from functools import partial

import sse_anyio
from sse_core import ServerSentEvent
from sse_http import Request


async def count(request: Request, interval: float) -> AsyncIterator[ServerSentEvent]:
    """One number after another, each with itself as its ID."""
    number = int(request.last_event_id) if request.last_event_id.isdecimal() else 0
    try:
        while True:
            number += 1
            yield ServerSentEvent("message", str(number), str(number))
            await asyncio.sleep(interval)
    finally:
        print(f"{request.client} has gone after {number}", flush=True)


class Address:
    """Printed as soon as the server listens."""

    def started(self, value: int | None = None) -> None:
        """Called by ``serve``."""
        print(f"http://127.0.0.1:{value}/", flush=True)


async def main() -> None:
    """Serve until Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=8080, help="where to listen on 127.0.0.1; default: 8080")
    parser.add_argument("--interval", type=float, default=1.0, help="seconds between two numbers")
    arguments = parser.parse_args()
    handler = partial(count, interval=arguments.interval)
    server = asyncio.create_task(sse_anyio.serve(handler, port=arguments.port, task_status=Address()))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, server.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await server
    print("stopped")


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except OSError as error:
        sys.exit(f"can't listen: {error}; --port takes another port")
