"""Count, for whoever connects.

    .venv/bin/python examples/serve_counter.py

Then "curl -N http://127.0.0.1:8080/" in another terminal, or open the address in a browser.  For a client
that reconnects with Last-Event-ID the count goes on where it was.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import AsyncIterator
from functools import partial

import trio

import sse_trio
from sse_core import ServerSentEvent
from sse_http import Request


async def count(request: Request, interval: float) -> AsyncIterator[ServerSentEvent]:
    """One number after another, each with itself as its ID."""
    number = int(request.last_event_id) if request.last_event_id.isdecimal() else 0
    try:
        while True:
            number += 1
            yield ServerSentEvent("message", str(number), str(number))
            await trio.sleep(interval)
    finally:
        print(f"{request.client} has gone after {number}", flush=True)


async def main() -> None:
    """Serve until Ctrl-C."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=8080, help="where to listen on 127.0.0.1; default: 8080")
    parser.add_argument("--interval", type=float, default=1.0, help="seconds between two numbers")
    arguments = parser.parse_args()
    async with trio.open_nursery() as nursery:
        serve = partial(sse_trio.serve, partial(count, interval=arguments.interval), port=arguments.port)
        port = await nursery.start(serve)
        print(f"http://127.0.0.1:{port}/", flush=True)


if __name__ == "__main__":
    try:
        trio.run(main)
    except* KeyboardInterrupt:
        print("stopped")
    except* OSError as errors:
        sys.exit(f"can't listen: {errors.exceptions[0]}; --port takes another port")
