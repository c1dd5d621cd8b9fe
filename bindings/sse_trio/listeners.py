"""Listeners on every address of a host, all on one port."""

from __future__ import annotations

import trio

#: How often to look for a port that is free on every address of a host.
_TRIES_FOR_A_PORT = 5


async def open_listeners(host: str, port: int) -> list[trio.SocketListener]:
    """Listeners on every address of ``host``, all on one port; 0 takes one that is free.

    Raises ``OSError`` if there is none, or the address can't be had.
    """
    listeners = await trio.open_tcp_listeners(port, host=host)
    for _ in range(_TRIES_FOR_A_PORT):
        if port != 0 or len(listeners) == 1:
            break
        # The system chose a port for each address.  One of them may be free on the others too.
        chosen = port_of(listeners[0])
        for listener in listeners:
            listener.socket.close()
        try:
            return await trio.open_tcp_listeners(chosen, host=host)
        except OSError:
            listeners = await trio.open_tcp_listeners(port, host=host)
    return listeners


def port_of(listener: trio.SocketListener) -> int:
    """The port that ``listener`` has."""
    port: int = listener.socket.getsockname()[1]
    return port
