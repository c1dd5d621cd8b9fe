"""What carries a machine's exchanges: sockets of our own, or a client that somebody has already."""

from __future__ import annotations

import ssl

from sse_core.lifecycle.machine import ConnectingMachine
from sse_http import ClientExchange
from sse_io.client_route import client_route

from .client_transport import client_transport
from .driver import Driver
from .transport_driver import TransportDriver


def new_driver(
    machine: ConnectingMachine,
    *,
    transport: object | None,
    tls: ssl.SSLContext | None,
    uds: str | None,
    proxy: str | None,
    trust_env: bool,
) -> Driver | TransportDriver:
    """The driver that these arguments of ``connect`` and ``stream_turn`` say.

    - ``machine``: whose exchanges are carried.
    - ``transport``: a client; the others are for connections of our own, see ``sse_io.client_route``.
    - ``tls``, ``uds``, ``proxy``, ``trust_env``: as there.

    Raises ``TypeError`` and ``ValueError`` that name the argument.
    """
    route = client_route(tls=tls, uds=uds, proxy=proxy, trust_env=trust_env)
    if transport is None:
        return Driver(ClientExchange(machine, route=route.http), route.tls)  # pyright: ignore[reportArgumentType]  # its waker is a property
    if tls is not None or uds is not None or proxy is not None:
        raise TypeError("tls, uds and proxy are for connections of our own: give them to the client")
    return TransportDriver(machine, client_transport(transport))
