"""The scenarios on trio."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any, TypeVar

import pytest
import trio
from outcome import Outcome, capture

import sse_trio
from tests.bindings.client_scenario import ClientScenario
from tests.bindings.scenarios.arguments import REFUSED, REFUSED_WHERE_HANDLERS_ARE_ASYNC, Refused
from tests.bindings.scenarios.catalogue import CLIENT_SCENARIOS, SERVER_SCENARIOS
from tests.bindings.server_scenario import ServerScenario

T = TypeVar("T")


class TrioServing:
    """``sse_trio.serve`` in a thread of its own."""

    def __init__(self, served: Any, options: dict[str, Any]) -> None:
        self.port = 0
        self._served = served
        self._options = {"host": "127.0.0.1", **options}
        self._begun: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
        self._scope = trio.CancelScope()
        self._token: trio.lowlevel.TrioToken
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        """Return when it listens; raise what ``serve`` raises before that."""
        self._thread.start()
        if (error := self._begun.get()) is not None:
            self._thread.join()
            raise error

    def call(self, function: Callable[[], T]) -> T:
        outcome: queue.SimpleQueue[Outcome[T]] = queue.SimpleQueue()
        self._token.run_sync_soon(lambda: outcome.put(capture(function)))
        return outcome.get(timeout=10).unwrap()

    def stop(self) -> None:
        with contextlib.suppress(trio.RunFinishedError):
            self._token.run_sync_soon(self._scope.cancel)

    def finish(self) -> None:
        """Stop it, wait for its end, and raise what ``serve`` raised."""
        self.stop()
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            trio.run(self._serve)
        except BaseException as error:  # noqa: BLE001  (whatever it is, it is the test's)
            self._failure = error
            self._begun.put(error)

    async def _serve(self) -> None:
        self._token = trio.lowlevel.current_trio_token()
        with self._scope:
            await sse_trio.serve(self._served, task_status=self, **self._options)

    def started(self, port: int | None = None) -> None:
        """What ``serve`` calls when it listens."""
        self.port = port or 0
        self._begun.put(None)


class TrioRunner:
    """trio, and ``sse_trio``."""

    lacks: frozenset[str] = frozenset()
    now = staticmethod(trio.current_time)
    event = trio.Event
    sleep = staticmethod(trio.sleep)
    sleep_for_ever = staticmethod(trio.sleep_forever)

    def protected(self) -> AbstractContextManager[object]:
        return trio.CancelScope(shield=True)

    async def within(self, seconds: float, wait: Callable[[], Awaitable[object]]) -> bool:
        with trio.move_on_after(seconds) as scope:
            await wait()
        return not scope.cancelled_caught

    async def side_by_side(self, *waits: Callable[[], Awaitable[object]]) -> None:
        async with trio.open_nursery() as nursery:
            for wait in waits:
                nursery.start_soon(wait)

    def run(self, play: Callable[[], Awaitable[T]]) -> T:
        return trio.run(play)

    def connect(self, url: str, **options: Any) -> AbstractAsyncContextManager[Any]:
        return sse_trio.connect(url, **options)

    def stream_turn(self, upstream: Any, body: Any, **options: Any) -> AbstractAsyncContextManager[Any]:
        return sse_trio.stream_turn(upstream, body, **options)

    @contextlib.contextmanager
    def serving(self, served: Any, **options: Any) -> Iterator[TrioServing]:
        serving = TrioServing(served, options)
        serving.start()
        try:
            yield serving
        finally:
            serving.finish()


RUNNER = TrioRunner()


@pytest.mark.parametrize("scenario", CLIENT_SCENARIOS, ids=lambda scenario: scenario.name)
def test_client(scenario: ClientScenario) -> None:
    scenario.play(RUNNER)


@pytest.mark.parametrize("scenario", SERVER_SCENARIOS, ids=lambda scenario: scenario.name)
def test_server(scenario: ServerScenario, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    scenario.play(RUNNER, caplog.records)


@pytest.mark.parametrize(
    "refused", [*REFUSED, *REFUSED_WHERE_HANDLERS_ARE_ASYNC], ids=lambda refused: refused.name
)
def test_arguments(refused: Refused) -> None:
    refused.play(RUNNER)
