"""The page docs/asgi.md and the frameworks: its examples run, one after another, as one application."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Mount, Route

import sse_asgi
from sse_asgi import EventSourceResponse, EventStreamResponse, asgi
from sse_http import Request
from tests.bindings.asgi.server import Connection, answering, scope_of, whole_answer

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "asgi.md").read_text("utf-8")
Run = Callable[..., Any]


@pytest.fixture
def names() -> dict[str, Any]:
    """What the examples define."""
    defined: dict[str, Any] = {}
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 5
    for block in blocks:
        exec(compile(block, "docs/asgi.md", "exec"), defined)  # noqa: S102  (the page is ours)
    return defined


def test_the_examples_run(names: dict[str, Any]) -> None:
    """FastAPI's own event loop is asyncio's here."""

    async def play() -> None:
        application = names["application"]
        progress = await whole_answer(application, Connection(scope_of("/progress")))
        assert [json.loads(data)["percent"] for data in progress.data] == list(range(0, 101, 10))
        clock = await whole_answer(application, Connection(scope_of("/clock")))
        assert [(event.type, event.data) for event in clock.events] == [("tick", "now")]
        mounted = await whole_answer(application, Connection(scope_of("/count/a")))
        beside = await whole_answer(application, Connection(scope_of("/events/a")))
        assert (mounted.data[0], beside.data[0]) == ("/a: 0", "/events/a: 0")
        news = Connection(scope_of("/news"))
        async with answering(application, news):
            await anyio.sleep(0.02)
            scope = scope_of("/news", method="POST", query="text=hello")
            published = await whole_answer(application, Connection(scope))
            assert published.status == 200
            await news.until(lambda: news.data == ["hello"])
        assert news.body.startswith(b"retry: 2000\n")
        again = Connection(scope_of("/news", {"Last-Event-ID": "news-1-1"}))
        async with answering(application, again):
            await again.until(lambda: again.sent)
            assert again.data == []

    anyio.run(play)


async def two_events() -> AsyncIterator[str]:
    yield "one"
    yield "two"


async def handler(request: Request) -> AsyncIterator[str]:
    yield request.path


def test_starlette(run: Run) -> None:
    async def endpoint(_: Any) -> EventStreamResponse:
        return EventStreamResponse(two_events())

    cors = Middleware(CORSMiddleware, allow_origins=["*"])
    app = Starlette(routes=[Route("/events", endpoint), Mount("/mounted", asgi(handler))], middleware=[cors])

    async def play() -> None:
        connection = await whole_answer(app, Connection(scope_of("/events", {"origin": "http://a.test"})))
        assert connection.data == ["one", "two"]
        assert connection.headers["access-control-allow-origin"] == "*"
        mounted = await whole_answer(app, Connection(scope_of("/mounted/x")))
        assert mounted.data == ["/x"]
        head = await whole_answer(app, Connection(scope_of("/events", method="HEAD")))
        assert (head.status, head.body) == (200, b"")

    run(play)


def test_fastapi_runs_background_tasks() -> None:
    app, done = FastAPI(), []

    async def note() -> None:
        done.append(1)

    @app.get("/events")
    async def endpoint() -> EventSourceResponse:
        return EventSourceResponse(two_events(), background=note)

    async def play() -> None:
        connection = await whole_answer(app, Connection(scope_of("/events")))
        assert connection.data == ["one", "two"]
        assert done == [1]

    anyio.run(play)


def test_the_page_names_every_argument_of_theirs() -> None:
    parameters = inspect.signature(EventStreamResponse).parameters.values()
    theirs = [one.name for one in parameters if one.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    assert theirs[0] == "content"
    assert [name for name in theirs[1:] if f"`{name}`" not in PAGE] == []


def test_the_page_names_what_is_public() -> None:
    assert [name for name in sse_asgi.__all__ if name not in PAGE and name != "ASGIApplication"] == [
        "SendTimeoutError"
    ]
