"""What the reader of a client scenario does, step by step, and what has come of it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from sse_core.lifecycle import Outcome

from .peers import PATIENCE
from .runner import Runner

Peers = Mapping[str, Any]


class Stage:
    """One call while it is played: its stream, and what has come of it."""

    def __init__(self, runner: Runner, peers: Peers) -> None:
        self.runner = runner
        self.peers = peers
        self.stream: Any = None
        self.events: list[Any] = []
        self.arrived: list[float] = []  #: when each event came, by ``time.monotonic``
        self.trace: list[str] = []  #: data of events, ": " comments and "after ..." reconnects, in order
        self.reconnects: list[Any] = []
        self.errors: list[Exception] = []
        self.began = self.ended = self.marked = 0.0

    async def read(self) -> None:
        """Take one event; ``StopAsyncIteration`` at the end."""
        event = await anext(self.stream)
        self.arrived.append(time.monotonic())
        self.events.append(event)
        if hasattr(event, "data"):
            self.trace.append(event.data)

    async def until(self, condition: Condition) -> None:
        """Wait for what another thread does."""
        end = time.monotonic() + PATIENCE
        while not condition(self):
            assert time.monotonic() < end, "what the scenario waits for doesn't come"
            await self.runner.sleep(0.002)

    def comment(self, text: str) -> None:
        self.trace.append(f": {text}")

    def reconnect(self, reconnect: Any) -> None:
        self.reconnects.append(reconnect)
        self.trace.append(f"after {reconnect.last_event_id}")

    @property
    def texts(self) -> list[str]:
        return [event.data for event in self.events]


Condition = Callable[[Stage], object]


class Step(Protocol):
    async def play(self, stage: Stage) -> None: ...


@dataclass(frozen=True)
class Take:
    """So many events."""

    count: int

    async def play(self, stage: Stage) -> None:
        for _ in range(self.count):
            await stage.read()


@dataclass(frozen=True)
class ToEnd:
    """All events."""

    async def play(self, stage: Stage) -> None:
        with contextlib.suppress(StopAsyncIteration):
            while True:
                await stage.read()


@dataclass(frozen=True)
class TakeUntil:
    """Events until the last one is such that."""

    condition: Callable[[Any], object]

    async def play(self, stage: Stage) -> None:
        await stage.read()
        while not self.condition(stage.events[-1]):
            await stage.read()


@dataclass(frozen=True)
class Pause:
    seconds: float

    async def play(self, stage: Stage) -> None:
        await stage.runner.sleep(self.seconds)


@dataclass(frozen=True)
class Glance:
    """Try to read for so long, in vain: the wait is cancelled."""

    seconds: float

    async def play(self, stage: Stage) -> None:
        assert not await stage.runner.within(self.seconds, stage.read), "nothing was to come"


@dataclass(frozen=True)
class Glances:
    """Read so many events, and give up each wait after so many seconds."""

    count: int
    seconds: float

    async def play(self, stage: Stage) -> None:
        while len(stage.events) < self.count:
            await stage.runner.within(self.seconds, stage.read)


@dataclass(frozen=True)
class Until:
    """Wait for what happens elsewhere."""

    condition: Condition

    async def play(self, stage: Stage) -> None:
        await stage.until(self.condition)


@dataclass(frozen=True)
class Fail:
    """The reader's own mistake."""

    async def play(self, stage: Stage) -> None:  # noqa: ARG002  (a step's face)
        raise ZeroDivisionError


@dataclass(frozen=True)
class Stop:
    """``stop()``, which gives this outcome."""

    outcome: Outcome = Outcome.STOPPED

    async def play(self, stage: Stage) -> None:
        for _ in range(2):  # once more changes nothing
            assert await stage.stream.stop() is self.outcome


@dataclass(frozen=True)
class StopMeanwhile:
    """One task reads to the end; another one stops the turn when this is true."""

    when: Condition

    async def play(self, stage: Stage) -> None:
        await stage.runner.side_by_side(lambda: ToEnd().play(stage), lambda: self._stop(stage))
        assert time.monotonic() - stage.marked < 0.5, "the reading task ends at once"

    async def _stop(self, stage: Stage) -> None:
        await stage.until(self.when)
        await Stop().play(stage)
        stage.marked = time.monotonic()
