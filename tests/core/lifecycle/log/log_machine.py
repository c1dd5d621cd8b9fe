"""A log and its readers, driven at random: nobody who is attached loses or repeats an event.

Readers attach anywhere, read in bites, stall until they are evicted, leave, and come back with their
last event ID.  The writer pauses while the log is full.
"""

from __future__ import annotations

import json

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from sse_core import EventStreamDecoder, ServerSentEvent
from sse_core.lifecycle import ReaderOutcome, Subscription, SubscriptionSettings, TurnLog

SETTINGS = SubscriptionSettings(heartbeat=5.0, stall=20.0, lifetime=50.0)
ENTRY_OVERHEAD = 64


class Client:
    """Whoever sits behind a subscription: decodes what it is sent, and comes back where it was."""

    def __init__(self, log: TurnLog, after: int) -> None:
        self.log = log
        self.seen = after  # the number of the last event that it has, or knows to be gone
        self.decoder = EventStreamDecoder(f"{log.epoch}-{after}")
        self.woken = False
        self.connect(after, 0.0)

    def connect(self, after: int, now: float) -> None:
        self.may_miss = after + 1 < self.log.first_retained
        self.reader = Subscription(self.log, now, after=after, settings=SETTINGS, waker=self.wake)

    def wake(self) -> None:
        self.woken = True

    def pull(self, now: float, max_bytes: int) -> None:
        self.woken = False
        for event in self.decoder.receive_data(self.reader.data_to_send(now, max_bytes)):
            if event.type == "gap":
                assert self.may_miss, "an attached reader has lost events"
                gap = json.loads(event.data)
                assert gap["from"] == self.seen + 1
                assert gap["to"] >= gap["from"]
                self.seen = gap["to"]
            else:
                self.seen += 1
                assert event.last_event_id == f"{self.log.epoch}-{self.seen}"
                assert event.data == text(self.seen)
            self.may_miss = False

    def come_back(self, now: float) -> None:
        position = self.log.position_of(self.decoder.last_event_id)
        assert position is not None
        assert position <= self.seen
        self.seen = position  # it may hear of the same gap again, if nothing came after it
        self.connect(position, now)


def text(number: int) -> str:
    """What the event with this number says; of various sizes, some of several lines."""
    return f"{number}\n" * (number % 7 + 1) + "é" * (number % 5 * 10)


class LogMachine(RuleBasedStateMachine):
    """One log, any number of clients."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.clients: list[Client] = []
        self.room: list[bool] = []
        self.expected_room = 0
        self.was_full = False
        self.rude = False

    @initialize(max_bytes=st.integers(1, 3000))
    def begin(self, max_bytes: int) -> None:
        self.log = TurnLog("t-1", max_bytes=max_bytes)
        self.log.on_room = lambda _: self.room.append(self.log.full)

    @precondition(lambda self: not self.log.closed)
    @rule(count=st.integers(1, 10), rude=st.booleans())
    def append(self, count: int, *, rude: bool) -> None:
        """A polite writer stops when the log is full; one that can't stop at once is not punished."""
        for _ in range(count):
            if self.log.full and not rude:
                break
            self.rude = self.rude or self.log.full
            self.log.append(ServerSentEvent("delta", text(self.log.last + 1)))
        self.log.announce(self.now)
        assert all(client.woken for client in self.attached())

    @rule(data=st.data())
    def attach(self, data: st.DataObject) -> None:
        self.clients.append(Client(self.log, data.draw(st.integers(0, self.log.last))))

    def attached(self) -> list[Client]:
        return [client for client in self.clients if client.reader.outcome is None]

    @precondition(lambda self: self.attached())
    @rule(data=st.data(), max_bytes=st.sampled_from([1, 100, 500, 65536]))
    def pull(self, data: st.DataObject, max_bytes: int) -> None:
        data.draw(st.sampled_from(self.attached())).pull(self.now, max_bytes)

    @precondition(lambda self: self.attached())
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from(self.attached())).reader.close(self.now)

    @precondition(lambda self: len(self.attached()) < len(self.clients))
    @rule(data=st.data())
    def come_back(self, data: st.DataObject) -> None:
        gone = [client for client in self.clients if client.reader.outcome is not None]
        data.draw(st.sampled_from(gone)).come_back(self.now)

    @rule(seconds=st.sampled_from([1.0, 5.0, 21.0]))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        for client in self.attached():
            client.reader.handle_timeout(self.now)

    @rule()
    def close(self) -> None:
        self.log.close(self.now)

    @invariant()
    def on_room_is_called_exactly_when_full_ends(self) -> None:
        self.expected_room += self.was_full and not self.log.full
        self.was_full = self.log.full
        assert self.room == [False] * self.expected_room

    @invariant()
    def memory_is_bounded(self) -> None:
        largest = max((len(text(number).encode()) for number in range(1, self.log.last + 1)), default=0)
        largest += 10 * 8 + len("event: delta\nid: t-1-99999\n\n") + ENTRY_OVERHEAD
        assert self.rude or self.log.retained_bytes < self.log.max_bytes + largest

    @invariant()
    def what_is_retained_can_be_read(self) -> None:
        data, last = self.log.read(self.log.first_retained - 1, 10**9)
        count = self.log.last - self.log.first_retained + 1
        assert last == self.log.last
        assert self.log.retained_bytes == len(data) + count * ENTRY_OVERHEAD
        ids = [event.last_event_id for event in EventStreamDecoder().receive_data(data)]
        assert ids == [f"t-1-{number}" for number in range(self.log.first_retained, self.log.last + 1)]

    @invariant()
    def a_full_log_has_someone_to_wait_for(self) -> None:
        """Otherwise nobody would ever end it."""
        assert not self.log.full or any(client.reader.behind for client in self.attached())

    @invariant()
    def who_has_something_to_take_has_a_deadline(self) -> None:
        for client in self.attached():
            assert client.reader.deadline is not None

    def teardown(self) -> None:
        """In the end everybody who comes back gets all that there is."""
        if not hasattr(self, "log"):
            return
        self.log.close(self.now)
        for client in self.clients:
            if client.reader.outcome not in {None, ReaderOutcome.FINISHED}:
                client.come_back(self.now)
            while client.reader.outcome is None:
                client.pull(self.now, 1000)
            assert client.reader.outcome is ReaderOutcome.FINISHED
            assert client.seen == self.log.last
