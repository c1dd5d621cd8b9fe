"""Look names up: the system's resolver blocks, so it is asked on a thread."""

from __future__ import annotations

import socket
from functools import partial

import anyio.to_thread

from sse_io.address_race import Address


async def look_up(host: str, port: int, flags: int = 0) -> list[Address]:
    """The addresses of ``host`` and ``port`` for TCP, as ``socket.getaddrinfo`` gives them.

    - ``flags``: of that function.

    Raises ``OSError``, and ``UnicodeError`` for what is no name.
    """
    ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM, flags=flags)
    return [*await anyio.to_thread.run_sync(ask, abandon_on_cancel=True)]
