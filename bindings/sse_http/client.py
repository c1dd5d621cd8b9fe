"""The client role: one machine's requests and answers over HTTP/1.1, framed by h11.

The machine (a turn, an event source) decides; this module only turns its request into bytes and
the answer's bytes into its inputs.  A connection serves one exchange: nothing is pooled, so that
closing it always means "stop" to the provider.
"""

from __future__ import annotations

import re

import h11

from sse_core.errors import LimitExceeded, RemoteProtocolError, TransportError
from sse_core.headers import Headers
from sse_core.lifecycle.machine import ConnectingMachine, HTTPRequest, Want
from sse_core.urls import parse_url

from .answer_body import body_decoder, is_event_stream
from .application import Waker, no_waker
from .chunk_path import ChunkPath
from .content_coding import ContentDecoder
from .endpoint import Endpoint
from .forward_proxy import ForwardProxy
from .h11_feed import H11Feed
from .h11_messages import headers_of, is_chunked, request_bytes, request_head
from .route import DIRECT, Route
from .tunnel import refused_by_proxy

_LISTENING = frozenset({Want.READ, Want.PAUSE})
_MAX_REASON = 200  #: characters of h11's text
#: Where h11 begins to quote.
_QUOTE = re.compile(r":? (?:bytearray\(|b['\"])|: ?['\"]")
#: RFC 9112 section 4: "status-line = HTTP-version SP status-code ...", and the version begins so.
_FIRST_BYTES = b"HTTP/1."
_CODING_FIELDS = frozenset({"content-encoding", "content-length"})


