"""Where a connection leads, whatever is spoken on it."""

from __future__ import annotations

from dataclasses import dataclass

from .forward_proxy import ForwardProxy


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a binding has to know to connect.

    - ``host``: a name or an address, without brackets; with ``tls`` the certificate has to be its own.
    - ``port``: of TCP.
    - ``tls``: whether TLS is spoken.
    - ``unix_path``: the file of a Unix socket, to connect to in place of ``host`` and ``port``.
    - ``proxy``: what to connect to in place of them; with ``tls``, by a tunnel through it.
    """

    host: str
    port: int
    tls: bool = False
    unix_path: str | None = None
    proxy: ForwardProxy | None = None
