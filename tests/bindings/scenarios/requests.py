"""Requests in httpx's words: ``content``, ``json``, ``params``, ``timeout``, ``follow_redirects``."""

from __future__ import annotations

from sse_core import encode_event
from sse_core.errors import RemoteProtocolError, TransportError
from sse_core.lifecycle import NO_RETRY, Outcome

from ..client_scenario import ClientScenario, Connect, Error, Request, Turn
from ..client_steps import Take
from ..peers import Head, Peer, Receive, Silence, answer, scripted, unfinished


def sends(name: str, size: int, request: Request, **options: object) -> ClientScenario:
    return ClientScenario(
        name=name,
        peers={"server": scripted(Head(), Receive(size), answer(encode_event("x")))},
        calls=[Connect(options=options, do=[Take(1)], texts=["x"])],
        requests=[request],
    )


SCENARIOS = [
    sends(
        "a value as JSON",
        len('{"why":"zwölf"}'.encode()),
        Request(
            b"POST / ",
            has=[b"content-type: application/json\r\n", b"content-length: 16\r\n"],
            ends=b"\r\n\r\n" + '{"why":"zwölf"}'.encode(),
        ),
        method="POST",
        json={"why": "zwölf"},
    ),
    *(
        sends(
            f"a value as JSON beside {name}",
            2,
            Request(
                b"POST / ",
                has=[b"content-type: application/json\r\n", b"key: value\r\n"],
                ends=b"\r\n\r\n{}",
            ),
            method="POST",
            json={},
            headers=headers,
        )
        for name, headers in {
            "headers": {"key": "value"},
            "a function for headers": lambda: {"key": "value"},
        }.items()
    ),
    sends(
        "a value as JSON of a type of its own",
        2,
        Request(b"POST / ", has=[b"content-type: text/mine\r\n"], lacks=[b"application/json"]),
        method="POST",
        json={},
        headers=lambda: {"Content-Type": "text/mine"},
    ),
    sends(
        "a text as content",
        6,
        Request(b"QUERY / ", lacks=[b"content-type"], ends=b"\r\n\r\n" + "zwölf".encode()),
        method="QUERY",
        content="zwölf",
    ),
    sends("a query", 0, Request(b"GET /?a=1&a=2&b=x+y HTTP"), params={"a": [1, 2], "b": "x y"}),
    ClientScenario(
        name="a redirect that is not followed is a refusal",
        peers={"server": Peer([[Head(), answer(b"moved", "307 Temporary Redirect", location="/there")]])},
        calls=[
            Connect(
                options={"follow_redirects": False},
                do=[Take(1)],
                errors=[Error(RemoteProtocolError, "status 307: 'moved'", {"status": 307})],
            )
        ],
        connections=(1, 1),
    ),
    ClientScenario(
        name="a timeout for the head",
        peers={"server": scripted(Head(), Silence())},
        calls=[
            Connect(
                options={"timeout": 0.1, "retry": NO_RETRY},
                do=[Take(1)],
                errors=[Error(TransportError)],
                seconds=(0.05, 5),
            )
        ],
    ),
    ClientScenario(
        name="a timeout between two events",
        peers={"server": scripted(Head(), unfinished(encode_event("x")), Silence())},
        calls=[
            Connect(
                options={"timeout": 0.1, "retry": NO_RETRY},
                do=[Take(2)],
                texts=["x"],
                errors=[Error(TransportError)],
                seconds=(0.05, 5),
            )
        ],
    ),
    ClientScenario(
        name="a timeout of a turn",
        peers={"server": scripted(Head(), Silence())},
        calls=[
            Turn(
                upstream={"retry": NO_RETRY},
                options={"timeout": 0.1},
                outcome=Outcome.EXPIRED,
                failure="did not begin to answer in time",
                seconds=(0.05, 5),
            )
        ],
    ),
]