class ClientExchange:
    """A connecting machine, spoken over HTTP/1.1.

    - ``machine``: a turn, or an event source.
    - ``route``: how its connections go to where its URLs lead.
    - ``max_head_bytes``: of the answer's status line and header section.
    - ``max_head_fields``: fields of the answer's header section.
    - ``max_informational``: informational answers (1xx) before the answer.

    A body is given to the machine without its content codings, as far as they are known, and its fields
    without ``Content-Encoding`` then: 1 MiB of it at most (``max_decoded_bytes``), and of an event stream,
    which has no end, 256 bytes for each that comes at once, beyond 1 MiB (``max_ratio``).

    Raises ``ValueError`` for a request that can't be sent.  If it becomes so later (a peer's event ID goes
    into a field), that attempt is a lost connection to the machine.
    """

    __slots__ = (
        "_body",
        "_broken",
        "_chunks",
        "_detour",
        "_feed",
        "_first",
        "_forwarder",
        "_has_head",
        "_http",
        "_informational",
        "_is_stream",
        "_machine",
        "_max_head_bytes",
        "_max_head_fields",
        "_max_informational",
        "_method",
        "_out",
        "_route",
        "_start",
        "waker",
    )

    def __init__(
        self,
        machine: ConnectingMachine,
        *,
        route: Route = DIRECT,
        max_head_bytes: int = 64 * 1024,
        max_head_fields: int = 256,
        max_informational: int = 100,
    ) -> None:
        self.waker: Waker = no_waker
        self._machine = machine
        self._route = route
        self._detour = ""
        self._max_head_bytes = max_head_bytes
        self._max_head_fields = max_head_fields
        self._max_informational = max_informational
        self._out = b""
        self._broken: TransportError | None = None
        self._method = machine.request.method
        # To make a head is dear: the one that shows that it can be sent is the first that is sent.
        self._forwarder: ForwardProxy | None = None
        self._first: tuple[HTTPRequest, h11.Request] | None = (machine.request, request_head(machine.request))
        self._begin()

    def _begin(self) -> None:
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=self._max_head_bytes)
        self._feed = H11Feed(self._http, self._max_head_bytes, max_head_fields=self._max_head_fields)
        self._start: bytes | None = b""  # of the answer, until it is known to be HTTP
        self._has_head = False
        self._informational = 0
        self._body: ContentDecoder | None = None
        self._is_stream = False
        self._chunks: ChunkPath | None = None

    @property
    def target(self) -> Endpoint:
        """Where to connect when the wish is ``Want.CONNECT``."""
        url = parse_url(self._machine.request.url)
        self._detour = self._route.detour(url)
        return self._route.endpoint(url)

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
        request = self._machine.request
        first, self._first = self._first, None
        if first is None:
            self._begin()
        self._method = request.method  # a redirect may change it before this answer's end
        try:
            self._forwarder = self._route.forwarder(parse_url(request.url))
            if first is not None and first[0] is request and self._forwarder is None:
                head = first[1]
            else:
                head = request_head(request, self._forwarder)
            self._out = request_bytes(self._http, head, request.body)
        except ValueError as error:
            self._broken = TransportError(str(error), retryable=False)
        self._machine.connected(now)

    def data_to_send(self) -> bytes:
        """Bytes for the peer; empty if there are none."""
        out, self._out = self._out, b""
        return out

    def receive_data(self, data: bytes, now: float) -> None:
        """Bytes from the peer; empty when it closed its side."""
        if self._broken is not None or self._machine.want not in _LISTENING:
            return
        if not data and self._http.their_state is h11.SEND_RESPONSE:
            self._broken = TransportError("the peer closed the connection before it answered")
            return
        if self._is_stream and self._body is not None:
            self._body.count_anew()
        try:
            if self._chunks is None:
                self._receive(data, now)
            elif data:
                self._receive_chunks(self._chunks, data, now)
            else:
                self._end_chunks(self._chunks)
                self._receive(data, now)
        except h11.RemoteProtocolError as error:
            self._broken = self._problem(error)
        except TransportError as error:
            self._broken = error
        except (RemoteProtocolError, LimitExceeded) as error:
            # What is beyond a bound will be so again.
            self._broken = TransportError(str(error), retryable=not isinstance(error, LimitExceeded))

    def connection_lost(self, reason: str, now: float, *, retryable: bool = True) -> None:
        """The connection could not be made, or broke; ``retryable``: another one may be better."""
        if self._machine.want is Want.CONNECT and self._detour:
            reason = f"{reason}, by {self._detour}"
        problem = self._broken or TransportError(reason, retryable=retryable)
        self._broken = None
        self._machine.connection_lost(str(problem), now, retryable=problem.retryable)

    def closed(self, now: float) -> None:
        """The wish ``Want.CLOSE`` has been carried out."""
        if self._broken is not None:
            self.connection_lost("closed", now)
        else:
            self._machine.closed(now)

    def handle_timeout(self, now: float) -> None:
        """Fire the machine's timers that are due."""
        self._machine.handle_timeout(now)

    def _check_start(self, data: bytes) -> None:
        """See that the peer speaks HTTP/1.x: another protocol may wait for more, for as long as we do."""
        if self._start is None:
            return
        self._start = (self._start + data)[: len(_FIRST_BYTES)]
        if not _FIRST_BYTES.startswith(self._start):
            raise TransportError(
                "the answer is not valid HTTP/1.1: it does not begin like one", retryable=False
            )
        if self._start == _FIRST_BYTES:
            self._start = None

    def _receive(self, data: bytes, now: float) -> None:
        """Let h11 read, until the head of a chunked answer has been read."""
        self._check_start(data)
        self._feed.receive_data(data)
        self._read_events(now)
        self._begin_chunks(now)

    def _begin_chunks(self, now: float) -> None:
        if self._chunks is not None and self.want in _LISTENING:
            self._receive_chunks(self._chunks, self._feed.take_rest(), now)

    def _receive_chunks(self, chunks: ChunkPath, data: bytes, now: float) -> None:
        """Take the content of whole chunks as it is, and let h11 read the rest."""
        while data:
            content, piece, data = chunks.split(data)
            if content and self._body is None:
                self._machine.receive_data(content, now)
            elif content:
                self._receive_body(content, now)
            if not piece:
                return
            if self.want in _LISTENING:
                self._read_by_h11(chunks, piece, now)
            if self.want not in _LISTENING:
                return

    def _read_by_h11(self, chunks: ChunkPath, piece: bytes, now: float) -> None:
        if chunks.is_open:
            self._feed.give(piece)
        else:
            self._chunks = None
            self._feed.receive_data(piece)
        self._read_events(now)

    def _end_chunks(self, chunks: ChunkPath) -> None:
        """The peer closed its side: how its answer ends, or is cut, h11 says."""
        self._chunks = None
        if rest := chunks.end():
            self._feed.receive_data(rest)

    def _read_events(self, now: float) -> None:
        while self.want in _LISTENING and self._handle_next(now):
            pass

    def _handle_next(self, now: float) -> bool:
        """Pass the next event on; whether there may be another."""
        event = self._feed.next_event()
        if isinstance(event, h11.Data):
            self._receive_body(bytes(event.data), now)
        elif isinstance(event, h11.Response):
            self._receive_head(event, now)
            return self._chunks is None
        elif isinstance(event, h11.EndOfMessage):
            self._end_body(now)
        elif isinstance(event, h11.InformationalResponse):
            self._count_informational()
        return isinstance(event, h11.Event)

    def _count_informational(self) -> None:
        # It says nothing that a machine waits for.
        self._informational += 1
        bound = self._max_informational
        if self._informational > bound:
            message = f"more than {bound} informational answers came first (limit: max_informational)"
            raise LimitExceeded(message, limit="max_informational", bound=bound)

    def _receive_head(self, head: h11.Response, now: float) -> None:
        self._has_head = True
        if head.status_code == 407 and self._forwarder is not None:
            raise refused_by_proxy(f"the proxy {self._forwarder.address} refuses the request", 407)
        headers = headers_of(head)
        self._is_stream = is_event_stream(head.status_code, headers)
        self._body = body_decoder(headers, is_stream=self._is_stream)
        if self._body is not None:
            # The machine is given what they would describe wrongly.
            kept = [(name, value) for name, value in headers if name not in _CODING_FIELDS]
            headers = Headers(kept)
        self._machine.response_started(head.status_code, headers, now)
        if is_chunked(head, self._method):
            self._chunks = ChunkPath()

    def _receive_body(self, data: bytes, now: float) -> None:
        if self._body is None:
            self._machine.receive_data(data, now)
            return
        try:
            for piece in self._body.receive_data(data):
                self._machine.receive_data(piece, now)
                if self.want not in _LISTENING:
                    return
        except (RemoteProtocolError, LimitExceeded):
            if self._is_stream:
                raise
            # The status speaks, and what was readable of the body.
            self._machine.receive_eof(now)
            self._close_behind_the_answer()

    def _end_body(self, now: float) -> None:
        """The body has come to its end, by the message's framing."""
        if self._body is not None and self._is_stream:
            self._body.receive_eof()  # which raises, if it is a cut
        self._machine.receive_eof(now)
        self._close_behind_the_answer()

    def _close_behind_the_answer(self) -> None:
        if self.want in _LISTENING:
            self._broken = TransportError("the answer ended")

    def _problem(self, error: h11.RemoteProtocolError) -> TransportError:
        if error.error_status_hint == 431:
            bound = self._max_head_bytes
            return TransportError(
                f"the answer's head is larger than {bound} bytes (limit: max_head_bytes)", retryable=False
            )
        # A head that can't be read is another protocol's, or will be the same again; a body may be a cut.
        return TransportError(f"the answer is not valid HTTP/1.1: {_reason(error)}", retryable=self._has_head)


def _reason(error: h11.RemoteProtocolError) -> str:
    """h11's own text, without what it quotes of the peer's: a key may be echoed there."""
    return _QUOTE.split(str(error), maxsplit=1)[0][:_MAX_REASON]
