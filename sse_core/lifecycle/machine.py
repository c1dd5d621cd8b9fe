"""The shape that every machine of the house has.

Inputs are methods that take ``now``: seconds, monotonic, by the binding's clock.  Outputs are
``next_event()``, ``want`` and ``deadline``.  The contract of a binding, complete:

1. take events until there are none;
2. do what ``want`` says, until ``deadline``;
3. report what happened (or call ``handle_timeout``: harmless when early or late).

Nothing here waits, and nothing here knows what time it is.
"""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from ..arguments import check_type
from ..errors import LocalProtocolError
from ..headers import Headers, as_headers
from .timers import TableKey, Timer, Timers

State = TypeVar("State", bound=enum.Enum)
Input = TypeVar("Input", bound=enum.Enum)
Limits = TypeVar("Limits")

#: Called with the text of each comment of a stream, without the space after the colon.
OnComment = Callable[[str], None]


class Want(TableKey):
    """What a machine wishes its binding to do next."""

    CONNECT = "connect"  #: open a connection to ``request.url`` and send ``request``
    READ = "read"  #: read from the connection
    PAUSE = "pause"  #: leave the connection open and do not read from it
    CLOSE = "close"  #: close the connection at once and report ``closed``
    WAIT = "wait"  #: no connection; sleep until the deadline
    NOTHING = "nothing"  #: it is over: no connection, no deadline


@dataclass(frozen=True, slots=True)
class HTTPRequest:
    """A request that a machine wants to be sent.

    - ``url``: absolute, http or https.
    - ``method``: in capitals.
    - ``headers``: its fields; a mapping is taken, too.
    - ``body``: its content.
    - ``credentials``: whether it may carry any.  Not where a redirect has led it to another origin: it has no
      field that may be one then, and a client that adds fields of its own to each request adds none.

    Raises ``TypeError`` for anything else than text, fields and bytes in their places.
    """

    url: str = field(repr=False)  # its query may hold a key, and a repr ends up in logs
    method: str = "GET"
    headers: Headers = field(default_factory=Headers)
    body: bytes = field(default=b"", repr=False)
    credentials: bool = True

    def __post_init__(self) -> None:
        check_type("url", self.url, str)
        check_type("method", self.method, str)
        check_type("body", self.body, bytes, hint="json.dumps(...).encode() gives some")
        object.__setattr__(self, "headers", as_headers(self.headers))


class ConnectingMachine(Protocol):
    """A machine that lives on one HTTP exchange after another: a turn, an event source."""

    @property
    def want(self) -> Want:
        """What to do next."""

    @property
    def deadline(self) -> float | None:
        """When to call ``handle_timeout``, in seconds by the binding's clock."""

    @property
    def request(self) -> HTTPRequest:
        """What to send when the wish is ``Want.CONNECT``."""

    def connected(self, now: float) -> None:
        """The transport is open (TLS included) and the request is on its way."""

    def response_started(self, status: int, headers: Headers, now: float) -> None:
        """The final status line and header section have been read."""

    def receive_data(self, data: bytes, now: float) -> None:
        """Bytes of the body, transfer coding removed."""

    def receive_eof(self, now: float) -> None:
        """The body came to its proper end, by the message's own framing."""

    def connection_lost(self, reason: str, now: float, *, retryable: bool = True) -> None:
        """The connection could not be made, or broke before the body's proper end.

        ``retryable`` is false where another connection would fail in the same way: the peer's
        certificate is refused, or what answers does not speak TLS.
        """

    def closed(self, now: float) -> None:
        """The wish ``Want.CLOSE`` has been carried out."""

    def handle_timeout(self, now: float) -> None:
        """Fire the timers that are due.  Harmless when none is."""


@dataclass(frozen=True, slots=True)
class Tables(Generic[State, Input, Limits]):
    """A connecting machine as data.

    - ``first``: the state that it begins in.
    - ``connecting``: the state in which it waits for a transport.
    - ``reading``: the state whose silence is measured, unless the consumer is busy.
    - ``gap``: the timer that measures it.
    - ``gap_goes_on``: whether a pause leaves what was left of ``gap``; else it begins anew.
    - ``redirected``: what the end of a transport means where it was closed to connect elsewhere.
    - ``transitions``: where each input leads; what isn't in it does not exist.
    - ``timers``: those of each state: armed on entry, in every other state disarmed.
    - ``lasting``: the timers that run on from state to state.
    - ``deadlines``: how many seconds each timer runs, by the machine's settings; ``None``: it doesn't.
    - ``wants``: the wish, by state and by whether a transport is open.
    """

    first: State
    connecting: State
    reading: State
    gap: Timer
    gap_goes_on: bool
    redirected: Input
    transitions: Mapping[tuple[State, Input], State]
    timers: Mapping[State, tuple[Timer, ...]]
    lasting: frozenset[Timer]
    deadlines: Mapping[Timer, Callable[[Limits], float | None]]
    wants: Mapping[tuple[State, bool], Want]


