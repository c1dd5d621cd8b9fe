"""From a URL to where to connect and what to ask for (RFC 9110 section 4.2, RFC 9112 section 3.2).

No message here repeats the URL: a key may stand in it, and messages end up in logs.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

_VISIBLE = re.compile(r"[\x21-\x7E]*")
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<authority>[^/?#]*)(?P<path>[^?#]*)(?P<query>[^#]*).*", re.IGNORECASE
)
_AUTHORITY = re.compile(r"(?P<host>\[[^\]]*\]|[^:\[\]]*)(?::(?P<port>.*))?")
_NAME = re.compile(r"[a-z0-9._~-]+")
_PORT = re.compile(r"[0-9]{1,5}")


@dataclass(frozen=True, slots=True)
class Target:
    """The parts of an http or https URL that a client needs."""

    secure: bool
    host: str  #: without brackets, in lower case
    port: int
    authority: str  #: what the Host field says
    path: str  #: the request target in origin-form: path and query

    @property
    def address(self) -> str:
        """Where to connect, as text: host and port."""
        return f"{self._bracketed_host}:{self.port}"

    @property
    def _bracketed_host(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def origin(self) -> str:
        """Whom one talks to: scheme, host and port, as WHATWG HTML section 7.1.1 writes an origin.

        https://html.spec.whatwg.org/multipage/browsers.html#ascii-serialisation-of-an-origin
        """
        scheme, default_port = ("https", 443) if self.secure else ("http", 80)
        return f"{scheme}://{self._bracketed_host}" + ("" if self.port == default_port else f":{self.port}")


def parse_url(url: str) -> Target:
    """Take an absolute http or https URL apart.

    Raises ``ValueError``, with a text for the person who wrote it, for anything else, and for a
    URL with user and password in it: they would end up in logs.
    """
    if not _VISIBLE.fullmatch(url):
        raise ValueError(
            "the URL holds characters that a URL can't: percent-encode its path, and write its host in ASCII"
        )
    parts = _URL.fullmatch(url)
    if parts is None:
        raise ValueError("the URL has to begin with http:// or https://")
    if "@" in parts["authority"]:
        raise ValueError("credentials don't belong into a URL; send them in a header")
    secure = parts["scheme"].lower() == "https"
    host, port = _split_authority(parts["authority"].lower())
    authority = host if port is None else f"{host}:{port}"
    path = (parts["path"] or "/") + parts["query"]
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


def _is_ipv6(host: str) -> bool:
    try:
        # A zone ("%eth0") has a meaning on one machine only, and none in a Host field.
        return ipaddress.IPv6Address(host.strip("[]")).scope_id is None
    except ValueError:
        return False
