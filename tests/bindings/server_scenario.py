"""What a scenario of ``serve`` says, and how it is played on a runner.

The binding's server runs in its own thread.  The clients are plain sockets, and a step at a time is
done in the test's thread; what a step does to the application it does in the server's thread.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
import select
import socket
import ssl
import struct
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sse_core import EventStreamDecoder

from .certificates import certificates
from .peers import PATIENCE, PeerLike
from .runner import Runner, Serving
from .watching import objects_of_connections, open_files, soon

HEAD_END = b"\r\n\r\n"
BODY_END = b"0\r\n\r\n"


def get(path: str = "", *fields: str) -> bytes:
    """A request."""
    lines = [f"GET /{path} HTTP/1.1", "host: localhost", *fields, "", ""]
    return "\r\n".join(lines).encode()


class Client:
    """A socket, and the bytes that came on it."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.tcp = sock  #: the socket below TLS
        self.received = b""
        self.was_reset = False

    def read(self, count: int = 65536) -> bytes:
        """What comes next; empty at the end."""
        try:
            data = self.sock.recv(count)
        except (ConnectionResetError, ssl.SSLEOFError):
            self.was_reset = True
            return b""
        self.received += data
        return data

    def waiting(self, seconds: float = 0.0) -> bool:
        """Whether something is in the kernel."""
        readable, _, _ = select.select([self.sock.fileno()], [], [], seconds)
        return bool(readable)

    def reset(self) -> None:
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


class Stage:
    """A server while it is played, with its clients."""

    def __init__(self, runner: Runner, served: Any, peers: Mapping[str, Any]) -> None:
        self.runner = runner
        self.served = served
        self.peers = peers
        self.serving: Serving
        self.host = "127.0.0.1"
        self.clients: dict[str, Client] = {}
        self.marks: dict[str, float] = {}
        self.noted: Any = None

    def call(self, function: Callable[[], Any]) -> Any:
        """In the server's thread."""
        return self.serving.call(function)

    def feed(self, number: int) -> Any:
        """The application's stream of that number, as soon as it is asked for."""
        soon(lambda: len(self.served.streams) > number or None)
        return self.served.streams[number]

    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.serving.port}/"

    def connected(self, receive_buffer: int | None = None, host: str | None = None) -> socket.socket:
        """A socket that is connected to the server."""
        host = host or self.host
        sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        if receive_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.settimeout(PATIENCE)
        try:
            sock.connect((host, self.serving.port))
        except BaseException:
            sock.close()
            raise
        return sock


class Step(Protocol):
    def play(self, stage: Stage) -> None: ...


# --------------------------------------------------------------------------------- what clients do


@dataclass(frozen=True)
class Open:
    """Connect, and send this."""

    request: bytes = b""
    name: str = "client"
    receive_buffer: int | None = None
    tls: bool = False
    host: str | None = None

    def play(self, stage: Stage) -> None:
        client = stage.clients[self.name] = Client(stage.connected(self.receive_buffer, self.host))
        if self.tls:
            context = certificates().client
            client.sock = context.wrap_socket(
                client.tcp, server_hostname="localhost", suppress_ragged_eofs=False
            )
        with contextlib.suppress(ConnectionError):  # refused before all of it was sent
            client.sock.sendall(self.request)


@dataclass(frozen=True)
class Say:
    """Send this, below TLS too if it is to be ``raw``."""

    data: bytes
    name: str = "client"
    raw: bool = False

    def play(self, stage: Stage) -> None:
        client = stage.clients[self.name]
        if self.raw:  # the TLS socket holds the descriptor; write past it
            with socket.socket(fileno=client.sock.detach()) as tcp:
                tcp.sendall(self.data)
                client.sock = client.tcp = tcp.dup()
        else:
            client.sock.sendall(self.data)


@dataclass(frozen=True)
class Hear:
    """Wait until this has come so many times in all."""

    text: bytes
    count: int = 1
    name: str = "client"
    starts: bytes = b""  #: with what all that came begins

    def play(self, stage: Stage) -> None:
        client = stage.clients[self.name]
        while client.received.count(self.text) < self.count:
            assert client.read(), f"{self.text!r} did not come: {client.received[-200:]!r}"
        assert client.received.startswith(self.starts), client.received[:200]


@dataclass(frozen=True)
class ReadOn:
    """Take what is there, until the server has done that; what came is forgotten."""

    until: Callable[[Stage], object]
    name: str = "client"

    def play(self, stage: Stage) -> None:
        client = stage.clients[self.name]
        end = time.monotonic() + PATIENCE
        while not self.until(stage):
            assert time.monotonic() < end
            client.read(1_000_000)
            client.received = b""


