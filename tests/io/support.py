"""A host of a test's own, whose clock only moves when the test moves it, and peers that are sockets."""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import trustme

from sse_core.lifecycle.machine import Want
from sse_http import Application, Endpoint, Exchange, no_waker
from sse_io.address_race import Address
from sse_io.connector import Cancel, Resolved
from sse_io.owner import Owner
from sse_io.reactor import Reactor
from sse_io.readiness_loop import ReadinessLoop
from sse_io.watcher import NestedSelector
from tests.http.support import Scripted

GET = b"GET /%b HTTP/1.1\r\nhost: localhost\r\n\r\n"
#: How often a loop is stepped in vain before a test gives up: each step waits for a hundredth of a second.
PATIENCE = 500


class TinyHost:
    """The least that a host can be.  It resolves with ``resolve``, at once, or when the test says so."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.looks = 0
        self.resolve_with: Callable[[str, int], Any] | None = unknown
        self.resolving: list[Resolved] = []
        self.cancelled = 0

    def now(self) -> float:
        return self.time

    def look_again(self) -> None:
        self.looks += 1

    def resolve(self, host: str, port: int, done: Resolved) -> Cancel:
        if self.resolve_with is None:
            self.resolving.append(done)
        else:
            try:
                done(self.resolve_with(host, port))
            except (OSError, UnicodeError) as error:
                done(error)
        return self._cancel

    def _cancel(self) -> None:
        self.cancelled += 1


def unknown(host: str, port: int) -> list[Address]:
    """Look up what is no name, so that no test asks the network."""
    found: list[Any] = socket.getaddrinfo(host, port, flags=socket.AI_NUMERICHOST)
    return found


class Recorder(Owner):
    """An owner that notes what it was called with."""

    def __init__(self, sock: socket.socket | None = None) -> None:
        super().__init__(sock)
        self.calls: list[tuple[str, float]] = []
        self.masks: list[int] = []

    def ready(self, mask: int, now: float) -> None:
        self.calls.append(("ready", now))
        self.masks.append(mask)

    def due(self, now: float) -> None:
        self.calls.append(("due", now))

    def go_on(self, now: float) -> None:
        self.calls.append(("go_on", now))

    def end(self, now: float) -> None:
        self.calls.append(("end", now))

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.calls]


@contextlib.contextmanager
def reactor_of(
    host: TinyHost, errors: list[Exception] | None = None, selector: NestedSelector | None = None
) -> Iterator[Reactor]:
    """A reactor; what its owners raise ends up in ``errors``."""
    selector = selector or NestedSelector()
    with contextlib.closing(selector):
        errors = [] if errors is None else errors
        yield Reactor(host.now, host.look_again, errors.append, selector)


class Client:
    """A connected socket, and the bytes that came on it; ``step`` lets the other side work."""

    def __init__(
        self, sock: socket.socket, step: Callable[[], None], tls: ssl.SSLContext | None = None
    ) -> None:
        self.sock = sock
        self.received = b""
        self.ended = False
        self.was_reset = False
        self._step = step
        if tls is not None:
            sock = self.sock = tls.wrap_socket(
                sock, server_hostname="localhost", do_handshake_on_connect=False
            )
        sock.settimeout(0)
        if isinstance(sock, ssl.SSLSocket):
            self._shake(sock)

    def _shake(self, sock: ssl.SSLSocket) -> None:
        for _ in range(PATIENCE):
            try:
                return sock.do_handshake()
            except ssl.SSLWantReadError:
                self._step()
        raise AssertionError("no handshake")

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def look(self) -> None:
        """Take what has come."""
        try:
            while data := self.sock.recv(65536):
                self.received += data
            self.ended = True
        except (BlockingIOError, ssl.SSLWantReadError):
            pass
        except ConnectionResetError:
            self.was_reset = self.ended = True

    def until(self, text: bytes) -> bytes:
        """Read until ``text`` has come."""
        return self._read_until(lambda: text in self.received)

    def until_end(self) -> bytes:
        """Read until the connection's end."""
        return self._read_until(lambda: self.ended)

    def _read_until(self, done: Callable[[], bool]) -> bytes:
        for _ in range(PATIENCE):
            self.look()
            if done():
                return self.received
            self._step()
        raise AssertionError(f"it did not come: {self.received[-300:]!r}")


