"""One world from its beginning to its rest: who is in it, what they do, and what has to hold."""

from __future__ import annotations

from collections.abc import Callable

from sse_core.lifecycle import Outcome

from . import answers
from .client import Client
from .server import House, ServedTurn, Server
from .world import Broken, World

MAX_STEPS = 60_000


def play(seed: int, trace: Callable[[str], None] | None = None) -> World:
    """Let the world of ``seed`` happen.  Raises ``Broken`` where an invariant does not hold."""
    world = World(seed, trace)
    house = House.of(world)
    server = Server(world, house)
    turns = [f"turn-{number}" for number in range(world.dice.choice((1, 1, 2, 3)))]
    clients = [client for turn_id in turns for client in _clients(world, server, house, turn_id)]
    try:
        world.run(MAX_STEPS)
        _check_rest(world, server, clients)
    except Broken as broken:
        raise Broken(f"seed {seed}: {broken}") from None
    return world


def _clients(world: World, server: Server, house: House, turn_id: str) -> list[Client]:
    """Who reads a turn: who asked for it, and those who come later, in any number."""
    dice = world.dice
    clients = [Client(world, server, turn_id, house.dialect, asks=True)]
    _behave(world, clients[0])
    for _ in range(dice.choice((0, 0, 0, 1, 3))):
        world.after(dice.random() * 30, lambda: _join(world, server, house, turn_id, clients))
    _watch(world, server, clients)
    return clients


def _join(world: World, server: Server, house: House, turn_id: str, clients: list[Client]) -> None:
    asks = world.chance(0.3) and turn_id in server.turns
    client = Client(world, server, turn_id, house.dialect, asks=asks)
    clients.append(client)
    _behave(world, client)


def _behave(world: World, client: Client) -> None:
    """What the person in front of a client will do."""
    dice = world.dice
    how = dice.random()
    moment = dice.choice((0.0, 0.1, 0.5, 2.0, 10.0)) * dice.random()
    if how < 0.10:
        world.after(moment, client.press_stop)
    elif how < 0.15:
        world.after(moment, client.press_stop)
        world.after(moment + dice.choice((0.0, 0.01, 1.0)), client.press_stop)
    elif how < 0.25:
        world.after(moment, client.vanish)
    elif how < 0.45:
        for _ in range(dice.randrange(1, 6)):
            world.after(moment * dice.randrange(1, 5), client.lose_connection)


def _watch(world: World, server: Server, clients: list[Client]) -> None:
    """Look at what the clients have, every now and then, for as long as anybody reads."""

    def look() -> None:
        for client in clients:
            _check_client(world, server, client)
        if any(turn.turn.outcome is None for turn in server.all) or world.now < 40:
            world.after(0.5, look)

    world.after(0.5, look)


def _served(server: Server, client: Client) -> list[ServedTurn]:
    """The turns that a client may have read: after a long time a POST begins another with the same ID."""
    return [served for served in server.all if served.id == client.turn_id]


def _check_client(world: World, server: Server, client: Client) -> None:
    served = _served(server, client)
    if client.has_gap or not served:
        return
    holds = any(turn.true_text.startswith(client.text) for turn in served)
    world.check(holds, f"a client of {client.turn_id} has text that is none: {client.text[-80:]!r}")


def _check_rest(world: World, server: Server, clients: list[Client]) -> None:
    """What has to hold when nothing happens any more."""
    for served in server.all:
        turn = served.turn
        world.check(turn.outcome is not None, f"{served.id} has no outcome")
        world.check(served.connection is None, f"{served.id} has a connection that nobody owns")
        world.check(served.readers == 0, f"{served.id} has {served.readers} readers")
        truths = [answers.text(generation, 200) for generation in served.generations]
        true_to = any(truth.startswith(turn.message.text) for truth in truths) or not turn.message.text
        world.check(true_to, f"{served.id} has text that the provider never said")
        if turn.outcome is Outcome.COMPLETED:
            world.check(turn.message.usage != {}, f"{served.id} is complete and has no usage")
    for client in clients:
        _check_client(world, server, client)
        _check_end(world, server, client)


def _check_end(world: World, server: Server, client: Client) -> None:
    """Who was told that the answer is complete has all of it, and nobody is told so of another."""
    served = _served(server, client)
    if client.completeness == "complete" and not client.has_gap:
        whole = [turn for turn in served if turn.turn.outcome is Outcome.COMPLETED]
        holds = any(turn.true_text == client.text for turn in whole)
        world.check(holds, f"a client of {client.turn_id} takes a part for the whole")
    if client.completeness and len(served) == 1:
        outcome = served[0].turn.outcome
        world.check(
            (client.completeness == "complete") == (outcome is Outcome.COMPLETED),
            f"a client was told {client.completeness} of a turn that was {outcome}",
        )