@dataclass(frozen=True)
class HearEnd:
    """Wait for the connection's end.

    - ``ends``, ``lacks``: with what all that came ends, and what is not in it.
    - ``whole``: whether it ended with the last chunk.
    - ``texts``: the data of its events.
    - ``by_reset``: whether the connection was cut, so that nobody takes the body for whole.
    """

    ends: bytes = b""
    starts: bytes = b""
    has: Sequence[bytes] = ()
    lacks: bytes | None = None
    exactly: bytes | None = None
    whole: bool | None = None
    texts: Sequence[str] | None = None
    by_reset: bool | None = None
    name: str = "client"

    def play(self, stage: Stage) -> None:
        client = stage.clients[self.name]
        while client.read(1_000_000):
            pass
        came = client.received
        assert came.startswith(self.starts), came[:200]
        assert came.endswith(self.ends), came[-200:]
        assert all(text in came for text in self.has), came[-2000:]
        assert self.lacks is None or self.lacks not in came
        assert self.exactly is None or came == self.exactly
        assert self.whole is None or came.endswith(BODY_END) is self.whole
        assert self.texts is None or events_of(came) == list(self.texts)
        assert self.by_reset is None or client.was_reset is self.by_reset


@dataclass(frozen=True)
class HearNothing:
    """Nothing comes for so long."""

    seconds: float
    name: str = "client"

    def play(self, stage: Stage) -> None:
        assert not stage.clients[self.name].waiting(self.seconds)


@dataclass(frozen=True)
class Leave:
    """``close``, ``reset``, or ``goodbye``: TLS's own, and no more."""

    how: str = "close"
    name: str = "client"

    def play(self, stage: Stage) -> None:
        client = stage.clients[self.name]
        if self.how == "reset":
            client.reset()
        elif self.how == "goodbye":
            with contextlib.suppress(OSError):
                client.sock.unwrap()  # type: ignore[attr-defined]
        else:
            client.sock.close()


@dataclass(frozen=True)
class Fetch:
    """One request on a connection of its own."""

    path: str = ""
    has: Sequence[bytes] = (b"200 OK",)
    lacks: Sequence[bytes] = ()
    texts: Sequence[str] | None = None
    ends: bytes = b""
    fields: Sequence[str] = ()
    times: int = 1
    host: str | None = None

    def play(self, stage: Stage) -> None:
        for _ in range(self.times):
            answer = self._fetch(stage)
            assert all(text in answer for text in self.has), answer
            assert not any(text in answer for text in self.lacks), answer
            assert answer.endswith(self.ends), answer
            assert self.texts is None or events_of(answer) == list(self.texts)

    def _fetch(self, stage: Stage) -> bytes:
        with stage.connected(host=self.host) as sock:
            sock.sendall(get(self.path, "connection: close", *self.fields))
            client = Client(sock)
            while client.read():
                pass
        return client.received


# ------------------------------------------------------------------------- what the application does


@dataclass(frozen=True)
class Give:
    """The application's stream has these bytes.

    ``now`` says what is in the client's kernel when the stream's waker returns: before any other task of
    the server has run.
    """

    data: bytes
    stream: int = 0
    now: bytes | None = None
    name: str = "client"

    def play(self, stage: Stage) -> None:
        feed = stage.feed(self.stream)
        if self.now is None:
            stage.call(lambda: feed.send(self.data))
            return
        client = stage.clients[self.name]

        def send_and_look() -> bool:
            feed.send(self.data)
            return client.waiting(1.0)

        assert stage.call(send_and_look), "nothing is in the kernel"
        came = client.read()
        assert came.count(self.now) == 1, came


@dataclass(frozen=True)
class End:
    """The application's stream ends so."""

    how: str = "FINISHED"
    stream: int = 0

    def play(self, stage: Stage) -> None:
        feed = stage.feed(self.stream)
        stage.call(lambda: feed.end(self.how))


@dataclass(frozen=True)
class Closed:
    """The application's stream is closed in so many seconds."""

    stream: int = 0
    seconds: float = 0.5

    def play(self, stage: Stage) -> None:
        feed = stage.feed(self.stream)
        soon(lambda: feed.closed or None, self.seconds)


@dataclass(frozen=True)
class Do:
    """Anything, in the server's thread."""

    what: Callable[[Stage], object]

    def play(self, stage: Stage) -> None:
        stage.call(lambda: self.what(stage))


@dataclass(frozen=True)
class Check:
    """Anything, in the test's thread; what it gives has to be true."""

    what: Callable[[Stage], object]

    def play(self, stage: Stage) -> None:
        assert self.what(stage)


