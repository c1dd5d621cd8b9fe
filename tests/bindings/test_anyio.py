"""The scenarios on anyio: on asyncio, on uvloop, and on trio."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any, TypeVar

import anyio
import pytest
import trio
from outcome import Outcome, capture

import sse_anyio
from tests.bindings.client_scenario import ClientScenario
from tests.bindings.scenarios.arguments import REFUSED, REFUSED_WHERE_HANDLERS_ARE_ASYNC, Refused
from tests.bindings.scenarios.catalogue import CLIENT_SCENARIOS, SERVER_SCENARIOS
from tests.bindings.server_scenario import ServerScenario

T = TypeVar("T")
Scenario = TypeVar("Scenario", ClientScenario, ServerScenario)
#: One scenario in so many is played on an event loop that isn't asyncio's own.
PART = 8
#: How an event loop is begun: the arguments of ``anyio.run``.
LOOPS: dict[str, dict[str, Any]] = {
    "asyncio": {"backend": "asyncio"},
    "uvloop": {"backend": "asyncio", "backend_options": {"use_uvloop": True}},
    "trio": {"backend": "trio"},
}
if sys.platform == "win32":
    del LOOPS["uvloop"]


class AnyioServing:
    """``sse_anyio.serve`` in a thread of its own."""

    def __init__(self, loop: dict[str, Any], served: Any, options: dict[str, Any]) -> None:
        self.port = 0
        self._loop = loop
        self._served = served
        self._options = {"host": "127.0.0.1", **options}
        self._begun: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
        self._scope: anyio.CancelScope
        self._call_soon: Callable[[Callable[[], object]], object]
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
        self._call_soon(lambda: outcome.put(capture(function)))
        return outcome.get(timeout=10).unwrap()

    def stop(self) -> None:
        with contextlib.suppress(RuntimeError, trio.RunFinishedError):
            self._call_soon(self._scope.cancel)

    def finish(self) -> None:
        """Stop it, wait for its end, and raise what ``serve`` raised."""
        self.stop()
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            anyio.run(self._serve, **self._loop)
        except BaseException as error:  # noqa: BLE001  (whatever it is, it is the test's)
            self._failure = error
            self._begun.put(error)

    async def _serve(self) -> None:
        if self._loop["backend"] == "trio":
            self._call_soon = trio.lowlevel.current_trio_token().run_sync_soon
        else:
            self._call_soon = asyncio.get_running_loop().call_soon_threadsafe
        self._scope = anyio.CancelScope()
        with self._scope:
            await sse_anyio.serve(self._served, task_status=self, **self._options)

    def started(self, port: int | None = None) -> None:
        """What ``serve`` calls when it listens."""
        self.port = port or 0
        self._begun.put(None)


class AnyioRunner:
    """anyio, and ``sse_anyio``."""

    lacks: frozenset[str] = frozenset()
    event = anyio.Event
    sleep = staticmethod(anyio.sleep)
    sleep_for_ever = staticmethod(anyio.sleep_forever)

    def __init__(self, loop: dict[str, Any]) -> None:
        self._loop = loop
        #: The same as anyio's own, which only tasks may ask for.
        self.now: Callable[[], float] = trio.current_time if loop["backend"] == "trio" else time.monotonic

    def protected(self) -> AbstractContextManager[object]:
        return anyio.CancelScope(shield=True)

    async def within(self, seconds: float, wait: Callable[[], Awaitable[object]]) -> bool:
        with anyio.move_on_after(seconds) as scope:
            await wait()
        return not scope.cancelled_caught

    async def side_by_side(self, *waits: Callable[[], Awaitable[object]]) -> None:
        async with anyio.create_task_group() as tasks:
            for wait in waits:
                tasks.start_soon(_awaited, wait)

    def run(self, play: Callable[[], Awaitable[T]]) -> T:
        return anyio.run(play, **self._loop)

    def connect(self, url: str, **options: Any) -> AbstractAsyncContextManager[Any]:
        return sse_anyio.connect(url, **options)

    def stream_turn(self, upstream: Any, body: Any, **options: Any) -> AbstractAsyncContextManager[Any]:
        return sse_anyio.stream_turn(upstream, body, **options)

    @contextlib.contextmanager
    def serving(self, served: Any, **options: Any) -> Iterator[AnyioServing]:
        serving = AnyioServing(self._loop, served, options)
        serving.start()
        try:
            yield serving
        finally:
            serving.finish()


async def _awaited(wait: Callable[[], Awaitable[object]]) -> None:
    await wait()


RUNNERS = {name: AnyioRunner(loop) for name, loop in LOOPS.items()}


@pytest.fixture(scope="module", autouse=True)
def begun() -> None:
    """Uvloop has a file of its own in a process, from its first run on."""
    for loop in LOOPS.values():
        anyio.run(anyio.sleep, 0, **loop)


def played(scenarios: Sequence[Scenario]) -> list[Any]:
    """Each scenario on asyncio, and a part of them on the others: all of them in ``make scenarios``."""
    whole = os.environ.get("SCENARIOS") == "all"
    return [
        pytest.param(runner, scenario, id=f"{scenario.name}-{runner}")
        for runner in RUNNERS
        for number, scenario in enumerate(scenarios)
        if whole or runner == "asyncio" or number % PART == 0
    ]


@pytest.mark.parametrize(("runner", "scenario"), played(CLIENT_SCENARIOS))
def test_client(runner: str, scenario: ClientScenario) -> None:
    scenario.play(RUNNERS[runner])


@pytest.mark.parametrize(("runner", "scenario"), played(SERVER_SCENARIOS))
def test_server(runner: str, scenario: ServerScenario, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    scenario.play(RUNNERS[runner], caplog.records)


@pytest.mark.parametrize(
    "refused", [*REFUSED, *REFUSED_WHERE_HANDLERS_ARE_ASYNC], ids=lambda refused: refused.name
)
def test_arguments(refused: Refused) -> None:
    refused.play(RUNNERS["asyncio"])
