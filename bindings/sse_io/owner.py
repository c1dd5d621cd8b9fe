"""Who has a socket or a deadline: what a reactor knows of it, and what it calls."""

from __future__ import annotations

import math
import selectors
import socket

READ = selectors.EVENT_READ
WRITE = selectors.EVENT_WRITE


class Owner:
    """Somebody whose turn comes when its socket is ready, its deadline is due, or it has more to do.

    ``interest``, ``deadline`` and ``alarm`` are the reactor's notes: only it writes them.  An owner that
    has ended is left alone, but may be called once more for what was decided before.
    """

    __slots__ = ("alarm", "alarm_number", "deadline", "interest", "sock")

    def __init__(self, sock: socket.socket | None = None) -> None:
        self.sock: socket.socket | None = sock
        self.interest: int = 0  #: READ, WRITE, both, or nothing
        self.deadline: float = math.inf  #: when ``due`` is to be called
        self.alarm: float = math.inf  #: when the alarm clock rings for it: not later
        self.alarm_number: int = -1

    def ready(self, mask: int, now: float) -> None:
        """The socket is ready for what ``mask`` says: READ, WRITE or both."""

    def due(self, now: float) -> None:
        """The deadline has come.  It is to be set anew, or it stays due."""

    def go_on(self, now: float) -> None:
        """Others have had their turn."""

    def end(self, now: float) -> None:
        """Let go of everything, at once; idempotent."""
