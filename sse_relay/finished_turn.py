"""What is kept of a turn that has ended: what those who come late may still ask of it, and no more.

A turn that runs has a decoder, a connection's state, the request's headers and what it held back; once it has
an outcome nobody needs any of it.  What is left is counted, so that a bound on finished turns is one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sse_core.blocks import strict_json
from sse_core.dialects import Dialect
from sse_core.headers import Headers
from sse_core.lifecycle import Failure, Outcome, Timing, Turn, TurnState, Want
from sse_http import Endpoint, Reply, Waker, no_waker

from .field_names import matcher
from .routes import Route

#: What a failed answer says about a retry, in words that the SDKs heed.
RETRY_ADVICE = ("retry-after", "retry-after-ms", "x-should-retry")

#: What a turn takes besides its events, its message and its headers: objects and their places in tables.
TURN_OVERHEAD_BYTES = 3_000
#: Characters of a stop reason that a log line has at most.
_MAX_STOP_REASON = 200
#: The same of a header.
_HEADER_OVERHEAD_BYTES = 200


def returned_headers(headers: Headers, route: Route) -> Headers:
    """Those of the provider's ``headers`` that a client gets."""
    return headers.where(matcher(route.returned_headers))


@dataclass(frozen=True, slots=True)
class FinishedTurn:
    """A turn that has an outcome; it has the names of a :class:`~sse_core.lifecycle.Turn`."""

    dialect: Dialect
    outcome: Outcome
    response: bytes | None  #: the whole message as JSON, if somebody may ask for it
    stop_reason: str
    output_tokens: int | None
    failure: Failure | None
    reason: str | None  #: why it failed, in our own words; a provider's may repeat a question, or a key
    accepted: bool
    response_headers: Headers
    attempts: int
    timing: Timing
    state: TurnState = TurnState.DONE
    retry_at: float | None = None

    @classmethod
    def of(
        cls, turn: Turn, outcome: Outcome, route: Route, *, lost: str, with_response: bool
    ) -> FinishedTurn:
        """What is kept of ``turn``.

        - ``route``: says which of the provider's header fields a client gets.
        - ``lost``: why a connection was lost, if one was.
        - ``with_response``: somebody may ask for the whole message.
        """
        is_whole = with_response and outcome is Outcome.COMPLETED
        message = turn.message
        return cls(
            turn.dialect,
            outcome,
            Reply.json(200, turn.dialect.to_response(message)).body if is_whole else None,
            (message.stop_reason or "")[:_MAX_STOP_REASON],
            message.token_counts.output if outcome is Outcome.COMPLETED else None,
            None if turn.failure is None else _in_short(turn.failure, route),
            None if turn.failure is None else _own_reason(turn.failure, lost),
            turn.accepted,
            returned_headers(turn.response_headers, route),
            turn.attempts,
            turn.timing,
        )

    @property
    def retained_bytes(self) -> int:
        """What is kept."""
        headers = [*self.response_headers, *(self.failure.headers if self.failure else ())]
        sizes = [_HEADER_OVERHEAD_BYTES + len(name) + len(value) for name, value in headers]
        error = self.failure.error if self.failure else None
        words = len(error.message) + len(strict_json.dumps(error.extra)) if error else 0
        return TURN_OVERHEAD_BYTES + sum(sizes) + words + len(self.response or b"")

    def stop(self, now: float) -> Outcome:  # noqa: ARG002  (as a turn that runs)
        """It has ended already; returns the outcome that it has."""
        return self.outcome

    def readers_changed(self, count: int, now: float) -> None:
        """Nothing hangs on its readers any more."""


class FinishedExchange:
    """The exchange of a turn that has ended: a connection that comes late is to be closed."""

    target: Endpoint = Endpoint("", 0)
    deadline = None

    def __init__(self) -> None:
        self.waker: Waker = no_waker
        self.want: Want = Want.NOTHING

    def connected(self, now: float) -> None:  # noqa: ARG002  (the face of an Exchange)
        """It comes too late."""
        self.want = Want.CLOSE

    def data_to_send(self) -> bytes:
        """Nothing."""
        return b""

    def receive_data(self, data: bytes, now: float) -> None:
        """Nobody listens any more."""

    def connection_lost(self, reason: str, now: float, *, retryable: bool = True) -> None:  # noqa: ARG002  (the face of an Exchange)
        """That is as well."""
        self.want = Want.NOTHING

    def closed(self, now: float) -> None:  # noqa: ARG002  (the face of an Exchange)
        """As wished."""
        self.want = Want.NOTHING

    def handle_timeout(self, now: float) -> None:
        """Nothing is due."""


def _in_short(failure: Failure, route: Route) -> Failure:
    """``failure`` without what nobody gets to see of it."""
    headers = returned_headers(failure.headers, route) + failure.headers.where(RETRY_ADVICE.__contains__)
    return replace(failure, headers=headers, error=replace(failure.error, source=None))


def _own_reason(failure: Failure, lost: str) -> str | None:
    if failure.headers or failure.error.source is not None:
        return None
    message = failure.reason
    # Why a stream is broken may be said in words of the stream.
    return message if lost and lost in message else message.partition(": ")[0]
