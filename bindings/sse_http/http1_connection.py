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
from functools import partial

import h11

from sse_core.headers import Headers
from sse_core.lifecycle.timers import Timer, Timers, earlier

from .application import (
    Application,
    ChecksHeads,
    Reply,
    Request,
    Stream,
    StreamHead,
    StreamState,
    Waker,
    no_waker,
)
from .guard import AllowedPeers, refuse, with_access
from .h11_messages import has_body, response_head
from .problem import GOING_DOWN, MISTAKE, TOO_LATE
from .refusal import Refusal, Refused
from .request_body import BodyBudget
from .request_reader import RequestReader
from .server_settings import ServerSettings

#: What the operator is told of: the peer asked for what isn't served, or isn't served now.  A mistake (500)
#: is told with its stack trace; 502 and 504 speak of somebody else.
_REFUSALS = frozenset({*range(400, 500), 501, 503, 505})


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


class ServerConnection:
    """One connection of a server to one peer.

    ``waker`` is called when there may be something to pull, or the phase has changed, for any
    reason but a pull.  ``bodies`` is what all connections of the server share for their requests'
    bodies.  ``on_error`` is told every exception of the application, ``on_refusal`` every request that
    was refused; ``date`` gives the Date field.
    """

    def __init__(
        self,
        application: Application,
        now: float,
        *,
        settings: ServerSettings | None = None,
        client: str = "",
        bodies: BodyBudget | None = None,
        on_error: Callable[[Exception], None] | None = None,
        on_refusal: Callable[[Refusal], None] | None = None,
        date: Callable[[], str] | None = None,
    ) -> None:
        self.waker: Waker = no_waker
        self.phase = ConnectionPhase.READING
        self.cut = False  #: it ended amid an answer: close without TLS's own end, which says "whole"
        self.reset = False  #: and with a reset, as the end of the connection would be the answer's
        self._application = application
        self._settings = settings = settings or ServerSettings()
        self._client = client
        self._on_error = on_error
        self._on_refusal = on_refusal
        self._date = date
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=settings.max_head_bytes)
        self._out: list[bytes] = []
        self._reader = RequestReader(
            self._http,
            settings,
            bodies or BodyBudget(settings.max_total_body_bytes),
            client=client,
            check=partial(_check_head, application, settings.peers),
            send=self._out.append,
        )
        self._timers = Timers()
        self._timers.arm(Timer.KEEP_ALIVE, now + settings.keep_alive_timeout)
        self._stream: Stream | None = None
        self._chunked = False
        self._is_last = False

    # Outputs

    @property
    def deadline(self) -> float | None:
        """When to call ``handle_timeout``."""
        return earlier(self._timers.deadline, None if self._stream is None else self._stream.deadline)

    def data_to_send(self, now: float) -> bytes:
        """The next bytes for the peer.  To call it says that the kernel has taken those before.

        Empty bytes say that there is nothing to write now; look at ``phase`` then.
        """
        self._timers.disarm(Timer.STALL)
        if not self._out:
            self._produce(now)
        data = b"".join(self._out)
        self._out.clear()
        if not data and self.phase is ConnectionPhase.CLOSING:
            self.connection_lost(now)
        return data

    @property
    def has_more(self) -> bool:
        """Whether another pull, right after one that gave bytes, may give something or change ``phase``."""
        if self.phase is ConnectionPhase.READING:
            return len(self._reader) > 0
        if self._stream is None:
            return self.phase is ConnectionPhase.CLOSING
        return self._stream.has_more or self._stream.state is not StreamState.OPEN

    # Inputs

    def receive_data(self, data: bytes, now: float) -> None:
        """Bytes from the peer; empty when it closed its side.

        A peer that closes its side has gone: a browser, curl and every SDK close both.
        """
        if not data:
            self.connection_lost(now)
        elif self.phase in {ConnectionPhase.READING, ConnectionPhase.ANSWERING}:
            self._receive(data, now)
        self.waker()

    def blocked(self, now: float) -> None:
        """The kernel did not take all of what the last pull gave.

        The peer has ``write_timeout`` from now until the next pull; to say so again changes nothing.
        """
        if self._timers.due(Timer.STALL) is None:
            self._timers.arm(Timer.STALL, now + self._settings.write_timeout)

    def connection_lost(self, now: float) -> None:
        """The peer has gone; idempotent."""
        if self.phase is ConnectionPhase.ANSWERING:
            self.cut = True
            self.reset = self._http.our_state is h11.SEND_BODY and not self._chunked
        self._close_stream(now)
        self._reader.forget()
        self._timers.clear()
        self._out.clear()
        self.phase = ConnectionPhase.OVER

    def shut_down(self, now: float) -> None:
        """The server goes down: what is being answered is the last; a request that isn't whole gets 503."""
        self._is_last = True
        if self.phase is ConnectionPhase.READING and self._reader.deadline is not None:
            self._refuse(Refused(GOING_DOWN), now)
        elif self.phase is ConnectionPhase.READING:
            self.phase = ConnectionPhase.CLOSING
        self.waker()

    def handle_timeout(self, now: float) -> None:
        """Fire what is due."""
        expired = self._timers.take_expired(now)
        if Timer.REQUEST in expired:
            self._refuse(Refused(TOO_LATE, setting="request_timeout"), now)
        elif expired:
            self.connection_lost(now)
        if self._stream is not None:
            self._fire(self._stream, now)
        self.waker()

    # Reading requests

    def _receive(self, data: bytes, now: float) -> None:
        too_early = self.phase is ConnectionPhase.ANSWERING or bool(self._out)
        self._reader.receive_data(data)
        if not too_early:
            self._advance(now)
        elif len(self._reader) > self._settings.max_head_bytes:
            # Requests that come before the last answer was taken are kept, within a bound.
            self.connection_lost(now)

    def _advance(self, now: float) -> None:
        """Read on, until something has to go out first.

        So pipelined requests can't pile up answers.
        """
        try:
            while self.phase is ConnectionPhase.READING and not self._out:
                request = self._reader.next_request(now)
                self._watch_clock()
                if request is None:
                    break
                self._dispatch(request, now)
        except Refused as refused:
            self._refuse(refused, now)
        except Exception as error:  # noqa: BLE001  (the check of a head is the application's)
            self._report(error)
            self._refuse(Refused(MISTAKE), now)

    def _watch_clock(self) -> None:
        deadline = self._reader.deadline
        if deadline is None:
            self._timers.disarm(Timer.REQUEST)
        else:
            self._timers.disarm(Timer.KEEP_ALIVE)
            self._timers.arm(Timer.REQUEST, deadline)

    # Answering

    def _dispatch(self, request: Request, now: float) -> None:
        self.phase = ConnectionPhase.ANSWERING
        self._timers.disarm(Timer.KEEP_ALIVE)
        try:
            answer = self._application.handle(request, now)
            if isinstance(answer, Reply):
                self._tell_of(answer)
                self._send_reply(answer, now)
            else:
                answer.waker = self._wake
                self._stream = answer
        except Exception as error:  # noqa: BLE001  (a stack trace must not reach the peer)
            self._fail(error, now)

    def _tell_of(self, reply: Reply, setting: str = "", value: str = "") -> None:
        if self._on_refusal is None or reply.status not in _REFUSALS:
            return
        request = self._reader.request
        asked = f"{request.method} {request.path}".strip()
        self._on_refusal(Refusal(reply.status, reply.reason, self._client, asked, setting, value))

    def _wake(self) -> None:
        self.waker()

    def _produce(self, now: float) -> None:
        """Find something to send: the stream's next bytes, or the answer to the next request."""
        if self.phase is ConnectionPhase.READING and len(self._reader):
            self._advance(now)
        if self._stream is not None and not self._out:
            try:
                self._pull(self._stream, now)
            except Exception as error:  # noqa: BLE001  (a stream is the application's too)
                self._fail(error, now)

    def _fire(self, stream: Stream, now: float) -> None:
        try:
            stream.handle_timeout(now)
            if stream is self._stream and stream.state is StreamState.ABORTED and not self._out:
                # A reader that was evicted takes nothing, so nobody would pull and find out.
                self._pull(stream, now)
        except Exception as error:  # noqa: BLE001  (a stream is the application's too)
            self._fail(error, now)

    def _pull(self, stream: Stream, now: float) -> None:
        """Take the next bytes from the stream, its head first."""
        if self._http.our_state is h11.SEND_RESPONSE and not self._take_head(stream, now):
            return
        data = stream.data_to_send(now)
        if data:
            self._out.append(chunk(data) if self._chunked else data)
        elif stream.state is StreamState.FINISHED:
            self._end_stream(now)
        elif stream.state is StreamState.ABORTED:
            self.connection_lost(now)

    def _take_head(self, stream: Stream, now: float) -> bool:
        """Send the head, if it is known; whether a body follows."""
        head = stream.head
        if isinstance(head, StreamHead):
            self._send_head(self._head(head.status, head.headers, None))
            if has_body(self._reader.request.method, head.status):
                return True
            self._end_stream(now)
        elif isinstance(head, Reply):
            self._close_stream(now)
            self._send_reply(head, now)
        elif stream.state is not StreamState.OPEN:
            self.connection_lost(now)
        return False

    def _head(self, status: int, headers: Headers, length: int | None) -> h11.Response:
        return response_head(
            status,
            with_access(headers, self._reader.request, self._settings.peers),
            length=length,
            close=self._is_last or self.phase is ConnectionPhase.LINGERING,
            date=None if self._date is None else self._date(),
        )

    def _send_head(self, head: h11.Response) -> None:
        self._out.append(self._http.send(head))
        # RFC 9112 section 6.1: "A server MUST NOT send a response containing Transfer-Encoding
        # unless the corresponding request indicates HTTP/1.1 (or later minor revisions)."
        self._chunked = self._http.their_http_version != b"1.0"

    def _send_reply(self, reply: Reply, now: float) -> None:
        self._send_head(self._head(reply.status, reply.headers, len(reply.body)))
        if has_body(self._reader.request.method, reply.status):
            self._out.append(self._http.send(h11.Data(data=reply.body)))
        self._out.append(self._http.send(h11.EndOfMessage()))
        self._end_answer(now)

    def _refuse(self, refused: Refused, now: float) -> None:
        """Answer without having read the whole request; then this connection is of no use."""
        self.phase = ConnectionPhase.LINGERING
        self._timers.clear()
        self._tell_of(refused.reply, refused.setting, refused.value)
        self._send_reply(refused.reply, now)
        self._reader.forget()

    def _fail(self, error: Exception, now: float) -> None:
        """The application raised: a 500 without a word of why, or a cut if the head is out."""
        self._report(error)
        self._close_stream(now)
        if self._http.our_state is h11.SEND_RESPONSE:
            self._send_reply(MISTAKE, now)
        else:
            self.connection_lost(now)

    def _report(self, error: Exception) -> None:
        if self._on_error is not None:
            self._on_error(error)

    def _end_stream(self, now: float) -> None:
        self._close_stream(now)
        self._out.append(self._http.send(h11.EndOfMessage()))
        self._end_answer(now)

    def _end_answer(self, now: float) -> None:
        if self.phase is ConnectionPhase.LINGERING:
            self._timers.arm(Timer.KEEP_ALIVE, now + self._settings.linger)
        elif self._is_last or self._http.our_state is not h11.DONE:
            self.phase = ConnectionPhase.CLOSING
        else:
            self._http.start_next_cycle()
            self._reader.forget()
            self._chunked = False
            self.phase = ConnectionPhase.READING
            self._timers.arm(Timer.KEEP_ALIVE, now + self._settings.keep_alive_timeout)

    def _close_stream(self, now: float) -> None:
        stream, self._stream = self._stream, None
        if stream is None:
            return
        stream.waker = no_waker  # what is over wakes nobody
        try:
            stream.close(now)
        except Exception as error:  # noqa: BLE001  (a stream is the application's too)
            self._report(error)


def _check_head(
    application: Application, peers: AllowedPeers, request: Request, now: float
) -> Reply | int | None:
    """Judge a request's head.  Raises ``Refused``, and what the application raises."""
    refused = refuse(request, peers)
    if refused is not None:
        raise refused
    return application.check_head(request, now) if isinstance(application, ChecksHeads) else None
