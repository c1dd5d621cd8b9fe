"""The way that a client's connections take to where its URLs lead."""

from __future__ import annotations

from dataclasses import dataclass

from sse_core.urls import Target

from .endpoint import Endpoint


@dataclass(frozen=True, slots=True)
class Route:
    """Where to connect for a URL.

    - ``uds``: the path of a Unix socket, which is connected to whatever the URL's host and port are, unless
      the URL is another Unix socket's.
    """

    uds: str | None = None

    def endpoint(self, target: Target) -> Endpoint:
        """What a binding has to know to connect for ``target``."""
        unix_path = self.uds if target.unix_path is None else target.unix_path
        return Endpoint(target.host, target.port, tls=target.secure, unix_path=unix_path)

    def detour(self, target: Target) -> str:
        """By what connections to ``target`` go that its URL does not name, for an error's text."""
        by_socket = self.uds is not None and target.unix_path is None
        return f"the Unix socket {self.uds!a}" if by_socket else ""


#: To where the URL says.
DIRECT = Route()
