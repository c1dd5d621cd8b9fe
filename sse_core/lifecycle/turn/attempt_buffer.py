"""What an attempt has brought that nobody has seen: held back, so that another can take its place."""

from __future__ import annotations

from ...blocks import BlockEvent, MessageAccumulator, Ping
from ...errors import LimitExceeded


class AttemptBuffer:
    """The block events of one attempt before its first visible one, each checked when it comes.

    An event that breaks the rules must be found before any of them is given out: half of an attempt,
    given out, could not be taken back, and the next attempt would begin a second message.

    - ``like``: the accumulator that they are meant for: its bounds hold here too.
    - ``max_events``, ``max_bytes`` (of their data as it came): bound what is held back.
    """

    __slots__ = ("_bytes", "_events", "_max_bytes", "_max_events", "_rules")

    def __init__(self, like: MessageAccumulator, *, max_events: int, max_bytes: int) -> None:
        self._events: list[BlockEvent | str] = []  # a comment is its text
        self._bytes = 0
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._rules = MessageAccumulator(
            # Arguments are parsed once, and not here.
            parse_json=lambda _: None,
            max_message_bytes=like.max_message_bytes,
            max_blocks=like.max_blocks,
            max_choices=like.max_choices,
        )

    def check(self, event: BlockEvent) -> None:
        """See whether ``event`` may follow.

        Raises ``RemoteProtocolError`` or ``LimitExceeded`` where it may not.
        """
        self._rules.receive(event)

    def hold(self, event: BlockEvent) -> None:
        """Keep ``event``.  Raises as ``check`` does, and ``LimitExceeded`` where it is too much."""
        self.check(event)
        if isinstance(event, Ping) and self._events and isinstance(self._events[-1], Ping):
            # A model that thinks for an hour pings for an hour; a second ping says no more.
            return
        self._add(event, 0 if event.source is None else len(event.source.data.encode()))

    def hold_comment(self, text: str) -> None:
        """Keep a comment, in its place among the events.  Raises ``LimitExceeded`` where it is too much."""
        self._add(text, len(text.encode()))

    def _add(self, event: BlockEvent | str, size: int) -> None:
        self._bytes += size
        if len(self._events) >= self._max_events:
            raise _too_much("max_held_events", self._max_events)
        if self._bytes > self._max_bytes:
            raise _too_much("max_held_bytes", self._max_bytes)
        self._events.append(event)

    def __bool__(self) -> bool:
        """Whether anything is held back."""
        return bool(self._events)

    def take(self) -> list[BlockEvent | str]:
        """All that is held back, which then is nothing any more."""
        events, self._events = self._events, []
        return events


def _too_much(limit: str, bound: int) -> LimitExceeded:
    message = f"too much came before anything visible: more than {limit}={bound}"
    return LimitExceeded(message, limit=limit, bound=bound)
