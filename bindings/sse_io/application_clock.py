"""The application's own deadline, and the exchanges that it has come to want."""

from __future__ import annotations

import math
from collections.abc import Callable

from sse_http import Application, Drains, Exchange, no_waker

from .owner import Owner
from .reactor import Reactor

#: Seconds until an application is called again after it raised: its deadline may be due for ever.
PAUSE_AFTER_ERROR = 1.0


class ApplicationClock(Owner):
    """Keeps ``application``'s time; ``drive`` is called with each exchange that it wants driven."""

    __slots__ = ("_application", "_close_at", "_drive", "_paused_until", "_reactor", "ended")

    def __init__(self, reactor: Reactor, application: Application, drive: Callable[[Exchange], None]) -> None:
        super().__init__()
        self.ended: bool = False
        self._reactor = reactor
        self._application = application
        self._drive = drive
        self._paused_until = -math.inf
        self._close_at = math.inf
        application.waker = self._wake
        self._wake()

    def _wake(self) -> None:
        """It has new exchanges, or another deadline, which is read when it is amid nothing."""
        for exchange in self._application.upstreams():
            self._drive(exchange)
        self._reactor.go_on(self)

    def due(self, now: float) -> None:
        """Its deadline has come, or its end."""
        if now >= self._close_at:
            self.close_application(now)
        else:
            self._call(self._application.handle_timeout, now)

    def go_on(self, now: float) -> None:
        """Its deadline may be another."""
        self._call(_nothing, now)

    def _call(self, action: Callable[[float], None], now: float) -> None:
        """Do ``action``, and look at the deadline.  An error in either ends nothing: connections go on."""
        try:
            action(now)
            deadline = self._application.deadline
        except Exception as error:  # noqa: BLE001
            self._reactor.on_error(error)
            deadline = self._paused_until = now + PAUSE_AFTER_ERROR
        # Whatever wakes it meanwhile: else each event of a stream would make it raise again.
        due = math.inf if deadline is None else max(deadline, self._paused_until)
        self._reactor.set_deadline(self, min(due, self._close_at))

    def drain(self, now: float, seconds: float) -> None:
        """It is told of its end, and closed after so many ``seconds``, or at once if there are none."""
        if not self.ended and isinstance(self._application, Drains):
            self._call(self._application.drain, now)
        self.close_within(now, seconds)

    def close_within(self, now: float, seconds: float) -> None:
        """It is closed after so many ``seconds``, or when it was to be closed before."""
        if seconds <= 0:
            self.close_application(now)
        elif not self.ended:
            self._close_at = min(self._close_at, now + seconds)
            self._call(_nothing, now)

    def close_application(self, now: float) -> None:
        """It begins nothing any more, and ends what it has begun; idempotent."""
        if self.ended:
            return
        self.ended = True
        self._close_at = math.inf
        self._application.waker = no_waker
        self._call(self._application.close, now)

    def end(self, now: float) -> None:
        """Leave the application alone."""
        self.close_application(now)
        self._reactor.forget(self)


def _nothing(now: float) -> None:
    """Nothing has happened but that it was woken."""
