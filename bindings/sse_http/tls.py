"""TLS as bytes in, bytes out, for bindings that wait for readiness themselves.

``ssl.MemoryBIO`` touches no socket, so this module is as pure as its neighbours.
"""

from __future__ import annotations

import contextlib
import ssl

_READ_SIZE = 256 * 1024


class TLS:
    """One TLS connection.

    - ``context``: whose authorities, certificates and versions count.
    - ``server_side``: which role this is.
    - ``server_hostname``: a client's: the name that the server's certificate is checked for.
    """

    def __init__(
        self, context: ssl.SSLContext, *, server_side: bool, server_hostname: str | None = None
    ) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._incoming, self._outgoing, server_side=server_side, server_hostname=server_hostname
        )
        self.ready: bool = False
        self._early: list[bytes] = []
        self._shake()

    def receive_data(self, data: bytes) -> list[bytes]:
        """From records to plain bytes.

        An end of the socket without TLS's own end is an error: it may be a cut by somebody in
        between.
        """
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()
        if not self.ready:
            self._shake()
        return self._read_all() if self.ready else []

    def send(self, data: bytes) -> bytes:
        """From plain bytes to records; before the handshake is over they wait."""
        if self.ready:
            self._tls.write(data)
        else:
            self._early.append(data)
        return self._outgoing.read()

    def data_to_send(self) -> bytes:
        """The handshake's and alerts' records."""
        return self._outgoing.read()

    def close(self) -> bytes:
        """TLS's own end.

        RFC 9112 section 9.8: a server "MUST attempt to initiate an exchange of closure alerts with
        the client before closing the connection".  Without it a body that ends with the connection
        looks cut.
        """
        if self.ready:
            # The peer's own end is not waited for: nothing of it is of interest any more.
            with contextlib.suppress(ssl.SSLError):
                self._tls.unwrap()
        return self._outgoing.read()

    def _shake(self) -> None:
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return
        self.ready = True
        for data in self._early:
            self._tls.write(data)
        self._early.clear()

    def _read_all(self) -> list[bytes]:
        received: list[bytes] = []
        while True:
            try:
                data = self._tls.read(_READ_SIZE)
            except ssl.SSLWantReadError:
                return received
            except ssl.SSLZeroReturnError:
                data = b""
            received.append(data)
            if not data:
                return received
