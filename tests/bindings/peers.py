"""Scripted servers on plain sockets and threads.

A script is a tuple of acts for one connection.  The first connection plays a peer's first script, and
so on; who comes later plays the last one.  Behind its last act a connection is closed.  In the bytes
that are sent, ``{name}`` stands for the URL of the scenario's peer of that name.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sse_core import encode_event

from .certificates import certificates
from .runner import Runner

#: Much longer than anything here takes: who waits so long has been forgotten.
PATIENCE = 10.0


class Gone(Exception):
    """The client has closed or reset its connection."""


@dataclass
class Connection:
    """One connection at a scripted server, and what came on it."""

    sock: socket.socket
    others: Mapping[str, Running]
    siblings: Sequence[Connection]  #: all connections of this server, in order
    received: bytes = b""
    gone: threading.Event = field(default_factory=threading.Event)  #: the client's end was seen

    def read(self) -> bytes:
        """What comes next."""
        data = self.sock.recv(65536)
        if not data:
            raise Gone
        self.received += data
        return data


class Act(Protocol):
    def play(self, connection: Connection) -> None: ...


Script = Sequence[Act]


@dataclass(frozen=True)
class Head:
    """Wait for a request's head."""

    def play(self, connection: Connection) -> None:
        while b"\r\n\r\n" not in connection.received:
            connection.read()


@dataclass(frozen=True)
class Receive:
    """Wait for a body of so many bytes."""

    count: int

    def play(self, connection: Connection) -> None:
        pieces = [connection.received]
        left = self.count - len(connection.received.partition(b"\r\n\r\n")[2])
        while left > 0:
            pieces.append(connection.sock.recv(1_000_000))
            left -= len(pieces[-1])
            if not pieces[-1]:
                raise Gone
        connection.received = b"".join(pieces)


@dataclass(frozen=True)
class Send:
    data: bytes

    def play(self, connection: Connection) -> None:
        data = self.data
        for name, peer in connection.others.items():
            data = data.replace(b"{%b}" % name.encode(), peer.url.encode())
        connection.sock.sendall(data)


@dataclass(frozen=True)
class Pause:
    seconds: float

    def play(self, connection: Connection) -> None:  # noqa: ARG002  (an act's face)
        time.sleep(self.seconds)


@dataclass(frozen=True)
class Silence:
    """Read whatever comes, until the client has gone."""

    def play(self, connection: Connection) -> None:
        while True:
            connection.read()


@dataclass(frozen=True)
class Drip:
    """Send these bytes again and again, until the client has gone."""

    data: bytes
    interval: float

    def play(self, connection: Connection) -> None:
        while True:
            connection.sock.sendall(self.data)
            time.sleep(self.interval)


@dataclass(frozen=True)
class Reset:
    """Vanish with an RST."""

    def play(self, connection: Connection) -> None:
        _linger_no_longer(connection.sock)


@dataclass(frozen=True)
class Resume:
    """Answer with the events after the request's Last-Event-ID, in chunks; cut after so many bytes."""

    texts: Sequence[str]
    cut: int | None = None

    def answer(self, after: int = 0) -> bytes:
        """All that is sent to a client that has had so many events."""
        body = b"".join(
            b"%x\r\n%b\r\n" % (len(event), event)
            for number, text in enumerate(self.texts, 1)
            if number > after
            for event in [encode_event(text, id=f"story-{number}")]
        )
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n"
        return head + b"connection: close\r\n\r\n" + body + b"0\r\n\r\n"

    def play(self, connection: Connection) -> None:
        Head().play(connection)
        _, _, after = connection.received.lower().partition(b"\r\nlast-event-id: story-")
        answer = self.answer(int(after.partition(b"\r\n")[0] or b"0"))
        connection.sock.sendall(answer[: self.cut])


@dataclass(frozen=True)
class CutOnce:
    """As ``Resume``; the first answer to a path is cut after so many bytes as the path says."""

    texts: Sequence[str]
    reset: bool = False

    def play(self, connection: Connection) -> None:
        Head().play(connection)
        path = connection.received.split()[1]
        is_first = (
            sum(path == sibling.received.partition(b" HTTP")[0][4:] for sibling in connection.siblings) == 1
        )
        Resume(self.texts, int(path[1:]) if is_first else None).play(connection)
        if self.reset and is_first:
            Reset().play(connection)


