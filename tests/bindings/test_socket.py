"""The scenarios on plain sockets.

What is ``async`` in a scenario awaits nothing but what its host offers, and here these simply block.  So a
reader runs to its end in the thread that calls it; a handler becomes a plain function, an async iterator
of events a generator.
"""

from __future__ import annotations

import contextlib
import inspect
import logging
import queue
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from types import TracebackType
from typing import Any, Self, TypeVar

import pytest
from outcome import Outcome, capture

import sse_socket
from sse_http import EventStreamReply, Reply, Request
from tests.bindings.client_scenario import ClientScenario
from tests.bindings.peers import PATIENCE
from tests.bindings.runner import finish
from tests.bindings.scenarios.arguments import REFUSED, REFUSED_WHERE_HANDLERS_BLOCK, Refused
from tests.bindings.scenarios.catalogue import CLIENT_SCENARIOS, SERVER_SCENARIOS
from tests.bindings.server_scenario import ServerScenario

T = TypeVar("T")


class Stream:
    """A blocking stream with the face of one that is awaited."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    async def __aenter__(self) -> Self:
        self._stream.__enter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.__exit__(kind, error, trace)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        try:
            return next(self._stream)
        except StopIteration:
            raise StopAsyncIteration from None

    @property
    def text_stream(self) -> Stream:
        return Stream(self._stream.text_stream)

    async def stop(self) -> Any:
        return self._stream.stop()

    async def aclose(self) -> None:
        self._stream.close()


class ServerEnds(Exception):
    """What a program's own handlers would be told in the end, so that they don't wait any more."""


class Event:
    """An event whose ``wait`` blocks, as long as the server runs."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        self._event.set()

    async def wait(self) -> None:
        RUNNER.wait_for(self._event.is_set)


def blocking(served: Any) -> Any:
    """The handler that a scenario's is where handlers block."""

    def handler(request: Request) -> Any:
        try:
            result = served(request)
            return as_iterator(finish(result) if inspect.iscoroutine(result) else result)
        except ServerEnds:
            return Reply(503)

    return handler


def as_iterator(result: Any) -> Any:
    """What a handler returns that blocks: the same, with plain iterators in it."""
    if isinstance(result, EventStreamReply):
        result.events = as_iterator(result.events)
        return result
    return pulled(result) if isinstance(result, AsyncIterator) else result


def pulled(items: Any) -> Iterator[Any]:
    try:
        while True:
            try:
                item = finish(anext(items))
            except (StopAsyncIteration, ServerEnds):
                return
            yield item
    finally:
        with contextlib.suppress(ServerEnds):
            finish(items.aclose())


class SocketServing:
    """``sse_socket.serve`` in a thread of its own."""

    def __init__(self, served: Any, options: dict[str, Any]) -> None:
        self.port = 0
        self.ending = threading.Event()
        self._handle = sse_socket.ServerHandle()
        self._served = served
        self._options = {"host": "127.0.0.1", **options}
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        """Return when it listens; raise what ``serve`` raises before that."""
        self._thread.start()
        try:
            self.port = self._handle.wait_until_started(PATIENCE)
        except RuntimeError:
            self.finish()
            raise

    def call(self, function: Callable[[], T]) -> T:
        outcome: queue.SimpleQueue[Outcome[T]] = queue.SimpleQueue()
        self._handle.call_soon(lambda: outcome.put(capture(function)))
        return outcome.get(timeout=10).unwrap()

    def post(self, function: Callable[[], None]) -> None:
        """The same without a result; what it raises is the server's to report."""
        self._handle.call_soon(function)

    def stop(self) -> None:
        self._handle.stop()
        self.ending.set()

    def finish(self) -> None:
        """Stop it, wait for its end, and raise what ``serve`` raised."""
        if not self.ending.is_set():
            with contextlib.suppress(RuntimeError):
                self.call(lambda: None)  # so that it has seen what its clients did last
        self.stop()
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            sse_socket.serve(self._served, handle=self._handle, **self._options)
        except BaseException as error:  # noqa: BLE001  (whatever it is, it is the test's)
            self._failure = error


class SocketRunner:
    """Threads that block, and ``sse_socket``."""

    #: A thread can't be interrupted: neither a reader's nor a handler's.  Nor is there anything to await.
    lacks: frozenset[str] = frozenset({"cancel", "interrupt", "await headers"})
    now = staticmethod(time.monotonic)
    event = Event

    def __init__(self) -> None:
        self._servings: list[SocketServing] = []

    async def sleep(self, seconds: float) -> None:
        time.sleep(seconds)  # noqa: ASYNC251  (nobody awaits here)

    async def sleep_for_ever(self) -> None:
        self.wait_for(lambda: False)

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Block a handler, as long as there is a server that hasn't been stopped."""
        end = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < end
            if any(serving.ending.is_set() for serving in self._servings) or not self._servings:
                raise ServerEnds
            time.sleep(0.001)

    def protected(self) -> AbstractContextManager[object]:
        return contextlib.nullcontext()

    async def within(self, seconds: float, wait: Callable[[], Awaitable[object]]) -> bool:
        raise NotImplementedError

    async def side_by_side(self, *waits: Callable[[], Awaitable[object]]) -> None:
        outcomes: list[Outcome[object]] = []
        threads = [
            threading.Thread(target=lambda wait=wait: outcomes.append(capture(finish, wait())))
            for wait in waits
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for outcome in outcomes:
            outcome.unwrap()

    def run(self, play: Callable[[], Awaitable[T]]) -> T:
        result: T = finish(play())
        return result

    def connect(self, url: str, **options: Any) -> AbstractAsyncContextManager[Any]:
        return Stream(sse_socket.connect(url, **options))

    def stream_turn(self, upstream: Any, body: Any, **options: Any) -> AbstractAsyncContextManager[Any]:
        return Stream(sse_socket.stream_turn(upstream, body, **options))

    @contextlib.contextmanager
    def serving(self, served: Any, *, adapted: bool = True, **options: Any) -> Iterator[SocketServing]:
        is_handler = callable(served) and not hasattr(served, "handle")
        serving = SocketServing(blocking(served) if is_handler and adapted else served, options)
        self._servings.append(serving)
        try:
            serving.start()
            try:
                yield serving
            finally:
                serving.finish()
        finally:
            self._servings.remove(serving)


RUNNER = SocketRunner()


def played(scenarios: list[Any]) -> list[Any]:
    """Those that this binding can play; what it lacks is said at ``lacks``."""
    return [scenario for scenario in scenarios if not scenario.needs & RUNNER.lacks]


@pytest.mark.parametrize("scenario", played(CLIENT_SCENARIOS), ids=lambda scenario: scenario.name)
def test_client(scenario: ClientScenario) -> None:
    scenario.play(RUNNER)


@pytest.mark.parametrize("scenario", played(SERVER_SCENARIOS), ids=lambda scenario: scenario.name)
def test_server(scenario: ServerScenario, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    scenario.play(RUNNER, caplog.records)


@pytest.mark.parametrize(
    "refused", [*REFUSED, *REFUSED_WHERE_HANDLERS_BLOCK], ids=lambda refused: refused.name
)
def test_arguments(refused: Refused) -> None:
    refused.play(RUNNER)
