"""One LLM turn: attempts, the first visible output, stop, and exactly one outcome.

Theory.  Until something visible was sent on, nobody knows how many attempts a turn took: block
events are held back, and a failed attempt's are thrown away.  The first visible event releases
them; from then on a failure is told, never repaired in silence.  So there is never a second
message start, and never text twice.

The machine's states, timers and wishes are tables (``turn_table.py``).  What this module adds is
how bytes become inputs to those tables.
"""

from __future__ import annotations

import contextlib
from collections import deque
from dataclasses import dataclass, field

from ..blocks import BlockEvent, Message, MessageAccumulator, MessageCut, MessageStop, StreamError
from ..blocks.events import is_visible
from ..dialects import Dialect
from ..errors import LimitExceeded, LocalProtocolError, ProtocolError, RemoteProtocolError
from ..framing import EventStreamDecoder, ServerSentEvent
from ..headers import Headers
from .machine import HTTPRequest, Want
from .policies import Deadlines, OnDisconnect
from .retry import Jitter, RetryPolicy, no_jitter, retry_after_seconds
from .timers import Timer, Timers
from .timing import Timing
from .turn_table import (
    EXPIRY_MESSAGES,
    STATE_TIMERS,
    TRANSITIONS,
    WANTS,
    Outcome,
    TurnInput,
    TurnState,
)

