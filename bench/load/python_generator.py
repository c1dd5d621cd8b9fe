"""The load generator where there is no C compiler: the arguments and commands of generator.c.

It shares the machine with what is measured, and costs more than that: its figures are no more than a hint.
A token is one ``send`` of bytes of which only the time and the number are new.
"""

from __future__ import annotations

import contextlib
import heapq
import json
import re
import resource
import selectors
import socket
import statistics
import sys
import time
from collections.abc import Mapping

MESSAGE = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [], "usage": {}}
BODY = b'{"model":"m","max_tokens":1,"stream":true,"messages":[{"role":"user","content":"x"}]}'
REQUEST = (
    b"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
)
TOKEN = re.compile(rb"@(\d{16}):(\d{8}) ")
COMMENT = re.compile(rb"(?m)^:")
SPREAD = 0.6180339887  #: streams begin in a period as far from each other as the golden ratio puts them
LONGEST_TOKEN = 32  #: bytes


def event(data: Mapping[str, object]) -> bytes:
    """An event as one chunk."""
    text = b"event: %b\ndata: %b\n\n" % (str(data["type"]).encode(), json.dumps(data).encode())
    return b"%x\r\n%b\r\n" % (len(text), text)


def delta(text: str) -> bytes:
    """A token as one chunk."""
    return event({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}})


FIRST = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    + event({"type": "message_start", "message": MESSAGE})
    + event({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})
)
LAST = (
    event({"type": "content_block_stop", "index": 0})
    + event({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}})
    + event({"type": "message_stop"})
    + b"0\r\n\r\n"
)
SIGN = "@0000000000000000:00000000 "


class Tokens:
    """Writes tokens of one length."""

    def __init__(self, pad: int = 0) -> None:
        self._before, self._after = delta(SIGN + "." * pad).split(SIGN.encode())

    def write(self, number: int) -> bytes:
        """The token of this number, which says when it was written."""
        return b"%b@%016d:%08d %b" % (self._before, time.monotonic_ns(), number, self._after)


