"""What a server serves: an application, its replies and its streams.

An application is pure.  ``handle`` gets a whole request and answers with a :class:`Reply`, or with
a :class:`Stream` that the server pulls bytes from whenever the socket has room.  A stream never
pushes bytes: it calls its ``waker``, and whoever owns the socket pulls.  So the slowest reader
costs no queue anywhere.

``upstreams`` hands the pump the connections that the application needs to others.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from sse_core.arguments import check_type
from sse_core.headers import Headers
from sse_core.lifecycle.machine import Want

from .endpoint import Endpoint

Waker = Callable[[], None]

#: What the head of every answer says that is JSON.
JSON_HEADERS = (("content-type", "application/json"), ("cache-control", "no-store"))


def no_waker() -> None:
    """The waker of a stream that nobody listens to yet."""


@dataclass(frozen=True, slots=True)
class Request:
    """A whole request, as the server read it.

    - ``method``: as it came.
    - ``path``: the target's path, percent-encoded as it came.
    - ``query``: what follows ``?``.
    - ``headers``: values are text of ISO-8859-1, one character a byte (RFC 9110 section 5.5), but for
      ``Last-Event-ID``, which is UTF-8 (WHATWG HTML 9.2.4).
    - ``body``: the whole content.
    - ``client``: the peer's address, for logs, never for trust.

    The repr leaves out the query and the body: a repr ends up in logs, some APIs take a key in the query,
    and a body is private.
    """

    method: str
    path: str
    query: str = field(default="", repr=False)
    headers: Headers = field(default_factory=Headers)
    body: bytes = field(default=b"", repr=False)
    client: str = ""

    @property
    def last_event_id(self) -> str:
        """The ID of the last event that the client has, or an empty text."""
        return self.headers.get("last-event-id") or ""


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer.  Content-Length is added by the server.

    - ``status``: a final one.
    - ``headers``: may be given as a mapping, too.
    - ``body``: the whole content.
    - ``reason``: for a log: why the request was refused; it repeats nothing of the request.

    Raises ``TypeError`` for an argument of another type.
    """

    status: int
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""
    reason: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        check_type("status", self.status, int)
        check_type("body", self.body, bytes, hint="str.encode() gives some")
        object.__setattr__(self, "headers", Headers(self.headers))

    @classmethod
    def json(
        cls, status: int, value: object, headers: Iterable[tuple[str, str]] = (), *, reason: str = ""
    ) -> Reply:
        """An answer whose body is ``value`` as JSON."""
        body = json.dumps(value, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
        return cls(status, Headers([*JSON_HEADERS, *headers]), body, reason)


@dataclass(frozen=True, slots=True)
class StreamHead:
    """The status and fields of an answer whose body comes piece by piece."""

    status: int
    headers: Headers


class StreamState(enum.Enum):
    """Whether more bytes may come from a stream."""

    OPEN = "open"
    FINISHED = "finished"  #: no byte is left; end the message properly
    ABORTED = "aborted"  #: cut the connection without ending the message


@runtime_checkable
class Stream(Protocol):
    """An answer that is not whole yet.

    The server sets ``waker`` before anything else, and pulls whenever it was called and the
    socket has room.  ``close`` is called exactly once by the server when the exchange is over,
    whoever ended it; a stream that is still ``OPEN`` then has lost its reader.
    """

    waker: Waker

    @property
    def head(self) -> StreamHead | Reply | None:
        """The head, as soon as it is known; a ``Reply`` if the answer turned out to be whole."""

    @property
    def state(self) -> StreamState:
        """Whether more bytes may come (after those of ``data_to_send`` that are there now)."""

    @property
    def deadline(self) -> float | None:
        """When to call ``handle_timeout``."""

    @property
    def has_more(self) -> bool:
        """Whether ``data_to_send`` has left something that it would give now.

        It is read right after a pull, so that a stream that has nothing is not pulled for it.
        """

    def data_to_send(self, now: float) -> bytes:
        """The next bytes of the body, of a bounded number; empty if there are none now."""

    def handle_timeout(self, now: float) -> None:
        """Fire what is due: a heartbeat, a simulated token, an eviction."""

    def close(self, now: float) -> None:
        """The exchange is over."""


class Exchange(Protocol):
    """What a binding drives towards an upstream: bytes in, bytes out, one wish, one deadline.

    It is the client's side, and any protocol's; ``ClientExchange`` is HTTP's.  The server's side of a
    request and its answer is ``ServerExchange``, which no binding ever sees.

    ``waker`` is called when the wish or the deadline changed for another reason than the calls of
    the binding that drives it: a stop, a reader that caught up.
    """

    waker: Waker

    @property
    def target(self) -> Endpoint:
        """Where to connect when the wish is ``Want.CONNECT``."""

    @property
    def want(self) -> Want:
        """What to do next."""

    @property
    def deadline(self) -> float | None:
        """When to call ``handle_timeout``."""

    def connected(self, now: float) -> None:
        """The transport is open, TLS included."""

    def data_to_send(self) -> bytes:
        """Bytes for the peer; empty if there are none."""

    def receive_data(self, data: bytes, now: float) -> None:
        """Bytes from the peer; empty when it closed its side."""

    def connection_lost(self, reason: str, now: float, *, retryable: bool = True) -> None:
        """The connection could not be made, or broke; ``retryable``: another one may be better."""

    def closed(self, now: float) -> None:
        """The wish ``Want.CLOSE`` has been carried out."""

    def handle_timeout(self, now: float) -> None:
        """Fire the timers that are due."""


@runtime_checkable
class ChecksHeads(Protocol):
    """An application that looks at requests before their bodies are read.

    So who may not ask can't make the server read, and who waits for ``100 Continue`` has an answer at once.
    """

    def check_head(self, request: Request, now: float) -> Reply | int | None:
        """Judge a head; the body of ``request`` is empty still.

        A ``Reply`` refuses it.  A number is the most bytes that its body may have, where that is less than
        ``max_body_bytes``; ``None`` leaves it at that.  To raise ``Refused`` refuses it, too, with what an
        operator should know.
        """


@runtime_checkable
class Drains(Protocol):
    """An application that is told when its server begins to go down.

    Nobody is let in any more, and what is being answered goes on until ``close``.
    """

    def drain(self, now: float) -> None:
        """Prepare for the end: tell readers when to come back."""


class Application(Protocol):
    """Anything that can be served: the relay, the simulated provider, yours.

    One that also has ``check_head`` (:class:`ChecksHeads`) is called before a request's body is read.  One
    that has ``problem_reply`` (``ShapesProblems``) says how the server's own refusals look; one that has
    ``drain`` (:class:`Drains`) is told when the server begins to go down.
    """

    waker: Waker

    def handle(self, request: Request, now: float) -> Reply | Stream:
        """Answer a request.  An exception becomes a 500 without a word of its text."""

    def upstreams(self) -> list[Exchange]:
        """Exchanges that have come up since the last call; the pump drives each to its end."""

    @property
    def deadline(self) -> float | None:
        """When to call ``handle_timeout``."""

    def handle_timeout(self, now: float) -> None:
        """Fire what is due: finished turns to forget, for one."""

    def close(self, now: float) -> None:
        """The server goes down: end everything.  What streams still have is pulled for a while."""
