"""``serve`` with a plain handler: what it gives, at what pace, and who may follow."""

# ruff: noqa: ARG001, ARG002  (the face of a handler has a request)

from __future__ import annotations

import json
import threading
import time
from collections.abc import AsyncIterator, Callable
from itertools import cycle
from typing import Any

from sse_core import ServerSentEvent
from sse_core.lifecycle import NO_RETRY, Broadcast, SubscriptionSettings
from sse_http import EventItem, Follow, HandlerSettings, Problem, Refusal, Reply, Request, problem_reply

from ..applications import Served
from ..client_scenario import ClientScenario, Connect
from ..client_steps import Stage, Take
from ..peers import Forward, scripted
from ..resources import soon
from ..runner import Event, Runner
from ..server_scenario import ServerScenario
from ..server_stage import BODY_END, HEAD_END, get
from ..server_stage import Stage as ServerStage
from ..server_steps import (
    Check,
    Do,
    Fetch,
    Hear,
    HearNothing,
    Leave,
    Mark,
    Open,
    Pause,
    ReadOn,
    Say,
    Settled,
    Since,
    Until,
)
from .readers import SMALL
from .reconnecting import AT_ONCE

DEFAULT_PEERS_REFUSAL = 'setting=peers.hosts value="evil.example"'


class Story:
    """A handler whose iterator shows what becomes of it."""

    def __init__(
        self, runner: Runner, *items: EventItem, endless: bool = False, wait_after: int | None = None
    ) -> None:
        self.items = items
        self.endless = endless
        self.wait_after = wait_after
        self.given = 0
        self.closed = False
        self._runner = runner

    async def __call__(self, request: Request) -> AsyncIterator[EventItem]:
        return self.tell()

    async def tell(self) -> AsyncIterator[EventItem]:
        try:
            for item in cycle(self.items) if self.endless else self.items:
                await self._wait()
                self.given += 1
                yield item
            await self._wait()
        finally:
            self.closed = True

    async def _wait(self) -> None:
        if self.given == self.wait_after:
            await self._runner.sleep_for_ever()


class OnDemand:
    """A handler that gives an event whenever the scenario has one, and notes the requests."""

    def __init__(self, runner: Runner) -> None:
        self.requests: list[Request] = []
        self._runner = runner
        self._texts: list[str] = []
        self._there: Event = runner.event()

    def give(self, text: str) -> None:
        self._texts.append(text)
        self._there.set()

    async def __call__(self, request: Request) -> AsyncIterator[EventItem]:
        self.requests.append(request)
        while True:
            await self._there.wait()
            self._there = self._runner.event()
            texts, self._texts = self._texts, []
            for text in texts:
                yield text


def story(*items: EventItem, **options: Any) -> Callable[[Runner], Story]:
    return lambda runner: Story(runner, *items, **options)


def hello(_: Runner) -> Any:
    async def handler(request: Request) -> Reply:
        return Reply.json(200, {"path": request.path})

    return handler


def two_paths(runner: Runner) -> Any:
    async def handler(request: Request) -> AsyncIterator[EventItem]:
        yield request.path
        await runner.sleep(0)
        yield "end"

    return handler


class Undecided:
    """A handler that may still want to answer with a status."""

    def __init__(self, runner: Runner) -> None:
        self.decide = runner.event()

    async def __call__(self, request: Request) -> Reply:
        await self.decide.wait()
        return Reply(404)


class Following:
    """A handler that lets its readers follow a broadcast."""

    def __init__(self, runner: Runner, **options: Any) -> None:
        self.broadcast = Broadcast("job")
        self._runner = runner
        self._options = options

    async def __call__(self, request: Request) -> Follow:
        return Follow(self.broadcast, **self._options)

    def publish(self, *texts: str, type: str = "message") -> None:
        self.broadcast.publish([ServerSentEvent(type, text) for text in texts], self._runner.now())

    def close(self) -> None:
        self.broadcast.close(self._runner.now())


def over(runner: Runner) -> Following:
    """A broadcast of two events that is closed."""
    following = Following(runner)
    following.broadcast.publish([ServerSentEvent("message", text) for text in "ab"], 0.0)
    following.broadcast.close(0.0)
    return following


class EndlessOrNot:
    """A handler that never waits, and one that answers at once."""

    def __init__(self, runner: Runner) -> None:
        self.story = Story(runner, "x" * 1000, endless=True)

    async def __call__(self, request: Request) -> Any:
        return self.story.tell() if request.path == "/endless" else Reply(204)


def lets_others_run(stage: ServerStage) -> bool:
    done = threading.Event()

    def read_on() -> None:
        with stage.connected() as sock:
            sock.sendall(get("endless"))
            while sock.recv(1_000_000) and not done.is_set():
                pass

    threads = [threading.Thread(target=read_on) for _ in range(4)]
    for thread in threads:
        thread.start()
    latencies = []
    for _ in range(10):
        began = time.process_time()
        Fetch(has=[b"204"]).play(stage)
        latencies.append(time.process_time() - began)
    soon(lambda: stage.served.story.given > 100 or None)
    done.set()
    for thread in threads:
        thread.join()
    return sorted(latencies)[5] < 0.2


