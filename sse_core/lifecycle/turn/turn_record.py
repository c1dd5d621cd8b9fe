"""A turn as it is seen from outside: what it was made of, how far it is, what it wishes, what it gives.

Nothing here changes where a turn is: that is for :class:`.turn.Turn`.
"""

from __future__ import annotations

from collections.abc import Callable

from ...arguments import check_type
from ...blocks import BlockEvent, Message, MessageAccumulator
from ...dialects import Dialect
from ...errors import LocalProtocolError
from ...framing.decoder import DEFAULT_MAX_BYTES
from ...headers import Headers, HeadersLike
from ..machine import HTTPRequest, OnComment, TabledMachine
from ..policies import Deadlines, OnDisconnect
from ..redirect import DEFAULT_MAX_REDIRECTS
from ..retry import Jitter, RetryPolicy, WallClock, no_jitter
from .attempt import Attempt, AttemptBounds
from .failure import Failure
from .timing import Timing
from .turn_table import TABLES, Outcome, TurnInput, TurnState

#: What a turn has that was given none; one of each for all turns.
_DEADLINES, _RETRY, _ON_DISCONNECT = Deadlines(), RetryPolicy(), OnDisconnect()


def _no_listener(text: str) -> None:
    """Where nobody listens no comment is kept."""


class TurnRecord(TabledMachine[TurnState, TurnInput, Deadlines]):
    """The state of one turn, and its outputs.  For its arguments see :class:`.turn.Turn`."""

    def __init__(
        self,
        request: HTTPRequest,
        dialect: Dialect,
        *,
        headers: Callable[[], HeadersLike] | None = None,
        retry: RetryPolicy | None = None,
        deadlines: Deadlines | None = None,
        on_disconnect: OnDisconnect | None = None,
        jitter: Jitter = no_jitter,
        wall_clock: WallClock | None = None,
        accumulator: MessageAccumulator | None = None,
        on_comment: OnComment | None = None,
        max_line_bytes: int = DEFAULT_MAX_BYTES,
        max_event_bytes: int = DEFAULT_MAX_BYTES,
        max_held_events: int = 1000,
        max_held_bytes: int = 4 * 2**20,
        max_redirects: int = DEFAULT_MAX_REDIRECTS,
    ) -> None:
        check_type(
            "Turn", request, HTTPRequest, hint="HTTPRequest(url, 'POST', headers, body), or Upstream(url)"
        )
        check_type("dialect", dialect, Dialect, hint="dialects.get gives one by its name")
        check_type("retry", retry, RetryPolicy, type(None))
        check_type("deadlines", deadlines, Deadlines, type(None))
        check_type("on_disconnect", on_disconnect, OnDisconnect, type(None))
        super().__init__(TABLES, deadlines or _DEADLINES)
        self.request = request  #: what to send; it follows redirects within an attempt
        self.timing: Timing = Timing()
        self.attempts = 0
        self.failure: Failure | None = None  #: the last attempt's; also of one that was retried
        self.outcome: Outcome | None = None
        self.tool_executed = False  #: set it if a tool was run, whatever the message said: no retry then
        self.dialect = dialect
        self.retry: RetryPolicy = retry or _RETRY
        self._headers = headers
        self._on_disconnect = on_disconnect or _ON_DISCONNECT
        self._jitter = jitter
        self._wall_clock = wall_clock
        self._accumulator = accumulator or MessageAccumulator()
        self._has_listener = on_comment is not None
        self._on_comment = on_comment or _no_listener
        self._bounds = AttemptBounds(
            max_line_bytes, max_event_bytes, max_held_events, max_held_bytes, max_redirects
        )
        self._events: list[BlockEvent | str] = []  # a comment is its text
        self._given = 0  # how many of them next_event has given
        self._first_request = request
        self._forget_attempt()

    def _forget_attempt(self) -> None:
        """Nothing of the last attempt is left; nobody has seen any of it."""
        self.timing.first_byte_at = None
        on_comment = self._events.append if self._has_listener else None
        self._attempt = Attempt(self.dialect, self._accumulator, self._bounds, on_comment)

    # Outputs

    @property
    def message(self) -> Message:
        """The message so far, as the events that were given out make it."""
        return self._accumulator.message

    @property
    def accepted(self) -> bool:
        """Whether this attempt was answered with an event stream."""
        return self._attempt.accepted

    @property
    def response_status(self) -> int | None:
        """The status of the answer that was accepted."""
        return self._attempt.response_status

    @property
    def response_headers(self) -> Headers:
        """The fields of the answer that was accepted."""
        return self._attempt.response_headers

    @property
    def retry_at(self) -> float | None:
        """When the next attempt begins, in back-off; else ``None``."""
        return self._retry_at if self._state is TurnState.BACKOFF else None

    def next_event(self) -> BlockEvent | None:
        """The next block event for the reader, or ``None``.

        ``on_comment`` is called first for comments that come before it; what it raises is raised here.
        """
        events = self._events  # a list, since an empty deque has 760 bytes
        while self._given < len(events):
            event = events[self._given]
            self._given += 1
            if not isinstance(event, str):
                return event
            self._on_comment(event)
        events.clear()
        self._given = 0
        return None

    def raise_for_outcome(self) -> None:
        """Raise unless the turn has completed.

        Raises ``TurnError``, with the provider's words where it said why, for every other outcome; and
        ``LocalProtocolError`` while there is none.
        """
        if self.outcome is None:
            raise LocalProtocolError("the turn has not ended: read its events to their end first")
        if self.outcome is not Outcome.COMPLETED:
            failure = None if self.outcome is Outcome.STOPPED else self.failure
            raise (failure or Failure.stopped()).exception()

    def check_text_stream(self) -> None:
        """See that a text that was given stays.  Raises ``LocalProtocolError`` where it may be taken back."""
        if self.retry.after_output == "retract":
            raise LocalProtocolError(
                "a text can't take back what it gave: read events, or use RetryPolicy(after_output='never')"
            )

    def _give(self, event: BlockEvent | str) -> None:
        if not isinstance(event, str):
            self._accumulator.receive(event)
        self._events.append(event)
