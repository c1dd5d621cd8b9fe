"""The bindings that can be driven, each with its file."""

from __future__ import annotations

from collections.abc import Mapping

from . import on_anyio, on_socket, on_trio
from .stream import Follow

BINDINGS: Mapping[str, Follow] = {
    "asyncio": on_anyio.follow,
    "socket": on_socket.follow,
    "trio": on_trio.follow,
}
