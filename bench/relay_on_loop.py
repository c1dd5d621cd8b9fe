"""The relay on the readiness loop by itself: no event loop around it, and nothing but the bench uses it.

The address of the provider is the one argument; the port is printed.
"""

from __future__ import annotations

import contextlib
import math
import socket
import sys
import time

from sse_io.connector import Cancel, Resolved
from sse_io.readiness_loop import ReadinessLoop
from sse_relay.config import RelayConfig
from sse_relay.listen import Listen
from sse_relay.programs import Service, relay_program

LONGEST_WAIT = 3600.0  #: seconds


class BareHost:
    """What a loop needs when nobody hosts it: it is only ever amid a step, and resolving may wait."""

    now = staticmethod(time.monotonic)

    def look_again(self) -> None:
        """Nobody waits while something happens."""

    def resolve(self, host: str, port: int, done: Resolved) -> Cancel:
        """Look up ``host`` and ``port``, which are those of a provider on this machine."""
        done([*socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)])
        return lambda: None


def run(service: Service, listener: socket.socket) -> None:
    """Serve until killed."""
    loop = ReadinessLoop(
        service.application,
        BareHost(),
        on_error=lambda error: print(repr(error), file=sys.stderr),
        settings=service.listen.settings(),
        on_refusal=service.on_refusal,
    )
    loop.listen(listener)
    while (deadline := loop.deadline) > -math.inf or not loop.finished:
        now = time.monotonic()
        wait = deadline - now
        loop.step(now, wait if 0.0 < wait < LONGEST_WAIT else 0.0 if wait <= 0.0 else LONGEST_WAIT)


def main(upstream: str) -> None:
    """Serve the relay as ``sse-relay serve`` does."""
    program = relay_program(RelayConfig(upstream), Listen("127.0.0.1", 0))
    service = next(program)
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    listener.settimeout(0)
    with contextlib.suppress(StopIteration):
        program.send(listener.getsockname()[1])
    run(service, listener)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main(sys.argv[1])
