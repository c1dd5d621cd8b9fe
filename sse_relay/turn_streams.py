"""What readers of a turn are given: its events, or its whole message.

Both hold their head back for a while: until the provider has answered, a failure can still become
the status of the answer, as it would have if the client had asked the provider itself.
"""

from __future__ import annotations

from sse_core.headers import Headers
from sse_core.lifecycle import (
    Failure,
    Outcome,
    Subscription,
    SubscriptionSettings,
)
from sse_core.lifecycle.timers import earlier
from sse_http import (
    GOING_DOWN,
    READER_STATES,
    HeadHold,
    Problem,
    Reply,
    StreamHead,
    StreamState,
    Waker,
    no_waker,
)
from sse_http.application import JSON_HEADERS

from .finished_turn import RETRY_ADVICE, FinishedTurn, returned_headers
from .turns import RelayedTurn

_FAILURES = frozenset({Outcome.FAILED, Outcome.EXPIRED, Outcome.TRUNCATED})


class TurnEventStream:
    """A turn's events.  A ``Stream``.

    - ``relayed``: the turn.
    - ``after``: the position to begin at.
    - ``head_hold``: for how many seconds a failure may still become the status of the answer.
    - ``settings``: how the reader is treated.
    """

    def __init__(
        self,
        relayed: RelayedTurn,
        now: float,
        *,
        after: int,
        head_hold: float,
        settings: SubscriptionSettings,
    ) -> None:
        self._relayed = relayed
        self._hold = HeadHold(now + head_hold)
        self._closed = False
        self._subscription = Subscription(relayed.log, now, after=after, settings=settings)
        relayed.reader_came(now)

    @property
    def waker(self) -> Waker:
        """Called when there may be something to pull."""
        return self._subscription.waker

    @waker.setter
    def waker(self, waker: Waker) -> None:
        self._subscription.waker = waker

    @property
    def head(self) -> StreamHead | Reply | None:
        """Known once the provider has answered, or failed, or a while has passed."""
        if self._hold.head is None and (head := self._decide_head()) is not None:
            self._hold.decide(head)
        return self._hold.head

    @property
    def state(self) -> StreamState:
        """Open until the reader has been given everything."""
        return READER_STATES[self._subscription.outcome]

    @property
    def deadline(self) -> float | None:
        """The end of the head's hold, or the subscription's own deadline."""
        return earlier(self._hold.deadline, self._subscription.deadline)

    @property
    def has_more(self) -> bool:
        """Whether the last pull left something."""
        return self._subscription.behind

    def data_to_send(self, now: float) -> bytes:
        """The next events."""
        return self._subscription.data_to_send(now)

    def handle_timeout(self, now: float) -> None:
        """A heartbeat, an eviction, or the end of the head's hold."""
        if self._hold.is_over(now):
            self._hold.decide(self.head or self._stream_head())
        self._subscription.handle_timeout(now)
        if self.state is StreamState.ABORTED:
            # The server of a reader that takes nothing may be long in closing; the turn need not wait.
            self.close(now)

    def close(self, now: float) -> None:
        """The reader has gone, or has everything."""
        if not self._closed:
            self._closed = True
            self._subscription.close(now)
            self._hold.give_up()
            self.waker = no_waker  # neither keeps the other any more
            self._relayed.reader_left(now)

    def _decide_head(self) -> StreamHead | Reply | None:
        turn, failure = self._relayed.turn, self._relayed.failure
        if failure is not None and turn.outcome in _FAILURES and not turn.accepted:
            return failure_reply(self._relayed, failure)
        if self._relayed.interrupted:
            # Nothing has been shown: to ask again is safe.
            return self._relayed.route.problem_reply(GOING_DOWN)
        until = self._hold.deadline
        waits_long = turn.retry_at is not None and until is not None and turn.retry_at > until
        if turn.accepted or turn.outcome is not None or waits_long:
            return self._stream_head()
        return None

    def _stream_head(self) -> StreamHead:
        # What the events are a representation of: where to read on after a cut.
        location = Headers([("content-location", f"/turns/{self._relayed.id}")])
        fields = _turn_headers(self._relayed, self._relayed.turn.response_headers)
        return StreamHead(200, self._relayed.route.stream_headers + location + fields)


class TurnMessageStream:
    """A turn's whole message, once there is one.  A ``Stream`` that becomes a ``Reply``.

    It reads the log only to say that nothing has to be kept for it.
    """

    def __init__(self, relayed: RelayedTurn, now: float) -> None:
        self.waker: Waker = no_waker
        self.state = StreamState.OPEN
        self.deadline: float | None = None
        self.has_more = False
        self._relayed = relayed
        self._closed = False
        relayed.log.add_reader(self)
        relayed.reader_came(now)

    @property
    def position(self) -> int:
        """Always at the end."""
        return self._relayed.log.last

    @property
    def head(self) -> Reply | None:
        """The reply, once the turn is over."""
        turn = self._relayed.turn
        if not isinstance(turn, FinishedTurn):
            return None
        fields = _turn_headers(self._relayed, turn.response_headers)
        if turn.response is not None:
            return Reply(200, Headers(JSON_HEADERS) + fields, turn.response)
        failure = self._relayed.failure
        if failure is not None and turn.outcome in _FAILURES:
            return failure_reply(self._relayed, failure)
        if self._relayed.interrupted:
            return self._relayed.route.problem_reply(GOING_DOWN)
        # Not 409: the official SDKs take that for "try again", and would undo the stop.
        message = "The turn was stopped before it was whole."
        return self._relayed.route.problem_reply(Problem(410, "stopped", message, fields))

    def log_changed(self, now: float) -> None:  # noqa: ARG002  (the face of a log's reader)
        """Something happened."""
        self.waker()

    def data_to_send(self, now: float) -> bytes:  # noqa: ARG002  (the face of a Stream)
        """Nothing: the reply is whole."""
        return b""

    def handle_timeout(self, now: float) -> None:
        """Nothing is waited for here; the turn has its own deadlines."""

    def close(self, now: float) -> None:
        """The client has gone, or has its answer."""
        if not self._closed:
            self._closed = True
            self._relayed.log.remove_reader(self, now)
            self._relayed.reader_left(now)


def failure_reply(relayed: RelayedTurn, failure: Failure) -> Reply:
    """A failed turn as the answer that the provider itself would have given."""
    fields = _turn_headers(relayed, failure.headers)
    advice = {name: failure.headers.get(name) for name in RETRY_ADVICE}
    if relayed.turn.attempts > 1 or not failure.error.retryable:
        # It was tried again here, and the SDK behind need not multiply the attempts; or another one
        # would fail as this one did.
        advice["x-should-retry"] = "false"
    fields += Headers([(name, value) for name, value in advice.items() if value is not None])
    return Reply.json(failure.status, relayed.turn.dialect.error_response(failure.error), fields)


def _turn_headers(relayed: RelayedTurn, providers: Headers) -> Headers:
    return Headers([("turn-id", relayed.id)]) + returned_headers(providers, relayed.route)
