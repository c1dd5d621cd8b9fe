"""How long ``connect`` waits, and for what; and waits that its reader gives up."""

from __future__ import annotations

from sse_core import encode_event
from sse_core.errors import TransportError
from sse_core.lifecycle import NO_RETRY, RetryPolicy, SourceDeadlines

from ..client_scenario import ClientScenario, Connect, Error
from ..client_steps import Fail, Glance, Glances, Pause, Peers, Stage, Step, Take, ToEnd
from ..peers import (
    BlackHole,
    Drip,
    Head,
    Peer,
    PeerLike,
    Receive,
    Reset,
    Send,
    Silence,
    answer,
    scripted,
)
from ..peers import Pause as PeerPauses
from .reconnecting import AT_ONCE

OPEN = Send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
CANCEL = frozenset({"cancel"})


def event(text: str) -> Send:
    return Send(encode_event(text))


def leaves(
    phase: str, peer: PeerLike, *, how: Step, trust: str | None = None, **options: object
) -> ClientScenario:
    """A reader who leaves while ``connect`` waits, whatever for: no socket stays behind."""
    scheme = "https" if trust else "http"
    cancelled = isinstance(how, Glance | ReadInto)
    return ClientScenario(
        name=f"{'given up' if cancelled else 'left by another task'} amid {phase}",
        peers={"server": peer},
        calls=[
            Connect(
                url=f"{scheme}://{{server:address}}/",
                options={"retry": RetryPolicy(initial_delay=8.0), **options},
                trust=trust,
                do=[how],
                seconds=(0.0, 1.0),
            )
        ],
        left_within=None if phase in {"connecting", "backing off"} else 1.0,
        needs=CANCEL if cancelled else frozenset({"tasks"}),
    )


class ReadInto:
    """Read to the end, and give it up after so long."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    async def play(self, stage: Stage) -> None:
        assert not await stage.runner.within(self.seconds, lambda: ToEnd().play(stage))


class LeftByAnotherTask:
    """One task reads while another one leaves the ``async with``."""

    async def play(self, stage: Stage) -> None:
        async def leave() -> None:
            await stage.runner.sleep(0.05)
            await stage.stream.__aexit__(None, None, None)

        await stage.runner.side_by_side(lambda: ToEnd().play(stage), leave)


def first_one_is_left(peers: Peers, _: object) -> None:
    assert peers["server"].connections[0].gone.wait(1.0)


ONE_AND_CUT = scripted(Head(), answer(encode_event("x", id="1")))
PHASES: dict[str, PeerLike] = {
    "connecting": BlackHole(),
    "waiting": scripted(Silence()),
    "reading": scripted(Head(), OPEN, Silence()),
    "backing off": ONE_AND_CUT,
}

SCENARIOS = [
    ClientScenario(
        name="a slow consumer is no silent server",
        peers={
            "server": scripted(Head(), OPEN, *[event(text) for text in "abc"], PeerPauses(0.5), Silence())
        },
        calls=[
            Connect(
                options={"deadlines": SourceDeadlines(idle=0.2), "retry": NO_RETRY},
                do=[Take(1), Pause(0.3), Take(1), Pause(0.3), Take(1)],
                texts=["a", "b", "c"],
                stream={"reconnects": 0},
            )
        ],
    ),
    ClientScenario(
        name="nor is one who left off waiting and was busy then",
        peers={"server": scripted(Head(), OPEN, PeerPauses(0.1), event("here"), Silence())},
        calls=[
            Connect(
                options={"deadlines": SourceDeadlines(idle=0.15), "retry": NO_RETRY},
                do=[Glance(0.05), Pause(0.3), Take(1), Take(1)],
                texts=["here"],
                errors=[Error(TransportError, "silent for too long")],
            )
        ],
        needs=CANCEL,
    ),
    ClientScenario(
        name="a connection that was reset meanwhile was no silence",
        peers={"server": scripted(Head(), OPEN, PeerPauses(0.1), Reset())},
        calls=[
            Connect(
                options={"deadlines": SourceDeadlines(idle=0.15), "retry": NO_RETRY},
                do=[Glance(0.05), Pause(0.3), Take(1)],
                errors=[Error(TransportError, r"127.0.0.1:\d+ was lost: receiving failed")],
            )
        ],
        needs=CANCEL,
    ),
    ClientScenario(
        name="a silent server is connected to again",
        peers={"server": Peer([[Head(), OPEN, Silence()], [Head(), OPEN, event("here"), Silence()]])},
        calls=[
            Connect(
                options={"deadlines": SourceDeadlines(idle=0.05), "retry": AT_ONCE},
                do=[Take(1)],
                texts=["here"],
                stream={"reconnects": 1},
            )
        ],
        check=first_one_is_left,
    ),
    ClientScenario(
        name="heartbeats keep it alive",
        peers={
            "server": scripted(
                Head(),
                OPEN,
                *[act for _ in range(10) for act in (Send(b": ping\n"), PeerPauses(0.05))],
                event("here"),
                Silence(),
            )
        },
        calls=[
            Connect(
                options={"deadlines": SourceDeadlines(idle=0.3), "retry": NO_RETRY},
                do=[Take(1)],
                texts=["here"],
                seconds=(0.4, 5),
                stream={"reconnects": 0},
            )
        ],
    ),
    ClientScenario(
        name="nobody answers a SYN",
        peers={"server": BlackHole()},
        calls=[
            Connect(
                options={"deadlines": SourceDeadlines(connect=0.05), "retry": NO_RETRY},
                do=[Take(1)],
                errors=[Error(TransportError, "connect")],
                seconds=(0.05, 1),
            )
        ],
    ),
    ClientScenario(
        name="a server takes the request and says nothing",
        peers={"server": scripted(Silence())},
        calls=[
            Connect(
                options={"deadlines": SourceDeadlines(first_byte=0.05), "retry": NO_RETRY},
                do=[Take(1)],
                errors=[Error(TransportError, "first_byte")],
                seconds=(0.05, 1),
            )
        ],
        left_within=1.0,
    ),
    *(leaves(phase, peer, how=ReadInto(0.1)) for phase, peer in PHASES.items()),
    *(leaves(phase, peer, how=LeftByAnotherTask()) for phase, peer in PHASES.items()),
    leaves("shaking hands", scripted(Silence()), how=ReadInto(0.1), trust="client"),
    leaves(
        "sending",
        scripted(PeerPauses(0.15), Receive(32_000_000)),
        how=ReadInto(0.1),
        method="POST",
        body=b"x" * 32_000_000,
    ),
    ClientScenario(
        name="a wait that is given up loses no event",
        peers={
            "server": scripted(
                Head(),
                OPEN,
                *[act for number in range(20) for act in (event(f"<{number}>"), PeerPauses(0.007))],
                Silence(),
            )
        },
        calls=[
            Connect(
                options={"retry": NO_RETRY},
                do=[Glances(20, 0.003)],
                texts=[f"<{number}>" for number in range(20)],
            )
        ],
        needs=CANCEL,
    ),
    *(
        ClientScenario(
            name=f"who leaves by {how} closes the connection at once",
            peers={"server": scripted(Head(), OPEN, event("one"), Drip(b": ping\n", 0.01))},
            calls=[Connect(do=[Take(1), *steps], errors=errors)],
            left_within=0.5,
        )
        for how, steps, errors in (
            ("a break", [], []),
            ("an exception", [Fail()], [Error(ZeroDivisionError)]),
        )
    ),
]
