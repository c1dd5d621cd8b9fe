"""Who a client is: the key that it shows."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

from sse_core.headers import Headers

from .routes.route import BEARER


class Credentials:
    """The keys of clients.

    - ``fields``: the header fields in which they may be shown, a bearer token's last.
    - ``keys``: those that the relay takes; if there are none, it takes every client.
    """

    def __init__(self, fields: tuple[str, ...], keys: Iterable[str]) -> None:
        self._fields = tuple(name for name in fields if name != BEARER.header)
        self._digests = [digest(key) for key in keys]

    def owner_of(self, headers: Headers) -> bytes:
        """Who a client is, to know its turns from others': a digest of the credential that it shows."""
        return digest(self._shown_key(headers) or headers.get(BEARER.header) or "")

    def admit(self, headers: Headers) -> bool:
        """Whether a client may ask."""
        shown = digest(self._shown_key(headers))
        # Every key is compared, each in constant time: how long it takes reveals nothing.
        matches = [hmac.compare_digest(shown, each) for each in self._digests]
        return not self._digests or any(matches)

    def __str__(self) -> str:
        """Where a key may be shown, for a message."""
        return f"in {' or '.join(self._fields)} or as a bearer token" if self._fields else "as a bearer token"

    def _shown_key(self, headers: Headers) -> str:
        for name in self._fields:
            key = headers.get(name)
            if key:
                return key
        # RFC 9110 section 11.1: "It uses a case-insensitive token to identify the authentication scheme"
        scheme, _, token = (headers.get(BEARER.header) or "").partition(" ")
        return token.strip() if scheme.lower() == BEARER.scheme.lower() else ""


def digest(key: str) -> bytes:
    """A key as so many bytes whatever its length, to be compared and kept in place of it."""
    return hashlib.sha256(key.encode()).digest()
