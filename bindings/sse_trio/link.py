"""One TCP connection at trio's lowest level: readiness, a raw socket, and TLS as bytes.

``send_now`` never waits, so a machine that has something for a peer can hand it to the kernel
within the very call in which it came up, without a task switch.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable

import trio

from sse_core.errors import TransportError
from sse_http import TLS, Channel, Plain

_READ_SIZE = 64 * 1024


class Link:
    """A connected socket that only ever waits for readiness."""

    def __init__(self, sock: socket.socket, channel: Channel) -> None:
        self._sock = sock
        self._channel = channel
        self._unsent = memoryview(b"")
        self._closed = False

    @classmethod
    def over(cls, stream: trio.SocketStream, channel: Channel) -> Link:
        """Take the socket of ``stream``, which is of no use after this."""
        sock = socket.socket(fileno=stream.socket.detach())
        sock.settimeout(0)
        with contextlib.suppress(OSError):
            # Tokens are small and each wants to be seen at once.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return cls(sock, channel)

    @property
    def blocked(self) -> bool:
        """Whether the kernel had no room for all that was sent."""
        return bool(self._unsent)

    def send_now(self, data: bytes) -> bool:
        """Give ``data`` to the kernel, as far as it takes it; whether it took all.

        Raises ``TransportError`` if the connection is broken.
        """
        self._unsent = memoryview(bytes(self._unsent) + self._channel.send(data))
        return self.flush_now()

    def flush_now(self) -> bool:
        """Go on with what the kernel had no room for."""
        try:
            while self._unsent:
                self._unsent = self._unsent[self._sock.send(self._unsent) :]
        except BlockingIOError:
            return False
        except OSError as error:
            raise TransportError(f"sending failed: {error.strerror or error}") from error
        return True

    async def wait_writable(self) -> None:
        """Wait until the kernel has room.  Raises ``trio.ClosedResourceError`` after ``close``."""
        await trio.lowlevel.wait_writable(self._sock)

    async def send(self, data: bytes) -> None:
        """Send all of ``data``, waiting where the kernel has no room."""
        taken = self.send_now(data)
        while not taken:
            await self.wait_writable()
            taken = self.flush_now()

    async def receive(self) -> list[bytes]:
        """Wait for bytes; the last item is empty when the peer closed its side."""
        while True:
            await trio.lowlevel.wait_readable(self._sock)
            try:
                data = self._sock.recv(_READ_SIZE)
            except BlockingIOError:
                continue
            except OSError as error:
                raise TransportError(f"receiving failed: {error.strerror or error}") from error
            return self._decrypt(data)

    def _decrypt(self, data: bytes) -> list[bytes]:
        try:
            return self._channel.receive_data(data)
        except ssl.SSLError as error:
            raise TransportError(f"TLS failed: {error.reason or error}") from error
        finally:
            # A handshake's next flight, or the alert that tells the peer what was wrong.
            with contextlib.suppress(TransportError):
                self.send_now(b"")

    async def shake_hands(self) -> None:
        """Finish TLS's handshake, as a client.  Raises ``TransportError`` where it fails."""
        await self.send(b"")
        while not self._channel.ready:
            if b"" in await self.receive():
                raise TransportError("the peer closed the connection during TLS's handshake")

    def close(self) -> None:
        """Close at once; idempotent.  Whoever waits for the socket is woken."""
        if not self._closed:
            self._closed = True
            trio.lowlevel.notify_closing(self._sock)
            self._sock.close()


async def open_link(host: str, port: int, tls: Callable[[], ssl.SSLContext] | None) -> Link:
    """Connect to ``host`` and ``port``, with TLS if a context is given.

    Raises ``TransportError``, with the operating system's error chained to it.
    """
    try:
        stream = await trio.open_tcp_stream(host, port)
    except OSError as error:
        raise TransportError(_connect_problem(error)) from error
    channel: Channel = Plain()
    if tls is not None:
        channel = TLS(tls(), server_side=False, server_hostname=host)
    link = Link.over(stream, channel)
    try:
        if tls is not None:
            await link.shake_hands()
    except BaseException:
        link.close()
        raise
    return link


def _connect_problem(error: OSError) -> str:
    """One line for the reader: trio's own carries the addresses, which may not be his to know."""
    causes = {cause.strerror or str(cause) for cause in _causes(error)}
    return ", ".join(sorted(causes)) or "connecting failed"


def _causes(error: BaseException) -> list[OSError]:
    if isinstance(error.__cause__, BaseExceptionGroup):
        return [cause for cause in error.__cause__.exceptions if isinstance(cause, OSError)]
    cause = error.__cause__ or error
    return [cause] if isinstance(cause, OSError) else []
