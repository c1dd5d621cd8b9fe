"""Run one of the relay's contenders with a profile that begins at SIGUSR1 and is printed at SIGUSR2.

What is printed then: the number of calls, of Python's functions and of C's; which functions they were; END.
The arguments are ``socket`` or ``trio``, and the address of the provider.
"""

from __future__ import annotations

import contextlib
import cProfile
import pstats
import signal
import sys
import threading

import sse_socket
from sse_relay.__main__ import main as run_program
from sse_relay.config import RelayConfig
from sse_relay.listen import Listen
from sse_relay.programs import relay_program
from sse_socket.error_log import log_refusal

SHOWN = 45  #: functions


def profile_between_signals() -> None:
    """Count from SIGUSR1 to SIGUSR2."""
    profile = cProfile.Profile()

    def stop(*_: object) -> None:
        profile.disable()
        stats = pstats.Stats(profile)
        print(stats.total_calls, flush=True)  # type: ignore[attr-defined]  # (typeshed has only its methods)
        stats.sort_stats("ncalls").print_stats(SHOWN)
        print("END", flush=True)

    signal.signal(signal.SIGUSR1, lambda *_: profile.enable())
    signal.signal(signal.SIGUSR2, stop)


def serve_on_sockets(upstream: str) -> None:
    """As ``sse-relay serve --binding socket``, but in this thread, which alone is profiled."""
    program = relay_program(RelayConfig(upstream), Listen("127.0.0.1", 0))
    service = next(program)
    handle = sse_socket.ServerHandle()

    def say_port() -> None:
        with contextlib.suppress(StopIteration):
            program.send(handle.wait_until_started())

    threading.Thread(target=say_port, daemon=True).start()
    sse_socket.serve(
        service.application,
        settings=service.listen.settings(),
        on_refusal=service.on_refusal or log_refusal,
        handle=handle,
    )


if __name__ == "__main__":
    profile_between_signals()
    host, upstream = sys.argv[1:]
    if host == "socket":
        serve_on_sockets(upstream)
    else:
        sys.argv[1:] = ["serve", "--port", "0", "--upstream", upstream]
        run_program()
