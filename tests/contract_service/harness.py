"""A small harness: a server of event streams that a test scripts, and what receives callbacks."""

from __future__ import annotations

import contextlib
import http.client
import json
import queue
import socket
import struct
import threading
from dataclasses import dataclass
from typing import Any, BinaryIO, Self
from urllib.parse import urlsplit

#: Seconds; the outside harness's own is 5.
TIMEOUT = 20.0


@dataclass
class Connection:
    """One request that came, and its answer."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    _socket: socket.socket

    def head(self, status: str = "200 OK", *fields: str) -> Self:
        """Begin the answer."""
        lines = [f"HTTP/1.1 {status}", *fields, "", ""]
        self._socket.sendall("\r\n".join(lines).encode())
        return self

    def stream(self) -> Self:
        """Begin an answer that is an event stream."""
        return self.head(
            "200 OK", "Content-Type: text/event-stream; charset=utf-8", "Transfer-Encoding: chunked"
        )

    def send(self, *pieces: bytes) -> None:
        """A chunk for each piece."""
        for piece in pieces:
            self._socket.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))

    def cut(self) -> None:
        """Break the connection, amid the answer."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def is_closed(self) -> bool:
        """Whether the client closes it, before long."""
        self._socket.settimeout(TIMEOUT)
        try:
            return self._socket.recv(1) == b""
        except ConnectionError:
            return True


class Receiver:
    """Accepts connections; each has one request, which comes out of ``next()``."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/base"
        self._requests: queue.Queue[Connection] = queue.Queue()
        self._sockets: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def next(self) -> Connection:
        """The next request."""
        return self._requests.get(timeout=TIMEOUT)

    def nothing_comes(self, seconds: float = 0.3) -> bool:
        """Whether there is no other request, for so long."""
        try:
            self._requests.get(timeout=seconds)
        except queue.Empty:
            return True
        return False

    def close(self) -> None:
        """No more of them."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._sockets:
            sock.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                self._sockets.append(sock)
                threading.Thread(target=self._read_all, args=(sock,), daemon=True).start()

    def _read_all(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError), sock.makefile("rb") as file:
            while (request := _read(file, sock)) is not None:
                if self._took(request):
                    return  # whoever takes it out of the queue reads on

    def _took(self, request: Connection) -> bool:
        self._requests.put(request)
        return True


class Callbacks(Receiver):
    """Receives a stream's callbacks, in the order of their numbers."""

    def __init__(self) -> None:
        super().__init__()
        self._number = 0

    def message(self) -> dict[str, Any]:
        """The next message; its number is the next one."""
        request = self.next()
        self._number += 1
        assert (request.method, request.path) == ("POST", f"/base/{self._number}")
        fields: dict[str, Any] = json.loads(request.body)
        return fields

    def events(self, count: int) -> list[tuple[str, str, str]]:
        """Types, data and IDs of so many events that come next."""
        events = []
        for _ in range(count):
            message = self.message()
            assert message["kind"] == "event", message
            events.append((message["event"]["type"], message["event"]["data"], message["event"]["id"]))
        return events

    def _took(self, request: Connection) -> bool:
        super()._took(request)
        request.head("202 Accepted", "Content-Length: 0")
        return False


def _read(file: BinaryIO, sock: socket.socket) -> Connection | None:
    line = file.readline()
    if not line:
        return None
    method, path, _ = line.decode().split(" ")
    headers = {name.lower(): value for name, value in http.client.parse_headers(file).items()}
    body = file.read(int(headers.get("content-length", "0")))
    return Connection(method, path, headers, body, sock)


def ask(method: str, url: str, value: Any = None) -> tuple[int, dict[str, str], bytes]:
    """What a service answers: status, headers and body."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=TIMEOUT)
    body = value if isinstance(value, bytes) else None if value is None else json.dumps(value).encode()
    connection.request(method, parts.path or "/", body)
    response = connection.getresponse()
    headers = {name.lower(): value for name, value in response.getheaders()}
    answer = response.status, headers, response.read()
    connection.close()
    return answer
