"""Many owners of sockets and deadlines, each of whom gets its turn: the loop, without what it serves.

A step does a bounded part of what there is to do.  What is left comes first in the next one, so that
neither the first sockets of a batch starve the others, nor the batch whoever hosts the loop.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable

from .alarms import Alarms
from .owner import Owner
from .watcher import Watcher

#: How many owners have their turn in one step, and for how many seconds.  Measured with trio as the host:
#: with 64 and 2 ms, another task's delay is 12 to 27 ms under a burst of 16 upstreams at full speed; with
#: these it is 0.7 ms at 10,000 events a second, and unbounded it is 160 ms.
MAX_TURNS = 16
MAX_SECONDS = 0.001

_DUE = 4
_GO_ON = 8


class Reactor:
    """Gives each owner its turn.

    - ``now``: the host's clock, in seconds.
    - ``look_again``: called when ``deadline`` has become earlier while nobody was in ``step``.
    - ``on_error``: called with what an owner raised; the owner is then ended.
    - ``watcher``: who watches the sockets.
    """

    def __init__(
        self,
        now: Callable[[], float],
        look_again: Callable[[], None],
        on_error: Callable[[Exception], None],
        watcher: Watcher,
    ) -> None:
        self.now = now
        self.on_error = on_error
        self._look_again = look_again
        self._watcher = watcher
        self._alarms = Alarms()
        self._more: dict[Owner, None] = {}
        self._batch: deque[tuple[Owner, int]] = deque()
        self._stepping = False
        self._moment = 0.0  # when the present turn began

    # What the host calls

    @property
    def deadline(self) -> float:
        """When to call ``step``, if no socket is ready before; minus infinity: once others had a turn."""
        return -math.inf if self._batch or self._more else self._alarms.earliest

    def step(self, now: float, wait: float = 0.0) -> None:
        """Do a bounded part of what there is to do.

        If there is nothing, and ``wait`` is given, wait for the sockets for so many seconds.
        """
        self._stepping = True
        try:
            if not self._batch:
                self._collect(now, wait)
            self._work_off()
        finally:
            self._stepping = False

    def _collect(self, now: float, wait: float) -> None:
        """Make a new batch.  Who is ready goes first: those who go on would go on for ever."""
        due, more = self._alarms.take_due(now), self._more
        self._more = {}
        self._batch.extend(self._watcher.take_ready(0.0 if due or more else wait))
        if due:
            self._batch.extend((owner, _DUE) for owner in due)
        if more:
            self._batch.extend((owner, _GO_ON) for owner in more)

    def _work_off(self) -> None:
        self._moment = self.now()
        end = self._moment + MAX_SECONDS
        for _ in range(MAX_TURNS):
            if not self._batch:
                break
            owner, mask = self._batch.popleft()
            self._give_turn(owner, mask, self._moment)
            self._moment = self.now()
            if self._moment >= end:
                break

    def _give_turn(self, owner: Owner, mask: int, now: float) -> None:
        """Call ``owner``, if it still wants what it was put into the batch for.

        Others had their turn since then: it may have ended, and its descriptor may be another's by now.
        """
        try:
            if mask == _DUE:
                if owner.deadline <= now:
                    owner.due(now)
            elif mask == _GO_ON:
                owner.go_on(now)
            elif mask & owner.interest:
                owner.ready(mask & owner.interest, now)
        except Exception as error:  # noqa: BLE001  (one owner's trouble is no other's)
            self.on_error(error)
            owner.end(now)

    # What owners call

    def moment(self) -> float:
        """The time: within a step the moment at which the present turn began."""
        return self._moment if self._stepping else self.now()

    def watch(self, owner: Owner, interest: int) -> None:
        """Call ``owner.ready`` from now on when its socket is ready for ``interest``."""
        if interest != owner.interest:
            self._watcher.watch(owner, interest)
            owner.interest = interest

    def set_deadline(self, owner: Owner, deadline: float) -> None:
        """Call ``owner.due`` at ``deadline``, and not before."""
        owner.deadline = deadline
        if deadline < owner.alarm:
            self._alarms.set(owner, deadline)
            if deadline <= self._alarms.earliest:
                self.look_again()

    def go_on(self, owner: Owner) -> None:
        """Call ``owner.go_on`` once others had their turn."""
        self._more[owner] = None
        self.look_again()

    def forget(self, owner: Owner) -> None:
        """Leave ``owner`` alone: it is about to close its socket, or has none."""
        self.watch(owner, 0)
        owner.deadline = math.inf
        self._alarms.cancel(owner)
        self._more.pop(owner, None)

    def look_again(self) -> None:
        """Tell the host that there may be something to do, unless it is in ``step``."""
        if not self._stepping:
            self._look_again()
