"""A peer's bytes on their way into h11, piece by piece, so that bounds are exact.

h11 looks at its bound on an incomplete head only when it has been given bytes and wants more.  So a
head that comes at once may be larger than one that comes byte by byte, and what a server answers
would hang on how the network cut its peer's bytes.  Here h11 is never given more than it may hold:
whatever the cuts, the same bytes have the same fate.
"""

from __future__ import annotations

import h11


class Incoming:
    """What came from the peer of ``http``, given to it as it asks.

    ``max_held`` is the connection's ``max_incomplete_event_size``.
    """

    def __init__(self, http: h11.Connection, max_held: int) -> None:
        self._http = http
        self._max_held = max_held
        self._waiting = bytearray()
        self._held: int | None = 0  #: how many bytes h11 holds at most; None when it has to be asked
        self._ended = False

    def __len__(self) -> int:
        """How many bytes have not been read yet, those that h11 holds among them."""
        return len(self._waiting) + self._count_held()

    def receive_data(self, data: bytes) -> None:
        """Bytes from the peer; empty when it closed its side."""
        self._waiting += data
        self._ended = self._ended or not data

    def next_event(self) -> h11.Event | type[h11.NEED_DATA | h11.PAUSED]:
        """As h11's own.  Raises ``h11.RemoteProtocolError``."""
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
        size = self._room()
        piece = bytes(self._waiting[:size])
        del self._waiting[:size]
        self._http.receive_data(piece)
        self._held = self._count_held() + len(piece)

    def _room(self) -> int:
        """How much h11 may be given: so much that, if it is incomplete even so, h11 refuses it."""
        if self._count_held() > self._max_held:
            # It reads some lines between chunks without an event; then our count is too high.
            self._held = None
        return self._max_held + 1 - self._count_held()

    def _count_held(self) -> int:
        if self._held is None:
            # h11 tells by a copy, so it is asked once after an event, and counted from then on.
            self._held = len(self._http.trailing_data[0])
        return self._held
