"""``serve``: what an application gives, and what its clients get."""

from __future__ import annotations

import pytest

from sse_core import encode_event
from sse_http import Reply, Request

from ..applications import Feed, Feeds
from ..server_scenario import ServerScenario
from ..server_stage import BODY_END, HEAD_END, Stage, get
from ..server_steps import Check, Closed, Do, End, Fetch, Give, Hear, HearEnd, HearNothing, Open

OLD = b"GET / HTTP/1.0\r\nhost: localhost\r\n\r\n"
CLOSING = get("", "connection: close")


def hello(request: Request) -> Reply:
    return Reply.json(200, {"path": request.path})


def feeds(_: object) -> Feeds:
    """Each request gets a stream that the scenario drives."""
    return Feeds()


def greets(_: object) -> Feeds:
    """Each request is answered with its path."""
    return Feeds(hello)


def learns_its_head(stage: Stage) -> None:
    feed = stage.served.streams[0]
    feed.head = Reply.json(418, {})
    feed.waker()


def can_be_chosen(stage: Stage) -> bool:
    with stage.runner.serving(Feeds(hello)) as server:
        port = server.port
    with stage.runner.serving(Feeds(hello), port=port) as server:
        return server.port == port > 0


def is_in_use(stage: Stage) -> bool:
    again = stage.runner.serving(Feeds(hello), port=stage.serving.port)
    with pytest.raises(OSError, match="in use"), again:
        raise AssertionError("it is served")
    return True


def is_shared(stage: Stage) -> bool:
    """A port that two servers listen on, both of whom say so."""
    with (
        stage.runner.serving(Feeds(hello), reuse_port=True) as first,
        stage.runner.serving(Feeds(hello), reuse_port=True, port=first.port) as second,
    ):
        return first.port == second.port > 0


def ends(how: str, request: bytes, *, tls: bool) -> ServerScenario:
    """HTTP/1.0 has no chunks: a body ends with its connection, so a cut must not look like an end."""
    version = "HTTP/1.0" if request is OLD else "connection: close"
    finished = how == "FINISHED"
    return ServerScenario(
        name=f"{version}{' over TLS' if tls else ''}: a stream that is {how}",
        served=feeds,
        options={"tls": "server"} if tls else {},
        steps=[
            Open(request, tls=tls),
            Hear(HEAD_END),
            Give(encode_event("whole")),
            End(how),
            HearEnd(
                by_reset=(not finished) if tls or request is OLD else None,
                ends=b"\r\n\r\ndata: whole\n\n" if request is OLD else b"",
                whole=None if request is OLD else finished,
            ),
        ],
    )


SCENARIOS = [
    ServerScenario(
        name="each piece arrives before the next is there",
        served=feeds,
        steps=[
            Open(get()),
            Hear(HEAD_END),
            *(
                step
                for number in range(20)
                for step in (Give(encode_event(f"<{number}>")), Hear(b"<%d>" % number))
            ),
            End(),
            Hear(BODY_END),
        ],
    ),
    ServerScenario(
        name="a stream learns its head late",
        served=lambda _: Feeds(lambda _: Feed(head=None)),
        steps=[
            Open(get()),
            HearNothing(0.03),
            Do(learns_its_head),
            Hear(b"{}", starts=b"HTTP/1.1 418 "),
        ],
    ),
    ServerScenario(
        name="a stream that aborts cuts the connection",
        served=feeds,
        steps=[
            Open(get()),
            Hear(HEAD_END),
            Give(encode_event("half")),
            End("ABORTED"),
            HearEnd(has=[b"half"], whole=False),
            Closed(),
        ],
    ),
    *(
        ends(how, request, tls=tls)
        for how in ("FINISHED", "ABORTED")
        for request, tls in ((OLD, False), (OLD, True), (CLOSING, True))
    ),
    ServerScenario(
        name="the port can be chosen",
        served=greets,
        steps=[Fetch(), Check(can_be_chosen), Check(is_shared)],
    ),
    ServerScenario(
        name="an address in use is an error of the system", served=greets, steps=[Check(is_in_use)]
    ),
    ServerScenario(
        name="IPv6",
        served=greets,
        options={"host": "::1"},
        steps=[Open(get("six").replace(b"localhost", b"[::1]")), Hear(b'{"path":"/six"}')],
    ),
]
