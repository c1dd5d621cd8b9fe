"""What ``serve`` does with the connections that an application asks for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import trio

from sse_core.lifecycle import OnDisconnect, Outcome, RetryPolicy, TurnState, Upstream
from sse_http import Reply
from tests.trio_binding.support import (
    BODY,
    Asking,
    Feeds,
    answer,
    eventually,
    fetch,
    listening,
    provider,
    serving,
    turn_to,
)

NOT_FOUND = answer(b"{}", "404 Not Found", "application/json")


class SlowResolver(trio.abc.HostnameResolver):
    """Looks names up for ever; which ones."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    async def getaddrinfo(self, host: Any, *_: Any, **__: Any) -> Any:
        self.calls.append(host)
        await trio.sleep_forever()

    async def getnameinfo(self, *_: Any) -> Any:
        raise NotImplementedError


@pytest.fixture
async def connecting() -> AsyncIterator[list[Any]]:
    """No name is ever found; what was looked for."""
    resolver = SlowResolver()
    trio.socket.set_custom_hostname_resolver(resolver)
    yield resolver.calls
    trio.socket.set_custom_hostname_resolver(None)


async def test_a_turn_is_driven_to_its_end() -> None:
    async with serving(provider(tokens=5, rate=0, ttft=0)) as upstream:
        turn = turn_to(upstream.url + "v1/messages")
        asking = Asking(turn)
        async with serving(asking):
            asking.ask()
            await eventually(lambda: turn.outcome)
    assert turn.outcome is Outcome.COMPLETED


async def test_waking_amid_connecting_does_not_begin_again(connecting: list[Any]) -> None:
    """A reader that comes or goes wakes the exchange; a handshake must not start anew for it."""
    turn = turn_to("http://slow.example/")
    asking = Asking(turn)
    async with serving(asking):
        asking.ask()
        await eventually(lambda: connecting)
        for _ in range(5):
            asking.exchanges[0].waker()
            await trio.testing.wait_all_tasks_blocked()
        assert len(connecting) == 1
        assert turn.state is TurnState.CONNECTING


async def test_an_earlier_deadline_counts_amid_connecting(connecting: list[Any]) -> None:
    turn = Upstream("http://slow.example/").turn(BODY, on_disconnect=OnDisconnect("detach", 0.02))
    turn.start(trio.current_time())
    asking = Asking(turn)
    async with serving(asking):
        asking.ask()
        await eventually(lambda: connecting)
        turn.readers_changed(0, trio.current_time())
        asking.exchanges[0].waker()
        await eventually(lambda: turn.outcome)
    assert turn.outcome is Outcome.STOPPED


async def test_stopping_amid_connecting_ends_it_at_once(connecting: list[Any]) -> None:
    turn = turn_to("http://slow.example/")
    asking = Asking(turn)
    async with serving(asking):
        asking.ask()
        await eventually(lambda: connecting)
        turn.stop(trio.current_time())
        asking.exchanges[0].waker()
        await trio.testing.wait_all_tasks_blocked()
        assert turn.deadline is None
    assert len(connecting) == 1


async def test_waking_amid_a_large_request_does_not_cut_it() -> None:
    go_on = trio.Event()
    received = 0

    async def slow(stream: trio.SocketStream) -> None:
        nonlocal received
        await go_on.wait()
        while received < 16_000_000:
            received += len(await stream.receive_some())
        await stream.send_all(NOT_FOUND)

    async with listening(slow) as upstream:
        turn = turn_to(upstream.url, b"x" * 16_000_000)
        asking = Asking(turn)
        async with serving(asking):
            asking.ask()
            await eventually(lambda: turn.state is TurnState.WAITING)
            for _ in range(5):
                asking.exchanges[0].waker()
                await trio.testing.wait_all_tasks_blocked(0.001)
            go_on.set()
            await eventually(lambda: turn.outcome)
    assert turn.attempts == 1
    assert turn.failure is not None
    assert turn.failure.status == 404


async def test_a_mistake_in_driving_a_turn_fails_it(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody else would ever tell the turn's readers."""

    def raises(_: float) -> None:
        raise RuntimeError("a secret")

    async with serving(Feeds()) as upstream:
        turn = turn_to(upstream.url, retry=RetryPolicy(initial_delay=0.0))
        asking = Asking(turn)
        monkeypatch.setattr(asking.exchanges[0], "connected", raises)
        async with serving(asking):
            asking.ask()
            await eventually(lambda: turn.outcome)
    assert turn.outcome is Outcome.FAILED
    assert turn.failure is not None
    assert "secret" not in turn.failure.error.message
    assert caplog.text.count("RuntimeError: a secret") == turn.attempts == 3


async def test_a_mistake_that_never_ends_is_given_up(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raises(*_: object) -> None:
        raise RuntimeError("a secret")

    feeds = Feeds(lambda _: Reply(204))
    async with serving(feeds) as upstream:
        asking = Asking(turn_to(upstream.url))
        monkeypatch.setattr(asking.exchanges[0], "connected", raises)
        monkeypatch.setattr(asking.exchanges[0], "connection_lost", raises)
        async with serving(asking) as server:
            asking.ask()
            await eventually(lambda: len(caplog.records) == 2)
            asking._make = lambda _: Reply(204)
            assert b"204" in await fetch(server)
    assert len(caplog.records) == 2