def check_head(request: Request, now: float) -> Reply | int | None:
    return 4 if request.headers.get("x-key") else problem_reply(Problem(401, "authentication", "No key."))


def asks_first(*fields: str, length: int) -> bytes:
    return get("", "expect: 100-continue", f"content-length: {length}", *fields).replace(b"GET", b"POST")


def request_is_whole(stage: ServerStage) -> bool:
    [request] = stage.served.requests
    assert (request.method, request.path, request.query, request.body) == ("POST", "/p", "q=1", b"body")
    return bool(request.headers.get("x-a") == "b")


class Notes:
    """A handler that keeps its requests."""

    def __init__(self, _: Runner) -> None:
        self.requests: list[Request] = []

    async def __call__(self, request: Request) -> Reply:
        self.requests.append(request)
        return Reply(204)


ITEMS: list[EventItem] = [
    "text\nof two lines",
    {"a": [1, None], "ä": "€"},
    ServerSentEvent("named", "whole", "id-7"),
    "after",
]


def each_kind(stage: Stage) -> None:
    first, second, third, fourth = stage.events
    assert first == ServerSentEvent("message", "text\nof two lines")
    assert json.loads(second.data) == ITEMS[1]
    assert third == ITEMS[2]
    assert fourth == ServerSentEvent("message", "after", "id-7")


class Numbered:
    """A handler whose events have IDs of its own."""

    async def __call__(self, request: Request) -> AsyncIterator[EventItem]:
        after = int(request.headers.get("last-event-id") or 0)
        for number in range(after + 1, 31):
            yield ServerSentEvent("message", f"<{number}>", str(number))


class Refusals:
    """Somewhere to send refusals to."""

    def __init__(self) -> None:
        self.statuses: list[int] = []

    def __call__(self, refusal: Refusal) -> None:
        self.statuses.append(refusal.status)


REFUSALS = Refusals()
POST = b"POST /p?q=1 HTTP/1.1\r\nhost: localhost\r\nx-a: b\r\ncontent-length: 4\r\n\r\nbody"
NO_HOLD = HandlerSettings(head_hold=0.0)


def settings(**options: Any) -> dict[str, Any]:
    return {"handler_settings": HandlerSettings(**options)}


def gives(text: str) -> Callable[[ServerStage], object]:
    return lambda stage: stage.served.give(text)


def given(stage: ServerStage) -> int:
    return int(stage.served.given)


# What a client makes of a handler's events.
CLIENT_SCENARIOS = [
    ClientScenario(
        name="every kind of item",
        peers={"server": Served(story(*ITEMS))},
        calls=[Connect(options={"retry": NO_RETRY}, do=[Take(4)], check=each_kind)],
    ),
    ClientScenario(
        name="nothing is lost on the way through a small log",
        peers={
            "server": Served(
                story(*(f"<{number}>" + "x" * 2_000 for number in range(3_000))),
                options=settings(max_log_bytes=20_000),
            )
        },
        calls=[
            Connect(
                options={"retry": NO_RETRY},
                do=[Take(3_000)],
                texts=[f"<{number}>" + "x" * 2_000 for number in range(3_000)],
                seconds=(0, 20),
            )
        ],
    ),
    *(
        ClientScenario(
            name=f"a handler is resumed by IDs of its own: cut after {cut} bytes",
            peers={
                "handler": Served(lambda _: Numbered()),
                "server": scripted(Forward("handler", cut)),
            },
            calls=[
                Connect(
                    options={"retry": AT_ONCE},
                    do=[Take(30)],
                    texts=[f"<{number}>" for number in range(1, 31)],
                )
            ],
        )
        for cut in range(250, 400, 13)
    ),
]

