"""The client role: one machine's requests and answers over HTTP/1.1, framed by h11.

The machine (a turn, an event source) decides; this module only turns its request into bytes and
the answer's bytes into its inputs.  A connection serves one exchange: nothing is pooled, so that
closing it always means "stop" to the provider.
"""

from __future__ import annotations

import h11

from sse_core.errors import RemoteProtocolError
from sse_core.lifecycle.machine import ConnectingMachine, HTTPRequest, Want

from .application import Waker, no_waker
from .heads import headers_of
from .urls import parse_url

_USER_AGENT = "sse-core"


class ClientExchange:
    """A connecting machine, spoken over HTTP/1.1.

    ``max_head_bytes`` bounds the answer's status line and header section.
    """

    def __init__(self, machine: ConnectingMachine, *, max_head_bytes: int = 64 * 1024) -> None:
        self.waker: Waker = no_waker
        self._machine = machine
        self._max_head_bytes = max_head_bytes
        self._http: h11.Connection | None = None
        self._out: list[bytes] = []
        self._broken: str | None = None

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
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=self._max_head_bytes)
        self._out = [request_bytes(self._http, self._machine.request)]
        self._machine.connected(now)

    def data_to_send(self) -> bytes:
        """Bytes for the peer; empty if there are none."""
        out, self._out = self._out, []
        return b"".join(out)

    def receive_data(self, data: bytes, now: float) -> None:
        """Bytes from the peer; empty when it closed its side."""
        if self._http is None or self._broken is not None:
            return
        try:
            self._http.receive_data(data)
            while self.want in {Want.READ, Want.PAUSE} and self._handle_next(self._http, now):
                pass
        except (h11.RemoteProtocolError, RemoteProtocolError) as error:
            self._broken = str(error)

    def connection_lost(self, reason: str, now: float) -> None:
        """The connection could not be made, or broke."""
        self._http = None
        broken, self._broken = self._broken, None
        self._machine.connection_lost(broken or reason, now)

    def closed(self, now: float) -> None:
        """The wish ``Want.CLOSE`` has been carried out."""
        self.connection_lost("closed", now)

    def handle_timeout(self, now: float) -> None:
        """Fire the machine's timers that are due."""
        self._machine.handle_timeout(now)

    def _handle_next(self, http: h11.Connection, now: float) -> bool:
        """Pass the next event on; whether there may be another."""
        event = http.next_event()
        if isinstance(event, h11.Data):
            self._machine.receive_data(bytes(event.data), now)
        elif isinstance(event, h11.Response):
            self._machine.response_started(event.status_code, headers_of(event), now)
        elif isinstance(event, h11.EndOfMessage):
            self._machine.receive_eof(now)
            self._close_behind_the_answer()
        elif isinstance(event, h11.ConnectionClosed):
            self._broken = "the peer closed the connection without an answer"
        # An informational answer (1xx) says nothing that a machine waits for.
        return event is not h11.NEED_DATA and self._broken is None

    def _close_behind_the_answer(self) -> None:
        if self.want in {Want.READ, Want.PAUSE}:
            self._broken = "the answer ended"


def request_bytes(http: h11.Connection, request: HTTPRequest) -> bytes:
    """``request`` as h11 frames it.  Raises ``ValueError`` for a URL that is none."""
    target = parse_url(request.url)
    fields = [("host", target.authority), *_defaults(request)]
    fields += [(name, value) for name, value in request.headers if name not in _OURS]
    try:
        head = h11.Request(
            method=request.method, target=target.path, headers=[_as_bytes(field) for field in fields]
        )
    except h11.LocalProtocolError as error:
        raise ValueError(f"this request can't be sent: {error}") from None
    parts = [http.send(head)]
    if request.body:
        parts.append(http.send(h11.Data(data=request.body)))
    parts.append(http.send(h11.EndOfMessage()))
    return b"".join(part or b"" for part in parts)


#: Fields that follow from the connection and the body, never from the user.
_OURS = frozenset({"host", "connection", "content-length", "transfer-encoding", "accept-encoding"})


def _defaults(request: HTTPRequest) -> list[tuple[str, str]]:
    fields = [("connection", "close"), ("accept-encoding", "identity")]
    if request.body or request.method in {"POST", "PUT", "PATCH"}:
        fields.append(("content-length", str(len(request.body))))
    if "user-agent" not in request.headers:
        fields.append(("user-agent", _USER_AGENT))
    return fields


def _as_bytes(field: tuple[str, str]) -> tuple[bytes, bytes]:
    return field[0].encode("ascii"), field[1].encode("latin-1")
