"""A relay in small: turns, their logs and their readers, and nothing between the machines but this."""

from __future__ import annotations

from dataclasses import dataclass

from sse_core import dialects
from sse_core.blocks import MessageReset, MessageStart, TextDelta
from sse_core.headers import Headers
from sse_core.lifecycle import (
    Deadlines,
    HTTPRequest,
    OnDisconnect,
    Outcome,
    Retention,
    RetryPolicy,
    Snapshots,
    Subscription,
    SubscriptionSettings,
    Turn,
    TurnLog,
    Want,
)
from sse_core.lifecycle.log import ENTRY_OVERHEAD_BYTES

from .provider import Connection
from .world import Alarm, World

DEADLINES = Deadlines(connect=10.0, first_byte=30.0, first_output=60.0, output_gap=20.0, whole=300.0)
#: More than the bytes of the largest piece that the provider sends, as the log keeps it.
MAX_STEP_BYTES = 80_000
RETENTION_SECONDS = 60.0


@dataclass(frozen=True)
class House:
    """How a server of one world is set up."""

    dialect: str
    log_bytes: int
    log_events: int
    retry: RetryPolicy
    on_disconnect: OnDisconnect
    readers: SubscriptionSettings

    @classmethod
    def of(cls, world: World) -> House:
        """A setting at random."""
        dice = world.dice
        after = "retract" if dice.random() < 0.15 else "never"
        return cls(
            dialect=dice.choice(("anthropic", "anthropic", "openai-chat")),
            log_bytes=dice.choice((600, 3000, 10**6)),
            log_events=dice.choice((4, 30, 10**6)),
            retry=RetryPolicy(max_attempts=dice.choice((1, 3, 5)), after_output=after),
            on_disconnect=dice.choice(
                (OnDisconnect(), OnDisconnect("detach", 20.0), OnDisconnect("drain", 20.0))
            ),
            readers=SubscriptionSettings(
                heartbeat=dice.choice((None, 5.0)),
                stall=dice.choice((10.0, 60.0)),
                lifetime=dice.choice((None, None, 15.0)),
                merge_after=dice.choice((None, 0.1, 1.0)),
                max_merged_bytes=dice.choice((20, 16_384)),
            ),
        )


class ServedTurn:
    """One turn of the server's, with its connection to the provider."""

    def __init__(self, world: World, server: Server, turn_id: str, house: House) -> None:
        self.id = turn_id
        self.dialect = dialects.get(house.dialect)
        self.readers = 0
        self.true_text = ""  #: of the attempt that readers see; to be extended by what it gives out
        self.connection: Connection | None = None
        self.generations: list[int] = []  #: of all attempts
        self.turn = Turn(
            HTTPRequest("https://provider.test/v1/messages", "POST", body=b"{}"),
            self.dialect,
            retry=house.retry,
            deadlines=DEADLINES,
            on_disconnect=house.on_disconnect,
            jitter=world.dice.random,
        )
        snapshots = Snapshots(self.dialect) if self.dialect.name == "anthropic" else None
        self.log = TurnLog(
            turn_id,
            max_bytes=house.log_bytes,
            max_events=house.log_events,
            delta=self.dialect.delta,
            snapshots=snapshots,
        )
        self.log.on_room = self._go_on
        self._world = world
        self._server = server
        self._house = house
        self._encoder = self.dialect.Encoder(verbatim=True)
        self._alarm = Alarm(world, lambda: self.turn.deadline, self._timeout)
        self._outcome: Outcome | None = None
        self._visible = False
        self._retracted = 0
        self._starts = 0
        self.turn.start(world.now)
        self._settle()

    # What readers do

    def came(self) -> None:
        """Somebody reads."""
        self.readers += 1
        self.turn.readers_changed(self.readers, self._world.now)
        self._settle()

    def left(self) -> None:
        """Somebody has gone."""
        self.readers -= 1
        self.turn.readers_changed(self.readers, self._world.now)
        if not self.readers and self.turn.outcome is None and self._house.on_disconnect.kind == "drain":
            self.log.discard(self._world.now)
        self._settle()

    def stop(self) -> None:
        """Somebody has pressed Stop."""
        self._world.note("stop")
        first = self.turn.stop(self._world.now)
        self._settle()
        self._world.check(self.turn.stop(self._world.now) is first, "a second stop has another outcome")
        self._world.check(self.connection is None, "a stopped turn has a connection")

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
        self.turn.response_started(status, headers, self._world.now)
        self._settle()

    def receive(self, data: bytes) -> None:
        """Bytes have come."""
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
        if self.connection is not None:
            self.connection.unblock()

    def _settle(self) -> None:
        """Give the readers what there is, and do what the turn wishes."""
        turn, now = self.turn, self._world.now
        last = self.log.last
        while (event := turn.next_event()) is not None:
            self._look_at(event)
            for sse in self._encoder.send(event):
                self.log.append(sse)
        if self.log.full and turn.outcome is None:
            turn.pause(now)
            self._world.seen["paused"] += 1
        if self.log.last > last:
            self.log.announce(now)
        self._fulfil()
        if turn.outcome is not None and self._outcome is None:
            self._outcome = turn.outcome
            self._world.note(f"outcome {turn.outcome.value}", self.id)
            self.log.close(now)
            self._server.finished(self)
        self._alarm.follow()
        self._check()

    def _fulfil(self) -> None:
        want = self.turn.want
        if want is Want.CONNECT and self.connection is None:
            self._connect()
        elif want is Want.CLOSE:
            if self.connection is not None:
                self.connection.close()
                self.connection = None
            self.turn.closed(self._world.now)
            self._fulfil()
        elif want in {Want.NOTHING, Want.WAIT} and self.connection is not None:
            # A connection attempt that nobody waits for any more.
            self.connection.close()
            self.connection = None

    def _connect(self) -> None:
        world = self._world
        world.check(self._outcome is None and self.turn.outcome is None, "a turn that ended connects again")
        world.check(not self._visible, "an attempt follows what a reader has seen")
        generation = self._server.next_generation()
        self.generations.append(generation)
        self.connection = Connection(world, self, generation)

    def _look_at(self, event: object) -> None:
        world = self._world
        world.check(self._outcome is None, "an event follows the outcome")
        if isinstance(event, MessageStart):
            self._starts += 1
            world.check(self._starts == 1 + self._retracted, "a second message start")
        elif isinstance(event, TextDelta):
            self._visible = True
            self.true_text += event.text
        elif isinstance(event, MessageReset):
            world.note("taken back")
            world.check(self._house.retry.after_output == "retract", "taken back against the policy")
            self._retracted += 1
            self._visible = False
            self.true_text = ""
            self._encoder = self.dialect.Encoder(verbatim=True)

    def _check(self) -> None:
        world, turn = self._world, self.turn
        if self._outcome is not None:
            world.check(turn.outcome is self._outcome, "a second outcome")
            world.check(turn.want is Want.NOTHING, "a turn that ended wishes something")
            world.check(turn.deadline is None, "a turn that ended has a deadline")
        else:
            world.check(turn.deadline is not None, f"a turn waits for ever, wishing {turn.want}")
        bound = self._house.log_bytes + MAX_STEP_BYTES
        world.check(self.log.retained_bytes < bound, "the log holds more than it may")
        events = self.log.last - self.log.first_retained + 1
        world.check(
            events * ENTRY_OVERHEAD_BYTES <= self.log.retained_bytes, "the log counts its events wrong"
        )


