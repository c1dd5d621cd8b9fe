"""A log that reports later: its events are kept elsewhere, a round trip away, where others write too."""

from __future__ import annotations

from collections.abc import Callable

from sse_core import LocalProtocolError, ServerSentEvent, encode_event
from sse_core.lifecycle import LogReader, TurnLog


class LaterLog:
    """An event log whose store is a ``TurnLog`` somewhere else; ``round_trip`` is what a binding would do.

    What is under way is bounded as the store is.
    """

    def __init__(self, epoch: str, *, max_events: int = 1000, readers_hold: bool = True) -> None:
        self._store = TurnLog(epoch, max_events=max_events, readers_hold=readers_hold)
        self._store.on_room = self._store_has_room
        self._store.on_stop_wished = self._stop
        self._under_way: list[ServerSentEvent] = []
        self._closing = self._stopping = False
        self.on_room: Callable[[float], object] = lambda _: None
        self.on_stop_wished: Callable[[float], object] = lambda _: None

    def round_trip(self, now: float) -> None:
        """The store carries out what the log was called with."""
        was_full = self.full and not self._store.full
        events, self._under_way = self._under_way, []
        self._store.append(*events)
        if self._stopping:
            self._store.wish_stop(now)
        if self._closing:
            self._store.close(now)
        else:
            self._store.announce(now)
        if was_full and not self.full:
            self.on_room(now)

    def written_elsewhere(self, *events: ServerSentEvent) -> None:
        """Another process has appended these, before what is under way here."""
        self._store.append(*events)

    def _stop(self, now: float) -> None:
        self.on_stop_wished(now)

    def _store_has_room(self, now: float) -> None:
        if not self.full:
            self.on_room(now)

    @property
    def last(self) -> int:
        return self._store.last

    @property
    def first_retained(self) -> int:
        return self._store.first_retained

    @property
    def closed(self) -> bool:
        return self._store.closed

    @property
    def full(self) -> bool:
        return self._store.full or len(self._under_way) >= self._store.max_events

    @property
    def stop_wished(self) -> bool:
        return self._store.stop_wished

    @property
    def retained_bytes(self) -> int:
        return self._store.retained_bytes

    def append(self, *events: ServerSentEvent) -> None:
        if self._closing:
            raise LocalProtocolError("closed")
        for event in events:
            encode_event(event.data, event=event.type)
            self._under_way.append(event)

    def announce(self, now: float) -> None:
        """Nothing is new before it is there."""

    def close(self, now: float) -> None:  # noqa: ARG002  (a log's method)
        self._closing = True

    def discard(self, now: float) -> None:
        self._store.discard(now)

    def wish_stop(self, now: float) -> None:  # noqa: ARG002  (a log's method)
        self._stopping = True

    def position_of(self, event_id: str) -> int | None:
        return self._store.position_of(event_id)

    def add_reader(self, reader: LogReader) -> None:
        self._store.add_reader(reader)

    def remove_reader(self, reader: LogReader, now: float) -> None:
        self._store.remove_reader(reader, now)

    def reader_moved(self, before: int, now: float) -> None:
        self._store.reader_moved(before, now)

    def read(self, position: int, max_bytes: int, *, max_merged_bytes: int = 0) -> tuple[bytes, int]:
        return self._store.read(position, max_bytes, max_merged_bytes=max_merged_bytes)

    def what_was_dropped(self, position: int) -> bytes:
        return self._store.what_was_dropped(position)
