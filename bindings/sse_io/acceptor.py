"""A listening socket: so many connections a turn, and none for a while when files have run out."""

from __future__ import annotations

import errno
import math
import os
import socket
from collections.abc import Callable

from .owner import READ, Owner
from .reactor import Reactor

#: Connections that are accepted before others get their turn: to set one up takes some 0.1 ms.
ACCEPTS_IN_A_ROW = 8
#: Connections that are still let in at the end.
_MOST_OF_A_REST = 1024
#: For so many seconds a listener is left alone when the system has no file or no memory for a connection:
#: it stays readable, and nothing that could be done would change that.
PAUSE = 0.1
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


class ServerLimit(Exception):
    """A bound of the server's or of the system's was met: nobody's mistake, but an operator should know."""


class Acceptor(Owner):
    """Accepts on ``sock``, and calls ``accepted`` with each connection and its peer's address for logs."""

    __slots__ = ("_accepted", "_exhausted", "_reactor", "_socket", "ended")

    def __init__(
        self, reactor: Reactor, sock: socket.socket, accepted: Callable[[socket.socket, str, float], None]
    ) -> None:
        super().__init__(sock)
        self.ended: bool = False
        self._socket = sock
        self._reactor = reactor
        self._accepted = accepted
        self._exhausted = False
        sock.settimeout(0)
        reactor.watch(self, READ)

    def ready(self, mask: int, now: float) -> None:  # noqa: ARG002  (the face of an owner)
        """Somebody wants to be let in."""
        for _ in range(ACCEPTS_IN_A_ROW):
            if not self._accept_one(now):
                return

    def accept_rest(self, now: float) -> None:
        """Let in who has come before the end: closing the listener would reset their connections."""
        for _ in range(_MOST_OF_A_REST):
            if not self._accept_one(now):
                return

    def _accept_one(self, now: float) -> bool:
        """Let somebody in; whether there may be another."""
        try:
            sock, address = self._socket.accept()
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno in _EXHAUSTED:
                self._rest(error.errno, now)
                return False
            return True  # who wanted to be let in has gone already
        self._exhausted = False
        # A peer on a Unix socket has none.
        self._accepted(sock, str(address[0]) if isinstance(address, tuple) else "", now)
        return True

    def _rest(self, number: int, now: float) -> None:
        """Leave the listener alone for a while; say so once, until somebody can be accepted again."""
        self._reactor.watch(self, 0)
        self._reactor.set_deadline(self, now + PAUSE)
        if not self._exhausted:
            self._exhausted = True
            why = os.strerror(number)
            self._reactor.on_error(ServerLimit(f"no connection can be accepted for now: {why}"))

    def due(self, now: float) -> None:  # noqa: ARG002  (the face of an owner)
        """Try again."""
        self._reactor.set_deadline(self, math.inf)
        self._reactor.watch(self, READ)

    def end(self, now: float) -> None:  # noqa: ARG002  (the face of an owner)
        """Close the listener; idempotent."""
        if not self.ended:
            self.ended = True
            self._reactor.forget(self)
            self._socket.close()
