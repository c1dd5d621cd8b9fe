"""A handler's exceptions that are no ``Exception``: they end their own answer, and no server."""

# ruff: noqa: ARG001  (the face of a handler has a request)

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio

from sse_http import EventItem, Reply, Request

from ..runner import Runner
from ..server_scenario import ServerScenario
from ..server_stage import get
from ..server_steps import Fetch, Hear, HearEnd, Leave, Open, Pause
from .handler_closing import INTERRUPT
from .readers import SMALL


def within_a_group(runner: Runner, *, waits: bool) -> Any:
    """A handler that yields amid tasks of its own, as nobody should."""

    async def handler(request: Request) -> AsyncIterator[EventItem]:
        if request.path == "/other":
            yield "other"
            return
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(anyio.sleep_forever)
            while True:
                yield "little" if waits else "x" * 10_000
                if waits:
                    await anyio.sleep_forever()

    return handler


def leaves(*, waits: bool) -> ServerScenario:
    """``aclose()`` raises ``GeneratorExit`` at the yield, and the group puts it in a group."""
    return ServerScenario(
        name=f"a reader leaves amid tasks of its handler's: {'one that waits' if waits else 'a slow one'}",
        served=lambda runner: within_a_group(runner, waits=waits),
        steps=[
            Open(get(), receive_buffer=SMALL),
            Hear(b"little") if waits else Pause(0.1),
            Leave(),
            Pause(0.1),
            Fetch("other", has=[b"data: other"]),
        ],
        needs=INTERRUPT,
    )


def one_and(raising: Callable[[], object]) -> Callable[[Runner], Any]:
    def make(runner: Runner) -> Any:
        async def handler(request: Request) -> AsyncIterator[EventItem]:
            yield "one"
            if request.path == "/":
                raising()

        return handler

    return make


def at_once(raising: Callable[[], object]) -> Callable[[Runner], Any]:
    def make(runner: Runner) -> Any:
        async def handler(request: Request) -> Reply:
            if request.path == "/":
                raising()
            return Reply(200, body=b"other")

        return handler

    return make


def ends_the_program() -> None:
    sys.exit("a secret")


def raises_a_group() -> None:
    raise BaseExceptionGroup("a secret", [SystemExit(1), ValueError("another")])


RAISING = {"sys.exit()": ends_the_program, "a group": raises_a_group}
SCENARIOS = [
    leaves(waits=False),
    leaves(waits=True),
    *(
        ServerScenario(
            name=f"after the first event it cuts the connection, and the server goes on: {name}",
            served=one_and(raising),
            steps=[
                Open(get()),
                HearEnd(texts=["one"], whole=False, lacks=b"secret"),
                Fetch("other", has=[b"data: one"]),
            ],
            logged=["ERROR", "a secret"],
            log_records=1,
        )
        for name, raising in RAISING.items()
    ),
    *(
        ServerScenario(
            name=f"before the first event it is a 500, and the server goes on: {name}",
            served=at_once(raising),
            steps=[Fetch("", has=[b"HTTP/1.1 500 "]), Fetch("other", has=[b"other"])],
            logged=["ERROR", "a secret"],
            log_records=1,
        )
        for name, raising in RAISING.items()
    ),
]
