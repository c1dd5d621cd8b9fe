"""A handler's iterator is closed the moment that its reader has gone; a handler's mistakes stay its own."""

# ruff: noqa: ARG001, ARG002  (the face of a handler has a request)

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from sse_core import ServerSentEvent
from sse_core.lifecycle import SubscriptionSettings
from sse_http import EventItem, HandlerSettings, Reply, Request

from ..resources import open_files, soon
from ..runner import Runner
from ..server_scenario import ServerScenario
from ..server_stage import BODY_END, HEAD_END, Stage, get
from ..server_steps import (
    Check,
    Fetch,
    Hear,
    HearEnd,
    HearNothing,
    Leave,
    Open,
    Pause,
    Say,
    Step,
    StopServing,
    Until,
)
from .application_errors import LOGGED, SECRET
from .handlers import settings, story
from .readers import SMALL

#: A thread that waits can't be interrupted: its iterator is closed at its next item.
INTERRUPT = frozenset({"interrupt"})
CLOSED = Until(lambda stage: stage.served.closed, 0.5)


class Cleaning:
    """A handler with an event and a long cleaning up."""

    def __init__(self, runner: Runner, seconds: float) -> None:
        self.cleaning = False
        self.done = False
        self.files = 0
        self._runner = runner
        self._seconds = seconds

    async def __call__(self, request: Request) -> AsyncIterator[EventItem]:
        try:
            yield "x"
            await self._runner.sleep_for_ever()
        finally:
            with self._runner.protected():
                self.cleaning = True
                await self._runner.sleep(self._seconds)
                self.done = True


class Waiting:
    """A handler that has no iterator yet."""

    def __init__(self, runner: Runner) -> None:
        self.begun = False
        self.closed = False
        self._runner = runner

    async def __call__(self, request: Request) -> Reply:
        self.begun = True
        try:
            await self._runner.sleep_for_ever()
        finally:
            self.closed = True
        return Reply(204)


class Running:
    """A handler that counts how often it runs."""

    def __init__(self, runner: Runner) -> None:
        self.running = 0
        self._runner = runner

    async def __call__(self, request: Request) -> AsyncIterator[EventItem]:
        self.running += 1
        try:
            while True:
                yield "x"
                await self._runner.sleep(0.001)
        finally:
            self.running -= 1


def come_and_go(stage: Stage) -> bool:
    """Two hundred readers at once; half of them vanish by an RST."""
    clients = [str(number) for number in range(200)]
    for name in clients:
        Open(get(), name).play(stage)
    for name in clients:
        Hear(b"data: x", name=name).play(stage)
        Leave("reset" if int(name) % 2 else "close", name).play(stage)
    return bool(soon(lambda: stage.served.running == 0 or None))


def remembers_files(stage: Stage) -> bool:
    stage.noted = open_files()
    return True


def fails(runner: Runner) -> Any:
    """A handler that fails while it is closed."""

    async def handler(request: Request) -> AsyncIterator[EventItem]:
        try:
            yield "x"
            await runner.sleep_for_ever()
        finally:
            raise RuntimeError("a secret")

    return handler


# ---------------------------------------------------------------------------------------- mistakes


def raises_at_once(runner: Runner) -> Any:
    async def handler(request: Request) -> Reply:
        raise RuntimeError("a secret")

    return handler


def raises_before_its_first_event(runner: Runner) -> Any:
    async def handler(request: Request) -> AsyncIterator[EventItem]:
        await runner.sleep(0)
        if request.path:
            raise RuntimeError("a secret")
        yield "never"

    return handler


def gives_what_is_no_answer(runner: Runner) -> Any:
    async def handler(request: Request) -> Any:
        return ["a secret"]

    return handler


def yields(item: Any) -> Callable[[Runner], Any]:
    def make(runner: Runner) -> Any:
        async def handler(request: Request) -> AsyncIterator[Any]:
            yield item

        return handler

    return make


EARLY: dict[str, Callable[[Runner], Any]] = {
    "raises at once": raises_at_once,
    "raises before its first event": raises_before_its_first_event,
    "gives what is no answer": gives_what_is_no_answer,
    "yields what is no event": yields(42),
    "yields what cannot be written": yields(ServerSentEvent("two\nlines", "a secret")),
    "yields what is no JSON": yields({"a": float("nan")}),
}


def two_and_a_mistake(runner: Runner) -> Any:
    async def handler(request: Request) -> AsyncIterator[EventItem]:
        yield "one"
        yield "two"
        raise RuntimeError("a secret")

    return handler


def many_and_a_mistake(runner: Runner) -> Any:
    async def handler(request: Request) -> AsyncIterator[EventItem]:
        for number in range(400):
            yield f"<{number}>" + "x" * 16_000
        raise RuntimeError("a secret")

    return handler


def good_or_bad(runner: Runner) -> Any:
    async def handler(request: Request) -> AsyncIterator[EventItem]:
        if request.path == "/bad":
            raise RuntimeError("a secret")
        yield "good"
        await runner.sleep_for_ever()

    return handler


