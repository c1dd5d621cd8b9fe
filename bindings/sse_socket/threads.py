"""A bounded pool of threads: for handlers, and for lookups, which nothing can interrupt.

Its threads are daemons, unlike those of ``concurrent.futures``: one that hangs in somebody's code, or in
``getaddrinfo``, keeps no process from its end.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

#: Seconds after which a thread that has nothing to do ends.
IDLE = 1.0


class Threads:
    """Does work in the order in which it comes, on threads that are begun when they are needed.

    - ``max_threads``: how many there are at most; while all of them are busy, work waits.
    - ``name``: of each of them.
    """

    def __init__(self, max_threads: int, name: str) -> None:
        self._max_threads = max_threads
        self._name = name
        self._changed = threading.Condition()
        self._work: OrderedDict[Callable[[], None], None] = OrderedDict()
        self._threads = 0
        self._idle = 0
        self._closed = False

    def submit(self, work: Callable[[], None]) -> None:
        """Have ``work``, which raises nothing, done on a thread.

        Raises ``RuntimeError`` if there is none and the system gives none.
        """
        with self._changed:
            self._work[work] = None
            if self._idle >= len(self._work) or self._threads >= self._max_threads:
                self._changed.notify()
                return
            self._threads += 1
        thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        try:
            thread.start()
        except RuntimeError:
            self._forget_thread()
            if not self._threads and self.withdraw(work):  # or whoever is there does it
                raise

    def withdraw(self, work: Callable[[], None]) -> bool:
        """Don't do it; whether that was in time."""
        with self._changed:
            if work not in self._work:
                return False
            del self._work[work]
            return True

    def close(self) -> None:
        """Begin nothing any more; who has nothing to do ends."""
        with self._changed:
            self._closed = True
            self._work.clear()
            self._changed.notify_all()

    def _run(self) -> None:
        try:
            while (work := self._next()) is not None:
                work()
        finally:
            self._forget_thread()

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            while not self._work:
                if self._closed:
                    return None
                self._idle += 1
                notified = self._changed.wait(IDLE)
                self._idle -= 1
                if not notified and not self._work:
                    return None
            return self._work.popitem(last=False)[0]

    def _forget_thread(self) -> None:
        with self._changed:
            self._threads -= 1
