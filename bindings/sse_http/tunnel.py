"""A tunnel through a forward proxy: CONNECT (RFC 9110 section 9.3.6), and what it leads to.

https://www.rfc-editor.org/rfc/rfc9110#section-9.3.6

A tunnel has the face of :class:`sse_http.TLS`: bytes of one side in, bytes of the other out.  So the two are
put together as layers, the innermost last: TLS with the proxy, the tunnel, TLS with the server behind it.
"""

from __future__ import annotations

from typing import Protocol

import h11

from sse_core.errors import LimitExceeded, TransportError

from .endpoint import Endpoint
from .forward_proxy import ForwardProxy
from .h11_feed import H11Feed
from .reason_phrase import reason_phrase

#: Of the proxy's answer: its status line and header section.
MAX_PROXY_HEAD_BYTES = 16 * 1024
#: Informational answers (1xx) before it.
_MAX_INFORMATIONAL = 20
#: What may be otherwise at another try: the proxy's own trouble, or that of what is behind it.
_PASSING_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})


class Channel(Protocol):
    """What a connection's bytes go through: TLS, a tunnel, layers of them."""

    @property
    def ready(self) -> bool:
        """Whether its own beginning is over, so that what is received is the user's."""

    def receive_data(self, data: bytes) -> list[bytes]:
        """From the wire's bytes to the user's; empty ones are the end.

        Raises ``TransportError``, or ``ssl.SSLError``, if they are not as they should be.
        """

    def send(self, data: bytes) -> bytes:
        """From the user's bytes to the wire's; before it is ready they wait."""

    def data_to_send(self) -> bytes:
        """Bytes for the wire that are its own."""

    def close(self) -> bytes:
        """The last of them."""


class Tunnel:
    """A tunnel to ``endpoint`` through ``proxy``."""

    def __init__(self, proxy: ForwardProxy, endpoint: Endpoint) -> None:
        self.ready: bool = False
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_PROXY_HEAD_BYTES)
        self._feed = H11Feed(self._http, MAX_PROXY_HEAD_BYTES)
        self._informational = 0
        self._early: list[bytes] = []
        # RFC 9110 section 9.3.6: "the host and port number of the tunnel destination"
        host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
        authority = f"{host}:{endpoint.port}"
        headers = [("host", authority), *proxy_fields(proxy)]
        self._out = self._http.send(h11.Request(method="CONNECT", target=authority, headers=headers))
        self._http.send(h11.EndOfMessage())

    def receive_data(self, data: bytes) -> list[bytes]:
        """From the proxy's bytes to those of what is behind it; empty at the end.

        Raises ``TransportError`` if the proxy makes no tunnel.
        """
        if self.ready:
            return [data]
        if not data:
            raise TransportError("the connection was closed before the tunnel was open")
        self._feed.receive_data(data)
        try:
            self.ready = self._read_head()
        except h11.RemoteProtocolError:
            raise TransportError("the answer to CONNECT is not valid HTTP/1.1", retryable=False) from None
        except LimitExceeded as error:
            raise TransportError(f"the answer to CONNECT: {error}", retryable=False) from None
        return self._behind_the_head() if self.ready else []

    def send(self, data: bytes) -> bytes:
        """Bytes for what is behind the tunnel; before it is open they wait."""
        self._early.append(data)
        return self.data_to_send()

    def data_to_send(self) -> bytes:
        """The request for the tunnel, and what has waited for it."""
        out, self._out = self._out, b""
        if self.ready:
            out += b"".join(self._early)
            self._early.clear()
        return out

    def close(self) -> bytes:
        """Nothing: a tunnel ends with its connection."""
        return b""

    def _behind_the_head(self) -> list[bytes]:
        behind = self._http.trailing_data[0] + self._feed.take_rest()
        return [behind] if behind else []

    def _read_head(self) -> bool:
        """Read the answer to CONNECT, as far as it has come; whether the tunnel is open."""
        while isinstance(event := self._feed.next_event(), h11.InformationalResponse | h11.Response):
            if isinstance(event, h11.Response):
                # "Any 2xx (Successful) response indicates that the sender (and all inbound proxies) will
                # switch to tunnel mode immediately after the response header section"
                if not 200 <= event.status_code < 300:
                    raise refused_by_proxy("the tunnel is refused", event.status_code)
                return True
            self._informational += 1
            if self._informational > _MAX_INFORMATIONAL:
                raise TransportError("too many informational answers to CONNECT", retryable=False)
        return False


class Layers:
    """``inner`` within ``outer``, whose user's bytes are the wire's of ``inner``."""

    def __init__(self, outer: Channel, inner: Channel) -> None:
        self._outer = outer
        self._inner = inner

    @property
    def ready(self) -> bool:
        """Whether both are."""
        return self._outer.ready and self._inner.ready

    def receive_data(self, data: bytes) -> list[bytes]:
        """From the wire's bytes to the user's, through both."""
        return [
            plain for piece in self._outer.receive_data(data) for plain in self._inner.receive_data(piece)
        ]

    def send(self, data: bytes) -> bytes:
        """From the user's bytes to the wire's."""
        return self._through(self._inner.send(data))

    def data_to_send(self) -> bytes:
        """Bytes of both for the wire; those of the inner one when the outer one is ready for them."""
        return self._through(self._inner.data_to_send())

    def close(self) -> bytes:
        """Both their last ones."""
        return self._through(self._inner.close()) + self._outer.close()

    def _through(self, data: bytes) -> bytes:
        return self._outer.send(data) if data else self._outer.data_to_send()


def proxy_fields(proxy: ForwardProxy) -> list[tuple[str, str]]:
    """What a request says to ``proxy`` alone."""
    if proxy.authorization is None:
        return []
    return [("proxy-authorization", proxy.authorization)]


def refused_by_proxy(what: str, status: int) -> TransportError:
    """The proxy does not do what it is asked."""
    phrase = reason_phrase(status)
    words = f"{what} with status {status}" + (f" ({phrase})" if phrase else "")
    if status == 407:
        words += ": it wants a user and a password, as in http://user:password@host:port"
    return TransportError(words, retryable=status in _PASSING_STATUSES)
