"""The bounds of a server's connections, each with its name and its default."""

from __future__ import annotations

from dataclasses import dataclass, field

from .guard import AllowedPeers

#: Of so many equal shares of what all request bodies may take together, one address has one.
SHARES_OF_BODIES = 4

_COUNTS = ("max_head_bytes", "max_head_fields", "min_upload_rate")
_DURATIONS = ("request_timeout", "upload_timeout", "keep_alive_timeout", "write_timeout", "linger")


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """The bounds of a server's connections: bytes and seconds.

    Each has its line below.  Of ``max_total_body_bytes`` one address has a quarter.  A body may go on after
    ``request_timeout`` at ``min_upload_rate``, on average, until ``upload_timeout``.

    Raises ``ValueError``, naming the setting, for bounds that can't be or that contradict each other.
    """

    max_head_bytes: int = 64 * 1024  #: a request's line and header section; what comes too early
    max_head_fields: int = 100  #: of a request
    max_body_bytes: int = 1024 * 1024  #: a request's content
    max_total_body_bytes: int = 256 * 1024 * 1024  #: contents of all requests that are being read
    request_timeout: float = 30.0  #: from a request's first byte to its last, but for a steady upload
    min_upload_rate: int = 16 * 1024  #: bytes a second: what makes an upload steady
    upload_timeout: float = 600.0  #: from a request's first byte to its last, however steady
    keep_alive_timeout: float = 75.0  #: an idle connection
    write_timeout: float = 60.0  #: bytes that the peer does not take
    linger: float = 2.0  #: reading on after a refusal, so that the peer gets to see it
    peers: AllowedPeers = field(default_factory=AllowedPeers)  #: what Host and Origin may say

    def __post_init__(self) -> None:
        for name in _COUNTS:
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more")
        if self.max_body_bytes < 0:
            raise ValueError("max_body_bytes must not be below zero")
        for name in _DURATIONS:
            if not getattr(self, name) >= 0:  # which NaN is not either
                raise ValueError(f"{name} must be a number of seconds, not below zero")
        if self.max_total_body_bytes < SHARES_OF_BODIES * self.max_body_bytes:
            raise ValueError(
                f"max_total_body_bytes must be at least {SHARES_OF_BODIES} times max_body_bytes, as one "
                f"address may have a quarter of it: {self.max_total_body_bytes} is too little for "
                f"{self.max_body_bytes}"
            )
