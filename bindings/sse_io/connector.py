"""From a name to a connected socket, without waiting: the host resolves, the reactor connects."""

from __future__ import annotations

import socket
from collections.abc import Callable

from sse_http import Endpoint

from .address_race import Address, AddressRace
from .reactor import Reactor

#: Called with what a resolver found, or with what it raised.
Resolved = Callable[[list[Address] | OSError | UnicodeError], None]
#: Called with a connected socket, or with why there is none.
Connected = Callable[[socket.socket | OSError | UnicodeError], None]
#: Gives up; harmless when there is nothing to give up any more.
Cancel = Callable[[], None]


class Connector:
    """Makes connections.

    - ``resolve``: the host's, for names: looks up ``host`` and ``port`` as ``socket.getaddrinfo`` does, for
      TCP, calls what it is given once with the answer, and returns a way to cancel, after which it doesn't
      call.
    - ``max_silence``: for how many seconds a peer may acknowledge nothing.
    """

    def __init__(
        self, reactor: Reactor, resolve: Callable[[str, int, Resolved], Cancel], max_silence: float
    ) -> None:
        self._reactor = reactor
        self._resolve = resolve
        self._max_silence = max_silence

    def connect(self, endpoint: Endpoint, done: Connected) -> Cancel:
        """Connect to ``endpoint``; calls ``done`` once, perhaps at once, unless it is cancelled."""
        attempt = _Attempt(self._reactor, self._max_silence, done)
        if endpoint.unix_path is not None:
            attempt.resolved([(socket.AF_UNIX, socket.SOCK_STREAM, 0, "", endpoint.unix_path)])
        elif found := _address_of(endpoint):
            attempt.resolved(found)
        else:
            attempt.cancel_resolving = self._resolve(endpoint.host, endpoint.port, attempt.resolved)
        return attempt.cancel


def _address_of(endpoint: Endpoint) -> list[Address]:
    """The address that ``endpoint`` names itself; none where there is a name to be looked up.

    So a provider beside us costs no task of the host's.
    """
    try:
        return [
            *socket.getaddrinfo(
                endpoint.host, endpoint.port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST
            )
        ]
    except (OSError, UnicodeError):
        return []


def _nothing() -> None:
    """There is nothing to cancel."""


class _Attempt:
    """A name that is being looked up, then addresses that are being tried."""

    def __init__(
        self,
        reactor: Reactor,
        max_silence: float,
        done: Connected,
    ) -> None:
        self.cancel_resolving: Cancel = _nothing
        self._reactor = reactor
        self._max_silence = max_silence
        self._done = done
        self._race: AddressRace | None = None

    def resolved(self, found: list[Address] | OSError | UnicodeError) -> None:
        """Let the addresses run against each other."""
        if isinstance(found, OSError | UnicodeError):
            self._done(found)
            return
        self._race = AddressRace(self._reactor, found, self._max_silence, self._done)
        self._race.begin(self._reactor.now())

    def cancel(self) -> None:
        """Give up, wherever it is."""
        self.cancel_resolving()
        if self._race is not None:
            self._race.end(self._reactor.now())
