"""Calls from other threads, which the loop makes when their turn comes."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import deque
from collections.abc import Callable

from .owner import READ, Owner
from .reactor import Reactor


class ThreadCalls(Owner):
    """A queue of calls, and a pair of sockets that makes the loop look at it.

    ``deque`` is safe to be used by many threads at once.  The sockets are not closed while another thread
    sends: their descriptors may be somebody else's a moment later.
    """

    __slots__ = ("_calls", "_closing", "_ours", "_reactor", "_theirs", "ended")

    def __init__(self, reactor: Reactor) -> None:
        self._ours, self._theirs = socket.socketpair()
        super().__init__(self._ours)
        self.ended: bool = False
        self._reactor = reactor
        self._calls: deque[Callable[[], None]] = deque()
        self._closing = threading.RLock()  # a signal's handler may come in between, in the same thread
        self._ours.settimeout(0)
        self._theirs.settimeout(0)
        reactor.watch(self, READ)

    def add(self, call: Callable[[], None]) -> None:
        """Have ``call`` made by whoever steps the loop; its errors are reported there.

        Raises ``RuntimeError`` if the loop is closed.
        """
        with self._closing:
            if self.ended:
                raise RuntimeError("the loop is closed")
            self._calls.append(call)
            with contextlib.suppress(BlockingIOError):  # then enough bytes are there already
                self._theirs.send(b"x")

    def ready(self, mask: int, now: float) -> None:  # noqa: ARG002  (the face of an owner)
        """Make the calls that there are; those that come up meanwhile have a byte of their own."""
        self._ours.recv(65536)
        for _ in range(len(self._calls)):
            try:
                self._calls.popleft()()
            except Exception as error:  # noqa: BLE001  (one call's trouble is no other's)
                self._reactor.on_error(error)

    def end(self, now: float) -> None:  # noqa: ARG002  (the face of an owner)
        """Make no more calls; idempotent."""
        with self._closing:
            if not self.ended:
                self.ended = True
                self._reactor.forget(self)
                self._ours.close()
                self._theirs.close()
