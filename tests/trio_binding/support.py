"""Applications for tests, a server around them on loopback, and a client that is only a socket."""

from __future__ import annotations

# ruff: noqa: ARG002  (the faces of Stream and Application have a clock in every input)
import contextlib
import json
import os
import select
import socket
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import trio

import sse_trio
from sse_core import EventStreamDecoder, encode_event
from sse_core.headers import Headers
from sse_core.lifecycle import Subscription, SubscriptionSettings, Turn, TurnLog, Upstream
from sse_http import (
    Application,
    ClientExchange,
    Exchange,
    Reply,
    Request,
    Stream,
    StreamHead,
    StreamState,
    no_waker,
)
from sse_relay.provider import Provider, Settings

T = TypeVar("T")
BODY = {"model": "m", "max_tokens": 10_000_000, "messages": [{"role": "user", "content": "Why?"}]}
ASK = json.dumps({**BODY, "stream": True}).encode()
POST_ASK = b"POST /v1/messages HTTP/1.1\r\nhost: localhost\r\ncontent-length: %d\r\n\r\n%b" % (len(ASK), ASK)
EVENT_STREAM = StreamHead(200, Headers([("content-type", "text/event-stream")]))
GET = b"GET /%b HTTP/1.1\r\nhost: localhost\r\n\r\n"


class Feed:
    """A ``Stream`` whose bytes the test gives.  It counts what is pulled."""

    def __init__(self, head: StreamHead | Reply | None = EVENT_STREAM) -> None:
        self.waker = no_waker
        self.head: StreamHead | Reply | None = head
        self.state = StreamState.OPEN
        self.deadline: float | None = None
        self.pulls = 0
        self.pulled_bytes = 0
        self.closed = trio.Event()
        self.endless = b""  #: what to give whenever nothing else is there
        self._data: list[bytes] = []

    def send(self, data: bytes) -> None:
        """Have bytes, and say so."""
        self._data.append(data)
        self.waker()

    def end(self, state: StreamState = StreamState.FINISHED) -> None:
        """No more bytes will come."""
        self.state = state
        self.waker()

    @property
    def has_more(self) -> bool:
        return bool(self._data or self.endless)

    def data_to_send(self, now: float) -> bytes:
        self.pulls += 1
        data, self._data = b"".join(self._data) or self.endless, []
        self.pulled_bytes += len(data)
        return data

    def handle_timeout(self, now: float) -> None:
        """Waits for nothing."""

    def close(self, now: float) -> None:
        assert not self.closed.is_set(), "a stream is closed once"
        self.closed.set()


class Feeds:
    """An application that answers each request with what ``make`` gives, a new ``Feed`` by default."""

    def __init__(self, make: Callable[[Request], Reply | Stream] | None = None) -> None:
        self.waker = no_waker
        self.deadline: float | None = None
        self.requests: list[Request] = []
        self.streams: list[Feed] = []
        self.closed = False
        self._make = make

    def handle(self, request: Request, now: float) -> Reply | Stream:
        self.requests.append(request)
        if self._make is not None:
            return self._make(request)
        self.streams.append(Feed())
        return self.streams[-1]

    def upstreams(self) -> list[Exchange]:
        return []

    def handle_timeout(self, now: float) -> None:
        """Waits for nothing."""

    def close(self, now: float) -> None:
        self.closed = True


class LogAnswer:
    """A ``Stream`` that reads a log from Last-Event-ID on."""

    def __init__(self, log: TurnLog, request: Request, settings: SubscriptionSettings) -> None:
        self.waker = no_waker
        self.head = EVENT_STREAM
        self.closed = False
        after = log.position_of(request.headers.get("last-event-id") or "") or 0
        now = trio.current_time()
        self._subscription = Subscription(log, now, after=after, settings=settings, waker=self._wake)

    def _wake(self) -> None:
        self.waker()

    @property
    def state(self) -> StreamState:
        outcome = self._subscription.outcome
        if outcome is None:
            return StreamState.OPEN
        return StreamState.FINISHED if outcome.value in {"finished", "expired"} else StreamState.ABORTED

    @property
    def deadline(self) -> float | None:
        return self._subscription.deadline

    @property
    def has_more(self) -> bool:
        return self._subscription.behind

    def data_to_send(self, now: float) -> bytes:
        return self._subscription.data_to_send(now)

    def handle_timeout(self, now: float) -> None:
        self._subscription.handle_timeout(now)

    def close(self, now: float) -> None:
        self.closed = True
        self._subscription.close(now)


