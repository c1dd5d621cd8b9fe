"""The server role: one connection's requests and answers over HTTP/1.1, framed by h11.

The binding reports bytes and pulls bytes; it decides nothing.  A streamed answer is pulled from its
stream only when the binding asks, that is when the socket has room, so that no answer is ever
queued here.  Requests are bounded in every direction and checked for Host and Origin before the
application sees them.  Answers are those of :class:`ServerExchange`; keep-alive and pipelining are here.

h11 frames every head and every end.  A chunk of a running stream is framed by ``chunk`` alone:
RFC 9112 section 7.1, https://www.rfc-editor.org/rfc/rfc9112#section-7.1, leaves nothing to decide.
"""

from __future__ import annotations

import enum
from collections.abc import Callable

import h11

from sse_core.lifecycle.timers import Timer, Timers, earlier

from .application import Application, Reply, Request, StreamHead, StreamState, Waker, no_waker
from .exchange import ServerExchange
from .guard import Guard
from .h11_messages import response_head
from .problem import GOING_DOWN, INTERNAL_ERROR, TOO_LATE, Problem
from .refusal import Refusal, Refused, refusal_of
from .request_body import BodyBudget
from .request_reader import RequestReader
from .server_settings import ServerSettings


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

    - ``application``: answers the requests.
    - ``now``: seconds, as everywhere.
    - ``settings``: the bounds; the defaults if there are none.
    - ``client``: the peer's address, for requests and for logs.
    - ``bodies``: what all connections of the server share for their requests' bodies.
    - ``on_error``: is called with every exception of the application.
    - ``on_refusal``: is called with every request that was refused.
    - ``date``: gives the Date field.

    ``waker`` is called when there may be something to pull, or the phase has changed, for any reason but a
    pull.
    """

    __slots__ = (
        "_application",
        "_client",
        "_date",
        "_exchange",
        "_guard",
        "_http",
        "_is_blocked",
        "_is_chunked",
        "_is_last",
        "_on_error",
        "_on_refusal",
        "_out",
        "_reader",
        "_settings",
        "_timers",
        "_waker",
        "cut",
        "phase",
        "reset",
    )

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
        self.phase: ConnectionPhase = ConnectionPhase.READING
        self.cut: bool = False  #: it ended amid an answer: close without TLS's own end, which says "whole"
        self.reset: bool = False  #: and with a reset, as the end of the connection would be the answer's
        self._waker: Waker = no_waker
        self._application = application
        self._settings = settings = settings or ServerSettings()
        self._guard = Guard(application, settings.peers)
        self._client = client
        self._on_error = on_error or _ignore
        self._on_refusal = on_refusal or _ignore
        self._date = date
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=settings.max_head_bytes)
        self._out: list[bytes] = []
        self._reader = RequestReader(
            self._http,
            settings,
            bodies or BodyBudget(settings.max_total_body_bytes),
            client=client,
            check=self._guard.check_head,
            send=self._out.append,
        )
        self._timers = Timers()
        self._timers.arm(Timer.KEEP_ALIVE, now + settings.keep_alive_timeout)
        self._exchange: ServerExchange | None = None
        self._is_chunked = False
        self._is_blocked = False
        self._is_last = False

    # Outputs

    @property
    def waker(self) -> Waker:
        """Called when there may be something to pull, or the phase has changed."""
        return self._waker

    @waker.setter
    def waker(self, waker: Waker) -> None:
        self._waker = waker
        if self._exchange is not None:
            self._exchange.wake_by(waker)

    @property
    def deadline(self) -> float | None:
        """When to call ``handle_timeout``."""
        exchange = self._exchange
        return earlier(self._timers.deadline, None if exchange is None else exchange.deadline)

    @property
    def has_more(self) -> bool:
        """Whether another pull, right after one that gave bytes, may give something or change ``phase``."""
        if self._exchange is not None:
            return self._exchange.has_more
        if self.phase is ConnectionPhase.READING:
            return len(self._reader) > 0
        return self.phase is ConnectionPhase.CLOSING

    def data_to_send(self, now: float) -> bytes:
        """The next bytes for the peer.  To call it says that the kernel has taken those before.

        Empty bytes say that there is nothing to write now; look at ``phase`` then.
        """
        if self._is_blocked:
            self._is_blocked = False
            self._timers.disarm(Timer.STALL)
        exchange = self._exchange
        if exchange is not None and exchange.has_begun and not self._out:
            data = exchange.data_to_send(now)
            if data:
                return chunk(data) if self._is_chunked else data  # the usual: the next event of a stream
            self._look_at_end(exchange, now)
        elif not self._out:
            self._produce(now)
        data = b"".join(self._out)
        self._out.clear()
        if not data and self.phase is ConnectionPhase.CLOSING:
            self.connection_lost(now)
        return data

    # Inputs

    def receive_data(self, data: bytes, now: float) -> None:
        """Bytes from the peer; empty when it closed its side.

        A peer that closes its side has gone: a browser, curl and every SDK close both.
        """
        if not data:
            self.connection_lost(now)
        elif self.phase in {ConnectionPhase.READING, ConnectionPhase.ANSWERING}:
            self._receive(data, now)
        self._waker()

    def blocked(self, now: float) -> None:
        """The kernel did not take all of what the last pull gave.

        The peer has ``write_timeout`` from now until the next pull; to say so again changes nothing.
        """
        if not self._is_blocked:
            self._is_blocked = True
            self._timers.arm(Timer.STALL, now + self._settings.write_timeout)

    def connection_lost(self, now: float) -> None:
        """The peer has gone; idempotent."""
        if self.phase is ConnectionPhase.ANSWERING:
            self.cut = True
            self.reset = self._http.our_state is h11.SEND_BODY and not self._is_chunked
        self._drop_exchange(now)
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
        self._waker()

    def handle_timeout(self, now: float) -> None:
        """Fire what is due."""
        expired = self._timers.take_expired(now)
        if Timer.REQUEST in expired:
            self._refuse(Refused(TOO_LATE, setting="request_timeout"), now)
        elif expired:
            self.connection_lost(now)
        exchange = self._exchange
        # A reader that was evicted takes nothing, so nobody would pull and find out.
        if exchange is not None and exchange.handle_timeout(now) and not self._out:
            self._pull(exchange, now)
        self._waker()

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
                self._set_request_timer()
                if request is None:
                    break
                self._answer(request, now)
        except Refused as refused:
            self._refuse(refused, now)
        except Exception as error:  # noqa: BLE001  (the check of a head is the application's)
            self._on_error(error)
            self._refuse(Refused(INTERNAL_ERROR), now)

    def _set_request_timer(self) -> None:
        deadline = self._reader.deadline
        if deadline is None:
            self._timers.disarm(Timer.REQUEST)
        else:
            self._timers.disarm(Timer.KEEP_ALIVE)
            self._timers.arm(Timer.REQUEST, deadline)

    # Answering

    def _answer(self, request: Request, now: float) -> None:
        self.phase = ConnectionPhase.ANSWERING
        self._timers.disarm(Timer.KEEP_ALIVE)
        self._exchange = exchange = self._new_exchange()
        exchange.ask(request, now, self._waker)
        if exchange.reply is not None:
            self._record(exchange.reply)
            self._pull(exchange, now)

    def _refuse(self, refused: Refused, now: float) -> None:
        """Answer without having read the whole request; then this connection is of no use."""
        self.phase = ConnectionPhase.LINGERING
        self._timers.clear()
        self._record(refused.answer, refused.setting, refused.value)
        self._exchange = exchange = self._new_exchange()
        exchange.refuse(refused.answer)
        self._pull(exchange, now)
        self._reader.forget()

    def _new_exchange(self) -> ServerExchange:
        return ServerExchange(self._application, self._reader.request, on_error=self._on_error)

    def _record(self, answer: Reply | Problem, setting: str = "", value: str = "") -> None:
        refusal = refusal_of(answer, self._reader.request, self._client, setting=setting, value=value)
        if refusal is not None:
            self._on_refusal(refusal)

    def _produce(self, now: float) -> None:
        """Find something to send: the answer's next bytes, or the answer to the next request."""
        if self.phase is ConnectionPhase.READING and len(self._reader):
            self._advance(now)
        if self._exchange is not None and not self._out:
            self._pull(self._exchange, now)

    def _pull(self, exchange: ServerExchange, now: float) -> None:
        """Take the next bytes of an answer, its head first."""
        if not exchange.has_begun and not self._begin(exchange, now):
            return
        data = exchange.data_to_send(now)
        if data and exchange.reply is not None:
            self._out.append(self._http.send(h11.Data(data=data)))
        elif data:
            self._out.append(chunk(data) if self._is_chunked else data)
        self._look_at_end(exchange, now)

    def _look_at_end(self, exchange: ServerExchange, now: float) -> None:
        if exchange.state is StreamState.FINISHED:
            self._end(now)
        elif exchange.state is StreamState.ABORTED:
            self.connection_lost(now)

    def _begin(self, exchange: ServerExchange, now: float) -> bool:
        """Send the head, if it is known; whether the rest may follow."""
        while (head := exchange.find_head(now)) is not None:
            try:
                self._send_head(head, exchange)
            except Exception as error:  # noqa: BLE001  (a head is the application's too)
                exchange.fail(error, now)
            else:
                exchange.begin(head.status, now)
                return True
        if exchange.state is StreamState.ABORTED:
            self.connection_lost(now)
        return False

    def _send_head(self, head: StreamHead, exchange: ServerExchange) -> None:
        message = response_head(
            head.status,
            self._guard.with_access(head.headers, exchange.request),
            length=None if exchange.reply is None else len(exchange.reply.body),
            close=self._is_last or self.phase is ConnectionPhase.LINGERING,
            date=None if self._date is None else self._date(),
        )
        self._out.append(self._http.send(message))
        # RFC 9112 section 6.1: "A server MUST NOT send a response containing Transfer-Encoding
        # unless the corresponding request indicates HTTP/1.1 (or later minor revisions)."
        self._is_chunked = self._http.their_http_version != b"1.0"

    def _end(self, now: float) -> None:
        """The answer is whole: the next request, or nothing more."""
        self._drop_exchange(now)
        self._out.append(self._http.send(h11.EndOfMessage()))
        if self.phase is ConnectionPhase.LINGERING:
            self._timers.arm(Timer.KEEP_ALIVE, now + self._settings.linger)
        elif self._is_last or self._http.our_state is not h11.DONE:
            self.phase = ConnectionPhase.CLOSING
        else:
            self._http.start_next_cycle()
            self._reader.forget()
            self._is_chunked = False
            self.phase = ConnectionPhase.READING
            self._timers.arm(Timer.KEEP_ALIVE, now + self._settings.keep_alive_timeout)

    def _drop_exchange(self, now: float) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            exchange.close(now)


def _ignore(_: object) -> None:
    """Nobody listens."""
