"""One LLM turn: attempts, the first visible output, stop, and exactly one outcome.

Theory.  Until something visible was sent on, nobody knows how many attempts a turn took: block
events are held back, and a failed attempt's are thrown away.  The first visible event releases
them; from then on a failure is told, never repaired in silence.  So there is never a second
message start, and never text twice; unless the policy says that the reader can take back what it was
shown, and then it is told to (``MessageReset``), before anything comes anew.

The machine's states, timers and wishes are tables (``turn_table.py``).  What this module adds is
how bytes become inputs to those tables.
"""

from __future__ import annotations

from collections import deque

from ..blocks import (
    BlockEvent,
    Message,
    MessageAccumulator,
    MessageCut,
    MessageReset,
    MessageStop,
    StreamError,
)
from ..blocks.events import is_visible
from ..dialects import Dialect
from ..errors import LimitExceeded, LocalProtocolError, RemoteProtocolError
from ..framing import EventStreamDecoder
from ..framing.decoder import DEFAULT_MAX_BYTES
from ..headers import Headers
from .event_stream_check import stream_problem
from .failure import Failure, Refusal
from .held import HeldEvents
from .machine import HTTPRequest, Want
from .policies import Deadlines, OnDisconnect
from .retry import Jitter, RetryPolicy, no_jitter, retry_after_seconds
from .timers import Timer, Timers
from .timing import Timing, is_reasoning
from .turn_table import (
    EXPIRY_MESSAGES,
    PASSING_TIMERS,
    STATE_TIMERS,
    TRANSITIONS,
    WANTS,
    Outcome,
    TurnInput,
    TurnState,
)


