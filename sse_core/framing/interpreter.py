"""The specification's algorithm, line by line: any bytes in, in any pieces.

The rules quoted below are WHATWG HTML's, sections 9.2.5 and 9.2.6:
https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation

Bytes go through three steps, and each looks at every byte a fixed number of times, whatever the pieces
are:

1. Line ends become LF, so that nothing further on knows of CR.  A CR ends its line at once; if the
   next piece begins with LF, that LF belonged to it and is dropped.
2. Complete lines go on; the pieces of an unfinished one wait in ``_pieces``, which are searched for line
   ends no second time, and joined once.
3. Lines are put together to blocks, blocks become events.  Decoding UTF-8 comes last and takes complete
   values, so a character that is split over two pieces is in one piece again by then.

This alone is a decoder.  What ``decoder.py`` puts around it takes the usual kinds of block past it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Literal

from ..errors import LimitExceeded
from .comment_order import Comments
from .event import ServerSentEvent, new_event

#: The default of both bounds, in bytes.  The largest thing that models stream is a picture in base64,
#: one line of several megabytes; a line of text has seldom more than some ten kilobytes.
DEFAULT_MAX_BYTES = 16 * 2**20

#: The smallest bound on a line: a line that is longer shows in its first bytes which field it is.
MIN_LINE_BYTES = 8

#: The longest ``retry``, in milliseconds (24 days): what poll(2), epoll(7) and a browser's setTimeout
#: can wait for.
MAX_RECONNECTION_TIME = 2**31 - 1

_BOM = b"\xef\xbb\xbf"
_KNOWN_FIELD = re.compile(rb"(?:data|event|id|retry):")
_DATA_FIELD = len(b"data:")
_LARGE_PIECE = 1024
_BUFFER = 64 * 1024
_RETRY_DIGITS = len(str(MAX_RECONNECTION_TIME))


class Interpreter:
    """What :class:`EventStreamDecoder` has for all about a stream that is not usual.

    ``size`` is the length of the line that waits, in bytes.
    """

    __slots__ = (
        "_at_start",
        "_bom",
        "_data",
        "_data_room",
        "_discarding",
        "_in_block",
        "_line_bound",
        "_max_event_bytes",
        "_max_line_bytes",
        "_oversize",
        "_pieces",
        "_skips",
        "_type",
        "after_cr",
        "comments",
        "id",
        "last_event_id",
        "reconnection_time",
        "size",
        "skipped_events",
    )

    def __init__(
        self,
        last_event_id: str,
        max_line_bytes: int,
        max_event_bytes: int,
        on_oversize: Literal["fail", "skip"],
        on_comment: Callable[[str], None] | None,
    ) -> None:
        if max_line_bytes < MIN_LINE_BYTES:
            raise ValueError(f"max_line_bytes must be {MIN_LINE_BYTES} or more, not {max_line_bytes}")
        if max_event_bytes < 0:
            raise ValueError(f"max_event_bytes must be 0 or more, not {max_event_bytes}")
        if on_oversize not in ("fail", "skip"):
            raise ValueError(f"on_oversize must be 'fail' or 'skip', not {on_oversize!r}")
        self._max_line_bytes = max_line_bytes
        self._max_event_bytes = max_event_bytes
        # A line need not end to show that its event is too large.
        self._line_bound = min(max_line_bytes, max_event_bytes + MIN_LINE_BYTES)
        self._skips = on_oversize == "skip"
        self.comments: Comments | None = None if on_comment is None else Comments(on_comment)
        self.last_event_id: str = last_event_id
        self.reconnection_time: int | None = None
        self.skipped_events: int = 0
        self.begin_stream()

    def begin_stream(self) -> None:
        """Get ready for the first byte of another connection."""
        self._at_start = True
        self.after_cr: bool = False
        self._bom = b""  # what may still become a BOM
        self._pieces: list[bytes | bytearray | memoryview] = []  # the line that has not ended yet,
        self.size: int = 0  # and how long it is, in bytes
        self._discarding = False  # whether the rest of that line is of no interest
        # 9.2.6: "When a stream is parsed, a data buffer, an event type buffer, and a last event ID buffer
        # must be associated with it.  They must be initialized to the empty string."  But browsers start
        # the last of them with the last event ID string, and the web platform tests expect it.
        self.id: str = self.last_event_id
        self._begin_block()

    def _begin_block(self) -> None:
        self._data_room = self._max_event_bytes + _DATA_FIELD  # how long the next line of data may be
        self._in_block = False
        self._oversize = False
        self._type = b""
        self._data: bytes | bytearray | None = None

    def is_between_blocks(self) -> bool:
        """Whether the next byte is the first one of a block."""
        waits = self._at_start or self.after_cr or self._discarding
        return not (waits or self.size or self._in_block)

    def is_undecided(self) -> bool:
        """Whether the next byte may belong to a BOM, or to a line that is of no interest."""
        return self._at_start or self._discarding

    def room(self) -> int:
        """How many bytes more the line that waits may have for sure."""
        return max(0, min(self._line_bound, self._data_room) - self.size)

    def receive_rest(self, data: bytes) -> bool:
        """Take ``data`` if it has no line end that matters, and say whether it was taken."""
        if self.size and 10 not in data and 13 not in data:
            self.receive_piece(data)
            return True
        if self.after_cr and data == b"\n":
            self.after_cr = False
            return True
        return False

    def look_for_bom(self, data: bytes) -> None:
        """Notice that the stream doesn't begin with a BOM, if that is sure."""
        if self._at_start and data and not self._bom and data[0] != 0xEF:  # how a BOM begins
            self._at_start = False

    def interpret(self, data: bytes, begin: int, end: int, events: list[ServerSentEvent]) -> None:
        """Take ``data[begin:end]``, and add the events that it completes to ``events``."""
        if self._at_start or self.after_cr or data.find(b"\r", begin, end) >= 0:
            data = self._with_lf(self._without_bom(data[begin:end]))
            begin, end = 0, len(data)
        if self.size or self._discarding:
            begin = self._end_line(data, begin, end, events)
        last = data.rfind(b"\n", begin, end)
        if last >= 0:
            for line in data[begin:last].split(b"\n"):
                # 9.2.6: "If the line is empty (a blank line): Dispatch the event."
                if not line:
                    self.dispatch(events)
                elif len(line) <= self._line_bound:
                    self.receive_line(line, events)
                else:
                    self._receive_long_line(line)
            begin = last + 1
        if begin < end:
            self.receive_piece(data[begin:end])

    # First step: from bytes as they came to lines that end in LF.

    def _without_bom(self, data: bytes) -> bytes:
        """``data`` without a stream's leading BOM; nothing as long as it may still become one."""
        if not self._at_start:
            return data
        # 9.2.6: "The UTF-8 decode algorithm strips one leading UTF-8 Byte Order Mark (BOM), if any."
        data = self._bom + data
        if len(data) < len(_BOM) and _BOM.startswith(data):
            self._bom = data
            return b""
        self._at_start = False
        return data.removeprefix(_BOM)

    def _with_lf(self, data: bytes) -> bytes:
        """``data`` with each of its line ends as LF."""
        # 9.2.5: "Lines must be separated by either a U+000D CARRIAGE RETURN U+000A LINE FEED (CRLF) character
        # pair, a single U+000A LINE FEED (LF) character, or a single U+000D CARRIAGE RETURN (CR)
        # character."
        if not data:
            return data
        if self.after_cr:
            data = data.removeprefix(b"\n")
        self.after_cr = data.endswith(b"\r")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    # Second step: complete lines go on, the beginning of another one waits.

    def _end_line(self, data: bytes, begin: int, end: int, events: list[ServerSentEvent]) -> int:
        """Take more of the line that waits, and give where it ends, or where ``data`` does."""
        line_end = data.find(b"\n", begin, end)
        if line_end < 0:
            self.receive_piece(data[begin:end])
            return end
        if self._discarding:
            self._discarding = False
            return line_end + 1
        line = self.complete_line(memoryview(data)[begin:line_end])
        if len(line) <= self._line_bound:
            self.receive_line(line, events)
        else:
            self._receive_long_line(line)
        return line_end + 1

    def complete_line(self, piece: bytes | memoryview) -> bytes:
        """The line that has been waiting for its last piece."""
        self._pieces.append(piece)
        line = b"".join(self._pieces)
        self._pieces.clear()
        self.size = 0
        return line

    def receive_piece(self, piece: bytes) -> None:
        """Take the beginning of a line, or more of one, without any line end."""
        if self._discarding:
            return
        self.size += len(piece)
        # Many small objects would take many times the memory of their bytes; one large buffer that grows
        # would be copied eight times over.
        if len(piece) >= _LARGE_PIECE:
            self._pieces.append(piece)
        elif self._pieces and isinstance(self._pieces[-1], bytearray) and len(self._pieces[-1]) < _BUFFER:
            self._pieces[-1] += piece
        else:
            self._pieces.append(bytearray(piece))
        if self.size > self._line_bound or self.size > self._data_room:
            self._check_waiting_line()

    def _check_waiting_line(self) -> None:
        """A line need not end to show that it is too long, or that it makes its event too large."""
        head = b"".join(piece[:MIN_LINE_BYTES] for piece in self._pieces[:MIN_LINE_BYTES])[:MIN_LINE_BYTES]
        if self.size > self._line_bound or self.size > self._data_bound(head):
            self._discarding = True
            self.complete_line(b"")
            self._receive_long_line(head)

    # Third step: lines to blocks, blocks to events.

    def receive_line(self, line: bytes, events: list[ServerSentEvent]) -> None:
        """Take one line within the bound, and not empty, without its line end."""
        # 9.2.6: "Collect the characters on the line before the first U+003A COLON character (:), and let
        # field be that string.  Collect the characters on the line after the first U+003A COLON character
        # (:), and let value be that string.  If value starts with a U+0020 SPACE character, remove it
        # from value."  And without a colon: "using the whole line as the field name, and the empty
        # string as the field value".
        field, found, value = line.partition(b": ")
        if not found or 58 in field:  # a colon
            field, _, value = line.partition(b":")
        if field == b"data":
            self._receive_data_field(value)
        elif field == b"event":
            # 9.2.6: "Set the event type buffer to the field value."
            self._type = value
            self._in_block = True
        elif field == b"id":
            self._receive_id_field(value)
        elif field == b"retry":
            self._receive_retry_field(value)
        # 9.2.6: "If the line starts with a U+003A COLON character (:): Ignore the line."
        elif not field and self.comments is not None:
            self.comments.receive(value.decode("utf-8", "replace"), events)
        # 9.2.6: "Otherwise: The field is ignored."

    def _receive_data_field(self, value: bytes) -> None:
        # 9.2.6: "Append the field value to the data buffer, then append a single U+000A LINE FEED (LF)
        # character to the data buffer."
        self._in_block = True
        if self._oversize:
            return
        size = len(value) if self._data is None else len(self._data) + 1 + len(value)
        if size > self._max_event_bytes:
            self._exceed_data()
            return
        self._data_room = self._max_event_bytes - size - 1 + _DATA_FIELD
        if self._data is None:
            self._data = value  # mostly there is but this one, and it may be large
        else:
            if not isinstance(self._data, bytearray):
                self._data = bytearray(self._data)
            self._data += b"\n"
            self._data += value

    def _receive_id_field(self, value: bytes) -> None:
        # 9.2.6: "If the field value does not contain U+0000 NULL, then set the last event ID buffer to the
        # field value.  Otherwise, ignore the field."
        if 0 not in value:
            self.id = value.decode("utf-8", "replace")
            self._in_block = True

    def _receive_retry_field(self, value: bytes) -> None:
        # 9.2.6: "If the field value consists of only ASCII digits, then interpret the field value as an
        # integer in base ten, and set the event stream's reconnection time to that integer.
        # Otherwise, ignore the field."  bytes.isdigit() knows ASCII only.
        digits = value.lstrip(b"0") or value[-1:]
        if value.isdigit() and len(digits) <= _RETRY_DIGITS and int(digits) <= MAX_RECONNECTION_TIME:
            self.reconnection_time = int(digits)

    def dispatch(self, events: list[ServerSentEvent]) -> None:
        """Take an empty line."""
        if not self._in_block:
            return
        if self._oversize:
            self.id = self.last_event_id
        # 9.2.6: "Set the last event ID string of the event source to the value of the last event ID buffer."
        self.last_event_id = self.id
        # 9.2.6: "If the data buffer is an empty string, set the data buffer and the event type buffer to the
        # empty string and return."
        if self._data is not None:
            # 9.2.6: "If the data buffer's last character is a U+000A LINE FEED (LF) character, then remove
            # the last character from the data buffer."  Here, the LFs stand between the lines.
            # 9.2.6: "If the event type buffer has a value other than the empty string, change the type of the
            # newly created event to equal the value of the event type buffer."
            made = new_event(ServerSentEvent)
            made.type = self._type.decode("utf-8", "replace") if self._type else "message"
            made.data = self._data.decode("utf-8", "replace")
            made.last_event_id = self.id
            events.append(made)
        # _begin_block(), whose call would be a tenth of this
        self._data_room = self._max_event_bytes + _DATA_FIELD
        self._in_block = self._oversize = False
        self._type = b""
        self._data = None

    # Bounds.

    def _receive_long_line(self, line: bytes) -> None:
        """Take a line beyond the bound, or its first bytes.  Of one that is ignored, nothing is kept."""
        if not _KNOWN_FIELD.match(line):
            return
        if self._data_bound(line) < self._line_bound:
            self._exceed_data()
        elif self._line_bound == self._max_line_bytes:
            self._exceed("max_line_bytes", self._max_line_bytes, "a line")
        else:
            self._exceed("max_event_bytes", self._max_event_bytes, "a line of one event")

    def _data_bound(self, line: bytes) -> float:
        """How long the line that begins like this may be, for the sake of its event's data."""
        if self._oversize or not line.startswith(b"data:"):
            return math.inf
        return self._data_room + line.startswith(b"data: ")

    def _exceed_data(self) -> None:
        self._exceed("max_event_bytes", self._max_event_bytes, "the data of one event")

    def _exceed(self, limit: str, bound: int, what: str) -> None:
        if not self._skips:
            raise LimitExceeded(f"{what} is longer than {limit}, {bound} bytes", limit=limit, bound=bound)
        self._in_block = True
        if not self._oversize:
            self._oversize = True
            self.skipped_events += 1
            self._data = None
