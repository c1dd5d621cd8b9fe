"""A handler may return a memory channel: it is an async iterator, and closed as such."""

from __future__ import annotations

from typing import Any

import trio

from sse_http import Request
from tests.bindings.server_stage import get
from tests.bindings.trio.support import serving


async def test_a_channel_is_an_iterator_too() -> None:
    send, receive = trio.open_memory_channel[str](0)

    async def handler(request: Request) -> Any:  # noqa: ARG001  (the face of a handler)
        return receive

    async with serving(handler) as server:
        async with await trio.open_tcp_stream(server.host, server.port) as client:
            await client.send_all(get())
            await send.send("one")
            received = b""
            while b"data: one\n\n" not in received:
                received += bytes(await client.receive_some())
        # Its end is closed in its handler's task, as soon as the reader's going is seen.
        with trio.fail_after(2):
            while receive.statistics().open_receive_channels:  # noqa: ASYNC110  (it has no event)
                await trio.sleep(0.002)
