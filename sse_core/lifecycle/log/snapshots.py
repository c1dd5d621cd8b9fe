"""What a log has dropped, as the message that it made: for readers whose position is gone.

A gap alone leaves a reader without the beginning of the answer.  So the events that a log drops are read
once more, into a message of their own, which stands for all of them: what is dropped is one event each
time, what is kept is one message.

The end of a message is not shortened.  From the event on that says why it ended, there are a few more with
facts about all of it, and an encoder may write those when the message stops and no earlier.  Whoever is cut
off between them would lose them; so these few are kept as they are.
"""

from __future__ import annotations

from ...blocks import Block, BlockEvent, MessageAccumulator, MessageDelta, MessageReset
from ...dialects import Dialect
from ...dialects.event_codec import held_events
from ...errors import ProtocolError
from ...framing import EventStreamDecoder, ServerSentEvent, encode_event

#: Bytes of the data of a message's last events that are kept.
MAX_END_BYTES = 64 * 1024


class Snapshots:
    """Makes, of the events that a log has dropped, those that say the same in short.

    - ``dialect``: the protocol of the log's events.
    - ``accumulator``: a new one; give one to set its bounds.
    - ``reset``: the type of the events, if there are any, that take back all that came before them: no
      protocol has a form for ``MessageReset``, so whoever fills the log says it in an event of their own.

    What breaks the protocol or a bound can't be shortened: from then on there is no snapshot.
    """

    def __init__(
        self, dialect: Dialect, *, accumulator: MessageAccumulator | None = None, reset: str | None = None
    ) -> None:
        self._accumulator = accumulator or MessageAccumulator()
        self._dialect = dialect
        self._reset = reset
        self._frames = EventStreamDecoder()
        self._decoder = dialect.Decoder()
        self._end: list[ServerSentEvent] = []
        self._end_bytes = 0
        self._pending: list[BlockEvent] = []  # what the decoder held back when the end began
        self._known = True
        self._made: tuple[int, bytes] | None = None  # for all who ask before more is dropped

    @property
    def retained_bytes(self) -> int:
        """What is kept for it."""
        made = 0 if self._made is None else len(self._made[1])
        return self._accumulator.message_bytes + self._end_bytes + made

    def dropped(self, entry: bytes) -> None:
        """The log has dropped this event; ``entry`` is its bytes."""
        if not self._known:
            return
        self._made = None
        try:
            for sse in self._frames.receive_data(entry):
                self._receive(sse)
        except ProtocolError:
            self.forget()

    def forget(self) -> None:
        """Keep nothing: from now on there is no snapshot."""
        self._known = False
        self._accumulator = MessageAccumulator()
        self._end, self._end_bytes, self._pending = [], 0, []
        self._made = None

    def settle(self, last_id: str | None) -> None:
        """Nothing more will be dropped: keep the snapshot, made now, and nothing else."""
        made = self.in_short(last_id)
        self.forget()
        self._frames.reset()
        self._decoder = self._dialect.Decoder()
        self._made = made

    def _receive(self, sse: ServerSentEvent) -> None:
        if sse.type == self._reset:
            self._accumulator.receive(MessageReset())
            self._decoder = self._dialect.Decoder()
            self._end, self._end_bytes = [], 0
            return
        events = self._decoder.receive_event(sse)
        if self._end or any(_is_of_the_end(event) for event in events):
            if not self._end:
                self._pending = held_events(self._decoder)
            self._end.append(sse)
            self._end_bytes += len(sse.data.encode())
            if self._end_bytes > MAX_END_BYTES:
                self.forget()
            return
        for event in events:
            self._accumulator.receive(event)

    def events(self) -> list[ServerSentEvent]:
        """What was dropped, in short; nothing, where no protocol has a form for it."""
        if not self._known:
            return []
        encoder = self._dialect.Encoder()
        pending = self._pending if self._end else held_events(self._decoder)
        message = [*self._accumulator.snapshot(), *pending]
        short = [sse for event in message for sse in encoder.send(event)]
        return [*short, *self._end] if self._says_the_same(short, message) else []

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


def _blocks(events: list[BlockEvent]) -> list[Block]:
    accumulator = MessageAccumulator()
    for event in events:
        accumulator.receive(event)
    return accumulator.message.blocks


def _is_of_the_end(event: BlockEvent) -> bool:
    return isinstance(event, MessageDelta) and bool(event.stop_reason)
