"""A request with an effect isn't repeated, whatever IDs its events carry."""

from __future__ import annotations

from collections.abc import Sequence

from sse_core import encode_event
from sse_core.errors import RemoteProtocolError, TransportError
from sse_core.lifecycle import NO_RETRY, RetryPolicy

from ..applications import Feeds, Served
from ..client_scenario import ClientScenario, Connect, Error, Request
from ..client_steps import Take
from ..peers import (
    Act,
    Head,
    Nobody,
    Pause,
    Peer,
    Receive,
    Reset,
    Silence,
    answer,
    over_tls,
    scripted,
    unfinished,
)
from .reconnecting import AT_ONCE

POST = {"method": "POST", "body": b"do it", "retry": AT_ONCE}
BODY = bytes(range(256)) * 40_000
LARGE = {"method": "POST", "body": b"x" * 32_000_000, "retry": NO_RETRY}
AFTER_REFUSING: dict[str, list[Act]] = {
    "closes": [],
    "resets": [Reset()],
    "reads no further": [Pause(0.2)],
    "reads on": [Silence()],
}
REFUSED = Error(RemoteProtocolError, attributes={"status": 413})


def cut_answers(id: str | None) -> Peer:
    """Each answer is cut behind its only event."""
    events = [encode_event(f"<{number}>", id=id and f"{id}{number}") for number in (1, 2)]
    return Peer([[Head(), unfinished(event)] for event in events])


def repeated(
    name: str, id: str | None, texts: Sequence[str], requests: Sequence[Request], **options: object
) -> ClientScenario:
    """What a client does whose answer is cut."""
    goes_on = len(texts) == 2
    return ClientScenario(
        name=name,
        peers={"server": cut_answers(id)},
        calls=[
            Connect(
                options={**POST, **options},
                do=[Take(2)],
                texts=texts,
                errors=[] if goes_on else [Error(TransportError)],
            )
        ],
        requests=requests,
    )


SCENARIOS = [
    repeated("a POST is not repeated", None, ["<1>"], [Request(b"POST / ")]),
    repeated("nor one whose events have IDs", "id-", ["<1>"], [Request(b"POST / ")]),
    repeated("never means never", "id-", ["<1>"], [Request(b"POST / ")], resume="never"),
    repeated(
        "a POST is read on by GET if you say so",
        "id-",
        ["<1>", "<2>"],
        [
            Request(b"POST / "),
            Request(b"GET / ", has=[b"last-event-id: id-1\r\n"], ends=b"\r\n\r\n"),
        ],
        resume="get",
    ),
    repeated(
        "or repeated",
        "id-",
        ["<1>", "<2>"],
        [
            Request(b"POST / ", lacks=[b"last-event-id"], ends=b"\r\n\r\ndo it"),
            Request(b"POST / ", has=[b"last-event-id: id-1\r\n"], ends=b"\r\n\r\ndo it"),
        ],
        resume="always",
    ),
    *(
        ClientScenario(
            name=f"a POST that ended properly is over: resume={resume}",
            peers={"server": scripted(Head(), answer(b"retry: 0\n" + encode_event("done", id="1")))},
            calls=[Connect(options={**POST, "resume": resume}, texts=["done"])],
            connections=(1, 1),
        )
        for resume in (None, "always", "never")
    ),
    ClientScenario(
        name="a POST that may have been heard is not sent again",
        peers={"server": scripted(Head())},
        calls=[Connect(options=POST, errors=[Error(TransportError, "before it answered")])],
        connections=(1, 1),
    ),
    ClientScenario(
        name="a POST that was never sent is tried again",
        peers={"server": Nobody()},
        calls=[
            Connect(
                options={**POST, "retry": RetryPolicy(max_attempts=3, initial_delay=0.0)},
                errors=[Error(TransportError, "could not connect to")],
                trace=["after ", "after "],
            )
        ],
    ),
    ClientScenario(
        name="a POST is read on where its answer says",
        peers={
            "server": Peer(
                [
                    [Head(), answer(encode_event("one", id="1"), "201 Created", location="/jobs/7")],
                    [Head(), answer(encode_event("two", id="2"))],
                ]
            )
        },
        calls=[Connect(options=POST, do=[Take(2)], texts=["one", "two"])],
        requests=[Request(b"POST / "), Request(b"GET /jobs/7 ")],
    ),
    # A server may answer what it has not read, and never will.
    *(
        ClientScenario(
            name=f"a large request is refused, and the server {then}",
            peers={"server": scripted(Head(), answer(b"", "413 Content Too Large"), *acts)},
            calls=[Connect(options=LARGE, do=[Take(1)], errors=[REFUSED], seconds=(0, 2))] * 3,
        )
        for then, acts in AFTER_REFUSING.items()
    ),
    ClientScenario(
        name="a large request is refused by our own server",
        peers={"server": Served(lambda _: Feeds())},
        calls=[Connect(options=LARGE, do=[Take(1)], errors=[REFUSED])],
    ),
    ClientScenario(
        name="an answer is there before the request, and its server has gone",
        peers={"server": scripted(answer(b"", "503 Service Unavailable"), Pause(0.02), Reset())},
        calls=[
            Connect(
                options=LARGE,
                do=[Take(1)],
                errors=[Error(RemoteProtocolError, attributes={"status": 503})],
            )
        ],
    ),
    *(
        ClientScenario(
            name=f"a large request arrives whole{' over TLS' if trust else ''}",
            peers={"server": scripted(Head(), Receive(len(BODY)), answer(encode_event("whole")), tls=tls)},
            calls=[
                Connect(options={"method": "POST", "body": BODY}, trust=trust, do=[Take(1)], texts=["whole"])
            ],
            requests=[Request(b"POST / ", ends=b"\r\n\r\n" + BODY)],
        )
        for tls, trust in ((None, None), (over_tls, "client"))
    ),
]
