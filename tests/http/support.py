"""Applications, streams and machines that follow a script, and peers to talk to, all in memory."""

from __future__ import annotations

import http.client
import io
import socket
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, cast

from sse_core.headers import Headers, HeadersLike
from sse_core.lifecycle.machine import HTTPRequest, Want
from sse_core.testing import pieces
from sse_http import (
    BodyBudget,
    ClientExchange,
    ConnectionPhase,
    Exchange,
    Problem,
    Refusal,
    Reply,
    Request,
    ServerConnection,
    ServerSettings,
    Stream,
    StreamHead,
    StreamState,
    Waker,
    no_waker,
)

OK = Reply(200, Headers({"content-type": "text/plain"}), b"ok")
EVENTS = StreamHead(200, Headers({"content-type": "text/event-stream"}))


def echo(request: Request) -> Reply:
    """The request that the application got, as the answer to it."""
    target = request.path + ("?" + request.query if request.query else "")
    return Reply(200, body=f"{request.method} {target} ".encode() + request.body)


class Pieces:
    """A stream that gives the pieces it was fed, one for each pull, and remembers who called."""

    def __init__(
        self, *pieces: bytes, head: StreamHead | Reply | None = EVENTS, end: StreamState = StreamState.OPEN
    ) -> None:
        self.waker: Waker = no_waker
        self.head = head
        self.deadline: float | None = None
        self.pieces = deque(pieces)
        self.end = end
        self.fired: list[float] = []
        self.closed: list[float] = []
        self.pulled_after_close = 0

    @property
    def state(self) -> StreamState:
        return StreamState.OPEN if self.pieces else self.end

    @property
    def has_more(self) -> bool:
        return bool(self.pieces)

    def data_to_send(self, now: float) -> bytes:
        del now
        self.pulled_after_close += bool(self.closed)
        return self.pieces.popleft() if self.pieces else b""

    def handle_timeout(self, now: float) -> None:
        self.fired.append(now)
        if self.deadline is not None and now >= self.deadline:
            self.deadline = None
            self.pieces.append(b": ping\n")

    def close(self, now: float) -> None:
        self.closed.append(now)

    def feed(self, *pieces: bytes, end: StreamState | None = None) -> None:
        """More pieces, or the end; whoever owns the socket is woken."""
        self.pieces.extend(pieces)
        self.end = end or self.end
        self.waker()


class Mistake(Exception):
    """What an application raises; its text must never reach a peer."""

    def __init__(self) -> None:
        super().__init__("the password is hunter2")


class Broken(Pieces):
    """A stream that raises in one of its methods."""

    def __init__(self, where: str, *pieces: bytes, head: StreamHead | Reply | None = EVENTS) -> None:
        super().__init__(*pieces, head=head)
        self.where = where

    def data_to_send(self, now: float) -> bytes:
        self._raise_in("data_to_send")
        return super().data_to_send(now)

    def handle_timeout(self, now: float) -> None:
        self._raise_in("handle_timeout")
        super().handle_timeout(now)

    def close(self, now: float) -> None:
        super().close(now)
        self._raise_in("close")

    def _raise_in(self, where: str) -> None:
        if where == self.where:
            raise Mistake


Answerer = Callable[[Request], "Reply | Stream"]


class Scripted:
    """An application that gives a set answer, and remembers its requests."""

    def __init__(self, answer: Reply | Stream | Answerer = OK) -> None:
        self.waker: Waker = no_waker
        self.deadline: float | None = None
        self.requests: list[Request] = []
        self.calls: list[tuple[str, float]] = []
        self._answer = answer

    def handle(self, request: Request, now: float) -> Reply | Stream:
        self.requests.append(request)
        del now
        answer = self._answer
        return answer(request) if callable(answer) else answer

    def upstreams(self) -> list[Exchange]:
        return []

    def handle_timeout(self, now: float) -> None:
        self.calls.append(("handle_timeout", now))

    def close(self, now: float) -> None:
        self.calls.append(("close", now))


class Shaped(Scripted):
    """One that says how the server's refusals look; ``fields`` are their heads'."""

    fields: HeadersLike = ()

    def problem_reply(self, request: Request, problem: Problem) -> Reply:
        return Reply(problem.status, Headers(self.fields), f"{problem.kind} at {request.path}".encode())


Verdict = Callable[[Request], "Reply | int | None"]


