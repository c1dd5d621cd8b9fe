"""Who may talk to this server: the Host and Origin fields, checked on every request.

A page of another site can reach a server on the reader's own machine: directly, and then its
``Origin`` tells, or by a name that was made to point here (DNS rebinding), and then ``Host`` tells.
Host is RFC 9110 section 7.2, the Origin field is https://fetch.spec.whatwg.org/#origin-header.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field

from .application import Reply, Request

LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class AllowedPeers:
    """What the fields of a request may say.

    ``hosts`` are names or addresses, without a port and without brackets, in any case; ``"*"``
    allows every one, and none at all, as HTTP/1.0 may send.  ``any_address`` allows every IP address
    as a Host: right for a server that listens on all interfaces, as no name can be rebound to make
    a browser send one.  ``origins`` are other sites' origins, ``https://example.org``, whose pages
    may call, or ``"*"``; a page of the same host always may.
    """

    hosts: frozenset[str] = LOOPBACK_HOSTS
    any_address: bool = False
    origins: frozenset[str] = field(default_factory=frozenset)


def refuse(request: Request, allowed: AllowedPeers) -> Reply | None:
    """The reply for a request that must not be served, or ``None``.

    400 for what is no Host (RFC 9112 section 3.2), 421 for a wrong one (RFC 9110 section 15.5.20),
    403 for a wrong Origin.
    """
    hosts = request.headers.get_all("host")
    host = hosts[0] if hosts else ""
    if len(hosts) > 1 or not _AUTHORITY.fullmatch(host):
        return Reply.error(400, "invalid_request_error", "The Host field is not valid.")
    if not _host_allowed(host, allowed):
        message = "This server does not answer for that Host. Its operator can allow it."
        return Reply.error(421, "misdirected_request_error", message)
    if not all(_origin_allowed(origin, host, allowed) for origin in request.headers.get_all("origin")):
        message = "Pages of that Origin may not call this server. Its operator can allow it."
        return Reply.error(403, "permission_error", message)
    return None


#: A name or an address, and perhaps a port; or nothing, which only "*" allows.
_AUTHORITY = re.compile(r"((\[[0-9a-f:.]+\]|[0-9a-z._-]+)(:[0-9]{0,5})?)?", re.IGNORECASE | re.ASCII)
_PORT = re.compile(r":[0-9]*$")


def _host_allowed(authority: str, allowed: AllowedPeers) -> bool:
    if "*" in allowed.hosts:
        return True
    name = _PORT.sub("", authority).strip("[]").lower()
    return name in {host.lower() for host in allowed.hosts} or (allowed.any_address and _is_address(name))


def _origin_allowed(origin: str, host: str, allowed: AllowedPeers) -> bool:
    if origin in allowed.origins or "*" in allowed.origins:
        return True
    # The scheme is not compared: behind a proxy that ends TLS it is not ours to know.
    scheme, _, authority = origin.partition("://")
    return scheme in {"http", "https"} and bool(host) and authority.lower() == host.lower()


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
