"""At a signal each stream comes to its proper end, before the server's own handler stops the rest."""

from __future__ import annotations

import os
import re
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import anyio
import pytest

from sse_asgi import EventStreamResponse, asgi, shut_down
from sse_http import Request
from tests.bindings.asgi.server import Connection, answering, scope_of, whole_answer
from tests.bindings.asgi.test_response import Story

Run = Callable[..., Any]


@pytest.fixture
def handled() -> Iterator[list[int]]:
    """A server's own handler of SIGTERM, as servers install one: what it was called with."""
    numbers: list[int] = []
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    signal.signal(signal.SIGTERM, lambda number, _: numbers.append(number))
    yield numbers
    signal.signal(signal.SIGTERM, before[0])
    signal.signal(signal.SIGINT, before[1])


def terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def test_a_signal_ends_each_stream_properly(run: Run, handled: list[int]) -> None:
    async def play() -> None:
        stories = [Story("x", then="wait") for _ in range(3)]
        connections = [Connection(scope_of()) for _ in stories]
        async with anyio.create_task_group() as tasks:
            for story, connection in zip(stories, connections, strict=True):
                response = EventStreamResponse(story.events())
                tasks.start_soon(serve, response, connection)
            for connection in connections:
                await connection.until(lambda connection=connection: connection.data)  # type: ignore[misc]
            terminate()
        assert all(connection.whole for connection in connections)
        told = [re.search(rb"\nretry: (\d+)\n$", connection.body) for connection in connections]
        assert all(match is not None and 1500 <= int(match[1]) <= 4500 for match in told)
        assert all(story.closed for story in stories)
        assert handled == [signal.SIGTERM]

    run(play)


async def serve(response: Any, connection: Connection) -> None:
    async with answering(response, connection):
        with anyio.fail_after(2):
            await connection.ended.wait()


def test_an_iterator_may_say_something_last(run: Run, handled: list[int]) -> None:
    async def play() -> None:
        going_down = anyio.Event()

        async def events() -> AsyncIterator[str]:
            yield "x"
            await going_down.wait()
            yield "bye"
            await anyio.sleep_forever()

        connection = Connection(scope_of())
        response = EventStreamResponse(events(), shutdown_event=going_down, shutdown_grace_period=0.05)
        async with answering(response, connection):
            await connection.until(lambda: connection.data)
            terminate()
            await connection.until(connection.ended.is_set)
        assert connection.data == ["x", "bye"]
        assert connection.whole
        assert handled

    run(play)


def test_what_is_there_is_sent_first(run: Run, handled: list[int]) -> None:
    async def play() -> None:
        connection = Connection(scope_of(), room=2)
        story = Story("a", "b", "c", then="wait")
        async with answering(EventStreamResponse(story.events()), connection):
            await connection.until(lambda: story.given == 3)
            terminate()
            await anyio.sleep(0.02)
            connection.make_room()
            await connection.until(connection.ended.is_set)
        assert connection.data == ["a", "b", "c"]
        assert connection.whole
        assert handled

    run(play)


def test_it_can_be_said_by_hand_from_any_thread(run: Run) -> None:
    async def play() -> None:
        connection = Connection(scope_of())
        async with answering(EventStreamResponse(Story("x", then="wait").events()), connection):
            await connection.until(lambda: connection.data)
            threading.Thread(target=shut_down).start()
            await connection.until(connection.ended.is_set)
        assert connection.whole

    run(play)
    shut_down()  # nobody listens any more


def test_a_mounted_application_is_closed(run: Run, handled: list[int]) -> None:
    async def handler(request: Request) -> AsyncIterator[str]:
        yield request.path
        await anyio.sleep_forever()

    async def play() -> None:
        connection = Connection(scope_of("/a"))
        application = asgi(handler)
        async with answering(application, connection):
            await connection.until(lambda: connection.data)
            terminate()
            await connection.until(connection.ended.is_set)
            late = await whole_answer(application, Connection(scope_of("/late")))
        assert connection.data == ["/a"]
        assert connection.whole
        assert late.status == 503
        assert handled

    run(play)


def test_in_another_thread_no_handler_is_touched(backend: str, handled: list[int]) -> None:
    before = signal.getsignal(signal.SIGTERM)

    async def play() -> None:
        await serve(EventStreamResponse(Story("x").events()), Connection(scope_of()))

    thread = threading.Thread(target=lambda: anyio.run(play, backend=backend))
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGTERM) is before
    assert handled == []


def test_whose_handler_it_is_can_still_be_seen(run: Run, handled: list[int]) -> None:
    class Server:
        should_exit = False

        def handle_exit(self, number: int, frame: Any) -> None:  # noqa: ARG002  (a handler's face)
            self.should_exit = True

    server = Server()
    signal.signal(signal.SIGTERM, server.handle_exit)

    async def play() -> None:
        await serve(EventStreamResponse(Story("x").events()), Connection(scope_of()))

    run(play)
    assert signal.getsignal(signal.SIGTERM).__self__ is server  # type: ignore[union-attr]
    terminate()
    assert server.should_exit
    assert handled == []