WHERE: dict[str, tuple[Callable[[Runner], Any], list[Step]]] = {
    "amid its own wait": (story("x", "y", wait_after=1), [Hear(b"200 OK")]),
    "amid a full log": (story("x" * 10_000, endless=True), [Hear(b"200 OK"), Pause(0.05)]),
    "before its first event": (story("x", wait_after=0), [Pause(0.02)]),
    "amid what is no iterator yet": (Waiting, [Until(lambda stage: stage.served.begun)]),
}


def vanishes(how: str, where: str) -> ServerScenario:
    served, steps = WHERE[where]
    return ServerScenario(
        name=f"a handler's reader vanishes by {how} {where}",
        served=served,
        steps=[Open(get(), receive_buffer=SMALL), *steps, Leave(how), CLOSED],
        needs=frozenset() if where == "amid a full log" else INTERRUPT,
    )


HEAD_REQUEST = get().replace(b"GET", b"HEAD")


def no_body(stage: Stage) -> bool:
    """HEAD has a head and no body, and starts nothing; GET behind it is answered."""
    head, _, rest = stage.clients["client"].received.partition(HEAD_END)
    return b"content-type: text/event-stream" in head and rest.startswith(b"HTTP/1.1 200 OK")


SCENARIOS = [
    *(vanishes(how, where) for how in ("reset", "close") for where in WHERE),
    ServerScenario(
        name="its cleaning up has been done when serve ends",
        served=lambda runner: Cleaning(runner, 0.05),
        steps=[Open(get("a")), Hear(b"data: x"), StopServing()],
        after=lambda stage: stage.served.done,
    ),
    ServerScenario(
        name="the socket is closed before a long cleaning up",
        served=lambda runner: Cleaning(runner, 0.2),
        steps=[
            Pause(0.01),
            Check(remembers_files),
            Open(get()),
            Hear(b"data: x"),
            Leave(),
            Until(lambda stage: stage.served.cleaning),
            Until(lambda stage: open_files() == stage.noted, 0.15),
            Check(lambda stage: not stage.served.done),
        ],
        needs=INTERRUPT,
    ),
    ServerScenario(
        name="a HEAD request starts nothing",
        served=story("x", endless=True),
        steps=[Open(HEAD_REQUEST + get()), Hear(b"data: x"), Hear(b"HTTP/1.1 200 OK", 2), Check(no_body)],
    ),
    ServerScenario(
        name="a reader whose time is over",
        served=story("x", wait_after=1),
        options=settings(readers=SubscriptionSettings(lifetime=0.05)),
        steps=[Open(get()), Hear(BODY_END), CLOSED],
        needs=INTERRUPT,
    ),
    ServerScenario(
        name="a reader that is given up",
        served=story("x" * 10_000, endless=True),
        options=settings(readers=SubscriptionSettings(stall=0.1)),
        steps=[
            Open(get(), receive_buffer=SMALL),
            Hear(b"200 OK"),
            Until(lambda stage: stage.served.closed, 2),
            HearEnd(whole=False),
        ],
    ),
    ServerScenario(
        name="a handler that fails while it is closed",
        served=fails,
        steps=[
            Open(get()),
            Hear(b"data: x"),
            Leave(),
            Pause(0.05),
            Open(get()),
            Hear(HEAD_END, starts=b"HTTP/1.1 200"),
        ],
        logged=[SECRET],
        needs=INTERRUPT,
    ),
    ServerScenario(name="many readers that come and go", served=Running, steps=[Check(come_and_go)]),
    *(
        ServerScenario(
            name=f"before the first event a mistake is a 500: {name}",
            served=served,
            # Twice: the connection goes on.
            steps=[
                Open(get()),
                Hear(b'"server"', starts=b"HTTP/1.1 500 "),
                Say(get()),
                Hear(b'"server"', 2),
                Check(lambda stage: b"secret" not in stage.clients["client"].received),
                Check(lambda stage: b"Traceback" not in stage.clients["client"].received),
            ],
            logged=["ERROR", "Traceback"],
            log_records=2,
        )
        for name, served in EARLY.items()
    ),
    ServerScenario(
        name="after the first event a mistake cuts the connection",
        served=two_and_a_mistake,
        steps=[Open(get()), HearEnd(texts=["one", "two"], whole=False)],
        logged=LOGGED,
    ),
    ServerScenario(
        name="events that a slow reader has yet to take come before the cut",
        served=many_and_a_mistake,
        options={"handler_settings": HandlerSettings(max_log_bytes=50_000_000)},
        steps=[Open(get(), receive_buffer=SMALL), Pause(0.1), HearEnd(has=[b"<399>"], whole=False)],
        logged=LOGGED,
    ),
    ServerScenario(
        name="a mistake of one handler is no other's",
        served=good_or_bad,
        steps=[
            Open(get(), "other"),
            Hear(b"good", name="other"),
            Fetch("bad", has=[b"HTTP/1.1 500 "]),
            HearNothing(0.02, name="other"),
        ],
        logged=LOGGED,
        log_records=1,
    ),
]
