"""Comments and events in the order of the stream, whatever the chunks are.

Comments go to a callback, events into a list.  If it were called while the list is made, the comments
of a chunk would all come before its events, and those of the same stream byte by byte would not.  So a
comment behind an event waits until whoever iterates over the list has come past that event.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from .event import ServerSentEvent


class Comments:
    """Calls back for comments: at once, or behind the events that a call is about to give."""

    __slots__ = ("_listener", "_waiting")

    def __init__(self, listener: Callable[[str], None]) -> None:
        self._listener = listener
        self._waiting: deque[tuple[int, str]] = deque()  # how many events come before each

    def __bool__(self) -> bool:
        """Whether some are waiting."""
        return bool(self._waiting)

    def receive(self, text: str, events: list[ServerSentEvent]) -> None:
        """One more, which stands behind ``events``."""
        if events:
            self._waiting.append((len(events), text))
        else:
            self._listener(text)

    def deliver(self, count: int | None = None) -> None:
        """Call back for those that stand before event number ``count``, or of all."""
        while self._waiting and (count is None or self._waiting[0][0] <= count):
            self._listener(self._waiting.popleft()[1])


class EventList(list[ServerSentEvent]):
    """The events of one call, with the comments between them."""

    __slots__ = ("_comments",)

    def __init__(self, comments: Comments) -> None:
        super().__init__()
        self._comments = comments

    def __iter__(self) -> Iterator[ServerSentEvent]:
        for number, event in enumerate(super().__iter__()):
            self._comments.deliver(number)
            yield event
        self._comments.deliver(len(self))

    def __eq__(self, other: object) -> bool:
        self._comments.deliver()  # to compare a list is to look at all of it
        return super().__eq__(other)

    __hash__ = None
