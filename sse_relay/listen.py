"""Where a program listens, for whom, and by which certificates."""

from __future__ import annotations

import errno
import ipaddress
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict
from urllib.parse import quote

from sse_http import LOOPBACK_HOSTS, AllowedPeers, ServerSettings
from sse_io import CertificateFiles
from sse_io.unix_listener import DEFAULT_MODE

from .routes import ROUTES

_DEFAULTS = ServerSettings()
#: The largest request that a provider takes.
MAX_BODY_BYTES = max(route.max_body_bytes for route in ROUTES)


class ServeArguments(TypedDict):
    """Arguments that ``serve`` has in every binding."""

    host: str
    port: int
    uds: str | None
    uds_mode: int
    tls: CertificateFiles | None
    settings: ServerSettings
    max_connections: int
    reuse_port: bool
    drain: float


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
    uds: Path | None = None  #: a Unix socket's, in place of ``host`` and ``port``
    uds_mode: int = DEFAULT_MODE
    max_total_body_bytes: int = _DEFAULTS.max_total_body_bytes
    max_connections: int = 10_000
    reuse_port: bool = False
    drain: float = 0.0

    @property
    def is_private(self) -> bool:
        """Whether only programs of this machine are meant to reach it, by one of its own names."""
        here = () if self.uds is not None else (self.host,)
        return all(_is_loopback(host) for host in (*here, *self.hosts))

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
        return ServerSettings(
            max_body_bytes=MAX_BODY_BYTES, max_total_body_bytes=self.max_total_body_bytes, peers=peers
        )

    def arguments(self) -> ServeArguments:
        """All of this as every binding's ``serve`` takes it.  Raises ``StartError``."""
        return {
            "host": self.host,
            "port": 0 if self.uds is not None else self.port,
            "uds": None if self.uds is None else str(self.uds),
            "uds_mode": self.uds_mode,
            "tls": self.tls(),
            "settings": self.settings(),
            "max_connections": self.max_connections,
            "reuse_port": self.reuse_port,
            "drain": self.drain,
        }

    def tls(self) -> CertificateFiles | None:
        """The server's certificate, if there is one; it is renewed with its file.  Raises ``StartError``."""
        if self.certificate is None:
            return None
        try:
            return CertificateFiles(self.certificate, self.key)
        except OSError as error:
            advice = "It has to be a PEM file; --tls-key names its key, if that is in another"
            raise StartError(
                f"the certificate {self.certificate} can't be used: {error}. {advice}."
            ) from error

    def failure(self, error: OSError) -> StartError:
        """Why nobody can listen here, and what to do."""
        if self.uds is not None:
            return StartError(f"can't listen at {self.uds}: {error.strerror or error}.")
        hint = " Choose another with --port." if error.errno == errno.EADDRINUSE else ""
        message = f"can't listen on {self.host} port {self.port}: {error.strerror or error}."
        return StartError(message + hint)

    def url(self, port: int) -> str:
        """The address of a server that listens here, on this ``port``."""
        if self.uds is not None:
            return f"http+unix://{quote(str(self.uds.absolute()), safe='')}"
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
