"""A plain decoder that is right, and many that are wrong in one thing: which the laws must distinguish.

The right one takes a byte at a time and is written for nothing but this.  Each wrong one changes one
method, most of them into a mistake that a published decoder has made.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from fuzz.model import BOM, Bounds
from sse_core import LimitExceeded, LocalProtocolError, ServerSentEvent

CR, LF = b"\r", b"\n"
KNOWN = (b"data:", b"event:", b"id:", b"retry:")


class RightDecoder:
    """Byte by byte, as plainly as it can be said."""

    def __init__(self, bounds: Bounds, last_event_id: str, on_comment: Callable[[str], None]) -> None:
        self.bounds = bounds
        self.on_comment = on_comment
        self.last_event_id = last_event_id
        self.reconnection_time: int | None = None
        self.skipped_events = 0
        self.events: list[ServerSentEvent] = []
        self.type = ""
        self.reset()

    def reset(self) -> None:
        self.first_line, self.after_cr, self.discarding, self.oversize = True, False, False, False
        self.failure = ""  # the name of the bound; the exception itself would keep its frames alive
        self.raised = False
        self.line = bytearray()
        self.id = self.last_event_id
        self.begin_block()

    def begin_block(self) -> None:
        self.data = bytearray()
        self.type = ""
        self.oversize = False

    def receive_data(self, data: bytes) -> list[ServerSentEvent]:
        if self.failure:
            self.raise_once()
            raise LocalProtocolError("it failed")
        self.events = []
        try:
            self.receive_chunk(data)
        except LimitExceeded as failure:
            self.failure = failure.limit
            if not self.events:
                self.raise_once()
        events, self.events = self.events, []
        return events

    def receive_chunk(self, data: bytes) -> None:
        for index in range(len(data)):
            self.receive_byte(data[index : index + 1])

    def receive_eof(self) -> None:
        self.raise_once()
        if not self.failure:
            self.reset()

    def raise_once(self) -> None:
        if self.failure and not self.raised:
            self.raised = True
            raise self.excess(self.failure)

    def receive_byte(self, byte: bytes) -> None:
        if byte == LF and self.after_cr:
            self.after_cr = False
            return
        self.after_cr = byte == CR
        if byte in (CR, LF):
            self.end_line()
        elif not self.discarding:
            self.line += byte
            if len(self.without_bom()) > self.bounds.longest_line:
                self.receive_long_line(self.without_bom())
                self.discarding = True
            elif not self.oversize and self.is_too_much(self.without_bom()):
                self.exceed("max_event_bytes")

    def is_too_much(self, line: bytes) -> bool:
        """Whether a line that may go on makes the event's data too large already."""
        name, colon, value = line.partition(b":")
        data = len(self.data) + len(self.value(value))
        return name == b"data" and bool(colon) and data > self.bounds.max_event_bytes

    def without_bom(self) -> bytes:
        return bytes(self.line).removeprefix(BOM if self.first_line else b"")

    def end_line(self) -> None:
        line, discarded = self.without_bom(), self.discarding
        self.line.clear()
        self.first_line = self.discarding = False
        if not discarded:
            self.receive_line(line)

    def receive_line(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        if not line:
            self.dispatch()
        elif name == b"data":
            self.receive_data_field(self.value(value))
        elif name == b"event":
            self.type = self.text(self.value(value))
        elif name == b"id":
            self.receive_id(self.value(value))
        elif name == b"retry":
            self.receive_retry(self.value(value))
        elif not name:
            self.on_comment(self.text(self.value(value)))

    def value(self, value: bytes) -> bytes:
        return value.removeprefix(b" ")

    def text(self, value: bytes | bytearray) -> str:
        return value.decode("utf-8", "replace")

    def receive_data_field(self, value: bytes) -> None:
        if not self.oversize:
            self.data += value + LF
            if self.data_bytes() > self.bounds.max_event_bytes:
                self.exceed("max_event_bytes")

    def data_bytes(self) -> int:
        return len(self.data) - 1

    def receive_id(self, value: bytes) -> None:
        if b"\0" not in value:
            self.id = self.text(value)

    def receive_retry(self, value: bytes) -> None:
        if re.fullmatch(rb"0*[0-9]{1,10}", value) and int(value[-10:]) < 2**31:
            self.reconnection_time = int(value[-10:])

    def dispatch(self) -> None:
        if self.oversize:
            self.id = self.last_event_id
            self.data = bytearray()
        self.last_event_id = self.id
        if self.data:
            data = self.text(self.data[:-1])
            self.events.append(ServerSentEvent(self.type or "message", data, self.last_event_id))
        self.begin_block()

    def receive_long_line(self, line: bytes) -> None:
        self.line.clear()
        if line.startswith(KNOWN):
            by_line = self.bounds.longest_line == self.bounds.max_line_bytes
            self.exceed("max_line_bytes" if by_line else "max_event_bytes")

    def exceed(self, limit: str) -> None:
        if self.bounds.on_oversize == "fail":
            raise self.excess(limit)
        if not self.oversize:
            self.oversize = True
            self.skipped_events += 1
            self.data = bytearray()

    def excess(self, limit: str) -> LimitExceeded:
        return LimitExceeded(limit, limit=limit, bound=getattr(self.bounds, limit))


# What goes wrong over cuts


class SplitBOM(RightDecoder):
    """A BOM counts only where the first chunk has all of it."""

    def receive_chunk(self, data: bytes) -> None:
        if data and self.first_line and not self.line and not data.startswith(BOM):
            self.first_line = False
        super().receive_chunk(data)


class SplitCRLF(RightDecoder):
    """A CR at the end of a chunk and an LF at the beginning of the next are two line ends."""

    def receive_chunk(self, data: bytes) -> None:
        self.after_cr = False
        super().receive_chunk(data)


class LateCR(RightDecoder):
    """A CR at the end of a chunk waits for the next one, which may begin with LF."""

    waiting = b""

    def receive_chunk(self, data: bytes) -> None:
        data = self.waiting + data
        self.waiting = CR if data.endswith(CR) else b""
        super().receive_chunk(data.removesuffix(self.waiting))

    def reset(self) -> None:
        self.waiting = b""
        super().reset()


class TextByChunk(RightDecoder):
    """UTF-8 is decoded chunk by chunk, so that a character that is cut is none."""

    def receive_chunk(self, data: bytes) -> None:
        super().receive_chunk(data if data in BOM else data.decode("utf-8", "replace").encode())


class LinesByChunk(RightDecoder):
    """What a chunk ends with is taken for a whole line."""

    def receive_chunk(self, data: bytes) -> None:
        super().receive_chunk(data)
        if b":" in self.line:
            self.end_line()


# What goes wrong with the specification


class BOMEverywhere(RightDecoder):
    """A BOM is taken from every line."""

    def without_bom(self) -> bytes:
        return bytes(self.line).removeprefix(BOM)


class BOMOnce(RightDecoder):
    """A BOM is looked for at the beginning of the first connection only."""

    known = False

    def reset(self) -> None:
        super().reset()
        self.first_line = not self.known
        self.known = True


class OtherLineEnds(RightDecoder):
    """Python's idea of lines: a vertical tab ends one."""

    def receive_byte(self, byte: bytes) -> None:
        super().receive_byte(LF if byte == b"\x0b" else byte)


class NulInID(RightDecoder):
    """An ID may hold NUL."""

    def receive_id(self, value: bytes) -> None:
        self.id = self.text(value)


class IDAtOnce(RightDecoder):
    """An ID is the last event ID before its block has ended."""

    def receive_id(self, value: bytes) -> None:
        super().receive_id(value)
        self.last_event_id = self.id


class IDWithDataOnly(RightDecoder):
    """A block without data leaves the last event ID alone."""

    def dispatch(self) -> None:
        if self.data:
            super().dispatch()
        else:
            self.id = self.last_event_id
            self.begin_block()


class IDOfEventOnly(RightDecoder):
    """An event without an ID has none, whatever came before."""

    def begin_block(self) -> None:
        super().begin_block()
        self.id = ""


class EndDispatches(RightDecoder):
    """The end of the stream ends the block, and the ID counts."""

    def receive_eof(self) -> None:
        if not self.failure:
            self.last_event_id = self.id
        super().receive_eof()


class ResetKeepsBlock(RightDecoder):
    """What a connection left half done goes on in the next."""

    def reset(self) -> None:
        data = getattr(self, "data", bytearray())
        super().reset()
        self.data = data


class RetryWithSign(RightDecoder):
    """A retry is whatever int() takes: signs, spaces, underscores, other digits."""

    def receive_retry(self, value: bytes) -> None:
        try:
            number = int(self.text(value))
        except ValueError:
            return
        if 0 <= number < 2**31:
            self.reconnection_time = number


class RetryRaises(RightDecoder):
    """A retry that is no number is an exception that nobody has documented."""

    def receive_retry(self, value: bytes) -> None:
        self.reconnection_time = int(value) if int(value) < 2**31 else self.reconnection_time


class TypeStays(RightDecoder):
    """A type holds for the events after it too."""

    def begin_block(self) -> None:
        kind = self.type
        super().begin_block()
        self.type = kind


class AllSpacesGo(RightDecoder):
    """All spaces before a value are taken away, and not the first one alone."""

    def value(self, value: bytes) -> bytes:
        return value.lstrip(b" ")


class EmptyDataIsNone(RightDecoder):
    """An event whose data is the empty string is not dispatched."""

    def dispatch(self) -> None:
        if self.data == LF:
            self.data = bytearray()
        super().dispatch()


class CommentEndsData(RightDecoder):
    """A comment inside a block begins it anew."""

    def receive_line(self, line: bytes) -> None:
        if line.startswith(b":"):
            self.begin_block()
        super().receive_line(line)


# What goes wrong at bounds


class SkippedIDIsTaken(RightDecoder):
    """The ID of a skipped event becomes the last event ID, so that nobody asks for the event again."""

    def dispatch(self) -> None:
        if self.oversize:
            self.data = bytearray()
            self.oversize = False
        super().dispatch()


class LineEndsForgotten(RightDecoder):
    """The LFs between the lines of data are not counted, so empty lines are free."""

    def data_bytes(self) -> int:
        return len(self.data.replace(LF, b""))


class FailureForgotten(RightDecoder):
    """After a failure the decoder goes on in the middle of what failed."""

    def receive_data(self, data: bytes) -> list[ServerSentEvent]:
        if self.raised:
            self.failure = ""
        return super().receive_data(data)


class LongCommentCounts(RightDecoder):
    """A long comment is an oversize event."""

    def receive_long_line(self, line: bytes) -> None:
        super().receive_long_line(b"data:" if line.startswith(b":") else line)


# What is kept without a bound


class CommentsHeld(RightDecoder):
    """The beginning of a comment is kept, however long it becomes."""

    def receive_long_line(self, line: bytes) -> None:
        if line.startswith(KNOWN):
            super().receive_long_line(line)

    def receive_byte(self, byte: bytes) -> None:
        if self.discarding:
            self.line += byte
        super().receive_byte(byte)


class EverythingLogged(RightDecoder):
    """What was received is kept for whoever may ask."""

    def receive_chunk(self, data: bytes) -> None:
        self.log = (*getattr(self, "log", ()), data)
        super().receive_chunk(data)


class LinesHeldApart(RightDecoder):
    """Each line of data is an object of its own until the event is whole: forty bytes for one."""

    def begin_block(self) -> None:
        super().begin_block()
        self.lines: list[bytes] = []

    def receive_data_field(self, value: bytes) -> None:
        super().receive_data_field(value)
        self.lines.append(bytes(bytearray(value)))


class FailureHeld(RightDecoder):
    """The exception that was raised is kept, and with it all that stood on the stack then."""

    def receive_data(self, data: bytes) -> list[ServerSentEvent]:
        try:
            return super().receive_data(data)
        except LimitExceeded as failure:
            self.raised_failure = failure
            raise


class ChunkHeld(RightDecoder):
    """The line that has not ended is a view of its chunk, which lives as long as the view does."""

    def receive_chunk(self, data: bytes) -> None:
        self.view = memoryview(bytes(data))[-1:]
        super().receive_chunk(data)


#: Those that a law on what streams mean finds, and those that only weighing finds.
WRONG_IN_MEMORY = (CommentsHeld, EverythingLogged, LinesHeldApart, FailureHeld, ChunkHeld)
WRONG = tuple(kind for kind in RightDecoder.__subclasses__() if kind not in WRONG_IN_MEMORY)