_MAX_REFUSAL_BYTES = 64 * 1024
_EVENT_STREAM = "text/event-stream"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an attempt failed.

    ``status`` is the HTTP status for a client that has not got a head yet: the provider's own if
    it sent one, else 502 or 504.  ``error`` is what a client is told.
    """

    status: int
    error: StreamError
    outcome: Outcome = Outcome.FAILED
    headers: Headers = field(default_factory=Headers)


class Turn:
    """The machine of one turn.

    ``request`` is sent once for each attempt.  ``dialect`` reads the answer.  ``jitter`` gives the
    randomness of back-off.  ``max_line_bytes`` and ``max_event_bytes`` bound the answer's framing,
    ``max_held_events`` what is held back before the first visible output.
    """

    def __init__(
        self,
        request: HTTPRequest,
        dialect: Dialect,
        *,
        retry: RetryPolicy | None = None,
        deadlines: Deadlines | None = None,
        on_disconnect: OnDisconnect | None = None,
        jitter: Jitter = no_jitter,
        accumulator: MessageAccumulator | None = None,
        max_held_events: int = 1000,
    ) -> None:
        self.request = request
        self.timing = Timing()
        self.attempts = 0
        self.failure: Failure | None = None  #: the last attempt's; also of one that was retried
        self.outcome: Outcome | None = None
        self.response_headers = Headers()  #: of the answer that was accepted
        self._dialect = dialect
        self._retry = retry or RetryPolicy()
        self._deadlines = deadlines or Deadlines()
        self._on_disconnect = on_disconnect or OnDisconnect()
        self._jitter = jitter
        self._accumulator = accumulator or MessageAccumulator()
        self._max_held_events = max_held_events
        self._state = TurnState.IDLE
        self._timers = Timers()
        self._events: deque[BlockEvent] = deque()
        self._transport_open = False
        self._paused = False
        self._retry_at = 0.0
        self._new_attempt()

    def _new_attempt(self) -> None:
        self._frames = EventStreamDecoder()
        self._decoder = self._dialect.Decoder()
        self._held: list[BlockEvent] = []
        self._refused: tuple[int, Headers] | None = None
        self._refusal: list[bytes] = []
        self._refusal_bytes = 0
        self.accepted = False  #: this attempt was answered with 200 and an event stream

    # Outputs

    @property
    def state(self) -> TurnState:
        """Where the turn is."""
        return self._state

    @property
    def message(self) -> Message:
        """The message so far, as the events that were given out make it."""
        return self._accumulator.message

    @property
    def want(self) -> Want:
        """What the turn wishes its binding to do."""
        want = WANTS[self._state, self._transport_open]
        return Want.PAUSE if self._paused and want is Want.READ else want

    @property
    def deadline(self) -> float | None:
        """When to call ``handle_timeout``."""
        return self._timers.deadline

    @property
    def retry_at(self) -> float | None:
        """When the next attempt begins, in back-off; else ``None``."""
        return self._retry_at if self._state is TurnState.BACKOFF else None

    def next_event(self) -> BlockEvent | None:
        """The next block event for the reader, or ``None``."""
        return self._events.popleft() if self._events else None

    # Inputs: what the reader's side does

    def start(self, now: float) -> None:
        """Begin.  Raises ``LocalProtocolError`` when called twice."""
        if self._state is not TurnState.IDLE:
            raise LocalProtocolError("this turn was started before; make a new Turn")
        self.timing.started_at = now
        self._arm(Timer.WHOLE, now)
        self._apply(TurnInput.START, now)

    def stop(self, now: float) -> Outcome:
        """End the turn, whatever it is doing; idempotent.  Returns the outcome it has then.

        In every state the transport, if there is one, is to be closed at once: the wish says so.
        """
        if self.outcome is not None:
            return self.outcome
        self._end(Outcome.STOPPED, MessageCut("stopped"), now)
        return Outcome.STOPPED

    def pause(self, now: float) -> None:  # noqa: ARG002  (every input has a clock)
        """Stop reading: the reader's log is full.  No gap is measured while paused."""
        self._paused = True
        self._timers.disarm(Timer.OUTPUT_GAP)

    def resume(self, now: float) -> None:
        """Read again."""
        if self._paused:
            self._paused = False
            if self._state is TurnState.STREAMING:
                self._arm(Timer.OUTPUT_GAP, now)

    def readers_changed(self, count: int, now: float) -> None:
        """There are now ``count`` readers; at none, the policy of the turn decides."""
        if count or self.outcome is not None:
            self._timers.disarm(Timer.NO_READER)
        elif self._on_disconnect.kind == "cancel":
            self.stop(now)
        else:
            self._timers.arm(Timer.NO_READER, now + self._on_disconnect.seconds)

    # Inputs: what the transport does

    def connected(self, now: float) -> None:
        """The transport is open and the request is on its way."""
        self._transport_open = True
        if self._state is TurnState.CONNECTING:
            self._apply(TurnInput.CONNECTED, now)

    def response_started(self, status: int, headers: Headers, now: float) -> None:
        """The head of the answer has come."""
        if self._state is not TurnState.WAITING:
            return
        self._timers.disarm(Timer.FIRST_BYTE)
        problem = _unusable(status, headers)
        if status == 200 and problem is None:
            self.accepted = True
            self.response_headers = headers
            self.timing.first_byte_at = now
        elif status == 200:
            self._fail(_failure(502, "api_error", problem or "", retryable=False), now)
        elif self._retry.retries_status(status, headers) and self._may_retry(headers):
            self._fail(self._refusal_failure(status, headers), now)
        else:
            self._refused = (status, headers)

    def receive_data(self, data: bytes, now: float) -> None:
        """Bytes of the answer's body."""
        if self._refused is not None:
            self._receive_refusal(data, now)
        elif self.accepted:
            self._receive_stream(data, now)

    def receive_eof(self, now: float) -> None:
        """The answer's body came to its proper end."""
        if not self._is_reading():
            return
        if self._refused is not None:
            self._fail(self._refusal_failure(*self._refused), now)
            return
        for event in self._decoder.receive_eof():
            # The dialect knows whether a stream that ends here is whole; a cut is ours to tell.
            if not isinstance(event, MessageCut) and self._is_reading():
                self._receive_event(event, now)
        if self._is_reading():
            self._cut("The provider's stream ended before the message was whole.", now)

    def connection_lost(self, reason: str, now: float) -> None:
        """The connection could not be made, or broke.  ``reason`` is for logs and errors."""
        self._transport_open = False
        if self._state is TurnState.CONNECTING:
            self._fail(_failure(502, "api_error", f"The provider can't be reached: {reason}"), now)
        elif self._is_reading() and self._refused is not None:
            self._fail(self._refusal_failure(*self._refused), now)
        elif self._is_reading():
            self._cut(f"The connection to the provider was lost: {reason}", now)
        elif self._state is TurnState.BACKOFF:
            self._timers.arm(Timer.BACKOFF, self._retry_at)

    def closed(self, now: float) -> None:
        """The transport was closed, as wished."""
        self.connection_lost("closed", now)

    def handle_timeout(self, now: float) -> None:
        """Fire the timers that are due."""
        for timer in self._timers.take_expired(now):
            if self.outcome is not None:
                return
            if timer is Timer.BACKOFF:
                self._apply(TurnInput.RETRY_DUE, now)
            elif timer is Timer.NO_READER:
                self.stop(now)
            else:
                self._expire(timer, now)

    # From bytes to inputs

    def _is_reading(self) -> bool:
        return self._state in {TurnState.WAITING, TurnState.STREAMING}

    def _receive_stream(self, data: bytes, now: float) -> None:
        try:
            for sse in self._frames.receive_data(data):
                self._receive_sse(sse, now)
                if not self._is_reading():
                    return
        except (RemoteProtocolError, LimitExceeded) as error:
            self._fail(_failure(502, "api_error", f"The provider's stream is broken: {error}"), now)

    def _receive_sse(self, sse: ServerSentEvent, now: float) -> None:
        for event in self._decoder.receive_event(sse):
            self._receive_event(event, now)
            if not self._is_reading():
                return

    def _receive_event(self, event: BlockEvent, now: float) -> None:
        if is_visible(event):
            self._release()
            self.timing.output(now)
            self._emit(event)
            self._apply(TurnInput.OUTPUT, now)
        elif isinstance(event, StreamError):
            self._fail(Failure(self._dialect.error_status(event.type), event), now)
        elif isinstance(event, MessageStop):
            self._release()
            self._end(Outcome.COMPLETED, event, now)
        elif self._state is TurnState.STREAMING:
            self._emit(event)
        else:
            self._hold(event)

    def _hold(self, event: BlockEvent) -> None:
        if len(self._held) >= self._max_held_events:
            raise LimitExceeded(
                "too many events before anything visible",
                limit="max_held_events",
                bound=self._max_held_events,
                status=502,
            )
        self._held.append(event)

    def _receive_refusal(self, data: bytes, now: float) -> None:
        self._refusal.append(data)
        self._refusal_bytes += len(data)
        if self._refusal_bytes >= _MAX_REFUSAL_BYTES and self._refused is not None:
            self._fail(self._refusal_failure(*self._refused), now)

    def _refusal_failure(self, status: int, headers: Headers) -> Failure:
        body = b"".join(self._refusal)[:_MAX_REFUSAL_BYTES]
        return Failure(status, self._dialect.parse_error(status, body, headers), headers=headers)

    # What follows

    def _may_retry(self, headers: Headers) -> bool:
        return self._retry.allows(self.attempts, retry_after_seconds(headers))

    def _fail(self, failure: Failure, now: float) -> None:
        """The attempt has failed: once more if nobody has seen anything of it, else the end."""
        self.failure = failure
        retry_after = failure.error.retry_after or retry_after_seconds(failure.headers)
        unseen = self._state in {TurnState.CONNECTING, TurnState.WAITING}
        if unseen and failure.error.retryable and self._retry.allows(self.attempts, retry_after):
            self._retry_at = now + self._retry.delay(self.attempts, self._jitter, retry_after)
            self._apply(TurnInput.RETRY, now)
            return
        truncated = failure.outcome is Outcome.TRUNCATED
        self._end(failure.outcome, MessageCut("truncated") if truncated else failure.error, now)

    def _cut(self, message: str, now: float) -> None:
        self._fail(_failure(502, "api_error", message, Outcome.TRUNCATED), now)

    def _expire(self, timer: Timer, now: float) -> None:
        retryable = timer is not Timer.WHOLE
        message = EXPIRY_MESSAGES[timer]
        self._fail(_failure(504, "timeout_error", message, Outcome.EXPIRED, retryable=retryable), now)

    def _release(self) -> None:
        """Give out what was held back."""
        held, self._held = self._held, []
        for event in held:
            self._emit(event)

    def _emit(self, event: BlockEvent) -> None:
        self._accumulator.receive(event)
        self._events.append(event)

    def _end(self, outcome: Outcome, last: BlockEvent, now: float) -> None:
        # What is still held may itself be what broke the rules; then it is not shown.
        with contextlib.suppress(ProtocolError):
            self._release()
        self._emit(last)
        self.outcome = outcome
        self.timing.ended_at = now
        self._apply(TurnInput.END, now)

    def _apply(self, happened: TurnInput, now: float) -> None:
        """Go where the table says, with the timers that belong there."""
        before, self._state = self._state, TRANSITIONS[self._state, happened]
        self._timers.disarm(*STATE_TIMERS[before])
        if self._state is TurnState.CONNECTING:
            self.attempts += 1
            self._new_attempt()
        elif self._state is TurnState.DONE:
            self._timers.clear()
        for timer in STATE_TIMERS[self._state]:
            self._arm(timer, now)

    def _arm(self, timer: Timer, now: float) -> None:
        if timer is Timer.BACKOFF:
            # Close first, then sleep: `closed` arms it.
            if not self._transport_open:
                self._timers.arm(timer, self._retry_at)
            return
        seconds: float | None = getattr(self._deadlines, timer.value)
        if seconds is not None and not (self._paused and timer is Timer.OUTPUT_GAP):
            self._timers.arm(timer, now + seconds)


def _failure(
    status: int, kind: str, message: str, outcome: Outcome = Outcome.FAILED, *, retryable: bool = True
) -> Failure:
    return Failure(status, StreamError(kind, message, retryable=retryable), outcome)


def _unusable(status: int, headers: Headers) -> str | None:
    """Why a 200 can't be read as an event stream, or ``None``."""
    content_type = (headers.get("content-type") or "").partition(";")[0].strip().lower()
    if status == 200 and content_type != _EVENT_STREAM:
        return f"The provider answered with {content_type[:80]!r} instead of {_EVENT_STREAM}."
    if status == 200 and headers.get("content-encoding", "identity") != "identity":
        return "The provider compressed its stream, though it was asked not to."
    return None
