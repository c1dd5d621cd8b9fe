"""The answer of one attempt: whether it is an event stream, and its bytes as a dialect's block events."""

from __future__ import annotations

from collections.abc import Callable

from ...blocks import BlockEvent, MessageCut
from ...dialects import Dialect, Recognition
from ...dialects.event_codec import held_events
from ...errors import RemoteProtocolError
from ...framing import EventStreamDecoder, ServerSentEvent
from ...headers import Headers
from ..event_stream_check import stream_problem

#: A turn is a POST, and what a POST makes may be announced with 201 (RFC 9110 section 9.3.3).
STREAM_STATUSES = frozenset({200, 201})
#: What an answer begins with if it is JSON or HTML, whatever its type says.  No line of an event stream that
#: says anything begins so.
_NO_STREAM = (b"{", b"[", b"<")


class WrongDialect(RemoteProtocolError):
    """The stream is none of the dialect that it is read with.  Another attempt would give the same."""


class AnswerStream:
    """Reads one attempt's answer: ``frames`` makes events of its bytes, and ``read`` block events of these.

    - ``dialect``: the protocol to read it with.
    - ``max_line_bytes``, ``max_event_bytes``: of its framing.
    - ``on_comment``: called with each comment's text, in its place among the events.
    """

    __slots__ = ("_decoder", "_dialect", "_recognition", "frames")

    def __init__(
        self,
        dialect: Dialect,
        max_line_bytes: int,
        max_event_bytes: int,
        on_comment: Callable[[str], None] | None,
    ) -> None:
        self.frames: EventStreamDecoder = EventStreamDecoder(
            "", max_line_bytes, max_event_bytes, on_comment=on_comment
        )
        self._dialect = dialect.name
        self._decoder = dialect.Decoder()
        self._recognition: Recognition | None = Recognition()  # until an event was known

    def receive_eof(self) -> list[BlockEvent]:
        """The block events of the answer's proper end; a cut is the turn's business.  Raises likewise."""
        self.frames.receive_eof()
        if self._recognition is not None:
            _raise_if(self._recognition.failure(self._dialect))
        return [event for event in self._decoder.receive_eof() if not isinstance(event, MessageCut)]

    def held_events(self) -> list[BlockEvent]:
        """What has come and is held back, because it waits for more."""
        return held_events(self._decoder)

    def read(self, sse: ServerSentEvent) -> list[BlockEvent]:
        """The block events of one event that ``frames`` has given.

        Raises ``WrongDialect``, and what the dialect's decoder raises.
        """
        recognition = self._recognition
        if recognition is None:
            return self._decoder.receive_event(sse)
        try:
            events = self._decoder.receive_event(sse)
        except RemoteProtocolError:
            recognition.unknown(sse)
            _raise_if(recognition.certainty(self._dialect, enough=1))
            raise
        recognition.note(sse, events)
        _raise_if(recognition.certainty(self._dialect))
        if recognition.known:
            self._recognition = None
        return events


def _raise_if(problem: str | None) -> None:
    if problem is not None:
        raise WrongDialect(problem) from None


def head_problem(headers: Headers) -> str | None:
    """What is wrong with the head of a turn's answer, as the rest of a sentence; ``None`` if nothing.

    It need not say its type: who asks for a stream by name gets one, or an error, and hosts forget it.
    """
    if is_untyped(headers):
        headers = headers.replaced({"content-type": "text/event-stream"})
    return stream_problem(headers)


def is_untyped(headers: Headers) -> bool:
    """Whether an answer does not say what it is."""
    return not (headers.get("content-type") or "").strip()


def begins_as_no_stream(data: bytes) -> bool | None:
    """Whether an answer begins as JSON or HTML; ``None`` where nothing can be seen yet."""
    start = data.lstrip()
    return start.startswith(_NO_STREAM) if start else None
