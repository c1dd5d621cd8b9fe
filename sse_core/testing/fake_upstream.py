"""An upstream without a socket: it plays exchanges to a machine, on a made-up clock.

It is a binding, whole: it takes events until there are none, does what ``want`` says until ``deadline``, and
reports what happened; only that its time jumps from one event to the next.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

from ..lifecycle import ConnectingMachine, HTTPRequest, Want
from .clock import Clock
from .exchange import End, Exchange

_Event_co = TypeVar("_Event_co", covariant=True)
_Event = TypeVar("_Event")

_Report = Callable[[ConnectingMachine, float], None]
#: What happens: after how many seconds, and what is reported then.
_Happening = tuple[float, _Report]


class Machine(ConnectingMachine, Protocol[_Event_co]):
    """A machine that gives out events: a :class:`sse_core.lifecycle.Turn`, an ``EventSource``."""

    def start(self, now: float) -> None:
        """Begin."""

    def next_event(self) -> _Event_co | None:
        """The next event for the consumer, or ``None``."""


class PlayError(AssertionError):
    """The machine does what the script has no answer to, or waits for what never comes."""


class FakeUpstream:
    """Answers the requests of one machine, in their order.

    - ``script``: an exchange for each request.
    - ``clock``: a new one that begins at 0; give one to share it with the code that is tested.

    ``requests`` are those that were made, ``request_times`` when that was.
    """

    def __init__(self, script: Iterable[Exchange], *, clock: Clock | None = None) -> None:
        self.clock: Clock = clock or Clock()
        self.requests: list[HTTPRequest] = []
        self.request_times: list[float] = []
        self._script = iter(script)
        self._rest: deque[_Happening] = deque()  # of the exchange that is being played
        self._since = 0.0  # when the last of it happened
        self._is_connecting = False

    def events(self, machine: Machine[_Event]) -> Iterator[_Event]:
        """Start ``machine`` and give its events as they come, until it is over.

        Whoever takes them may call the machine in between, with ``clock.now``: to stop it, say.  Raises
        :class:`PlayError` for a request that the script has no exchange for, and where nothing is ever
        going to happen.
        """
        machine.start(self.clock.now)
        while True:
            while (event := machine.next_event()) is not None:
                yield event
            if machine.want is Want.NOTHING:
                return
            self.step(machine)

    def play(self, machine: Machine[_Event]) -> list[_Event]:
        """All that :meth:`events` gives."""
        return list(self.events(machine))

    def step(self, machine: ConnectingMachine) -> None:
        """Do what ``machine`` wants, and let the next thing happen: for code that drives it by itself.

        Raises :class:`PlayError`, as :meth:`events` does.
        """
        want, now = machine.want, self.clock.now
        if want is Want.CLOSE:
            self._rest.clear()
            machine.closed(now)
            return
        if want is Want.CONNECT and not self._is_connecting:
            self._begin(machine.request)
        self._is_connecting = want is Want.CONNECT
        due = self._due() if want in {Want.CONNECT, Want.READ} else math.inf
        deadline = math.inf if machine.deadline is None else machine.deadline
        if due == deadline == math.inf:
            raise PlayError(
                f"nothing is going to happen: the machine wants to {want.value}, without a deadline"
            )
        now = self.clock.advance_to(min(due, deadline))
        if deadline < due:
            machine.handle_timeout(now)
            return
        self._is_connecting, self._since = False, now
        _, report = self._rest.popleft()
        report(machine, now)

    def _begin(self, request: HTTPRequest) -> None:
        self.requests.append(request)
        self.request_times.append(self.clock.now)
        exchange = next(self._script, None)
        if exchange is None:
            raise PlayError(f"request {len(self.requests)} is one more than the script has exchanges for")
        self._rest, self._since = deque(_happenings(exchange)), self.clock.now

    def _due(self) -> float:
        return self._since + self._rest[0][0] if self._rest else math.inf


def _happenings(exchange: Exchange) -> Iterator[_Happening]:
    """What is reported of ``exchange``, one after the other."""
    if exchange.unreachable:
        yield exchange.delay, _lost(exchange.unreachable, exchange)
        return
    yield 0.0, lambda machine, now: machine.connected(now)
    yield (
        exchange.delay,
        lambda machine, now: machine.response_started(exchange.status, exchange.headers, now),
    )
    for piece in exchange.body:
        yield exchange.gap, _data(piece)
    if exchange.end is End.PROPER:
        yield exchange.gap, lambda machine, now: machine.receive_eof(now)
    elif exchange.end is End.LOST:
        yield exchange.gap, _lost("the connection was reset", exchange)


def _data(piece: bytes) -> _Report:
    return lambda machine, now: machine.receive_data(piece, now)


def _lost(reason: str, exchange: Exchange) -> _Report:
    return lambda machine, now: machine.connection_lost(reason, now, retryable=exchange.retryable)
