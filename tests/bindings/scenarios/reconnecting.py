"""``connect`` goes on, whatever the network does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sse_core import encode_event
from sse_core.errors import TransportError
from sse_core.lifecycle import RetryPolicy

from ..client_scenario import ClientScenario, Connect, Error
from ..client_steps import Glance, Peers, Stage, Take
from ..peers import CutOnce, Forward, Head, Peer, Resume, Send, answer, over_tls, scripted

AT_ONCE = RetryPolicy(initial_delay=0.0, max_attempts=10)
TEXTS = [f"<{number}> zwölf\nLines, €" for number in range(6)]
LENGTH = len(Resume(TEXTS).answer())
HEAD_LENGTH = Resume(TEXTS).answer().index(b"\r\n\r\n") + 4
LONGEST = max(len(text.encode()) for text in TEXTS) + 60
TLS_CUTS = range(61, 3000, 61)
ALL: dict[str, Any] = {"options": {"retry": AT_ONCE}, "do": [Take(len(TEXTS))], "texts": TEXTS}


def once_at_most(_: Peers, stages: Sequence[Stage]) -> None:
    assert all(stage.stream.reconnects <= 1 for stage in stages)


def cut_anywhere(*, reset: bool, step: int) -> ClientScenario:
    cuts = range(0, LENGTH + 1, step)
    return ClientScenario(
        name=f"a {'reset' if reset else 'cut'} after any number of bytes loses nothing",
        peers={"server": scripted(CutOnce(TEXTS, reset=reset))},
        calls=[Connect(url=f"{{server}}{cut}", **ALL) for cut in cuts],
        check=once_at_most,
    )


def listened_to(_: Peers, stages: Sequence[Stage]) -> None:
    """Each reconnect is reported behind the events that came before it, with the ID of the last."""
    [stage] = stages
    assert len(stage.reconnects) == stage.stream.reconnects >= 1
    assert all(reconnect.reason for reconnect in stage.reconnects)
    number = 0
    for line in stage.trace:
        if line.startswith("after "):
            assert line == (f"after story-{number}" if number else "after ")
        else:
            number += 1
    assert [text for text in stage.trace if not text.startswith("after ")] == TEXTS


def gives_up(reconnect: object) -> None:
    if reconnect.attempt == 3:  # type: ignore[attr-defined]
        raise TransportError(f"gave up: {reconnect.reason}")  # type: ignore[attr-defined]


def one_wait_is_reported(stage: Stage) -> None:
    [reconnect] = stage.reconnects
    assert (reconnect.delay, reconnect.last_event_id, reconnect.error) == (100.0, "1", None)


SCENARIOS = [
    cut_anywhere(reset=False, step=1),
    cut_anywhere(reset=True, step=5),
    *(
        ClientScenario(
            name=f"every connection is cut after {cut} bytes",
            peers={"server": scripted(Resume(TEXTS, cut))},
            calls=[Connect(**ALL)],
            connections=(2, 10),
        )
        for cut in range(HEAD_LENGTH + LONGEST, HEAD_LENGTH + 3 * LONGEST, 17)
    ),
    ClientScenario(
        name="a cut amid TLS, the handshake included, loses nothing",
        peers={
            "tls": scripted(Resume(TEXTS), tls=over_tls),
            "server": Peer([[Forward("tls", cut)] for many in TLS_CUTS for cut in (many, None)]),
        },
        calls=[Connect(url="https://{server:address}/", trust="client", **ALL) for _ in TLS_CUTS],
    ),
    ClientScenario(
        name="the last event ID goes out from the start",
        peers={"server": scripted(Resume(TEXTS))},
        calls=[
            Connect(
                options={"last_event_id": "story-4"},
                do=[Take(2)],
                texts=TEXTS[4:],
                stream={"last_event_id": "story-6"},
            )
        ],
    ),
    *(
        ClientScenario(
            name=f"another connection goes on after event {count}",
            peers={"server": scripted(Resume(TEXTS))},
            calls=[
                Connect(do=[Take(count)], texts=TEXTS[:count], stream={"last_event_id": f"story-{count}"}),
                Connect(
                    options={"last_event_id": f"story-{count}"}, do=[Take(6 - count)], texts=TEXTS[count:]
                ),
            ],
        )
        for count in range(1, len(TEXTS))
    ),
    ClientScenario(
        name="204 ends it",
        peers={
            "server": Peer(
                [
                    [Head(), answer(encode_event("only", id="1"))],
                    [Head(), Send(b"HTTP/1.1 204 No Content\r\n\r\n")],
                ]
            )
        },
        calls=[
            Connect(
                options={"retry": AT_ONCE},
                do=[Take(3)],
                texts=["only"],
                errors=[Error(StopAsyncIteration)],
                stream={"reconnects": 1},
            )
        ],
        connections=(2, 2),
    ),
    *(
        ClientScenario(
            name=f"a status that may pass is tried again: {status}",
            peers={
                "server": Peer([[Head(), answer(b"", status)], [Head(), answer(encode_event("at last"))]])
            },
            calls=[Connect(options={"retry": AT_ONCE}, do=[Take(1)], texts=["at last"])],
        )
        for status in ("429 Too Many Requests", "503 Service Unavailable")
    ),
    ClientScenario(
        name="each reconnect is reported in its place",
        peers={"server": scripted(Resume(TEXTS, 300))},
        calls=[Connect(options={"retry": AT_ONCE}, do=[Take(6)], listens=True)],
        check=listened_to,
    ),
    ClientScenario(
        name="a reconnect is reported before the wait",
        peers={"server": scripted(Head(), answer(encode_event("only", id="1")))},
        calls=[
            Connect(
                options={"retry": RetryPolicy(initial_delay=100.0, max_delay=100.0, jitter=0.0)},
                do=[Take(1), Glance(0.1)],
                trace=["only", "after 1"],
                stream={"reconnects": 0},
                check=one_wait_is_reported,
            )
        ],
        needs=frozenset({"cancel"}),
    ),
    ClientScenario(
        name="who raises in on_reconnect gives up",
        peers={"server": scripted(Head())},
        calls=[
            Connect(
                options={"retry": AT_ONCE, "on_reconnect": gives_up},
                do=[Take(1)],
                errors=[Error(TransportError, r"gave up: the connection to 127.0.0.1:\d+ was lost")],
            )
        ],
        connections=(2, 2),  # the third attempt is not made
    ),
]
