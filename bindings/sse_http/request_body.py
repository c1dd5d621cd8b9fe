"""The bodies of requests while they are read: what each may hold, what all of them may, and how long.

A body counts from its first byte to its last, or to the end of its connection.  When it is whole, it is
the application's, which may need it for as long as the answer runs, and bounds its requests by itself.
"""

from __future__ import annotations

import ipaddress

from sse_core.errors import LimitExceeded

from .server_settings import SHARES_OF_BODIES, ServerSettings

#: What came before ``request_timeout`` lets a body go on for so many seconds after it, at the most.
_HEAD_START = 10
#: What an IPv6 host has at the least: to change the address within it costs nothing.
_IPV6_NETWORK = 64


class BodyBudget:
    """What the bodies of all requests that are being read take together: one for a server.

    - ``max_bytes``: bounds all of them; those of one address (of one /64 network in IPv6) have a quarter.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._total = 0
        self._sizes: dict[str, int] = {}

    @property
    def total(self) -> int:
        """Bytes that they take now."""
        return self._total

    def check(self, holder: str, size: int) -> None:
        """Raise ``LimitExceeded``, with status 503, if ``holder`` may not have ``size`` bytes more."""
        share = self._max_bytes // SHARES_OF_BODIES
        if self._total + size > self._max_bytes or self._sizes.get(holder, 0) + size > share:
            raise LimitExceeded(
                "The server reads as many request bodies as it can hold; try again soon "
                "(limit: max_total_body_bytes).",
                limit="max_total_body_bytes",
                bound=self._max_bytes,
                status=503,
            )

    def take(self, holder: str, size: int) -> None:
        """``holder`` has ``size`` bytes more.  Raises ``LimitExceeded``, and takes nothing then."""
        self.check(holder, size)
        self._total += size
        self._sizes[holder] = self._sizes.get(holder, 0) + size

    def give_back(self, holder: str, size: int) -> None:
        """``holder`` has ``size`` bytes less."""
        self._total -= size
        left = self._sizes.pop(holder, 0) - size
        if left > 0:
            self._sizes[holder] = left


def holder_of(client: str) -> str:
    """Whose share a peer's bodies are of, by its address."""
    try:
        address = ipaddress.ip_address(client.partition("%")[0])
    except ValueError:
        return client
    if isinstance(address, ipaddress.IPv4Address):
        return client
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, _IPV6_NETWORK), strict=False))


class RequestBody:
    """One body.

    - ``settings``: how long it may take.
    - ``budget``: what all bodies may take.
    - ``client``: whose share it is of.
    - ``began``: when the first byte of its request came.
    - ``max_bytes``: no more is read.
    """

    def __init__(
        self, settings: ServerSettings, budget: BodyBudget, client: str, *, began: float, max_bytes: int
    ) -> None:
        self._settings = settings
        self._budget = budget
        self._holder = holder_of(client)
        self._max_bytes = max_bytes
        self._data = bytearray()
        self._in_time_until = began + settings.request_timeout
        self._latest = began + settings.upload_timeout
        self._credit = 0  # bytes that came, and that let it go on

    @property
    def deadline(self) -> float:
        """When the body has to be whole: later with each byte that comes, up to ``upload_timeout``."""
        seconds = self._credit // self._settings.min_upload_rate
        return max(self._in_time_until, min(self._in_time_until + seconds, self._latest))

    def expect(self, size: int) -> None:
        """``size`` bytes are to come.  Raises ``LimitExceeded`` if they would be too many."""
        self._check(size)
        self._budget.check(self._holder, size)

    def receive_data(self, data: bytes, now: float) -> None:
        """The next bytes.  Raises ``LimitExceeded``."""
        self._check(len(self._data) + len(data))
        self._budget.take(self._holder, len(data))
        self._data += data
        self._credit += len(data)
        if now < self._in_time_until:
            self._credit = min(self._credit, _HEAD_START * self._settings.min_upload_rate)

    def _check(self, size: int) -> None:
        if size > self._max_bytes:
            raise LimitExceeded(
                f"The request's body is larger than {self._max_bytes} bytes (limit: max_body_bytes).",
                limit="max_body_bytes",
                bound=self._max_bytes,
            )

    def take(self) -> bytes:
        """The whole body, which is the caller's from now on."""
        data = bytes(self._data)
        self.release()
        return data

    def release(self) -> None:
        """Hold nothing any more; idempotent."""
        self._budget.give_back(self._holder, len(self._data))
        self._data = bytearray()
