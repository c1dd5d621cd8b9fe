"""What the decoders of this project share: an end is an end, and an event that can't be read is the last."""

from __future__ import annotations

from abc import ABC, abstractmethod

from ..blocks.events import BlockEvent, StreamError
from ..errors import LimitExceeded, RemoteProtocolError
from ..framing import ServerSentEvent

#: Characters of an event that can't be read that the error quotes.
_EXCERPT = 100


class StreamDecoder(ABC):
    """A decoder of one stream."""

    def __init__(self) -> None:
        self._ended = False  # nothing more counts
        self._broken = False  # an event was not read, or half of it: what it said is missing from all others

    def receive_event(self, sse: ServerSentEvent) -> list[BlockEvent]:
        """The block events that ``sse`` stands for; none after the message's end.

        Raises ``RemoteProtocolError`` (status 502) for an event that can't be read: its data is no JSON
        object, or lacks what it needs, or it can't come now.  ``LimitExceeded`` beyond a bound.
        """
        if self._ended or self._broken:
            return []
        try:
            events = self._read(sse)
        except (LimitExceeded, RemoteProtocolError):
            self._broken = True
            raise
        except ValueError as error:
            self._broken = True
            excerpt = ascii(sse.data[:_EXCERPT])
            raise RemoteProtocolError(f"unreadable event {excerpt}: {error!s:.200}", status=502) from None
        if events:
            # An error has the source itself: whoever sends an error without one made it himself.
            carrier = events[-1] if isinstance(events[-1], StreamError) else events[0]
            carrier.source = carrier.source or sse
        return events

    @abstractmethod
    def _read(self, sse: ServerSentEvent) -> list[BlockEvent]:
        """The block events of ``sse``.  Raises ``ValueError`` where it can't be read."""


class ChoicesDecoder(StreamDecoder):
    """A decoder of one stream that may have several answers.

    - ``max_choices``: how many, at most.
    """

    def __init__(self, max_choices: int) -> None:
        super().__init__()
        self.max_choices = max_choices

    def _check_choices(self, count: int) -> None:
        """Raise ``LimitExceeded`` (status 502) where another answer begins beyond the bound."""
        if count >= self.max_choices:
            message = f"the stream has more than max_choices={self.max_choices}"
            raise LimitExceeded(message, limit="max_choices", bound=self.max_choices, status=502)


def of_choice(index: int, events: list[BlockEvent]) -> list[BlockEvent]:
    """``events``, which are of the answer with this index."""
    for event in events:
        event.choice = index
    return events
