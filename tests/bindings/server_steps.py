"""What the clients and the application of a server scenario do, step by step."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from .certificates import certificates
from .peers import PATIENCE
from .resources import objects_of_connections, soon
from .server_stage import BODY_END, Client, Stage, events_of, get


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
