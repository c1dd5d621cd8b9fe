"""Clients go through forward proxies."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from unittest import mock

from sse_core.errors import TransportError
from sse_core.lifecycle import NO_RETRY, Outcome, RetryPolicy, SourceDeadlines
from sse_http import AllowedPeers, ServerSettings

from ..applications import Logged, Served, closed_log, provider
from ..client_scenario import ClientScenario, Connect, Error, Turn, filled_in
from ..client_steps import Peers, Stage, StopMeanwhile, Take
from ..proxy_peer import ProxyPeer
from .reconnecting import AT_ONCE

NUMBERS = [f"<{number}>" for number in range(1, 2001)]
LOGGED = Served(lambda _: Logged(closed_log(*NUMBERS)), options={"host": "127.0.0.1"})
LOGGED_OVER_TLS = Served(lambda _: Logged(closed_log(*NUMBERS)), tls="server")
LOGGED_FOR_ALL = Served(
    lambda _: Logged(closed_log(*NUMBERS)),
    options={"settings": ServerSettings(peers=AllowedPeers(any_address=True))},
)
SECRET = "user:hunter2@"
BASIC = b"proxy-authorization: basic dxnlcjpodw50zxiy\r\n"  # in lower case
CONNECT_REFUSED = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 7\r\n\r\nhunter2"
WANTS_A_PASSWORD = b"HTTP/1.1 407 Who are you?\r\nproxy-authenticate: Basic\r\ncontent-length: 0\r\n\r\n"
OVERLOADED = b"HTTP/1.1 503 Later\r\ncontent-length: 0\r\n\r\n"


def asked(*heads: bytes, has: Sequence[bytes] = ()) -> Callable[[Peers, Sequence[Stage]], None]:
    """What the proxy was asked, and what the server didn't learn."""

    def check(peers: Peers, _: Sequence[Stage]) -> None:
        assert [head.partition(b"\r\n")[0] for head in peers["proxy"].heads] == list(heads)
        for head in peers["proxy"].heads:
            assert all(text in head.lower() for text in has)

    return check


def through(
    name: str, server: Served, proxy: ProxyPeer, url: str, trust: str | None, *heads: bytes, **extra: object
) -> ClientScenario:
    return ClientScenario(
        name=name,
        peers={"server": server, "proxy": proxy},
        calls=[
            Connect(
                url=url,
                options={"proxy": "{proxy}", "retry": NO_RETRY, **extra},
                trust=trust,
                do=[Take(2000)],
                texts=NUMBERS,
            )
        ],
        check=asked(*heads, has=[BASIC] if proxy.credentials else []),
    )


def refused(
    name: str, answer: bytes, words: str, url: str = "https://host.test/", retry: RetryPolicy = AT_ONCE
) -> ClientScenario:
    """A connection that the proxy doesn't make; no second one is asked for where that is no use."""
    again = retry is not AT_ONCE
    return ClientScenario(
        name=name,
        peers={"server": LOGGED, "proxy": ProxyPeer(credentials=SECRET, answer=answer)},
        calls=[
            Connect(
                url=url,
                options={"proxy": "{proxy}", "retry": retry},
                do=[Take(1)],
                errors=[Error(TransportError, words, unspoken="hunter2")],
                stream={"reconnects": 1 if again else 0},
            )
        ],
    )


@dataclass(frozen=True, kw_only=True)
class ConnectIn(Connect):
    """``connect`` in an environment with these variables."""

    environment: Mapping[str, str]

    def opened(self, stage: Stage) -> Any:
        filled = {name: filled_in(text, stage.peers) for name, text in self.environment.items()}
        with mock.patch.dict(os.environ, {"no_proxy": "", **filled}):
            return super().opened(stage)


#: TEST-NET-1, RFC 5737: nobody is there.
NOBODYS = "http://192.0.2.1:1/"
SOCKS = {"http_proxy": "socks5://user:hunter2@127.0.0.1"}
ONE_TRY = {"retry": NO_RETRY, "deadlines": SourceDeadlines(connect=0.05)}


def was_left(peers: Peers, _: Sequence[Stage]) -> None:
    assert peers["proxy"].left.wait(5.0)


