"""A stream with no provider behind it: a publisher who waits for nobody, and readers of all kinds."""

from __future__ import annotations

import json

from sse_core import ServerSentEvent
from sse_core.headers import Headers
from sse_core.lifecycle import Broadcast, HTTPRequest
from sse_core.lifecycle.log.turn_log import ENTRY_OVERHEAD_BYTES

from .client import ORIGIN, SECRET, Answer, Client
from .house import House
from .network import Wire
from .reading import SOON, number_of
from .server import EVENT_STREAM, path_of, turned_away
from .stream import Stream
from .world import World

END = "end"


class Station:
    """Publishes numbered events, in bursts, and closes."""

    def __init__(self, world: World, house: House) -> None:
        dice = world.dice
        self.published_at = [0.0]  #: by number
        self.broadcast = Broadcast(
            "feed",
            max_bytes=house.log_bytes,
            max_events=house.log_events,
            settings=house.readers,
            jitter=dice.random,
        )
        self.house = house
        self._world = world
        self._left = dice.choice((5, 50, 300))
        self._pause = dice.choice((0.05, 0.5, 2.0))
        self._padding = dice.choice((0, 20, 200))
        world.note("broadcast", f"of {self._left} events")
        world.after(dice.random(), self._publish)

    def _publish(self) -> None:
        world, log = self._world, self.broadcast.log
        count = min(self._left, world.dice.choice((1, 1, 3, 20)))
        self._left -= count
        events = [self._event("message") for _ in range(count)]
        if not self._left:
            events.append(self._event(END))
        self.broadcast.publish(events, world.now)
        self._check()
        if self._left:
            world.after(world.dice.random() * self._pause, self._publish)
        else:
            self.broadcast.close(world.now)
            world.note("broadcast closed", log.last)

    def _event(self, kind: str) -> ServerSentEvent:
        self.published_at.append(self._world.now)
        number = len(self.published_at) - 1
        return ServerSentEvent(kind, f"{number} {'x' * self._world.dice.randint(0, self._padding)}")

    def _check(self) -> None:
        world, log, house = self._world, self.broadcast.log, self.house
        if log.retained_bytes >= house.log_bytes or log.last - log.first_retained >= house.log_events:
            world.fail("the log keeps more than it may", "broadcast")
        if log.last != len(self.published_at) - 1:
            world.fail("the log counts its events wrong", "broadcast")
        kept = log.last - log.first_retained + 1
        if log.retained_bytes < kept * ENTRY_OVERHEAD_BYTES:
            world.fail("the log counts its bytes wrong", "broadcast")

    def answer(self, request: HTTPRequest) -> Answer:
        """A reader comes, or comes back."""
        world, broadcast = self._world, self.broadcast
        answer = turned_away(world, request)
        if answer is not None:
            return answer
        event_id = request.headers.get("last-event-id") or ""
        log = broadcast.log
        joins_now = path_of(request).endswith("now")
        if log.closed and (log.position_of(event_id) == log.last or (joins_now and not event_id)):
            return Answer(204, Headers())
        stream = Stream(
            world,
            lambda waker: broadcast.subscribe(
                world.now, last_event_id=event_id, join="now" if joins_now else "start", waker=waker
            ),
            self.house.readers,
            self,
        )
        return Answer(200, Headers([EVENT_STREAM]), stream)


class NumbersReading:
    """Reads a station: each number once, in order, or reported as missing."""

    def __init__(self, world: World, station: Station, *, joins_now: bool) -> None:
        self.is_whole = False
        self.is_lost = joins_now  # it may come when all was said
        self._world = world
        self._station = station
        self._position = None if joins_now else 0  #: of the last event; a gap is none
        self._expected = None if joins_now else 1

    def take(self, sse: ServerSentEvent, wire: Wire | None) -> None:
        """One more event."""
        world = self._world
        if sse.type == "gap":
            gap = json.loads(sse.data)
            world.note("gap")
            if gap["to"] < gap["from"] or self._position not in {None, gap["from"] - 1}:
                world.fail("a gap that is reported wrong", f"{gap} after {self._position}")
            self._expected = gap["to"] + 1
            return
        number = int(sse.data.split(" ")[0])
        if number_of(sse.last_event_id) != number:
            world.fail("an ID that is none", sse)
        if self._expected not in {None, number}:
            world.fail("an event is missing", f"{number}, not {self._expected}")
        self._position, self._expected = number, number + 1
        self.is_whole = sse.type == END
        if wire is not None and wire.is_prompt:
            since = max(self._station.published_at[number], wire.began_at)
            if world.now - since > SOON:
                world.fail("an event that comes late", f"{number}: {world.now - since:.3f} s")

    def over(self) -> None:
        """Nothing more is to come."""


def readers(world: World, station: Station, count: int) -> list[Client]:
    """Readers who come one after the other; the list grows as they do."""
    clients: list[Client] = []
    for _ in range(count):
        world.after(world.dice.random() * 20, lambda: clients.append(_reader(world, station)))
    return clients


def _reader(world: World, station: Station) -> Client:
    joins_now = world.chance(0.3)
    headers = Headers([SECRET])
    url = f"{ORIGIN}/feed/{'now' if joins_now else 'start'}"
    client = Client(
        world, station, HTTPRequest(url, headers=headers), NumbersReading(world, station, joins_now=joins_now)
    )
    if world.chance(0.3):
        world.after(world.dice.random() * 10, client.lose_connection)
    elif world.chance(0.1):
        world.after(world.dice.random() * 10, client.vanish)
    return client
