"""A TCP proxy that cuts each connection after so many bytes of the answer: a bad network."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit


class CuttingProxy:
    """Passes bytes both ways; ``cuts`` says after how many bytes of answer each connection is cut.

    When ``cuts`` is used up, connections live.
    """

    def __init__(self, upstream: str, cuts: list[int]) -> None:
        address = urlsplit(upstream)
        self._upstream = (str(address.hostname), int(address.port or 80))
        self._cuts = iter(cuts)
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def _start(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                server = socket.create_connection(self._upstream)
                self._start(_pass_on, client, server, None)
                self._start(_pass_on, server, client, next(self._cuts, None))

    def close(self) -> None:
        """Take no more connections."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)


def _pass_on(source: socket.socket, target: socket.socket, bytes_left: int | None) -> None:
    """Copy until one side ends or ``bytes_left`` are used up; then end both."""
    with contextlib.suppress(OSError):
        while data := source.recv(65536 if bytes_left is None else min(65536, bytes_left)):
            target.sendall(data)
            if bytes_left is not None:
                bytes_left -= len(data)
                if bytes_left == 0:
                    break
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()


@contextlib.contextmanager
def cutting(upstream: str, cuts: list[int]) -> Iterator[CuttingProxy]:
    """A proxy for the length of a test."""
    proxy = CuttingProxy(upstream, cuts)
    try:
        yield proxy
    finally:
        proxy.close()