class TabledMachine(ABC, Generic[State, Input, Limits]):
    """A connecting machine whose states, timers and wishes are ``tables``, with ``deadlines`` of its own.

    What it makes of what happens is its own part: the abstract methods.
    """

    def __init__(self, tables: Tables[State, Input, Limits], deadlines: Limits) -> None:
        self._tables = tables
        self._deadlines = deadlines
        self._state = tables.first
        self._timers = Timers()
        self._transport_open = False
        self._retry_at = 0.0  # in back-off: when the next attempt begins
        self._paused = False
        self._gap_left: float | None = None  # while paused: what the peer still has of the gap

    # Outputs

    @property
    def state(self) -> State:
        """Where the machine is."""
        return self._state

    @property
    def want(self) -> Want:
        """What the machine wishes its binding to do."""
        if self._paused and self._state is self._tables.reading:
            return Want.PAUSE
        return self._tables.wants[self._state, self._transport_open]

    @property
    def deadline(self) -> float | None:
        """When to call ``handle_timeout``."""
        return self._timers.deadline

    # Inputs

    def pause(self, now: float) -> None:
        """Read nothing: the consumer is busy.  Silence is not the peer's fault now; idempotent."""
        if not self._paused:
            self._paused = True
            self._gap_left = self._timers.stop(self._tables.gap, now)

    def resume(self, now: float) -> None:
        """Read again; idempotent."""
        was_paused, self._paused = self._paused, False
        if not was_paused or self._state is not self._tables.reading:
            return
        if not self._tables.gap_goes_on:
            self._begin(self._tables.gap, now)
        elif self._gap_left is not None:
            self._timers.arm(self._tables.gap, now + self._gap_left)

    def connected(self, now: float) -> None:
        """The transport is open (TLS included) and the request is on its way.

        Late, it does no harm: the machine wishes it closed.  Raises ``LocalProtocolError`` before
        ``start``.
        """
        if self._state is self._tables.first:
            raise LocalProtocolError("nothing was to be connected: call start() first")
        self._transport_open = True
        # In back-off the transport is late: close first, then sleep.
        self._timers.disarm(Timer.BACKOFF)
        if self._state is self._tables.connecting:
            self._opened(now)

    def connection_lost(self, reason: str, now: float, *, retryable: bool = True) -> None:
        """The connection could not be made, or broke.

        ``retryable`` is false where another connection would fail in the same way.
        """
        was_open, self._transport_open = self._transport_open, False
        if Timer.BACKOFF in self._tables.timers[self._state]:
            self._sleep()
        elif (self._state, self._tables.redirected) in self._tables.transitions:
            self._apply(self._tables.redirected, now)
        else:
            self._lost(reason, now, was_open=was_open, retryable=retryable)

    def closed(self, now: float) -> None:
        """The transport was closed, as wished."""
        self.connection_lost("closed", now)

    def handle_timeout(self, now: float) -> None:
        """Fire the timers that are due."""
        while (timer := self._timers.next_expired(now)) is not None:
            self._expired(timer, now)

    # A machine's own part

    @abstractmethod
    def _opened(self, now: float) -> None:
        """The transport that was waited for is open."""

    @abstractmethod
    def _lost(self, reason: str, now: float, *, was_open: bool, retryable: bool) -> None:
        """A transport is gone that was not wished closed, or could not be had."""

    @abstractmethod
    def _expired(self, timer: Timer, now: float) -> None:
        """``timer`` was due."""

    @abstractmethod
    def _entered(self, happened: Input, now: float) -> None:
        """The state is another one, because of ``happened``; its timers aren't armed yet."""

    # What the tables say

    def _apply(self, happened: Input, now: float) -> None:
        """Go where the table says, with the timers that belong there."""
        tables, before = self._tables, self._state
        after = self._state = tables.transitions[before, happened]
        if after is not before:
            self._timers.clear(but=tables.lasting)
            self._entered(happened, now)
        for timer in tables.timers[after]:
            self._begin(timer, now)

    def _begin(self, timer: Timer, now: float) -> None:
        """Let ``timer`` run for as long as its deadline says; without one, not at all."""
        if timer is Timer.BACKOFF:
            self._sleep()
            return
        seconds = self._tables.deadlines[timer](self._deadlines)
        if self._paused and timer is self._tables.gap:
            self._gap_left = seconds
        else:
            self._timers.begin(timer, seconds, now)

    def _sleep(self) -> None:
        # Close first, then sleep: the transport's end begins it.
        if not self._transport_open:
            self._timers.arm(Timer.BACKOFF, self._retry_at)
