"""One LLM turn: attempts, the first visible output, stop, and exactly one outcome.

Theory.  Until something visible was sent on, nobody knows how many attempts a turn took: block
events are held back, and a failed attempt's are thrown away.  The first visible event releases
them; from then on a failure is an event, never repaired in silence.  So there is never a second
message start, and never text twice; unless the policy says that the reader can take back what it was
shown, and then it is sent a ``MessageReset``, before anything comes anew.

The machine's states, timers and wishes are tables (``turn_table.py``).  What this module adds is
how bytes become inputs to those tables.
"""

from __future__ import annotations

import dataclasses

from ...blocks import BlockEvent, MessageCut, MessageReset, MessageStop, StreamError
from ...blocks.events import is_visible
from ...errors import LimitExceeded, LocalProtocolError, RemoteProtocolError
from ...headers import Headers
from ..machine import HTTPRequest
from ..redirect import is_redirect
from ..retry import no_jitter, retry_after_seconds
from ..timers import Timer
from .error_answer import ErrorAnswer
from .failure import Failure
from .timing import is_reasoning
from .turn_record import TurnRecord
from .turn_table import (
    EXPIRY_MESSAGES,
    PASSING_TIMERS,
    Outcome,
    TurnInput,
    TurnState,
)


class Turn(TurnRecord):
    """The machine of one turn.

    - ``request``: what is sent, once for each attempt.
    - ``dialect``: reads the answer.
    - ``headers``: gives the request's fields, and is called for each attempt: a token may have expired.
      What it raises ends the turn, and is raised by ``start`` or ``handle_timeout``.
    - ``retry``: how often and when a failed attempt is made again.
    - ``deadlines``: in seconds.
    - ``on_disconnect``: what it does when its last reader has gone.
    - ``jitter``, ``wall_clock``: the binding's randomness, and its time of day: seconds since 1970, for
      a ``Retry-After`` that is a date.
    - ``accumulator``: a new one; give one to set its bounds.
    - ``on_comment``: called by ``next_event`` with each comment's text, in its place among the events.
    - ``max_line_bytes``, ``max_event_bytes``: of the answer's framing, as for
      :class:`sse_core.EventStreamDecoder`.
    - ``max_held_events``, ``max_held_bytes``: of what is held back before the first visible output.
    - ``max_redirects``: of one attempt.

    Of a refusal's body, 64 KiB are read.  Raises ``TypeError`` for arguments of another type.
    """

    request: HTTPRequest  #: of the attempt: it follows redirects
    failure: Failure | None
    outcome: Outcome | None

    # Inputs: what the reader's side does

    def start(self, now: float) -> None:
        """Begin.  Raises ``LocalProtocolError`` when called twice, or after ``stop``."""
        if self._state is not TurnState.IDLE:
            raise LocalProtocolError("this turn was started or stopped before; make a new Turn")
        self.timing.started_at = now
        self._begin(Timer.WHOLE, now)
        self._apply(TurnInput.START, now)

    def stop(self, now: float) -> Outcome:
        """End the turn, whatever it is doing; idempotent.  Returns the outcome it has then.

        In every state the transport, if there is one, is to be closed at once: the wish says so.
        """
        if self.outcome is not None:
            return self.outcome
        self._end(Outcome.STOPPED, MessageCut("stopped"), now)
        return Outcome.STOPPED

    def readers_changed(self, count: int, now: float) -> None:
        """There are now ``count`` readers; at none, the policy of the turn decides."""
        if count or self.outcome is not None:
            self._timers.disarm(Timer.NO_READER)
        elif self._on_disconnect.kind == "cancel":
            self.stop(now)
        elif self._timers.due(Timer.NO_READER) is None:
            self._timers.arm(Timer.NO_READER, now + self._on_disconnect.seconds)

    # Inputs: what the transport does

    def _opened(self, now: float) -> None:
        self._apply(TurnInput.CONNECTED, now)

    def response_started(self, status: int, headers: Headers, now: float) -> None:
        """The head of the answer has come."""
        attempt = self._attempt
        if self._state is not TurnState.WAITING or attempt.accepted or attempt.error_answer is not None:
            return
        self._timers.disarm(Timer.FIRST_BYTE)
        if status >= 400:
            # Whether another attempt may help, and when, its body knows better than its status.
            self._attempt.refuse(status, headers)
            self._begin(Timer.REFUSAL, now)
        elif is_redirect(status, headers):
            self._follow(status, headers, now)
        else:
            self._accept(status, headers, now)

    def receive_data(self, data: bytes, now: float) -> None:
        """Bytes of the answer's body."""
        if self._state is not TurnState.STREAMING and not self._is_reading():
            return
        attempt = self._attempt
        if attempt.accepted and not attempt.body_seen and attempt.turns_out_no_stream(data):
            self._begin(Timer.REFUSAL, now)
        if attempt.accepted:
            self._receive_stream(data, now)
        elif attempt.error_answer is not None and attempt.error_answer.receive_data(data):
            self._fail_as_refused(attempt.error_answer, now)

    def receive_eof(self, now: float) -> None:
        """The answer's body came to its proper end."""
        if not self._is_reading():
            return
        if self._attempt.error_answer is not None:
            self._fail_as_refused(self._attempt.error_answer, now)
            return
        try:
            for event in self._attempt.stream.receive_eof():
                self._receive_event(event, now)
        except (RemoteProtocolError, LimitExceeded) as error:
            self._fail(Failure.unreadable(error), now)
        if self._is_reading():
            self._fail(Failure.cut("The provider's stream ended before the message was complete."), now)

    def _lost(self, reason: str, now: float, *, was_open: bool, retryable: bool) -> None:
        del was_open  # a turn's states say it
        if self._state is TurnState.CONNECTING:
            self._fail(Failure.unreachable(self.request.url, reason, retryable=retryable), now)
        elif self._is_reading() and self._attempt.error_answer is not None:
            self._fail_as_refused(self._attempt.error_answer, now)
        elif self.accepted and self._is_reading():
            message = f"The connection to the provider was lost: {reason}"
            self._fail(Failure.cut(message, retryable=retryable), now)
        elif self._is_reading():
            message = f"The connection to the provider was lost before it answered: {reason}"
            self._fail(Failure.broken(message, retryable=retryable), now)

    def _expired(self, timer: Timer, now: float) -> None:
        if timer is Timer.BACKOFF and self.tool_executed and self.failure is not None:
            # A call that was shown and taken back was run nevertheless.
            self._fail(self.failure, now, again=False)
        elif timer is Timer.BACKOFF:
            self._apply(TurnInput.RETRY_DUE, now)
        elif timer is Timer.NO_READER:
            self.stop(now)
        elif self._attempt.error_answer is not None:
            self._fail_as_refused(self._attempt.error_answer, now, expired=timer)
        else:
            self._fail(Failure.expired(EXPIRY_MESSAGES[timer], retryable=self._may_pass(timer)), now)

    def _may_pass(self, timer: Timer) -> bool:
        """Whether another attempt may get by this deadline."""
        return timer in PASSING_TIMERS or (self.retry.retry_timeouts and timer is not Timer.WHOLE)

    # From bytes to inputs

    def _is_reading(self) -> bool:
        return self._state is TurnState.STREAMING or self._state is TurnState.WAITING

    def _follow(self, status: int, headers: Headers, now: float) -> None:
        try:
            self.request = self._attempt.follow(self.request, status, headers)
        except (RemoteProtocolError, LimitExceeded) as error:
            message = f"The provider's redirect is not followed: {error}."
            self._fail(Failure.broken(message, retryable=False, headers=headers), now)
        else:
            self._apply(TurnInput.REDIRECT, now)

    def _accept(self, status: int, headers: Headers, now: float) -> None:
        failure = self._attempt.accept(status, headers)
        if failure is not None:
            self._fail(failure, now)
        elif self.accepted:
            self.timing.first_byte_at = now
        else:
            self._begin(Timer.REFUSAL, now)

    def _receive_stream(self, data: bytes, now: float) -> None:
        stream = self._attempt.stream
        try:
            for sse in iter(stream.frames.receive_data(data)):  # in between, it calls for comments
                for event in stream.read(sse):
                    self._receive_event(event, now)
                    if self._state is not TurnState.STREAMING and not self._is_reading():
                        return
        except (RemoteProtocolError, LimitExceeded) as error:
            self._fail(Failure.unreadable(error), now)

    def _receive_event(self, event: BlockEvent, now: float) -> None:
        if is_visible(event):
            self._give_out(event)
            self.timing.output(now, reasoning=is_reasoning(event))
            self._apply(TurnInput.OUTPUT, now)
        elif isinstance(event, StreamError):
            self._fail(Failure(self.dialect.error_status(event.type), event), now)
        elif isinstance(event, MessageStop):
            self._end(Outcome.COMPLETED, event, now)
        elif self._state is TurnState.STREAMING:
            self._give_out(event)
        else:
            self._attempt.hold(event)

    def _give_out(self, event: BlockEvent) -> None:
        """Give out ``event``, after all that was held back; or nothing, where it breaks the rules."""
        if self._state is not TurnState.STREAMING:
            for earlier in self._attempt.take_held(event):
                self._give(earlier)
        self._accumulator.receive(event)
        self._events.append(event)

    # What follows

    def _fail_as_refused(self, answer: ErrorAnswer, now: float, *, expired: Timer | None = None) -> None:
        failure = answer.failure(self.dialect)
        if expired is Timer.WHOLE:
            again = False
        elif answer.problem is None:
            again = self.retry.retries_refusal(failure.status, failure.headers, failure.error)
        else:
            # An error that came with 200 speaks for itself, if it came in time.
            again = failure.error.retryable and expired is None
        self._fail(failure, now, again=again)

    def _fail(self, failure: Failure, now: float, *, again: bool | None = None) -> None:
        """The attempt has failed: once more if nobody has seen anything of it, else the end.

        ``again`` says whether another one may help, where that isn't the error's own word.
        """
        self.failure = failure
        retry_after = failure.error.retry_after or retry_after_seconds(failure.headers, self._wall_clock)
        helps = failure.error.retryable if again is None else again
        if helps and self._may_repeat() and self._may_retry(retry_after, now):
            if self._state is TurnState.STREAMING:
                self._give_out(MessageReset())
                self.timing.taken_back()
            self._retry_at = now + self.retry.delay(self.attempts, self._jitter, retry_after)
            self._apply(TurnInput.RETRY, now)
            return
        truncated = failure.outcome is Outcome.TRUNCATED
        self._end(failure.outcome, MessageCut("truncated") if truncated else failure.error, now)

    def _may_repeat(self) -> bool:
        """Whether another attempt would repeat nothing: no text in front of a reader, no tool's effect."""
        if self._state is not TurnState.STREAMING:
            return not self.tool_executed
        done = self.tool_executed or self.message.server_tool_seen
        return self.retry.after_output == "retract" and not done

    def _may_retry(self, retry_after: float | None, now: float) -> bool:
        """Whether one more attempt is allowed and would begin before the whole turn is to be over."""
        whole = self._timers.due(Timer.WHOLE)
        at = now + self.retry.delay(self.attempts, no_jitter, retry_after)
        return self.retry.allows(self.attempts, retry_after) and (whole is None or at < whole)

    def _end(self, outcome: Outcome, last: BlockEvent, now: float) -> None:
        try:
            # Whoever reads the events on gets it when the end comes.
            for event in self._attempt.stream.held_events():
                self._give_out(event)
        except (RemoteProtocolError, LimitExceeded):
            pass  # there is no room for it in a message
        self._give_out(last)
        self.outcome = outcome
        self.timing.ended_at = now
        self._apply(TurnInput.END, now)

    def _entered(self, happened: TurnInput, now: float) -> None:
        if self._state is TurnState.STREAMING:
            self._attempt.shown()
        elif self._state is TurnState.CONNECTING and happened is not TurnInput.TRANSPORT_CLOSED:
            self._begin_attempt(now)
        elif self._state is TurnState.BACKOFF:
            self._forget_attempt()
        elif self._state is TurnState.DONE:
            self._timers.clear()
            self._let_go()

    def _let_go(self) -> None:
        # Nobody will send it again, and it may be the largest thing that a turn holds.
        self.request = self._first_request = HTTPRequest(self._first_request.url, self.request.method)
        self._attempt.let_go()

    def _begin_attempt(self, now: float) -> None:
        self.attempts += 1
        self.request = self._first_request
        if self._headers is None:
            return
        try:
            self.request = dataclasses.replace(self.request, headers=Headers(self._headers()))
        except Exception:
            # Whoever waits for the turn gets an error; whoever gave the function gets its exception.
            message = "The headers of the request could not be made."
            self._fail(Failure.broken(message, retryable=False), now, again=False)
            raise
