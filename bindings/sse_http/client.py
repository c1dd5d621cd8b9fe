"""The client role: one machine's requests and answers over HTTP/1.1, framed by h11.

The machine (a turn, an event source) decides; this module only turns its request into bytes and
the answer's bytes into its inputs.  A connection serves one exchange: nothing is pooled, so that
closing it always means "stop" to the provider.
"""

from __future__ import annotations

import h11

from sse_core.errors import LimitExceeded, RemoteProtocolError
from sse_core.lifecycle.machine import ConnectingMachine, HTTPRequest, Want
from sse_core.urls import parse_url

from .application import Waker, no_waker
from .heads import as_bytes, headers_of
from .incoming import Incoming

_USER_AGENT = "sse-core"
_LISTENING = frozenset({Want.READ, Want.PAUSE})
_MAX_REASON = 200  #: characters of h11's words, which repeat some of the peer's


class ClientExchange:
    """A connecting machine, spoken over HTTP/1.1.

    ``max_head_bytes`` bounds the answer's status line and header section.  Raises ``ValueError``
    for a request that can't be sent.  If it becomes so later (a peer's event ID goes into a field),
    that attempt is a lost connection to the machine.
    """

    def __init__(self, machine: ConnectingMachine, *, max_head_bytes: int = 64 * 1024) -> None:
        self.waker: Waker = no_waker
        self._machine = machine
        self._max_head_bytes = max_head_bytes
        self._out = b""
        self._broken: str | None = None
        request_head(machine.request)
        self._begin()

    def _begin(self) -> None:
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=self._max_head_bytes)
        self._incoming = Incoming(self._http, self._max_head_bytes)

    @property
    def url(self) -> str:
        """Where to connect when the wish is ``Want.CONNECT``."""
        return self._machine.request.url

    @property
    def want(self) -> Want:
        """What the binding should do next."""
        return Want.CLOSE if self._broken is not None else self._machine.want

    @property
    def deadline(self) -> float | None:
        """When to call ``handle_timeout``."""
        return self._machine.deadline

    def connected(self, now: float) -> None:
        """The transport is open: the request goes out."""
        self._begin()
        try:
            self._out = request_bytes(self._http, self._machine.request)
        except ValueError as error:
            self._broken = str(error)
        self._machine.connected(now)

    def data_to_send(self) -> bytes:
        """Bytes for the peer; empty if there are none."""
        out, self._out = self._out, b""
        return out

    def receive_data(self, data: bytes, now: float) -> None:
        """Bytes from the peer; empty when it closed its side."""
        if self.want not in _LISTENING:
            return
        if not data and self._http.their_state is h11.SEND_RESPONSE:
            self._broken = "the peer closed the connection before it answered"
            return
        self._incoming.receive_data(data)
        try:
            while self.want in _LISTENING and self._handle_next(now):
                pass
        except h11.RemoteProtocolError as error:
            self._broken = self._reason(error)
        except (RemoteProtocolError, LimitExceeded) as error:
            self._broken = str(error)

    def connection_lost(self, reason: str, now: float, *, retryable: bool = True) -> None:
        """The connection could not be made, or broke; ``retryable``: another one may be better."""
        broken, self._broken = self._broken, None
        self._machine.connection_lost(broken or reason, now, retryable=retryable)

    def closed(self, now: float) -> None:
        """The wish ``Want.CLOSE`` has been carried out."""
        if self._broken is not None:
            self.connection_lost(self._broken, now)
        else:
            self._machine.closed(now)

    def handle_timeout(self, now: float) -> None:
        """Fire the machine's timers that are due."""
        self._machine.handle_timeout(now)

    def _handle_next(self, now: float) -> bool:
        """Pass the next event on; whether there may be another."""
        event = self._incoming.next_event()
        if isinstance(event, h11.Data):
            self._machine.receive_data(bytes(event.data), now)
        elif isinstance(event, h11.Response):
            self._machine.response_started(event.status_code, headers_of(event), now)
        elif isinstance(event, h11.EndOfMessage):
            self._machine.receive_eof(now)
            self._close_behind_the_answer()
        # An informational answer (1xx) says nothing that a machine waits for.
        return isinstance(event, h11.Event)

    def _close_behind_the_answer(self) -> None:
        if self.want in _LISTENING:
            self._broken = "the answer ended"

    def _reason(self, error: h11.RemoteProtocolError) -> str:
        if error.error_status_hint == 431:
            return f"the answer's head is larger than {self._max_head_bytes} bytes (limit: max_head_bytes)"
        return f"the answer is not valid HTTP/1.1: {str(error)[:_MAX_REASON]}"


def request_bytes(http: h11.Connection, request: HTTPRequest) -> bytes:
    """``request`` as h11 frames it.  Raises ``ValueError`` for one that can't be sent."""
    parts = [http.send(request_head(request))]
    if request.body:
        parts.append(http.send(h11.Data(data=request.body)))
    parts.append(http.send(h11.EndOfMessage()))
    return b"".join(parts)


def request_head(request: HTTPRequest) -> h11.Request:
    """The head of ``request``, for h11 to send.

    Raises ``ValueError`` for a URL that is none, and for what can't stand in a head.
    """
    target = parse_url(request.url)
    if request.method == "CONNECT":
        # RFC 9110 section 9.3.6: it makes a tunnel, and what follows is no longer HTTP.
        raise ValueError("this request can't be sent: CONNECT is for proxies")
    fields = [("host", target.authority), *_defaults(request)]
    fields += [(name, value) for name, value in request.headers if name not in _OURS]
    try:
        return h11.Request(
            method=request.method.encode(), target=target.path.encode(), headers=as_bytes(fields)
        )
    except h11.LocalProtocolError as error:
        # h11 quotes what it refuses, as b'...', and that may be a credential.
        raise ValueError(f"this request can't be sent: {str(error).partition(' b')[0]}") from None


#: Fields about one connection (RFC 9110 section 7.6.1) or its body, which are ours to know.
_OURS = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


def _defaults(request: HTTPRequest) -> list[tuple[str, str]]:
    fields = [("connection", "close"), ("accept-encoding", "identity")]
    if request.body or request.method in {"POST", "PUT", "PATCH"}:
        fields.append(("content-length", str(len(request.body))))
    if "user-agent" not in request.headers:
        fields.append(("user-agent", _USER_AGENT))
    return fields
