"""The client side of an event stream: connect, read, reconnect.

Rules: WHATWG HTML section 9.2.2 and 9.2.3,
https://html.spec.whatwg.org/multipage/server-sent-events.html#sse-processing-model.  A stream that
ends is reconnected to, with the last event ID; status 204 says stop; another status or another
content type fails for good.  Beyond the rules, for clients of providers: any method and body, a
retry policy with back-off, statuses that are worth another try, and a rule that says when a request
may be repeated at all.
"""

from __future__ import annotations

import dataclasses
import enum
from collections import deque
from urllib.parse import urljoin, urlsplit

from ..errors import LimitExceeded, LocalProtocolError, RemoteProtocolError, SSEError, TransportError
from ..framing import EventStreamDecoder, ServerSentEvent
from ..headers import Headers
from .machine import HTTPRequest, Want
from .policies import ResumeRule, SourceDeadlines
from .retry import Jitter, RetryPolicy, no_jitter, retry_after_seconds
from .timers import Timer, Timers


class SourceState(enum.Enum):
    """Where an event source is; the names of WHATWG's ready states, and the pause between."""

    IDLE = "idle"
    CONNECTING = "connecting"
    OPEN = "open"
    RECONNECTING = "reconnecting"  #: sleeping; to WHATWG this is CONNECTING too
    CLOSED = "closed"


class SourceInput(enum.Enum):
    """What may happen to an event source."""

    START = "start"
    ACCEPTED = "accepted"
    RECONNECT = "reconnect"
    RECONNECT_DUE = "reconnect due"
    END = "end"


TRANSITIONS: dict[tuple[SourceState, SourceInput], SourceState] = {
    (SourceState.IDLE, SourceInput.START): SourceState.CONNECTING,
    (SourceState.IDLE, SourceInput.END): SourceState.CLOSED,
    (SourceState.CONNECTING, SourceInput.ACCEPTED): SourceState.OPEN,
    (SourceState.CONNECTING, SourceInput.RECONNECT): SourceState.RECONNECTING,
    (SourceState.CONNECTING, SourceInput.END): SourceState.CLOSED,
    (SourceState.OPEN, SourceInput.RECONNECT): SourceState.RECONNECTING,
    (SourceState.OPEN, SourceInput.END): SourceState.CLOSED,
    (SourceState.RECONNECTING, SourceInput.RECONNECT_DUE): SourceState.CONNECTING,
    (SourceState.RECONNECTING, SourceInput.END): SourceState.CLOSED,
}

#: What a source wishes, by state and by whether a transport is open.
WANTS: dict[tuple[SourceState, bool], Want] = {
    (SourceState.IDLE, False): Want.NOTHING,
    (SourceState.CONNECTING, False): Want.CONNECT,
    (SourceState.CONNECTING, True): Want.READ,
    (SourceState.OPEN, True): Want.READ,
    (SourceState.RECONNECTING, True): Want.CLOSE,
    (SourceState.RECONNECTING, False): Want.WAIT,
    (SourceState.CLOSED, True): Want.CLOSE,
    (SourceState.CLOSED, False): Want.NOTHING,
}


