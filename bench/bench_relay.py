"""What the relay costs: CPU for each event, added latency, added time to first token.

Three processes on loopback: a provider that writes the time into each token, what is measured, and
this one, which reads.  The same load goes three ways: straight to the provider, through a proxy that
only copies bytes (the floor: what trio's readiness calls and the kernel cost), and through the relay.
CPU is the measured process's own, in a window in which all streams are flowing.

Linux only: CPU times are read from /proc.
"""

from __future__ import annotations

import argparse
import contextlib
import heapq
import json
import os
import re
import selectors
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import trio

WARM_UP = 1.0  #: seconds from the last stream's start to the window
BETWEEN_STARTS = 0.02  #: seconds between the starts of two streams

# The provider: each token is the moment at which it is sent


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
MESSAGE = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [], "usage": {}}
BEGINNING: list[Mapping[str, object]] = [
    {"type": "message_start", "message": MESSAGE},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
]


def event(data: Mapping[str, object]) -> bytes:
    """An event as one chunk."""
    text = b"event: %b\ndata: %b\n\n" % (str(data["type"]).encode(), json.dumps(data).encode())
    return b"%x\r\n%b\r\n" % (len(text), text)


def token() -> bytes:
    """A token that says when it was sent: nanoseconds of the clock that all processes share."""
    delta = {"type": "text_delta", "text": f"{time.monotonic_ns()} "}
    return event({"type": "content_block_delta", "index": 0, "delta": delta})


class Provider:
    """Sends a token to each client, ``rate`` times a second, until it leaves."""

    def __init__(self, rate: float) -> None:
        self._gap = 1 / rate
        self._selector = selectors.DefaultSelector()
        self._due: list[tuple[float, int, socket.socket]] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self._selector.register(self._listener, selectors.EVENT_READ, self._listener)
        self.port = self._listener.getsockname()[1]

    def run(self) -> None:
        """Serve until killed."""
        while True:
            wait = max(self._due[0][0] - time.monotonic(), 0) if self._due else None
            for key, _ in self._selector.select(wait):
                self._look(key.data)
            self._send_due()

    def _look(self, sock: socket.socket) -> None:
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
            sock.sendall(HEAD + b"".join(event(each) for each in BEGINNING) + token())
            heapq.heappush(self._due, (time.monotonic() + self._gap, id(sock), sock))

    def _send_due(self) -> None:
        now = time.monotonic()
        while self._due and self._due[0][0] <= now:
            due, number, sock = heapq.heappop(self._due)
            with contextlib.suppress(OSError):
                sock.send(token())
                heapq.heappush(self._due, (due + self._gap, number, sock))


# The floor: bytes are copied both ways, by trio's readiness calls and nothing else


async def run_floor(upstream: int) -> None:
    """Copy between clients and ``upstream``, a port, until killed."""
    listener = trio.socket.socket()
    await listener.bind(("127.0.0.1", 0))
    listener.listen(1024)
    say(listener.getsockname()[1])
    async with trio.open_nursery() as nursery:
        while True:
            client, _ = await listener.accept()
            nursery.start_soon(proxy, socket.socket(fileno=client.detach()), upstream)


async def proxy(client: socket.socket, upstream: int) -> None:
    """Copy between one client and the provider until one of them ends."""
    stream = await trio.open_tcp_stream("127.0.0.1", upstream)
    server = socket.socket(fileno=stream.socket.detach())
    for sock in (client, server):
        sock.settimeout(0)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with client, server:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(copy, client, server, nursery.cancel_scope)
            await copy(server, client, nursery.cancel_scope)


async def copy(source: socket.socket, target: socket.socket, scope: trio.CancelScope) -> None:
    """Copy bytes one way until the source ends."""
    with contextlib.suppress(OSError):
        while True:
            await trio.lowlevel.wait_readable(source)
            data = source.recv(65536)
            if not data:
                break
            while data:
                try:
                    data = data[target.send(data) :]
                except BlockingIOError:
                    await trio.lowlevel.wait_writable(target)
    scope.cancel()


# The reader


TOKEN = re.compile(rb'"text": ?"(\d+) "')
BODY = b'{"model":"m","max_tokens":1,"stream":true,"messages":[{"role":"user","content":"x"}]}'
REQUEST = (
    b"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
)


class Client:
    """One stream: when it was asked for, and what has not been looked at of its bytes."""

    def __init__(self, port: int) -> None:
        self.asked_at = time.monotonic_ns()
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
        found = list(TOKEN.finditer(data))
        self._rest = data[found[-1].end() :] if found else data
        if found and self.first_after is None:
            self.first_after = now - self.asked_at
        return [now - int(each[1]) for each in found]


Figures = dict[str, float]  #: microseconds, but for the count of events