@dataclass
class Served:
    """An application on a loop that the test steps."""

    loop: ReadinessLoop
    host: TinyHost
    address: Any
    errors: list[Exception]
    clients: list[Client]
    tls: ssl.SSLContext | None = None

    def step(self) -> None:
        self.loop.step(self.host.time, 0.01)

    def until(self, probe: Callable[[], object]) -> None:
        """Step until ``probe`` is true."""
        for _ in range(PATIENCE):
            if probe():
                return
            self.step()
        raise AssertionError("it did not come to that")

    def is_finished(self) -> bool:
        """No property, or mypy would hold that what was seen once stays so."""
        return self.loop.finished

    def settle(self) -> None:
        """Step until nothing is left to do now."""
        for _ in range(10):
            self.loop.step(self.host.time, 0.002)

    def client(self, request: bytes = b"", *, receive_buffer: int | None = None) -> Client:
        """A new client, which has sent ``request``."""
        sock = socket.socket(socket.AF_UNIX if isinstance(self.address, str) else socket.AF_INET)
        if receive_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            sock.connect(self.address)
        except OSError:
            sock.close()
            raise
        client = Client(sock, self.step, self.tls)
        self.clients.append(client)
        client.send(request)
        return client


@contextlib.contextmanager
def served(
    application: Application | None = None, *, client_tls: ssl.SSLContext | None = None, **options: Any
) -> Iterator[Served]:
    """A loop that serves ``application`` on loopback."""
    host, errors = TinyHost(), list[Exception]()
    loop = ReadinessLoop(application or Scripted(), host, on_error=errors.append, **options)
    listener = socket.create_server(("127.0.0.1", 0), backlog=100)
    loop.listen(listener)
    world = Served(loop, host, listener.getsockname(), errors, [], client_tls)
    try:
        yield world
    finally:
        loop.close(host.time)
        for client in world.clients:
            client.sock.close()


class Script:
    """An exchange that wishes what its test says, and notes what happened to it."""

    def __init__(self, endpoint: Endpoint, request: bytes = b"hello") -> None:
        self.waker = no_waker
        self.target = endpoint
        self.want = Want.CONNECT
        self.deadline: float | None = None
        self.request = request
        self.received = b""
        self.happened: list[str] = []
        self.after: dict[str, Want] = {}  #: the wish after something has happened
        self.raises_in: set[str] = set()

    def connected(self, now: float) -> None:
        del now
        self._note("connected", Want.READ)

    def data_to_send(self) -> bytes:
        return self.request

    def receive_data(self, data: bytes, now: float) -> None:
        del now
        self.received += data
        self._note("received" if data else "eof", Want.READ if data else Want.CLOSE)

    def connection_lost(self, reason: str, now: float, *, retryable: bool = True) -> None:
        del now
        self._note(f"lost: {reason}, {retryable}", Want.NOTHING, "lost")

    def closed(self, now: float) -> None:
        del now
        self._note("closed", Want.NOTHING)

    def handle_timeout(self, now: float) -> None:
        if self.deadline is not None and self.deadline <= now:
            self.deadline = None
            self._note("timeout", Want.CLOSE)

    def _note(self, text: str, want: Want, name: str = "") -> None:
        self.happened.append(text)
        self.want = self.after.get(name or text, want)
        if (name or text) in self.raises_in:
            raise RuntimeError(f"a mistake in {name or text}")


class Caller(Scripted):
    """An application that wants exchanges driven."""

    def __init__(self, *exchanges: Exchange) -> None:
        super().__init__()
        self.new = [*exchanges]

    def upstreams(self) -> list[Exchange]:
        new, self.new = self.new, []
        return new

    def ask(self, *exchanges: Exchange) -> None:
        self.new += exchanges
        self.waker()


@contextlib.contextmanager
def listener(backlog: int = 10) -> Iterator[tuple[socket.socket, Endpoint]]:
    """A listening socket, whose connections the test accepts, and where it is."""
    with socket.create_server(("127.0.0.1", 0), backlog=backlog) as sock:
        sock.settimeout(5)
        yield sock, Endpoint("127.0.0.1", sock.getsockname()[1])


def until_made(world: Served, server: socket.socket) -> None:
    """Step until a connection to ``server`` is made, and nobody has looked at it yet."""
    world.until(lambda: select.select([server], [], [], 0)[0])
    world.step()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port


@dataclass(frozen=True)
class Certificates:
    """A server's context, and a client's that trusts it."""

    server: ssl.SSLContext
    client: ssl.SSLContext


def new_certificates() -> Certificates:
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(server)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(client)
    return Certificates(server, client)
