"""A turn as a server drives it: between the provider's connection and the readers' log, and watched."""

from __future__ import annotations

from collections.abc import Callable

from sse_core import ServerSentEvent, dialects
from sse_core.blocks import BlockEvent, MessageReset
from sse_core.blocks.events import is_visible
from sse_core.headers import Headers
from sse_core.lifecycle import HTTPRequest, Outcome, Snapshots, Turn, TurnLog, TurnState, Want
from sse_core.lifecycle.log.turn_log import ENTRY_OVERHEAD_BYTES

from .answers import Answer, message_id
from .house import SNAPSHOTS, House
from .provider import Connection
from .seen_message import SeenMessage
from .watch import TurnWatch
from .world import Alarm, World

#: What readers get when the turn takes back what they were shown: no dialect has a form for it.
RESET = ServerSentEvent("reset", "{}")


class ServedTurn:
    """One turn of the server's.  ``on_end`` is called when there is an outcome."""

    def __init__(
        self, world: World, name: str, epoch: str, house: House, on_end: Callable[[ServedTurn], None]
    ) -> None:
        self.name = name
        self.epoch = epoch
        self.house = house
        self.dialect = dialects.get(house.dialect)
        self.readers = 0
        self.is_closing = False  #: a connection that came too late takes a while to be closed
        self.is_drained = False  #: nobody can come back
        self.stop_was_pressed = False
        self.ended_at = 0.0
        self.connection: Connection | None = None
        self.answers: dict[str, Answer] = {}
        self.appended_at: list[float] = [0.0]  #: by the number of the event in the log
        self.lengths: list[int] = [0]  #: of what a reader knows, by the number of the last event it has
        self.turn = Turn(
            HTTPRequest("https://provider.test/v1/messages", "POST", body=b"{}"),
            self.dialect,
            retry=house.retry,
            deadlines=house.deadlines,
            on_disconnect=house.on_disconnect,
            jitter=world.dice.random,
        )
        self.log = TurnLog(
            epoch,
            max_bytes=house.log_bytes,
            max_events=house.log_events,
            delta=self.dialect.delta,
            snapshots=Snapshots(self.dialect, reset=RESET.type) if house.dialect in SNAPSHOTS else None,
        )
        self.log.on_room = self._go_on
        self.log.on_stop_wished = self.turn.stop
        self._world = world
        self._on_end = on_end
        self._encoder = self.dialect.Encoder(verbatim=True)
        self._alarm = Alarm(world, lambda: self.turn.deadline, self._timeout)
        self._seen = SeenMessage(world, self, epoch)
        self._begin_reading()
        self._watch = TurnWatch(world, self)
        self.turn.start(world.now)
        self._settle()

    def answer_of(self, message_id: str) -> Answer | None:
        """The answer that this message is."""
        return self.answers.get(message_id)

    # What readers do

    def came(self) -> None:
        """Somebody reads."""
        self.readers += 1
        self.turn.readers_changed(self.readers, self._world.now)
        self._settle()

    def left(self) -> None:
        """Somebody has gone."""
        self.readers -= 1
        self._watch.reader_left()
        self.turn.readers_changed(self.readers, self._world.now)
        if not self.readers and self.turn.outcome is None and self.house.on_disconnect.kind == "drain":
            self.is_drained = True
            self.log.discard(self._world.now)
        self._settle()

    def stop(self) -> None:
        """Somebody has pressed Stop."""
        world, turn = self._world, self.turn
        world.note("stop", self.epoch)
        self.stop_was_pressed = True
        self.log.wish_stop(world.now)
        first = turn.outcome
        if first is None:
            world.fail("a stop that nobody hears", self.epoch)
        self._settle()
        if turn.stop(world.now) is not first or turn.outcome is not first:
            world.fail("a second outcome", self.epoch)

    # What the provider's side reports

    @property
    def reads(self) -> bool:
        """Whether bytes of the provider's arrive."""
        return self.turn.want is Want.READ

    def connected(self) -> None:
        """The transport is open."""
        self.turn.connected(self._world.now)
        self._settle()

    def response(self, status: int, headers: Headers) -> None:
        """A head has come."""
        self._watch.head()
        self.turn.response_started(status, headers, self._world.now)
        self._settle()

    def receive(self, data: bytes) -> None:
        """Bytes have come."""
        if self.log.full and self.turn.state is TurnState.STREAMING:
            self._world.fail("a full log is filled", self.epoch)
        self.turn.receive_data(data, self._world.now)
        self._settle()

    def eof(self) -> None:
        """The body has come to its end."""
        self.turn.receive_eof(self._world.now)
        self._settle()

    def lost(self, reason: str) -> None:
        """The connection broke, or could not be made."""
        self.connection = None
        self.turn.connection_lost(reason, self._world.now)
        self._settle()

    # What a binding does

    def _timeout(self) -> None:
        self.turn.handle_timeout(self._world.now)
        self._settle()

    def _go_on(self, now: float) -> None:
        self.turn.resume(now)
        self._watch.resumed()
        if self.connection is not None:
            self.connection.unblock()
        self._alarm.follow()

    def _settle(self) -> None:
        """Give the readers what there is, and do what the turn wishes."""
        turn, now = self.turn, self._world.now
        last = self.log.last
        while (event := turn.next_event()) is not None:
            self._pass_on(event)
        if self.log.full and turn.outcome is None:
            turn.pause(now)
            self._watch.paused()
            self._world.seen["log full"] += 1
        self._watch.look()
        if self._known.length != self._seen.length:
            self._world.fail("text lost or doubled", f"{self.epoch}: in its log")
        self._fulfil()
        if turn.outcome is not None and not self._watch.ended:
            self._end(turn.outcome)
        elif self.log.last > last:
            self.log.announce(now)
        self._watch.check()
        self._alarm.follow()

    def _pass_on(self, event: BlockEvent) -> None:
        if isinstance(event, MessageReset):
            self._take_back()
            return
        self._seen.take(event)
        if is_visible(event):
            self._watch.visible(event)
        for sse in self._encoder.send(event):
            self._append(sse)

    def _take_back(self) -> None:
        self._watch.taken_back()
        self._seen.begin_anew()
        self._begin_reading()
        self._encoder = self.dialect.Encoder(verbatim=True)
        self._append(RESET)

    def _begin_reading(self) -> None:
        """A reader who has been there from the first event on, and misses none."""
        self._known = SeenMessage(self._world, self, f"the log of {self.epoch}")
        self._decoder = self.dialect.Decoder()

    def _append(self, sse: ServerSentEvent) -> None:
        self.log.append(sse)
        self.appended_at.append(self._world.now)
        # What a decoder holds back until more has come is sent before that comes, or before our own end.
        if sse is not RESET:
            for event in self._decoder.receive_event(sse):
                self._known.take(event)
        self.lengths.append(self._known.length)
        if self.log.retained_bytes >= self.house.log_bytes and not self.log.full:
            self._world.fail("the log keeps more than it may", self.epoch)

    def _end(self, outcome: Outcome) -> None:
        self.ended_at = self._world.now
        self._world.note(f"outcome {outcome.value}", self.epoch)
        self._watch.outcome(outcome, self._seen)
        self.log.close(self._world.now)
        self._on_end(self)

    def _fulfil(self) -> None:
        if self.is_closing:
            return
        want = self.turn.want
        if want is Want.CONNECT and self.connection is None:
            self._watch.connects()
            attempt = len(self.answers) + 1
            self.connection = Connection(self._world, self, self.house.dialect, attempt)
            self._watch.attempt(self.connection)
            self.answers[message_id(attempt)] = self.connection.answer
        elif want is Want.CLOSE:
            if self._world.chance(0.1):
                self._receive_too_late()
            self._close()
            self.turn.closed(self._world.now)
            self._fulfil()
        elif want in {Want.NOTHING, Want.WAIT} and self.connection is not None:
            if self.connection.up:
                self._world.fail("an upstream without an owner", f"{self.epoch} wishes {want}")
            # A connection is being made that nobody waits for any more.  Not every binding can stop that.
            if self._world.chance(0.3):
                self._world.after(self._world.dice.random(), self._late)
            self._close()

    def _receive_too_late(self) -> None:
        """What was on its way comes before the connection is closed; it may say nothing."""
        self.turn.receive_data(b"event: message_stop\ndata: {}\n\n", self._world.now)
        self.turn.receive_eof(self._world.now)
        if self.turn.want is not Want.CLOSE or self.turn.next_event() is not None:
            self._world.fail("an upstream that is closed is heard", self.epoch)

    def _close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def _late(self) -> None:
        """The connection that nobody waits for is there."""
        if self.connection is None and self.turn.want in {Want.NOTHING, Want.WAIT}:
            self._world.note("connected late")
            self._arrive_late()

    def _arrive_late(self) -> None:
        self.turn.connected(self._world.now)
        if self.turn.want is not Want.CLOSE:
            self._world.fail("an upstream without an owner", f"{self.epoch}, late")
        if self._world.chance(0.5):
            self._settle()
        else:
            # To close may take a while.  What is due meanwhile must not find a connection that is in its way.
            self.is_closing = True
            self._world.after(self._world.dice.random() * 10, self._closed_late)
            self._alarm.follow()

    def _closed_late(self) -> None:
        self.is_closing = False
        self._watch.closed_late()
        self._settle()

    def check_rest(self) -> None:
        """What has to hold when nothing happens any more."""
        world = self._world
        if self.turn.outcome is None:
            world.fail("a turn without an outcome", self.epoch)
        if self.connection is not None or self.readers:
            world.fail("an upstream without an owner", f"{self.epoch} at rest, {self.readers} readers")
        entries = [entry for entry in self.log._entries if entry]  # noqa: SLF001  (counted anew)
        if self.log.retained_bytes != sum(map(len, entries)) + ENTRY_OVERHEAD_BYTES * len(entries):
            world.fail("the log counts its bytes wrong", self.epoch)
