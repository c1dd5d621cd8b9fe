"""From a URL to where to connect and what to ask for (RFC 9110 section 4.2, RFC 9112 section 3.2).

No message here repeats the URL: a key may stand in it, and messages end up in logs.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

_VISIBLE = re.compile(r"[\x21-\x7E]*")
_URL = re.compile(
    r"(?P<scheme>https?|http\+unix)://(?P<authority>[^/?#]*)(?P<path>[^?#]*)(?P<query>[^#]*).*", re.IGNORECASE
)
_AUTHORITY = re.compile(r"(?P<host>\[[^\]]*\]|[^:\[\]]*)(?::(?P<port>.*))?")
_NAME = re.compile(r"[a-z0-9._~-]+")
_PORT = re.compile(r"[0-9]{1,5}")


@dataclass(frozen=True, slots=True)
class Target:
    """The parts of an http, https or http+unix URL that a client needs."""

    secure: bool
    host: str  #: without brackets, in lower case
    port: int
    authority: str  #: what the Host field says
    path: str  #: the request target in origin-form: path and query
    unix_path: str | None = None  #: the Unix socket to connect to, in place of host and port

    @property
    def address(self) -> str:
        """Where to connect, as text: host and port, or a Unix socket's path, escaped."""
        if self.unix_path is not None:
            return ascii(self.unix_path)
        return f"{self._bracketed_host}:{self.port}"

    @property
    def _bracketed_host(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def origin(self) -> str:
        """Whom one talks to: scheme, host and port, as WHATWG HTML section 7.1.1 writes an origin.

        https://html.spec.whatwg.org/multipage/browsers.html#ascii-serialisation-of-an-origin
        """
        if self.unix_path is not None:
            return f"http+unix://{quote(self.unix_path, safe='', errors='surrogateescape')}"
        scheme, default_port = ("https", 443) if self.secure else ("http", 80)
        return f"{scheme}://{self._bracketed_host}" + ("" if self.port == default_port else f":{self.port}")


def parse_url(url: str) -> Target:
    """Take an absolute http or https URL apart, or ``http+unix://%2Fpath%2Fof.sock/``.

    The latter is no standard's, but what requests-unixsocket, Docker's clients and others write: the path of
    a Unix socket, percent-encoded, stands for the host, and the Host field says ``localhost``.

    Raises ``ValueError``, with a text for the person who wrote it, for anything else, and for a
    URL with user and password in it: they would end up in logs.
    """
    if not _VISIBLE.fullmatch(url):
        raise ValueError(
            "the URL holds characters that a URL can't: percent-encode its path, and write its host in ASCII"
        )
    parts = _URL.fullmatch(url)
    if parts is None:
        raise ValueError("the URL has to begin with http:// or https://, or with http+unix://")
    if "@" in parts["authority"]:
        raise ValueError("credentials don't belong into a URL; send them in a header")
    path = (parts["path"] or "/") + parts["query"]
    if parts["scheme"].lower() == "http+unix":
        return Target(False, "localhost", 80, "localhost", path, _unix_path(parts["authority"]))  # noqa: FBT003
    secure = parts["scheme"].lower() == "https"
    host, port = _split_authority(parts["authority"].lower())
    authority = host if port is None else f"{host}:{port}"
    return Target(secure, host.strip("[]"), port or (443 if secure else 80), authority, path)


def _split_authority(authority: str) -> tuple[str, int | None]:
    """The host, in its brackets if it has some, and the port if one is named."""
    parts = _AUTHORITY.fullmatch(authority)
    host = "" if parts is None else parts["host"]
    if parts is None or not (_NAME.fullmatch(host) or _is_ipv6(host)):
        raise ValueError("the URL has no host, or one that is neither a name nor an address")
    if not parts["port"]:
        return host, None
    if not _PORT.fullmatch(parts["port"]) or not 0 < int(parts["port"]) < 65536:
        raise ValueError("the URL's port is not a number between 1 and 65535")
    return host, int(parts["port"])


def _unix_path(authority: str) -> str:
    path = unquote(authority, errors="surrogateescape")
    if not path or "\0" in path:
        raise ValueError("the URL has no path of a Unix socket: http+unix://%2Frun%2Fname.sock/")
    return path


def _is_ipv6(host: str) -> bool:
    try:
        # A zone ("%eth0") has a meaning on one machine only, and none in a Host field.
        return ipaddress.IPv6Address(host.strip("[]")).scope_id is None
    except ValueError:
        return False
