"""What an event source has received and its reader has not had yet.

So a source has two positions.  The reader's is behind the last event that was handed out: from there
another source goes on.  The source's own is behind all that has come: from there it asks for more on the
next connection, because what waits here is going to be handed out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial

from ...framing import EventStreamDecoder, ServerSentEvent
from ..machine import OnComment
from .reconnect import OnReconnect, Reconnect


class EventQueue:
    """Events, and between them reconnects and comments, in the order of the stream."""

    def __init__(
        self,
        last_event_id: str,
        max_line_bytes: int,
        max_event_bytes: int,
        *,
        on_reconnect: OnReconnect | None,
        on_comment: OnComment | None,
    ) -> None:
        self.last_event_id: str = last_event_id  #: of the event that was handed out last
        self._on_reconnect = on_reconnect
        waiting: deque[ServerSentEvent | Callable[[], None]] = deque()  # or a call that is due here
        self._waiting = waiting
        self._frames = EventStreamDecoder(
            last_event_id,
            max_line_bytes,
            max_event_bytes,
            on_comment=on_comment and (lambda text: waiting.append(partial(on_comment, text))),
        )

    @property
    def received_id(self) -> str:
        """The last event ID of all that has come."""
        return self._frames.last_event_id

    @property
    def reconnection_time(self) -> int | None:
        """What the stream's last ``retry`` said, in milliseconds."""
        return self._frames.reconnection_time

    def next_event(self) -> ServerSentEvent | None:
        """The next event, or ``None``; the calls that stand before it are made first."""
        while self._waiting:
            item = self._waiting.popleft()
            if isinstance(item, ServerSentEvent):
                self.last_event_id = item.last_event_id
                return item
            item()
        return None

    def receive_data(self, data: bytes) -> bool:
        """Take bytes of a stream; whether an event with data was in them.

        Raises ``LimitExceeded``, as the decoder does.
        """
        has_progress = False
        for event in iter(self._frames.receive_data(data)):  # in between, it calls for the comments there
            has_progress |= bool(event.data)
            self._waiting.append(event)
        return has_progress

    def receive_eof(self) -> None:
        """The stream has ended.  Raises ``LimitExceeded``, as the decoder does."""
        self._frames.receive_eof()

    def reset(self) -> None:
        """Another connection begins; half an event of the last one is dropped."""
        self._frames.reset()

    def add(self, reconnect: Reconnect) -> None:
        """There is to be another connection, behind what has come on this one."""
        if self._on_reconnect is not None:
            self._waiting.append(partial(self._on_reconnect, reconnect))


def fits_a_field(event_id: str) -> bool:
    """Whether an event ID can be sent back."""
    # RFC 9110 section 5.5: a field value has no control characters but the tab.  An event ID of a
    # peer's may have any but NUL, CR and LF.
    return not any(character < " " or character == "\x7f" for character in event_id.replace("\t", ""))


def id_as_field(event_id: str) -> str:
    """An event ID as the value of ``Last-Event-ID``."""
    # 9.2.4: the ID is "encoded as UTF-8"; a header holds bytes as ISO-8859-1 text.
    return event_id.encode("utf-8", "replace").decode("latin-1")
