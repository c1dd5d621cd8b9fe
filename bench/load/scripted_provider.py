"""A provider that does on each connection what a function says; over TLS if it has a certificate."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from .asking import PATIENCE
from .python_generator import FIRST, Tokens

Script = Callable[["Call"], None]
TOKENS = Tokens()


class Call:
    """One connection to the provider: its socket, and when the other side has left it."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.left_at: float | None = None

    def was_left(self) -> bool:
        """Whether the connection has ended."""
        return self.left_at is not None

    def take_request(self) -> None:
        """Read until the request is whole."""
        data = b""
        while not data.endswith(b"}"):
            more = self.sock.recv(65536)
            if not more:
                raise ConnectionError("the request is not whole")
            data += more

    def wait_until_left(self) -> None:
        """Write no more; note when the connection ends."""
        with contextlib.suppress(OSError):
            while self.sock.recv(65536):
                pass


class ScriptedProvider:
    """Does as ``script`` says, which may be set anew for the next connections."""

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None) -> None:
        self.script = script
        self.calls: list[Call] = []
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for call in self.calls:
            with contextlib.suppress(OSError):
                call.sock.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                sock.settimeout(PATIENCE)
                call = Call(sock)
                self.calls.append(call)
                threading.Thread(target=self._serve, args=(call, self.script), daemon=True).start()

    def _serve(self, call: Call, script: Script) -> None:
        with call.sock, contextlib.suppress(OSError):
            if self._tls is not None and script is not silent:
                call.sock = self._tls.wrap_socket(call.sock, server_side=True)
            script(call)
        call.left_at = time.monotonic()
        call.sock.close()


# Scripts


def silent(call: Call) -> None:
    """Take the connection and say nothing: over TLS the handshake never ends."""
    call.wait_until_left()


def no_head(call: Call) -> None:
    """Take the request and say nothing."""
    call.take_request()
    call.wait_until_left()


def head_only(call: Call) -> None:
    """Begin an answer of which no token comes."""
    call.take_request()
    call.sock.sendall(FIRST.split(b"\r\n\r\n")[0] + b"\r\n\r\n")
    call.wait_until_left()


def some_tokens(call: Call) -> None:
    """Send tokens, then none."""
    call.take_request()
    call.sock.sendall(FIRST + b"".join(TOKENS.write(number) for number in range(5)))
    call.wait_until_left()


def as_fast_as_it_can(call: Call) -> None:
    """Send tokens for as long as somebody takes them."""
    call.take_request()
    call.sock.sendall(FIRST)
    number = 0
    while True:
        call.sock.sendall(b"".join(TOKENS.write(number + each) for each in range(20)))
        number += 20
