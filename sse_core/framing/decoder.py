"""The bytes of a text/event-stream to events."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

from ..errors import LimitExceeded, LocalProtocolError
from .event import ServerSentEvent

_LINE_END = re.compile(rb"\r\n|\r|\n")


class EventStreamDecoder:
    """Decodes one event stream (first version)."""

    def __init__(
        self,
        last_event_id: str = "",
        max_line_bytes: int = 16 * 2**20,
        max_event_bytes: int = 16 * 2**20,
        on_oversize: Literal["fail", "skip"] = "fail",
        on_comment: Callable[[str], None] | None = None,
    ) -> None:
        self.last_event_id = last_event_id
        self.reconnection_time: int | None = None
        self.skipped_events = 0
        self.max_line_bytes = max_line_bytes
        self.max_event_bytes = max_event_bytes
        self._on_comment = on_comment
        self._dead = False
        self.reset()

    def reset(self) -> None:
        """Get ready for a new connection."""
        self._buffer = b""
        self._first = True
        self._id = self.last_event_id
        self._type = ""
        self._data: list[str] = []

    def receive_data(self, data: bytes) -> list[ServerSentEvent]:
        """Take bytes, give the events that they complete."""
        if self._dead:
            raise LocalProtocolError("the decoder has failed")
        events: list[ServerSentEvent] = []
        *lines, self._buffer = (self._buffer + data).replace(b"\r\n", b"\n").split(b"\n")
        if len(self._buffer) > self.max_line_bytes:
            self._dead = True
            raise LimitExceeded("a line is too long", limit="max_line_bytes", bound=self.max_line_bytes)
        for line in lines:
            self._line(line.decode("utf-8", "replace"), events)
        return events

    def receive_eof(self) -> None:
        """Discard an incomplete block."""
        self.reset()

    def _line(self, line: str, events: list[ServerSentEvent]) -> None:
        if self._first:
            self._first = False
            line = line.removeprefix("\ufeff")
        if not line:
            self.last_event_id = self._id
            if self._data:
                data = "\n".join(self._data)
                events.append(ServerSentEvent(self._type or "message", data, self.last_event_id))
            self._type, self._data = "", []
            return
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "" and self._on_comment is not None:
            self._on_comment(value)
        elif name == "data":
            self._data.append(value)
        elif name == "event":
            self._type = value
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self.reconnection_time = int(value[:12])
