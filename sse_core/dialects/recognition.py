"""Which dialect an event fits, for whoever reads a stream with the wrong one.

Decoders take what they don't know for something new and give an ``UnknownEvent``.  So a stream of another
protocol gives unknown events only, to its end.  ``Recognition`` notes whether any event was known, and says
what is wrong if none was.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..blocks import strict_json
from ..blocks.events import BlockEvent, MessageStart, Ping, UnknownEvent
from ..blocks.strict_json import JSONObject
from ..framing import ServerSentEvent
from .base import Fit
from .registry import DIALECTS

#: Characters of an event's data that are read.  What is longer fits no dialect that could be named.
MAX_CHARACTERS = 256 * 1024
#: Characters of an event that a message quotes.
_EXCERPT = 100
#: So many events of another dialect, and none of the right one before, are no accident: some gateways report
#: their own work first, as of a response that was created and is in progress.
ENOUGH = 4
_PING = re.compile(r'"type"\s*:\s*"ping"')


def recognized(sse: ServerSentEvent) -> str | None:
    """The name of the dialect that ``sse`` fits by the shape of its data, or ``None``.

    An error fits none: the protocols' errors are too much alike, and each decoder knows most of them.
    """
    return next(iter(_fits(sse)), None)


def _fits(sse: ServerSentEvent) -> dict[str, Fit]:
    """The names of the dialects that ``sse`` fits, and how."""
    kind, data = _read(sse)
    fits = {
        name: dialect.shape(kind, data) for name, dialect in DIALECTS.items() if dialect.shape is not None
    }
    return {name: fit for name, fit in fits.items() if fit is not None}


def _read(sse: ServerSentEvent) -> tuple[str, JSONObject]:
    """The type of an event, and its data; an empty object where that is none, or is too long."""
    try:
        data = strict_json.loads(sse.data) if len(sse.data) <= MAX_CHARACTERS else None
    except ValueError:
        data = None
    if not isinstance(data, dict):
        return "", {}
    kind = data.get("type", sse.type)
    return kind if isinstance(kind, str) else "", data


class Recognition:
    """Whether any event of one stream was of the dialect that it is read with."""

    def __init__(self) -> None:
        self.known: bool = False  #: an event was
        self._first: ServerSentEvent | None = None  # of those that were not
        self._fitting: list[str | None] = []  # what the first of them fit

    def note(self, sse: ServerSentEvent, events: Sequence[BlockEvent]) -> None:
        """``sse`` came, and a decoder has made ``events`` of it.

        A sign of life is the same in most protocols, and so is no event at all: neither says anything.
        """
        kinds = {type(event) for event in events}
        if UnknownEvent in kinds:
            self.unknown(sse)
            kinds -= {MessageStart, UnknownEvent}  # some decoders begin the message with whatever comes first
        self.known = self.known or not kinds <= {Ping}

    def unknown(self, sse: ServerSentEvent) -> None:
        """``sse`` came, and a decoder can make nothing of it.

        A ping in another protocol's words is a ping nevertheless, and says nothing.
        """
        if _is_ping(sse):
            return
        self._first = self._first or sse
        if len(self._fitting) < ENOUGH:
            fits = _fits(sse)
            if "possible" not in fits.values():
                self._fitting.append(next(iter(fits), None))

    def failure(self, dialect: str) -> str | None:
        """What is wrong with a stream that was read as ``dialect`` to its end, in words.

        ``None`` if an event was known or is a new one of ``dialect``, or if none has come.  To ask again
        would give the same.
        """
        is_own = self.known or dialect in self._fitting
        return None if is_own or self._first is None else mismatch(self._first, dialect)

    def certainty(self, dialect: str, *, enough: int = ENOUGH) -> str | None:
        """The same before the end, as soon as it can be known: the stream began as one of another dialect.

        - ``enough``: how many events have to fit the same one.  Such as any host may have prove nothing.
        """
        if len(self._fitting) < enough or len(set(self._fitting)) > 1 or self._fitting[0] is None:
            return None
        return self.failure(dialect)


def mismatch(first: ServerSentEvent, dialect: str) -> str:
    """What to say of a stream that begins with ``first`` and is none of ``dialect``'s."""
    fitting = recognized(first)
    advice = f"it fits dialect {fitting!r}" if fitting else "it fits no dialect that is known here"
    excerpts = f"{ascii(first.type[:_EXCERPT])} with data {ascii(first.data[:_EXCERPT])}"
    return f"no event of the stream was one of dialect {dialect!r}; the first was {excerpts}: {advice}"


def _is_ping(sse: ServerSentEvent) -> bool:
    return sse.type == "ping" or _PING.search(sse.data, 0, _EXCERPT) is not None
