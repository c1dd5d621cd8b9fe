"""What becomes of the pieces of a stream, whoever waits for them: events, or block events and a message."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, Protocol, TypeVar

from .blocks import BlockEvent, Message, MessageAccumulator, MessageCut
from .errors import SSEError
from .framing import EventStreamDecoder, ServerSentEvent
from .lifecycle.turn.answer_stream import AnswerStream

Item_co = TypeVar("Item_co", covariant=True)


class ChunkReader(Protocol[Item_co]):
    """Makes items of bytes."""

    @property
    def ended(self) -> bool:
        """Whether nothing that may still come is of interest."""

    def receive(self, chunk: bytes) -> Iterator[Item_co]:
        """What the next bytes give, made as it is taken."""

    def receive_eof(self) -> Iterator[Item_co]:
        """What the end of the bytes gives."""

    def leave(self, error: BaseException | None) -> None:
        """No more comes: all was read, the reader has left, or this was raised."""


class EventReader:
    """Makes events of a stream's bytes."""

    def __init__(self, decoder: EventStreamDecoder) -> None:
        self.decoder = decoder
        self.last_event_id: str = decoder.last_event_id  # of the event that was given last
        self.ended = False

    def receive(self, chunk: bytes) -> Iterator[ServerSentEvent]:
        """The events of the next bytes."""
        for event in self.decoder.receive_data(chunk):
            self.last_event_id = event.last_event_id
            yield event

    def receive_eof(self) -> Iterator[ServerSentEvent]:
        """No events: one that the end cuts is none."""
        self.decoder.receive_eof()
        self.last_event_id = self.decoder.last_event_id
        yield from ()

    def leave(self, error: BaseException | None) -> None:
        """Nothing is to be done."""


class TurnReader:
    """Makes block events of an answer's bytes, and a message of those."""

    def __init__(self, answer: AnswerStream, accumulator: MessageAccumulator) -> None:
        self._answer = answer
        self._accumulator = accumulator
        self.message: Message = accumulator.message

    @property
    def ended(self) -> bool:
        """Whether the message has ended."""
        return self.message.completeness != "streaming"

    def receive(self, chunk: bytes) -> Iterator[BlockEvent]:
        """The block events of the next bytes, up to the message's end."""
        answer = self._answer
        for sse in answer.frames.receive_data(chunk):
            yield from self._accumulated(answer.read(sse))
            if self.ended:
                return

    def receive_eof(self) -> Iterator[BlockEvent]:
        """The block events of the end, which is a cut if the message has none of its own."""
        yield from self._accumulated(self._answer.receive_eof())
        if not self.ended:
            yield from self._accumulated([MessageCut("truncated")])

    def leave(self, error: BaseException | None) -> None:
        """End the message, if that has not ended: it was stopped, broke a rule, or was lost on its way."""
        if not self.ended:
            why: Literal["truncated", "stopped", "failed"] = "truncated"
            if error is None:
                why = "stopped"
            elif isinstance(error, SSEError):
                why = "failed"
            self._accumulator.receive(MessageCut(why))

    def _accumulated(self, events: Iterable[BlockEvent]) -> Iterator[BlockEvent]:
        for event in events:
            self._accumulator.receive(event)
            yield event
            if self.ended:
                return
