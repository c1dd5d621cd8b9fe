"""What servers do that a server by hand wouldn't: found by the scenarios inside uvicorn and hypercorn."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from sse_asgi import EventSourceResponse, EventStreamResponse, asgi
from sse_core import encode_event
from sse_http import Reply
from tests.bindings.applications import Feed, Feeds
from tests.bindings.asgi.server import Connection, Message, answering, scope_of, whole_answer

Run = Callable[..., Any]
#: More than anybody sends before its event loop has looked at anything else.
MANY = 1000


class AlwaysReady(Connection):
    """As uvicorn is when its reader has gone, before it could notice: ``send`` doesn't wait."""

    async def send(self, message: Message) -> None:
        self.sent.append(message)
        if len(self.sent) >= MANY:
            await anyio.sleep_forever()


class SaysGoodbyeEarly(Connection):
    """As hypercorn on trio does: amid the last message, whose connection it closes afterwards."""

    has_closed = False

    async def send(self, message: Message) -> None:
        self.sent.append(message)
        if message.get("more_body") is False:
            self.leave()
            await anyio.sleep(0.01)
            self.has_closed = True


async def events() -> AsyncIterator[str]:
    yield "x"


def test_an_endless_stream_lets_others_run(run: Run) -> None:
    feeds = Feeds(lambda _: Feed(endless=encode_event("x")))

    async def play() -> None:
        connection = AlwaysReady(scope_of())
        async with answering(asgi(feeds), connection):
            await anyio.lowlevel.checkpoint()
            await anyio.lowlevel.checkpoint()
            assert len(connection.sent) < MANY
            connection.leave()
            await connection.ended.wait()
        assert connection.error is None
        assert feeds.streams[0].closed

    run(play)


@pytest.mark.parametrize(
    "new",
    [
        lambda: asgi(Feeds(lambda _: Reply(200, body=b"whole"))),
        lambda: EventStreamResponse(events()),
    ],
    ids=["asgi", "a response"],
)
def test_the_last_message_is_not_broken_off(run: Run, new: Callable[[], Any]) -> None:
    async def play() -> None:
        connection = SaysGoodbyeEarly(scope_of())
        await whole_answer(new(), connection)
        assert connection.has_closed

    run(play)


def test_who_got_everything_has_not_left(run: Run) -> None:
    left: list[Message] = []

    async def note(message: Message) -> None:
        left.append(message)

    async def play() -> None:
        response = EventSourceResponse(events(), client_close_handler_callable=note)
        await whole_answer(response, SaysGoodbyeEarly(scope_of()))
        assert not left

    run(play)
