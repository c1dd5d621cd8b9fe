"""``serve``: a mistake of the application ends what it belongs to, is logged, and harms nobody else."""

from __future__ import annotations

# ruff: noqa: ARG002  (the faces of Stream and Application have a clock in every input)
from typing import Any

from sse_core import encode_event
from sse_http import Reply, Request, Stream

from ..applications import Feed, Feeds
from ..runner import Runner
from ..server_scenario import ServerScenario
from ..server_stage import HEAD_END, Stage, get
from ..server_steps import Check, Do, Fetch, Give, Hear, HearEnd, Leave, Open, Pause, Say, StopServing, Until
from .serving import feeds, hello

SECRET = "RuntimeError: a secret"
#: Both are parts of what is logged, the second one with its traceback.
LOGGED = ["ERROR", SECRET]


def raises(*_: object) -> Any:
    raise RuntimeError("a secret")


class Broken(Feed):
    """A stream that raises in one place."""

    def __init__(self, where: str, runner: Runner) -> None:
        self._where = where
        self._runner = runner
        self._due = 0.0
        super().__init__()
        if where == "later":
            self._due = runner.now() + 0.02

    def _raise_in(self, *places: str) -> None:
        if self._where in places:
            raise RuntimeError(f"a secret of {self._where}")

    def data_to_send(self, now: float) -> bytes:
        self._raise_in("data_to_send")
        return super().data_to_send(now)

    @property
    def deadline(self) -> float | None:
        self._raise_in("deadline")
        if self._where == "later":
            if self._runner.now() >= self._due:
                self._raise_in("later")
            return self._due
        return self._runner.now() if self._where == "handle_timeout" else None

    @deadline.setter
    def deadline(self, value: float | None) -> None:
        """Is what this says."""

    def handle_timeout(self, now: float) -> None:
        self._raise_in("handle_timeout")

    def close(self, now: float) -> None:
        super().close(now)
        self._raise_in("close")


def first_one_good(where: str, runner: Runner) -> Feeds:
    """The first request is answered well, the others by a stream that is broken."""
    feeds = Feeds()

    def make(_: Request) -> Reply | Stream:
        return Broken(where, runner) if feeds.streams else Feed()

    feeds.make = make
    return feeds


def broken_in(where: str) -> ServerScenario:
    ends = (
        [Hear(HEAD_END, name="broken"), Leave(name="broken")]
        if where == "close"
        else [HearEnd(lacks=b"secret", name="broken")]
    )
    return ServerScenario(
        name=f"a mistake in one stream ends its connection alone: {where}",
        served=lambda runner: first_one_good(where, runner),
        steps=[
            Open(get(), "good"),
            Hear(HEAD_END, name="good"),
            Open(get(), "broken"),
            *ends,
            Until(lambda stage: stage.served.streams[1].closed),
            Give(encode_event("still here")),
            Hear(b"still here", name="good"),
        ],
        logged=[f"{SECRET} of {where}"],
    )


def breaks_and_wakes(stage: Stage) -> None:
    """Whoever wakes has others to wake: the waker never raises."""
    feed = stage.served.streams[0]
    feed.data_to_send = raises
    feed.waker()


def is_due(stage: Stage, seconds: float = 0.0) -> None:
    stage.served.deadline = stage.runner.now() + seconds
    stage.served.waker()


class BreaksInTime(Feeds):
    """An application whose own time has a mistake, which doesn't go away."""

    def __init__(self) -> None:
        super().__init__(hello)
        self.tries = 0

    def handle_timeout(self, now: float) -> None:
        if self.deadline is not None and now >= self.deadline:
            self.tries += 1
            raises()


class Punctual(Feeds):
    """An application that notes when it was called."""

    def __init__(self) -> None:
        super().__init__(hello)
        self.late: list[float] = []

    def handle_timeout(self, now: float) -> None:
        if self.deadline is not None and now >= self.deadline:
            self.late.append(now - self.deadline)
            self.deadline = None


SCENARIOS = [
    ServerScenario(
        name="an application that raises answers 500, and its connection goes on",
        served=lambda _: Feeds(lambda request: raises() if request.path == "/bad" else hello(request)),
        steps=[
            Open(get("bad")),
            Hear(b'"server"', starts=b"HTTP/1.1 500 "),
            Say(get("good")),
            Hear(b'{"path":"/good"}'),
            Leave(),
        ],
        logged=LOGGED,
        log_records=1,
    ),
    *map(broken_in, ["data_to_send", "deadline", "handle_timeout", "close", "later"]),
    ServerScenario(
        name="the waker never raises",
        served=feeds,
        steps=[
            Open(get()),
            Hear(HEAD_END),
            Do(breaks_and_wakes),
            HearEnd(lacks=b"secret"),
            Do(lambda stage: stage.served.streams[0].waker()),
        ],
        logged=LOGGED,
    ),
    ServerScenario(
        name="a mistake in the application's own time does not flood the log",
        served=lambda _: BreaksInTime(),
        steps=[
            Do(is_due),
            Fetch(has=[b'{"path":"/"}']),
            Until(lambda stage: stage.served.tries),
            Pause(0.1),
            Fetch(has=[b'{"path":"/"}']),
            Check(lambda stage: stage.served.tries == 1),
        ],
        logged=LOGGED,
    ),
    ServerScenario(
        name="the application's deadline is kept",
        served=lambda _: Punctual(),
        steps=[
            Do(lambda stage: is_due(stage, 0.02)),
            Until(lambda stage: stage.served.late and stage.served.late[0] >= 0),
        ],
    ),
    ServerScenario(
        name="a mistake while everything is closed",
        served=lambda runner: Feeds(lambda _: Broken("close", runner)),
        steps=[Open(get()), Hear(HEAD_END), StopServing()],
        logged=[f"{SECRET} of close"],
    ),
]
