"""What one event costs the relay, warm and cold: why a process that is almost idle takes longer for it.

One process, the loop by itself, and real sockets on loopback: this program writes a provider's token,
measures the step that brings it to its reader, and reads it there.  What the program does before each step
is all that differs:

- warm: nothing, so the step's code and data are in the core's caches;
- others' work: 8 MB of memory are written to, as other processes would;
- waiting: it busily waits for 0.4 ms, and the core is its own meanwhile;
- sleeping: it sleeps for 0.4 ms, as a relay does at 2,500 events a second; a virtual core is given back to
  the machine, which runs others on it.

CPU and time are the same here, as nothing in a step waits; what is printed is microseconds an event.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import statistics
import sys
import time
from collections.abc import Callable, Iterator

from load.generator import allow_many_sockets
from load.python_generator import FIRST, REQUEST, Tokens

from sse_io.readiness_loop import ReadinessLoop
from sse_relay.config import RelayConfig
from sse_relay.listen import Listen
from sse_relay.programs import relay_program
from sse_socket.loop_host import LoopHost

STREAMS = (1, 50, 400)
EVENTS = 2000  #: of each figure
ROUNDS = 5
GAP = 0.0004  #: seconds between two events, of those that wait
SETTLING = 20  #: steps after which nothing is left to be done
TOKENS = Tokens()
OTHERS_WORK = bytearray(8 << 20)
CACHE_LINE = 64  #: bytes


def others_work() -> None:
    """Write to a byte of each line of more memory than a core's own caches have."""
    OTHERS_WORK[::CACHE_LINE] = bytes(len(OTHERS_WORK) // CACHE_LINE)


def wait_busily() -> None:
    """Keep the core."""
    end = time.monotonic() + GAP
    while time.monotonic() < end:
        pass


CONDITIONS: dict[str, Callable[[], None]] = {
    "warm": lambda: None,
    "others' work": others_work,
    "waiting": wait_busily,
    "sleeping": lambda: time.sleep(GAP),
}


class Relayed:
    """Streams through a relay on a loop that is stepped here: the provider's sockets, and the readers'."""

    def __init__(self) -> None:
        self._provider = socket.create_server(("127.0.0.1", 0), backlog=1024)
        upstream = f"http://127.0.0.1:{self._provider.getsockname()[1]}"
        program = relay_program(RelayConfig(upstream), Listen("127.0.0.1", 0))
        service = next(program)
        listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        listener.settimeout(0)
        self._port = listener.getsockname()[1]
        with contextlib.suppress(StopIteration), contextlib.redirect_stdout(sys.stderr):
            program.send(self._port)
        self._loop = ReadinessLoop(
            service.application,
            LoopHost(),
            on_error=lambda error: print(repr(error), file=sys.stderr),
            settings=service.listen.settings(),
            on_refusal=service.on_refusal,
        )
        self._loop.listen(listener)
        self._pairs: list[tuple[socket.socket, socket.socket]] = []

    def add_to(self, streams: int) -> None:
        """Have so many streams, each with its first token read."""
        while len(self._pairs) < streams:
            reader = socket.create_connection(("127.0.0.1", self._port))
            reader.sendall(REQUEST)
            self._settle()
            provider, _ = self._provider.accept()
            provider.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._settle()
            provider.recv(65536)
            provider.sendall(FIRST + TOKENS.write(0))
            self._settle()
            reader.recv(65536)
            reader.settimeout(0)
            self._pairs.append((provider, reader))

    def measure(self, before: Callable[[], None]) -> float:
        """Microseconds an event: the streams take turns, and ``before`` is called before each."""
        taken = 0
        for provider, reader in itertools.islice(itertools.cycle(self._pairs), EVENTS):
            provider.send(TOKENS.write(1))
            before()
            taken += sum(self._steps_until(reader))
        return taken / EVENTS / 1000

    def _steps_until(self, reader: socket.socket) -> Iterator[int]:
        """Nanoseconds of each step, until ``reader`` has something."""
        while True:
            began = time.perf_counter_ns()
            self._loop.step(time.monotonic())
            yield time.perf_counter_ns() - began
            with contextlib.suppress(BlockingIOError):
                reader.recv(65536)
                return

    def _settle(self) -> None:
        for _ in range(SETTLING):
            self._loop.step(time.monotonic())


def main() -> None:
    """Measure each number of streams in each condition, one after another in each round."""
    allow_many_sockets()
    relayed = Relayed()
    version = sys.version.split()[0]
    print(f"Python {version}, median of {ROUNDS} rounds of {EVENTS} events; microseconds an event")
    print(f"  {'streams':<10}" + "".join(f"{name:>14}" for name in CONDITIONS))
    for streams in STREAMS:
        relayed.add_to(streams)
        rounds = [[relayed.measure(before) for before in CONDITIONS.values()] for _ in range(ROUNDS)]
        medians = (statistics.median(figures) for figures in zip(*rounds, strict=True))
        print(f"  {streams:<10}" + "".join(f"{figure:>14.1f}" for figure in medians), flush=True)
    print(f"Load average: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
