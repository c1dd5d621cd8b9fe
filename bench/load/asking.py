"""Requests to the relay by a plain socket, as bytes: what a well-behaved client can't send, too."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable

from .python_generator import BODY

PATIENCE = 10.0  #: seconds for an answer


def request(turn: str = "", body: bytes = BODY) -> bytes:
    """A request for a turn, which may have a name."""
    named = f"Turn-Id: {turn}\r\n" if turn else ""
    return (
        f"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n{named}"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    ).encode() + body


def connected(port: int) -> socket.socket:
    """A connection to the port on this machine."""
    sock = socket.create_connection(("127.0.0.1", port), PATIENCE)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def rest_of(sock: socket.socket, most: int = 1 << 20) -> bytes:
    """All that comes until the end, or until nothing came for ``PATIENCE``."""
    data = b""
    with contextlib.suppress(OSError):
        while len(data) < most and (more := sock.recv(65536)):
            data += more
    return data


def answer_to(port: int, sent: bytes, *, half_close: bool = False) -> bytes:
    """The answer, to the end of the connection."""
    with connected(port) as sock:
        with contextlib.suppress(OSError):  # it may have been refused before all is sent
            sock.sendall(sent)
            if half_close:
                sock.shutdown(socket.SHUT_WR)
        return rest_of(sock)


def stop(port: int, turn: str) -> bytes:
    """``DELETE /turns/{id}``."""
    return answer_to(
        port, f"DELETE /turns/{turn} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
    )


def first_line(answer: bytes) -> str:
    """The status, or that there is none."""
    return ascii(answer.split(b"\r\n", 1)[0].decode("latin-1")) if answer else "no answer"


def wait_for(probe: Callable[[], bool], seconds: float) -> bool:
    """Whether ``probe`` comes to be true within so many seconds."""
    end = time.monotonic() + seconds
    while not probe():
        if time.monotonic() > end:
            return False
        time.sleep(0.002)
    return True
