"""A connected socket that never waits.

anyio's own connections are asyncio's transports, which don't give their sockets away.  So ``sse_io``
connects, to all addresses of a name as RFC 8305 says, and its reactor is waited for until one is there.
"""

from __future__ import annotations

import math
import socket

import anyio

from sse_http import Endpoint
from sse_io.address_race import Address, AddressRace
from sse_io.reactor import Reactor
from sse_io.socket_options import MAX_SILENCE
from sse_io.watcher import NestedSelector

from .resolver import look_up


async def open_socket(endpoint: Endpoint) -> socket.socket:
    """A socket that is connected to ``endpoint``.

    Raises ``OSError`` if none can be had, and ``UnicodeError`` for a host that is no name.
    """
    addresses = await _addresses_of(endpoint)
    selector = NestedSelector()
    errors: list[Exception] = []
    found: list[socket.socket | OSError] = []
    reactor = Reactor(anyio.current_time, _nothing, errors.append, selector)
    race = AddressRace(reactor, addresses, MAX_SILENCE, found.append)
    try:
        race.begin(anyio.current_time())
        while not found and not errors:
            with anyio.move_on_after(_until(reactor.deadline)):
                await anyio.wait_readable(selector.fileno())
            reactor.step(anyio.current_time())
    finally:
        race.end(anyio.current_time())
        anyio.notify_closing(selector.fileno())
        selector.close()
    result = found[0] if found else OSError(f"connecting failed: {errors[0]!r}")
    if isinstance(result, OSError):
        raise result
    return result


async def _addresses_of(endpoint: Endpoint) -> list[Address]:
    if endpoint.unix_path is not None:
        return [(socket.AF_UNIX, socket.SOCK_STREAM, 0, "", endpoint.unix_path)]
    return await look_up(endpoint.host, endpoint.port)


def _until(deadline: float) -> float | None:
    return None if deadline == math.inf else max(deadline - anyio.current_time(), 0.0)


def _nothing() -> None:
    """Nobody steps the reactor but the task that waits for it."""