class Doorkeeper(Scripted):
    """One that looks at heads, and remembers them."""

    def __init__(self, verdict: Reply | int | Verdict | None, answer: Reply | Stream | Answerer = OK) -> None:
        super().__init__(answer)
        self.heads: list[Request] = []
        self._verdict = verdict

    def check_head(self, request: Request, now: float) -> Reply | int | None:
        del now
        self.heads.append(request)
        return self._verdict(request) if callable(self._verdict) else self._verdict


class Peer:
    """Whoever is connected to a ServerConnection.  It reads all there is, unless ``reads`` is false."""

    def __init__(
        self,
        answer: Reply | Stream | Answerer = echo,
        *,
        settings: ServerSettings | None = None,
        application: Scripted | None = None,
        client: str = "192.0.2.7",
        bodies: BodyBudget | None = None,
    ) -> None:
        self.application = application or Scripted(answer)
        self.now = 0.0
        self.errors: list[Exception] = []
        self.refusals: list[Refusal] = []
        self.bodies = bodies or BodyBudget((settings or ServerSettings()).max_total_body_bytes)
        self.connection = ServerConnection(
            self.application,
            self.now,
            settings=settings,
            client=client,
            bodies=self.bodies,
            on_error=self.errors.append,
            on_refusal=self.refusals.append,
        )
        self.connection.waker = self._woken
        self.wakes = 0
        self.reads = True
        self.received = bytearray()

    def phase(self) -> ConnectionPhase:
        """No property, or mypy would hold that what was compared once stays so."""
        return self.connection.phase

    @property
    def requests(self) -> list[Request]:
        return self.application.requests

    def _woken(self) -> None:
        self.wakes += 1

    def send(self, data: bytes, cuts: Iterable[int] = ()) -> None:
        """Send ``data``, cut at these places."""
        for piece in pieces(data, cuts):
            self.connection.receive_data(piece, self.now)
            if self.reads:
                self.pull()

    def pull(self) -> bytes:
        """Read what there is."""
        start = len(self.received)
        while data := self.connection.data_to_send(self.now):
            self.received += data
            if not self.connection.has_more:
                break
        phase = self.connection.phase
        assert self.connection.data_to_send(self.now) == b"", "to pull until nothing comes is enough"
        assert self.connection.phase is phase
        return bytes(self.received[start:])

    def stall(self) -> bytes:
        """Pull once, and take nothing of it from then on."""
        self.reads = False
        data = self.connection.data_to_send(self.now)
        self.connection.blocked(self.now)
        return data

    def wait(self, seconds: float) -> None:
        """Let time go by, from deadline to deadline."""
        until = self.now + seconds
        while (deadline := self.connection.deadline) is not None and deadline <= until:
            self.now = max(self.now, deadline)
            self.connection.handle_timeout(self.now)
            if self.reads:
                self.pull()
        self.now = until

    def leave(self) -> None:
        self.connection.receive_data(b"", self.now)

    def answers(self, *methods: str) -> list[Answer]:
        """The answers that came, to requests with these methods."""
        return read_answers(bytes(self.received), *methods)

    def answer(self, method: str = "GET") -> Answer:
        """The one answer that came."""
        (answer,) = self.answers(method)
        return answer


def each_byte(data: bytes) -> Iterable[int]:
    """Cuts between all bytes."""
    return range(len(data))


def request(
    method: str = "GET",
    target: str = "/",
    fields: HeadersLike = (),
    body: bytes = b"",
    *,
    host: str | None = "localhost",
    version: str = "1.1",
) -> bytes:
    """A request, with nothing checked."""
    pairs = list(Headers(fields))
    if body and not {"transfer-encoding", "content-length"} & {name for name, _ in pairs}:
        pairs.append(("content-length", str(len(body))))
    if host is not None:
        pairs.insert(0, ("host", host))
    lines = [f"{method} {target} HTTP/{version}", *(f"{name}: {value}" for name, value in pairs)]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


# Reading answers: with the standard library, which shares no line with h11.


@dataclass(frozen=True)
class Answer:
    """An answer as another implementation reads it."""

    status: int
    headers: Headers
    body: bytes
    closes: bool = field(compare=False)


