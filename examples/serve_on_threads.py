"""Count, for whoever connects, on plain sockets: each reader has a thread, and no event loop is needed.

    .venv/bin/python examples/serve_on_threads.py

Then "curl -N http://127.0.0.1:8080/" in another terminal, or open the address in a browser.  For a client
that reconnects with Last-Event-ID the count goes on where it was.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial

import sse_socket
from sse_core import ServerSentEvent
from sse_http import Request


def count(request: Request, interval: float) -> Iterator[ServerSentEvent]:
    """One number after another, each with itself as its ID."""
    number = int(request.last_event_id) if request.last_event_id.isdecimal() else 0
    try:
        while True:
            number += 1
            yield ServerSentEvent("message", str(number), str(number))
            time.sleep(interval)  # it may block: it has a thread of its own
    finally:
        print(f"{request.client} has gone after {number}", flush=True)


def main() -> None:
    """Serve until Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=8080, help="where to listen on 127.0.0.1; default: 8080")
    parser.add_argument("--interval", type=float, default=1.0, help="seconds between two numbers")
    arguments = parser.parse_args()
    handle = sse_socket.ServerHandle()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: handle.stop())
    threading.Thread(target=say_address, args=(handle,), daemon=True).start()
    try:
        sse_socket.serve(partial(count, interval=arguments.interval), port=arguments.port, handle=handle)
    except OSError as error:
        sys.exit(f"can't listen: {error}; --port takes another port")
    print("stopped")


def say_address(handle: sse_socket.ServerHandle) -> None:
    """Print where it listens, as soon as it does."""
    with contextlib.suppress(RuntimeError):  # it can't; main says why
        print(f"http://127.0.0.1:{handle.wait_until_started()}/", flush=True)


if __name__ == "__main__":
    main()
