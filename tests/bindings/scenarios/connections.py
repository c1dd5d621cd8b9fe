"""``serve``: one connection after another, many at once, and those that say nothing."""

from __future__ import annotations

import threading

from sse_core.lifecycle import SubscriptionSettings, TurnLog
from sse_http import ServerSettings

from ..applications import Logged, closed_log
from ..server_scenario import ServerScenario
from ..server_stage import BODY_END, Stage, get
from ..server_steps import Check, Fetch, Hear, HearEnd, Leave, Open, Pause, Say, Until
from .serving import feeds, greets


def three_events(_: object) -> Logged:
    """Each request reads a log of three events that is closed."""
    return Logged(closed_log("<1>", "<2>", "<3>"))


def many_at_once(stage: Stage) -> bool:
    """Twenty clients with sixty connections each, one after another."""
    failures: list[BaseException] = []

    def ask_often() -> None:
        try:
            Fetch(has=[b'{"path":"/"}'], times=60).play(stage)
        except BaseException as error:  # noqa: BLE001  (is raised below)
            failures.append(error)

    threads = [threading.Thread(target=ask_often) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures[0]
    return len(stage.served.requests) == 1200


def in_order(stage: Stage) -> bool:
    received = stage.clients["client"].received
    found = [received.index(b'{"path":"/%d"}' % number) for number in range(50)]
    return found == sorted(found)


IDLE = [str(number) for number in range(300)]

SCENARIOS = [
    ServerScenario(
        name="one connection serves many requests",
        served=greets,
        steps=[
            Open(),
            *(step for path in "abc" for step in (Say(get(path)), Hear(b'{"path":"/%b"}' % path.encode()))),
        ],
    ),
    ServerScenario(
        name="a stream may be followed by a request",
        served=three_events,
        steps=[Open(), *(step for count in (1, 2, 3) for step in (Say(get()), Hear(BODY_END, count)))],
    ),
    ServerScenario(
        name="pipelined requests are answered in order",
        served=greets,
        steps=[
            Open(b"".join(get(str(number)) for number in range(50))),
            Hear(b'{"path":"/49"}'),
            Check(in_order),
        ],
    ),
    ServerScenario(
        # The second one has all its bytes from the start and will never wake anybody.
        name="pipelined streams are answered too",
        served=three_events,
        steps=[Open(get() * 5), Hear(BODY_END, 5)],
    ),
    ServerScenario(
        name="a request byte by byte",
        served=greets,
        steps=[Open(), *(Say(bytes([byte])) for byte in get("x")), Hear(b'{"path":"/x"}')],
    ),
    ServerScenario(
        name="more than max_connections are closed at once",
        served=feeds,
        options={"max_connections": 2},
        steps=[
            Open(get(), "first"),
            Hear(b"200", name="first"),
            Open(get(), "second"),
            Hear(b"200", name="second"),
            Open(name="third"),
            HearEnd(name="third", exactly=b""),
            Leave(name="first"),
            Until(lambda stage: stage.served.streams[0].closed),
            Pause(0.02),
            Open(get(), "fourth"),
            Hear(b"200", name="fourth"),
        ],
        logged=["max_connections=2"],
    ),
    ServerScenario(name="thousands of short connections", served=greets, steps=[Check(many_at_once)]),
    ServerScenario(
        name="many idle streams with heartbeats",
        served=lambda _: Logged(TurnLog("idle"), SubscriptionSettings(heartbeat=0.1)),
        steps=[
            *(Open(get(), name) for name in IDLE),
            *(Hear(b": ping\n", 3, name) for name in IDLE),
            *(Leave(name=name) for name in IDLE),
            Until(lambda stage: len(stage.served.streams) == 300),
            Until(lambda stage: all(answer.closed for answer in stage.served.streams)),
        ],
    ),
    ServerScenario(
        name="a silent connection is closed in time",
        served=feeds,
        options={"settings": ServerSettings(keep_alive_timeout=0.05, request_timeout=0.05, linger=0.05)},
        steps=[
            Open(name="silent"),
            Open(b"GET / HT", name="slow"),
            HearEnd(name="silent", exactly=b""),
            HearEnd(name="slow", has=[b"408", b'"timeout"']),
        ],
        logged=["status=408"],
    ),
]
