"""``connect`` is sent elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from sse_core import encode_event
from sse_core.errors import LimitExceeded, RemoteProtocolError

from ..client_scenario import ClientScenario, Connect, Error, Request
from ..client_steps import Peers, Stage, Take
from ..peers import Head, Peer, Resume, Send, Silence, answer, over_tls, scripted
from .reconnecting import AT_ONCE

TEXTS = [f"<{number}> zwölf" for number in range(6)]
SECRETS = {"authorization": "Bearer secret", "x-goog-api-key": "secret", "cookie": "a=secret"}


def sent_to(location: str, status: str = "307 Temporary Redirect") -> Peer:
    """A server that sends everyone elsewhere, with a page for people that never ends."""
    head = f"HTTP/1.1 {status}\r\nlocation: {location}\r\ntransfer-encoding: chunked\r\n\r\n6\r\nmoved\n\r\n"
    return scripted(Head(), Send(head.encode()), Silence())


def no_secret_at_the_target(peers: Peers, stages: Sequence[Stage]) -> None:
    [request] = peers["target"].requests
    assert request.startswith(b"GET /there ")
    assert b"secret" not in request
    assert stages[0].stream.origin == peers["target"].url.rstrip("/")


def every_connection_begins_at_the_first_server(peers: Peers, stages: Sequence[Stage]) -> None:
    assert len(peers["server"].connections) == stages[0].stream.reconnects + 1 >= 2


def became_a_get(peers: Peers, _: Sequence[Stage]) -> None:
    [request] = peers["target"].requests
    assert request.startswith(b"GET / ")
    assert request.endswith(b"\r\n\r\n")


SCENARIOS = [
    ClientScenario(
        name="to another server without a secret",
        peers={"target": scripted(Resume(TEXTS)), "server": sent_to("{target}there")},
        calls=[
            Connect(
                options={"headers": SECRETS, "retry": AT_ONCE},
                do=[Take(6)],
                texts=TEXTS,
                stream={"reconnects": 0},
            )
        ],
        requests=[Request(has=[b"bearer secret", b"x-goog-api-key: secret", b"a=secret"])],
        left_within=1.0,
        check=no_secret_at_the_target,
    ),
    ClientScenario(
        name="on the same server with it",
        peers={
            "server": Peer(
                [
                    [Head(), answer(b"", "301 Moved", location="/b")],
                    [Head(), answer(encode_event("x"))],
                ]
            )
        },
        calls=[Connect(options={"headers": SECRETS}, do=[Take(1)], texts=["x"])],
        requests=[
            Request(path, has=[b"bearer secret", b"x-goog-api-key: secret", b"a=secret"])
            for path in (b"GET / ", b"GET /b ")
        ],
    ),
    ClientScenario(
        name="to TLS",
        peers={
            "target": scripted(Resume(TEXTS), tls=over_tls),
            "server": sent_to("{target}", "308 Permanent Redirect"),
        },
        calls=[Connect(trust="client", do=[Take(1)], texts=TEXTS[:1])],
    ),
    ClientScenario(
        name="a POST becomes a GET",
        peers={"target": scripted(Resume(TEXTS)), "server": sent_to("{target}", "303 See Other")},
        calls=[Connect(options={"method": "POST", "body": b"do it"}, do=[Take(1)], texts=TEXTS[:1])],
        check=became_a_get,
    ),
    ClientScenario(
        name="round in a circle",
        peers={"server": sent_to("/")},
        calls=[
            Connect(
                options={"max_redirects": 3}, do=[Take(1)], errors=[Error(LimitExceeded, "max_redirects")]
            )
        ],
        connections=(4, 4),
    ),
    ClientScenario(
        name="to what is no URL",
        peers={"server": sent_to("file:///etc/passwd")},
        calls=[
            Connect(
                options={"retry": AT_ONCE}, do=[Take(1)], errors=[Error(RemoteProtocolError, "redirects")]
            )
        ],
    ),
    ClientScenario(
        name="every connection is cut and begins at the first server",
        peers={"target": scripted(Resume(TEXTS, 200)), "server": sent_to("{target}")},
        calls=[Connect(options={"retry": AT_ONCE}, do=[Take(6)], texts=TEXTS)],
        check=every_connection_begins_at_the_first_server,
    ),
]
