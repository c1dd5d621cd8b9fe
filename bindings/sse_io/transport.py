"""One connection: a socket that never waits, and TLS as bytes in between."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct

from sse_core.errors import TransportError
from sse_http import Channel

from .connect_errors import tls_failure

#: What comes of one connection before others get their turn: to work it off takes some milliseconds.
READ_SIZE = 16 * 1024
_NOTHING = memoryview(b"")
_NO_LINGER = struct.pack("ii", 1, 0)  # on, for zero seconds: closing sends an RST


class Transport:
    """A connected socket with its options set, and the channel that its bytes go through, if there is one.

    Nothing here waits.  Whoever watches ``sock`` calls ``flush`` when it is writable, as long as the
    transport is ``blocked``, and ``receive_now`` when it is readable.
    """

    __slots__ = ("_channel", "_unsent", "blocked", "closed", "sock")

    def __init__(self, sock: socket.socket, channel: Channel | None = None) -> None:
        self.sock: socket.socket = sock
        self.blocked: bool = False  #: the kernel had no room for all that was sent
        self.closed: bool = False
        self._channel = channel
        self._unsent = _NOTHING

    @property
    def ready(self) -> bool:
        """Whether TLS's handshake is over, and a tunnel is open, if there is one."""
        return self._channel is None or self._channel.ready

    def begin_handshake(self) -> None:
        """Send what a client's TLS or tunnel begins with.  Raises ``TransportError``."""
        if self._channel is not None:
            self._queue(self._channel.data_to_send())

    def send_now(self, data: bytes) -> bool:
        """Give ``data`` to the kernel, as far as it takes it; whether it took all.

        Raises ``TransportError`` if the connection is broken.
        """
        if self._channel is not None:
            try:
                data = self._channel.send(data)
            except ssl.SSLError as error:
                raise tls_failure(error, is_open=self._channel.ready) from error
        if not self.blocked:
            sent = self._send_some(data)
            if sent == len(data):  # almost always
                return True
            data = data[sent:]
        return self._queue(data)

    def _queue(self, data: bytes) -> bool:
        """Send ``data`` behind what the kernel had no room for; whether it took all."""
        self._unsent = memoryview(bytes(self._unsent) + data)
        return self.flush()

    def flush(self) -> bool:
        """Go on with what the kernel had no room for; whether it took all.

        Raises ``TransportError`` if the connection is broken.
        """
        while self._unsent:
            sent = self._send_some(self._unsent)
            if not sent:
                self.blocked = True
                return False
            self._unsent = self._unsent[sent:]
        self.blocked = False
        return True

    def _send_some(self, data: bytes | memoryview) -> int:
        """How much the kernel takes: 0 if it has no room.  Raises ``TransportError``."""
        try:
            return self.sock.send(data)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise TransportError(f"sending failed: {error.strerror or error}") from error

    def give_up_sending(self) -> None:
        """Forget what the kernel had no room for: the peer may have answered, and takes no more."""
        self._unsent = _NOTHING
        self.blocked = False

    def receive_now(self) -> list[bytes] | None:
        """What has come, ``None`` if that is nothing.

        The last item is empty when the peer closed its side.  Raises ``TransportError`` if the connection
        is broken, or TLS is.
        """
        try:
            data = self.sock.recv(READ_SIZE)
        except BlockingIOError:
            return None
        except OSError as error:
            raise TransportError(f"receiving failed: {error.strerror or error}") from error
        return [data] if self._channel is None else self._decrypt(self._channel, data)

    def _decrypt(self, channel: Channel, data: bytes) -> list[bytes]:
        try:
            return channel.receive_data(data)
        except ssl.SSLError as error:
            raise tls_failure(error, is_open=channel.ready) from error
        finally:
            self._reply(channel.data_to_send())

    def close(self, *, cut: bool = False, reset: bool = False) -> None:
        """Close at once; idempotent.  Whoever watches the socket leaves it alone before.

        With ``cut`` TLS doesn't say to the peer that this is the end; with ``reset`` TCP doesn't
        either.  The same holds where the kernel has not taken all: half of it must not look whole.
        """
        if self.closed:
            return
        self.closed = True
        if self._channel is not None and not cut and not self.blocked:
            self._reply(self._channel.close())
        if reset or self.blocked:
            with contextlib.suppress(OSError):  # a peer that has gone needs none
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.sock.close()

    def _reply(self, data: bytes) -> None:
        """A handshake's next flight, an alert that tells the peer what was wrong, TLS's own end."""
        if data:
            with contextlib.suppress(TransportError):
                self._queue(data)
