"""Names are looked up by trio, with whatever resolver it was given."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import trio

import sse_trio
from sse_core.errors import TransportError
from sse_core.lifecycle import NO_RETRY, Outcome, TurnState, Upstream
from tests.bindings.applications import Driving, Feeds, Logged, closed_log
from tests.bindings.client_scenario import BODY
from tests.bindings.scenarios.serving import hello
from tests.bindings.trio.support import Server, fetch, serving


class Addresses(trio.abc.HostnameResolver):
    """Every name has these addresses; if there are none, it is looked up for ever."""

    def __init__(self, *addresses: str) -> None:
        self.calls: list[Any] = []
        self._addresses = addresses

    async def getaddrinfo(self, host: Any, port: Any, *_: Any, **__: Any) -> Any:
        self.calls.append(host)
        if not self._addresses:
            await trio.sleep_forever()
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (address, port, 0, 0)[: 4 if ":" in address else 2],
            )
            for address in self._addresses
        ]

    async def getnameinfo(self, *_: Any) -> Any:
        raise AssertionError("nobody looks up a name for an address")


async def test_a_host_of_several_addresses_of_which_one_answers() -> None:
    trio.socket.set_custom_hostname_resolver(Addresses("::1", "127.0.0.1"))
    async with (
        serving(Logged(closed_log("one"))) as server,
        sse_trio.connect(f"http://localhost:{server.port}/", retry=NO_RETRY) as source,
    ):
        assert (await anext(source)).data == "one"


async def test_none_of_them_answers() -> None:
    trio.socket.set_custom_hostname_resolver(Addresses("::1", "127.0.0.1"))
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://localhost:{unused.getsockname()[1]}/"
        async with sse_trio.connect(url, retry=NO_RETRY) as source:
            with pytest.raises(TransportError, match="Connection refused") as caught:
                await anext(source)
    assert str(caught.value).count("refused") == 1


async def test_a_host_of_several_addresses_is_served_on_one_port() -> None:
    trio.socket.set_custom_hostname_resolver(Addresses("127.0.0.1", "::1"))
    async with serving(Feeds(hello), host="two.test") as server:
        for host in ("127.0.0.1", "::1"):
            assert b"200 OK" in await fetch(Server(host, server.port, "http", server.scope))


@pytest.fixture
async def looked_up() -> AsyncIterator[list[Any]]:
    """No name is ever found; what was looked for."""
    resolver = Addresses()
    trio.socket.set_custom_hostname_resolver(resolver)
    yield resolver.calls
    trio.socket.set_custom_hostname_resolver(None)


async def test_waking_and_stopping_amid_it(looked_up: list[Any]) -> None:
    """A reader that comes or goes wakes the exchange: the name is not looked up anew for it."""
    turn = Upstream("http://slow.example/").turn(BODY)
    application = Driving(turn)
    async with serving(application):
        application.begin(trio.current_time())
        await trio.testing.wait_all_tasks_blocked()
        for _ in range(5):
            application.exchanges[0].waker()
            await trio.testing.wait_all_tasks_blocked()
        assert turn.state is TurnState.CONNECTING
        turn.stop(trio.current_time())
        application.exchanges[0].waker()
        await trio.testing.wait_all_tasks_blocked()
    assert (turn.outcome, turn.deadline) == (Outcome.STOPPED, None)
    assert len(looked_up) == 1
