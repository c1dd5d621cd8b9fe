"""Readers of many streams: how long each token was on its way, and what whoever brought it has used."""

from __future__ import annotations

import contextlib
import math
import os
import re
import resource
import selectors
import socket
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BETWEEN_STARTS = 0.005  #: seconds between the starts of two streams
WARM_UP = 1.0  #: seconds from the last stream's start to what is measured

TOKEN = re.compile(rb'"text": ?"(\d+) "')
BODY = b'{"model":"m","max_tokens":1,"stream":true,"messages":[{"role":"user","content":"x"}]}'
REQUEST = (
    b"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
)

Figures = dict[str, float]


@dataclass(frozen=True)
class Load:
    """So many streams, looked at for so many seconds."""

    streams: int
    seconds: float


class Reader:
    """One stream: when it was requested, and what has not been looked at of its bytes."""

    def __init__(self, port: int) -> None:
        self.requested_at = time.monotonic_ns()
        self.first_after: int | None = None  #: nanoseconds
        self.sock = socket.create_connection(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.sendall(REQUEST)
        self._rest = b""

    def receive(self) -> list[int]:
        """How long each token that is there was on its way, in nanoseconds."""
        data = self.sock.recv(65536)
        now = time.monotonic_ns()
        if not data:
            raise EOFError("the stream ended early")
        data = self._rest + data
        latencies, end = [], 0
        for found in TOKEN.finditer(data):
            latencies.append(now - int(found[1]))
            end = found.end()
        self._rest = data[end:]
        if latencies and self.first_after is None:
            self.first_after = now - self.requested_at
        return latencies


class Readers:
    """Readers that come one after another, and are all read from then on."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._selector = selectors.DefaultSelector()
        self._readers: list[Reader] = []

    def add(self, streams: int) -> int:
        """Begin so many streams; the number of tokens that came meanwhile."""
        tokens = 0
        for _ in range(streams):
            reader = Reader(self._port)
            self._readers.append(reader)
            self._selector.register(reader.sock, selectors.EVENT_READ, reader)
            tokens += len(self.read_for(BETWEEN_STARTS))
        return tokens

    def read_for(self, seconds: float) -> list[int]:
        """Read all streams for a while: how long each token was on its way, in nanoseconds."""
        latencies: list[int] = []
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            for key, _ in self._selector.select(left):
                latencies += key.data.receive()
        return latencies

    def firsts(self) -> list[float]:
        """How long each stream's first token took, in nanoseconds; infinity if it hasn't come."""
        firsts = (reader.first_after for reader in self._readers)
        return [math.inf if first is None else first for first in firsts]

    def close(self) -> None:
        """Leave."""
        for reader in self._readers:
            reader.sock.close()
        self._selector.close()


@contextlib.contextmanager
def readers_of(port: int) -> Iterator[Readers]:
    """Readers, who leave at the end."""
    readers = Readers(port)
    try:
        yield readers
    finally:
        readers.close()


def measure_flow(load: Load, port: int, pid: int) -> Figures:
    """Put the load on ``port`` and look at the process ``pid``: microseconds, but for the count.

    ``p50`` and ``p99`` are of the latency, from the provider's write to the reader's read; ``first token``
    is the median time to it, from the moment before the reader connected.
    """
    with readers_of(port) as readers:
        readers.add(load.streams)
        readers.read_for(WARM_UP)
        before = cpu_ns(pid)
        latencies = sorted(readers.read_for(load.seconds))
        used = cpu_ns(pid) - before
        return {
            "events a second": len(latencies) / load.seconds,
            "cpu an event": used / 1000 / len(latencies),
            "p50": latencies[len(latencies) // 2] / 1000,
            "p99": latencies[len(latencies) * 99 // 100] / 1000,
            "first token": statistics.median(readers.firsts()) / 1000,
        }


def measure_idle(streams: int, port: int, pid: int) -> Figures:
    """Begin streams that bring one token and then nothing: what each takes of memory, and of CPU to begin.

    A tenth as many begin before, so that what is made once is there.
    """
    with readers_of(port) as readers:
        readers.add(streams // 10)
        readers.read_for(WARM_UP)
        memory, before = resident_bytes(pid), cpu_ns(pid)
        readers.add(streams)
        readers.read_for(WARM_UP)
        if math.inf in readers.firsts():
            raise EOFError("some streams brought nothing")
        return {
            "KB a stream": (resident_bytes(pid) - memory) / streams / 1024,
            "ms of cpu to set it up": (cpu_ns(pid) - before) / 1e6 / streams,
        }


def cpu_ns(pid: int) -> int:
    """How long a process, with all its threads, has been on CPUs, in nanoseconds."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")  # the process's own file is its main thread's
    return sum(int(path.read_text("ascii").split()[0]) for path in threads)


def resident_bytes(pid: int) -> int:
    """How much memory of its own a process has."""
    return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def allow_many_sockets() -> None:
    """Raise this process's bound on descriptors, and that of its children, as far as it may go."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