SCENARIOS = [
    ClientScenario(
        name="a proxy that is silent has as long as connecting has",
        peers={"proxy": ProxyPeer(silent=True)},
        calls=[
            Connect(
                url="https://host.test/",
                options={
                    "proxy": "{proxy}",
                    "retry": NO_RETRY,
                    "deadlines": SourceDeadlines(connect=0.5),
                },
                do=[Take(1)],
                errors=[Error(TransportError)],
                seconds=(0.1, 5),
            )
        ],
        check=was_left,
    ),
    ClientScenario(
        name="a turn is stopped while its proxy is silent",
        peers={"proxy": ProxyPeer(silent=True)},
        calls=[
            Turn(
                url="https://host.test/",
                options={"proxy": "{proxy}"},
                do=[StopMeanwhile(lambda stage: stage.peers["proxy"].heads)],
                outcome=Outcome.STOPPED,
            )
        ],
        needs=frozenset({"tasks"}),
        check=was_left,
    ),
    ClientScenario(
        name="a proxy that the environment names",
        peers={"server": LOGGED_FOR_ALL, "proxy": ProxyPeer()},
        calls=[
            ConnectIn(url=NOBODYS, environment={"http_proxy": "{proxy}"}, do=[Take(1)]),
            ConnectIn(url="{server}", environment={"http_proxy": "{proxy}"}, do=[Take(1)]),
            ConnectIn(
                url=NOBODYS,
                environment={"http_proxy": "{proxy}"},
                options={**ONE_TRY, "trust_env": False},
                do=[Take(1)],
                errors=[Error(TransportError)],
            ),
        ],
        check=asked(b"GET http://192.0.2.1:1/ HTTP/1.1"),
    ),
    ClientScenario(
        name="what the environment names is no proxy",
        peers={"server": LOGGED},
        calls=[
            ConnectIn(
                url=NOBODYS,
                environment=SOCKS,
                do=[Take(1)],
                errors=[
                    Error(
                        TransportError,
                        "could not connect to 192.0.2.1:1: http_proxy of the environment: a proxy's URL",
                        unspoken="hunter2",
                    )
                ],
                stream={"reconnects": 0},
            ),
            ConnectIn(url="{server}", environment=SOCKS, do=[Take(1)]),
        ],
    ),
    # The name is the proxy's to look up: nobody here knows it.  "localhost" is what the server answers to.
    through(
        "http by a proxy",
        LOGGED,
        ProxyPeer(),
        "http://localhost:1/a",
        None,
        b"GET http://localhost:1/a HTTP/1.1",
    ),
    through(
        "http by a proxy that wants a password, over TLS",
        LOGGED,
        ProxyPeer(tls=True, credentials=SECRET),
        "http://localhost:1/a",
        "client",
        b"GET http://localhost:1/a HTTP/1.1",
    ),
    through(
        "https by a tunnel",
        LOGGED_OVER_TLS,
        ProxyPeer(credentials=SECRET),
        "https://localhost:1/a",
        "client",
        b"CONNECT localhost:1 HTTP/1.1",
    ),
    through(
        "https by a tunnel within TLS",
        LOGGED_OVER_TLS,
        ProxyPeer(tls=True),
        "https://localhost/",
        "client",
        b"CONNECT localhost:443 HTTP/1.1",
    ),
    ClientScenario(
        name="turns by a proxy",
        peers={"server": Served(provider), "proxy": ProxyPeer()},
        calls=[Turn(url="http://localhost:1/v1/messages", options={"proxy": "{proxy}"}, text=True)],
        check=asked(b"POST http://localhost:1/v1/messages HTTP/1.1"),
    ),
    refused(
        "a tunnel that is refused",
        CONNECT_REFUSED,
        r"could not connect to host\.test:443: the tunnel is refused with status 403 \(Forbidden\), "
        r"by the proxy 127\.0\.0\.1:",
    ),
    refused(
        "a tunnel that wants a password", WANTS_A_PASSWORD, "refused with status 407 .*user and a password"
    ),
    refused(
        "a proxy that wants a password for http",
        WANTS_A_PASSWORD,
        r"the proxy 127\.0\.0\.1:\d+ refuses the request with status 407",
        url="http://host.test/",
    ),
    refused("a proxy that speaks another protocol", b"\x15\x03\x01\x00\x02\x02\x46", "not valid HTTP/1.1"),
    refused(
        "a proxy that is overloaded is asked again",
        OVERLOADED,
        "status 503",
        retry=RetryPolicy(initial_delay=0.01, max_attempts=2),
    ),
    refused(
        "a proxy that answers nothing is asked again",
        b"",
        "closed before the tunnel was open, by the proxy",
        retry=RetryPolicy(initial_delay=0.01, max_attempts=2),
    ),
    ClientScenario(
        name="a turn whose tunnel is refused",
        peers={"proxy": ProxyPeer(credentials=SECRET, answer=CONNECT_REFUSED)},
        calls=[
            Turn(
                url="https://host.test/",
                options={"proxy": "{proxy}"},
                outcome=Outcome.FAILED,
                failure=r"host\.test:443 could not be made: the tunnel is refused .*, by the proxy 127",
                failure_is={"retryable": False},
                stream={"attempts": 1},
            )
        ],
    ),
    ClientScenario(
        name="a proxy that is not there",
        peers={},
        calls=[
            Connect(
                url="https://host.test/",
                options={"proxy": "http://127.0.0.1:9", "retry": NO_RETRY},
                do=[Take(1)],
                errors=[Error(TransportError, "Connection refused, by the proxy 127.0.0.1:9")],
            )
        ],
    ),
]
