"""A server's script, played to a machine that connects: bytes, and a made-up clock.

The player is a binding: it obeys ``want`` and ``deadline`` and knows nothing else of the machine.
What the machine's user would see is written down.
"""

from __future__ import annotations

import base64
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from sse_core.blocks import MessageCut, StreamError, TextDelta
from sse_core.headers import Headers
from sse_core.lifecycle import EventSource, HTTPRequest, Reconnect, SourceState, Turn, Want

PORTS = {"{PORT}": "8001", "{OTHER_PORT}": "8002"}

#: WHATWG has no states between connections.
READY_STATES = {
    SourceState.IDLE: "CONNECTING",
    SourceState.CONNECTING: "CONNECTING",
    SourceState.REDIRECTING: "CONNECTING",
    SourceState.REFUSED: "CONNECTING",
    SourceState.OPEN: "OPEN",
    SourceState.RECONNECTING: "CONNECTING",
    SourceState.CLOSED: "CLOSED",
}


def with_ports(text: str) -> str:
    """``text`` with the ports of the servers in it."""
    for name, port in PORTS.items():
        text = text.replace(name, port)
    return text


class Server:
    """What comes on each connection, and what each request must be."""

    def __init__(self, script: list[dict[str, Any]]) -> None:
        self._steps = deque(step for step in script for _ in range(step.get("times", 1)))

    @property
    def steps_left(self) -> int:
        """How many connections the script has that were not made."""
        return len(self._steps)

    def take(self, request: HTTPRequest) -> dict[str, Any] | None:
        """The step for this request; ``None`` after the last one."""
        step = self._steps.popleft() if self._steps else None
        if step is not None and "path" in step:
            assert urlsplit(request.url).path == step["path"]
            self._check(request, step.get("expect_request", {}))
        return step

    def _check(self, request: HTTPRequest, expected: dict[str, Any]) -> None:
        assert request.method == expected.get("method", request.method)
        for name, value in expected.get("headers", {}).items():
            found = (request.headers.get(name) or "").encode("latin-1")
            assert found == (bytes.fromhex(value[6:]) if value.startswith("bytes:") else value.encode()), name
        for name in expected.get("absent_headers", []):
            assert name not in request.headers


#: What a server does: wait so many seconds, then say this.
Deed = tuple[float, str, Any]


def deeds(step: dict[str, Any]) -> Iterator[Deed]:
    """What the server does on one connection."""
    head = step["respond"]
    headers = Headers({name: with_ports(value) for name, value in head["headers"].items()})
    yield head.get("delay_ms", 0) / 1000, "head", (head["status"], headers)
    for part in step.get("body", []):
        data = base64.b64decode(part["send_b64"]) if "send_b64" in part else part.get("send", "").encode()
        yield part.get("sleep_ms", 0) / 1000, "data", data
    yield 0.0, "all is said", None
    if step["end"] == "stall":
        yield 0.6, "eof", None
    elif step["end"] == "trickle":
        # A trailer's bytes are none of the body's: a machine doesn't see them.
        yield from [(0.04, "trailer", None)] * 25
        yield 0.04, "eof", None
    elif step["end"] == "truncate":
        yield 0.0, "lost", None
    elif step["end"] != "hold":
        yield 0.0, "eof", None


@dataclass
class Seen:
    """What the machine's user, and its servers, would see."""

    request_paths: list[str] = field(default_factory=list)
    connections: int = 0
    opened_at: list[float] = field(default_factory=list)
    delays: list[float] = field(default_factory=list)
    events: list[dict[str, str]] = field(default_factory=list)
    deltas: list[str] = field(default_factory=list)
    states: list[str] = field(default_factory=list)
    error_states: list[str] = field(default_factory=list)
    raised: int = 0
    said_at: float = 0.0  #: when the server had said all
    closed_at: float = 0.0  #: when the last connection was closed


