"""Listening sockets for other people's servers, with this project's options."""

from __future__ import annotations

import socket

from sse_io.listeners import open_listeners
from sse_io.socket_options import set_options


def listen(host: str = "127.0.0.1", port: int = 0) -> list[socket.socket]:
    """Sockets that listen on every address of ``host``, all on one port, to be passed to a server.

    What is accepted inherits ``TCP_NOTSENT_LOWAT``, so that megabytes don't pile up in the kernel before a
    server notices that a reader is slow; and keep-alive and ``TCP_USER_TIMEOUT``, so that a reader that
    vanished is noticed.

    - ``host``: a name or an address.
    - ``port``: 0 takes one that is free.

    Raises ``OSError`` if none can be had.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    listeners = open_listeners([*found])
    for listener in listeners:
        set_options(listener)
    return listeners
