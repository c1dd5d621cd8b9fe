"""A peer's bytes on their way into h11, piece by piece, so that bounds are exact and time is linear.

h11 looks at its bound on an incomplete head only when it has been given bytes and wants more.  So a
head that comes at once may be larger than one that comes byte by byte, and what a server answers
would hang on how the network cut its peer's bytes.  Here h11 is never given more than it may hold:
whatever the cuts, the same bytes have the same fate.

h11 reads lines with regular expressions, and some of them take time that is quadratic in a run of
white space: measured, with h11 0.16, 8 seconds for one head of 64 KiB.  So runs of white space in a
head are bounded, and so are lines between chunks.  Nobody needs longer ones.
"""

from __future__ import annotations

import re

import h11

from sse_core.errors import LimitExceeded

#: A head may not have more blanks in a row: spaces, tabs, and the ends of lines that folding joins.
MAX_BLANK_RUN = 256
#: A chunk's size with its extensions, and the whole of the trailers, which are thrown away.
MAX_CHUNK_LINE_BYTES = 1024

_EMPTY_LINES = re.compile(rb"(?:\r?\n)*")
#: As h11 finds it.
_HEAD_END = re.compile(rb"\n\r?\n")
_FIELD_LINE = re.compile(rb"^[^ \t\r\n]", re.MULTILINE)
_LAST_BLANK = 0x20
_TO_SPACES = bytes.maketrans(b"\t\r\n", b"   ")
_TOO_BLANK = b" " * (MAX_BLANK_RUN + 1)


