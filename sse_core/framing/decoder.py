"""The bytes of an event stream in, events out, as soon as the bytes say that one is complete.

The rules quoted below are WHATWG HTML's, sections 9.2.5 and 9.2.6:
https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation

How it works.  Bytes go through three steps, and each looks at every byte a fixed number of times,
whatever the chunks are:

1. Line ends become LF, so that nothing further on knows of CR.  A CR ends its line at once; if the
   next chunk begins with LF, that LF belonged to it and is dropped.
2. Whole lines go on; the beginning of an unfinished one waits in ``_partial``, which is searched for
   line ends no second time.
3. Lines are put together to blocks, blocks become events.  Decoding UTF-8 comes last and takes whole
   values, so a character that is split over two chunks is whole again by then.

The fast path.  A stream repeats itself: almost every block is the same few bytes (``event: X``, line
end, ``data: ``) and one line of data.  Those bytes are remembered from block to block, and a block that
is nothing but them and the rest of a line needs no parsing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

from ..errors import LimitExceeded, LocalProtocolError
from .event import ServerSentEvent

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
_USUAL_START = re.compile(rb"(?:event: ([^\n]*)\n)?data: ")
_RETRY_DIGITS = len(str(MAX_RECONNECTION_TIME))


class EventStreamDecoder:
    """Decodes the event streams of one event source, one connection after another.

    ``last_event_id`` is what an earlier connection left behind; events carry it until the stream sets
    another.

    ``max_line_bytes`` bounds one line, its line end not counted; ``max_event_bytes`` bounds the data
    of one event, the LFs between its lines counted, and with it each of the event's lines.  So what a
    peer can make the decoder hold is a small multiple of the latter.  ``sys.maxsize`` is no bound.
    Lines that are ignored anyway (comments, unknown fields) may have any length and are not held; of a
    comment beyond the bounds, ``on_comment`` hears nothing.

    ``on_oversize`` says what happens to an event beyond a bound.  ``"fail"``: :class:`LimitExceeded`
    is raised, and the decoder takes nothing more until ``reset()``.  ``"skip"``: that event is dropped
    and counted in ``skipped_events``, and its id doesn't become the last event ID, so that a client
    that reconnects asks for it again rather than past it.

    ``on_comment`` is called with the text of each comment, without the space after the colon, while
    ``receive_data`` runs.  It must not raise, nor call the decoder.

    Raises ``ValueError`` for a bound below 8 (a line) or 0 (an event), or an unknown ``on_oversize``.
    """

    def __init__(
        self,
        last_event_id: str = "",
        max_line_bytes: int = DEFAULT_MAX_BYTES,
        max_event_bytes: int = DEFAULT_MAX_BYTES,
        on_oversize: Literal["fail", "skip"] = "fail",
        on_comment: Callable[[str], None] | None = None,
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
        self._harmless_bytes = min(max_line_bytes, max_event_bytes)  # a block of this size breaks no bound
        self._skips = on_oversize == "skip"
        self._on_comment = on_comment
        self._last_event_id = last_event_id
        self._reconnection_time: int | None = None
        self._skipped_events = 0
        self._remembered = b"data: "  # how a block begins that is likely to come,
        self._remembered_type = "message"  # and the type that this gives to its event
        self.reset()

    @property
    def last_event_id(self) -> str:
        """The last event ID: what a client sends as ``Last-Event-ID`` when it reconnects."""
        return self._last_event_id

    @property
    def reconnection_time(self) -> int | None:
        """What the stream's last valid ``retry`` field said, in milliseconds; ``None`` before one."""
        return self._reconnection_time

    @property
    def skipped_events(self) -> int:
        """How many events exceeded a bound and were dropped, all connections together."""
        return self._skipped_events

    def reset(self) -> None:
        """Get ready for the first byte of another connection, whatever became of the last one.

        An incomplete block is dropped; ``last_event_id`` and ``reconnection_time`` stay, and so does
        the count of ``skipped_events``.
        """
        self._at_start = True
        self._after_cr = False
        self._partial = bytearray()  # the line that has not ended yet
        self._discarding = False  # whether the rest of that line is of no interest
        self._failed = False
        self._pending_failure: LimitExceeded | None = None
        # 9.2.6: "When a stream is parsed, a data buffer, an event type buffer, and a last event ID buffer
        # must be associated with it.  They must be initialized to the empty string."  But browsers start
        # the last of them with the last event ID string, and the web platform tests expect it.
        self._id = self._last_event_id
        self._clear_block()

    def _clear_block(self) -> None:
        self._in_block = False
        self._oversize = False
        self._type = b""
        self._data = bytearray()

    def receive_data(self, data: bytes) -> list[ServerSentEvent]:
        """Take the next bytes of the stream, and give the events that they complete.

        Raises :class:`LimitExceeded` when a bound is exceeded and ``on_oversize`` is ``"fail"``.  If the
        same bytes completed events before that, those are returned, and the next call raises.  Raises
        :class:`LocalProtocolError` after that, until ``reset()``.
        """
        if self._failed:
            self._raise_pending_failure()
            raise LocalProtocolError("the stream exceeded a bound; call reset() to decode another one")
        events: list[ServerSentEvent] = []
        try:
            self._receive(self._with_lf(self._without_bom(data)), events)
        except LimitExceeded as failure:
            self._failed = True
            if not events:
                raise
            self._pending_failure = failure.with_traceback(None)  # which would hold all of this alive
        return events

    def receive_eof(self) -> None:
        """The stream has ended: discard an incomplete block, and get ready for another connection.

        Raises :class:`LimitExceeded` if the last call of ``receive_data`` had to leave that to the
        next one.
        """
        self._raise_pending_failure()
        # 9.2.6: "Once the end of the file is reached, any pending data must be discarded.  (If the file ends
        # in the middle of an event, before the final empty line, the incomplete event is not
        # dispatched.)"
        if not self._failed:
            self.reset()

    def _raise_pending_failure(self) -> None:
        failure, self._pending_failure = self._pending_failure, None
        if failure is not None:
            raise failure

    # First step: from bytes as they came to lines that end in LF.

    def _without_bom(self, data: bytes) -> bytes:
        """``data`` without a stream's leading BOM; nothing as long as it may still become one."""
        if not self._at_start:
            return data
        # 9.2.6: "The UTF-8 decode algorithm strips one leading UTF-8 Byte Order Mark (BOM), if any."
        data = bytes(self._partial) + data
        if len(data) < len(_BOM) and _BOM.startswith(data):
            self._partial[:] = data
            return b""
        self._at_start = False
        self._partial.clear()
        return data.removeprefix(_BOM)

    def _with_lf(self, data: bytes) -> bytes:
        """``data`` with each of its line ends as LF."""
        # 9.2.5: "Lines must be separated by either a U+000D CARRIAGE RETURN U+000A LINE FEED (CRLF) character
        # pair, a single U+000A LINE FEED (LF) character, or a single U+000D CARRIAGE RETURN (CR)
        # character."
        if self._after_cr and data:
            self._after_cr = False
            data = data.removeprefix(b"\n")
        if 13 in data:  # CR, as a number: that is found five times as fast as b"\r"
            self._after_cr = data.endswith(b"\r")
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return data

    # Second step: whole lines go on, the beginning of another one waits.

    def _receive(self, data: bytes, events: list[ServerSentEvent]) -> None:
        end = data.rfind(b"\n") + 1
        if end:
            lines = data[:end]
            if self._discarding:
                self._discarding = False
                lines = lines[lines.index(b"\n") + 1 :]
            elif self._partial:
                lines = bytes(self._partial) + lines
                self._partial = bytearray()
            self._receive_lines(lines, events)
        if end < len(data) and not self._discarding:
            self._partial += data[end:]
            if len(self._partial) > self._line_bound:
                self._discarding = True
                line, self._partial = bytes(self._partial[:MIN_LINE_BYTES]), bytearray()
                self._receive_long_line(line)

    # Third step: lines to blocks, blocks to events.

    def _receive_lines(self, lines: bytes, events: list[ServerSentEvent]) -> None:
        """Take any number of whole lines, each with its LF."""
        blocks = lines.split(b"\n\n")
        rest = blocks.pop()
        start, length = self._remembered, len(self._remembered)
        for block in blocks:
            if (
                block.startswith(start)
                and block.find(b"\n", length) < 0
                and len(block) <= self._harmless_bytes
                and not self._in_block
            ):
                data = str(block[length:], "utf-8", "replace")
                events.append(ServerSentEvent(self._remembered_type, data, self._last_event_id))
            else:
                self._receive_block(block, events)
                start, length = self._remembered, len(self._remembered)
        for line in rest.split(b"\n")[:-1]:
            self._receive_line(line, events)

    def _receive_block(self, block: bytes, events: list[ServerSentEvent]) -> None:
        """Take what stood before an empty line: usually one block, or the end of one."""
        start = _USUAL_START.match(block)
        if start is not None and start[0] != self._remembered:
            self._remembered = start[0]
            self._remembered_type = str(start[1] or b"message", "utf-8", "replace")
        for line in block.split(b"\n"):
            self._receive_line(line, events)
        self._dispatch(events)

    def _receive_line(self, line: bytes, events: list[ServerSentEvent]) -> None:
        """Take one line without its line end."""
        # 9.2.6: "If the line is empty (a blank line): Dispatch the event."
        if not line:
            self._dispatch(events)
            return
        if len(line) > self._line_bound:
            self._receive_long_line(line)
            return
        # 9.2.6: "Collect the characters on the line before the first U+003A COLON character (:), and let
        # field be that string.  Collect the characters on the line after the first U+003A COLON character
        # (:), and let value be that string.  If value starts with a U+0020 SPACE character, remove it
        # from value."  And without a colon: "using the whole line as the field name, and the empty
        # string as the field value".
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
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
        elif not field and self._on_comment is not None:
            self._on_comment(str(value, "utf-8", "replace"))
        # 9.2.6: "Otherwise: The field is ignored."

    def _receive_data_field(self, value: bytes) -> None:
        # 9.2.6: "Append the field value to the data buffer, then append a single U+000A LINE FEED (LF)
        # character to the data buffer."
        self._in_block = True
        if self._oversize:
            return
        if len(self._data) + len(value) > self._max_event_bytes:
            self._exceed("max_event_bytes", self._max_event_bytes, "the data of one event")
            return
        self._data += value
        self._data += b"\n"

    def _receive_id_field(self, value: bytes) -> None:
        # 9.2.6: "If the field value does not contain U+0000 NULL, then set the last event ID buffer to the
        # field value.  Otherwise, ignore the field."
        if 0 not in value:
            self._id = str(value, "utf-8", "replace")
            self._in_block = True

    def _receive_retry_field(self, value: bytes) -> None:
        # 9.2.6: "If the field value consists of only ASCII digits, then interpret the field value as an
        # integer in base ten, and set the event stream's reconnection time to that integer.
        # Otherwise, ignore the field."  bytes.isdigit() knows ASCII only.
        digits = value.lstrip(b"0") or value[-1:]
        if value.isdigit() and len(digits) <= _RETRY_DIGITS and int(digits) <= MAX_RECONNECTION_TIME:
            self._reconnection_time = int(digits)

    def _dispatch(self, events: list[ServerSentEvent]) -> None:
        """Take an empty line."""
        if not self._in_block:
            return
        if self._oversize:
            self._id = self._last_event_id
        # 9.2.6: "Set the last event ID string of the event source to the value of the last event ID buffer."
        self._last_event_id = self._id
        # 9.2.6: "If the data buffer is an empty string, set the data buffer and the event type buffer to the
        # empty string and return."
        if self._data:
            # 9.2.6: "If the data buffer's last character is a U+000A LINE FEED (LF) character, then remove
            # the last character from the data buffer."
            del self._data[-1:]
            # 9.2.6: "If the event type buffer has a value other than the empty string, change the type of the
            # newly created event to equal the value of the event type buffer."
            kind = str(self._type or b"message", "utf-8", "replace")
            data = str(self._data, "utf-8", "replace")
            events.append(ServerSentEvent(kind, data, self._last_event_id))
        self._clear_block()

    # Bounds.

    def _receive_long_line(self, line: bytes) -> None:
        """Take a line beyond the bound, or its first bytes.  Of one that is ignored, nothing is held."""
        if not _KNOWN_FIELD.match(line):
            return
        if self._line_bound == self._max_line_bytes:
            self._exceed("max_line_bytes", self._max_line_bytes, "a line")
        else:
            self._exceed("max_event_bytes", self._max_event_bytes, "a line of one event")

    def _exceed(self, limit: str, bound: int, what: str) -> None:
        if not self._skips:
            raise LimitExceeded(f"{what} is longer than {limit}, {bound} bytes", limit=limit, bound=bound)
        self._in_block = True
        if not self._oversize:
            self._oversize = True
            self._skipped_events += 1
            self._data = bytearray()
