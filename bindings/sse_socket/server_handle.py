"""What other threads and signals' handlers need of a running server."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

from sse_io.readiness_loop import ReadinessLoop


class ServerHandle:
    """Is passed to one :func:`serve`, and says and does from any thread what concerns it.

    No lock is taken by ``stop``, so a signal's handler may call it, too.
    """

    def __init__(self) -> None:
        self.stopping: bool = False  #: whether ``stop`` was called
        self.grace: float | None = None  #: what ``stop`` was given
        self._loop: ReadinessLoop | None = None
        self._port = 0
        self._on_stop: Callable[[], None] = _nothing
        self._begun = threading.Event()

    def wait_until_started(self, timeout: float | None = None) -> int:
        """Wait until it listens, for ``timeout`` seconds at most; returns the port, 0 for a Unix socket.

        Raises ``TimeoutError``, and ``RuntimeError`` if ``serve`` has ended, or could not begin.
        """
        if not self._begun.wait(timeout):
            raise TimeoutError("the server doesn't listen yet")
        if self._loop is None:
            raise RuntimeError("the server has ended")
        return self._port

    def stop(self, grace: float | None = None) -> None:
        """Have ``serve`` end; idempotent.

        ``grace`` is in place of ``serve``'s own and of its ``drain``, even of one that has begun: seconds for
        what is still to be said, 0 to end at once.
        """
        if grace is not None:
            self.grace = grace
        self.stopping = True
        with contextlib.suppress(RuntimeError):  # it has ended already, or has yet to begin
            self.call_soon(self._on_stop)

    def call_soon(self, function: Callable[[], None]) -> None:
        """Have ``function``, which must not wait, called in the server's thread.

        A :class:`sse_core.lifecycle.Broadcast` belongs to that thread: so are its events published, with
        ``time.monotonic()`` as ``now``.  Raises ``RuntimeError`` if nothing is being served.
        """
        loop = self._loop
        if loop is None:
            raise RuntimeError("nothing is being served")
        loop.call_soon_threadsafe(function)

    # What serve calls

    def began(self, loop: ReadinessLoop, port: int, on_stop: Callable[[], None]) -> None:
        """It listens.  Each ``stop`` has ``on_stop`` called, in the order in which other threads call."""
        self._port = port
        self._on_stop = on_stop
        self._loop = loop
        self._begun.set()

    def ended(self) -> None:
        """It has ended, or could not begin."""
        self._loop = None
        self._begun.set()


def _nothing() -> None:
    """Nothing is being served."""
