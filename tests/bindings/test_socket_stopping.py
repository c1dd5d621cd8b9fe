"""``ServerHandle.stop``: a server that drains can be hurried."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import sse_socket
from sse_http import Request
from tests.bindings.peers import PATIENCE
from tests.bindings.resources import soon
from tests.bindings.server_stage import BODY_END, get

#: Much more than this takes.
LONG = 60.0


def ticks(request: Request) -> Iterator[str]:
    del request
    while True:
        yield "tick"
        time.sleep(0.01)


def test_stop_with_a_grace_ends_the_drain() -> None:
    handle = sse_socket.ServerHandle()
    thread = threading.Thread(
        target=sse_socket.serve, args=(ticks,), kwargs={"handle": handle, "drain": LONG, "grace": LONG}
    )
    thread.start()
    port = handle.wait_until_started(PATIENCE)
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
        client.sendall(get())
        assert client.recv(1)
        handle.stop()
        soon(lambda: _is_refused(port) or None)
        time.sleep(0.05)
        assert thread.is_alive(), "it drains"
        began = time.monotonic()
        handle.stop(grace=LONG)
        received = b"".join(iter(lambda: client.recv(65536), b""))
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert received.endswith(BODY_END)
    assert b"\nretry: " in received
    assert time.monotonic() - began < LONG / 4


def test_what_a_handler_does_after_it_comes_after_it() -> None:
    """A handler that ends because the server was stopped has told its reader when to come back."""
    handle = sse_socket.ServerHandle()
    stopped = threading.Event()

    def once(request: Request) -> Iterator[str]:
        del request
        yield "tick"
        stopped.wait(PATIENCE)

    thread = threading.Thread(target=sse_socket.serve, args=(once,), kwargs={"handle": handle})
    thread.start()
    port = handle.wait_until_started(PATIENCE)
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
        client.sendall(get())
        received = client.recv(65536)
        while b"tick" not in received:
            received += client.recv(65536)
        busy = threading.Event()

        def keep_busy() -> None:
            busy.wait(PATIENCE)

        handle.call_soon(keep_busy)
        handle.stop()
        stopped.set()
        time.sleep(0.05)  # the handler's end waits behind it
        busy.set()
        received += b"".join(iter(lambda: client.recv(65536), b""))
    thread.join(PATIENCE)
    assert b"\nretry: " in received
    assert received.endswith(BODY_END)


def _is_refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
    except ConnectionRefusedError:
        return True
    return False
