"""What a log has dropped, as the message that it made: for readers whose position is gone.

A gap alone leaves a reader without the beginning of the answer.  So the events that a log drops are read
once more, into a message of their own, which stands for all of them: what is dropped is one event each
time, what is kept is one message.

The end of a message is not shortened.  From the event on that says why it ended, there are a few more with
facts about all of it, and an encoder may write those when the message stops and no earlier.  Whoever is cut
off between them would lose them; so these few are kept as they are.
"""

from __future__ import annotations

from collections.abc import Callable

from ...blocks import Block, BlockEvent, MessageAccumulator, MessageDelta, MessageReset
from ...dialects import Dialect
from ...dialects.event_codec import held_events
from ...errors import LimitExceeded, ProtocolError
from ...framing import EventStreamDecoder, ServerSentEvent, encode_event

#: Bytes of the data of a message's last events that are kept.
MAX_END_BYTES = 64 * 1024


class Snapshots:
    """Makes, of the events that a log has dropped, those that say the same in short.

    - ``dialect``: the protocol of the log's events.
    - ``new_accumulator``: makes the message's; give one to set its bounds.
    - ``reset``: the type of the events, if there are any, that take back all that came before them: no
      protocol has a form for ``MessageReset``, so whoever fills the log says it in an event of their own.

    What breaks the protocol or a bound can't be shortened: from then on there is no snapshot.
    """

    def __init__(
        self,
        dialect: Dialect,
        *,
        new_accumulator: Callable[[], MessageAccumulator] = MessageAccumulator,
        reset: str | None = None,
    ) -> None:
        self._dialect = dialect
        self._new_accumulator = new_accumulator
        self._reset = reset
        self._known = True
        self._dropped: _Dropped | None = None  # most logs drop nothing
        self._made: tuple[int, bytes] | None = None  # for all who ask before more is dropped

    @property
    def retained_bytes(self) -> int:
        """What is kept for it."""
        made = 0 if self._made is None else len(self._made[1])
        return made + (0 if self._dropped is None else self._dropped.retained_bytes)

    def dropped(self, entry: bytes) -> None:
        """The log has dropped this event; ``entry`` is its bytes."""
        if not self._known:
            return
        self._made = None
        if self._dropped is None:
            self._dropped = _Dropped(self._dialect, self._new_accumulator(), self._reset)
        try:
            self._dropped.receive(entry)
        except ProtocolError:
            self.forget()

    def forget(self) -> None:
        """Keep nothing: from now on there is no snapshot."""
        self._known = False
        self._dropped = self._made = None

    def settle(self, last_id: str | None) -> None:
        """Nothing more will be dropped: keep the snapshot, made now, and nothing else."""
        made = self.in_short(last_id)
        self.forget()
        self._made = made

    def events(self) -> list[ServerSentEvent]:
        """What was dropped, in short; nothing, where no protocol has a form for it."""
        if self._dropped is None:
            return []
        encoder, message = self._dialect.Encoder(), self._dropped.message()
        short = [sse for event in message for sse in encoder.send(event)]
        return [*short, *self._dropped.end] if self._says_the_same(short, message) else []

    def in_short(self, last_id: str | None) -> tuple[int, bytes]:
        """What was dropped, in short: in how many events, and their bytes; ``last_id`` is the last one's ID.

        They are made once for all readers who ask before more is dropped.
        """
        if self._made is None:
            events = self.events()
            pieces = [
                encode_event(event.data, event=event.type, id=last_id if event is events[-1] else None)
                for event in events
            ]
            self._made = len(events), b"".join(pieces)
        return self._made

    def _says_the_same(self, short: list[ServerSentEvent], message: list[BlockEvent]) -> bool:
        """Whether who reads ``short`` has the same blocks; not every protocol has a form for each message."""
        decoder = self._dialect.Decoder()
        try:
            read = [event for sse in short for event in decoder.receive_event(sse)]
            return _blocks([*read, *held_events(decoder)]) == _blocks(message)
        except ProtocolError:
            return False


class _Dropped:
    """What was dropped so far: a message, and its last events as they were.  For arguments see Snapshots."""

    def __init__(self, dialect: Dialect, accumulator: MessageAccumulator, reset: str | None) -> None:
        self.end: list[ServerSentEvent] = []
        self._end_bytes = 0
        self._dialect = dialect
        self._accumulator = accumulator
        self._reset = reset
        self._frames = EventStreamDecoder()
        self._decoder = dialect.Decoder()
        self._pending: list[BlockEvent] = []  # what the decoder held back when the end began

    @property
    def retained_bytes(self) -> int:
        """Of the message and its last events."""
        return self._accumulator.message_bytes + self._end_bytes

    def message(self) -> list[BlockEvent]:
        """The message, without what its last events say."""
        pending = self._pending if self.end else held_events(self._decoder)
        return [*self._accumulator.snapshot(), *pending]

    def receive(self, entry: bytes) -> None:
        """Read the bytes of an event.  Raises ``ProtocolError`` where that can't be."""
        for sse in self._frames.receive_data(entry):
            self._receive(sse)

    def _receive(self, sse: ServerSentEvent) -> None:
        if sse.type == self._reset:
            self._accumulator.receive(MessageReset())
            self._decoder = self._dialect.Decoder()
            self.end, self._end_bytes = [], 0
            return
        events = self._decoder.receive_event(sse)
        if self.end or any(_is_of_the_end(event) for event in events):
            if not self.end:
                self._pending = held_events(self._decoder)
            self.end.append(sse)
            self._end_bytes += len(sse.data.encode())
            if self._end_bytes > MAX_END_BYTES:
                message = f"the end of a message is too long (limit: MAX_END_BYTES={MAX_END_BYTES})"
                raise LimitExceeded(message, limit="MAX_END_BYTES", bound=MAX_END_BYTES)
            return
        for event in events:
            self._accumulator.receive(event)


def _blocks(events: list[BlockEvent]) -> list[Block]:
    accumulator = MessageAccumulator()
    for event in events:
        accumulator.receive(event)
    return accumulator.message.blocks


def _is_of_the_end(event: BlockEvent) -> bool:
    return isinstance(event, MessageDelta) and bool(event.stop_reason)
