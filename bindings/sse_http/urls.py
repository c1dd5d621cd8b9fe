"""From a URL to where to connect and what to ask for (RFC 9110 section 4.2, RFC 9112 section 3.2)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Target:
    """The parts of an http or https URL that a client needs."""

    secure: bool
    host: str  #: without brackets
    port: int
    authority: str  #: what the Host field says
    path: str  #: the request target in origin-form: path and query


def parse_url(url: str) -> Target:
    """Take an absolute http or https URL apart.

    Raises ``ValueError``, with a text for the person who wrote it, for anything else, and for a
    URL with user and password in it: they would end up in logs.
    """
    if any(ord(character) <= 0x20 or ord(character) == 0x7F for character in url):
        raise ValueError(f"{url!r} holds white space or control characters; percent-encode them")
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{url!r} is not an absolute http:// or https:// URL")
    if parts.username is not None or parts.password is not None:
        raise ValueError("credentials don't belong into a URL; send them in a header")
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(secure, parts.hostname, port, parts.netloc, path)
