"""One TCP connection at trio's lowest level: readiness, a raw socket, and TLS as bytes.

``send_now`` never waits, so a machine that has something for a peer can hand it to the kernel
within the very call in which it came up, without a task switch.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct

import trio

from sse_core.errors import TransportError
from sse_http import TLS, Channel, Plain
from sse_io.connect_errors import connect_failure, tls_failure
from sse_io.socket_options import bound_silence, keep_alive

from .reading_share import ReadingShare

#: What comes of one connection before others get their turn: to work it off takes some milliseconds.
_READ_SIZE = 16 * 1024
_NO_LINGER = struct.pack("ii", 1, 0)  # on, for zero seconds: closing sends an RST


class Link:
    """A connected socket that only ever waits for readiness.

    Every wait raises ``trio.ClosedResourceError`` when the link is closed, before or meanwhile.
    """

    def __init__(self, sock: socket.socket, channel: Channel) -> None:
        self._sock = sock
        self._channel = channel
        self._unsent = memoryview(b"")
        self.closed = False

    @classmethod
    def over(cls, stream: trio.SocketStream, channel: Channel) -> Link:
        """Take the socket of ``stream``, which is of no use after this.

        It has TCP_NODELAY, as every stream of trio's has: tokens are small, and each wants to be
        seen at once.
        """
        sock = socket.socket(fileno=stream.socket.detach())
        sock.settimeout(0)
        keep_alive(sock)
        return cls(sock, channel)

    def bound_silence(self, seconds: float) -> None:
        """End the connection, if for so long the peer acknowledges nothing of what was sent."""
        bound_silence(self._sock, seconds)

    @property
    def blocked(self) -> bool:
        """Whether the kernel had no room for all that was sent."""
        return bool(self._unsent)

    def send_now(self, data: bytes) -> bool:
        """Give ``data`` to the kernel, as far as it takes it; whether it took all.

        Raises ``TransportError`` if the connection is broken.
        """
        try:
            encrypted = self._channel.send(data)
        except ssl.SSLError as error:
            raise tls_failure(error, is_open=self._channel.ready) from error
        return self._send_encrypted(encrypted)

    def _send_encrypted(self, data: bytes) -> bool:
        self._unsent = memoryview(bytes(self._unsent) + data if self._unsent else data)
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
        """Wait until the kernel has room."""
        self._check_open()
        await trio.lowlevel.wait_writable(self._sock)

    async def _wait_readable(self) -> None:
        self._check_open()
        await trio.lowlevel.wait_readable(self._sock)

    def _check_open(self) -> None:
        if self.closed:
            raise trio.ClosedResourceError

    async def receive(self, share: ReadingShare | None = None) -> list[bytes]:
        """Wait for bytes, and for a turn of ``share``.

        The last item is empty when the peer closed its side.
        """
        while True:
            await self._wait_readable()
            if share is not None:
                await share.turn()
            received = self.receive_now()
            if received is not None:
                return received

    def receive_now(self) -> list[bytes] | None:
        """The same without waiting; ``None`` if nothing has come."""
        self._check_open()
        try:
            data = self._sock.recv(_READ_SIZE)
        except BlockingIOError:
            return None
        except OSError as error:
            raise TransportError(f"receiving failed: {error.strerror or error}") from error
        return self._decrypt(data)

    async def receive_while_sending(self, share: ReadingShare | None = None) -> list[bytes]:
        """The same, and meanwhile go on with what the kernel had no room for.

        A peer may answer a request that it has not read and never will.  So to fail in sending
        raises nothing: what the peer has said before is still to be read.
        """
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._send_rest)
            with contextlib.suppress(trio.ClosedResourceError):
                await self._wait_readable()
            nursery.cancel_scope.cancel()
        return await self.receive(share)

    async def _send_rest(self) -> None:
        try:
            while not self.flush_now():
                await self.wait_writable()
        except (TransportError, trio.ClosedResourceError):
            self._unsent = memoryview(b"")

    def _decrypt(self, data: bytes) -> list[bytes]:
        try:
            return self._channel.receive_data(data)
        except ssl.SSLError as error:
            raise tls_failure(error, is_open=self._channel.ready) from error
        finally:
            self._reply(self._channel.data_to_send())

    async def shake_hands(self) -> None:
        """Finish TLS's handshake, as a client.  Raises ``TransportError`` where it fails."""
        self._send_encrypted(self._channel.data_to_send())
        while not self._channel.ready:
            received = await (self.receive_while_sending() if self.blocked else self.receive())
            if b"" in received:
                raise TransportError("the peer closed the connection during TLS's handshake")

    def close(self, *, cut: bool = False, reset: bool = False) -> None:
        """Close at once; idempotent.  Whoever waits for the socket is woken.

        With ``cut`` the peer is not told by TLS that this is the end; with ``reset`` not by TCP
        either.  The same holds where the kernel has not taken all: half of it must not look whole.
        """
        if self.closed:
            return
        self.closed = True
        if not cut and not self.blocked:
            self._reply(self._channel.close())
        if reset or self.blocked:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        trio.lowlevel.notify_closing(self._sock)
        self._sock.close()

    def _reply(self, data: bytes) -> None:
        """A handshake's next flight, an alert that tells the peer what was wrong, TLS's own end."""
        if data:
            with contextlib.suppress(TransportError):
                self._send_encrypted(data)


async def open_link(host: str, port: int, tls: ssl.SSLContext | None) -> Link:
    """Connect to ``host`` and ``port``, with TLS if a context is given.

    Raises ``TransportError``, with the operating system's error chained to it.
    """
    channel = Plain() if tls is None else _client_channel(tls, host)
    try:
        stream = await trio.open_tcp_stream(host, port)
    except (OSError, UnicodeError) as error:
        raise connect_failure(error) from error
    link = Link.over(stream, channel)
    try:
        if tls is not None:
            await link.shake_hands()
    except BaseException:
        link.close()
        raise
    return link


def _client_channel(tls: ssl.SSLContext, host: str) -> Channel:
    try:
        return TLS(tls, server_side=False, server_hostname=host)
    except ValueError as error:
        message = f"{host!r} is not a name that a certificate can be checked for"
        raise TransportError(message, retryable=False) from error