class Turn:
    """The machine of one turn.

    ``request`` is sent once for each attempt.  ``dialect`` reads the answer.  ``jitter`` gives the
    randomness of back-off.  ``accumulator`` is a new one; give one to set its bounds.
    ``max_line_bytes`` and ``max_event_bytes`` bound the answer's framing, as they do for
    :class:`sse_core.EventStreamDecoder`; ``max_held_events`` and ``max_held_bytes`` bound what is
    held back before the first visible output.  Of a refusal's body, 64 KiB are read.
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
        max_line_bytes: int = DEFAULT_MAX_BYTES,
        max_event_bytes: int = DEFAULT_MAX_BYTES,
        max_held_events: int = 1000,
        max_held_bytes: int = 4 * 2**20,
    ) -> None:
        self.request = request
        self.timing = Timing()
        self.attempts = 0
        self.failure: Failure | None = None  #: the last attempt's; also of one that was retried
        self.outcome: Outcome | None = None
        self.tool_executed = False  #: set it if a tool was run, whatever the message said: no retry then
        self.dialect = dialect
        self._retry = retry or RetryPolicy()
        self._deadlines = deadlines or Deadlines()
        self._on_disconnect = on_disconnect or OnDisconnect()
        self._jitter = jitter
        self._accumulator = accumulator or MessageAccumulator()
        self._frames = EventStreamDecoder("", max_line_bytes, max_event_bytes)
        self._max_held_events = max_held_events
        self._max_held_bytes = max_held_bytes
        self._state = TurnState.IDLE
        self._timers = Timers()
        self._events: deque[BlockEvent] = deque()
        self._transport_open = False
        self._paused = False
        self._gap_left: float | None = None  # while paused: what the provider still has for its next output
        self._retry_at = 0.0
        self._forget_attempt()

    def _forget_attempt(self) -> None:
        """Nothing of the last attempt is left; nobody has seen any of it."""
        self.accepted = False  #: this attempt was answered with 200 and an event stream
        self.response_headers = Headers()  #: of the answer that was accepted
        self.timing.first_byte_at = None
        self._frames.reset()
        self._decoder = self.dialect.Decoder()
        self._held = HeldEvents(
            self._accumulator, max_events=self._max_held_events, max_bytes=self._max_held_bytes
        )
        self._refusal: Refusal | None = None  # this attempt was answered with an error, which is final

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
        if self._paused and self._state is TurnState.STREAMING:
            return Want.PAUSE
        return WANTS[self._state, self._transport_open]

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
        """Begin.  Raises ``LocalProtocolError`` when called twice, or after ``stop``."""
        if self._state is not TurnState.IDLE:
            raise LocalProtocolError("this turn was started or stopped before; make a new Turn")
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

    def pause(self, now: float) -> None:
        """Stop reading: the reader's log is full.  No gap is measured while paused; what is left of it stays.

        Before the first visible output there is nothing that could fill a log: until then the turn
        reads on.
        """
        if not self._paused:
            self._paused = True
            self._gap_left = self._timers.stop(Timer.OUTPUT_GAP, now)

    def resume(self, now: float) -> None:
        """Read again."""
        if self._paused:
            self._paused = False
            if self._state is TurnState.STREAMING and self._gap_left is not None:
                self._timers.arm(Timer.OUTPUT_GAP, now + self._gap_left)

    def readers_changed(self, count: int, now: float) -> None:
        """There are now ``count`` readers; at none, the policy of the turn decides."""
        if count or self.outcome is not None:
            self._timers.disarm(Timer.NO_READER)
        elif self._on_disconnect.kind == "cancel":
            self.stop(now)
        elif self._timers.due(Timer.NO_READER) is None:
            self._timers.arm(Timer.NO_READER, now + self._on_disconnect.seconds)

    # Inputs: what the transport does

    def connected(self, now: float) -> None:
        """The transport is open and the request is on its way.

        Late, it does no harm: the turn wishes it closed.  Raises ``LocalProtocolError`` before
        ``start``.
        """
        if self._state is TurnState.IDLE:
            raise LocalProtocolError("nothing was to be connected: call start() first")
        self._transport_open = True
        # In BACKOFF the transport is late: close first, then sleep.
        self._timers.disarm(Timer.BACKOFF)
        if self._state is TurnState.CONNECTING:
            self._apply(TurnInput.CONNECTED, now)

    def response_started(self, status: int, headers: Headers, now: float) -> None:
        """The head of the answer has come."""
        if self._state is not TurnState.WAITING or self.accepted or self._refusal is not None:
            return
        self._timers.disarm(Timer.FIRST_BYTE)
        if status < 400:
            self._accept(status, headers, now)
            return
        refusal = Refusal(status, headers)
        retry_after = retry_after_seconds(headers)
        if self._retry.retries_status(status, headers) and self._may_retry(retry_after, now):
            self._fail(refusal.failure(self.dialect), now, again=True)
        else:
            # It is final, and its body says why.
            self._refusal = refusal
            self._arm(Timer.REFUSAL, now)

    def receive_data(self, data: bytes, now: float) -> None:
        """Bytes of the answer's body."""
        if not self._is_reading():
            return
        if self._refusal is not None:
            if self._refusal.receive_data(data):
                self._fail_as_refused(self._refusal, now)
        elif self.accepted:
            self._receive_stream(data, now)

    def receive_eof(self, now: float) -> None:
        """The answer's body came to its proper end."""
        if not self._is_reading():
            return
        if self._refusal is not None:
            self._fail_as_refused(self._refusal, now)
            return
        try:
            self._frames.receive_eof()
            # The dialect knows whether a stream that ends here is whole; a cut is ours to tell.
            last = [event for event in self._decoder.receive_eof() if not isinstance(event, MessageCut)]
            self._receive_events(last, now)
        except (RemoteProtocolError, LimitExceeded) as error:
            self._break(error, now)
        if self._is_reading():
            self._fail(Failure.cut("The provider's stream ended before the message was whole."), now)

    def connection_lost(self, reason: str, now: float, *, retryable: bool = True) -> None:
        """The connection could not be made, or broke; ``retryable``: another one may be better."""
        self._transport_open = False
        if self._state is TurnState.CONNECTING:
            self._fail(Failure.broken(f"The provider can't be reached: {reason}", retryable=retryable), now)
        elif self._state is TurnState.BACKOFF:
            self._arm(Timer.BACKOFF, now)
        elif self._is_reading() and self._refusal is not None:
            self._fail_as_refused(self._refusal, now)
        elif self.accepted and self._is_reading():
            self._fail(Failure.cut(f"The connection to the provider was lost: {reason}"), now)
        elif self._is_reading():
            message = f"The connection to the provider was lost before it answered: {reason}"
            self._fail(Failure.broken(message, retryable=retryable), now)

    def closed(self, now: float) -> None:
        """The transport was closed, as wished."""
        self.connection_lost("closed", now)

    def handle_timeout(self, now: float) -> None:
        """Fire the timers that are due."""
        while (timer := self._timers.next_expired(now)) is not None:
            if timer is Timer.BACKOFF and self.tool_executed and self.failure is not None:
                # A call that was shown and taken back was run nevertheless.
                self._fail(self.failure, now, again=False)
            elif timer is Timer.BACKOFF:
                self._apply(TurnInput.RETRY_DUE, now)
            elif timer is Timer.NO_READER:
                self.stop(now)
            elif self._refusal is not None:
                self._fail_as_refused(self._refusal, now)
            else:
                self._fail(Failure.expired(EXPIRY_MESSAGES[timer], retryable=self._may_pass(timer)), now)

    def _may_pass(self, timer: Timer) -> bool:
        """Whether another attempt may get by this deadline."""
        return timer in PASSING_TIMERS or (self._retry.retry_timeouts and timer is not Timer.WHOLE)

    # From bytes to inputs

    def _is_reading(self) -> bool:
        return self._state is TurnState.STREAMING or self._state is TurnState.WAITING

    def _accept(self, status: int, headers: Headers, now: float) -> None:
        problem = f"answered with status {status}" if status != 200 else stream_problem(headers)
        if problem is not None:
            self._fail(Failure.broken(f"The provider {problem}.", retryable=False), now)
            return
        self.accepted = True
        self.response_headers = headers
        self.timing.first_byte_at = now

    def _receive_stream(self, data: bytes, now: float) -> None:
        try:
            for sse in self._frames.receive_data(data):
                self._receive_events(self._decoder.receive_event(sse), now)
                if not self._is_reading():
                    return
        except (RemoteProtocolError, LimitExceeded) as error:
            self._break(error, now)

    def _receive_events(self, events: list[BlockEvent], now: float) -> None:
        for event in events:
            self._receive_event(event, now)
            if not self._is_reading():
                return

    def _receive_event(self, event: BlockEvent, now: float) -> None:
        if isinstance(event, StreamError):
            self._fail(Failure(self.dialect.error_status(event.type), event), now)
        elif isinstance(event, MessageStop):
            self._end(Outcome.COMPLETED, event, now)
        elif is_visible(event):
            self._give_out(event)
            self.timing.output(now, reasoning=is_reasoning(event))
            self._apply(TurnInput.OUTPUT, now)
        elif self._state is TurnState.STREAMING:
            self._give_out(event)
        else:
            self._held.hold(event)

    def _give_out(self, event: BlockEvent) -> None:
        """Give out ``event``, after all that was held back; or nothing, where it breaks the rules."""
        if self._state is not TurnState.STREAMING:
            self._held.check(event)
            for held in self._held.take():
                self._accumulator.receive(held)
                self._events.append(held)
        self._accumulator.receive(event)
        self._events.append(event)

    def _break(self, error: RemoteProtocolError | LimitExceeded, now: float) -> None:
        # What is beyond a bound will be so again.
        retryable = isinstance(error, RemoteProtocolError)
        self._fail(Failure.broken(f"The provider's stream is broken: {error}", retryable=retryable), now)

    # What follows

    def _fail_as_refused(self, refusal: Refusal, now: float) -> None:
        self._fail(refusal.failure(self.dialect), now, again=False)

    def _fail(self, failure: Failure, now: float, *, again: bool | None = None) -> None:
        """The attempt has failed: once more if nobody has seen anything of it, else the end.

        ``again`` says whether another one may help, where that isn't the error's own word.
        """
        self.failure = failure
        retry_after = failure.error.retry_after or retry_after_seconds(failure.headers)
        helps = failure.error.retryable if again is None else again
        if helps and self._may_repeat() and self._may_retry(retry_after, now):
            if self._state is TurnState.STREAMING:
                self._give_out(MessageReset())
                self.timing.taken_back()
            self._retry_at = now + self._retry.delay(self.attempts, self._jitter, retry_after)
            self._apply(TurnInput.RETRY, now)
            return
        truncated = failure.outcome is Outcome.TRUNCATED
        self._end(failure.outcome, MessageCut("truncated") if truncated else failure.error, now)

    def _may_repeat(self) -> bool:
        """Whether another attempt would repeat nothing: no text in front of a reader, no tool's effect."""
        if self._state is not TurnState.STREAMING:
            return not self.tool_executed
        done = self.tool_executed or self.message.server_tool_seen
        return self._retry.after_output == "retract" and not done

    def _may_retry(self, retry_after: float | None, now: float) -> bool:
        """Whether one more attempt is allowed and would begin before the whole turn is to be over."""
        whole = self._timers.due(Timer.WHOLE)
        at = now + self._retry.delay(self.attempts, no_jitter, retry_after)
        return self._retry.allows(self.attempts, retry_after) and (whole is None or at < whole)

    def _end(self, outcome: Outcome, last: BlockEvent, now: float) -> None:
        self._give_out(last)
        self.outcome = outcome
        self.timing.ended_at = now
        self._apply(TurnInput.END, now)

    def _apply(self, happened: TurnInput, now: float) -> None:
        """Go where the table says, with the timers that belong there."""
        before, self._state = self._state, TRANSITIONS[self._state, happened]
        self._timers.disarm(*STATE_TIMERS[before])
        if self._state is TurnState.CONNECTING:
            self.attempts += 1
        elif self._state is TurnState.BACKOFF:
            self._forget_attempt()
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
        if self._paused and timer is Timer.OUTPUT_GAP:
            self._gap_left = seconds
        elif seconds is not None:
            self._timers.arm(timer, now + seconds)
