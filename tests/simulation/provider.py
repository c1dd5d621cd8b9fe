"""A provider's side of one attempt: it refuses, is silent, stalls, breaks, or answers, word by word."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sse_core.headers import Headers

from . import answers
from .world import World

if TYPE_CHECKING:
    from .server import ServedTurn

STREAM = Headers({"content-type": "text/event-stream"})
JSON = Headers({"content-type": "application/json"})
STATUSES = (400, 401, 408, 409, 429, 500, 503, 529)
#: How an attempt goes, and how often of 100.
BEHAVIOURS = {
    "completes": 52,
    "cut by end": 6,
    "cut by reset": 6,
    "error that may pass": 5,
    "final error": 3,
    "garbage": 3,
    "stalls in silence": 3,
    "stalls behind pings": 4,
    "refuses": 4,
    "never connects": 3,
    "never answers": 3,
    "answers with an error": 6,
    "answers with something else": 2,
}
_CHOICES, _WEIGHTS = list(BEHAVIOURS), list(BEHAVIOURS.values())

#: Seconds until it happens, what: bytes, or the name of a method.
Step = tuple[float, bytes | str]


class Connection:
    """One attempt of a turn, as the provider lives it."""

    def __init__(self, world: World, turn: ServedTurn, generation: int) -> None:
        self.open = True
        self.generation = generation
        self.words = world.dice.choice((1, 3, 10, 40, 40, 120))
        self.behaviour = world.dice.choices(_CHOICES, _WEIGHTS)[0]
        self._world = world
        self._turn = turn
        self._steps = self._plan()
        self._blocked = False
        self._next()
        world.note(f"provider {self.behaviour}")

    def close(self) -> None:
        """The server has closed: nothing more is generated, nothing more arrives."""
        self.open = False

    def unblock(self) -> None:
        """The server reads again."""
        if self._blocked:
            self._blocked = False
            self._world.after(0.001, self._go_on)

    def _next(self) -> None:
        step = next(self._steps, None)
        if step is not None:
            seconds, self._what = step
            self._world.after(seconds, self._go_on)

    def _go_on(self) -> None:
        if not self.open:
            return
        if isinstance(self._what, bytes) and not self._turn.reads:
            self._blocked = True  # TCP holds it back until somebody reads
            return
        what = self._what
        if isinstance(what, bytes):
            self._turn.receive(what)
        else:
            getattr(self, f"_{what}")()
        if self.open:
            self._next()

    # What it does, as the server lives it

    def _connect(self) -> None:
        self._turn.connected()

    def _lose(self) -> None:
        self.open = False
        self._turn.lost("reset by the provider")

    def _accept(self) -> None:
        self._turn.response(200, STREAM)

    def _refuse(self) -> None:
        status = self._world.dice.choice(STATUSES)
        fields = {"content-type": "application/json"}
        wish = self._world.dice.choice((None, None, ("retry-after", "3"), ("retry-after-ms", "700")))
        if wish is not None:
            fields[wish[0]] = wish[1]
        if self._world.chance(0.2):
            fields["x-should-retry"] = self._world.dice.choice(("true", "false"))
        self._turn.response(status, Headers(fields))

    def _mistake(self) -> None:
        self._turn.response(200, JSON)

    def _end(self) -> None:
        self._turn.eof()

    def _plan(self) -> Iterator[Step]:
        dice = self._world.dice
        if self.behaviour == "never connects":
            return
        if self.behaviour == "refuses":
            yield dice.random() * 0.2, "lose"
            return
        yield dice.random() * 0.3, "connect"
        if self.behaviour == "never answers":
            return
        yield (
            dice.random() * 2,
            {
                "answers with an error": "refuse",
                "answers with something else": "mistake",
            }.get(self.behaviour, "accept"),
        )
        if self.behaviour == "answers with an error":
            yield dice.random(), b'{"error": {"type": "x", "message": "No."}}'
            yield 0.0, "end"
            return
        yield from self._speak()

    def _speak(self) -> Iterator[Step]:
        dice = self._world.dice
        whole = self._pieces()
        breaks = self.behaviour != "completes"
        stop_at = dice.randrange(len(whole)) if breaks else len(whole)
        pace = dice.choice((0.0, 0.005, 0.02, 0.02, 0.3))
        for piece in whole[:stop_at]:
            yield pace, piece
        if breaks:
            yield from self._break(whole[stop_at])

    def _break(self, rest: bytes) -> Iterator[Step]:
        dialect, dice = self._turn.dialect.name, self._world.dice
        match self.behaviour:
            case "cut by end" | "cut by reset":
                yield 0.01, rest[: dice.randrange(len(rest))]
                yield 0.01, "end" if self.behaviour == "cut by end" else "lose"
            case "error that may pass" | "final error":
                yield 0.01, answers.error(dialect, may_pass=self.behaviour != "final error")
            case "garbage":
                yield 0.01, b"event: content_block_delta\ndata: {no JSON\n\n"
            case "stalls behind pings":
                while True:
                    yield 5.0, answers.ping(dialect)

    def _pieces(self) -> list[bytes]:
        """The whole answer, cut in events, in larger pieces, or anywhere."""
        name, generation, dice = self._turn.dialect.name, self.generation, self._world.dice
        events = [answers.opening(name, generation)]
        for number in range(self.words):
            events.append(answers.delta(name, generation, number))
            if dice.random() < 0.05:
                events.append(answers.ping(name))
        events.append(answers.ending(name, generation, self.words))
        how = dice.random()
        if how < 0.5:
            return events
        data = b"".join(events)
        size = dice.choice((7, 150, 1000)) if how < 0.8 else len(data)
        return [data[at : at + size] for at in range(0, len(data), size)]
