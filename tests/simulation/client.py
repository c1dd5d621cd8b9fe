"""A client: an event source that follows its stream through every cut."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from sse_core import ServerSentEvent
from sse_core.headers import Headers
from sse_core.lifecycle import EventSource, HTTPRequest, Reconnect, RetryPolicy, SourceDeadlines, Want

from .house import SLACK
from .network import Path, Wire
from .stream import Stream
from .world import Alarm, World

ORIGIN = "https://server.test"
SECRET = ("authorization", "Bearer secret")
IDLE = 25.0
ATTEMPTS = 8


@dataclass(frozen=True)
class Answer:
    """What a site says to a request; with a stream, or without."""

    status: int
    headers: Headers
    stream: Stream | None = None


class Site(Protocol):
    """Whoever answers requests."""

    def answer(self, request: HTTPRequest) -> Answer:
        """What it says to this one."""


class Reading(Protocol):
    """What a client makes of the events that it gets."""

    is_whole: bool  #: the end came
    is_lost: bool  #: the end need not come: what came can't be read, or nothing is to come

    def take(self, sse: ServerSentEvent, wire: Wire | None) -> None:
        """One more event, which came on ``wire``."""

    def over(self) -> None:
        """The server says that nothing more is to come."""


class Client:
    """Reads one stream, and follows it until ``reading`` is whole.

    It asks by POST or goes on by GET, after ``last_event_id`` if it has been there before.
    """

    def __init__(
        self, world: World, site: Site, request: HTTPRequest, reading: Reading, *, last_event_id: str = ""
    ) -> None:
        self.reading = reading
        self.has_vanished = False
        self.wire: Wire | None = None
        self._world = world
        self._site = site
        self._may_be_done = False  # what the request is for
        self._can_read_on = True  # the answer is a GET's, or says where it is read on
        self._move: Callable[[str], None] | None = None
        self._reconnects = 0
        self._has_progress = False  # an event has come since the last reconnect
        self._number = -1  # of the last event ID
        self._is_connecting = False
        self.source = EventSource(
            request,
            last_event_id=last_event_id,
            retry=RetryPolicy(max_attempts=ATTEMPTS, initial_delay=0.5),
            deadlines=SourceDeadlines(idle=IDLE),
            jitter=world.dice.random,
            on_reconnect=self._on_reconnect,
        )
        self._alarm = Alarm(world, lambda: self.source.deadline, self._timeout)
        self.source.start(world.now)
        self._settle()

    # What the person in front of it does

    def vanish(self) -> None:
        """The page was closed."""
        self.has_vanished = True
        self._world.note("client vanishes")
        self.source.close(self._world.now)
        self._settle()

    def move(self, go_on: Callable[[str], None]) -> None:
        """With its next event this program ends, and another one goes on from the ID that is kept."""
        self._move = go_on

    def lose_connection(self) -> None:
        """The network was switched off and on."""
        if self.wire is not None:
            self.wire.close()
            self._lost(proper=False)

    def be_busy(self, seconds: float) -> None:
        """What has come is being worked on; nothing more is read meanwhile."""
        wire = self.wire
        if wire is not None and self.source.want is Want.READ:
            wire.pause()
            self.source.pause(self._world.now)
            if self._wish() is not Want.PAUSE:
                self._world.fail("a client's pause that is none")
            self._alarm.follow()
            self._world.after(seconds, lambda: self._go_on(wire))

    def _wish(self) -> Want:
        """A type checker takes what was seen of an attribute to hold for ever."""
        return self.source.want

    def _go_on(self, wire: Wire) -> None:
        self.source.resume(self._world.now)
        if self.source.want is Want.PAUSE:
            self._world.fail("a pause that is not lifted", "a client's")
        self._settle()
        wire.resume()

    # What a binding does

    def _settle(self) -> None:
        while (event := self.source.next_event()) is not None:
            self._has_progress = True
            if not self.reading.is_whole:
                self._check_id(event)
                self.reading.take(event, self.wire)
            if self.reading.is_whole:
                self.source.close(self._world.now)
            elif self._move is not None:
                self._leave(self._move)
                return
        want = self.source.want
        if want is Want.CONNECT and not self._is_connecting:
            self._is_connecting = True
            self._world.after(self._world.dice.choice((0.001, 0.05)), self._connect)
        elif want is Want.CLOSE:
            self._close()
            self.source.closed(self._world.now)
            self._settle()
            return
        if want in {Want.WAIT, Want.NOTHING} and self.wire is not None:
            self._world.fail("a client's connection without an owner")
        if want not in {Want.NOTHING, Want.PAUSE} and self.source.deadline is None:
            self._world.fail("a wait without a deadline", f"a client's: {want}")
        self._alarm.follow()

    def _leave(self, go_on: Callable[[str], None]) -> None:
        """What has come and was not handed out is gone with the program."""
        self._move = None
        self.has_vanished = True
        self._world.note("client moves", self.source.last_event_id)
        self.source.close(self._world.now)
        self._close()
        self.source.closed(self._world.now)
        self._alarm.follow()
        go_on(self.source.last_event_id)

    def _close(self) -> None:
        if self.wire is not None:
            self.wire.close()
            self.wire = None

    def _check_id(self, event: ServerSentEvent) -> None:
        if event.last_event_id:
            number = int(event.last_event_id.rpartition("-")[2])
            if number < self._number:
                self._world.fail("an ID that goes back", event.last_event_id)
            self._number = number

    def _connect(self) -> None:
        self._is_connecting = False
        source, world = self.source, self._world
        if source.want is not Want.CONNECT:
            return
        request = source.request
        if request.method == "POST" and self._may_be_done:
            world.fail("a client asks twice")
        if (request.headers.get(SECRET[0]) is None) == request.url.startswith(ORIGIN):
            world.fail("a secret goes astray, or is lost", request.url)
        if world.chance(0.03):
            source.connection_lost("refused", world.now)
            self._settle()
            return
        if world.chance(0.02):
            self._may_be_done = True
            source.connected(world.now)
            source.connection_lost("it broke before the answer", world.now)
            self._settle()
            return
        answer = self._site.answer(request)
        self._world.note("client connects", f"{request.url} after {source.last_event_id}: {answer.status}")
        source.connected(world.now)
        if answer.stream is not None:
            self._may_be_done = True
            self._can_read_on = request.method == "GET" or "content-location" in answer.headers
            end = self._lost
            self.wire = Wire(
                world, answer.stream, Path.of(world), self._receive, lambda proper: end(proper=proper)
            )
        source.response_started(answer.status, answer.headers, world.now)
        self._settle()

    def _receive(self, data: bytes) -> None:
        self.source.receive_data(data, self._world.now)
        self._settle()

    def _lost(self, *, proper: bool) -> None:
        self.wire = None
        if proper:
            self.source.receive_eof(self._world.now)
        self.source.connection_lost("the connection was lost", self._world.now)
        self._settle()

    def _timeout(self) -> None:
        wire = self.wire
        self.source.handle_timeout(self._world.now)
        if self.source.want is Want.CLOSE and wire is not None and wire.heartbeats and wire.is_prompt:
            self._world.fail("a client hears nothing on a good connection")
        self._settle()

    def _on_reconnect(self, reconnect: Reconnect) -> None:
        self._reconnects += 1
        self._world.note("client reconnects", reconnect.reason)
        if reconnect.attempt > ATTEMPTS or reconnect.last_event_id != self.source.last_event_id:
            self._world.fail("a reconnect against the policy", reconnect)
        if self._has_progress and reconnect.attempt != 1:
            self._world.fail("an event that is no progress", reconnect)
        self._has_progress = False
        grown = min(0.5 * 2.0 ** max(reconnect.attempt - 2, 0), 8.0)
        if not (0.75 * grown - 1e-6 <= reconnect.delay <= grown + SLACK or reconnect.delay in {2.0, 0.9}):
            self._world.fail("a reconnect at the wrong time", reconnect)

    def check_rest(self) -> None:
        """What has to hold when nothing happens any more."""
        if self.source.want is not Want.NOTHING or self.wire is not None:
            self._world.fail("a client that waits for ever", self.source.want)
        reading = self.reading
        if not self._can_read_on:
            return  # the server may have ended the answer to have the reader back, who can't come
        if self.source.error is None and not reading.is_whole and not self.has_vanished:
            reading.over()
        if not (reading.is_whole or reading.is_lost or self.has_vanished or self.source.error is not None):
            self._world.fail("a client that was never sent the end")
