"""The client side of an event stream: connect, read, reconnect.

Rules: WHATWG HTML sections 9.2.1 to 9.2.4,
https://html.spec.whatwg.org/multipage/server-sent-events.html#sse-processing-model.  A stream that
ends is reconnected to, with the last event ID; status 204 says stop; another status or another
content type fails for good; redirects are followed, as Fetch says.  Beyond the rules, for clients of
providers: any method and body, a retry policy with back-off, statuses that are worth another try,
and a rule that says when a request may be repeated at all (``resumption.py``).
"""

from __future__ import annotations

from ...arguments import check_callable, check_type
from ...errors import LimitExceeded, LocalProtocolError, RemoteProtocolError, SSEError, TransportError
from ...framing import ServerSentEvent
from ...framing.decoder import DEFAULT_MAX_BYTES
from ...headers import Headers
from ...urls import parse_url
from ..event_stream_check import stream_problem
from ..machine import HTTPRequest, OnComment, TabledMachine
from ..policies import SourceDeadlines
from ..redirect import DEFAULT_MAX_REDIRECTS, is_redirect
from ..retry import Jitter, RetryPolicy, WallClock, no_jitter, retry_after_seconds
from ..timers import Timer
from .error_body import ErrorBody
from .event_queue import EventQueue, fits_a_field
from .next_request import NextRequest
from .reconnect import OnReconnect, Reconnect, reconnection_delay
from .resumption import ResumeRule
from .source_table import EXPIRY_MESSAGES, TABLES, SourceInput, SourceState