@dataclass(frozen=True)
class Until:
    """Wait until it is true."""

    what: Callable[[Stage], object]
    seconds: float = 3.0

    def play(self, stage: Stage) -> None:
        soon(lambda: self.what(stage) or None, self.seconds)


@dataclass(frozen=True)
class Pause:
    seconds: float

    def play(self, stage: Stage) -> None:  # noqa: ARG002  (a step's face)
        time.sleep(self.seconds)


@dataclass(frozen=True)
class Settled:
    """Wait until this doesn't change any more."""

    what: Callable[[Stage], object]

    def play(self, stage: Stage) -> None:
        before: object = None
        while (now := self.what(stage)) != before:
            before = now
            time.sleep(0.03)
        stage.noted = before


@dataclass(frozen=True)
class Mark:
    """Remember the time."""

    name: str

    def play(self, stage: Stage) -> None:
        stage.marks[self.name] = time.monotonic()


@dataclass(frozen=True)
class Since:
    """So many seconds have passed since ``Mark``: at least and less than."""

    name: str
    least: float
    most: float

    def play(self, stage: Stage) -> None:
        assert self.least <= time.monotonic() - stage.marks[self.name] < self.most


@dataclass(frozen=True)
class StopServing:
    """``serve`` is cancelled."""

    def play(self, stage: Stage) -> None:
        stage.serving.stop()


@dataclass(frozen=True)
class ForgetsConnections:
    """Play the steps so often; afterwards no object of a connection is left, without a collector's help."""

    steps: Sequence[Step]
    times: int = 3

    def play(self, stage: Stage) -> None:
        before = objects_of_connections()
        for _ in range(self.times):
            for step in self.steps:
                step.play(stage)
            for client in stage.clients.values():
                client.sock.close()
            stage.clients.clear()
        end = time.monotonic() + 3.0
        while left := objects_of_connections() - before:
            assert time.monotonic() < end, left
            time.sleep(0.01)


# -------------------------------------------------------------------------------------- the scenario


@dataclass(frozen=True, kw_only=True)
class ServerScenario:
    """A server, and what happens to it.

    - ``served``: makes the application or handler; gets the host, by which handlers wait.
    - ``options``: of ``serve``; ``tls`` and ``upstream_tls`` may name one of the ``Certificates``.
    - ``logged``: expressions, each of which is found in what is logged; with none, nothing may be logged.
    - ``log_records``: how many there are.
    - ``peers``: what the application may connect to.
    """

    name: str
    served: Callable[[Runner], Any]
    steps: Sequence[Step]
    options: Mapping[str, Any] = field(default_factory=dict)
    logged: Sequence[str] = ()
    log_records: int | None = None
    peers: Mapping[str, PeerLike] = field(default_factory=dict)
    needs: frozenset[str] = frozenset()
    after: Callable[[Stage], object] | None = None  #: has to be true when ``serve`` has ended

    def play(self, runner: Runner, log: Sequence[logging.LogRecord]) -> None:
        before = open_files()
        with contextlib.ExitStack() as stack:
            peers: dict[str, Any] = {}
            for name, peer in self.peers.items():
                peers[name] = stack.enter_context(peer.running(runner, peers))
            stage = Stage(runner, self.served(runner), peers)
            options = {
                name: getattr(certificates(), value) if name in {"tls", "upstream_tls"} else value
                for name, value in self.options.items()
            }
            stage.host = options.get("host", stage.host)
            stage.serving = stack.enter_context(runner.serving(stage.served, **options))
            stack.callback(self._leave, stage)
            for step in self.steps:
                step.play(stage)
        if self.after is not None:
            assert self.after(stage)
        self._look_at(log)
        soon(lambda: open_files() <= before or None)

    def _leave(self, stage: Stage) -> None:
        for client in stage.clients.values():
            client.sock.close()
            client.tcp.close()

    def _look_at(self, log: Sequence[logging.LogRecord]) -> None:
        formatter = logging.Formatter()
        text = "\n".join(f"{record.levelname} {formatter.format(record)}" for record in log)
        for words in self.logged:
            assert re.search(words, text), text
        assert self.logged or not text, text
        if self.log_records is not None:
            assert len(log) == self.log_records, text


def dechunked(body: bytes) -> bytes:
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
    return [event.data for event in decoder.receive_data(dechunked(answer.partition(HEAD_END)[2]))]


def json_of(answer: bytes) -> Any:
    """The JSON of an answer's body."""
    return json.loads(answer.partition(HEAD_END)[2])