class Client:
    """One stream: how many tokens it was sent, and what the kernel had no room for."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.sent = 0
        self.rest = b""


class Provider:
    """Sends a token to each client at once, and then ``rate`` a second, ``events`` or until it leaves."""

    def __init__(self, rate: float, events: int, pad: int) -> None:
        self._gap = 1 / rate if rate else None
        self._events = events
        self._tokens = Tokens(pad)
        self._selector = selectors.DefaultSelector()
        self._due: list[tuple[float, int, Client]] = []
        self._begun = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self._selector.register(self._listener, selectors.EVENT_READ, None)
        self.port = self._listener.getsockname()[1]

    def run(self) -> None:
        """Serve until killed."""
        while True:
            wait = max(self._due[0][0] - time.monotonic(), 0) if self._due else None
            for key, mask in self._selector.select(wait):
                if key.data is None:
                    self._accept()
                elif mask & selectors.EVENT_WRITE:
                    self._go_on(key.data)
                else:
                    self._receive(key.data)
            while self._due and self._due[0][0] <= time.monotonic():
                due, _, client = heapq.heappop(self._due)
                if client.sock.fileno() >= 0:
                    self._send(client, due)

    def _accept(self) -> None:
        sock, _ = self._listener.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, 16 * 1024)
        sock.settimeout(0)
        self._selector.register(sock, selectors.EVENT_READ, Client(sock))

    def _receive(self, client: Client) -> None:
        try:
            request = client.sock.recv(65536)
        except OSError:
            request = b""
        if not request:
            self._drop(client)
        elif request.endswith(b"}"):  # of the JSON: the request is whole
            self._begun += 1
            client.sent = 0
            self._send(client, time.monotonic() + (self._gap or 0) * (self._begun * SPREAD % 1))

    def _send(self, client: Client, due: float) -> None:
        data = self._tokens.write(client.sent)
        if not client.sent:
            data = FIRST + data
        client.sent += 1
        is_last = client.sent == self._events
        if self._put(client, data + LAST if is_last else data) and self._gap is not None and not is_last:
            heapq.heappush(self._due, (due + self._gap, id(client), client))

    def _put(self, client: Client, data: bytes) -> bool:
        """Send what there is room for; whether that was all."""
        try:
            sent = client.sock.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._drop(client)
            return False
        client.rest = data[sent:]
        interest = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.rest else 0)
        if interest != self._selector.get_key(client.sock).events:
            self._selector.modify(client.sock, interest, client)
        return not client.rest

    def _go_on(self, client: Client) -> None:
        if self._put(client, client.rest) and self._gap is not None and client.sent != self._events:
            heapq.heappush(self._due, (time.monotonic(), id(client), client))

    def _drop(self, client: Client) -> None:
        self._selector.unregister(client.sock)
        client.sock.close()


class Reader:
    """One stream: its socket, and what has not been looked at of its bytes."""

    def __init__(self, port: int, request: bytes, *, reads: bool) -> None:
        self.reads = reads
        self.asked_at = time.monotonic_ns()
        self.first_at: int | None = None
        self.last_at = 0
        #: The number of the token that has to come; readers of one stream may come amid it.
        self.next: int | None = 0 if request is REQUEST else None
        self.rest = b""
        self.ended = False
        self.refused = False
        self._has_head = False
        self.sock = socket.socket()
        if not reads:  # what its kernel takes is not what is measured
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.sock.connect(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.sendall(request)
        self.sock.settimeout(0)

    def look_at(self, data: bytes) -> None:
        """See the head's status and the body's end."""
        if not self._has_head:
            self._has_head = True
            self.refused = not data.startswith(b"HTTP/1.1 200")
        self.ended = data.endswith(b"\r\n0\r\n\r\n")


class Seen:
    """What came since the last command; times in nanoseconds."""

    def __init__(self) -> None:
        self.began = time.monotonic_ns()
        self.latencies: list[int] = []
        self.gap = 0
        self.counts = dict.fromkeys(("lost", "disordered", "comments", "bytes", "ended", "cut", "refused"), 0)

    def token(self, reader: Reader, sent_at: int, number: int, now: int) -> None:
        """A token has come."""
        self.latencies.append(now - sent_at)
        if reader.next is not None:
            self.counts["lost"] += max(number - reader.next, 0)
            self.counts["disordered"] += number < reader.next
        reader.next = number + 1
        if reader.first_at is None:
            reader.first_at = now
        else:
            self.silence(reader, now)
        reader.last_at = now

    def silence(self, reader: Reader, now: int) -> None:
        """For how long the stream has brought nothing."""
        self.gap = max(self.gap, now - max(reader.last_at, self.began))

    def quantile(self, part: float) -> float:
        """So many of the latencies are below, in microseconds."""
        return self.latencies[int(part * len(self.latencies))] / 1000 if self.latencies else 0.0


class Readers:
    """Obeys commands, each with a report."""

    def __init__(self, port: int, request: bytes) -> None:
        self._port = port
        self._request = request
        self._selector = selectors.DefaultSelector()
        self._readers: list[Reader] = []
        self._seen = Seen()

    def obey(self, command: str, *numbers: float) -> None:
        """Do as ``command`` says."""
        self._seen = Seen()
        getattr(self, "_" + command)(*numbers)
        self._report()

    def _add(self, streams: float, microseconds: float, reads: float = 1) -> None:
        for _ in range(int(streams)):
            self._open(reads=bool(reads))
            self._run(microseconds / 1e6)

    def _wait(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while self._waiting() and time.monotonic() < end:
            self._run(0.05)

    def _run(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._read(left)

    def _churn(self, total: float, at_once: float, seconds: float) -> None:
        self._leave()
        end, begun = time.monotonic() + seconds, 0
        while self._selector.get_map() or begun < total:
            while begun < total and len(self._selector.get_map()) < at_once:
                self._open(reads=True)
                begun += 1
            left = end - time.monotonic()
            if left < 0:
                return
            self._read(left)

    def _leave(self) -> None:
        for reader in self._readers:
            reader.sock.close()
        self._selector.close()
        self._selector = selectors.DefaultSelector()
        self._readers = []

    def _open(self, *, reads: bool) -> None:
        reader = Reader(self._port, self._request, reads=reads)
        self._readers.append(reader)
        if reads:
            self._selector.register(reader.sock, selectors.EVENT_READ, reader)

    def _read(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            self._receive(key.data)

    def _receive(self, reader: Reader) -> None:
        try:
            data = reader.sock.recv(256 * 1024)
        except OSError:
            data = b""
        now, counts = time.monotonic_ns(), self._seen.counts
        if not data:
            self._close(reader, "refused" if reader.refused else "cut")
            return
        reader.look_at(data)
        counts["bytes"] += len(data)
        counts["comments"] += len(COMMENT.findall(data))
        data = reader.rest + data
        looked_at = max(len(data) - LONGEST_TOKEN, 0)
        for found in TOKEN.finditer(data):
            self._seen.token(reader, int(found[1]), int(found[2]), now)
            looked_at = max(looked_at, found.end())
        reader.rest = data[looked_at:]
        if reader.ended or reader.refused:
            self._close(reader, "refused" if reader.refused else "ended")

    def _close(self, reader: Reader, how: str) -> None:
        self._seen.counts[how] += 1
        self._selector.unregister(reader.sock)
        reader.sock.close()

    def _waiting(self) -> int:
        return sum(
            reader.reads and reader.first_at is None and reader.sock.fileno() >= 0 for reader in self._readers
        )

    def _report(self) -> None:
        seen, now = self._seen, time.monotonic_ns()
        opened = [reader for reader in self._readers if reader.sock.fileno() >= 0]
        for reader in opened:
            if reader.reads:
                seen.silence(reader, now)
        seen.latencies.sort()
        firsts = [
            reader.first_at - reader.asked_at for reader in self._readers if reader.first_at is not None
        ]
        used = resource.getrusage(resource.RUSAGE_SELF)
        figures = {
            **seen.counts,
            "tokens": len(seen.latencies),
            "open": len(opened),
            "waiting": self._waiting(),
            "seconds": (now - seen.began) / 1e9,
            "p50": seen.quantile(0.5),
            "p99": seen.quantile(0.99),
            "p999": seen.quantile(0.999),
            "max": seen.latencies[-1] / 1000 if seen.latencies else 0.0,
            "gap": seen.gap / 1000,
            "first": statistics.median(firsts) / 1000 if firsts else 0.0,
            "own_cpu": used.ru_utime + used.ru_stime,
        }
        print(json.dumps(figures), flush=True)


def main() -> None:
    """Be what the arguments say."""
    role, *arguments = sys.argv[1:]
    if role == "provider":
        rate, events, pad = arguments
        provider = Provider(float(rate), int(events), int(pad))
        print(provider.port, flush=True)
        provider.run()
    port, *path = arguments
    request = REQUEST if not path else b"GET %b HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" % path[0].encode()
    readers = Readers(int(port), request)
    for line in sys.stdin:
        command, *numbers = line.split()
        readers.obey(command, *map(float, numbers))


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
