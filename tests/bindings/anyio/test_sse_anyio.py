"""What only asyncio has: cancellation of its own, tasks that could be left, and the page docs/asyncio.md."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest

import sse_anyio
from sse_http import Request
from tests.bindings.applications import provider
from tests.bindings.test_anyio import RUNNERS

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "asyncio.md").read_text("utf-8")
RUNNER = RUNNERS["asyncio"]


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    """What the examples define."""
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(block, "docs/asyncio.md", "exec"), names)  # noqa: S102  (the page is ours)
    return names


class Port(asyncio.Future[int]):
    def started(self, port: int | None = None) -> None:
        self.set_result(port or 0)


async def endless(_: Request) -> AsyncIterator[str]:
    yield "one"
    await asyncio.sleep(60)


def test_the_examples_run(page: dict[str, Any]) -> None:
    assert asyncio.run(page["serve_for_a_while"]()) == ["0", "1", "2"]
    with RUNNER.serving(provider(RUNNER)) as serving:
        text = asyncio.run(page["ask"](f"http://127.0.0.1:{serving.port}/v1/messages", "Why?"))
    assert text


def test_the_example_with_a_client_runs(page: dict[str, Any]) -> None:
    async def three(_: Request) -> AsyncIterator[str]:
        for number in range(3):
            yield str(number)

    async def play() -> list[str]:
        server, url = await serving(three)
        async with httpx2.AsyncClient() as client:
            texts: list[str] = await page["follow_by"](client, url)
        server.cancel()
        await asyncio.wait([server])
        return texts

    assert asyncio.run(play()) == ["0", "1", "2"]


async def serving(handler: Any, **options: Any) -> tuple[asyncio.Task[None], str]:
    port = Port()
    task = asyncio.create_task(sse_anyio.serve(handler, task_status=port, **options))
    return task, f"http://127.0.0.1:{await port}/"


def test_a_server_that_is_cancelled_by_asyncio_gives_each_stream_its_end() -> None:
    async def play() -> None:
        server, url = await serving(endless)
        async with sse_anyio.connect(url, resume="never") as source:
            assert (await anext(source)).data == "one"
            server.cancel()
            with pytest.raises(asyncio.CancelledError):
                await server
            assert source.status == 200
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(play())


def test_a_second_cancellation_means_now() -> None:
    async def stubborn(_: Request) -> AsyncIterator[str]:
        yield "one"
        with anyio.CancelScope(shield=True):
            await asyncio.sleep(0.3)

    async def play() -> float:
        server, url = await serving(stubborn, drain=30.0)
        async with sse_anyio.connect(url, resume="never") as source:
            await anext(source)
            began = asyncio.get_running_loop().time()
            server.cancel()
            await asyncio.sleep(0.02)
            assert not server.done()
            server.cancel()
            await asyncio.wait([server])
        return asyncio.get_running_loop().time() - began

    assert asyncio.run(play()) < 5


@pytest.mark.parametrize("how", ["timeout", "cancel", "break", "raise"])
def test_however_a_reader_leaves_nothing_is_left(how: str) -> None:
    async def leave(url: str) -> None:
        async with sse_anyio.connect(url) as source:
            async for _ in source:
                if how == "break":
                    break
                if how == "raise":
                    raise KeyError(how)

    async def play() -> None:
        server, url = await serving(endless)
        if how == "timeout":
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await leave(url)
        elif how == "cancel":
            task = asyncio.create_task(leave(url))
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        elif how == "raise":
            with pytest.raises(KeyError):
                await leave(url)
        else:
            await leave(url)
        server.cancel()
        await asyncio.wait([server])
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(play())


def test_a_thousand_streams_leave_nothing() -> None:
    async def one(_: Request) -> AsyncIterator[str]:
        yield "one"

    async def read(url: str) -> str:
        async with sse_anyio.connect(url, resume="never") as source:
            return (await anext(source)).data

    async def play() -> None:
        server, url = await serving(one)
        for _ in range(20):
            assert await asyncio.gather(*(read(url) for _ in range(50))) == ["one"] * 50
        assert len(asyncio.all_tasks()) <= 4  # the server's own
        server.cancel()
        await asyncio.wait([server])

    asyncio.run(play())


def test_an_event_loop_that_watches_no_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise NotImplementedError

    async def play() -> None:
        monkeypatch.setattr(asyncio.get_running_loop(), "add_reader", refuse)
        await sse_anyio.serve(endless)

    with pytest.raises(BaseExceptionGroup) as caught:
        asyncio.run(play())
    assert caught.group_contains(RuntimeError, match="watches no descriptors")


async def cancelled_task() -> None:
    task = asyncio.create_task(asyncio.sleep(60))
    task.cancel()
    await task


async def awaits_a_cancelled_task(_: Request) -> AsyncIterator[str]:
    await cancelled_task()
    yield "never"


async def awaits_a_cancelled_task_later(_: Request) -> AsyncIterator[str]:
    yield "one"
    await cancelled_task()


@pytest.mark.parametrize(
    ("handler", "status"), [(awaits_a_cancelled_task, b"500"), (awaits_a_cancelled_task_later, b"200")]
)
def test_a_cancellation_that_a_handler_met_is_its_own_error(
    handler: Any, status: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody told it to end: it is a 500, or a cut, and logged; no end as if all had been said."""

    async def play() -> bytes:
        server, url = await serving(handler)
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rstrip("/").rpartition(":")[2]))
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        said = b""
        with contextlib.suppress(ConnectionError):  # a cut may be a reset
            while data := await asyncio.wait_for(reader.read(4096), 5):
                said += data
        writer.close()
        server.cancel()
        await asyncio.wait([server])
        return said

    said = asyncio.run(play())
    assert said.split()[1] == status
    assert status != b"200" or not said.endswith(b"0\r\n\r\n")
    (record,) = [record for record in caplog.records if record.name == "sse_anyio"]
    assert record.exc_info is not None
    assert "awaited what has been cancelled" in str(record.exc_info[1])
