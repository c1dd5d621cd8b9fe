"""One attempt of a turn: its redirects, its answer, and what of that nobody has seen yet."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from ...blocks import BlockEvent, MessageAccumulator
from ...dialects import Dialect
from ...headers import Headers
from ..machine import HTTPRequest, OnComment
from ..redirect import repeated, too_many_redirects
from .answer_stream import STREAM_STATUSES, AnswerStream, begins_as_no_stream, head_problem, is_untyped
from .attempt_buffer import AttemptBuffer
from .error_answer import ErrorAnswer
from .failure import Failure


@dataclass(frozen=True, slots=True)
class AttemptBounds:
    """How much an answer may be; see :class:`sse_core.lifecycle.Turn`."""

    max_line_bytes: int
    max_event_bytes: int
    max_held_events: int
    max_held_bytes: int
    max_redirects: int


class Attempt:
    """What one attempt has brought.

    - ``dialect``: reads its answer.
    - ``accumulator``: the message's, whose bounds hold for what is held back.
    - ``bounds``: how much the answer may be.
    - ``on_comment``: called while bytes are read, for each comment that has nothing before it that is held
      back; the others are among what ``take_held`` gives.
    """

    __slots__ = (
        "_accumulator",
        "_bounds",
        "_buffer",
        "_dialect",
        "_on_comment",
        "_redirects",
        "accepted",
        "body_seen",
        "error_answer",
        "response_headers",
        "response_status",
        "stream",
    )

    def __init__(
        self,
        dialect: Dialect,
        accumulator: MessageAccumulator,
        bounds: AttemptBounds,
        on_comment: OnComment | None,
    ) -> None:
        self.accepted: bool = False
        self.body_seen: bool = False  #: what its body begins with was seen
        self.error_answer: ErrorAnswer | None = None  #: the answer is no stream, and its body says why
        self.response_status: int | None = None  #: of the answer, if it was accepted
        self.response_headers: Headers = Headers()  #: likewise
        self._dialect = dialect
        self._bounds = bounds
        self._redirects = 0
        self._accumulator = accumulator
        self._on_comment = on_comment
        self._begin()

    def _begin(self) -> None:
        on_comment = None if self._on_comment is None else partial(self._comment, self._on_comment)
        bounds = self._bounds
        #: reads the answer's body
        self.stream: AnswerStream = AnswerStream(
            self._dialect, bounds.max_line_bytes, bounds.max_event_bytes, on_comment
        )
        self._buffer: AttemptBuffer | None = None  # as long as anything could be held back

    def let_go(self) -> None:
        """Nothing more is read: what was kept for that is not needed.  What the head said stays."""
        self.error_answer = None
        self._begin()

    # The head

    def follow(self, request: HTTPRequest, status: int, headers: Headers) -> HTTPRequest:
        """The answer to ``request`` is a redirect: what to send there.

        Raises ``RemoteProtocolError`` for one that must not be followed, ``LimitExceeded`` for one too many.
        """
        if self._redirects >= self._bounds.max_redirects:
            raise too_many_redirects(self._bounds.max_redirects)
        self._redirects += 1
        return repeated(request, status, headers)

    def refuse(self, status: int, headers: Headers) -> None:
        """The answer is an error: its body says which."""
        self.error_answer = ErrorAnswer(status, headers)

    def accept(self, status: int, headers: Headers) -> Failure | None:
        """The answer is no error by its status: see whether it is a stream.

        Gives the failure that it is at once; else it is accepted, or its body is to say what is wrong.
        """
        if status not in STREAM_STATUSES:
            return Failure.broken(f"The provider answered with status {status}.", retryable=False)
        problem = head_problem(headers)
        if problem is None:
            self.accepted, self.response_status, self.response_headers = True, status, headers
            self.body_seen = False
        elif (headers.get("content-type") or "").lower().startswith("text/event-stream"):
            return Failure.broken(f"The provider {problem}.", retryable=False, headers=headers)
        else:
            self.error_answer = ErrorAnswer(status, headers, problem)
        return None

    # The body

    def turns_out_no_stream(self, data: bytes) -> bool:
        """Whether an accepted answer is no stream after all, as the beginning of its body shows.

        Gateways send an error as JSON under the type that they had announced, or under none.
        """
        begins = begins_as_no_stream(data)
        self.body_seen = begins is not None
        if begins and self.response_status is not None:
            self.accepted = False
            said = (
                "without a type" if is_untyped(self.response_headers) else "with an event stream by its type"
            )
            problem = f"answered {said}, but its body is none"
            self.error_answer = ErrorAnswer(self.response_status, self.response_headers, problem)
        return bool(begins)

    # What nobody has seen

    def _comment(self, on_comment: OnComment, text: str) -> None:
        (self._buffer.hold_comment if self._buffer else on_comment)(text)

    def hold(self, event: BlockEvent) -> None:
        """Keep ``event`` back.  Raises where it may not follow, or is too much."""
        self._open_buffer().hold(event)

    def take_held(self, event: BlockEvent) -> list[BlockEvent | str]:
        """All that was held back, since ``event`` is to be seen.  Raises where that may not follow."""
        self._open_buffer().check(event)
        return self._open_buffer().take()

    def shown(self) -> None:
        """Something visible was given out: from now on nothing is held back."""
        self._buffer = None

    def _open_buffer(self) -> AttemptBuffer:
        if self._buffer is None:
            bounds = self._bounds
            self._buffer = AttemptBuffer(
                self._accumulator, max_events=bounds.max_held_events, max_bytes=bounds.max_held_bytes
            )
        return self._buffer
