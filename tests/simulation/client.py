"""A client: an event source that follows its turn through every cut, and whoever sits in front of it."""

from __future__ import annotations

import json

from sse_core import MessageAccumulator, ProtocolError, ServerSentEvent, dialects
from sse_core.headers import Headers
from sse_core.lifecycle import EventSource, HTTPRequest, RetryPolicy, SourceDeadlines, Want

from .network import Path, Wire
from .server import Server, Stream
from .world import Alarm, World

STREAM_HEAD = {"content-type": "text/event-stream"}


class Client:
    """Reads one turn.  ``hurry`` is how it behaves: see ``behave``."""

    def __init__(self, world: World, server: Server, turn_id: str, dialect: str, *, asks: bool) -> None:
        self.turn_id = turn_id
        self.text = ""  #: what it has been told, of the message that it is being told of
        self.completeness = ""  #: "" until the end was told
        self.has_gap = False  #: it was told that events are gone, and got nothing in their place
        self.gone = False
        self._world = world
        self._server = server
        self._dialect = dialects.get(dialect)
        self._wire: Wire | None = None
        self._begin_anew()
        url = "https://server.test/turns" + ("" if asks else f"/{turn_id}")
        self.source = EventSource(
            HTTPRequest(url, "POST" if asks else "GET"),
            retry=RetryPolicy(max_attempts=8, initial_delay=0.5),
            deadlines=SourceDeadlines(idle=25.0),
            jitter=world.dice.random,
        )
        self._alarm = Alarm(world, lambda: self.source.deadline, self._timeout)
        self.source.start(world.now)
        self._settle()

    def _begin_anew(self) -> None:
        self.text = ""
        self._decoder = self._dialect.Decoder()
        self._accumulator = MessageAccumulator()
        self._snapshot_left = 0

    # What the person in front of it does

    def press_stop(self) -> None:
        """Stop: the server is told, and the rest is read."""
        self._server.stop(self.turn_id)

    def vanish(self) -> None:
        """The page was closed."""
        self.gone = True
        self.source.close(self._world.now)
        self._settle()

    def lose_connection(self) -> None:
        """The network was switched off and on."""
        if self._wire is not None:
            self._wire.close()
            self._lost("reset")

    # What a binding does

    def _settle(self) -> None:
        while (event := self.source.next_event()) is not None:
            self._take(event)
        want, now = self.source.want, self._world.now
        if want is Want.CONNECT and self._wire is None:
            self._world.note("client connects", self.source.last_event_id)
            self._world.after(self._world.dice.choice((0.001, 0.05)), self._connect)
        elif want in {Want.CLOSE, Want.NOTHING, Want.WAIT} and self._wire is not None:
            self._wire.close()
            self._wire = None
            self.source.closed(now)
            self._settle()
            return
        elif want is Want.CLOSE:
            self.source.closed(now)
        self._alarm.follow()

    def _connect(self) -> None:
        if self.source.want is not Want.CONNECT or self._wire is not None:
            return
        now = self._world.now
        if self._world.chance(0.03):
            self.source.connection_lost("refused", now)
            self._settle()
            return
        stream = self._request()
        self.source.connected(now)
        if stream is None:
            self.source.response_started(404, Headers(), now)
        else:
            head = Headers({**STREAM_HEAD, "content-location": f"/turns/{self.turn_id}"})
            self.source.response_started(200, head, now)
            self._wire = Wire(self._world, stream, Path.of(self._world), self._receive, self._lost)
        self._settle()

    def _request(self) -> Stream | None:
        if self.source.request.method == "POST":
            return self._server.ask(self.turn_id)
        return self._server.resume(self.turn_id, self.source.last_event_id)

    def _receive(self, data: bytes) -> None:
        self.source.receive_data(data, self._world.now)
        self._settle()

    def _lost(self, how: str) -> None:
        self._wire = None
        if how == "end":
            self.source.receive_eof(self._world.now)
        self.source.connection_lost("the connection was lost", self._world.now)
        self._settle()

    def _timeout(self) -> None:
        self.source.handle_timeout(self._world.now)
        self._settle()

    # What it is told

    def _take(self, sse: ServerSentEvent) -> None:
        if self.completeness:
            return
        if sse.type == "gap":
            self._gap(json.loads(sse.data))
            return
        try:
            events = self._decoder.receive_event(sse)
            for event in events:
                self._accumulator.receive(event)
        except ProtocolError as error:
            self._world.check(self.has_gap, f"a client can't read what it is sent: {error}")
            return
        message = self._accumulator.message
        self.text = message.text
        if message.completeness != "streaming":
            self._end(message.completeness)

    def _gap(self, gap: dict[str, int]) -> None:
        self._world.note("gap with snapshot" if "snapshot" in gap else "gap")
        self._begin_anew()
        self.has_gap = "snapshot" not in gap

    def _end(self, completeness: str) -> None:
        self.completeness = completeness
        self._world.note(f"client told {completeness}")
        self.source.close(self._world.now)
