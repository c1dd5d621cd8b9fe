"""The clock, the dice and the agenda of one world.

Nothing here waits: the world goes from one thing on its agenda to the next, and its clock jumps there.
The same seed gives the same world, step by step.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable
from itertools import count
from typing import NoReturn

Action = Callable[[], None]


class Broken(AssertionError):
    """An invariant does not hold."""


class World:
    """One world.  ``trace`` is given a line for all that happens, where there is one."""

    def __init__(self, seed: int, trace: Callable[[str], None] | None = None) -> None:
        self.seed = seed
        self.dice = random.Random(seed)
        self.now = 0.0
        self.steps = 0
        self.seen: Counter[str] = Counter()  #: what happened, how often
        self.trace = trace
        self._agenda: list[tuple[float, int, Action]] = []
        self._numbers = count()

    def after(self, seconds: float, action: Action) -> None:
        """Put ``action`` on the agenda."""
        heapq.heappush(self._agenda, (self.now + seconds, next(self._numbers), action))

    def run(self, max_steps: int) -> None:
        """Go on until nothing is left to do.  Raises ``Broken`` for a world that never comes to rest."""
        agenda, pop = self._agenda, heapq.heappop
        while agenda:
            self.now, _, action = pop(agenda)
            self.steps += 1
            action()
            if self.steps > max_steps:
                self.fail("the world does not come to rest")

    def note(self, what: str, detail: object = "") -> None:
        """Count that ``what`` happened."""
        self.seen[what] += 1
        if self.trace is not None:
            self.trace(f"{self.now:12.4f} {self.steps:6} {what}  {detail}".rstrip())

    def fail(self, invariant: str, detail: object = "") -> NoReturn:
        """An invariant does not hold.  ``invariant`` is its name: the same for whatever breaks it."""
        raise Broken(f"{invariant} [step {self.steps}, {self.now:.3f} s] {detail}".rstrip())

    def chance(self, probability: float) -> bool:
        """Whether something happens that does with this probability."""
        return self.dice.random() < probability


class Alarm:
    """Calls ``ring`` at a deadline that moves.

    As a loop's timers do, it comes a little late now and then; and it comes early where the deadline has
    moved on since it was set.
    """

    def __init__(self, world: World, deadline: Callable[[], float | None], ring: Action) -> None:
        self._world = world
        self._deadline = deadline
        self._ring = ring
        self._set_for: float | None = None

    def follow(self) -> None:
        """The deadline may have moved."""
        due = self._deadline()
        if due is None or (self._set_for is not None and self._set_for <= due):
            return
        self._set_for = due
        world = self._world
        late = 0.01 * world.dice.random() if world.chance(0.3) else 0.0
        world.after(max(0.0, due - world.now) + late, lambda: self._go_off(due))

    def _go_off(self, set_for: float) -> None:
        if self._set_for == set_for:  # else it was set for an earlier moment, and has gone off since
            self._set_for = None
            self._ring()
            self._see_whether_it_fired()
            self.follow()

    def _see_whether_it_fired(self) -> None:
        due = self._deadline()
        if due is not None and due <= self._world.now:
            self._world.fail("a timer that does not fire", f"{due} at {self._world.now}")