SCENARIOS = [
    ServerScenario(
        name="a handler's reply",
        served=hello,
        steps=[Open(), Say(get("a")), Hear(b'{"path":"/a"}'), Say(get("b")), Hear(b'{"path":"/b"}')],
    ),
    ServerScenario(
        # A client may repeat a request because of an ID: the handler has to know it then.
        name="no event has an ID that the handler did not give",
        served=story("a", {"b": 1}),
        steps=[Fetch(lacks=[b"\nid:"])],
    ),
    ServerScenario(
        name="a handler that yields itself",
        served=two_paths,
        steps=[Fetch("path", texts=["/path", "end"], ends=b"\r\n" + BODY_END)],
    ),
    ServerScenario(
        name="an iterator that gives nothing",
        served=story(),
        steps=[Fetch(texts=[], ends=HEAD_END + BODY_END)],
    ),
    ServerScenario(
        name="the head of a handler's stream",
        served=story("x"),
        steps=[
            Fetch(
                has=[
                    b"content-type: text/event-stream; charset=utf-8",
                    b"cache-control: no-cache, no-transform",
                    b"x-accel-buffering: no",
                ]
            )
        ],
    ),
    ServerScenario(
        name="a handler's request", served=Notes, steps=[Open(POST), Hear(b"204"), Check(request_is_whole)]
    ),
    *(
        ServerScenario(
            name=f"a check before the body is read: {status}",
            served=hello,
            options=settings(check_head=check_head),
            steps=[Open(asks_first(*fields, length=length)), Hear(HEAD_END, starts=b"HTTP/1.1 %d " % status)],
            logged=logged,
        )
        for fields, length, status, logged in (
            ((), 4, 401, ["status=401"]),
            (("x-key: k",), 5, 413, ["status=413"]),
            (("x-key: k",), 4, 100, []),
        )
    ),
    ServerScenario(
        name="a handler's stream is followed by the next request",
        served=story("x"),
        steps=[Open(get() * 3), Hear(b"data: x\n\n", 3)],
    ),
    # Following a broadcast.
    ServerScenario(
        name="many readers of one broadcast",
        served=Following,
        steps=[
            *(Open(get(), name) for name in "abc"),
            *(Hear(b"200 OK", name=name) for name in "abc"),
            Do(lambda stage: stage.served.publish("10 %", type="progress")),
            *(Hear(b"event: progress\ndata: 10 %\nid: job-1\n\n", name=name) for name in "abc"),
            Do(lambda stage: stage.served.close()),
            *(Hear(b"\r\n" + BODY_END, name=name) for name in "abc"),
        ],
    ),
    *(
        ServerScenario(
            name=f"who comes back goes on where he was: {last_event_id}",
            served=over,
            steps=[Fetch(fields=[f"last-event-id: {last_event_id}"], texts=texts)],
        )
        for last_event_id, texts in (("job-1", ["b"]), ("other-1", ["a", "b"]))
    ),
    ServerScenario(
        name="a reader who goes is forgotten",
        served=lambda runner: Following(runner, join="now"),
        steps=[
            Open(get()),
            Hear(b"200 OK"),
            Leave(),
            Pause(0.05),
            Do(lambda stage: stage.served.publish("a")),
            Open(get()),
            Hear(HEAD_END, starts=b"HTTP/1.1 200"),
        ],
    ),
    # Refusals.
    ServerScenario(
        name="a refusal of a host is a warning",
        served=hello,
        steps=[Open(get().replace(b"localhost", b"evil.example")), Hear(b"kind")],
        logged=[r"WARNING.*refused a request: status=4", DEFAULT_PEERS_REFUSAL, 'client="127.0.0.1"'],
        log_records=1,
    ),
    ServerScenario(
        name="a refusal of what is no request is a note",
        served=hello,
        steps=[Open(b"GET / HTTP/1.1\r\n\r\n"), Hear(b"kind")],
        logged=[r"INFO.*refused a request: status=400", 'client="127.0.0.1"'],
        log_records=1,
    ),
    ServerScenario(
        name="or it goes to whom one likes",
        served=hello,
        options={"on_refusal": REFUSALS},
        steps=[
            Do(lambda _: REFUSALS.statuses.clear()),
            Open(b"rubbish\r\n\r\n"),
            Hear(b"kind"),
            Until(lambda _: REFUSALS.statuses == [400]),
        ],
    ),
    # Pace.
    ServerScenario(
        name="each event is there before the next one is given",
        served=OnDemand,
        steps=[
            Open(get()),
            *(
                step
                for number in range(5)
                for step in (
                    Do(gives(f"<{number}>")),
                    Hear(b"<%d>" % number),
                )
            ),
        ],
    ),
    ServerScenario(
        name="the head is not held back for ever",
        served=story("never", wait_after=0),
        options=settings(readers=SubscriptionSettings(heartbeat=0.05), head_hold=0.1),
        steps=[Mark("began"), Open(get()), Hear(b"200 OK"), Since("began", 0.1, 0.6), Hear(b": ping\n")],
    ),
    ServerScenario(
        name="an undecided handler has no head",
        served=Undecided,
        options={"handler_settings": NO_HOLD},
        steps=[
            Open(get()),
            HearNothing(0.05),
            Do(lambda stage: stage.served.decide.set()),
            Hear(HEAD_END, starts=b"HTTP/1.1 404 "),
        ],
    ),
    ServerScenario(
        # The kernel's buffers and the log, no more.
        name="a reader that stops stops the handler",
        served=story("x" * 10_000, endless=True),
        options=settings(max_log_bytes=100_000),
        steps=[
            Open(get(), receive_buffer=SMALL),
            Hear(b"200 OK"),
            Settled(given),
            Check(lambda stage: given(stage) * 10_000 < 8_000_000),
            ReadOn(until=lambda stage: given(stage) > stage.noted),
        ],
    ),
    ServerScenario(
        name="a handler that never waits lets others run", served=EndlessOrNot, steps=[Check(lets_others_run)]
    ),
]