def measure(port: int, load: argparse.Namespace, process: subprocess.Popen[str]) -> Figures:
    """Put the load on ``port``; ``process`` is whose CPU time counts."""
    cpu_before, setting_up = cpu_ns(process), 0
    selector = selectors.DefaultSelector()
    clients: list[Client] = []
    with contextlib.closing(selector):
        while len(clients) < load.streams:
            clients.append(Client(port))
            selector.register(clients[-1].sock, selectors.EVENT_READ, clients[-1])
            setting_up += len(read_for(BETWEEN_STARTS, selector))
        cpu_set_up = cpu_ns(process)
        read_for(WARM_UP, selector)
        cpu_at_start = cpu_ns(process)
        latencies = read_for(load.seconds, selector)
        cpu_at_end = cpu_ns(process)
        for client in clients:
            client.sock.close()
    latencies.sort()
    an_event = (cpu_at_end - cpu_at_start) / 1000 / len(latencies)
    firsts = [client.first_after for client in clients if client.first_after is not None]
    return {
        "events": len(latencies),
        "cpu an event": an_event,
        # Streams were flowing while others were set up.
        "cpu to set a stream up": ((cpu_set_up - cpu_before) / 1000 - setting_up * an_event) / load.streams,
        "latency p50": latencies[len(latencies) // 2] / 1000,
        "latency p99": latencies[len(latencies) * 99 // 100] / 1000,
        "time to first token p50": statistics.median(firsts) / 1000,
    }


def read_for(seconds: float, selector: selectors.BaseSelector) -> list[int]:
    """Read all streams for a while: how long each token was on its way, in nanoseconds."""
    latencies: list[int] = []
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        for key, _ in selector.select(left):
            latencies += key.data.receive()
    return latencies


def cpu_ns(process: subprocess.Popen[str]) -> int:
    """How long a process with one thread has been on a CPU, in nanoseconds."""
    return int(Path(f"/proc/{process.pid}/schedstat").read_text("ascii").split()[0])


# Putting it together


@contextlib.contextmanager
def child(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process, and the port that is the last thing in its first line."""
    command = [sys.executable, *arguments]
    process = subprocess.Popen(  # noqa: S603  (this project's own programs)
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    with process:
        try:
            found = re.search(r"(\d+)/?$", next(iter(process.stdout or ()), "").strip())
            if found is None:
                raise RuntimeError(f"{arguments} did not start")
            yield process, int(found[1])
        finally:
            process.kill()


def say(port: int) -> None:
    """Tell the parent where to connect."""
    print(port, flush=True)


def run_round(load: argparse.Namespace) -> dict[str, Figures]:
    """The same load, three ways."""
    measured = {}
    with child(__file__, "--role", "provider", "--rate", str(load.rate)) as (provider, provider_port):
        measured["direct"] = measure(provider_port, load, provider)
        with child(__file__, "--role", "floor", "--upstream", str(provider_port)) as (floor, port):
            measured["floor"] = measure(port, load, floor)
        upstream = f"http://127.0.0.1:{provider_port}"
        with child("-m", "sse_relay", "serve", "--port", "0", "--upstream", upstream) as (relay, port):
            measured["relay"] = measure(port, load, relay)
    return measured


def medians(rounds: list[dict[str, Figures]]) -> dict[str, Figures]:
    """The median of each figure over the rounds."""
    first = rounds[0]
    return {way: {n: statistics.median(r[way][n] for r in rounds) for n in first[way]} for way in first}


def show(result: dict[str, Figures], load: argparse.Namespace) -> None:
    """Print a table."""
    print(
        f"Python {sys.version.split()[0]}, {os.cpu_count()} CPUs: {load.streams} streams of {load.rate:g} "
        f"events a second for {load.seconds:g} s, median of {load.rounds} rounds; microseconds.\n"
        f"Load average of this machine: {os.getloadavg()[0]:.1f}"
    )
    print(f"  {'':<26}{'provider':>10}{'floor':>10}{'relay':>10}")
    for name in result["relay"]:
        print(f"  {name:<26}" + "".join(f"{figures[name]:>10,.0f}" for figures in result.values()))
    direct, relay = result["direct"], result["relay"]
    for name in ("latency p50", "latency p99", "time to first token p50"):
        print(f"  {f'added {name}':<46}{relay[name] - direct[name]:>10,.0f}")
    ratio = relay["cpu an event"] / result["floor"]["cpu an event"]
    print(f"  the relay's CPU an event is {ratio:.2f} times the floor's")


def read_arguments() -> argparse.Namespace:
    """What the user wants, or which of the processes this is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--streams", type=int, default=50)
    parser.add_argument("--rate", type=float, default=50, help="events a second of each stream")
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--role", choices=["provider", "floor"], help=argparse.SUPPRESS)
    parser.add_argument("--upstream", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Run the process that is asked for."""
    arguments = read_arguments()
    if arguments.role == "provider":
        provider = Provider(arguments.rate)
        say(provider.port)
        provider.run()
    elif arguments.role == "floor":
        trio.run(run_floor, arguments.upstream)
    elif not Path("/proc/self/schedstat").exists():
        print("skipped: there is no /proc/self/schedstat to read CPU times from")
    else:
        result = medians([run_round(arguments) for _ in range(arguments.rounds)])
        show(result, arguments)
        if arguments.json:
            load = {name: getattr(arguments, name) for name in ("streams", "rate", "seconds", "rounds")}
            report = {"python": sys.version.split()[0], "cpus": os.cpu_count(), "load": load, **result}
            arguments.json.write_text(json.dumps(report, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
