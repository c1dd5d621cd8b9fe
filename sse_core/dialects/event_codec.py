"""What makes block events of a stream's events, and a stream's events of block events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ..blocks.events import BlockEvent
from ..framing import ServerSentEvent


class EventDecoder(Protocol):
    """Makes block events of one stream's events."""

    def receive_event(self, sse: ServerSentEvent) -> list[BlockEvent]:
        """The block events that ``sse`` stands for.  Events after the message's end give none.

        Raises ``RemoteProtocolError`` for an event that the protocol has no room for.
        """

    def receive_eof(self) -> list[BlockEvent]:
        """The stream has ended: if the message had not, the events of its end.

        That is a ``MessageCut``, or a ``MessageStop`` where the protocol says that the message is whole.
        """


class HoldingDecoder(EventDecoder, Protocol):
    """A decoder that holds something back until more has come, and can give it out sooner."""

    def held_events(self) -> list[BlockEvent]:
        """What was held back until now, as a cut would give it out; nothing after the end.

        Calling this changes nothing: it stays held back.
        """


def held_events(decoder: EventDecoder | HoldingDecoder) -> list[BlockEvent]:
    """What ``decoder`` holds back, if it is one that does."""
    method: Callable[[], list[BlockEvent]] | None = getattr(decoder, "held_events", None)
    return [] if method is None else method()


class EventEncoder(Protocol):
    """Makes one stream's events of block events."""

    def send(self, event: BlockEvent) -> list[ServerSentEvent]:
        """The events that stand for ``event``."""


class EncoderFactory(Protocol):
    """Makes an encoder.

    - ``verbatim``: the events come from a decoder of the same dialect, so their ``source`` is sent on
      unchanged where they have one.
    """

    def __call__(self, *, verbatim: bool = False) -> EventEncoder:
        """A new encoder."""
