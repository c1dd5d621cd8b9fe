"""A relay on a made-up clock: the test plays the provider, and reads as the clients do.

Nothing here waits.  ``World`` has the clock, ``Provider`` is one exchange seen from the other end of
its connection, ``Reader`` pulls from one stream as a server does for a socket that has room.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import count
from typing import Any

import h11

from sse_core import EventStreamDecoder, ServerSentEvent
from sse_core.headers import Headers
from sse_http import Exchange, Reply, Request, Stream, StreamHead, StreamState
from sse_relay.config import RelayConfig
from sse_relay.log_lines import log_record
from sse_relay.relay import Relay
from sse_relay.turns import RelayedTurn

JSON = dict[str, Any]

QUESTION: JSON = {
    "model": "claude-test",
    "max_tokens": 1000,
    "stream": True,
    "messages": [{"role": "user", "content": "Why is the sky blue?"}],
}
TURN_ID = "a-turn-id-of-the-test"

# What an Anthropic stream is made of


def message_start(**usage: Any) -> JSON:
    message: JSON = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-test",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 1, **usage},
    }
    return {"type": "message_start", "message": message}


def block_start(index: int = 0, **block: Any) -> JSON:
    content = block or {"type": "text", "text": ""}
    return {"type": "content_block_start", "index": index, "content_block": content}


def text(piece: str, index: int = 0) -> JSON:
    return delta(index, type="text_delta", text=piece)


def delta(index: int, **fields: Any) -> JSON:
    return {"type": "content_block_delta", "index": index, "delta": fields}


def block_stop(index: int = 0) -> JSON:
    return {"type": "content_block_stop", "index": index}


def message_delta(stop_reason: str = "end_turn", **usage: Any) -> JSON:
    reason = {"stop_reason": stop_reason, "stop_sequence": None}
    return {"type": "message_delta", "delta": reason, "usage": {"output_tokens": 7, **usage}}


def error_event(kind: str = "overloaded_error") -> JSON:
    return {"type": "error", "error": {"type": kind, "message": "Overloaded"}}


BEGINNING = [message_start(), block_start()]
ENDING = [block_stop(), message_delta(), {"type": "message_stop"}]
WHOLE = [*BEGINNING, text("Scat"), text("tering."), *ENDING]


def encoded(events: Iterable[JSON]) -> bytes:
    """The events as a provider writes them."""
    return b"".join(b"event: %b\ndata: %b\n\n" % (e["type"].encode(), json.dumps(e).encode()) for e in events)


WALL_CLOCK = 784_111_770.0  #: Sun, 06 Nov 1994 08:49:30 GMT


class World:
    """The relay, a clock, and everybody who talks to it."""

    def __init__(self, upstream: str = "http://provider.test", **settings: Any) -> None:
        self.now = 1000.0
        ids = count(1)
        self.relay = Relay(
            RelayConfig(upstream, **settings),
            new_id=lambda: f"made-up-turn-id-{next(ids)}",
            wall_clock=lambda: WALL_CLOCK,
            on_record=log_record,
            files={"/": Reply(200, Headers([("content-type", "text/html")]), b"<!doctype html>")},
        )
        self.providers: list[Provider] = []
        self.readers: list[Reader] = []
        self.wakes = 0  #: how often the relay called its waker
        self.relay.waker = self._look

    def _look(self) -> None:
        self.wakes += 1
        self.providers += [Provider(self, exchange) for exchange in self.relay.upstreams()]

    @property
    def provider(self) -> Provider:
        """The newest exchange, from the provider's end."""
        return self.providers[-1]

    def send(
        self,
        method: str,
        path: str,
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        query: str = "",
    ) -> Reply | Stream:
        """Any request."""
        return self.relay.handle(Request(method, path, query, Headers(headers or {}), body), self.now)

    def reply(self, method: str, path: str, headers: dict[str, str] | None = None, **more: Any) -> Reply:
        """Any request that is answered at once."""
        answer = self.send(method, path, headers, **more)
        assert isinstance(answer, Reply)
        return answer

    def refused(self, method: str, path: str, *arguments: Any, **more: Any) -> tuple[int, JSON]:
        """Any request that is refused: the status and the error."""
        answer = self.reply(method, path, *arguments, **more)
        return answer.status, error_of(answer)

    def read(self, answer: Reply | Stream, *, stalled: bool = False) -> Reader:
        """Read a stream from now on."""
        assert not isinstance(answer, Reply), answer
        reader = Reader(self, answer, stalled=stalled)
        self.readers.append(reader)
        reader.pull()
        return reader

    def ask(self, headers: dict[str, str] | None = None, *, stalled: bool = False, **fields: Any) -> Reader:
        """A question that is answered by a stream; ``fields`` are of its body."""
        return self.read(self.post(headers, **fields), stalled=stalled)

    def post(self, headers: dict[str, str] | None = None, **fields: Any) -> Reply | Stream:
        """A question, whatever the answer is."""
        return self.send("POST", "/v1/messages", headers, question(**fields))

    def resume(self, turn_id: str, after: str | None = None, headers: dict[str, str] | None = None) -> Reader:
        """``GET /turns/{id}``, answered by a stream."""
        fields = dict(headers or {})
        if after is not None:
            fields["last-event-id"] = after
        return self.read(self.send("GET", f"/turns/{turn_id}", fields))

    def stop(self, turn_id: str) -> str:
        """``DELETE /turns/{id}``: the outcome."""
        answer = self.reply("DELETE", f"/turns/{turn_id}")
        assert answer.status == 200
        outcome: str = json.loads(answer.body)["outcome"]
        return outcome

    def health(self) -> dict[str, int]:
        """How many turns there are."""
        turns: dict[str, int] = json.loads(self.reply("GET", "/healthz").body)["turns"]
        return turns

    def pass_time(self, seconds: float) -> None:
        """Jump from deadline to deadline.  Providers do nothing meanwhile."""
        end = self.now + seconds
        while (deadline := self._deadline()) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            self._fire()
            later = self._deadline()
            assert later is None or later > self.now, "a deadline that is due is due again: this spins"
        self.now = end

    def _machines(self) -> list[Any]:
        streams = [reader.stream for reader in self.readers if reader.open]
        exchanges = [provider.exchange for provider in self.providers if provider.want != "nothing"]
        return [self.relay, *streams, *exchanges]

    def _deadline(self) -> float | None:
        moments = [machine.deadline for machine in self._machines()]
        return min((moment for moment in moments if moment is not None), default=None)

    def _fire(self) -> None:
        for machine in self._machines():
            if machine.deadline is not None and machine.deadline <= self.now:
                machine.handle_timeout(self.now)
        for reader in self.readers:
            reader.pull()


