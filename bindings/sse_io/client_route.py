"""By which way ``connect`` and ``stream_turn`` connect: what they make of the arguments that say so."""

from __future__ import annotations

import ssl
from dataclasses import dataclass

from sse_http import Route

from .arguments import check_tls, check_uds


@dataclass(frozen=True, slots=True)
class ClientRoute:
    """The way of a client's connections."""

    http: Route  #: for ``ClientExchange``
    tls: ssl.SSLContext | None  #: for https; the system's authorities if ``None``


def client_route(*, tls: ssl.SSLContext | None, uds: str | None) -> ClientRoute:
    """The way that these arguments say.

    - ``tls``: the context for https; the system's authorities if ``None``.
    - ``uds``: the path of a Unix socket, which is connected to whatever the URL's host.

    Raises ``TypeError`` and ``ValueError`` that name the argument.
    """
    check_tls("tls", tls)
    check_uds(uds)
    return ClientRoute(Route(uds), tls)
