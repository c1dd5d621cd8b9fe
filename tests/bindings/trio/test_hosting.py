"""How trio hosts the loop: one task for all sockets, or, where no selector nests, a task a socket."""

# ruff: noqa: ARG001  (the faces of an application and of a handler)

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

import sse_trio
from sse_core.lifecycle import Outcome
from sse_http import Reply, Request
from sse_io.readiness_loop import ReadinessLoop
from sse_relay.config import RelayConfig
from sse_relay.relay import Relay
from sse_trio.loop_host import LoopHost
from tests.bindings.applications import Feeds, provider
from tests.bindings.server_stage import events_of, get
from tests.bindings.test_trio import RUNNER
from tests.bindings.trio.support import Server, fetch, serving

BODY = {"model": "m", "max_tokens": 100, "messages": [{"role": "user", "content": "Why?"}]}


@pytest.fixture(params=["one task", "a task a socket"], autouse=True)
def watching(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test here is for both."""
    if request.param == "a task a socket":
        monkeypatch.setattr("sse_trio.server.nests", lambda: False)


async def count(request: Request) -> AsyncIterator[str]:
    for number in range(100):
        yield f"<{number}>"
        await trio.lowlevel.checkpoint()


async def hello(request: Request) -> Reply:
    return Reply(200, body=b"hello")


async def test_many_readers_at_once() -> None:
    answers: list[bytes] = []

    async def read(server: Server) -> None:
        answers.append(await fetch(server))

    async with serving(count) as server, trio.open_nursery() as nursery:
        for _ in range(100):
            nursery.start_soon(read, server)
    assert [events_of(answer) for answer in answers] == [[f"<{n}>" for n in range(100)]] * 100


async def test_a_reader_that_takes_its_time_gets_everything() -> None:
    whole = b"x" * 5_000_000

    def large(request: Request) -> Reply:
        return Reply(200, body=whole)

    async with (
        serving(Feeds(large)) as server,
        await trio.open_tcp_stream(server.host, server.port) as stream,
    ):
        await stream.send_all(get("", "connection: close"))
        await trio.sleep(0.05)
        received = b"".join([bytes(data) async for data in stream])
    assert received.endswith(b"\r\n\r\n" + whole)


async def test_readers_that_vanish() -> None:
    running = 0

    async def tick(request: Request) -> AsyncIterator[str]:
        nonlocal running
        running += 1
        try:
            while True:
                yield "tick"
                await trio.sleep(0.001)
        finally:
            running -= 1
            if not running:
                none.set()

    none = trio.Event()
    async with serving(tick) as server:
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(50):
                stream = await stack.enter_async_context(await trio.open_tcp_stream(server.host, server.port))
                await stream.send_all(get())
                await stream.receive_some()
        with trio.fail_after(1):
            await none.wait()
        assert not running


async def test_upstreams() -> None:
    """The relay's turns are exchanges of the loop; their names are looked up by trio."""
    async with serving(provider(RUNNER)) as upstream:
        config = RelayConfig(f"http://localhost:{upstream.port}")
        relay = Relay(config, new_id=lambda: "id", jitter=lambda: 0.5, wall_clock=lambda: 0.0)
        async with (
            serving(relay) as server,
            sse_trio.stream_turn(server.url + "v1/messages", BODY) as turn,
        ):
            async for _ in turn:
                pass
    assert turn.outcome is Outcome.COMPLETED


async def test_time_that_jumps(autojump_clock: MockClock) -> None:
    """The loop waits by trio's clock alone, so a test's clock is its clock."""
    async with (
        serving(hello) as server,
        await trio.open_tcp_stream(server.host, server.port) as stream,
    ):
        began = trio.current_time()
        assert await stream.receive_some() == b""
        assert trio.current_time() - began == pytest.approx(75, abs=1), "an idle connection's time"


async def test_a_step_is_protected_from_ctrl_c() -> None:
    """It may be amid a machine's work; it comes when the step is over."""
    protected: list[bool] = []

    def answer(request: Request) -> Reply:
        protected.append(trio.lowlevel.currently_ki_protected())
        return Reply(204)

    async with serving(Feeds(answer)) as server:
        await fetch(server)
    assert protected == [True]


async def test_whoever_waits_for_the_descriptor_learns_that_it_is_closed() -> None:
    """Or it would wait for ever: the system says nothing of a selector that is gone."""
    woken = trio.Event()

    async def wait(descriptor: int, task_status: trio.TaskStatus[None]) -> None:
        task_status.started()
        with pytest.raises(trio.ClosedResourceError):
            await trio.lowlevel.wait_writable(descriptor)  # which a selector never is
        woken.set()

    async with trio.open_nursery() as nursery, trio.open_nursery() as hosting:
        loop = ReadinessLoop(Feeds(), LoopHost(hosting), on_error=_raise)
        hosting.start_soon(LoopHost(hosting).run, loop)
        await nursery.start(wait, loop.fileno())
        await wait_all_tasks_blocked()
        hosting.cancel_scope.cancel()
    assert woken.is_set()


async def test_nothing_to_do_is_not_done() -> None:
    """While readers and peers are silent, no task runs."""
    runs: list[trio.lowlevel.Task] = []

    class Runs(trio.abc.Instrument):
        def task_scheduled(self, task: trio.lowlevel.Task) -> None:
            runs.append(task)

    async with (
        serving(Feeds()) as server,
        await trio.open_tcp_stream(server.host, server.port) as stream,
    ):
        await stream.send_all(get())
        await stream.receive_some()
        await wait_all_tasks_blocked()
        instrument = Runs()
        trio.lowlevel.add_instrument(instrument)
        await trio.sleep(0.1)
        trio.lowlevel.remove_instrument(instrument)
    assert set(runs) <= {trio.lowlevel.current_task()}


def _raise(error: Exception) -> None:
    raise error
