"""A bad network between the page and the relay: a TCP proxy that cuts connections on command."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Self
from urllib.parse import urlsplit

#: Close with a reset, as a network does that has lost a connection, and not with a polite end.
_RESET = struct.pack("ii", 1, 0)


class BadNetwork:
    """Passes bytes both ways, for as long as it likes.

    ``cut`` ends what is connected.  After ``begin_cutting(sizes)`` each new connection is cut after
    so many bytes of its answers; when the sizes are used up, connections live.  While ``down``,
    nobody gets through.
    """

    def __init__(self, upstream: str) -> None:
        address = urlsplit(upstream)
        self._upstream = (str(address.hostname), int(address.port or 80))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._sizes: Iterator[int] = iter(())
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.down = False
        self.cuts = 0  #: connections that were cut for their size

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """End everything that is connected."""
        with self._lock:
            ends = list(self._open)
        for end in ends:
            self._reset(end)

    def begin_cutting(self, sizes: Iterable[int]) -> None:
        """From now on, for connections to come."""
        self._sizes = iter(sizes)
        self.cut()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._connect(client)

    def _connect(self, client: socket.socket) -> None:
        with self._lock:
            self._open.add(client)
        if self.down:
            self._reset(client)
            return
        server = socket.create_connection(self._upstream)
        with self._lock:
            self._open.add(server)
        for source, target, size in ((client, server, None), (server, client, next(self._sizes, None))):
            threading.Thread(target=self._pass_on, args=(source, target, size), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, size: int | None) -> None:
        left = size
        with contextlib.suppress(OSError):
            while data := source.recv(65_536 if left is None else min(left, 65_536)):
                target.sendall(data)
                if left is not None:
                    left -= len(data)
                    if left == 0:
                        self.cuts += 1
                        # A stream that fails drops what its reader has not taken yet (Streams,
                        # ReadableStreamError).  Without this moment the page would get no further.
                        time.sleep(0.02)
                        break
        self._reset(source)
        self._reset(target)

    def _reset(self, end: socket.socket) -> None:
        with self._lock:
            if end not in self._open:
                return
            self._open.discard(end)
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                end.shutdown(socket.SHUT_RD)  # wakes the thread that reads from it
            end.close()
