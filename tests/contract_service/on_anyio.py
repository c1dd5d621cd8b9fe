"""The service's streams on anyio, on asyncio."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import anyio

import sse_anyio

from .stream import Stream


def follow(stream: Stream, arguments: dict[str, Any]) -> None:
    """Follow one stream, in an asyncio of its own."""
    asyncio.run(_follow(stream, arguments))


async def _follow(stream: Stream, arguments: dict[str, Any]) -> None:
    loop = asyncio.get_running_loop()
    scope = anyio.CancelScope()

    def close() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: it is over
            loop.call_soon_threadsafe(scope.cancel)

    with scope:
        stream.opened(close)
        async with sse_anyio.connect(**arguments) as connection:
            async for event in connection:
                stream.received(event)
