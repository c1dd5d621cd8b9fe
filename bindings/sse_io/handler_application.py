"""Plain handlers as an application: what can be decided without running one.

A binding runs a handler as a task or on a thread, and asks a ``HandlerCall`` what to make of what it
gives.  When the reader has gone, the call is cancelled: its socket is closed already.  When the handler has
ended, ``finished`` says so, and then its connection's place is free.
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, cast

from sse_core.lifecycle.retry import Jitter, no_jitter
from sse_http import (
    Application,
    EventItem,
    EventStreamReply,
    Exchange,
    Follow,
    HandlerAnswer,
    HandlerSettings,
    Reply,
    Request,
    Waker,
    no_waker,
)

#: What a handler may return.
HandlerResult = Reply | EventStreamReply | Follow | AsyncIterator[EventItem]
#: ``async def handler(request)`` that returns one of these, or that yields itself.
Handler = Callable[[Request], Awaitable[HandlerResult] | AsyncIterator[EventItem]]
#: What a handler may return that blocks.
BlockingResult = Reply | EventStreamReply | Follow | Iterator[EventItem]
#: ``def handler(request)`` that returns one of these, or that yields itself.
BlockingHandler = Callable[[Request], BlockingResult]

#: What an application has: see ``sse_http.Application``.
_APPLICATION = ("handle", "upstreams", "handle_timeout", "close", "deadline", "waker")


class HandlerCall:
    """One request to a handler, its answer, and how to cancel the task that runs it.

    - ``handler``: what the task calls.
    - ``request``: what it is called with.
    - ``answer``: what is to be made of what it returns or yields.
    - ``finished``: called once, when the task has ended.
    """

    def __init__(
        self,
        handler: Handler | BlockingHandler,
        request: Request,
        answer: HandlerAnswer,
        finished: Waker,
    ) -> None:
        self.answer = answer
        self.cancel: Waker = no_waker  #: set by the binding: ends the task, wherever it is
        self.finished = finished  #: to be called when the task has ended, whether it was begun or not
        self._handler = handler
        self._request = request

    def begin(self) -> Any:
        """Call the handler: gives a result, or, where it is ``async``, what is awaited for one."""
        return self._handler(self._request)

    def take(self, result: object, now: float) -> AsyncIterable[EventItem] | None:
        """Pass on what the handler gave; the items to be pulled, if there are any.

        Each is passed to ``answer.receive``, while ``answer`` isn't ``full``; then ``answer.finish``.  Raises
        ``TypeError`` for what is no answer.
        """
        if self._pass_on(result, now):
            return None
        events = self._events_of(result)
        if not isinstance(events, AsyncIterable):
            raise _no_answer("an async iterator", events)
        return events

    def take_blocking(self, result: object, now: float) -> Iterable[EventItem] | None:
        """The same of a handler that blocks."""
        if self._pass_on(result, now):
            return None
        events = self._events_of(result)
        # A list in an EventStreamReply is events; by itself it may have been meant as JSON.
        is_iterable = isinstance(events, Iterable) and not isinstance(events, str | bytes | Mapping)
        if isinstance(events, Iterator) or (events is not result and is_iterable):
            return cast("Iterable[EventItem]", events)
        if inspect.iscoroutine(events):
            events.close()  # or Python says that nobody has awaited it
        raise _no_answer("an iterator", events)

    def _pass_on(self, result: object, now: float) -> bool:
        """Whether that is the whole answer."""
        if isinstance(result, Reply):
            self.answer.reply(result)
        elif isinstance(result, Follow):
            self.answer.follow(result, self._request, now)
        else:
            return False
        return True

    def _events_of(self, result: object) -> object:
        """What has to be an iterator."""
        if isinstance(result, EventStreamReply):
            self.answer.set_head(result)
            return result.events
        return result


def _no_answer(wanted: str, given: object) -> TypeError:
    return TypeError(
        f"a handler gives a Reply, an EventStreamReply, a Follow or {wanted}, not {type(given).__name__}"
    )


class HandlerApplication:
    """``handler`` as the application of all connections; ``within`` makes the one of each.

    - ``start``: begins to run a call, in a task of its own, later than in this very moment.
    - ``jitter``: the binding's randomness, from 0 to 1.
    """

    deadline: float | None = None

    def __init__(
        self,
        handler: Handler | BlockingHandler,
        settings: HandlerSettings,
        start: Callable[[HandlerCall], None],
        jitter: Jitter = no_jitter,
        answers: set[HandlerAnswer] | None = None,
    ) -> None:
        self.waker = no_waker
        self.on_idle = no_waker  #: called when the last call of this connection has ended
        self.running: int = 0  #: calls that haven't ended
        self._handler = handler
        self._settings = settings
        self._start = start
        self._jitter = jitter
        self._answers: set[HandlerAnswer] = set() if answers is None else answers

    def within(self) -> HandlerApplication:
        """The application of one connection; all share the answers that have not ended."""
        return HandlerApplication(self._handler, self._settings, self._start, self._jitter, self._answers)

    def handle(self, request: Request, now: float) -> HandlerAnswer:  # noqa: ARG002  (an Application's face)
        """Start the handler; its answer is known later."""
        answer = HandlerAnswer(self._settings, method=request.method)
        call = HandlerCall(self._handler, request, answer, self._finished)
        self._answers.add(answer)

        def end() -> None:
            self._answers.discard(answer)
            answer.on_close = no_waker  # it would keep all of this
            call.cancel()

        answer.on_close = end
        self.running += 1
        self._start(call)
        return answer

    def _finished(self) -> None:
        self.running -= 1
        if not self.running:
            self.on_idle()

    def check_head(self, request: Request, now: float) -> Reply | int | None:
        """The handler's own check, if it has one."""
        check = self._settings.check_head
        return None if check is None else check(request, now)

    def upstreams(self) -> list[Exchange]:
        """None: a handler connects by itself."""
        return []

    def handle_timeout(self, now: float) -> None:
        """Waits for nothing."""

    def drain(self, now: float) -> None:  # noqa: ARG002  (an application's face)
        """Readers are told when to come back; no handler is cancelled yet."""
        for answer in tuple(self._answers):
            answer.announce_end(self._jitter())

    def close(self, now: float) -> None:
        """Cancel every handler; what it has given is sent, and its answer ends properly."""
        for answer in tuple(self._answers):
            answer.stop(now)


