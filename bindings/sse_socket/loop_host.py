"""Run a readiness loop by itself: nothing runs beside it in its thread."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from sse_io.connector import Cancel, Resolved
from sse_io.readiness_loop import ReadinessLoop

from .lookups import look_up
from .server_handle import ServerHandle

#: Seconds: what is no deadline is looked at so often, as no system's call takes infinity.
_LONGEST_WAIT = 3600.0


class LoopHost:
    """Waits within the loop's own steps.  ``post`` is set before the first of them."""

    def __init__(self) -> None:
        self.now: Callable[[], float] = time.monotonic
        self.post: Callable[[Callable[[], None]], None]  #: ``ReadinessLoop.call_soon_threadsafe``

    def look_again(self) -> None:
        """Whoever calls the loop outside of a step is the thread that steps it next."""

    def resolve(self, host: str, port: int, done: Resolved) -> Cancel:
        """Look up ``host`` and ``port`` on a helper thread."""
        return look_up(host, port, done, self.post)

    def run(self, loop: ReadinessLoop, ending: Ending) -> None:
        """Step ``loop`` to its end."""
        while not loop.finished:
            now = time.monotonic()
            if now >= ending.deadline:
                break
            wait = min(loop.deadline, ending.deadline) - now
            loop.step(now, min(max(wait, 0.0), _LONGEST_WAIT))


class Ending:
    """How a loop ends when its ``handle`` is stopped.

    That takes ``drain`` and ``grace`` seconds at most; if ``stop`` was given a grace, that alone.
    """

    def __init__(self, loop: ReadinessLoop, handle: ServerHandle, drain: float, grace: float) -> None:
        self.deadline = math.inf  #: when to wait no longer
        self._loop = loop
        self._handle = handle
        self._drain = drain
        self._grace = grace
        self._hurried = False

    def look(self) -> None:
        """See whether the handle was stopped."""
        handle, now = self._handle, time.monotonic()
        if handle.grace is not None and not self._hurried:
            self._hurried = True
            self._loop.shut_down(now)
            self.deadline = now + handle.grace
        elif handle.stopping and self.deadline == math.inf:
            self._loop.shut_down(now, self._drain)
            self.deadline = now + self._drain + self._grace
