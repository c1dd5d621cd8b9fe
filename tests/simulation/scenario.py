"""One world from its beginning to its rest: who is in it, what they do, and what has to hold."""

from __future__ import annotations

from collections.abc import Callable

from sse_core.headers import Headers
from sse_core.lifecycle import HTTPRequest, TurnLog

from .broadcasting import Station, readers
from .client import ORIGIN, SECRET, Client
from .house import House
from .reading import TurnReading
from .server import Server
from .world import Broken, World

MAX_STEPS = 100_000
#: In so many worlds of 100 there is a broadcast.
BROADCASTS = 12


def play(seed: int, trace: Callable[[str], None] | None = None) -> World:
    """Let the world of ``seed`` happen.  Raises ``Broken`` where an invariant does not hold."""
    world = World(seed, trace)
    try:
        house = House.of(world)
        world.note("house", house)
        if world.dice.randrange(100) < BROADCASTS:
            _broadcast(world, house)
        else:
            _turns(world, house)
    except Broken as broken:
        raise Broken(f"seed {seed}: {broken}") from broken
    except Exception as error:
        text = f"an exception [step {world.steps}, {world.now:.3f} s] {type(error).__name__}: {error}"
        raise Broken(f"seed {seed}: {text}") from error
    return world


def _broadcast(world: World, house: House) -> None:
    station = Station(world, house)
    clients = readers(world, station, world.dice.choice((1, 3, 8)))
    world.run(MAX_STEPS)
    for client in clients:
        client.check_rest()
    log = station.broadcast.log
    if not isinstance(log, TurnLog) or log._readers:  # noqa: SLF001  (nothing else shows a leak)
        world.fail("a reader without a connection", "broadcast")


def _turns(world: World, house: House) -> None:
    people = People(world, Server(world, house))
    for number in range(world.dice.choice((1, 1, 2, 3))):
        people.come_to(f"turn-{number}")
    world.run(MAX_STEPS)
    people.server.check_rest()
    for client in people.clients:
        client.check_rest()


class People:
    """Those who read the turns of one server, and what they do to them."""

    def __init__(self, world: World, server: Server) -> None:
        self.server = server
        self.clients: list[Client] = []
        self._world = world

    def come_to(self, name: str) -> None:
        """One asks for a turn; others come later, in any number."""
        dice = self._world.dice
        self._ask(name)
        for _ in range(dice.choice((0, 0, 0, 1, 3))):
            self._world.after(dice.random() * 30, lambda: self._join(name))

    def _ask(self, name: str) -> None:
        request = HTTPRequest(f"{ORIGIN}/turns", "POST", Headers([SECRET]), name.encode())
        self._behave(name, request, TurnReading(self._world))

    def _join(self, name: str) -> None:
        if self._world.chance(0.3) and name in self.server.turns:
            self._ask(name)
        else:
            self._behave(name, self._get(name), TurnReading(self._world))

    def _get(self, name: str) -> HTTPRequest:
        return HTTPRequest(f"{ORIGIN}/turns/{name}", headers=Headers([SECRET]))

    def _behave(self, name: str, request: HTTPRequest, reading: TurnReading, last_event_id: str = "") -> None:
        """A client, and what the person in front of it will do."""
        world, dice = self._world, self._world.dice
        client = Client(world, self.server, request, reading, last_event_id=last_event_id)
        self.clients.append(client)
        how = dice.random()
        moment = dice.choice((0.1, 0.5, 2.0, 4.0, 10.0)) * dice.random()
        if how < 0.12:
            world.after(moment, lambda: self.server.stop(name))
            if how < 0.05:  # twice
                world.after(moment + dice.choice((0.0, 0.01, 1.0)), lambda: self.server.stop(name))
        elif how < 0.22:
            world.after(moment, client.vanish)
        elif how < 0.42:
            for _ in range(dice.randrange(1, 6)):
                world.after(moment * dice.randrange(1, 5), client.lose_connection)
        elif how < 0.46:
            world.after(moment, lambda: client.move(lambda event_id: self._go_on(name, reading, event_id)))
        elif how < 0.54:
            world.after(moment, lambda: client.be_busy(dice.choice((0.1, 2.0, 30.0))))
        if dice.random() < 0.2:
            world.after(moment + dice.random() * 10, lambda: self._come_back(name, reading))

    def _go_on(self, name: str, reading: TurnReading, event_id: str) -> None:
        """Another program has what the first one was given, and the ID that it kept."""
        again = TurnReading(self._world, reading.served, reading.history if event_id else [])
        self._behave(name, self._get(name), again, event_id)

    def _come_back(self, name: str, reading: TurnReading) -> None:
        """A page that was saved some time ago is opened again: it has an old text, and an old ID."""
        if reading.served is None or not reading.history:
            return
        self._world.note("client comes back")
        kept = reading.history[: self._world.dice.randrange(len(reading.history)) + 1]
        again = TurnReading(self._world, reading.served, kept)
        if not again.is_whole:
            wanted = name
            if kept[-1].last_event_id and self._world.chance(0.2):
                # Perhaps with another turn's ID.
                wanted = self._world.dice.choice([*self.server.turns, name])
            self._behave(name, self._get(wanted), again, kept[-1].last_event_id)
