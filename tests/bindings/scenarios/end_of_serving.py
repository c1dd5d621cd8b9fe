"""``serve`` is stopped: readers get their ends before their connections are closed."""

# ruff: noqa: ARG001, ARG002  (the face of a handler has a request)

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from sse_http import Reply, Request

from ..applications import Feed, Feeds
from ..runner import Runner
from ..server_scenario import ServerScenario
from ..server_stage import BODY_END, HEAD_END, Stage, get
from ..server_steps import Check, End, Hear, HearEnd, Mark, Open, Since, StopServing, Until

NEEDS = frozenset({"stop"})
#: Much more than a scenario takes: a server that waits until it is over is seen.
GRACE = 20.0


def tick(runner: Runner) -> Any:
    async def handler(request: Request) -> AsyncIterator[str]:
        yield "tick"
        await runner.sleep_for_ever()

    return handler


class NeverDecides:
    """A handler without an answer."""

    def __init__(self, runner: Runner) -> None:
        self.begun = False
        self._runner = runner

    async def __call__(self, request: Request) -> Reply:
        self.begun = True
        await self._runner.sleep_for_ever()
        raise AssertionError


class LastWords(Feeds):
    """An application that has something to say in the end."""

    def close(self, now: float) -> None:
        super().close(now)
        for feed in self.streams:
            feed.send(b"data: the end\n\n")
            feed.end()


class WakesWhileItIsClosed(Feeds):
    """An application whose waker is called when nobody serves it any more."""

    def close(self, now: float) -> None:
        super().close(now)
        self.waker()


def nobody_is_let_in(stage: Stage) -> bool:
    try:
        stage.connected().close()
    except OSError:
        return True
    return False


MANY = [str(number) for number in range(20)]

SCENARIOS = [
    ServerScenario(
        name="a handler's stream ends properly",
        served=tick,
        options={"grace": GRACE},
        steps=[
            Open(get()),
            Hear(b"tick"),
            Mark("stopped"),
            StopServing(),
            HearEnd(texts=["tick"], ends=b"\r\n" + BODY_END, has=[b"\nretry: "]),
            Since("stopped", 0.0, GRACE / 4),
        ],
        needs=NEEDS,
    ),
    ServerScenario(
        name="a handler without an answer gives a status",
        served=NeverDecides,
        options={"grace": GRACE},
        steps=[
            Open(get()),
            Until(lambda stage: stage.served.begun),
            StopServing(),
            HearEnd(starts=b"HTTP/1.1 503 ", has=[b"retry-after: 1", b"connection: close"]),
        ],
        needs=NEEDS,
    ),
    *(
        ServerScenario(
            name=f"what an application says last goes out{' over TLS' if tls else ''}",
            served=lambda _: LastWords(),
            options={"grace": GRACE, **({"tls": "server"} if tls else {})},
            steps=[
                Open(get(), tls=tls),
                Hear(HEAD_END),
                StopServing(),
                HearEnd(texts=["the end"], ends=BODY_END),
            ],
            needs=NEEDS,
        )
        for tls in (False, True)
    ),
    ServerScenario(
        name="idle connections keep nobody waiting",
        served=lambda _: Feeds(lambda _: Reply(200, body=b"whole")),
        options={"grace": GRACE},
        steps=[
            Open(get()),
            Hear(b"whole"),
            Mark("stopped"),
            StopServing(),
            HearEnd(ends=b"whole"),
            Since("stopped", 0.0, GRACE / 4),
        ],
        needs=NEEDS,
    ),
    ServerScenario(
        # What was cut must not look whole.
        name="who has no end is cut when the time is over, and not before",
        served=lambda _: Feeds(),
        options={"grace": 0.1},
        steps=[
            Open(get()),
            Hear(HEAD_END),
            Mark("stopped"),
            StopServing(),
            HearEnd(whole=False),
            Since("stopped", 0.1, GRACE / 4),
        ],
        after=lambda stage: stage.served.streams[0].closed,
        needs=NEEDS,
    ),
    ServerScenario(
        name="nobody new is let in, and who is in is served to the end",
        served=lambda _: Feeds(lambda _: Feed()),
        options={"grace": GRACE},
        steps=[
            Open(get()),
            Hear(HEAD_END),
            StopServing(),
            Until(nobody_is_let_in),
            End(),
            HearEnd(ends=BODY_END),
        ],
        needs=NEEDS,
    ),
    ServerScenario(
        name="the end closes the application and every socket",
        served=lambda _: Feeds(),
        options={"grace": 0.1},
        steps=[
            *(Open(get(), name) for name in MANY),
            *(Hear(HEAD_END, name=name) for name in MANY),
            Check(lambda stage: not stage.served.closed),
            StopServing(),
            *(HearEnd(name=name) for name in MANY),
        ],
        after=lambda stage: stage.served.closed and all(feed.closed for feed in stage.served.streams),
        needs=NEEDS,
    ),
    ServerScenario(
        name="an application wakes while it is closed",
        served=lambda _: WakesWhileItIsClosed(),
        options={"grace": 0.1},
        steps=[Open(get()), Hear(HEAD_END)],
        after=lambda stage: stage.served.closed,
    ),
]