def read_answers(data: bytes, *methods: str) -> list[Answer]:
    """The answers in ``data``, with no byte left over.  Raises what ``http.client`` raises."""
    source = _Source(data)
    answers = []
    pending = deque(methods)
    while source.tell() < len(data):
        response = http.client.HTTPResponse(
            cast("socket.socket", source),
            method=pending.popleft() if pending else "GET",
        )
        response.begin()
        body = response.read()
        answers.append(
            Answer(response.status, Headers(response.getheaders()), body, bool(response.will_close))
        )
    return answers


class _Source(io.BytesIO):
    """Bytes with the face of a socket, which one answer after another is read from."""

    def makefile(self, mode: str) -> _Source:
        assert mode == "rb"
        return self

    def close(self) -> None:
        """The next answer is read from it too."""


# The client's side


class Recorder:
    """A connecting machine that remembers how it was called, and wishes what its test says."""

    def __init__(
        self,
        url: str = "http://example.org/v1?x=1",
        method: str = "GET",
        headers: HeadersLike = (),
        body: bytes = b"",
        *,
        wishes: Callable[[str], Want | None] = lambda _: None,
    ) -> None:
        self.request = HTTPRequest(url, method, Headers(headers), body)
        self.want = Want.CONNECT
        self.deadline: float | None = None
        self.calls: list[str] = []
        self.status = 0
        self.headers = Headers()
        self.received = bytearray()
        self.reason = ""
        self.retryable = True
        self._wishes = wishes

    def _note(self, what: str, wish: Want | None = None) -> None:
        self.calls.append(what)
        self.want = self._wishes(what) or wish or self.want

    def connected(self, now: float) -> None:
        del now
        self._note("connected", Want.READ)

    def response_started(self, status: int, headers: Headers, now: float) -> None:
        del now
        self.status, self.headers = status, headers
        self._note("response_started")

    def receive_data(self, data: bytes, now: float) -> None:
        del now
        assert data
        self.received += data
        if self.calls[-1] != "data":  # how many pieces there are is of no interest
            self._note("data")

    def receive_eof(self, now: float) -> None:
        del now
        self._note("eof")

    def connection_lost(self, reason: str, now: float, *, retryable: bool = True) -> None:
        del now
        self.reason = reason
        self.retryable = retryable
        self._note("lost", Want.NOTHING)

    def closed(self, now: float) -> None:
        del now
        self._note("closed", Want.NOTHING)

    def handle_timeout(self, now: float) -> None:
        self._note(f"timeout at {now}")


class Upstream:
    """The far end of a ClientExchange: it answers with the bytes that it is given."""

    def __init__(self, machine: Recorder, **settings: Any) -> None:
        self.machine = machine
        self.exchange = ClientExchange(machine, **settings)
        self.sent = b""

    def connect(self) -> Upstream:
        self.exchange.connected(0.0)
        self.sent = self.exchange.data_to_send()
        return self

    def answer(self, data: bytes, cuts: Iterable[int] = (), *, end: bool = False) -> Recorder:
        """Give these bytes, and the end of the connection with ``end``; then do as is wished."""
        for piece in pieces(data, cuts):
            if self.exchange.want is Want.READ:
                self.exchange.receive_data(piece, 1.0)
        if end and self.exchange.want is Want.READ:
            self.exchange.receive_data(b"", 1.0)
        if self.exchange.want is Want.CLOSE:
            self.exchange.closed(1.0)
        return self.machine


class ConnectionPair:
    """A ClientExchange and a ServerConnection over a wire that carries ``size`` bytes at a time."""

    def __init__(self, machine: Recorder, answer: Reply | Stream | Answerer, *, size: int = 1 << 16) -> None:
        self.machine = machine
        self.exchange = ClientExchange(machine)
        self.peer = Peer(answer)
        self.peer.reads = False
        self._size = size

    def run(self) -> Recorder:
        """Carry bytes until nothing moves."""
        if self.exchange.want is Want.CONNECT:
            self.exchange.connected(0.0)
            self.peer.send(out := self.exchange.data_to_send(), range(0, len(out), self._size))
        data = self.peer.pull()
        for piece in pieces(data, range(0, len(data), self._size)):
            if self.exchange.want is Want.READ:
                self.exchange.receive_data(piece, 0.0)
        if self.exchange.want is Want.CLOSE:
            self.exchange.closed(0.0)
            self.peer.leave()
        elif self.peer.phase() is ConnectionPhase.OVER and self.exchange.want is Want.READ:
            self.exchange.receive_data(b"", 0.0)
            return self.run()
        return self.machine
