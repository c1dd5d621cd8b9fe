"""A relay that copies bytes between sockets and looks at none: the least that one written in Python can cost.

The address of the provider is the one argument; the port is printed.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import sys
from urllib.parse import urlsplit

READ_SIZE = 64 * 1024


def pair_up(selector: selectors.BaseSelector, listener: socket.socket, upstream: tuple[str, int]) -> None:
    """Accept a reader, and connect to the provider for it."""
    sock, _ = listener.accept()
    other = socket.create_connection(upstream)
    for one, another in ((sock, other), (other, sock)):
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(one, selectors.EVENT_READ, another)


def main(upstream: str) -> None:
    """Serve until killed.  One reader that doesn't read stops all: it is a yardstick, no relay."""
    url = urlsplit(upstream)
    address = (url.hostname or "", url.port or 80)
    selector = selectors.DefaultSelector()
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    selector.register(listener, selectors.EVENT_READ, None)
    print(listener.getsockname()[1], flush=True)
    while True:
        for key, _ in selector.select():
            if key.data is None:
                pair_up(selector, listener, address)
                continue
            sock, other = key.fileobj, key.data
            if not isinstance(sock, socket.socket) or sock.fileno() < 0:
                continue  # closed with the other, a moment ago
            data = b""
            with contextlib.suppress(OSError):
                data = sock.recv(READ_SIZE)
                other.sendall(data)
            if not data:
                for each in (sock, other):
                    selector.unregister(each)
                    each.close()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main(sys.argv[1])
