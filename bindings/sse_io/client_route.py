"""By which way ``connect`` and ``stream_turn`` connect: what they make of the arguments that say so."""

from __future__ import annotations

import os
import ssl
from dataclasses import dataclass
from types import NoneType

from sse_core.arguments import check_type
from sse_http import ForwardProxy, Proxies, Route

from .arguments import check_tls, check_uds


@dataclass(frozen=True, slots=True)
class ClientRoute:
    """The way of a client's connections."""

    http: Route  #: for ``ClientExchange``
    tls: ssl.SSLContext | None  #: for https; the system's authorities if ``None``


def client_route(
    *,
    tls: ssl.SSLContext | None = None,
    uds: str | None = None,
    proxy: str | None = None,
    trust_env: bool = True,
) -> ClientRoute:
    """The way that these arguments say.

    - ``tls``: the context for https; the system's authorities if ``None``.
    - ``uds``: the path of a Unix socket, which is connected to whatever the URL's host.
    - ``proxy``: the URL of an HTTP proxy, for all connections.
    - ``trust_env``: whether, without it, the environment's variables name proxies.

    Raises ``TypeError`` and ``ValueError`` that name the argument.
    """
    check_tls("tls", tls)
    check_uds(uds)
    check_type("proxy", proxy, str, NoneType)
    check_type("trust_env", trust_env, bool)
    if uds is not None:
        if proxy is not None:
            raise ValueError("uds and proxy are two ways to connect: give one of them")
        return ClientRoute(Route(uds), tls)
    return ClientRoute(Route(proxies=_proxies(proxy, trust_env=trust_env)), tls)


def _proxies(proxy: str | None, *, trust_env: bool) -> Proxies | None:
    if proxy is None:
        return Proxies.from_environment(os.environ) if trust_env else None
    try:
        chosen = ForwardProxy.parse(proxy)
    except ValueError as error:
        raise ValueError(f"proxy: {error}") from None
    return Proxies(chosen, chosen)
