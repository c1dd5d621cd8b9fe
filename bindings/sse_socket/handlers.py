"""Run plain handlers: a thread for each request, of a bounded pool.

The answer belongs to the loop's thread.  So a handler's thread has each of its items passed on there, and
waits until that is done and there is room for another: nothing piles up, and the pace is the reader's.

Nothing can interrupt a thread.  When its reader has gone, an iterator is closed at once if it waits for room,
and else at its next item.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from sse_http import EventItem, HandlerAnswer
from sse_io.handler_application import HandlerCall

from .error_log import report
from .threads import Threads


class HandlerThreads:
    """The threads of all handlers of one server; ``post`` is set before the first of them is started.

    ``max_threads`` is how many there are; further requests wait, in order.  There can be no more of these
    than connections.
    """

    def __init__(self, max_threads: int) -> None:
        self.post: Callable[[Callable[[], None]], None]  #: ``ReadinessLoop.call_soon_threadsafe``
        self._threads = Threads(max_threads, "sse_socket handler")
        self._runs: set[_Run] = set()

    def start(self, call: HandlerCall) -> None:
        """Begin to run ``call``, on a thread, later than now: its reader may be about to be seen to go."""
        run = _Run(call, self.post, self._ended)
        self._runs.add(run)
        call.cancel = partial(self._cancel, run)
        self.post(partial(self._submit, run))

    def close(self) -> None:
        """The loop is closed: let every thread end that waits for it."""
        self._threads.close()
        for run in self._runs:
            run.abandon()

    def _submit(self, run: _Run) -> None:
        if run.cancelled:
            self._ended(run)
            return
        try:
            self._threads.submit(run)
        except RuntimeError as error:  # the system has no thread left
            report(error)
            run.call.answer.fail()
            self._ended(run)

    def _cancel(self, run: _Run) -> None:
        run.cancel()
        if self._threads.withdraw(run):  # it waited for a thread
            self._ended(run)

    def _ended(self, run: _Run) -> None:
        self._runs.discard(run)
        run.call.finished()


class _Gone(Exception):
    """Nobody wants this answer any more."""


class _Run:
    """One handler on its thread.  ``ended`` is called in the loop's thread."""

    __slots__ = ("_ended", "_owes_room", "_post", "_results", "call", "cancelled")

    def __init__(
        self,
        call: HandlerCall,
        post: Callable[[Callable[[], None]], None],
        ended: Callable[[_Run], None],
    ) -> None:
        self.call = call
        self._post = post
        self._ended = ended
        self._results: queue.SimpleQueue[tuple[Any, Exception | None]] = queue.SimpleQueue()
        self._owes_room = False
        self.cancelled: bool = False

    # In the loop's thread

    def cancel(self) -> None:
        """The reader has gone, or has all; idempotent."""
        self.cancelled = True
        if self._owes_room:
            self.abandon()

    def abandon(self) -> None:
        """Whatever the thread waits for won't come."""
        self._owes_room = False
        self._results.put((None, _Gone()))

    def _do(self, action: Callable[[float], object]) -> None:
        """What the thread waits for."""
        if self.cancelled:
            self.abandon()
            return
        try:
            result = action(time.monotonic())
        except Exception as error:  # noqa: BLE001  (it is the handler's, and its thread reports it)
            self._results.put((None, error))
            return
        if self._answer.full and not self._answer.closed:  # in that very call, its reader may be seen to go
            self._owes_room = True
        else:
            self._results.put((result, None))

    def _has_room(self) -> None:
        if self._owes_room:
            self._owes_room = False
            self._results.put((None, None))

    # In its own

    def __call__(self) -> None:
        try:
            self._run()
        except _Gone:
            pass
        except BaseException as error:  # noqa: BLE001  (sys.exit() in a handler ends no server, nor a thread)
            report(error)
            self._tell(self._answer.fail)
        finally:
            self._tell(partial(self._ended, self))

    @property
    def _answer(self) -> HandlerAnswer:
        return self.call.answer

    def _run(self) -> None:
        result = self.call.begin()
        events = self._in_loop(partial(self.call.take_blocking, result))
        if events is not None:
            self._pump(events)

    def _pump(self, events: Iterable[EventItem]) -> None:
        """Pull ``events`` into the answer, as fast as the reader takes them."""
        items = iter(events)
        try:
            if not self._in_loop(self._begin):
                return
            for item in items:
                self._in_loop(partial(self._answer.receive, item))
        finally:
            close = getattr(items, "close", None)
            if close is not None:
                close()
        self._in_loop(self._answer.finish)

    def _begin(self, now: float) -> bool:
        self._answer.on_room = self._has_room
        return self._answer.begin(now)

    def _in_loop(self, action: Callable[[float], Any]) -> Any:
        """What ``action`` gives in the loop's thread, as soon as there is room for another item."""
        self._tell(partial(self._do, action), or_raise=True)
        result, error = self._results.get()
        if error is not None:
            raise error
        return result

    def _tell(self, call: Callable[[], None], *, or_raise: bool = False) -> None:
        try:
            self._post(call)
        except RuntimeError:  # the loop is closed
            if or_raise:
                raise _Gone from None
