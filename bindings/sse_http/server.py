"""The server role: one connection's requests and answers over HTTP/1.1, framed by h11.

The binding reports bytes and pulls bytes; it decides nothing.  A streamed answer is pulled from its
stream only when the binding asks, that is when the socket has room, so that no answer is ever
queued here.  Requests are bounded in every direction and checked for Host and Origin before the
application sees them.

h11 frames every head and every end.  A chunk of a running stream is framed by ``chunk`` alone:
RFC 9112 section 7.1, https://www.rfc-editor.org/rfc/rfc9112#section-7.1, leaves nothing to decide.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus

import h11

from sse_core.lifecycle.timers import Timer, Timers

from .application import (
    Application,
    Reply,
    Request,
    Stream,
    StreamHead,
    StreamState,
    Waker,
    no_waker,
)
from .checks import AllowedPeers, refuse
from .client import response_headers


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """The bounds of a server's connections: bytes and seconds."""

    max_head_bytes: int = 64 * 1024  #: a request's line and header section
    max_body_bytes: int = 1024 * 1024  #: a request's content
    request_timeout: float = 30.0  #: from a request's first byte to its last
    keep_alive_timeout: float = 75.0  #: an idle connection
    write_timeout: float = 60.0  #: bytes that the peer does not take
    linger: float = 2.0  #: reading on after a refusal, so that the peer gets to see it
    peers: AllowedPeers = field(default_factory=AllowedPeers)


class ConnectionPhase(enum.Enum):
    """What a server's connection is doing."""

    READING = "reading"  #: a request
    ANSWERING = "answering"
    CLOSING = "closing"  #: the last answer is on its way, and nothing will follow
    LINGERING = "lingering"  #: the same, but what still comes is read and thrown away for a while
    OVER = "over"  #: close the socket


def chunk(data: bytes) -> bytes:
    """``data``, which must not be empty, as one chunk of the chunked transfer coding."""
    return b"%x\r\n%b\r\n" % (len(data), data)


_UNREADABLE = {
    431: "The request's header section is too large (limit: max_head_bytes).",
    501: "The request's transfer coding is not supported.",
}


def _head_size(head: h11.Request) -> int:
    fields = sum(len(name) + len(value) + 4 for name, value in head.headers.raw_items())
    return len(head.method) + len(head.target) + fields


def _reason(status: int) -> bytes:
    try:
        return HTTPStatus(status).phrase.encode("ascii")
    except ValueError:
        return b""


