"""The shape that every machine of the house has.

Inputs are methods that take ``now``: seconds, monotonic, by the binding's clock.  Outputs are
``next_event()``, ``want`` and ``deadline``.  The contract of a binding, complete:

1. take events until there are none;
2. do what ``want`` says, until ``deadline``;
3. report what happened (or call ``handle_timeout``: harmless when early or late).

Nothing here waits, and nothing here knows what time it is.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from ..arguments import check_type
from ..headers import Headers, as_headers

#: Called with the text of each comment of a stream, without the space after the colon.
OnComment = Callable[[str], None]


class Want(enum.Enum):
    """What a machine wishes its binding to do next."""

    CONNECT = "connect"  #: open a connection to ``request.url`` and send ``request``
    READ = "read"  #: read from the connection
    PAUSE = "pause"  #: leave the connection open and do not read from it
    CLOSE = "close"  #: close the connection at once and report ``closed``
    WAIT = "wait"  #: no connection; sleep until the deadline
    NOTHING = "nothing"  #: it is over: no connection, no deadline


@dataclass(frozen=True, slots=True)
class HTTPRequest:
    """A request that a machine wants to be sent.

    ``url`` is absolute, http or https.  A mapping is taken for ``headers``, too.  Raises ``TypeError``
    for anything else than text, fields and bytes in their places.
    """

    url: str = field(repr=False)  # its query may hold a key, and a repr ends up in logs
    method: str = "GET"
    headers: Headers = field(default_factory=Headers)
    body: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        check_type("url", self.url, str)
        check_type("method", self.method, str)
        check_type("body", self.body, bytes, hint="json.dumps(...).encode() gives some")
        object.__setattr__(self, "headers", as_headers(self.headers))


class ConnectingMachine(Protocol):
    """A machine that lives on one HTTP exchange after another: a turn, an event source."""

    @property
    def want(self) -> Want:
        """What to do next."""

    @property
    def deadline(self) -> float | None:
        """When to call ``handle_timeout``, in seconds by the binding's clock."""

    @property
    def request(self) -> HTTPRequest:
        """What to send when the wish is ``Want.CONNECT``."""

    def connected(self, now: float) -> None:
        """The transport is open (TLS included) and the request is on its way."""

    def response_started(self, status: int, headers: Headers, now: float) -> None:
        """The final status line and header section have been read."""

    def receive_data(self, data: bytes, now: float) -> None:
        """Bytes of the body, transfer coding removed."""

    def receive_eof(self, now: float) -> None:
        """The body came to its proper end, by the message's own framing."""

    def connection_lost(self, reason: str, now: float, *, retryable: bool = True) -> None:
        """The connection could not be made, or broke before the body's proper end.

        ``retryable`` is false where another connection would fail in the same way: the peer's
        certificate is refused, or what answers does not speak TLS.
        """

    def closed(self, now: float) -> None:
        """The wish ``Want.CLOSE`` has been carried out."""

    def handle_timeout(self, now: float) -> None:
        """Fire the timers that are due.  Harmless when none is."""