def as_application(
    served: Application | Handler | BlockingHandler,
    settings: HandlerSettings,
    start: Callable[[HandlerCall], None],
    jitter: Jitter = no_jitter,
    *,
    blocking: bool = False,
) -> Application:
    """``served`` itself, or the handler that it is as an application.

    - ``served``: either.
    - ``settings``: of a handler's answers.
    - ``start``: called with each request to a handler, to run it in a task, or on a thread.
    - ``jitter``: the binding's randomness, from 0 to 1.
    - ``blocking``: whether handlers are plain functions and generators, each of which has a thread.

    Raises ``TypeError``, saying what to pass, for what is neither.
    """
    if hasattr(served, "handle"):
        missing = [name for name in _APPLICATION if not hasattr(served, name)]
        if missing:
            raise TypeError(f"an application needs {', '.join(missing)} too: see sse_http.Application")
        return cast("Application", served)
    _check_handler(served, blocking=blocking)
    return HandlerApplication(served, settings, start, jitter)  # pyright: ignore[reportArgumentType]  # no application


def _check_handler(served: object, *, blocking: bool) -> None:
    define = "def" if blocking else "async def"
    wanted = f"serve takes an application, or a handler: {define} handler(request)"
    if inspect.iscoroutine(served) or inspect.isasyncgen(served) or inspect.isgenerator(served):
        raise TypeError(f"{wanted}; pass the handler itself, without calling it")
    if not callable(served):
        raise TypeError(f"{wanted}; not {type(served).__name__}")
    function = _function_of(served)
    is_async = inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)
    if blocking:
        if is_async:
            raise TypeError(f"{wanted}; this one is async: sse_trio.serve and sse_anyio.serve take it")
    elif inspect.isgeneratorfunction(function):
        raise TypeError(f"{wanted}; this generator is not async: write async def in front of it")
    elif inspect.isfunction(function) and not is_async:
        raise TypeError(f"{wanted}; this one is a plain def: write async def in front of it")


def _function_of(served: object) -> object:
    """The function that runs when ``served`` is called, as far as that can be seen."""
    function: object = inspect.unwrap(cast("Handler", served))
    while isinstance(function, partial):
        function = inspect.unwrap(function.func)
    if not inspect.isroutine(function) and not inspect.isclass(function):
        function = inspect.unwrap(type(function).__call__)
    return getattr(function, "__func__", function)