class ServerConnection:
    """One connection of a server to one peer.

    ``waker`` is called when there may be something to pull, or the phase has changed.
    ``on_error`` is told every exception of the application; ``date`` gives the Date field.
    """

    def __init__(
        self,
        application: Application,
        now: float,
        *,
        settings: ServerSettings | None = None,
        client: str = "",
        on_error: Callable[[Exception], None] | None = None,
        date: Callable[[], str] | None = None,
    ) -> None:
        self.waker: Waker = no_waker
        self.phase = ConnectionPhase.READING
        self._application = application
        self._settings = settings or ServerSettings()
        self._client = client
        self._on_error = on_error
        self._date = date
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=self._settings.max_head_bytes)
        self._timers = Timers()
        self._timers.arm(Timer.KEEP_ALIVE, now + self._settings.keep_alive_timeout)
        self._out: list[bytes] = []
        self._forget_request()

    def _forget_request(self) -> None:
        self._head: h11.Request | None = None
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._stream: Stream | None = None
        self._streaming = False
        self._chunked = False

    # Outputs

    @property
    def deadline(self) -> float | None:
        """When to call ``handle_timeout``."""
        moments = (self._timers.deadline, self._stream.deadline if self._stream else None)
        return min((moment for moment in moments if moment is not None), default=None)

    def data_to_send(self, now: float) -> bytes:
        """The next bytes for the peer.  To call it says that those before have been written."""
        self._timers.disarm(Timer.STALL)
        if not self._out:
            self._produce(now)
        data = b"".join(self._out)
        self._out.clear()
        if data:
            self._timers.arm(Timer.STALL, now + self._settings.write_timeout)
        return data

    # Inputs

    def receive_data(self, data: bytes, now: float) -> None:
        """Bytes from the peer; empty when it closed its side.

        A peer that closes its side has gone: a browser, curl and every SDK close both.
        """
        if not data:
            self.connection_lost(now)
        elif self.phase is ConnectionPhase.READING and not self._out:
            self._start_clock(now)
            self._http.receive_data(data)
            self._advance(now)
        elif self.phase in {ConnectionPhase.READING, ConnectionPhase.ANSWERING}:
            self._receive_early(data, now)

    def connection_lost(self, now: float) -> None:
        """The peer has gone; idempotent."""
        self._close_stream(now)
        self._timers.clear()
        self._out.clear()
        self.phase = ConnectionPhase.OVER

    def handle_timeout(self, now: float) -> None:
        """Fire what is due."""
        expired = self._timers.take_expired(now)
        if Timer.REQUEST in expired:
            self._refuse(Reply.error(408, "timeout_error", "The request did not come in time."), now)
        elif expired:
            self.connection_lost(now)
        if self._stream is not None:
            self._stream.handle_timeout(now)
        self.waker()

    # Reading requests

    def _start_clock(self, now: float) -> None:
        self._timers.disarm(Timer.KEEP_ALIVE)
        if self._timers.due(Timer.REQUEST) is None:
            self._timers.arm(Timer.REQUEST, now + self._settings.request_timeout)

    def _receive_early(self, data: bytes, now: float) -> None:
        """Keep a request that comes before the last answer was taken, within a bound."""
        self._http.receive_data(data)
        if len(self._http.trailing_data[0]) > self._settings.max_head_bytes:
            self.connection_lost(now)

    def _advance(self, now: float) -> None:
        """Read on, until something has to go out first.

        So pipelined requests can't pile up answers.
        """
        try:
            while self.phase is ConnectionPhase.READING and not self._out and self._handle_next(now):
                pass
        except h11.RemoteProtocolError as error:
            status = error.error_status_hint
            message = _UNREADABLE.get(status, "The request is not valid HTTP/1.1.")
            self._refuse(Reply.error(status, "invalid_request_error", message), now)
        self.waker()

    def _handle_next(self, now: float) -> bool:
        """Take the next event of the request; whether there may be another."""
        event = self._http.next_event()
        if isinstance(event, h11.Request):
            self._receive_head(event, now)
        elif isinstance(event, h11.Data):
            self._body.append(bytes(event.data))
            self._body_bytes += len(event.data)
            self._check_size(self._body_bytes, now)
        elif isinstance(event, h11.EndOfMessage):
            self._timers.disarm(Timer.REQUEST)
            self._dispatch(now)
        return event is not h11.NEED_DATA and event is not h11.PAUSED

    def _receive_head(self, head: h11.Request, now: float) -> None:
        self._head = head
        if _head_size(head) > self._settings.max_head_bytes:
            # h11 bounds what it has to keep; a head that came whole in one read may be larger.
            self._refuse(Reply.error(431, "invalid_request_error", _UNREADABLE[431]), now)
            return
        refusal = refuse(self._request(head), self._settings.peers)
        if refusal is not None:
            self._refuse(refusal, now)
            return
        declared = response_headers(head).get("content-length")
        self._check_size(int(declared) if declared else 0, now)
        if self.phase is ConnectionPhase.READING and self._http.they_are_waiting_for_100_continue:
            go_on = h11.InformationalResponse(status_code=100, headers=[], reason=b"Continue")
            self._out.append(self._http.send(go_on) or b"")

    def _check_size(self, size: int, now: float) -> None:
        bound = self._settings.max_body_bytes
        if size > bound and self.phase is ConnectionPhase.READING:
            message = f"The request's body is larger than {bound} bytes (limit: max_body_bytes)."
            self._refuse(Reply.error(413, "request_too_large", message), now)

    def _request(self, head: h11.Request) -> Request:
        path, _, query = head.target.decode("ascii").partition("?")
        method, headers = head.method.decode("ascii"), response_headers(head)
        return Request(method, path, query, headers, b"".join(self._body), self._client)

    # Answering

    def _dispatch(self, now: float) -> None:
        if self._head is None:  # pragma: no cover  (h11 gives no end without a head)
            return
        self.phase = ConnectionPhase.ANSWERING
        try:
            answer = self._application.handle(self._request(self._head), now)
        except Exception as error:  # noqa: BLE001  (a stack trace must not reach the peer)
            if self._on_error is not None:
                self._on_error(error)
            answer = Reply.error(500, "api_error", "The server made a mistake; its log says more.")
        if isinstance(answer, Reply):
            self._send_reply(answer, now)
        else:
            self._stream = answer
            answer.waker = self._wake

    def _wake(self) -> None:
        self.waker()

    def _produce(self, now: float) -> None:
        """Find something to send: the stream's next bytes, or the answer to the next request."""
        if self._stream is not None:
            self._pull(self._stream, now)
        elif self.phase is ConnectionPhase.CLOSING:
            self.connection_lost(now)
        elif self.phase is ConnectionPhase.READING and self._http.trailing_data[0]:
            self._start_clock(now)
            self._advance(now)

    def _pull(self, stream: Stream, now: float) -> None:
        """Take the next bytes from the stream, its head first."""
        if not self._streaming and not self._take_head(stream, now):
            return
        data = stream.data_to_send(now)
        if data:
            self._out.append(chunk(data) if self._chunked else data)
        elif stream.state is StreamState.FINISHED:
            self._close_stream(now)
            self._out.append(self._http.send(h11.EndOfMessage()) or b"")
            self._end_answer(now)
        elif stream.state is StreamState.ABORTED:
            self.connection_lost(now)

    def _take_head(self, stream: Stream, now: float) -> bool:
        """Send the head, if it is known; whether a body follows."""
        head = stream.head
        if isinstance(head, StreamHead):
            self._send_head(head.status, list(head.headers))
            self._streaming = True
            if self._head is not None and self._head.method == b"HEAD":
                self._close_stream(now)
                self._out.append(self._http.send(h11.EndOfMessage()) or b"")
                self._end_answer(now)
        elif isinstance(head, Reply):
            self._close_stream(now)
            self._send_reply(head, now)
        elif stream.state is not StreamState.OPEN:
            self.connection_lost(now)
        return self._streaming

    def _send_head(self, status: int, fields: list[tuple[str, str]]) -> None:
        if self._date is not None:
            fields.append(("date", self._date()))
        headers = [(name.encode("ascii"), value.encode("latin-1", "replace")) for name, value in fields]
        head = h11.Response(status_code=status, headers=headers, reason=_reason(status))
        self._out.append(self._http.send(head) or b"")
        # RFC 9112 section 6.1: "A server MUST NOT send a response containing Transfer-Encoding
        # unless the corresponding request indicates HTTP/1.1 (or later minor revisions)."
        self._chunked = self._http.their_http_version not in {None, b"1.0"}

    def _send_reply(self, reply: Reply, now: float) -> None:
        fields = list(reply.headers)
        # RFC 9110 section 8.6: no Content-Length with 204.
        if reply.status != 204:
            fields.append(("content-length", str(len(reply.body))))
        if self.phase is ConnectionPhase.LINGERING:
            fields.append(("connection", "close"))
        self._send_head(reply.status, fields)
        if reply.body and not (self._head is not None and self._head.method == b"HEAD"):
            self._out.append(self._http.send(h11.Data(data=reply.body)) or b"")
        self._out.append(self._http.send(h11.EndOfMessage()) or b"")
        self._end_answer(now)

    def _refuse(self, reply: Reply, now: float) -> None:
        """Answer without having read the whole request; then this connection is of no use."""
        self.phase = ConnectionPhase.LINGERING
        self._timers.clear()
        self._send_reply(reply, now)

    def _end_answer(self, now: float) -> None:
        if self.phase is ConnectionPhase.LINGERING:
            self._timers.arm(Timer.KEEP_ALIVE, now + self._settings.linger)
        elif self._http.our_state is not h11.DONE:
            self.phase = ConnectionPhase.CLOSING
        else:
            self._http.start_next_cycle()
            self._forget_request()
            self.phase = ConnectionPhase.READING
            self._timers.arm(Timer.KEEP_ALIVE, now + self._settings.keep_alive_timeout)

    def _close_stream(self, now: float) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.close(now)
