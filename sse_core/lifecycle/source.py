"""The client side of an event stream: connect, read, reconnect.

Rules: WHATWG HTML sections 9.2.1 to 9.2.4,
https://html.spec.whatwg.org/multipage/server-sent-events.html#sse-processing-model.  A stream that
ends is reconnected to, with the last event ID; status 204 says stop; another status or another
content type fails for good; redirects are followed, as Fetch says.  Beyond the rules, for clients of
providers: any method and body, a retry policy with back-off, statuses that are worth another try,
and a rule that says when a request may be repeated at all.
"""

from __future__ import annotations

import dataclasses
from collections import deque

from ..errors import LimitExceeded, LocalProtocolError, RemoteProtocolError, SSEError, TransportError
from ..framing import EventStreamDecoder, ServerSentEvent
from ..framing.decoder import DEFAULT_MAX_BYTES
from ..headers import Headers
from ..urls import parse_url
from .machine import HTTPRequest, Want
from .policies import ResumeRule, SourceDeadlines
from .reconnect import OnReconnect, Reconnect, reconnection_delay
from .redirect import DEFAULT_MAX_REDIRECTS, as_get, is_redirect, redirected, resolved
from .retry import Jitter, RetryPolicy, no_jitter, retry_after_seconds
from .source_table import EXPIRY_MESSAGES, STATE_TIMERS, TRANSITIONS, WANTS, SourceInput, SourceState
from .stream_head import stream_problem
from .timers import Timer, Timers