class Logged(Feeds):
    """Every request reads the same log."""

    def __init__(self, log: TurnLog, settings: SubscriptionSettings | None = None) -> None:
        super().__init__(self._read)
        self.answers: list[LogAnswer] = []
        self._log = log
        self._settings = settings or SubscriptionSettings()

    def _read(self, request: Request) -> LogAnswer:
        self.answers.append(LogAnswer(self._log, request, self._settings))
        return self.answers[-1]


class Asking(Feeds):
    """An application that wants turns driven."""

    def __init__(self, *turns: Turn) -> None:
        super().__init__()
        self.exchanges = [ClientExchange(turn) for turn in turns]
        self._new: list[Exchange] = []

    def ask(self) -> None:
        """Have them driven from now on."""
        self._new = [*self.exchanges]
        self.waker()

    def upstreams(self) -> list[Exchange]:
        new, self._new = self._new, []
        return new


def turn_to(url: str, body: bytes | dict[str, Any] = BODY, **options: Any) -> Turn:
    """A turn that is started."""
    turn = Upstream(url, **options).turn(body)
    turn.start(trio.current_time())
    return turn


@dataclass
class Server:
    """A server on loopback."""

    port: int
    scheme: str
    host: str
    scope: trio.CancelScope

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}/"


@contextlib.asynccontextmanager
async def serving(application: Any, *, host: str = "127.0.0.1", **options: Any) -> AsyncIterator[Server]:
    """``sse_trio.serve`` for the length of a test."""
    async with trio.open_nursery() as nursery:

        async def serve(task_status: trio.TaskStatus[int]) -> None:
            await sse_trio.serve(application, host=host, task_status=task_status, **options)

        port: int = await nursery.start(serve)
        scheme = "https" if options.get("tls") else "http"
        yield Server(port, scheme, host, nursery.cancel_scope)
        nursery.cancel_scope.cancel()


class Client:
    """A socket, and the bytes that came on it."""

    def __init__(self, sock: trio.socket.SocketType) -> None:
        self.sock = sock
        self.received = b""

    async def send(self, data: bytes) -> None:
        with memoryview(data) as view:
            sent = 0
            while sent < len(data):
                sent += await self.sock.send(view[sent:])

    async def read(self, max_bytes: int = 65536) -> bytes:
        """What comes next; empty at the end."""
        data: bytes = await self.sock.recv(max_bytes)
        self.received += data
        return data

    async def read_until(self, text: bytes) -> bytes:
        """All that came, as soon as ``text`` is in it."""
        while text not in self.received:
            if not await self.read():
                raise EOFError(f"{text!r} did not come: {self.received[-200:]!r}")
        return self.received

    async def read_all(self) -> bytes:
        """All that came, at the connection's end."""
        while await self.read():
            pass
        return self.received

    def in_kernel(self, seconds: float = 1.0) -> bytes:
        """What is in the socket now; no task runs meanwhile."""
        readable, _, _ = select.select([self.sock.fileno()], [], [], seconds)
        if not readable:
            return b""
        copy = socket.socket(fileno=os.dup(self.sock.fileno()))
        with copy:
            data = copy.recv(65536, socket.MSG_DONTWAIT)
        self.received += data
        return data

    def reset(self) -> None:
        """Vanish with an RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def close(self) -> None:
        """Vanish with a FIN."""
        self.sock.close()


@contextlib.asynccontextmanager
async def client_of(
    server: Server, request: bytes = b"", *, receive_buffer: int | None = None
) -> AsyncIterator[Client]:
    """A connected client that has sent ``request``."""
    family = socket.AF_INET6 if ":" in server.host else socket.AF_INET
    with trio.socket.socket(family, socket.SOCK_STREAM) as sock:
        if receive_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        await sock.connect((server.host, server.port))
        client = Client(sock)
        await client.send(request)
        yield client


async def fetch(server: Server, path: str = "") -> bytes:
    """The whole answer to a GET, on a connection that is closed after it."""
    request = GET.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n") % path.encode()
    async with client_of(server, request) as client:
        return await client.read_all()


def dechunk(body: bytes) -> bytes:
    """The content of a chunked body, as far as it came."""
    pieces = []
    while body:
        size, _, rest = body.partition(b"\r\n")
        pieces.append(rest[: int(size, 16)])
        body = rest[int(size, 16) + 2 :]
    return b"".join(pieces)


def events_of(answer: bytes) -> list[str]:
    """The data of each event of a chunked answer, its head included."""
    decoder = EventStreamDecoder()
    return [event.data for event in decoder.receive_data(dechunk(answer.partition(b"\r\n\r\n")[2]))]


async def eventually(probe: Callable[[], T], seconds: float = 2.0) -> T:
    """What ``probe`` gives, as soon as it is true."""
    with trio.fail_after(seconds):
        while not (value := probe()):  # noqa: ASYNC110  (a machine's outcome has no event to wait for)
            await trio.sleep(0.002)
    return value


def open_files() -> int:
    """How many file descriptors this process has."""
    return len(list(Path("/proc/self/fd").iterdir()))


def provider(**settings: Any) -> Provider:
    """A simulated provider."""
    return Provider(Settings(**settings), clock=time.time)


def records(application: Application) -> list[dict[str, Any]]:
    """The provider's own record, asked for without a socket."""
    reply = application.handle(Request("GET", "/sim/generations"), trio.current_time())
    assert isinstance(reply, Reply)
    listed: list[dict[str, Any]] = json.loads(reply.body)
    return listed


