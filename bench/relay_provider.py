"""A provider that writes the time into each token, as a process of its own: a port, a token at a time.

It costs as little as Python allows, since it shares the machine with what is measured: a token is one
``send`` of bytes of which only the time is new.
"""

from __future__ import annotations

import contextlib
import heapq
import json
import selectors
import socket
import sys
import time
from collections.abc import Mapping

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
MESSAGE = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [], "usage": {}}
BEGINNING: list[Mapping[str, object]] = [
    {"type": "message_start", "message": MESSAGE},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
]
#: Streams begin their turns in a period as far from each other as the golden ratio puts them.
SPREAD = 0.6180339887


def event(data: Mapping[str, object]) -> bytes:
    """An event as one chunk."""
    text = b"event: %b\ndata: %b\n\n" % (str(data["type"]).encode(), json.dumps(data).encode())
    return b"%x\r\n%b\r\n" % (len(text), text)


DIGITS = 16
DELTA = {"type": "text_delta", "text": "0" * DIGITS + " "}
BEFORE, AFTER = event({"type": "content_block_delta", "index": 0, "delta": DELTA}).split(b"0" * DIGITS)
FIRST = HEAD + b"".join(event(each) for each in BEGINNING)


def token() -> bytes:
    """A token that says when it was sent: nanoseconds of the clock that all processes share."""
    return b"%b%016d%b" % (BEFORE, time.monotonic_ns(), AFTER)


class Provider:
    """Sends a token to each client at once, and then ``rate`` a second, until it leaves."""

    def __init__(self, rate: float) -> None:
        self._gap = 1 / rate if rate else None
        self._selector = selectors.DefaultSelector()
        self._due: list[tuple[float, int, socket.socket]] = []
        self._streams = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self._selector.register(self._listener, selectors.EVENT_READ, self._listener)
        self.port = self._listener.getsockname()[1]

    def run(self) -> None:
        """Serve until killed."""
        while True:
            wait = max(self._due[0][0] - time.monotonic(), 0) if self._due else None
            for key, _ in self._selector.select(wait):
                self._receive(key.data)
            self._send_due()

    def _receive(self, sock: socket.socket) -> None:
        if sock is self._listener:
            client, _ = self._listener.accept()
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(client, selectors.EVENT_READ, client)
            return
        try:
            request = sock.recv(65536)
        except OSError:
            request = b""
        if not request:
            self._selector.unregister(sock)
            sock.close()
        elif request.endswith(b"}"):  # of the JSON: the request is whole
            sock.sendall(FIRST + token())
            if self._gap is not None:
                self._streams += 1
                wait = self._gap * (1 + self._streams * SPREAD % 1)
                heapq.heappush(self._due, (time.monotonic() + wait, id(sock), sock))

    def _send_due(self) -> None:
        now = time.monotonic()
        while self._due and self._due[0][0] <= now:
            due, number, sock = self._due[0]
            try:
                sock.send(token())
                heapq.heapreplace(self._due, (due + (self._gap or 0), number, sock))
            except OSError:
                heapq.heappop(self._due)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        provider = Provider(float(sys.argv[1]))
        print(provider.port, flush=True)
        provider.run()
