"""Applications as sse-starlette's README has them, with the import changed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import anyio
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from sse_asgi import shut_down
from sse_asgi.sse_starlette import EventSourceResponse, JSONServerSentEvent, ServerSentEvent
from tests.bindings.asgi.server import Connection, answering, scope_of, whole_answer


async def ten_events() -> AsyncIterator[dict[str, str]]:
    for number in range(10):
        yield {"data": f"Event {number}"}
        await asyncio.sleep(0)


def play(app: Starlette, path: str = "/events") -> Connection:
    async def request() -> Connection:
        return await whole_answer(app, Connection(scope_of(path)))

    return anyio.run(request)


def app_of(endpoint: Any) -> Starlette:
    return Starlette(routes=[Route("/events", endpoint)])


def test_a_generator_of_mappings() -> None:
    async def endpoint(_: Request) -> EventSourceResponse:
        return EventSourceResponse(ten_events())

    connection = play(app_of(endpoint))
    assert connection.data == [f"Event {number}" for number in range(10)]


def test_events_of_their_classes() -> None:
    async def events() -> AsyncIterator[Any]:
        yield ServerSentEvent("Custom message", event="notification", id="msg-123", retry=5000)
        yield JSONServerSentEvent({"field": "value"})
        yield ServerSentEvent(comment="only a comment")

    async def endpoint(_: Request) -> EventSourceResponse:
        return EventSourceResponse(events())

    connection = play(app_of(endpoint))
    first, second = connection.events
    assert (first.type, first.data, first.last_event_id) == ("notification", "Custom message", "msg-123")
    assert json.loads(second.data) == {"field": "value"}
    assert b"retry: 5000\r\n" in connection.body
    assert connection.body.endswith(b"\r\n: only a comment\r\n")


@pytest.mark.parametrize("sep", ["\r\n", "\n", "\r"])
def test_an_event_by_itself(sep: str) -> None:
    event = ServerSentEvent("two\nlines", event="a\nb", id="1", sep=sep)
    assert event.encode().decode().split(sep) == ["event: ab", "data: two", "data: lines", "id: 1", "", ""]
    assert ServerSentEvent(comment="c").encode() == b": c\r\n"


def test_a_ping_of_ones_own() -> None:
    async def endpoint(_: Request) -> EventSourceResponse:
        async def events() -> AsyncIterator[dict[str, str]]:
            yield {"data": "x"}
            await asyncio.sleep(60)

        return EventSourceResponse(
            events(), ping=0.01, ping_message_factory=lambda: ServerSentEvent(comment="Custom ping")
        )

    async def request() -> None:
        connection = Connection(scope_of("/events"))
        async with answering(app_of(endpoint), connection):
            await connection.until(lambda: b": Custom ping\r\n" in connection.body)

    anyio.run(request)


def test_a_generator_that_asks_whether_its_reader_is_there() -> None:
    ended: list[str] = []

    async def endpoint(request: Request) -> EventSourceResponse:
        async def events() -> AsyncIterator[dict[str, str]]:
            try:
                for number in range(1000):
                    if await request.is_disconnected():
                        break
                    yield {"data": f"Item {number}"}
                    await asyncio.sleep(0.01)
            finally:
                ended.append("events")

        return EventSourceResponse(events(), send_timeout=30, headers={"Cache-Control": "no-cache"})

    async def request() -> None:
        connection = Connection(scope_of("/events"))
        async with answering(app_of(endpoint), connection):
            await connection.until(lambda: len(connection.data) > 2)
            connection.leave()
            await connection.until(connection.ended.is_set)
        assert connection.headers["cache-control"] == "no-cache"

    anyio.run(request)
    assert ended == ["events"]


def test_a_channel_and_who_fills_it() -> None:
    async def produce(channel: Any) -> None:
        async with channel:
            for number in range(10):
                await channel.send({"data": f"Item {number}"})

    async def endpoint(_: Request) -> EventSourceResponse:
        sending, receiving = anyio.create_memory_object_stream[dict[str, str]](10)
        return EventSourceResponse(receiving, data_sender_callable=partial(produce, sending))

    assert play(app_of(endpoint)).data == [f"Item {number}" for number in range(10)]


def test_last_words() -> None:
    async def endpoint(_: Request) -> EventSourceResponse:
        going_down = anyio.Event()

        async def events() -> AsyncIterator[dict[str, str]]:
            while not going_down.is_set():
                yield {"data": "tick"}
                with anyio.move_on_after(1.0):
                    await going_down.wait()
            yield {"event": "shutdown", "data": "Server is shutting down"}

        return EventSourceResponse(events(), shutdown_event=going_down, shutdown_grace_period=5.0)

    async def request() -> None:
        connection = Connection(scope_of("/events"))
        async with answering(app_of(endpoint), connection):
            await connection.until(lambda: connection.data)
            shut_down()
            await connection.until(connection.ended.is_set)
        assert connection.events[-1].type == "shutdown"
        assert connection.whole

    anyio.run(request)
