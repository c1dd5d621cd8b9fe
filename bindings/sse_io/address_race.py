"""One connection to a name with many addresses: RFC 8305, "Happy Eyeballs", without waiting.

https://www.rfc-editor.org/rfc/rfc8305.  What a resolver gives is its host's business; here the addresses
are tried one after another, and each has a head start before the next.
"""

from __future__ import annotations

import errno
import os
import socket
from collections import deque
from collections.abc import Callable
from itertools import chain, zip_longest
from typing import Any

from .owner import WRITE, Owner
from .reactor import Reactor
from .socket_options import set_client_options

#: One item of what ``socket.getaddrinfo`` gives: family, type, protocol, canonical name, address.
Address = tuple[int, int, int, str, Any]
#: Called with a connected socket, or with why there is none.
Done = Callable[[socket.socket | OSError], None]

#: RFC 8305 section 5: "a RECOMMENDED value of 250 milliseconds" between the starts of two attempts.
ATTEMPT_DELAY = 0.25
#: What a connection that is being made says at first.  On Linux, EWOULDBLOCK is a Unix socket's refusal.
_UNDER_WAY = frozenset({0, errno.EINPROGRESS, getattr(errno, "WSAEWOULDBLOCK", errno.EINPROGRESS)})


class AddressRace(Owner):
    """Tries ``addresses`` until one is connected to; calls ``done`` once, unless it is ended before.

    ``max_silence`` is of the socket's options.
    """

    __slots__ = ("_attempts", "_done", "_errors", "_left", "_max_silence", "_reactor")

    def __init__(self, reactor: Reactor, addresses: list[Address], max_silence: float, done: Done) -> None:
        super().__init__()
        self._reactor = reactor
        self._left = deque(interleaved(addresses))
        self._max_silence = max_silence
        self._done = done
        self._attempts: set[_Attempt] = set()
        self._errors: list[Exception] = []

    def begin(self, now: float) -> None:
        """Start the first attempt."""
        self._start_next(now)

    def due(self, now: float) -> None:
        """The last attempt has had its head start."""
        self._start_next(now)

    def end(self, now: float) -> None:
        """Give all attempts up; idempotent."""
        self._reactor.forget(self)
        self._left.clear()
        for attempt in tuple(self._attempts):
            attempt.end(now)
        self._attempts.clear()

    def _start_next(self, now: float) -> None:
        """Start attempts until one is under way."""
        while self._left:
            family, kind, protocol, _, address = self._left.popleft()
            try:
                attempt = _Attempt(self._reactor, socket.socket(family, kind, protocol), self._finished)
                attempt.begin(address, self._max_silence)
            except Exception as error:  # noqa: BLE001  (a resolver may be anybody's code, and give anything)
                self._errors.append(error)
            else:
                self._attempts.add(attempt)
                self._reactor.set_deadline(self, now + ATTEMPT_DELAY)
                return
        self._reactor.forget(self)
        if not self._attempts:
            self._done(_all_failed(self._errors))

    def _finished(self, attempt: _Attempt, result: socket.socket | OSError, now: float) -> None:
        self._attempts.discard(attempt)
        if isinstance(result, OSError):
            self._errors.append(result)
            self._start_next(now)
        else:
            self.end(now)
            self._done(result)


class _Attempt(Owner):
    """A connection to one address, that is being made."""

    __slots__ = ("_finished", "_reactor", "_socket")

    def __init__(
        self,
        reactor: Reactor,
        sock: socket.socket,
        finished: Callable[[_Attempt, socket.socket | OSError, float], None],
    ) -> None:
        super().__init__(sock)
        self._socket = sock
        self._reactor = reactor
        self._finished = finished

    def begin(self, address: Any, max_silence: float) -> None:
        """Start it.  Raises what went wrong, and lets go of the socket, if that is in vain."""
        try:
            set_client_options(self._socket, max_silence)
            _raise_for(self._socket.connect_ex(address), _UNDER_WAY)
        except BaseException:
            self._socket.close()
            raise
        self._reactor.watch(self, WRITE)

    def ready(self, mask: int, now: float) -> None:  # noqa: ARG002  (the face of an owner)
        """It is made, or has failed."""
        self._reactor.forget(self)
        try:
            _raise_for(self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
        except OSError as error:
            self._socket.close()
            self._finished(self, error, now)
        else:
            self._finished(self, self._socket, now)

    def end(self, now: float) -> None:  # noqa: ARG002  (the face of an owner)
        """Give it up."""
        self._reactor.forget(self)
        self._socket.close()


def _raise_for(number: int, fine: frozenset[int] = frozenset({0})) -> None:
    if number not in fine:
        raise OSError(number, os.strerror(number))


def interleaved(addresses: list[Address]) -> list[Address]:
    """One address of each family in turn, each family in its own order; the first stays the first.

    RFC 8305 section 4: "the client SHOULD modify the ordered list to interleave address families".
    """
    families: dict[int, list[Address]] = {}
    for address in addresses:
        families.setdefault(address[0], []).append(address)
    rounds = chain.from_iterable(zip_longest(*families.values()))
    return [address for address in rounds if address is not None]


def _all_failed(errors: list[Exception]) -> OSError:
    """The shape that ``connect_failure`` reads: one error, with all that went wrong chained to it."""
    failure = OSError("no address could be connected to")
    failure.__cause__ = ExceptionGroup("attempts", errors) if errors else None
    return failure
