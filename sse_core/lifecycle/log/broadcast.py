"""One stream for many readers, with no provider behind it: the progress of a long job, notifications.

It is a log that nobody fills but its owner, who can't be made to pause.  So readers hold nothing: what
goes beyond the bounds is dropped, and a reader who hasn't taken it is sent an event ``gap``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from ...framing import ServerSentEvent
from ..retry import Jitter, no_jitter
from .event_log import EventLog
from .subscription import Subscription, SubscriptionSettings
from .turn_log import TurnLog


class Broadcast:
    """Events for whoever subscribes.

    - ``epoch``: the name of the stream within its event IDs; give a new one after a restart, so that an ID
      from before it is not taken for a position now.
    - ``log``: one of your own, in place of one in memory; it has an epoch and bounds itself, and its readers
      hold nothing.
    - ``max_bytes``, ``max_events``: bound what is kept for those who come later or read slowly.
    - ``settings``, ``jitter``: the readers'.

    Raises ``ValueError`` for what :class:`.turn_log.TurnLog` refuses, and for an ``epoch`` beside a ``log``.
    """

    def __init__(
        self,
        epoch: str = "",
        *,
        log: EventLog | None = None,
        max_bytes: int = 4 * 1024 * 1024,
        max_events: int = 100_000,
        settings: SubscriptionSettings | None = None,
        jitter: Jitter = no_jitter,
    ) -> None:
        if log is None:
            log = TurnLog(epoch, max_bytes=max_bytes, max_events=max_events, readers_hold=False)
        elif epoch:
            raise ValueError("a log has an epoch of its own: give one or the other")
        self.log = log
        self._settings = settings
        self._jitter = jitter

    def publish(self, events: Iterable[ServerSentEvent], now: float) -> None:
        """Give these events to all readers, and keep them for those who come.

        Raises ``LocalProtocolError`` after ``close``, and ``ValueError`` for an event that can't be
        written; those before it are published.
        """
        try:
            self.log.append(*events)
        finally:
            self.log.announce(now)

    def close(self, now: float) -> None:
        """No event will follow: readers are given what there is, and that is the end."""
        self.log.close(now)

    def subscribe(
        self,
        now: float,
        *,
        last_event_id: str = "",
        join: Literal["start", "now"] = "start",
        waker: Callable[[], None] | None = None,
    ) -> Subscription:
        """A reader, who goes on after ``last_event_id`` if that is an ID of this stream.

        Else ``join`` says from where: from the ``start``, as far as it is kept, or from ``now``.
        """
        position = self.log.position_of(last_event_id)
        if position is None:
            position = 0 if join == "start" else self.log.last
        return Subscription(
            self.log, now, after=position, settings=self._settings, waker=waker, jitter=self._jitter
        )