class Provider:
    """One exchange, from the provider's end of the connection."""

    def __init__(self, world: World, exchange: Exchange) -> None:
        assert isinstance(exchange, RelayedTurn)
        self.exchange = exchange
        self.turn: Any = exchange.turn  #: the machine, also when the relay has let it go
        self.requests: list[tuple[h11.Request, bytes]] = []
        self.wakes = 0
        self._world = world
        exchange.waker = self._wake

    def _wake(self) -> None:
        self.wakes += 1

    @property
    def want(self) -> str:
        """What the relay wishes: ``connect``, ``read``, ``pause``, ``close``, ``wait`` or ``nothing``."""
        return self.exchange.want.value

    def connect(self) -> Provider:
        """Take the connection and read the request."""
        assert self.want == "connect"
        self.exchange.connected(self._world.now)
        self.requests.append(read_request(self.exchange.data_to_send()))
        return self

    def head(self, status: int = 200, **headers: str) -> Provider:
        """The head of the answer; ``retry_after="1"`` is the field ``retry-after: 1``."""
        fields = {"content-type": "text/event-stream", "transfer-encoding": "chunked"}
        fields |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        return self.raw(f"HTTP/1.1 {status} \r\n{lines}\r\n".encode())

    def send(self, *events: JSON) -> Provider:
        """Events, together in one read."""
        return self.body(encoded(events))

    def body(self, data: bytes) -> Provider:
        """Bytes of the answer's body, in one read."""
        return self.raw(b"%x\r\n%b\r\n" % (len(data), data))

    def end(self) -> Provider:
        """The proper end of the answer's body."""
        return self.raw(b"0\r\n\r\n")

    def raw(self, data: bytes) -> Provider:
        """Bytes of the connection, in one read."""
        assert self.want == "read", self.want
        self.exchange.receive_data(data, self._world.now)
        return self

    def cut(self) -> Provider:
        """The connection breaks, or can't be made."""
        self.exchange.connection_lost("connection reset", self._world.now)
        return self

    def close(self) -> Provider:
        """What the binding does on the wish to close."""
        assert self.want == "close"
        self.exchange.closed(self._world.now)
        return self

    def refuse(self, status: int, body: JSON | None = None, **headers: str) -> Provider:
        """An answer that is no stream, and the end of its connection."""
        self.head(status, content_type="application/json", **headers)
        if self.want == "read" and body is not None:
            self.body(json.dumps(body).encode())
        if self.want == "read":
            self.end()
        return self.close()

    def answer(self, *events: JSON) -> Provider:
        """The whole exchange: connect, head, events, end."""
        self.connect().head().send(*events)
        return self if self.want == "nothing" else self.close()


