"""The service's streams on plain sockets."""

from __future__ import annotations

from typing import Any

import sse_socket

from .stream import Stream


def follow(stream: Stream, arguments: dict[str, Any]) -> None:
    """Follow one stream, blocking."""
    with sse_socket.connect(**arguments) as connection:
        stream.opened(connection.close)
        for event in connection:
            stream.received(event)