class Stream:
    """A reader's answer: a subscription and the server's end of its socket."""

    def __init__(self, world: World, served: ServedTurn, after: int) -> None:
        self.served = served
        self.subscription = Subscription(
            served.log,
            world.now,
            after=after,
            settings=served._house.readers,  # noqa: SLF001  (the same server)
            waker=self._wake,
            jitter=world.dice.random,
        )
        self._world = world
        self._woken = False
        self._gone = False
        self.on_readable: object = None
        self._alarm = Alarm(world, lambda: self.subscription.deadline, self._timeout)
        self._alarm.follow()
        served.came()

    def _wake(self) -> None:
        """Once for all that happens at one moment, as a loop would."""
        if not self._woken and not getattr(self, "_gone", True):
            self._woken = True
            self._world.after(0.0, self._serve)

    def _timeout(self) -> None:
        self.subscription.handle_timeout(self._world.now)
        self._serve()

    def _serve(self) -> None:
        self._woken = False
        if callable(self.on_readable):
            self.on_readable()
        self._alarm.follow()

    def pull(self, max_bytes: int) -> bytes:
        """What the socket has room for."""
        data = self.subscription.data_to_send(self._world.now, max_bytes)
        self._alarm.follow()
        if self.subscription.outcome is None:
            self._world.check(
                self.subscription.deadline is not None
                or not self.subscription.behind
                or self.served._house.readers.stall is None,  # noqa: SLF001
                "a reader who has something to take waits for ever",
            )
        return data

    def close(self) -> None:
        """The reader's connection is over, whoever ended it."""
        if not self._gone:
            self._gone = True
            self.subscription.close(self._world.now)
            outcome = self.subscription.outcome
            self._world.seen[f"reader {outcome.value if outcome else 'none'}"] += 1
            self.served.left()


class Server:
    """All turns of one world."""

    def __init__(self, world: World, house: House) -> None:
        self.turns: dict[str, ServedTurn] = {}
        self.all: list[ServedTurn] = []
        self._world = world
        self._house = house
        self._generation = 0
        self._finished: Retention[ServedTurn] = Retention(seconds=RETENTION_SECONDS, max_bytes=50_000)
        self._alarm = Alarm(world, lambda: self._finished.deadline, self._forget)

    def next_generation(self) -> int:
        """The number of a provider's answer."""
        self._generation += 1
        return self._generation

    def ask(self, turn_id: str) -> Stream:
        """A POST: begins the turn, or finds the one that a POST with this ID began."""
        served = self.turns.get(turn_id)
        if served is None:
            served = self.turns[turn_id] = ServedTurn(self._world, self, turn_id, self._house)
            self.all.append(served)
            self._world.note("turn", turn_id)
        return Stream(self._world, served, 0)

    def resume(self, turn_id: str, last_event_id: str) -> Stream | None:
        """A GET: goes on after ``last_event_id``; ``None`` for a turn that nobody knows."""
        served = self.turns.get(turn_id)
        if served is None:
            return None
        position = served.log.position_of(last_event_id)
        return Stream(self._world, served, position or 0)

    def stop(self, turn_id: str) -> None:
        """A DELETE."""
        if turn_id in self.turns:
            self.turns[turn_id].stop()

    def finished(self, served: ServedTurn) -> None:
        """A turn has ended: it is kept for a while."""
        for forgotten in self._finished.keep(served, served.log.retained_bytes, self._world.now):
            self.turns.pop(forgotten.id, None)
        self._alarm.follow()

    def _forget(self) -> None:
        for forgotten in self._finished.handle_timeout(self._world.now):
            self.turns.pop(forgotten.id, None)
