"""A server scenario while it is played: its server, its clients, and what came to them."""

from __future__ import annotations

import json
import select
import socket
import ssl
import struct
from collections.abc import Callable, Mapping
from typing import Any

from sse_core import EventStreamDecoder

from .peers import PATIENCE
from .resources import soon
from .runner import Runner, Serving

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
        """The application's stream of that number, as soon as it is requested."""
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