class Player:
    """Carries out a machine's wishes, with a scripted server at the other end."""

    def __init__(self, machine: EventSource | Turn, server: Server, seen: Seen, now: float = 0.0) -> None:
        self.now = now
        self.is_open = False
        self.seen = seen
        self._machine = machine
        self._server = server
        self._deeds: Iterator[Deed] = iter(())

    def play(self) -> None:
        """Until it is over, the server is silent, or the script is at its end."""
        self.user_looks()
        while self.carry_out(self._machine.want):
            self.user_looks()

    def carry_out(self, want: Want) -> bool:
        """One wish; whether there may be another one."""
        if want is Want.CONNECT:
            return self._connect()
        if want is Want.READ:
            deed = next(self._deeds, None)
            return deed is not None and self._do(*deed)
        if want is Want.CLOSE:
            self._close()
            self._machine.closed(self.now)
        elif want is Want.WAIT:
            self._sleep()
        return want is not Want.NOTHING

    def user_looks(self) -> None:
        """The user takes what there is."""

    def _close(self) -> None:
        self.is_open = False
        self.seen.closed_at = self.now

    def _sleep(self) -> None:
        due = self._machine.deadline
        assert due is not None, "a wait without an end"
        self.seen.delays.append(due - self.now)
        self.now = due
        self._machine.handle_timeout(due)

    def _connect(self) -> bool:
        request = self._machine.request
        self.seen.request_paths.append(urlsplit(request.url).path)
        step = self._server.take(request)
        if step is None:
            return False
        if step.get("connection_refused"):
            self._machine.connection_lost("refused", self.now)
            return True
        assert not self.is_open, "two connections at once"
        self.is_open = True
        self.seen.connections += 1
        self._deeds = deeds(step)
        self._machine.connected(self.now)
        return True

    def _do(self, seconds: float, what: str, how: Any) -> bool:
        assert self._machine.deadline is None or self.now + seconds < self._machine.deadline
        self.now += seconds
        if what == "head":
            status, headers = how
            self._machine.response_started(status, headers, self.now)
        elif what == "data":
            self._machine.receive_data(how, self.now)
        elif what == "eof":
            self._machine.receive_eof(self.now)
        elif what == "lost":
            self._close()
            self._machine.connection_lost("reset by peer", self.now)
        elif what == "all is said":
            self.seen.said_at = self.now
        return True


class SourceUser(Player):
    """Follows an event source, as the user of a browser's does."""

    def __init__(
        self, request: HTTPRequest, server: Server, close_on: str | None = None, **settings: Any
    ) -> None:
        self.source = EventSource(request, on_reconnect=self.sees_reconnect, **settings)
        super().__init__(self.source, server, Seen())
        self._close_on = close_on
        self.source.start(self.now)

    def user_looks(self) -> None:
        entered = self.note()
        if entered == "OPEN":
            self.seen.opened_at.append(self.now)
            self.may_close("open")
        while (event := self.source.next_event()) is not None:
            seen = {"type": event.type, "data": event.data, "lastEventId": event.last_event_id}
            self.seen.events.append(seen)
            self.may_close("message")
        if entered == "CLOSED":
            self.seen.error_states.append("CLOSED")
            self.seen.raised += self.source.error is not None

    def sees_reconnect(self, _: Reconnect) -> None:
        self.seen.error_states.append(READY_STATES[self.source.state])
        self.may_close("error")

    def note(self) -> str | None:
        """The ready state, if it is another one than before."""
        state = READY_STATES[self.source.state]
        if self.seen.states[-1:] == [state]:
            return None
        self.seen.states.append(state)
        return state

    def may_close(self, cause: str) -> None:
        if self._close_on == cause:
            self.leave()

    def leave(self) -> None:
        """The user has enough: no error event reports that."""
        self.source.close(self.now)
        self.note()


class TurnUser(Player):
    """Reads one turn of a model."""

    def __init__(self, turn: Turn, server: Server, seen: Seen, now: float) -> None:
        super().__init__(turn, server, seen, now)
        self._turn = turn
        turn.start(now)

    def user_looks(self) -> None:
        while (event := self._turn.next_event()) is not None:
            if isinstance(event, TextDelta):
                self.seen.deltas.append(event.text)
            self.seen.raised += isinstance(event, StreamError | MessageCut)
