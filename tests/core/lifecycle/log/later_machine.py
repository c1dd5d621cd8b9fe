"""A log that reports later, driven at random: nobody reads too early or loses an event."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sse_core import EventStreamDecoder, ServerSentEvent
from sse_core.lifecycle import ReaderOutcome, Subscription, SubscriptionSettings
from tests.core.lifecycle.log.later_log import LaterLog

SETTINGS = SubscriptionSettings(heartbeat=None, stall=None)


def event(text: str) -> ServerSentEvent:
    return ServerSentEvent("message", text)


def texts(data: bytes) -> list[str]:
    return [received.data for received in EventStreamDecoder().receive_data(data)]


class LaterMachine(RuleBasedStateMachine):
    """A log that reports later, its writers and its readers, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.log = LaterLog("e", max_events=8)
        self.log.on_room = lambda _: self.room.append(self.log.full)
        self.room: list[bool] = []
        self.readers: list[tuple[Subscription, list[str]]] = []
        self.sent: list[str] = []  # here, in order
        self.closing = False

    @precondition(lambda self: not self.closing and not self.log.full)
    @rule(count=st.integers(0, 3))
    def write(self, count: int) -> None:
        events = [f"here {len(self.sent) + number}" for number in range(count)]
        self.sent += events
        self.log.append(*map(event, events))
        self.log.announce(self.now)

    @precondition(lambda self: not self.log.closed and not self.log.full)
    @rule()
    def write_elsewhere(self) -> None:
        self.log.written_elsewhere(event("elsewhere"))

    @rule()
    def round_trip(self) -> None:
        self.now += 1.0
        self.log.round_trip(self.now)

    @rule()
    def subscribe(self) -> None:
        if self.log.first_retained == 1:
            self.readers.append((Subscription(self.log, self.now, settings=SETTINGS), []))

    @precondition(lambda self: self.readers)
    @rule(data=st.data(), max_bytes=st.sampled_from([1, 100, 10_000]))
    def pull(self, data: st.DataObject, max_bytes: int) -> None:
        reader, seen = data.draw(st.sampled_from(self.readers))
        seen += texts(reader.data_to_send(self.now, max_bytes))

    @rule()
    def close(self) -> None:
        self.closing = True
        self.log.close(self.now)

    @invariant()
    def nobody_reads_what_is_not_there(self) -> None:
        there = texts(self.log.read(0, 10**6)[0])
        for reader, seen in self.readers:
            assert len(seen) == reader.position <= self.log.last
            assert self.log.first_retained > 1 or seen == there[: len(seen)]

    @invariant()
    def room_is_there_when_it_is_announced(self) -> None:
        assert not any(self.room)

    def teardown(self) -> None:
        """In the end everybody has all, once."""
        self.log.close(self.now)
        self.log.round_trip(self.now)
        for reader, seen in self.readers:
            while reader.outcome is None:
                seen.extend(texts(reader.data_to_send(self.now)))
            assert reader.outcome is ReaderOutcome.FINISHED
            assert [text for text in seen if text != "elsewhere"] == self.sent
            assert len(seen) == self.log.last
