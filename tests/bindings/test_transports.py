"""The client scenarios on clients that somebody has already: httpx2, httpx and aiohttp, on asyncio."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import aiohttp
import httpx
import httpx2
import pytest

import sse_anyio
from tests.bindings.client_scenario import LEADING, ClientScenario
from tests.bindings.scenarios.catalogue import CLIENT_SCENARIOS
from tests.bindings.test_anyio import LOOPS, AnyioRunner

CLIENTS: dict[str, Callable[[], AbstractAsyncContextManager[Any]]] = {
    "httpx2": lambda: httpx2.AsyncClient(trust_env=False),
    "httpx": lambda: httpx.AsyncClient(trust_env=False),
    "aiohttp": aiohttp.ClientSession,
}


class TransportRunner(AnyioRunner):
    """``sse_anyio`` on a client, a new one for each call."""

    def __init__(self, client: str) -> None:
        super().__init__(LOOPS["asyncio"])
        self._client = CLIENTS[client]

    @contextlib.asynccontextmanager
    async def connect(self, url: str, **options: Any) -> AsyncIterator[Any]:
        async with (
            self._client() as client,
            sse_anyio.connect(url, transport=client, **options) as stream,
        ):
            yield stream

    @contextlib.asynccontextmanager
    async def stream_turn(self, upstream: Any, body: Any, **options: Any) -> AsyncIterator[Any]:
        async with (
            self._client() as client,
            sse_anyio.stream_turn(upstream, body, transport=client, **options) as turn,
        ):
            yield turn


#: What a client has ways of its own for: its words for a connection that can't be made, how it tells a cut
#: from an end, its proxies, certificates, bounds and codings, and large requests that are refused early.  A
#: wait that is cancelled costs its connection (docs/asyncio.md).
CLIENTS_OWN = frozenset(
    {
        "a POST that may have been heard is not sent again",
        "a URL of a Unix socket",
        "a bomb in place of a stream",
        "a connection that was reset meanwhile was no silence",
        "a cut after any number of bytes loses nothing",
        "a large request is refused by our own server",
        "a large request is refused, and the server closes",
        "a large request is refused, and the server reads no further",
        "a large request is refused, and the server reads on",
        "a large request is refused, and the server resets",
        "a large request that is refused early",
        "a provider that is not there",
        "a proxy that the environment names",
        "a refused connection has its cause, and the error stays",
        "a refused turn names host and port, and is tried again",
        "a reset after any number of bytes loses nothing",
        "a server that does not speak HTTP",
        "a text as content",
        "a turn left by a cancelled wait",
        "a turn to a host that is no name: a..b",
        "a turn to a host that is no name: xxxxxxxxxxxxxxxxxxxx",
        "a turn to what speaks another protocol",
        "a turn: a refused certificate",
        "a wait that is given up loses no event",
        "an answer is there before the request, and its server has gone",
        "given up amid sending",
        "its Host is localhost",
        "nobody answers a SYN",
        "nor is one who left off waiting and was busy then",
        "or repeated",
        "the system's authorities are the default",
        "what the environment names is no proxy",
        "who raises in on_reconnect gives up",
    }
)
#: One scenario in so many is played by ``make test``.
PART = 8


def played() -> list[Any]:
    """The scenarios that say what holds for clients, too: a part of them, or all in ``make scenarios``."""
    theirs = [scenario for scenario in CLIENT_SCENARIOS if is_for_clients(scenario)]
    whole = os.environ.get("SCENARIOS") == "all"
    return [
        pytest.param(runner, scenario, id=f"{scenario.name}-{runner}")
        for runner in RUNNERS
        for number, scenario in enumerate(theirs)
        if whole or (runner != "httpx" and number % PART == 0)
    ]


def is_for_clients(scenario: ClientScenario) -> bool:
    """Not those about connections of our own."""
    has_own = any(call.trust or LEADING & call.options.keys() for call in scenario.calls)
    return not has_own and scenario.name not in CLIENTS_OWN


RUNNERS = {name: TransportRunner(name) for name in CLIENTS}


@pytest.mark.parametrize(("runner", "scenario"), played())
def test_client(runner: str, scenario: ClientScenario) -> None:
    scenario.play(RUNNERS[runner])


def test_the_list_names_scenarios() -> None:
    assert {scenario.name for scenario in CLIENT_SCENARIOS} >= CLIENTS_OWN


def test_what_is_no_client() -> None:
    with pytest.raises(TypeError, match=r"transport is an AsyncClient .* not int"):
        sse_anyio.connect("http://127.0.0.1/", transport=7)
    with pytest.raises(TypeError, match="give them to the client"):
        sse_anyio.connect("http://127.0.0.1/", transport=httpx2.AsyncClient(), uds="/run/x")
