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

import h11

from sse_core.errors import LimitExceeded

#: A head may not have more blanks in a row: spaces, tabs, and the ends of lines that folding joins.
MAX_BLANK_RUN = 256
#: A chunk's size with its extensions, and the whole of the trailers, which are thrown away.
MAX_CHUNK_LINE_BYTES = 1024

_TO_SPACES = bytes.maketrans(b"\t\r\n", b"   ")
_TOO_BLANK = b" " * (MAX_BLANK_RUN + 1)


class Incoming:
    """What came from the peer of ``http``, given to it as it asks.

    ``max_head_bytes`` is the connection's ``max_incomplete_event_size``.
    """

    def __init__(self, http: h11.Connection, max_head_bytes: int) -> None:
        self._http = http
        self._max_head_bytes = max_head_bytes
        self._waiting = bytearray()
        self._held: int | None = 0  #: how many bytes h11 holds at most; None when it has to be asked
        self._tail = b""  #: the end of what was given of heads
        self._ended = False

    def __len__(self) -> int:
        """How many bytes have not been read yet, those that h11 holds among them."""
        return len(self._waiting) + self._count_held()

    def receive_data(self, data: bytes) -> None:
        """Bytes from the peer; empty when it closed its side."""
        self._waiting += data
        self._ended = self._ended or not data

    def next_event(self) -> h11.Event | type[h11.NEED_DATA | h11.PAUSED]:
        """As h11's own.  Raises ``h11.RemoteProtocolError`` and ``LimitExceeded``."""
        while True:
            event = self._http.next_event()
            if event is not h11.NEED_DATA:
                self._held = None
                return event
            if self._waiting:
                self._give_a_piece()
            elif self._ended:
                self._ended = False
                self._http.receive_data(b"")
            else:
                return event

    def _give_a_piece(self) -> None:
        if self._http.their_state is h11.SEND_BODY:
            piece = self._take(self._room(min(MAX_CHUNK_LINE_BYTES, self._max_head_bytes)))
        else:
            piece = self._take_line(self._room(self._max_head_bytes))
            self._check_blanks(piece)
        self._http.receive_data(piece)
        self._held = self._count_held() + len(piece)

    def _room(self, bound: int) -> int:
        """How much h11 may be given: so much that, if it is incomplete even so, it is refused."""
        if self._count_held() > bound:
            # h11 reads some lines between chunks without an event; then our count is too high.
            self._held = None
        if self._count_held() > bound:
            raise LimitExceeded(
                f"A line between chunks is larger than {bound} bytes (limit: max_chunk_line_bytes).",
                limit="max_chunk_line_bytes",
                bound=bound,
                status=400,
            )
        return bound + 1 - self._count_held()

    def _take(self, size: int) -> bytes:
        piece = bytes(self._waiting[:size])
        del self._waiting[:size]
        return piece

    def _take_line(self, size: int) -> bytes:
        """A line of a head, so that nothing of the body behind it is looked at for blanks."""
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

    def _count_held(self) -> int:
        if self._held is None:
            # h11 tells by a copy, so it is asked once after an event, and counted from then on.
            self._held = len(self._http.trailing_data[0])
        return self._held
