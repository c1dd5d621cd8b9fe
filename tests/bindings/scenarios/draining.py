"""``serve`` is stopped and drains: what is being answered goes on for a while."""

# ruff: noqa: ARG001, ARG002  (the face of a handler has a request)

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from sse_core import ServerSentEvent
from sse_core.lifecycle import Broadcast
from sse_http import Follow, HandlerSettings, Reply, Request

from ..applications import Feed, Feeds
from ..runner import Runner
from ..server_scenario import ServerScenario
from ..server_stage import BODY_END, HEAD_END, Stage, get
from ..server_steps import Check, Do, End, Hear, HearEnd, Mark, Open, Since, StopServing, Until
from .end_of_serving import GRACE, NEEDS, nobody_is_let_in

DRAIN = 0.3


def ticks(runner: Runner) -> Any:
    async def handler(request: Request) -> AsyncIterator[str]:
        while True:
            yield "tick"
            await runner.sleep(0.02)

    return handler


def tick(runner: Runner) -> Any:
    async def handler(request: Request) -> AsyncIterator[str]:
        yield "tick"
        await runner.sleep_for_ever()

    return handler


class Slow:
    """A handler whose reply takes a while."""

    def __init__(self, runner: Runner) -> None:
        self.begun = False
        self._runner = runner

    async def __call__(self, request: Request) -> Reply:
        self.begun = True
        await self._runner.sleep(0.1)
        return Reply(200, body=b"whole")


class Following:
    """A handler that lets its readers follow a broadcast."""

    def __init__(self) -> None:
        self.broadcast = Broadcast("job")

    async def __call__(self, request: Request) -> Follow:
        return Follow(self.broadcast)


def publish(stage: Stage) -> None:
    now = stage.runner.now()
    stage.served.broadcast.publish([ServerSentEvent("message", "news")], now)


def says_when_to_come_back(stage: Stage) -> bool:
    """Once, from half of three seconds to half as much again, and no event is made of it."""
    received = stage.clients["client"].received
    _, _, rest = received.partition(b"retry: ")
    milliseconds = int(rest.partition(b"\n")[0])
    return 1500 <= milliseconds < 4500 and b"retry: " not in rest


READERS = [str(number) for number in range(100)]


def each_at_a_time_of_its_own(stage: Stage) -> bool:
    """A hundred readers that came back at once would be a hundred requests in the same millisecond."""
    times = {stage.clients[name].received.partition(b"\nretry: ")[2].partition(b"\n")[0] for name in READERS}
    return len(times) > 80 and all(1500 <= int(time) < 4500 for time in times)


SCENARIOS = [
    ServerScenario(
        name="a hundred streams come to their proper ends, and their readers don't come back at once",
        served=ticks,
        options={"grace": GRACE, "drain": DRAIN},
        steps=[
            *(Open(get(), name) for name in READERS),
            *(Hear(b"tick", name=name) for name in READERS),
            Mark("stopped"),
            StopServing(),
            *(HearEnd(ends=BODY_END, name=name) for name in READERS),
            Since("stopped", DRAIN, GRACE / 4),
            Check(each_at_a_time_of_its_own),
        ],
        needs=NEEDS,
    ),
    ServerScenario(
        name="a stream goes on while the server drains, and is told when to come back",
        served=ticks,
        options={"grace": GRACE, "drain": DRAIN},
        steps=[
            Open(get()),
            Hear(b"tick"),
            Mark("stopped"),
            StopServing(),
            Until(nobody_is_let_in),
            Hear(b"data: tick\n\n", name="client"),
            HearEnd(ends=BODY_END, has=[b"\nretry: "]),
            Since("stopped", DRAIN, GRACE / 4),
            Check(says_when_to_come_back),
        ],
        needs=NEEDS,
    ),
    ServerScenario(
        name="a stream that has nothing to say is told in the end",
        served=tick,
        options={"grace": GRACE},
        steps=[
            Open(get()),
            Hear(b"tick"),
            StopServing(),
            HearEnd(texts=["tick"], ends=b"\n\r\n" + BODY_END),
            Check(says_when_to_come_back),
        ],
        needs=NEEDS,
    ),
    ServerScenario(
        name="a reader of a broadcast is told too",
        served=lambda _: Following(),
        options={"grace": GRACE, "drain": DRAIN},
        steps=[
            Open(get()),
            Hear(HEAD_END),
            StopServing(),
            Until(nobody_is_let_in),
            Do(publish),
            HearEnd(texts=["news"], ends=BODY_END),
            Check(says_when_to_come_back),
        ],
        needs=NEEDS,
    ),
    ServerScenario(
        name="nobody is told when to come back, if you say so",
        served=tick,
        options={"grace": GRACE, "handler_settings": HandlerSettings(reconnect_after=None)},
        steps=[
            Open(get()),
            Hear(b"tick"),
            StopServing(),
            HearEnd(texts=["tick"], ends=BODY_END, lacks=b"retry"),
        ],
        needs=NEEDS,
    ),
    ServerScenario(
        name="a reply is finished while the server drains, and then it is over",
        served=Slow,
        options={"grace": GRACE, "drain": GRACE},
        steps=[
            Open(get()),
            Until(lambda stage: stage.served.begun),
            Mark("stopped"),
            StopServing(),
            HearEnd(starts=b"HTTP/1.1 200 ", has=[b"connection: close"], ends=b"whole"),
            Since("stopped", 0.0, GRACE / 4),
        ],
        needs=NEEDS,
    ),
    ServerScenario(
        name="an application is closed after the drain",
        served=lambda _: Feeds(lambda _: Feed()),
        options={"grace": GRACE, "drain": DRAIN},
        steps=[
            Open(get()),
            Hear(HEAD_END),
            Mark("stopped"),
            StopServing(),
            Until(nobody_is_let_in),
            Check(lambda stage: not stage.served.closed),
            Until(lambda stage: stage.served.closed),
            Since("stopped", DRAIN, GRACE / 4),
            End(),
            HearEnd(ends=BODY_END),
        ],
        needs=NEEDS,
    ),
]
