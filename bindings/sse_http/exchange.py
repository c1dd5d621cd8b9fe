"""The server's side of one request and its answer: what all versions of HTTP have in common.

Whoever frames messages puts one :class:`ServerExchange` around each request that it has read: takes the
head once it is known, then pulls the body, piece by piece, until it ends or is cut.  Nothing here knows how
heads, bodies and ends are written, so one connection may have many of them.

The names: ``ServerExchange`` is what a server's connection holds, and is seen by no binding.  ``Exchange``
(``application.py``) is what a binding drives towards somebody else's server, and ``ClientExchange`` is that
over HTTP.
"""

from __future__ import annotations

from collections.abc import Callable

from sse_core.arguments import check_type

from .application import Application, Reply, Request, Stream, StreamHead, StreamState, Waker, no_waker
from .problem import INTERNAL_ERROR, Problem, ShapesProblems, problem_reply

#: The application's answer and its shape of a mistake.
_MOST_FAILURES = 2


def has_body(method: str, status: int) -> bool:
    """Whether an answer with ``status`` to a request with ``method`` may have a body at all.

    RFC 9110 sections 9.3.2 (HEAD), 15.3.5 (204) and 15.4.5 (304).
    """
    return method != "HEAD" and status not in {204, 304}


class ServerExchange:
    """One request and its answer.

    - ``application``: answers the request.
    - ``request``: its head, as far as that has been read; a body is the application's alone.
    - ``on_error``: is called with every exception of the application.
    """

    __slots__ = (
        "_application",
        "_failures",
        "_on_error",
        "_stream",
        "has_begun",
        "has_more",
        "reply",
        "request",
        "state",
    )

    def __init__(
        self, application: Application, request: Request, *, on_error: Callable[[Exception], None]
    ) -> None:
        self.request: Request = request
        self.state: StreamState = StreamState.OPEN  #: whether more of the answer may come
        self.has_begun: bool = False  #: its head has been sent
        self.has_more: bool = (
            False  #: whether another pull, right after the last, may give something or end it
        )
        self.reply: Reply | None = None  #: the whole answer, where it is one
        self._application = application
        self._on_error = on_error
        self._failures = 0
        self._stream: Stream | None = None

    @property
    def deadline(self) -> float | None:
        """When to call ``handle_timeout``."""
        return None if self._stream is None else self._stream.deadline

    # Where the answer comes from

    def ask(self, request: Request, now: float, waker: Waker) -> None:
        """Let the application answer the whole ``request``.

        ``waker`` is called when there may be something to pull.
        """
        try:
            answer = self._application.handle(request, now)
            if isinstance(answer, Reply):
                self.reply = answer
            else:
                answer.waker = waker
                self._stream = answer
        except Exception as error:  # noqa: BLE001  (a stack trace must not reach the peer)
            self.fail(error, now)

    def refuse(self, answer: Reply | Problem) -> None:
        """Answer in the application's place."""
        self.reply = self._shape(answer) if isinstance(answer, Problem) else answer

    def fail(self, error: Exception, now: float) -> None:
        """The application raised, or what it gave can't be sent.

        That becomes a 500 without a word of why; or a cut, if the head has been sent or no 500 can be.
        """
        self._on_error(error)
        self._close_stream(now)
        self._failures += 1
        if self.has_begun or self._failures > _MOST_FAILURES:
            self.state = StreamState.ABORTED
            self.reply = None
        else:
            self.reply = self._shape(INTERNAL_ERROR) if self._failures == 1 else problem_reply(INTERNAL_ERROR)

    def wake_by(self, waker: Waker) -> None:
        """Have ``waker`` called from now on."""
        if self._stream is not None:
            self._stream.waker = waker

    # What is to be sent

    def find_head(self, now: float) -> StreamHead | None:
        """The head, as soon as it is known; ``None`` before, and if there will be none: see ``state``."""
        if self.reply is None and self._stream is not None:
            try:
                return self._ask_for_head(self._stream, now)
            except Exception as error:  # noqa: BLE001  (a stream is the application's too)
                self.fail(error, now)
        return None if self.reply is None else StreamHead(self.reply.status, self.reply.headers)

    def begin(self, status: int, now: float) -> None:
        """The head has been sent, with ``status``."""
        self.has_begun = True
        if not has_body(self.request.method, status):
            self._end(StreamState.FINISHED, now)

    def data_to_send(self, now: float) -> bytes:
        """The next bytes of the body.  Where there are none, ``state`` says whether more may come."""
        stream = self._stream
        if stream is None:
            return self._take_reply(now)
        try:
            data = stream.data_to_send(now)
            state = stream.state
            if not data and state is not StreamState.OPEN:
                self._end(state, now)
            self.has_more = stream.has_more or state is not StreamState.OPEN
        except Exception as error:  # noqa: BLE001  (a stream is the application's too)
            self.fail(error, now)
            return b""
        return data

    # What else happens

    def handle_timeout(self, now: float) -> bool:
        """Fire what is due; whether the answer is cut, which is to be seen though nobody pulls."""
        stream, state = self._stream, self.state
        try:
            if stream is not None:
                stream.handle_timeout(now)
                state = stream.state
        except Exception as error:  # noqa: BLE001  (a stream is the application's too)
            self.fail(error, now)
        return StreamState.ABORTED in (state, self.state)

    def close(self, now: float) -> None:
        """It is over, whoever ended it; idempotent."""
        self._close_stream(now)

    def _ask_for_head(self, stream: Stream, now: float) -> StreamHead | None:
        head = stream.head
        if isinstance(head, Reply):
            self._close_stream(now)
            self.reply = head
            return StreamHead(head.status, head.headers)
        if head is None and stream.state is not StreamState.OPEN:
            self._end(StreamState.ABORTED, now)
        return head

    def _take_reply(self, now: float) -> bytes:
        if self.reply is None or self.state is not StreamState.OPEN:
            return b""
        self._end(StreamState.FINISHED, now)
        return self.reply.body

    def _end(self, state: StreamState, now: float) -> None:
        self.state = state
        self._close_stream(now)

    def _close_stream(self, now: float) -> None:
        stream, self._stream = self._stream, None
        if stream is None:
            return
        stream.waker = no_waker  # what is over wakes nobody
        try:
            stream.close(now)
        except Exception as error:  # noqa: BLE001  (a stream is the application's too)
            self._on_error(error)

    def _shape(self, problem: Problem) -> Reply:
        """``problem`` as the application has it, if it says how."""
        if isinstance(self._application, ShapesProblems):
            try:
                reply = self._application.problem_reply(self.request, problem)
                check_type("the answer of problem_reply", reply, Reply)
            except Exception as error:  # noqa: BLE001  (it is the application's too)
                self._on_error(error)
            else:
                return reply
        return problem_reply(problem)
