"""The HTTP service that a harness drives.

Source: https://github.com/launchdarkly/sse-contract-tests/blob/main/docs/service_spec.md.
"""

from __future__ import annotations

import itertools
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from .parameters import BadParameters, read_parameters
from .stream import Follow, Stream

#: What optional_features.md describes, and what the harness asks for beside it: all of it.
CAPABILITIES = (
    "bom",
    "comments",
    "empty-or-missing-location",
    "event-type-listeners",
    "headers",
    "last-event-id",
    "payload-size-stress-testable",
    "post",
    "read-timeout",
    "report",
    "restart",
    "server-directed-shutdown-request",
)
MAX_BODY_BYTES = 1024 * 1024


class Service(ThreadingHTTPServer):
    """Streams by number, each followed by ``follow``."""

    daemon_threads = True

    def __init__(self, follow: Follow, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__((host, port), _Handler)
        self._follow = follow
        self._streams: dict[int, Stream] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://{self.server_address[0]!s}:{self.server_address[1]}"

    def create(self, body: bytes) -> int:
        """A new stream; its number.  Raises ``BadParameters``."""
        parameters = read_parameters(body)
        with self._lock:
            number = next(self._numbers)
            self._streams[number] = Stream(parameters, self._follow)
        return number

    def command(self, number: int, body: bytes) -> int:
        """Do what a harness wants of a stream; the status of the answer."""
        stream = self._streams.get(number)
        if stream is None:
            return 404
        try:
            fields: Any = json.loads(body)
        except ValueError:
            return 400
        match fields:
            case {"command": "restart"}:
                stream.restart()
            case {"command": "listen", "listen": {"type": str()}}:
                pass  # events of every type are given anyway
            case _:
                return 400
        return 202

    def remove(self, number: int) -> int:
        """Close a stream; the status of the answer."""
        with self._lock:
            stream = self._streams.pop(number, None)
        if stream is None:
            return 404
        stream.close()
        return 204

    def server_close(self) -> None:
        """Close all of it, and wait for its threads."""
        super().server_close()
        with self._lock:
            streams, self._streams = [*self._streams.values()], {}
        for stream in streams:
            stream.close()
        for stream in streams:
            stream.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Service

    def do_GET(self) -> None:
        self._answer(200 if self.path == "/" else 404, {"capabilities": CAPABILITIES})

    def do_POST(self) -> None:
        body = self.rfile.read(min(int(self.headers.get("Content-Length", "0")), MAX_BODY_BYTES))
        if self.path != "/":
            self._answer(self.server.command(self._number(), body))
            return
        try:
            number = self.server.create(body)
        except BadParameters as error:
            self._answer(400, {"error": str(error)})
        else:
            self._answer(201, {}, location=f"{self.server.url}/streams/{number}")

    def do_DELETE(self) -> None:
        if self.path == "/":
            self._answer(204)
            threading.Thread(target=self.server.shutdown).start()  # not from a thread that it waits for
        else:
            self._answer(self.server.remove(self._number()))

    def _number(self) -> int:
        number = self.path.removeprefix("/streams/")
        return int(number) if number.isascii() and number.isdigit() else 0

    def _answer(self, status: int, value: Any = None, *, location: str = "") -> None:
        body = b"" if value is None else json.dumps(value).encode()
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        if status != 204:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (its base class's name)
        """A harness has its own log."""
