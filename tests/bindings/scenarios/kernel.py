"""Bytes are in the kernel when the waker returns: no task has run between the two."""

from __future__ import annotations

from sse_core import encode_event
from sse_core.lifecycle import SubscriptionSettings, TurnLog

from ..applications import Feeds, Logged
from ..server_scenario import ServerScenario
from ..server_stage import BODY_END, HEAD_END, Stage, get
from ..server_steps import Check, Do, End, Give, Hear, Open, Pause
from .serving import feeds

READERS = [str(number) for number in range(20)]


def is_with_all(stage: Stage) -> None:
    """One event is in every reader's kernel."""
    stage.served.append(["to all"], stage.runner.now())
    assert all(client.waiting(1.0) for client in stage.clients.values())


def wakes_while_it_is_pulled(stage: Stage) -> None:
    feed = stage.served.streams[0]
    pull = feed.data_to_send

    def pull_and_wake(now: float) -> bytes:
        feed.waker()
        return bytes(pull(now))

    feed.data_to_send = pull_and_wake


SCENARIOS = [
    *(
        ServerScenario(
            name=f"each piece is in the kernel when the waker returns{' over TLS' if tls else ''}",
            served=feeds,
            options={"tls": "server"} if tls else {},
            steps=[
                Open(get(), tls=tls),
                Hear(HEAD_END),
                Pause(0.02),
                *(Give(encode_event(f"<{n}>"), now=b"<%d>" % n) for n in range(5)),
                End(),
                Hear(BODY_END),
            ],
        )
        for tls in (False, True)
    ),
    ServerScenario(
        name="one event is in every reader's kernel",
        served=lambda _: Logged(TurnLog("log")),
        steps=[
            *(Open(get(), name) for name in READERS),
            *(Hear(HEAD_END, name=name) for name in READERS),
            Pause(0.02),
            Do(is_with_all),
            *(Hear(b"to all", name=name) for name in READERS),
        ],
    ),
    ServerScenario(
        # More than goes out in a row, to a reader that has room for it: nobody else wakes for it.
        name="all of what is there is sent in the end",
        served=lambda _: Logged(TurnLog("log"), SubscriptionSettings(heartbeat=10.0)),
        steps=[
            Open(get()),
            Hear(HEAD_END),
            Pause(0.02),
            Do(
                lambda stage: stage.served.append(
                    [f"<{number}>" + "x" * 10_000 for number in range(50)], stage.runner.now()
                )
            ),
            Hear(b"<49>"),
        ],
    ),
    ServerScenario(
        name="a stream that wakes while it is pulled",
        served=lambda _: Feeds(),
        steps=[
            Open(get()),
            Hear(HEAD_END),
            Do(wakes_while_it_is_pulled),
            Give(encode_event("once"), now=b"once"),
            End(),
            Hear(BODY_END),
            Check(lambda stage: stage.clients["client"].received.count(b"once") == 1),
        ],
    ),
]
