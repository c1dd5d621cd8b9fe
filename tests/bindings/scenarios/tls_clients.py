"""TLS of the client, against servers that have it and servers that have not."""

from __future__ import annotations

from sse_core.errors import TransportError
from sse_core.lifecycle import NO_RETRY, RetryPolicy

from ..applications import Feeds, Logged, Served, closed_log, provider
from ..client_scenario import ClientScenario, Connect, Error, Turn
from ..client_steps import Take
from .failing import turn_fails

NUMBERS = [f"<{number}>" for number in range(1, 20_001)]
TLS_SERVER = Served(lambda _: Feeds(), tls="server")


def refused(
    name: str, server: Served, trust: str | None, words: str, url: str = "{server}"
) -> ClientScenario:
    return ClientScenario(
        name=name,
        peers={"server": server},
        calls=[
            Connect(
                url=url,
                options={"retry": RetryPolicy(initial_delay=0.01)},
                trust=trust,
                do=[Take(1)],
                errors=[Error(TransportError, words)],
                stream={"reconnects": 0},
                seconds=(0, 2),
            )
        ],
    )


SCENARIOS = [
    ClientScenario(
        name="a private authority",
        peers={"server": Served(provider, tls="server")},
        calls=[Turn(trust="client", text=True)],
    ),
    refused("a stranger is refused", TLS_SERVER, "stranger", "certificate is refused: .*issuer"),
    refused(
        "another host's certificate is refused",
        Served(lambda _: Feeds(), tls="other_name"),
        "client",
        r"mismatch.*127\.0\.0\.1",
    ),
    refused("the system's authorities are the default", TLS_SERVER, None, "certificate is refused"),
    refused("a server without TLS", Served(lambda _: Feeds()), "client", "TLS", "https://{server:address}/"),
    ClientScenario(
        name="a client without TLS",
        peers={"server": TLS_SERVER},
        calls=[
            Connect(
                url="http://{server:address}/",
                options={"retry": NO_RETRY},
                do=[Take(1)],
                errors=[Error(TransportError)],
                seconds=(0, 2),
            )
        ],
    ),
    turn_fails("a turn: a refused certificate", TLS_SERVER, "certificate is refused"),
    turn_fails("a turn: a stranger", TLS_SERVER, "certificate is refused", trust="stranger"),
    turn_fails(
        "a turn: plain HTTP behind https",
        Served(lambda _: Feeds()),
        "TLS failed",
        url="https://{server:address}/",
        trust="client",
    ),
    ClientScenario(
        name="every byte comes through",
        peers={"server": Served(lambda _: Logged(closed_log(*NUMBERS)), tls="server")},
        calls=[Connect(trust="client", do=[Take(20_000)], texts=NUMBERS, seconds=(0, 20))],
    ),
]
