"""What an upstream does with one request."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ..arguments import check_type
from ..headers import Headers, as_headers

EVENT_STREAM = Headers({"content-type": "text/event-stream"})


class End(enum.Enum):
    """How an answer's body ends."""

    PROPER = "proper"  #: as HTTP says
    LOST = "lost"  #: the connection is reset
    SILENT = "silent"  #: not at all: nothing more comes


@dataclass(frozen=True, slots=True)
class Exchange:
    """The answer to one request, or none.

    - ``body``: its bytes, in the pieces in which they arrive: any sequence, kept as a tuple.
    - ``status``, ``headers``: of its head; a mapping is taken for ``headers``, too.
    - ``delay``: seconds before the head, or before it is known that the server can't be reached.
    - ``gap``: seconds before each piece of the body, and before its end.
    - ``end``: how the body ends.
    - ``unreachable``: why no connection is made; empty if one is.
    - ``retryable``: whether another connection may fare better than one that isn't made or is lost.

    Raises ``TypeError`` for a ``body`` that is no sequence of pieces.
    """

    body: Sequence[bytes] = ()
    status: int = 200
    headers: Headers = field(default_factory=lambda: EVENT_STREAM)
    delay: float = 0.0
    gap: float = 0.0
    end: End = End.PROPER
    unreachable: str = ""
    retryable: bool = True

    def __post_init__(self) -> None:
        check_type("body", self.body, tuple, list, hint="a body of one piece is (data,)")
        object.__setattr__(self, "body", tuple(self.body))
        object.__setattr__(self, "headers", as_headers(self.headers))

    def chunks(self) -> Iterator[bytes]:
        """The body as an HTTP client gives it: for code that is given an iterable of bytes.

        Raises ``ConnectionRefusedError`` or ``ConnectionResetError`` where the connection isn't made or is
        lost, and ``TimeoutError`` where nothing more comes.
        """
        if self.unreachable:
            raise ConnectionRefusedError(self.unreachable)
        yield from self.body
        if self.end is End.LOST:
            raise ConnectionResetError("the connection was reset")
        if self.end is End.SILENT:
            raise TimeoutError("nothing came any more")
