"""The service's streams on trio."""

from __future__ import annotations

import contextlib
from typing import Any

import trio

import sse_trio

from .stream import Stream


def follow(stream: Stream, arguments: dict[str, Any]) -> None:
    """Follow one stream, in a trio of its own."""
    trio.run(_follow, stream, arguments)


async def _follow(stream: Stream, arguments: dict[str, Any]) -> None:
    token = trio.lowlevel.current_trio_token()
    scope = trio.CancelScope()

    def close() -> None:
        with contextlib.suppress(trio.RunFinishedError):
            token.run_sync_soon(scope.cancel)

    with scope:
        stream.opened(close)
        async with sse_trio.connect(**arguments) as connection:
            async for event in connection:
                stream.received(event)