class EventSource:
    """The machine of one event source.

    ``last_event_id`` is sent with the first request already, if it isn't empty.  ``resume`` is
    ``"always"`` for GET and ``"if-event-id"`` for any other method, unless you say otherwise.
    ``retry.max_attempts`` bounds the attempts in a row that bring no event.
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
    ) -> None:
        self.error: SSEError | None = None  #: why the source was closed, if not because it ended
        self.reconnects = 0
        self._request = request
        self._location = request.url  #: where the next request goes
        self._retry = retry or RetryPolicy()
        self._resume = resume or ("always" if request.method == "GET" else "if-event-id")
        self._deadlines = deadlines or SourceDeadlines()
        self._jitter = jitter
        self._frames = EventStreamDecoder(last_event_id=last_event_id)
        self._events: deque[ServerSentEvent] = deque()
        self._state = SourceState.IDLE
        self._timers = Timers()
        self._transport_open = False
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
        fields = {"accept": "text/event-stream", "cache-control": "no-store"}
        if self.last_event_id:
            # Section 9.2.4: the ID is "encoded as UTF-8"; a header holds bytes as ISO-8859-1 text.
            fields["last-event-id"] = self.last_event_id.encode("utf-8", "replace").decode("latin-1")
        request = self._request
        if self._location != request.url:
            request = HTTPRequest(self._location, headers=request.headers)
        return dataclasses.replace(request, headers=request.headers.replaced(fields))

    @property
    def want(self) -> Want:
        """What the source wishes its binding to do."""
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
        """The consumer is busy: silence is not the peer's fault now."""
        self._timers.disarm(Timer.IDLE)

    def resume(self, now: float) -> None:
        """The consumer asks for more."""
        if self._state is SourceState.OPEN:
            self._arm(Timer.IDLE, self._deadlines.idle, now)

    def connected(self, now: float) -> None:
        """The transport is open and the request is on its way."""
        self._transport_open = True
        self._timers.disarm(Timer.CONNECT)
        if self._state is SourceState.CONNECTING:
            self._arm(Timer.FIRST_BYTE, self._deadlines.first_byte, now)

    def response_started(self, status: int, headers: Headers, now: float) -> None:
        """The head of the answer has come."""
        if self._state is not SourceState.CONNECTING:
            return
        content_type = (headers.get("content-type") or "").partition(";")[0].strip().lower()
        if status == 200 and content_type == "text/event-stream":
            self._accept(headers, now)
        elif status == 204:
            # Section 9.2.3: "Clients will reconnect if the connection is closed; a client can be
            # told to stop reconnecting using the HTTP 204 No Content response code."
            self._apply(SourceInput.END, now)
        elif status != 200 and self._retry.retries_status(status, headers):
            problem = RemoteProtocolError(f"the server answered with status {status}", status=status)
            self._try_again(problem, now, retry_after_seconds(headers))
        else:
            self._end_with(_refused(status, content_type), now)

    def receive_data(self, data: bytes, now: float) -> None:
        """Bytes of the answer's body."""
        if self._state is not SourceState.OPEN:
            return
        self._arm(Timer.IDLE, self._deadlines.idle, now)
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
        if self._state is SourceState.OPEN:
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
        for timer in self._timers.take_expired(now):
            if timer is Timer.BACKOFF:
                self._apply(SourceInput.RECONNECT_DUE, now)
            else:
                self._try_again(TransportError(_EXPIRY_MESSAGES[timer]), now)

    # What follows

    def _accept(self, headers: Headers, now: float) -> None:
        self._was_accepted = True
        self._locate(headers.get("content-location"))
        self._frames.reset()
        self._apply(SourceInput.ACCEPTED, now)

    def _locate(self, content_location: str | None) -> None:
        if content_location is None or self._request.method == "GET":
            return
        located = _same_origin(self._request.url, content_location)
        if located is not None:
            self._location = located

    def _try_again(self, problem: SSEError | None, now: float, retry_after: float | None = None) -> None:
        if not self._may_resume() or not self._retry.allows(self._attempts_without_event, retry_after):
            self._end_with(problem, now)
            return
        self._reconnect_at = now + self._delay(retry_after)
        self._apply(SourceInput.RECONNECT, now)

    def _may_resume(self) -> bool:
        if self._resume == "if-event-id":
            # Without an answer nothing has happened yet that an ID could stand for.
            located = self._location != self._request.url
            return bool(self.last_event_id) or located or not self._was_accepted
        return self._resume == "always"

    def _delay(self, retry_after: float | None) -> float:
        milliseconds = self._frames.reconnection_time
        policy = self._retry
        if milliseconds is not None:
            base = milliseconds / 1000
            policy = dataclasses.replace(policy, initial_delay=base, max_delay=max(policy.max_delay, base))
        return policy.delay(max(self._attempts_without_event, 1), self._jitter, retry_after)

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
            self._arm(Timer.CONNECT, self._deadlines.connect, now)
        elif self._state is SourceState.OPEN:
            self._arm(Timer.IDLE, self._deadlines.idle, now)
        elif self._state is SourceState.RECONNECTING and not self._transport_open:
            self._timers.arm(Timer.BACKOFF, self._reconnect_at)

    def _arm(self, timer: Timer, seconds: float | None, now: float) -> None:
        if seconds is not None:
            self._timers.arm(timer, now + seconds)


_EXPIRY_MESSAGES = {
    Timer.CONNECT: "the server could not be reached in time (deadline: connect)",
    Timer.FIRST_BYTE: "the server did not begin to answer in time (deadline: first_byte)",
    Timer.IDLE: "the server has been silent for too long (deadline: idle)",
}


def _refused(status: int, content_type: str) -> RemoteProtocolError:
    if status == 200:
        # Section 9.2.2: "if the Content-Type is not text/event-stream, then fail the connection"
        return RemoteProtocolError(
            f"the server answered with {content_type[:80]!r} instead of text/event-stream", status=502
        )
    return RemoteProtocolError(f"the server answered with status {status}", status=status)


def _same_origin(url: str, reference: str) -> str | None:
    """``reference`` as an absolute URL, if it is one of the same origin as ``url``.

    The request's headers may hold credentials: they go nowhere else.
    """
    try:
        located = urljoin(url, reference)
        same = urlsplit(located)[:2] == urlsplit(url)[:2]
    except ValueError:
        return None
    # What isn't printable has no place in a request line.
    return located if same and located.isascii() and located.isprintable() and " " not in located else None
