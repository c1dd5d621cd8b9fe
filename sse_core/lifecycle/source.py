"""The client side of an event stream: connect, read, reconnect.

Rules: WHATWG HTML sections 9.2.1 to 9.2.4,
https://html.spec.whatwg.org/multipage/server-sent-events.html#sse-processing-model.  A stream that
ends is reconnected to, with the last event ID; status 204 says stop; another status or another
content type fails for good.  Beyond the rules, for clients of providers: any method and body, a
retry policy with back-off, statuses that are worth another try, and a rule that says when a request
may be repeated at all.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from urllib.parse import urldefrag, urljoin, urlsplit

from ..errors import LimitExceeded, LocalProtocolError, RemoteProtocolError, SSEError, TransportError
from ..framing import EventStreamDecoder, ServerSentEvent
from ..framing.decoder import DEFAULT_MAX_BYTES
from ..headers import Headers
from .machine import HTTPRequest, Want
from .policies import ResumeRule, SourceDeadlines
from .retry import Jitter, RetryPolicy, no_jitter, retry_after_seconds
from .source_table import EXPIRY_MESSAGES, STATE_TIMERS, TRANSITIONS, WANTS, SourceInput, SourceState
from .stream_head import stream_problem
from .timers import Timer, Timers


class EventSource:
    """The machine of one event source.

    ``last_event_id`` is sent with the first request already, if it isn't empty.  ``resume`` is
    ``"always"`` for GET and ``"if-event-id"`` for any other method, unless you say otherwise.
    ``retry.max_attempts`` bounds the attempts in a row that bring no event; 1 means that there is
    no second one at all.  ``max_line_bytes`` and ``max_event_bytes`` bound the framing, as they do
    for :class:`sse_core.EventStreamDecoder`.

    Raises ``ValueError`` for a ``last_event_id`` that no header can hold.
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
        max_line_bytes: int = DEFAULT_MAX_BYTES,
        max_event_bytes: int = DEFAULT_MAX_BYTES,
    ) -> None:
        if not _fits_a_header(last_event_id):
            raise ValueError(f"last_event_id holds characters that no header can: {last_event_id!a}")
        self.error: SSEError | None = None  #: why the source was closed, if not because it ended
        self.reconnects = 0
        self._request = request
        self._location = request.url  #: where the next request goes
        self._retry = retry or RetryPolicy()
        self._resume = resume or ("always" if request.method == "GET" else "if-event-id")
        self._deadlines = deadlines or SourceDeadlines()
        self._jitter = jitter
        self._frames = EventStreamDecoder(last_event_id, max_line_bytes, max_event_bytes)
        self._events: deque[ServerSentEvent] = deque()
        self._state = SourceState.IDLE
        self._timers = Timers()
        self._transport_open = False
        self._paused = False
        self._was_accepted = False
        self._attempts_without_event = 0
        self._reconnect_at = 0.0

    # Outputs

    @property
    def state(self) -> SourceState:
        """Where the source is."""
        return self._state

    @property
    def last_event_id(self) -> str:
        """The ID that the next request will carry."""
        return self._frames.last_event_id

    @property
    def request(self) -> HTTPRequest:
        """What to send for this attempt.

        An answer to a POST may name the resource that it represents (RFC 9110 section 8.7,
        https://www.rfc-editor.org/rfc/rfc9110#section-8.7); then that is what is read on, by GET.
        So nothing is done twice, whenever the connection breaks.
        """
        url, request = self._location, self._request
        if url != request.url:
            kept = [(name, value) for name, value in request.headers if not name.startswith("content-")]
            request = HTTPRequest(url, headers=Headers(kept))
        return dataclasses.replace(request, headers=self._with_fields(request.headers))

    def _with_fields(self, headers: Headers) -> Headers:
        # 9.2.2 sets "Accept" and the cache mode "no-store", for which Fetch sends `no-cache`, where
        # nobody has set them.
        defaults = {"accept": "text/event-stream", "cache-control": "no-cache"}
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
        """The next event for the consumer, or ``None``."""
        return self._events.popleft() if self._events else None

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
        if status == 200 and problem is None:
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

    def connection_lost(self, reason: str, now: float) -> None:
        """The connection could not be made, or broke."""
        self._transport_open = False
        if self._state in {SourceState.CONNECTING, SourceState.OPEN}:
            self._try_again(TransportError(f"the connection was lost: {reason}"), now)
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
        self._was_accepted = True
        self._locate(headers.get("content-location"))
        self._frames.reset()
        self._apply(SourceInput.ACCEPTED, now)

    def _locate(self, content_location: str | None) -> None:
        if content_location is None or self._request.method == "GET" or self._is_located():
            return
        located = _same_origin(self._request.url, content_location)
        if located is not None:
            self._location = located

    def _is_located(self) -> bool:
        return self._location != self._request.url

    def _try_again(self, problem: SSEError | None, now: float, retry_after: float | None = None) -> None:
        """Another attempt, if the rule and the policy allow it, else the end."""
        if not self._may_resume():
            self._end_with(problem, now)
        elif not _fits_a_header(self.last_event_id):
            self._end_with(RemoteProtocolError("the last event ID can't be sent back", status=502), now)
        elif not self._retry.allows(self._attempts_without_event, retry_after):
            self._end_with(problem or TransportError("the server ends its answers without an event"), now)
        else:
            self._reconnect_at = now + self._delay(retry_after)
            self._apply(SourceInput.RECONNECT, now)

    def _may_resume(self) -> bool:
        if self._retry.max_attempts == 1:
            return False
        # Without an answer nothing has happened yet that could happen twice.
        if self._resume == "always" or not self._was_accepted:
            return True
        return self._resume == "if-event-id" and (bool(self.last_event_id) or self._is_located())

    def _delay(self, retry_after: float | None) -> float:
        attempts = max(self._attempts_without_event, 1)
        milliseconds = self._frames.reconnection_time
        if milliseconds is None or retry_after is not None:
            return self._retry.delay(attempts, self._jitter, retry_after)
        # 9.2.3: "Wait a delay equal to the reconnection time of the event source." "Optionally, wait
        # some more."  So here jitter adds, where it takes away from a delay of our own.
        base = milliseconds / 1000
        longest = max(self._retry.max_delay, base)
        policy = dataclasses.replace(self._retry, initial_delay=base, max_delay=longest)
        return policy.delay(attempts) * (1 + policy.jitter * self._jitter())

    def _end_with(self, problem: SSEError | None, now: float) -> None:
        self.error = problem
        self._apply(SourceInput.END, now)

    def _apply(self, happened: SourceInput, now: float) -> None:
        """Go where the table says, with the timers that belong there."""
        self._state = TRANSITIONS[self._state, happened]
        self._timers.clear()
        if self._state is SourceState.CONNECTING:
            self.reconnects += happened is SourceInput.RECONNECT_DUE
            self._attempts_without_event += 1
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


def _fits_a_header(event_id: str) -> bool:
    # RFC 9110 section 5.5: a field value has no control characters but the tab.  An event ID of a
    # peer's may have any but NUL, CR and LF.
    return not any(character < " " or character == "\x7f" for character in event_id.replace("\t", ""))


def _same_origin(url: str, reference: str) -> str | None:
    """``reference`` as an absolute URL, if it is one of the same origin as ``url``.

    The request's headers may hold credentials: they go nowhere else.
    """
    try:
        located = urldefrag(urljoin(url, reference)).url
        same = urlsplit(located)[:2] == urlsplit(url)[:2]
    except ValueError:
        return None
    # What isn't printable has no place in a request line.
    return located if same and located.isascii() and located.isprintable() and " " not in located else None
