"""What a decoder should do at each call, said slowly: the specification, and what is promised of bounds.

The meaning of a stream comes from a transcription of the specification's prose, which knows no calls, no
chunks and no bounds.  Here each call looks at the whole stream since the connection began, from its first
byte, so there is no state between chunks to get wrong.  Bounds are a filter before that: which lines of
the stream count at all.  No code is shared with the decoder.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Literal, Protocol

from sse_core import LimitExceeded, LocalProtocolError, ServerSentEvent
from tests.core.framing.reference import interpret

OnOversize = Literal["fail", "skip"]
BOM = b"\xef\xbb\xbf"

#: How many bytes of a line, beside the data in it, an event's bound allows: the longest field's name, its
#: colon and its space.
FIELD_BYTES = 8


class Decoder(Protocol):
    """What the laws hold for: the public face of ``EventStreamDecoder``, whoever has made it."""

    @property
    def last_event_id(self) -> str: ...
    @property
    def reconnection_time(self) -> int | None: ...
    @property
    def skipped_events(self) -> int: ...
    def receive_data(self, data: bytes, /) -> list[ServerSentEvent]: ...
    def receive_eof(self) -> None: ...
    def reset(self) -> None: ...


@dataclass(frozen=True)
class Bounds:
    """A decoder's bounds, in bytes, and what happens to an event beyond them."""

    max_line_bytes: int = sys.maxsize
    max_event_bytes: int = sys.maxsize
    on_oversize: OnOversize = "fail"

    @property
    def longest_line(self) -> int:
        """The longest line of a known field, in bytes: an event's bound allows no longer one either."""
        return min(self.max_line_bytes, self.max_event_bytes + FIELD_BYTES)


@dataclass
class Counted:
    """What of a stream counts, given bounds; how many events do not; the bound that ended it."""

    stream: bytes
    skipped: int = 0
    failure: str | None = None


def lines_of(stream: bytes) -> list[bytes]:
    """The lines of ``stream``, the last of which has not ended."""
    return stream.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")


def first_excess(block: list[bytes], bounds: Bounds) -> tuple[int, str] | None:
    """Which line of a block makes its event too large, and the name of the bound that says so."""
    line_bound = bounds.longest_line
    data_bytes = -1  # a LF stands between two lines, and so there is one less of them
    for index, line in enumerate(block):
        name, colon, value = line.partition(b":")
        if len(line) > line_bound:
            # Whichever bound is met first, byte by byte: the line's own, or that of the data with it.
            room = bounds.max_event_bytes - data_bytes - 1 + len(b"data:") + value.startswith(b" ")
            if colon and name == b"data" and room < line_bound:
                return index, "max_event_bytes"
            if colon and name in {b"data", b"event", b"id", b"retry"}:
                return index, "max_line_bytes" if line_bound == bounds.max_line_bytes else "max_event_bytes"
        elif name == b"data":
            data_bytes += len(value.removeprefix(b" ")) + 1
            if data_bytes > bounds.max_event_bytes:
                return index, "max_event_bytes"
    return None


def counted(stream: bytes, bounds: Bounds) -> Counted:
    """Take away from ``stream`` what its bounds forbid.

    An event is too large when one of its lines is too long, or its data.  Of such an event no field
    counts but ``retry``, which is the connection's.  A line that means nothing has no bound, but a comment
    that is too long is not heard.
    """
    *lines, unfinished = lines_of(stream.removeprefix(BOM))
    blocks: list[list[bytes]] = [[]]
    for line in lines:
        if line:
            blocks[-1].append(line)
        else:
            blocks.append([])
    last = [*blocks[-1], unfinished]
    if b":" in unfinished and first_excess(last, bounds) not in {None, first_excess(blocks[-1], bounds)}:
        blocks[-1] = last  # too much, whatever may follow
    result = Counted(BOM)  # one of its own, because a later line may begin with what is no BOM there
    for number, block in enumerate(blocks, 1):
        excess = first_excess(block, bounds)
        kept = block
        if excess and bounds.on_oversize == "fail":
            kept = block[: excess[0]]
            result.failure = excess[1]
        elif excess:
            kept = [line for line in block if line.partition(b":")[0] in {b"", b"retry"}]
            result.skipped += 1
        result.stream += b"".join(line + b"\n" for line in kept if len(line) <= bounds.longest_line)
        if result.failure:
            break
        if number < len(blocks):
            result.stream += b"\n"
    return result


class Model:
    """A decoder in slow motion.  ``comments`` are those that the last call heard."""

    def __init__(self, bounds: Bounds | None = None, last_event_id: str = "") -> None:
        self.bounds = bounds or Bounds()
        self.last_event_id = last_event_id
        self.reconnection_time: int | None = None
        self._skipped_before = 0
        self.skipped_events = 0
        self.reset()

    def reset(self) -> None:
        """Begin another connection."""
        self._skipped_before = self.skipped_events
        self._remembered_id = self.last_event_id
        self._stream = b""
        self._events_given = self._comments_given = 0
        self._failure: str | None = None
        self._raised = False
        self.comments: list[str] = []

    def receive_data(self, data: bytes) -> list[ServerSentEvent]:
        """Look at the whole stream again, and give what is new."""
        self.comments = []
        if self._failure:
            self._raise_failure_once()
            raise LocalProtocolError("the stream exceeded a bound")
        self._stream += data
        what = Counted(self._stream) if self.bounds == Bounds() else counted(self._stream, self.bounds)
        meaning = interpret(what.stream, self._remembered_id)
        self.last_event_id = meaning.last_event_id
        self.comments = meaning.comments[self._comments_given :]
        self._comments_given = len(meaning.comments)
        if meaning.retry is not None:
            self.reconnection_time = meaning.retry
        self.skipped_events = self._skipped_before + what.skipped
        self._failure = what.failure
        events = meaning.events[self._events_given :]
        self._events_given = len(meaning.events)
        if not events:
            self._raise_failure_once()
        return events

    def receive_eof(self) -> None:
        """End the stream: nothing of an incomplete block is dispatched."""
        self._raise_failure_once()
        if not self._failure:
            self.reset()

    def _raise_failure_once(self) -> None:
        """Raise what ended the stream, unless that has been done."""
        if self._failure and not self._raised:
            self._raised = True
            raise LimitExceeded(self._failure, limit=self._failure, bound=getattr(self.bounds, self._failure))
