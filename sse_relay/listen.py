"""Where a program listens, for whom, and by which certificates."""

from __future__ import annotations

import errno
import ipaddress
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from sse_http import LOOPBACK_HOSTS, AllowedPeers, ServerSettings

from .routes import ROUTES

#: The largest request that a provider takes.
_MAX_BODY_BYTES = max(route.max_body_bytes for route in ROUTES)


class StartError(Exception):
    """The program can't start; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Listen:
    """Where to listen, and for whom."""

    host: str
    port: int
    hosts: frozenset[str] = field(default_factory=frozenset)
    origins: frozenset[str] = field(default_factory=frozenset)
    certificate: Path | None = None
    key: Path | None = None

    @property
    def is_private(self) -> bool:
        """Whether only programs of this machine are meant to reach it, by one of its own names."""
        return all(_is_loopback(host) for host in (self.host, *self.hosts))

    def settings(self) -> ServerSettings:
        """The server's bounds and checks.

        A server on all interfaces answers to every address: no name can be made to point at it
        that isn't listed in ``hosts``.
        """
        peers = AllowedPeers(
            hosts=LOOPBACK_HOSTS | {self.host} | {host.lower() for host in self.hosts},
            any_address=_is_wildcard(self.host),
            origins=self.origins,
        )
        return ServerSettings(max_body_bytes=_MAX_BODY_BYTES, peers=peers)

    def tls(self) -> ssl.SSLContext | None:
        """The server's certificate, if there is one.  Raises ``StartError``."""
        if self.certificate is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        try:
            # An empty password, as nobody is there to be asked for one.
            context.load_cert_chain(self.certificate, self.key, password="")
        except OSError as error:
            advice = "It has to be a PEM file; --tls-key names its key, if that is in another"
            raise StartError(
                f"the certificate {self.certificate} can't be used: {error}. {advice}."
            ) from error
        return context

    def failure(self, error: OSError) -> StartError:
        """Why nobody can listen here, and what to do."""
        hint = " Choose another with --port." if error.errno == errno.EADDRINUSE else ""
        message = f"can't listen on {self.host} port {self.port}: {error.strerror or error}."
        return StartError(message + hint)

    def url(self, port: int) -> str:
        """The address of a server that listens here, on this ``port``."""
        scheme = "http" if self.certificate is None else "https"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{port}"


def trust(authorities: Path | None) -> ssl.SSLContext | None:
    """Trust the certificates in this PEM file, and no others.  Raises ``StartError``."""
    if authorities is None:
        return None
    try:
        return ssl.create_default_context(cafile=str(authorities))
    except OSError as error:
        advice = "It has to be a PEM file"
        raise StartError(f"the certificates {authorities} can't be used: {error}. {advice}.") from error


def _is_loopback(host: str) -> bool:
    try:
        return host.lower() in LOOPBACK_HOSTS or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_wildcard(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False
