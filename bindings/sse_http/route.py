"""The way that a client's connections take to where its URLs lead."""

from __future__ import annotations

from dataclasses import dataclass

from sse_core.urls import Target

from .endpoint import Endpoint
from .forward_proxy import ForwardProxy, Proxies


@dataclass(frozen=True, slots=True)
class Route:
    """Where to connect for a URL.

    - ``uds``: the path of a Unix socket, which is connected to whatever the URL's host and port are, unless
      the URL is another Unix socket's.
    - ``proxies``: which forward proxy is for which URL; with ``uds`` there is none.
    """

    uds: str | None = None
    proxies: Proxies | None = None

    def endpoint(self, target: Target) -> Endpoint:
        """What a binding has to know to connect for ``target``."""
        unix_path = self.uds if target.unix_path is None else target.unix_path
        return Endpoint(
            target.host, target.port, tls=target.secure, unix_path=unix_path, proxy=self._proxy_for(target)
        )

    def forwarder(self, target: Target) -> ForwardProxy | None:
        """The proxy that reads requests to ``target`` and passes them on: not one that makes a tunnel."""
        return None if target.secure else self._proxy_for(target)

    def detour(self, target: Target) -> str:
        """By what connections to ``target`` go that its URL does not name, for an error's text."""
        if (proxy := self._proxy_for(target)) is not None:
            return f"the proxy {proxy.address}"
        by_socket = self.uds is not None and target.unix_path is None
        return f"the Unix socket {self.uds!a}" if by_socket else ""

    def _proxy_for(self, target: Target) -> ForwardProxy | None:
        return None if self.proxies is None or self.uds is not None else self.proxies.proxy_for(target)


#: To where the URL says.
DIRECT = Route()
