"""What a log has dropped, as the message that it made: for readers whose position is gone.

A gap alone leaves a reader without the beginning of the answer.  So the events that a log drops are read
once more, into a message of their own, which stands for all of them: what is dropped is one event each
time, what is kept is one message.
"""

from __future__ import annotations

from ..blocks import MessageAccumulator
from ..dialects import Dialect
from ..errors import ProtocolError
from ..framing import EventStreamDecoder, ServerSentEvent


class Snapshots:
    """Makes, of the events that a log has dropped, those that say the same in short.

    ``dialect`` is the protocol of the log's events.  ``accumulator`` is a new one; give one to set its
    bounds.  What breaks the protocol or a bound can't be told in short: from then on there is none.
    """

    def __init__(self, dialect: Dialect, *, accumulator: MessageAccumulator | None = None) -> None:
        self._accumulator = accumulator or MessageAccumulator()
        self._dialect = dialect
        self._frames = EventStreamDecoder()
        self._decoder = dialect.Decoder()
        self._known = True

    @property
    def retained_bytes(self) -> int:
        """What is kept for it."""
        return self._accumulator.message_bytes

    def dropped(self, entry: bytes) -> None:
        """The log has dropped this event; ``entry`` is its bytes."""
        if not self._known:
            return
        try:
            for sse in self._frames.receive_data(entry):
                for event in self._decoder.receive_event(sse):
                    self._accumulator.receive(event)
        except ProtocolError:
            self._known = False
            self._accumulator = MessageAccumulator()

    def events(self) -> list[ServerSentEvent]:
        """What was dropped, in short; nothing, where it can't be told."""
        if not self._known:
            return []
        encoder = self._dialect.Encoder()
        return [sse for event in self._accumulator.snapshot() for sse in encoder.send(event)]