@dataclass(frozen=True)
class Forward:
    """Pass on what comes to another peer of the scenario, and its answer back, cut after so many bytes.

    ``cut=0`` passes nothing back, and leaves the connection open.
    """

    to: str
    cut: int | None = None

    def play(self, connection: Connection) -> None:
        with socket.create_connection(connection.others[self.to].address) as upstream:
            back = threading.Thread(target=self._pass_back, args=(upstream, connection.sock))
            back.start()
            try:
                with contextlib.suppress(OSError):
                    while data := connection.sock.recv(65536):
                        upstream.sendall(data)
            finally:
                _shut_down(upstream)
                back.join()

    def _pass_back(self, upstream: socket.socket, client: socket.socket) -> None:
        left = self.cut
        with contextlib.suppress(OSError):
            while data := upstream.recv(left or 65536):
                if self.cut == 0:
                    continue
                client.sendall(data)
                if left is not None and not (left := left - len(data)):
                    break
        _shut_down(client)


class Running(Protocol):
    """A peer that is there."""

    @property
    def address(self) -> tuple[str, int]: ...

    @property
    def url(self) -> str: ...


@dataclass(frozen=True)
class Address:
    address: tuple[str, int]

    @property
    def url(self) -> str:
        return "http://{}:{}/".format(*self.address)


class PeerLike(Protocol):
    def running(self, runner: Runner, others: Mapping[str, Running]) -> Any:
        """A context manager of it, running."""


class ScriptedServer:
    """A running ``Peer``."""

    def __init__(self, peer: Peer, others: Mapping[str, Running]) -> None:
        self.connections: list[Connection] = []
        self._peer = peer
        self._others = others
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._listener.getsockname()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return "{}://{}:{}/".format("https" if self._peer.tls else "http", *self.address)

    @property
    def requests(self) -> list[bytes]:
        """What came on each connection."""
        return [connection.received for connection in self.connections]

    def close(self) -> None:
        """Close all connections and wait for their threads."""
        _shut_down(self._listener)  # which ends the wait of accept
        for connection in self.connections:
            _shut_down(connection.sock)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                sock.settimeout(PATIENCE)
                connection = Connection(sock, self._others, self.connections)
                script = self._peer.scripts[min(len(self.connections), len(self._peer.scripts) - 1)]
                self.connections.append(connection)
                thread = threading.Thread(target=self._play, args=(connection, script))
                self._threads.append(thread)
                thread.start()

    def _play(self, connection: Connection, script: Script) -> None:
        with connection.sock as sock:
            try:
                if self._peer.tls:
                    connection.sock = self._peer.tls(sock)
                for act in script:
                    act.play(connection)
            except (Gone, OSError):
                connection.gone.set()
            finally:
                connection.sock.close()


@dataclass(frozen=True)
class Peer:
    """A server that plays ``scripts``; ``over_tls`` wraps each of its sockets."""

    scripts: Sequence[Script]
    tls: Callable[[socket.socket], ssl.SSLSocket] | None = None

    @contextlib.contextmanager
    def running(self, runner: Runner, others: Mapping[str, Running]) -> Iterator[ScriptedServer]:  # noqa: ARG002
        server = ScriptedServer(self, others)
        try:
            yield server
        finally:
            server.close()


def scripted(*script: Act, **options: Any) -> Peer:
    """A server that does the same on every connection."""
    return Peer([script], **options)


def over_tls(sock: socket.socket) -> ssl.SSLSocket:
    return certificates().server.wrap_socket(sock, server_side=True)


@dataclass(frozen=True)
class Nobody:
    """A port at which nobody listens, and nobody will meanwhile."""

    @contextlib.contextmanager
    def running(self, runner: Runner, others: Mapping[str, Running]) -> Iterator[Address]:  # noqa: ARG002
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            yield Address(unused.getsockname())


@dataclass(frozen=True)
class BlackHole:
    """A listener whose backlog is full: nobody answers a SYN."""

    @contextlib.contextmanager
    def running(self, runner: Runner, others: Mapping[str, Running]) -> Iterator[Address]:  # noqa: ARG002
        with contextlib.ExitStack() as stack:
            listener = stack.enter_context(socket.socket())
            listener.bind(("127.0.0.1", 0))
            listener.listen(0)
            for _ in range(4):
                filler = stack.enter_context(socket.socket())
                filler.setblocking(False)  # noqa: FBT003  (the standard library's own way)
                with contextlib.suppress(BlockingIOError):
                    filler.connect(listener.getsockname())
            yield Address(listener.getsockname())


def answer(
    body: bytes, status: str = "200 OK", content_type: str = "text/event-stream", **fields: str
) -> Send:
    """A whole answer, of a server that closes behind it; an underscore in a field's name is a hyphen."""
    head = f"HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {len(body)}\r\n"
    head += "connection: close\r\n"
    head += "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return Send(f"{head}\r\n".encode() + body)


def unfinished(
    body: bytes, status: str = "200 OK", content_type: str = "text/event-stream", **fields: str
) -> Send:
    """The beginning of an answer that states more bytes than it has."""
    whole = answer(body, status, content_type, **fields)
    return Send(whole.data.replace(b"content-length: ", b"content-length: 9"))


def _linger_no_longer(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _shut_down(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