class H11Feed:
    """What came from the peer of a connection of h11, given to it as it wants more.

    - ``http``: that connection.
    - ``max_head_bytes``: its ``max_incomplete_event_size``.
    - ``max_head_fields``: bounds the fields of a head, if it is given.
    """

    __slots__ = (
        "_begins_line",
        "_body_left",
        "_ended",
        "_fields",
        "_http",
        "_max_head_bytes",
        "_max_head_fields",
        "_tail",
        "_unread",
        "_waiting",
    )

    def __init__(
        self, http: h11.Connection, max_head_bytes: int, *, max_head_fields: int | None = None
    ) -> None:
        self._http = http
        self._max_head_bytes = max_head_bytes
        self._max_head_fields = max_head_fields
        self._fields = -1  # of the head that is being given
        self._begins_line = True  # what is given next
        self._body_left: int | None = None  # of a request whose length was declared
        self._waiting = bytearray()
        self._unread: int | None = 0  #: how many bytes h11 has not read, at most; None when it has to say
        self._tail = b""  #: the end of what was given of heads
        self._ended = False

    def __len__(self) -> int:
        """How many bytes have not been read yet, those that h11 holds among them."""
        return len(self._waiting) + self._count_unread()

    def receive_data(self, data: bytes) -> None:
        """Bytes from the peer; empty when it closed its side."""
        self._waiting += data
        self._ended = self._ended or not data

    def give(self, piece: bytes) -> None:
        """Bytes that h11 keeps nothing of: of a chunk whose size is known."""
        self._http.receive_data(piece)
        self._unread = None

    def take_rest(self) -> bytes:
        """What h11 has not been given yet."""
        return self._take(len(self._waiting))

    def next_event(self) -> h11.Event | type[h11.NEED_DATA | h11.PAUSED]:
        """As h11's own.  Raises ``h11.RemoteProtocolError`` and ``LimitExceeded``."""
        while True:
            event = self._http.next_event()
            if event is not h11.NEED_DATA:
                self._unread = None
                self._fields = -1  # the first line is no field
                self._tail = b""
                if isinstance(event, h11.Request):
                    self._body_left = _declared_length(event)
                return event
            if self._has_something():
                self._give_a_piece()
            elif self._ended:
                self._ended = False
                self._http.receive_data(b"")
            else:
                return event

    def _has_something(self) -> bool:
        """Whether there is something to give, empty lines before a request left out.

        RFC 9112 section 2.2: "a server that is expecting to receive and parse a request-line SHOULD ignore
        at least one empty line (CRLF) received prior to the request-line."
        """
        if self._http.their_state is not h11.IDLE or self._count_unread():
            return bool(self._waiting)
        blank = _EMPTY_LINES.match(self._waiting)
        del self._waiting[: blank.end() if blank else 0]
        return bool(self._waiting) and (self._waiting != b"\r" or self._ended)

    def _give_a_piece(self) -> None:
        if self._http.their_state is h11.SEND_BODY:
            piece = self._take_of_body(self._room(min(MAX_CHUNK_LINE_BYTES, self._max_head_bytes)))
        else:
            piece = self._take_lines(self._room(self._max_head_bytes))
            self._check_blanks(piece)
            self._count_fields(piece)
        self._http.receive_data(piece)
        self._unread = self._count_unread() + len(piece)

    def _room(self, bound: int) -> int:
        """How much h11 may be given: so much that, if it is incomplete even so, it is refused."""
        if self._count_unread() > bound:
            # h11 reads some lines between chunks without an event; then our count is too high.
            self._unread = None
        if self._count_unread() > bound:
            raise LimitExceeded(
                f"A line between chunks is larger than {bound} bytes (limit: max_chunk_line_bytes).",
                limit="max_chunk_line_bytes",
                bound=bound,
                status=400,
            )
        return bound + 1 - self._count_unread()

    def _take(self, size: int) -> bytes:
        piece = bytes(self._waiting[:size])
        del self._waiting[:size]
        return piece

    def _take_of_body(self, size: int) -> bytes:
        """What has come of a body of known length; of chunks only so much that a line between is bounded.

        What follows a body of known length stays: it may begin with empty lines.
        """
        if self._body_left is None:
            return self._take(size)
        piece = self._take(self._body_left)
        self._body_left -= len(piece)
        return piece

    def _take_lines(self, size: int) -> bytes:
        """A whole head, or else a line of one: nothing of the body behind it is looked at for blanks.

        h11 looks at the first byte of a head by itself: where that is wrong, nothing hangs on what follows.
        """
        if not self._count_unread():
            if self._waiting[0] <= _LAST_BLANK:
                return self._take(1)
            if head := _HEAD_END.search(self._waiting, 0, size):
                return self._take(head.end())
        end = self._waiting.find(b"\n", 0, size) + 1
        return self._take(end or size)

    def _check_blanks(self, piece: bytes) -> None:
        given = self._tail + piece
        if _TOO_BLANK in given.translate(_TO_SPACES):
            raise LimitExceeded(
                f"A head has more than {MAX_BLANK_RUN} blanks in a row (limit: max_blank_run).",
                limit="max_blank_run",
                bound=MAX_BLANK_RUN,
                status=400,
            )
        self._tail = given[-MAX_BLANK_RUN:]

    def _count_fields(self, piece: bytes) -> None:
        """Before h11 reads them: it reports how many there are only when it has read all."""
        # RFC 9112 section 5.2: a line that begins with a blank goes on with the field before.
        lines = _FIELD_LINE.findall(piece)
        in_a_line = not self._begins_line and _FIELD_LINE.match(piece) is not None
        self._fields += len(lines) - in_a_line
        self._begins_line = piece.endswith(b"\n")
        if self._max_head_fields is not None and self._fields > self._max_head_fields:
            raise LimitExceeded(
                f"A head has more than {self._max_head_fields} fields (limit: max_head_fields).",
                limit="max_head_fields",
                bound=self._max_head_fields,
                status=431,
            )

    def _count_unread(self) -> int:
        if self._unread is None:
            # h11 says it by a copy: once after an event, and from then on they are counted.
            self._unread = len(self._http.trailing_data[0])
        return self._unread


def _declared_length(head: h11.Request) -> int | None:
    lengths = [value for name, value in head.headers if name == b"content-length"]
    return int(lengths[0]) if lengths else None
