"""What sse_anyio has to do on trio and on asyncio has not: Ctrl-C may come anywhere there."""

from __future__ import annotations

from functools import partial

import anyio
import trio

import sse_anyio
from sse_http import HandlerSettings, Reply, Request


async def test_a_step_is_protected_from_ctrl_c() -> None:
    """It may be amid a machine's work; it comes when the step is over."""
    protected: list[bool] = []

    def look_at_the_head(_: Request, __: float) -> Reply:
        protected.append(trio.lowlevel.currently_ki_protected())
        return Reply(204)

    async def answer(_: Request) -> Reply:
        raise AssertionError("its head was answered")

    settings = HandlerSettings(check_head=look_at_the_head)
    serve = partial(sse_anyio.serve, answer, handler_settings=settings)
    async with anyio.create_task_group() as tasks:
        port = await tasks.start(serve)
        async with sse_anyio.connect(f"http://127.0.0.1:{port}/") as source:
            assert [event async for event in source] == []
        tasks.cancel_scope.cancel()
    assert protected == [True]
