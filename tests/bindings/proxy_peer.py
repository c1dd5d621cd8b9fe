"""A forward proxy on plain sockets and threads: CONNECT, and requests in absolute form."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .certificates import certificates
from .peers import PATIENCE, Running
from .runner import Runner


class RunningProxy:
    """A running ``ProxyPeer``; ``heads`` are what it was asked; ``left`` is set when a connection is over."""

    def __init__(self, peer: ProxyPeer, others: Mapping[str, Running]) -> None:
        self.heads: list[bytes] = []
        self.left = threading.Event()
        self._peer = peer
        self._others = others
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._listener.getsockname()
        self._socks: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        """As the argument ``proxy`` takes it."""
        scheme = "https" if self._peer.tls else "http"
        return "{}://{}{}:{}".format(scheme, self._peer.credentials, *self.address)

    def close(self) -> None:
        _shut_down(self._listener)
        for sock in self._socks:
            _shut_down(sock)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self._listener.accept()
                sock.settimeout(PATIENCE)
                self._socks.append(sock)
                self._start(self._serve, sock)

    def _start(self, function: object, *arguments: object) -> threading.Thread:
        thread = threading.Thread(target=function, args=arguments)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()
        return thread

    def _serve(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            stack.callback(self.left.set)
            stack.callback(sock.close)
            if self._peer.tls:
                sock = stack.enter_context(certificates().server.wrap_socket(sock, server_side=True))
            head = _read_head(sock)
            self.heads.append(head)
            if self._peer.silent:
                while sock.recv(65536):
                    pass
                return
            if self._peer.answer is not None:
                sock.sendall(self._peer.answer)
                return
            upstream = stack.enter_context(socket.create_connection(self._others["server"].address))
            upstream.settimeout(PATIENCE)
            if head.startswith(b"CONNECT "):
                sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                upstream.sendall(head)
            back = threading.Thread(target=_copy, args=(upstream, sock))
            back.start()
            _copy(sock, upstream)
            back.join()


@dataclass(frozen=True)
class ProxyPeer:
    """A proxy that passes everything on to the peer "server", whatever host it is asked for.

    - ``tls``: TLS is spoken with it.
    - ``credentials``: ``user:password@``, which stand in its URL; it looks at none.
    - ``answer``: what it says in place of all that.
    - ``silent``: whether it says nothing at all, until its client has gone.
    """

    tls: bool = False
    credentials: str = ""
    answer: bytes | None = None
    silent: bool = False

    @contextlib.contextmanager
    def running(self, runner: Runner, others: Mapping[str, Running]) -> Iterator[RunningProxy]:  # noqa: ARG002
        proxy = RunningProxy(self, others)
        try:
            yield proxy
        finally:
            proxy.close()


def _read_head(sock: socket.socket) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        data = sock.recv(1)
        if not data:
            raise OSError("the client has gone")
        head += data
    return head


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError, ssl.SSLError):
        while data := source.recv(65536):
            target.sendall(data)
    _shut_down(target)
    _shut_down(source)


def _shut_down(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