class EventSource:
    """The machine of one event source.

    ``last_event_id`` is sent with the first request already, if it isn't empty.  ``resume`` is
    ``"always"`` for GET and ``"if-event-id"`` for any other method, unless you say otherwise.
    ``retry.max_attempts`` bounds the attempts in a row that bring no event (comments are none); 1
    means that there is no second one at all.  ``max_redirects`` bounds the redirects of one attempt.
    ``max_line_bytes`` and ``max_event_bytes`` bound the framing, as they do for
    :class:`sse_core.EventStreamDecoder`.

    ``on_reconnect`` is told of each reconnect, by ``next_event``, in its place among the events.

    Raises ``ValueError`` for a URL that is not absolute http or https, or has credentials in it;
    for a ``last_event_id`` that no header can hold; and for ``max_redirects`` below zero.
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
        on_reconnect: OnReconnect | None = None,
        max_redirects: int = DEFAULT_MAX_REDIRECTS,
        max_line_bytes: int = DEFAULT_MAX_BYTES,
        max_event_bytes: int = DEFAULT_MAX_BYTES,
    ) -> None:
        if not _fits_a_header(last_event_id):
            raise ValueError(f"last_event_id holds characters that no header can: {last_event_id!a}")
        if max_redirects < 0:
            raise ValueError("max_redirects must not be below zero")
        #: Of the stream that was opened last, as ``https://host:port``, redirects included; before
        #: there is one, that of ``url``.
        self.origin = parse_url(request.url).origin
        self.error: SSEError | None = None  #: why the source was closed, if not because it ended
        self.reconnects = 0
        self._request = request
        self._first = request  #: what an attempt begins with
        self._next = request  #: what is sent next: the first, or where it was redirected to
        self._redirects = 0
        self._max_redirects = max_redirects
        self._on_reconnect = on_reconnect
        self._retry = retry or RetryPolicy()
        self._resume = resume or ("always" if request.method == "GET" else "if-event-id")
        self._deadlines = deadlines or SourceDeadlines()
        self._jitter = jitter
        self._frames = EventStreamDecoder(last_event_id, max_line_bytes, max_event_bytes)
        self._events: deque[ServerSentEvent | Reconnect] = deque()
        self._state = SourceState.IDLE
        self._timers = Timers()
        self._transport_open = False
        self._paused = False
        self._had_effect = False  #: what was asked for may have been done
        self._attempts_without_event = 0
        self._reconnect_at = 0.0

    # Outputs

    @property
    def state(self) -> SourceState:
        """Where the source is."""
        return self._state

    @property
    def url(self) -> str:
        """What the source was made for.  No redirect changes it."""
        return self._request.url

    @property
    def last_event_id(self) -> str:
        """The ID that the next request will carry."""
        return self._frames.last_event_id

    @property
    def request(self) -> HTTPRequest:
        """What to send for this attempt, or for the next one.

        It follows redirects within an attempt; each attempt begins anew where the first one did.
        An answer to a POST may name the resource that it represents (RFC 9110 section 8.7,
        https://www.rfc-editor.org/rfc/rfc9110#section-8.7); then that is what is read on, by GET.
        So nothing is done twice, whenever the connection breaks.
        """
        return dataclasses.replace(self._next, headers=self._with_fields(self._next.headers))

    def _with_fields(self, headers: Headers) -> Headers:
        # 9.2.2 sets "Accept" and the cache mode "no-store", for which Fetch sends `no-cache` twice,
        # where nobody has set them.
        defaults = {"accept": "text/event-stream", "cache-control": "no-cache", "pragma": "no-cache"}
        fields = {name: value for name, value in defaults.items() if name not in headers}
        if self.last_event_id:
            # 9.2.4: the ID is "encoded as UTF-8"; a header holds bytes as ISO-8859-1 text.
            fields["last-event-id"] = self.last_event_id.encode("utf-8", "replace").decode("latin-1")
        return headers.replaced(fields)

    @property
    def want(self) -> Want:
        """What the source wishes its binding to do."""
        if self._paused and self._state is SourceState.OPEN:
            return Want.PAUSE
        return WANTS[self._state, self._transport_open]

    @property
    def deadline(self) -> float | None:
        """When to call ``handle_timeout``."""
        return self._timers.deadline

    def next_event(self) -> ServerSentEvent | None:
        """The next event for the consumer, or ``None``.

        Reconnects that come before it are told first; what ``on_reconnect`` raises is raised here.
        """
        while self._events:
            event = self._events.popleft()
            if isinstance(event, ServerSentEvent):
                return event
            if self._on_reconnect is not None:
                self._on_reconnect(event)
        return None

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

    def pause(self, now: float) -> None:  # noqa: ARG002  (every input has a clock)
        """The consumer is busy: read nothing; silence is not the peer's fault now."""
        self._paused = True
        self._timers.disarm(Timer.IDLE)

    def resume(self, now: float) -> None:
        """The consumer asks for more."""
        if self._paused:
            self._paused = False
            if self._state is SourceState.OPEN:
                self._arm(Timer.IDLE, now)

    def connected(self, now: float) -> None:
        """The transport is open and the request is on its way.

        Late, it does no harm: the source wishes it closed.  Raises ``LocalProtocolError`` before
        ``start``.
        """
        if self._state is SourceState.IDLE:
            raise LocalProtocolError("nothing was to be connected: call start() first")
        self._transport_open = True
        # In RECONNECTING the transport is late: close first, then sleep.
        self._timers.disarm(Timer.CONNECT, Timer.BACKOFF)
        if self._state is SourceState.CONNECTING:
            self._arm(Timer.FIRST_BYTE, now)

    def response_started(self, status: int, headers: Headers, now: float) -> None:
        """The head of the answer has come."""
        if self._state is not SourceState.CONNECTING or not self._transport_open:
            return
        problem = stream_problem(headers)
        if is_redirect(status, headers):
            self._follow(status, headers, now)
        elif status == 200 and problem is None:
            self._accept(headers, now)
        elif status == 200:
            # 9.2.2: "Otherwise, if res's status is not 200, or if res's `Content-Type` is not
            # `text/event-stream`, then fail the connection."
            self._end_with(RemoteProtocolError(f"the server {problem}", status=502), now)
        elif status == 204:
            # 9.2.1: "Clients will reconnect if the connection is closed; a client can be told to
            # stop reconnecting using the HTTP 204 No Content response code."
            self._apply(SourceInput.END, now)
        elif self._retry.retries_status(status, headers):
            self._try_again(_refused(status), now, retry_after_seconds(headers))
        else:
            self._end_with(_refused(status), now)

    def receive_data(self, data: bytes, now: float) -> None:
        """Bytes of the answer's body."""
        if self._state is not SourceState.OPEN:
            return
        self._arm(Timer.IDLE, now)
        try:
            events = self._frames.receive_data(data)
        except LimitExceeded as error:
            self._end_with(error, now)
            return
        if events:
            self._attempts_without_event = 0
            self._events.extend(events)

    def receive_eof(self, now: float) -> None:
        """The answer's body came to its proper end."""
        if self._state is not SourceState.OPEN:
            return
        try:
            self._frames.receive_eof()
        except LimitExceeded as error:
            self._end_with(error, now)
        else:
            self._try_again(None, now)

    def connection_lost(self, reason: str, now: float, *, retryable: bool = True) -> None:
        """The connection could not be made, or broke.

        ``retryable`` is false where another connection would fail in the same way: the source ends.
        """
        self._transport_open = False
        if self._state in {SourceState.CONNECTING, SourceState.OPEN}:
            problem = TransportError(f"the connection was lost: {reason}")
            if retryable:
                self._try_again(problem, now)
            else:
                self._end_with(problem, now)
        elif self._state is SourceState.REDIRECTING:
            self._apply(SourceInput.TRANSPORT_CLOSED, now)
        elif self._state is SourceState.RECONNECTING:
            self._timers.arm(Timer.BACKOFF, self._reconnect_at)

    def closed(self, now: float) -> None:
        """The transport was closed, as wished."""
        self.connection_lost("closed", now)

    def handle_timeout(self, now: float) -> None:
        """Fire the timers that are due."""
        while (timer := self._timers.next_expired(now)) is not None:
            if timer is Timer.BACKOFF:
                self._apply(SourceInput.RECONNECT_DUE, now)
            else:
                self._try_again(TransportError(EXPIRY_MESSAGES[timer]), now)

    # What follows

    def _accept(self, headers: Headers, now: float) -> None:
        self._had_effect = True
        self.origin = parse_url(self._next.url).origin
        self._locate(headers.get("content-location"))
        self._begin_anew()
        self._frames.reset()
        self._apply(SourceInput.ACCEPTED, now)

    def _locate(self, content_location: str | None) -> None:
        """The request's fields may hold credentials: they go to no other origin."""
        if content_location is None or self._first.method == "GET":
            return
        located = resolved(self._next.url, content_location)
        if located is not None and self.origin == parse_url(located).origin == parse_url(self.url).origin:
            self._first = as_get(self._first, located)

    def _follow(self, status: int, headers: Headers, now: float) -> None:
        """Leave for where the answer says, unless that is forbidden."""
        if self._redirects >= self._max_redirects:
            self._end_with(_too_many_redirects(self._max_redirects), now)
            return
        try:
            following = redirected(self._next, status, headers)
        except RemoteProtocolError as error:
            self._end_with(error, now)
            return
        # "See what came of it": a POST that is to become a GET was heard.
        self._had_effect |= following.method != self._next.method
        self._next = following
        self._redirects += 1
        self._apply(SourceInput.REDIRECT, now)

    def _begin_anew(self) -> None:
        self._next = self._first
        self._redirects = 0

    def _try_again(self, problem: SSEError | None, now: float, retry_after: float | None = None) -> None:
        """Another attempt, if the rule and the policy allow it, else the end."""
        if not self._may_resume():
            self._end_with(problem, now)
        elif not _fits_a_header(self.last_event_id):
            self._end_with(RemoteProtocolError("the last event ID can't be sent back", status=502), now)
        elif not self._retry.allows(self._attempts_without_event, retry_after):
            self._end_with(problem or TransportError("the server ends its answers without an event"), now)
        else:
            delay = self._delay(retry_after)
            attempt = self._attempts_without_event + 1
            self._events.append(Reconnect(attempt, delay, self.last_event_id, problem))
            self._reconnect_at = now + delay
            self._begin_anew()
            self._apply(SourceInput.RECONNECT, now)

    def _may_resume(self) -> bool:
        if self._retry.max_attempts == 1:
            return False
        # Without an answer nothing has happened yet that could happen twice.
        if self._resume == "always" or not self._had_effect:
            return True
        is_located = self._first is not self._request
        return self._resume == "if-event-id" and (bool(self.last_event_id) or is_located)

    def _delay(self, retry_after: float | None) -> float:
        return reconnection_delay(
            self._retry,
            self._attempts_without_event,
            self._jitter,
            reconnection_time=self._frames.reconnection_time,
            retry_after=retry_after,
        )

    def _end_with(self, problem: SSEError | None, now: float) -> None:
        self.error = problem
        self._apply(SourceInput.END, now)

    def _apply(self, happened: SourceInput, now: float) -> None:
        """Go where the table says, with the timers that belong there."""
        self._state = TRANSITIONS[self._state, happened]
        self._timers.clear()
        if self._state is SourceState.CONNECTING:
            self.reconnects += happened is SourceInput.RECONNECT_DUE
            # A redirect goes on with the attempt that it was met on.
            self._attempts_without_event += happened is not SourceInput.TRANSPORT_CLOSED
        for timer in STATE_TIMERS[self._state]:
            self._arm(timer, now)

    def _arm(self, timer: Timer, now: float) -> None:
        if timer is Timer.BACKOFF:
            # Close first, then sleep: `closed` arms it.
            if not self._transport_open:
                self._timers.arm(timer, self._reconnect_at)
            return
        seconds: float | None = getattr(self._deadlines, timer.value)
        if seconds is not None and not (self._paused and timer is Timer.IDLE):
            self._timers.arm(timer, now + seconds)


def _refused(status: int) -> RemoteProtocolError:
    return RemoteProtocolError(f"the server answered with status {status}", status=status)


def _too_many_redirects(bound: int) -> LimitExceeded:
    message = f"the server redirects more than {bound} times (limit: max_redirects)"
    return LimitExceeded(message, limit="max_redirects", bound=bound, status=502)


def _fits_a_header(event_id: str) -> bool:
    # RFC 9110 section 5.5: a field value has no control characters but the tab.  An event ID of a
    # peer's may have any but NUL, CR and LF.
    return not any(character < " " or character == "\x7f" for character in event_id.replace("\t", ""))
