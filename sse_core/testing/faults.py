"""What goes wrong with an answer: each makes of an exchange that goes well one that doesn't."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from ..blocks import StreamError
from ..dialects import Dialect
from ..headers import Headers
from .cuts import places
from .exchange import End, Exchange
from .streams import stream_of

#: Makes of a good exchange a bad one.
Fault = Callable[[Exchange], Exchange]

_EVENT_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")


def _first(body: Sequence[bytes], size: int) -> list[bytes]:
    """The first ``size`` bytes of ``body``, in its own pieces."""
    kept = []
    for piece in body:
        if size <= 0:
            break
        kept.append(piece[:size])
        size -= len(piece)
    return kept


@dataclass(frozen=True, slots=True)
class ConnectionCut:
    """The connection is lost after ``at`` bytes of the body."""

    at: int

    def __call__(self, exchange: Exchange) -> Exchange:
        """The exchange with this fault."""
        return replace(exchange, body=_first(exchange.body, self.at), end=End.LOST)


@dataclass(frozen=True, slots=True)
class EarlyEnd:
    """The body ends after ``at`` bytes as if it were whole: a proxy that gives up looks like this."""

    at: int

    def __call__(self, exchange: Exchange) -> Exchange:
        """The exchange with this fault."""
        return replace(exchange, body=_first(exchange.body, self.at), end=End.PROPER)


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing more comes after ``at`` bytes of the body, and the connection stays."""

    at: int

    def __call__(self, exchange: Exchange) -> Exchange:
        """The exchange with this fault."""
        return replace(exchange, body=_first(exchange.body, self.at), end=End.SILENT)


@dataclass(frozen=True, slots=True)
class Garbage:
    """After the first ``after`` events comes one whose data is ``data``; then the body ends."""

    after: int = 0
    data: bytes = b'{"type": \xff'

    def __call__(self, exchange: Exchange) -> Exchange:
        """The exchange with this fault."""
        return _with_last_event(exchange, self.after, b"data: " + self.data + b"\n\n")


@dataclass(frozen=True, slots=True)
class ErrorEvent:
    """After the first ``after`` events comes ``error``, as ``dialect`` says it; then the body ends."""

    dialect: str | Dialect
    after: int = 0
    error: StreamError = field(
        default_factory=lambda: StreamError("overloaded_error", "Overloaded", retryable=True)
    )

    def __call__(self, exchange: Exchange) -> Exchange:
        """The exchange with this fault."""
        return _with_last_event(exchange, self.after, stream_of(self.dialect, [self.error]))


def _with_last_event(exchange: Exchange, after: int, event: bytes) -> Exchange:
    whole = b"".join(exchange.body)
    ends = [0, *(match.end() for match in _EVENT_END.finditer(whole))]
    body = _first(exchange.body, ends[min(after, len(ends) - 1)])
    return replace(exchange, body=(*body, event), end=End.PROPER)


@dataclass(frozen=True, slots=True)
class Refusal:
    """The answer has ``status`` and no stream."""

    status: int = 503
    headers: Headers = field(default_factory=lambda: Headers({"content-type": "text/plain"}))
    body: bytes = b"No."

    def __call__(self, exchange: Exchange) -> Exchange:
        """The exchange with this fault."""
        return replace(exchange, status=self.status, headers=self.headers, body=(self.body,), end=End.PROPER)


@dataclass(frozen=True, slots=True)
class Unreachable:
    """No connection is made; ``retryable`` says whether another may fare better."""

    reason: str = "connection refused"
    retryable: bool = True

    def __call__(self, exchange: Exchange) -> Exchange:
        """The exchange with this fault."""
        return replace(exchange, body=(), unreachable=self.reason, retryable=self.retryable)


def every_fault(dialect: str | Dialect, exchange: Exchange, *, most: int = sys.maxsize) -> Iterator[Fault]:
    """The faults that an answer can have, each at every place of it.

    - ``dialect``: of the answer.
    - ``exchange``: nothing is wrong with it.
    - ``most``: at so many places, evenly spread, where there are more.
    """
    yield from (Unreachable(), Refusal())
    whole = b"".join(exchange.body)
    for at in places(whole, most):
        yield from (ConnectionCut(at), EarlyEnd(at), Silence(at))
    for after in range(len(_EVENT_END.findall(whole))):
        yield from (Garbage(after), ErrorEvent(dialect, after))
