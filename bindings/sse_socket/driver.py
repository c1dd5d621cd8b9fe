"""Host one exchange: the thread that reads steps it, and any other may end it at any moment.

The machine and its connection are for one thread at a time: whoever has the lock.  The reader lets go of
it while it waits, and while it is busy elsewhere.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from sse_core.errors import LocalProtocolError, TransportError
from sse_http import Exchange
from sse_io.connect_errors import connect_failure
from sse_io.connector import Cancel, Connector, Resolved
from sse_io.exchange_driver import ExchangeDriver
from sse_io.owner import Owner
from sse_io.reactor import Reactor
from sse_io.socket_options import MAX_SILENCE
from sse_io.thread_calls import ThreadCalls
from sse_io.watcher import NestedSelector

from .lookups import look_up

#: Seconds: what is no deadline is looked at so often, as no system's call takes infinity.
_LONGEST_WAIT = 3600.0


class Driver:
    """The transport of one exchange, to be entered with ``with`` around whatever touches its machine.

    ``tls`` is the context for https; the system's authorities if ``None``.
    """

    def __init__(self, exchange: Exchange, tls: ssl.SSLContext | None = None) -> None:
        self._exchange = exchange
        self._tls = tls
        self._lock = threading.RLock()
        self._depth = 0  # how often the thread that has the lock has taken it
        self._waits = False
        self._open = False
        self._later: list[Callable[[], None]] = []
        self._errors: list[Exception] = []

    # The lock

    def __enter__(self) -> Self:
        self._lock.acquire()
        self._depth += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._depth == 1:
                self._do_what_was_left()
        finally:
            self._depth -= 1
            self._lock.release()

    def do(self, action: Callable[[], None]) -> None:
        """Do ``action``, which touches the machine.

        A signal's handler, and a function that the machine calls, may find their own thread amid the
        machine's work.  Then it is done as soon as that is over.
        """
        with self:
            if self._depth == 1:
                action()
            else:
                self._later.append(action)
                if self._open:  # it may be about to wait
                    self._calls.add(_nothing)

    def _do_what_was_left(self) -> None:
        while self._later:
            self._later.pop(0)()

    # The connection: all of this is called with the lock

    def begin(self) -> None:
        """The exchange has been started.  Raises ``TransportError`` where the system has no file left."""
        self._watcher = _Watcher()
        self._reactor = Reactor(time.monotonic, self._wake_reader, self._errors.append, self._watcher)
        try:
            self._calls = ThreadCalls(self._reactor)
        except OSError as error:
            self._watcher.close()
            raise connect_failure(error) from error
        self._open = True
        connector = Connector(self._reactor, self._resolve, MAX_SILENCE)
        self._driver = _ReadersDriver(self._reactor, connector, self._exchange, self._context, lambda _: None)
        self._driver.wake()

    @property
    def problem(self) -> TransportError | None:
        """How the connection failed, if it did."""
        return self._driver.problem

    def step(self) -> None:
        """Carry out what is wished for, until the deadline at most.

        Raises what a function of the reader's raised.
        """
        if self._depth > 1 or self._waits:
            raise LocalProtocolError("another one reads this stream already")
        if self._later or not self._open:
            self._do_what_was_left()
            return  # the wish may be another
        seconds = self._reactor.deadline - time.monotonic()
        if seconds > 0:
            self._wait(min(seconds, _LONGEST_WAIT))
        if self._open:
            self._reactor.step(time.monotonic())
        if self._errors:
            raise self._errors.pop(0)

    def leave(self) -> None:
        """The exchange was ended by its user: close its connection, and wake the thread that waits."""
        if self._open:
            self._driver.go_on(time.monotonic())  # which closes what is wished for no more
            self._wake_reader()

    def close(self) -> None:
        """The same, and let go of everything; idempotent."""
        if not self._open:
            return
        self.leave()
        self._driver.end(time.monotonic())
        self._open = False
        if not self._waits:
            self._release()

    def _wait(self, seconds: float) -> None:
        """Wait for the socket, without the lock."""
        self._waits = True
        self._depth = 0
        try:
            self._lock.release()
            self._watcher.wait(seconds)
        finally:
            self._lock.acquire()
            self._depth = 1
            self._waits = False
            if not self._open:
                self._release()

    def _release(self) -> None:
        now = time.monotonic()
        # The thread calls, and what an exception of a signal's handler may have left behind, amid anything.
        for owner in self._watcher.owners():
            owner.end(now)
        self._watcher.close()

    def _wake_reader(self) -> None:
        if self._waits:
            self._calls.add(_nothing)

    def _resolve(self, host: str, port: int, done: Resolved) -> Cancel:
        return look_up(host, port, done, self._calls.add)

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls


def _nothing() -> None:
    """There is something to look at."""


class _ReadersDriver(ExchangeDriver):
    """What a function of the reader's raises is the reader's, and no reason to try again."""

    def failed(self, error: Exception, now: float) -> None:  # noqa: ARG002  (the face of a driver)
        """The reader gets it, and may read on."""
        self._reactor.on_error(error)
        self._reactor.go_on(self)


class _Watcher(NestedSelector):
    """Waits by itself, before a step and without the lock; the step takes what was found then."""

    def __init__(self) -> None:
        super().__init__()
        self._found: list[tuple[Owner, int]] = []

    def wait(self, seconds: float) -> None:
        """Wait until a socket is ready, for so many seconds at most."""
        self._found = super().take_ready(seconds)

    def owners(self) -> list[Owner]:
        """Whose sockets are watched."""
        return [key.data for key in self._selector.get_map().values()]

    def take_ready(self, wait: float) -> list[tuple[Owner, int]]:
        """Who was ready, or is."""
        found, self._found = self._found, []
        return found or super().take_ready(wait)
