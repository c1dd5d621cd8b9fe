"""Hypercorn on trio, with a trigger of our own: ``python -m tests.servers.hypercorn_on_trio -b HOST:PORT``.

It handles no SIGTERM, so whoever has it end says so to the streams: see docs/asgi.md.
"""

from __future__ import annotations

import signal
import sys

import trio
from hypercorn.config import Config
from hypercorn.trio import serve

import sse_asgi
from tests.servers.app import app


async def until_terminated() -> None:
    """Wait for the signal, and let the streams end before the server does."""
    with trio.open_signal_receiver(signal.SIGTERM) as signals:
        await anext(aiter(signals))
    sse_asgi.shut_down()


async def main() -> None:
    """Serve until SIGTERM."""
    config = Config()
    config.bind = [sys.argv[-1]]
    await serve(app, config, shutdown_trigger=until_terminated)


if __name__ == "__main__":
    trio.run(main)