class Reader:
    """One reader, who pulls as soon as it is woken, or is stalled."""

    def __init__(self, world: World, stream: Stream, *, stalled: bool = False) -> None:
        self.stream = stream
        self.stalled = stalled
        self.open = True
        self.head: StreamHead | Reply | None = None
        self.received: list[bytes] = []
        self.ended: StreamState | None = None  #: how the stream itself ended
        self.wakes = 0
        self._world = world
        self._pulling = False
        stream.waker = self._wake

    def _wake(self) -> None:
        self.wakes += 1
        self.pull()

    def pull(self) -> None:
        """What a server does when a stream woke it and the socket has room."""
        if self._pulling or self.stalled:
            return
        self._pulling = True
        while self.open and self._pull_once():
            pass
        self._pulling = False

    def _pull_once(self) -> bool:
        if self.head is None:
            self.head = self.stream.head
        if isinstance(self.head, Reply):
            self.leave()
        elif self.head is not None:
            data = self.stream.data_to_send(self._world.now)
            if data:
                self.received.append(data)
                return True
        if self.open and self.stream.state is not StreamState.OPEN:
            self.ended = self.stream.state
            self.leave()
        return False

    def leave(self) -> None:
        """The exchange is over, whoever ended it."""
        if self.open:
            self.open = False
            self.stream.close(self._world.now)

    def go_on(self) -> None:
        """A reader that was stalled takes what there is."""
        self.stalled = False
        self.pull()

    @property
    def reply(self) -> Reply:
        """The whole answer that it became."""
        assert isinstance(self.head, Reply)
        return self.head

    @property
    def headers(self) -> Headers:
        """The fields of the head."""
        assert self.head is not None
        return self.head.headers

    @property
    def turn_id(self) -> str:
        """The turn's ID, as the head says it."""
        return self.headers.get("turn-id") or ""

    @property
    def data(self) -> bytes:
        """All bytes of the body so far."""
        return b"".join(self.received)

    @property
    def sse(self) -> list[ServerSentEvent]:
        """The events so far."""
        return EventStreamDecoder().receive_data(self.data)

    @property
    def events(self) -> list[JSON]:
        """What the events say."""
        return [json.loads(event.data) for event in self.sse]

    @property
    def kinds(self) -> list[str]:
        """The types of the events so far."""
        return [event.type for event in self.sse]

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(e["delta"].get("text", "") for e in self.events if e["type"] == "content_block_delta")

    @property
    def numbers(self) -> list[int]:
        """The sequence numbers of the events so far."""
        return [int(event.last_event_id.rpartition("-")[2]) for event in self.sse]


def question(**fields: Any) -> bytes:
    """The body of a request; ``None`` takes a field away."""
    body = {name: value for name, value in {**QUESTION, **fields}.items() if value is not None}
    return json.dumps(body).encode()


def read_request(data: bytes) -> tuple[h11.Request, bytes]:
    """A request as a provider reads it: the head and the body."""
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(data)
    head = connection.next_event()
    assert isinstance(head, h11.Request)
    body = b""
    while isinstance(event := connection.next_event(), h11.Data):
        body += bytes(event.data)
    assert isinstance(event, h11.EndOfMessage)
    return head, body


def error_of(reply: Reply) -> JSON:
    """The error in a reply."""
    body = json.loads(reply.body)
    assert body["type"] == "error"
    error: JSON = body["error"]
    return error
