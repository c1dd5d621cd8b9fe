"""Who may talk to this server: the Host and Origin fields, checked on every request.

A page of another site can reach a server on the reader's own machine: directly, and then its
``Origin`` tells, or by a name that was made to point here (DNS rebinding), and then ``Host`` tells.
Host is RFC 9110 section 7.2, the Origin field is https://fetch.spec.whatwg.org/#origin-header.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from .application import Reply, Request

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class AllowedPeers:
    """What the fields of a request may say.

    ``hosts`` are names or addresses without a port; ``"*"`` allows every one.  ``any_address``
    allows every IP address as a Host: right for a server that listens on all interfaces, as no
    name can be rebound to make a browser send one.  ``origins`` are other sites' origins,
    ``https://example.org``, whose pages may call; a page of the same host always may.
    """

    hosts: frozenset[str] = LOOPBACK_HOSTS
    any_address: bool = False
    origins: frozenset[str] = field(default_factory=frozenset)


def refuse(request: Request, allowed: AllowedPeers) -> Reply | None:
    """The reply for a request that must not be served, or ``None``.

    421 for a wrong Host (RFC 9110 section 15.5.20), 403 for a wrong Origin.
    """
    host = request.headers.get("host") or ""
    if not _host_allowed(host, allowed):
        message = "This server does not answer for that Host. Its operator can allow it."
        return Reply.error(421, "misdirected_request_error", message)
    origin = request.headers.get("origin")
    if origin is not None and not _origin_allowed(origin, host, allowed):
        message = "Pages of that Origin may not call this server. Its operator can allow it."
        return Reply.error(403, "permission_error", message)
    return None


def _host_allowed(authority: str, allowed: AllowedPeers) -> bool:
    name = _hostname(authority)
    if name is None:
        return False
    return name in allowed.hosts or "*" in allowed.hosts or (allowed.any_address and _is_address(name))


def _origin_allowed(origin: str, host: str, allowed: AllowedPeers) -> bool:
    if origin in allowed.origins or "*" in allowed.origins:
        return True
    # The scheme is not compared: behind a proxy that ends TLS it is not ours to know.
    scheme, separator, authority = origin.partition("://")
    return bool(separator) and scheme in {"http", "https"} and authority.lower() == host.lower()


def _hostname(authority: str) -> str | None:
    try:
        parts = urlsplit(f"//{authority}")
        _ = parts.port  # raises ValueError for what is not a port
    except ValueError:
        return None
    plain = not (parts.path or parts.query or parts.fragment or "@" in authority)
    return parts.hostname if plain else None


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