def numbered_log(count: int, *, max_bytes: int = 4_000_000) -> TurnLog:
    """A log of ``count`` events that is closed."""
    log = TurnLog("log", max_bytes=max_bytes)
    for event in EventStreamDecoder().receive_data(
        b"".join(encode_event(f"<{number}>") for number in range(1, count + 1))
    ):
        log.append(event)
    log.close(0.0)
    return log


@contextlib.asynccontextmanager
async def listening(
    peer: Callable[[trio.SocketStream], Awaitable[None]], host: str = "127.0.0.1"
) -> AsyncIterator[Server]:
    """A TCP server that does what ``peer`` does with each connection; the peer ends when cut off."""

    async def serve_peer(stream: trio.SocketStream) -> None:
        with contextlib.suppress(trio.BrokenResourceError):
            await peer(stream)

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, serve_peer, 0, host=host))
        yield Server(listeners[0].socket.getsockname()[1], "http", host, nursery.cancel_scope)
        nursery.cancel_scope.cancel()


async def read_head(stream: trio.SocketStream) -> bytes:
    """A request's head, and what came with it."""
    received = b""
    while b"\r\n\r\n" not in received:
        data = await stream.receive_some()
        if not data:
            raise trio.BrokenResourceError("the client has gone")
        received += bytes(data)
    return received


def answer(
    body: bytes, status: str = "200 OK", content_type: str = "text/event-stream", **fields: str
) -> bytes:
    """A whole answer; in the names of ``fields`` an underscore stands for a hyphen."""
    head = f"HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {len(body)}\r\n"
    head += "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return f"{head}\r\n".encode() + body


class Cutter:
    """A TCP proxy that cuts each connection after so many bytes of the answer: a bad network.

    When ``cuts`` is used up, connections live.  ``reset`` cuts with an RST in place of a FIN.
    """

    def __init__(self, upstream: Server, cuts: Iterable[int] = (), *, reset: bool = False) -> None:
        self.connections = 0
        self.cuts: Iterator[int] = iter(cuts)
        self._upstream = upstream
        self._reset = reset

    async def __call__(self, client: trio.SocketStream) -> None:
        self.connections += 1
        left = next(self.cuts, None)
        server = await trio.open_tcp_stream(self._upstream.host, self._upstream.port)
        async with server, trio.open_nursery() as nursery:
            nursery.start_soon(self._copy, client, server, None)
            await self._copy(server, client, left)
            nursery.cancel_scope.cancel()
        if self._reset:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    async def _copy(self, source: trio.SocketStream, target: trio.SocketStream, left: int | None) -> None:
        with contextlib.suppress(trio.BrokenResourceError):
            while left != 0:
                data = await source.receive_some(65536 if left is None else left)
                if not data:
                    return
                await target.send_all(data)
                left = None if left is None else left - len(data)


class Addresses(trio.abc.HostnameResolver):
    """Every name has these addresses."""

    def __init__(self, *addresses: str) -> None:
        self._addresses = addresses

    async def getaddrinfo(self, host: Any, port: Any, *_: Any, **__: Any) -> Any:
        family = {True: socket.AF_INET6, False: socket.AF_INET}
        return [
            (
                family[":" in address],
                socket.SOCK_STREAM,
                6,
                "",
                (address, port, 0, 0)[: 4 if ":" in address else 2],
            )
            for address in self._addresses
        ]

    async def getnameinfo(self, *_: Any) -> Any:
        raise NotImplementedError