class EventSource(TabledMachine[SourceState, SourceInput, SourceDeadlines]):
    """The machine of one event source.

    - ``request``: what is sent; its URL is absolute http or https.
    - ``last_event_id``: sent with the first request already, if it isn't empty.
    - ``retry``: ``max_attempts`` bounds the attempts in a row that bring no event with data; 1 means
      that there is no second one at all.
    - ``resume``: what follows where the method is not safe: :class:`.resumption.Resumption`.
    - ``deadlines``: in seconds.
    - ``jitter``, ``wall_clock``: the binding's randomness, and its time of day: seconds since 1970, for
      a ``Retry-After`` that is a date.
    - ``on_reconnect``, ``on_comment``: called by ``next_event`` with each reconnect, and with each comment's
      text, in their places among the events.
    - ``max_redirects``: of one attempt.
    - ``follow_redirects``: if not, an answer that says to ask elsewhere is a refusal.
    - ``max_line_bytes``, ``max_event_bytes``: as for :class:`sse_core.EventStreamDecoder`.

    Raises ``ValueError`` for a URL that is not absolute http or https, or has credentials in it;
    for a ``last_event_id`` that no header can hold; for an unknown ``resume``; and for ``max_redirects``
    below zero.  Raises ``TypeError`` for a ``request`` that is none.
    """

    def __init__(
        self,
        request: HTTPRequest,
        *,
        last_event_id: str = "",
        retry: RetryPolicy | None = None,
        resume: ResumeRule | None = None,
        deadlines: SourceDeadlines | None = None,
        jitter: Jitter = no_jitter,
        wall_clock: WallClock | None = None,
        on_reconnect: OnReconnect | None = None,
        on_comment: OnComment | None = None,
        max_redirects: int = DEFAULT_MAX_REDIRECTS,
        follow_redirects: bool = True,
        max_line_bytes: int = DEFAULT_MAX_BYTES,
        max_event_bytes: int = DEFAULT_MAX_BYTES,
    ) -> None:
        check_type("EventSource", request, HTTPRequest, hint="EventSource(HTTPRequest(url))")
        check_type("last_event_id", last_event_id, str)
        check_type("retry", retry, RetryPolicy, type(None))
        check_type("deadlines", deadlines, SourceDeadlines, type(None))
        check_type("follow_redirects", follow_redirects, bool)
        check_callable("on_reconnect", on_reconnect)
        check_callable("on_comment", on_comment)
        if not fits_a_field(last_event_id):
            raise ValueError(f"last_event_id holds characters that no header can: {ascii(last_event_id)}")
        super().__init__(TABLES, deadlines or SourceDeadlines())
        #: Of the stream that was opened last, as ``https://host:port``, redirects included; before
        #: there is one, that of ``url``.
        self.origin: str = parse_url(request.url).origin
        self.status: int | None = None  #: of the answer that was accepted last
        self.response_headers: Headers = Headers()  #: of the answer that was accepted last
        self.error: SSEError | None = None  #: why the source was closed, if not because it ended
        self.reconnects: int = 0
        self._url = request.url
        self._follow_redirects = follow_redirects
        self._next = NextRequest(request, resume, max_redirects)
        self._retry = retry or RetryPolicy()
        self._jitter = jitter
        self._wall_clock = wall_clock
        self._queue = EventQueue(
            last_event_id, max_line_bytes, max_event_bytes, on_reconnect=on_reconnect, on_comment=on_comment
        )
        self._error_body: ErrorBody | None = None
        self._attempts_without_event = 0

    # Outputs

    @property
    def url(self) -> str:
        """What the source was made for.  No redirect changes it."""
        return self._url

    @property
    def last_event_id(self) -> str:
        """The ID of the event that was handed out last: where another source goes on, anywhere."""
        return self._queue.last_event_id

    @property
    def request(self) -> HTTPRequest:
        """What to send for this attempt, or for the next one.

        It follows redirects within an attempt; each attempt begins anew where the first one did, or
        where the first one's answer is read on.  Its ``Last-Event-ID`` is that of what has come, and
        may be ahead of ``last_event_id``: what has come is going to be handed out here.
        """
        return self._next.after(self._queue.received_id)

    def next_event(self) -> ServerSentEvent | None:
        """The next event for the consumer, or ``None``.

        ``on_reconnect`` and ``on_comment`` are called first for what comes before it; what they raise is
        raised here.
        """
        return self._queue.next_event()

    # Inputs

    def start(self, now: float) -> None:
        """Begin.  Raises ``LocalProtocolError`` when called twice."""
        if self._state is not SourceState.IDLE:
            raise LocalProtocolError("this event source was started before; make a new one")
        self._apply(SourceInput.START, now)

    def close(self, now: float) -> None:
        """End it, whatever it is doing; idempotent."""
        if self._state is not SourceState.CLOSED:
            self._apply(SourceInput.END, now)

    def renew_headers(self, headers: Headers) -> None:
        """Send ``headers`` from the next attempt on: a token may have expired.

        An attempt that was redirected goes on as it is.
        """
        self._next.renew_headers(headers)

    def response_started(self, status: int, headers: Headers, now: float) -> None:
        """The head of the answer has come."""
        if self._state is not SourceState.CONNECTING or not self._transport_open:
            return
        problem = stream_problem(headers)
        if self._follow_redirects and is_redirect(status, headers):
            self._follow(status, headers, now)
        elif status == 204:
            # 9.2.1: "Clients will reconnect if the connection is closed; a client can be told to
            # stop reconnecting using the HTTP 204 No Content response code."
            self._apply(SourceInput.END, now)
        elif not self._next.resumption.accepts(status, self._next.method):
            self._refused(status, headers, now)
        elif problem is None:
            self._accept(status, headers, now)
        else:
            # 9.2.2: "Otherwise, if res's status is not 200, or if res's `Content-Type` is not
            # `text/event-stream`, then fail the connection."
            self._read_error(ErrorBody(f"the server {problem}", 502, headers), now)

    def receive_data(self, data: bytes, now: float) -> None:
        """Bytes of the answer's body."""
        if self._state is SourceState.OPEN:
            self._begin(Timer.IDLE, now)
            try:
                if self._queue.receive_data(data):
                    self._attempts_without_event = 0
            except LimitExceeded as error:
                self._end_with(error, now)
        elif self._error_body is not None and self._error_body.receive_data(data):
            self._end_with(self._error_body.error(), now)

    def receive_eof(self, now: float) -> None:
        """The answer's body came to its proper end."""
        if self._state is SourceState.OPEN:
            try:
                self._queue.receive_eof()
            except LimitExceeded as error:
                self._end_with(error, now)
            else:
                self._try_again(None, now)
        elif self._error_body is not None:
            self._end_with(self._error_body.error(), now)

    # A machine's own part, see TabledMachine

    def _opened(self, now: float) -> None:
        # The state stays: to WHATWG a source is CONNECTING until an answer was accepted.
        self._timers.disarm(Timer.CONNECT)
        self._next.resumption.sent()
        self._begin(Timer.FIRST_BYTE, now)

    def _lost(self, reason: str, now: float, *, was_open: bool, retryable: bool) -> None:
        if self._error_body is not None:
            self._end_with(self._error_body.error(), now)
        elif self._state in {SourceState.CONNECTING, SourceState.OPEN}:
            problem = _broken(self._next.url, reason, was_open=was_open, retryable=retryable)
            if retryable:
                self._try_again(problem, now)
            else:
                self._end_with(problem, now)

    def _expired(self, timer: Timer, now: float) -> None:
        if timer is Timer.BACKOFF:
            self._apply(SourceInput.RECONNECT_DUE, now)
        elif self._error_body is not None:
            self._end_with(self._error_body.error(), now)
        else:
            self._try_again(TransportError(EXPIRY_MESSAGES[timer]), now)

    def _entered(self, happened: SourceInput, now: float) -> None:  # noqa: ARG002  (every input has a clock)
        self._error_body = None
        if self._state is SourceState.CONNECTING:
            self.reconnects += happened is SourceInput.RECONNECT_DUE
            # A redirect goes on with the attempt that it was met on.
            self._attempts_without_event += happened is not SourceInput.TRANSPORT_CLOSED

    # What follows

    def _accept(self, status: int, headers: Headers, now: float) -> None:
        self.status, self.response_headers = status, headers
        self.origin = parse_url(self._next.url).origin
        self._next.resumption.accepted(self._next.url, status, headers)
        self._next.begin_anew()
        self._queue.reset()
        self._apply(SourceInput.ACCEPTED, now)

    def _refused(self, status: int, headers: Headers, now: float) -> None:
        """Once more, if the status says that this may help, else the end, as soon as it is known why."""
        body = ErrorBody(f"the server answered with status {status}", status, headers)
        retry_after = retry_after_seconds(headers, self._wall_clock)
        self._next.resumption.refused(status, headers)
        may_pass = self._retry.retries_status(status, headers) and self._may_resume(ended=False)
        if may_pass and self._retry.allows(self._attempts_without_event, retry_after):
            self._try_again(body.error(), now, retry_after)
        else:
            self._read_error(body, now)

    def _read_error(self, body: ErrorBody, now: float) -> None:
        self._apply(SourceInput.REFUSAL, now)
        self._error_body = body

    def _follow(self, status: int, headers: Headers, now: float) -> None:
        """Leave for where the answer says, unless that is forbidden."""
        try:
            self._next.follow(status, headers)
        except (RemoteProtocolError, LimitExceeded) as error:
            self._end_with(error, now)
        else:
            self._apply(SourceInput.REDIRECT, now)

    def _try_again(self, problem: SSEError | None, now: float, retry_after: float | None = None) -> None:
        """Another attempt, if the rule and the policy allow it, else the end."""
        last_event_id = self._queue.received_id
        if not self._may_resume(ended=problem is None):
            self._end_with(problem, now)
        elif not fits_a_field(last_event_id):
            self._end_with(RemoteProtocolError("the last event ID can't be sent back", status=502), now)
        elif not self._retry.allows(self._attempts_without_event, retry_after):
            self._end_with(problem or TransportError("the server ends its answers without an event"), now)
        else:
            delay = self._delay(retry_after)
            attempt = self._attempts_without_event + 1
            self._queue.add(Reconnect(attempt, delay, last_event_id, problem))
            self._retry_at = now + delay
            self._next.begin_anew()
            self._apply(SourceInput.RECONNECT, now)

    def _may_resume(self, *, ended: bool) -> bool:
        has_retry = self._queue.reconnection_time is not None
        return self._retry.max_attempts > 1 and self._next.resumption.allows(ended=ended, has_retry=has_retry)

    def _delay(self, retry_after: float | None) -> float:
        return reconnection_delay(
            self._retry,
            self._attempts_without_event,
            self._jitter,
            reconnection_time=self._queue.reconnection_time,
            retry_after=retry_after,
        )

    def _end_with(self, problem: SSEError | None, now: float) -> None:
        self.error = problem
        self._apply(SourceInput.END, now)


def _broken(url: str, reason: str, *, was_open: bool, retryable: bool) -> TransportError:
    where = parse_url(url).address
    what = f"the connection to {where} was lost" if was_open else f"could not connect to {where}"
    return TransportError(f"{what}: {reason}", retryable=retryable)
