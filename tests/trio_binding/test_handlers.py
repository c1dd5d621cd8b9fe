"""``serve`` with a plain handler: its events, its mistakes, and that it is always closed."""

# ruff: noqa: ARG001, ARG002  (the face of a handler has a request)

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import cycle
from typing import Any

import pytest
import trio

import sse_trio
from sse_core import ServerSentEvent
from sse_core.lifecycle import NO_RETRY, Broadcast, RetryPolicy, SubscriptionSettings
from sse_http import EventItem, Follow, HandlerSettings, Refusal, Reply, Request
from tests.trio_binding.support import (
    GET,
    Cutter,
    Server,
    client_of,
    events_of,
    eventually,
    fetch,
    listening,
    open_files,
    serving,
)

AT_ONCE = RetryPolicy(initial_delay=0.0, max_attempts=10)


class Story:
    """A handler whose iterator tells what becomes of it."""

    def __init__(self, *items: EventItem, endless: bool = False, wait_after: int | None = None) -> None:
        self.items = items
        self.endless = endless
        self.wait_after = wait_after
        self.given = 0
        self.closed = trio.Event()

    async def __call__(self, request: Request) -> AsyncIterator[EventItem]:
        return self.tell()

    async def tell(self) -> AsyncIterator[EventItem]:
        try:
            for item in cycle(self.items) if self.endless else self.items:
                await self._wait()
                self.given += 1
                yield item
            await self._wait()
        finally:
            self.closed.set()

    async def _wait(self) -> None:
        if self.given == self.wait_after:
            await trio.sleep_forever()


async def hello(request: Request) -> Reply:
    return Reply.json(200, {"path": request.path})


class TestAnswers:
    async def test_a_reply(self) -> None:
        async with serving(hello) as server, client_of(server) as client:
            for path in (b"a", b"b"):
                await client.send(GET % path)
                await client.read_until(b'{"path":"/%b"}' % path)

    async def test_every_kind_of_item(self) -> None:
        items: list[EventItem] = [
            "text\nof two lines",
            {"a": [1, None], "ä": "€"},
            ServerSentEvent("named", "whole", "id-7"),
            "after",
        ]
        async with serving(Story(*items)) as server, sse_trio.connect(server.url, retry=NO_RETRY) as source:
            events = [await anext(source) for _ in items]
        assert events[0] == ServerSentEvent("message", "text\nof two lines")
        assert json.loads(events[1].data) == items[1]
        assert events[2] == items[2]
        assert events[3] == ServerSentEvent("message", "after", "id-7")

    async def test_no_event_has_an_id_that_the_handler_did_not_give(self) -> None:
        """A client may repeat a request because of an ID: the handler has to know it then."""
        async with serving(Story("a", {"b": 1})) as server:
            assert b"\nid:" not in await fetch(server)

    async def test_a_handler_that_yields_itself(self) -> None:
        async def handler(request: Request) -> AsyncIterator[EventItem]:
            yield request.path
            await trio.lowlevel.checkpoint()
            yield "end"

        async with serving(handler) as server:
            answer = await fetch(server, "path")
        assert events_of(answer) == ["/path", "end"]
        assert answer.endswith(b"\r\n0\r\n\r\n")

    async def test_a_channel_is_an_iterator_too(self) -> None:
        send, receive = trio.open_memory_channel[str](0)

        async def handler(request: Request) -> Any:
            return receive

        async with serving(handler) as server, client_of(server, GET % b"") as client:
            await send.send("one")
            await client.read_until(b"data: one\n\n")
            client.close()
            await trio.sleep(0.02)
            with pytest.raises(trio.BrokenResourceError):
                send.send_nowait("two")

    async def test_an_iterator_that_gives_nothing(self) -> None:
        async with serving(Story()) as server:
            answer = await fetch(server)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert events_of(answer) == []
        assert answer.endswith(b"\r\n\r\n0\r\n\r\n")

    async def test_the_head(self) -> None:
        async with serving(Story("x")) as server:
            head = (await fetch(server)).partition(b"\r\n\r\n")[0].lower()
        assert b"content-type: text/event-stream; charset=utf-8" in head
        assert b"cache-control: no-cache, no-transform" in head
        assert b"x-accel-buffering: no" in head

    async def test_the_request(self) -> None:
        seen: list[Request] = []

        async def handler(request: Request) -> Reply:
            seen.append(request)
            return Reply(204)

        post = b"POST /p?q=1 HTTP/1.1\r\nhost: localhost\r\nx-a: b\r\ncontent-length: 4\r\n\r\nbody"
        async with serving(handler) as server, client_of(server, post) as client:
            await client.read_until(b"204")
        [request] = seen
        assert (request.method, request.path, request.query, request.body) == ("POST", "/p", "q=1", b"body")
        assert request.headers.get("x-a") == "b"

    async def test_a_check_before_the_body_is_read(self) -> None:
        def check(request: Request, now: float) -> Reply | int | None:
            return 4 if request.headers.get("x-key") else Reply.error(401, "authentication_error", "No key.")

        head = b"POST / HTTP/1.1\r\nhost: localhost\r\nexpect: 100-continue\r\ncontent-length: %d\r\n%b\r\n"
        async with serving(hello, handler_settings=HandlerSettings(check_head=check)) as server:
            for fields, size, status in (
                (b"", 4, b"401"),
                (b"x-key: k\r\n", 5, b"413"),
                (b"x-key: k\r\n", 4, b"100"),
            ):
                async with client_of(server, head % (size, fields)) as client:
                    assert (await client.read_until(b"\r\n\r\n")).startswith(b"HTTP/1.1 %b " % status)

    async def test_a_stream_is_followed_by_the_next_request(self) -> None:
        async with serving(Story("x")) as server, client_of(server, GET % b"" * 3) as client:
            while client.received.count(b"data: x\n\n") < 3:
                assert await client.read()


class TestFollowing:
    """A handler lets its reader follow a broadcast."""

    async def test_many_readers_of_one_stream(self) -> None:
        broadcast = Broadcast("job")

        async def handler(request: Request) -> Follow:
            return Follow(broadcast)

        async with serving(handler) as server, AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(client_of(server, GET % b"")) for _ in range(3)]
            for client in clients:
                await client.read_until(b"200 OK")
            broadcast.publish([ServerSentEvent("progress", "10 %")], trio.current_time())
            for client in clients:
                await client.read_until(b"event: progress\ndata: 10 %\nid: job-1\n\n")
            broadcast.close(trio.current_time())
            for client in clients:
                await client.read_until(b"\r\n0\r\n\r\n")

    @pytest.mark.parametrize(("last_event_id", "expected"), [("job-1", ["b"]), ("other-1", ["a", "b"])])
    async def test_who_comes_back_goes_on_where_he_was(self, last_event_id: str, expected: list[str]) -> None:
        broadcast = Broadcast("job")
        broadcast.publish([ServerSentEvent("message", text) for text in "ab"], trio.current_time())
        broadcast.close(trio.current_time())

        async def handler(request: Request) -> Follow:
            return Follow(broadcast)

        request = GET.replace(b"\r\n\r\n", b"\r\nlast-event-id: %s\r\nconnection: close\r\n\r\n")
        request %= (b"", last_event_id.encode())
        async with serving(handler) as server, client_of(server, request) as client:
            assert events_of(await client.read_all()) == expected

    async def test_a_reader_who_goes_is_forgotten(self) -> None:
        broadcast = Broadcast("job")

        async def handler(request: Request) -> Follow:
            return Follow(broadcast, join="now")

        async with serving(handler) as server:
            async with client_of(server, GET % b"") as client:
                await client.read_until(b"200 OK")
            await trio.sleep(0.05)
            broadcast.publish([ServerSentEvent("message", "a")], trio.current_time())
            assert (await fetch_head(server)).startswith(b"HTTP/1.1 200")


async def fetch_head(server: Server) -> bytes:
    async with client_of(server, GET % b"") as client:
        await client.read_until(b"\r\n\r\n")
        return client.received


class TestRefusals:
    @pytest.mark.parametrize(
        ("head", "level", "words"),
        [
            (
                b"GET / HTTP/1.1\r\nhost: evil.example\r\n\r\n",
                "WARNING",
                'setting=peers.hosts value="evil.example"',
            ),
            (b"GET / HTTP/1.1\r\n\r\n", "INFO", "status=400"),
        ],
    )
    async def test_they_are_logged(
        self, caplog: pytest.LogCaptureFixture, head: bytes, level: str, words: str
    ) -> None:
        caplog.set_level("INFO")
        async with serving(hello) as server, client_of(server, head) as client:
            await client.read_until(b"error")
        [record] = caplog.records
        assert record.levelname == level
        assert "refused a request: status=4" in record.getMessage()
        assert words in record.getMessage()
        assert 'client="127.0.0.1"' in record.getMessage()

    async def test_or_told_to_whom_one_likes(self) -> None:
        told: list[Refusal] = []
        async with (
            serving(hello, on_refusal=told.append) as server,
            client_of(server, b"rubbish\r\n\r\n") as client,
        ):
            await client.read_until(b"error")
        assert [refusal.status for refusal in told] == [400]


class TestPace:
    async def test_each_event_is_in_the_kernel_when_it_is_given(self) -> None:
        send, receive = trio.open_memory_channel[str](0)

        async def handler(request: Request) -> AsyncIterator[EventItem]:
            async with receive:
                async for text in receive:
                    yield text

        async with serving(handler) as server, client_of(server, GET % b"") as client:
            for number in range(5):
                await send.send(f"<{number}>")
                await client.read_until(f"<{number}>".encode())

    async def test_the_head_is_not_held_back_for_ever(self) -> None:
        story = Story("never", wait_after=0)
        settings = HandlerSettings(SubscriptionSettings(heartbeat=0.05), head_hold=0.1)
        async with serving(story, handler_settings=settings) as server:
            began = trio.current_time()
            async with client_of(server, GET % b"") as client:
                await client.read_until(b"200 OK")
                assert 0.1 <= trio.current_time() - began < 0.5
                await client.read_until(b": ping\n")

    async def test_an_undecided_handler_has_no_head(self) -> None:
        """It may still want to answer with a status."""
        decide = trio.Event()

        async def handler(request: Request) -> Reply:
            await decide.wait()
            return Reply(404)

        settings = HandlerSettings(head_hold=0.0)
        async with (
            serving(handler, handler_settings=settings) as server,
            client_of(server, GET % b"") as client,
        ):
            with trio.move_on_after(0.05) as waiting:
                await client.read()
            assert waiting.cancelled_caught
            decide.set()
            assert (await client.read_until(b"\r\n\r\n")).startswith(b"HTTP/1.1 404 ")

    async def test_a_reader_that_stops_stops_the_handler(self) -> None:
        story = Story("x" * 10_000, endless=True)
        settings = HandlerSettings(max_log_bytes=100_000)
        async with (
            serving(story, handler_settings=settings) as server,
            client_of(server, GET % b"", receive_buffer=65536) as client,
        ):
            await client.read_until(b"200 OK")
            given = -1
            while story.given != given:
                given = story.given
                await trio.sleep(0.03)
            assert given * 10_000 < 8_000_000, "the kernel's buffers and the log, no more"
            with trio.fail_after(3):
                while story.given == given:
                    await client.read(1_000_000)

    async def test_nothing_is_lost_on_the_way(self) -> None:
        story = Story(*(f"<{number}>" + "x" * 2_000 for number in range(3_000)))
        settings = HandlerSettings(max_log_bytes=20_000)
        async with (
            serving(story, handler_settings=settings) as server,
            sse_trio.connect(server.url, retry=NO_RETRY) as source,
        ):
            for number in range(3_000):
                assert (await anext(source)).data.startswith(f"<{number}>")

    async def test_a_handler_that_never_waits_lets_others_run(self) -> None:
        story = Story("x" * 1000, endless=True)

        async def handler(request: Request) -> Any:
            return story.tell() if request.path == "/endless" else Reply(204)

        latencies = []
        async with serving(handler) as server, trio.open_nursery() as nursery:

            async def read_on(*, task_status: trio.TaskStatus[None]) -> None:
                async with client_of(server, GET % b"endless") as client:
                    task_status.started()
                    while await client.read(1_000_000):
                        client.received = b""

            for _ in range(4):
                await nursery.start(read_on)
            for _ in range(10):
                began = time.perf_counter()
                assert b"204" in await fetch(server)
                latencies.append(time.perf_counter() - began)
            nursery.cancel_scope.cancel()
        assert sorted(latencies)[5] < 0.1
        assert story.given > 100

    async def test_it_is_resumed_by_ids_of_its_own(self) -> None:
        async def handler(request: Request) -> Any:
            after = int(request.headers.get("last-event-id") or 0)
            return Story(*(ServerSentEvent("message", f"<{n}>", str(n)) for n in range(after + 1, 31))).tell()

        async with serving(handler) as server:
            for cut in range(250, 400, 13):
                async with (
                    listening(Cutter(server, [cut] * 10)) as proxy,
                    sse_trio.connect(proxy.url, retry=AT_ONCE) as source,
                ):
                    assert [(await anext(source)).data for _ in range(30)] == [f"<{n}>" for n in range(1, 31)]


async def raises_at_once(request: Request) -> Reply:
    raise RuntimeError("a secret")


async def raises_before_its_first_event(request: Request) -> AsyncIterator[EventItem]:
    await trio.lowlevel.checkpoint()
    if request.path:
        raise RuntimeError("a secret")
    yield "never"


async def gives_what_is_no_answer(request: Request) -> Any:
    return ["a secret"]


async def yields_what_is_no_event(request: Request) -> AsyncIterator[Any]:
    yield 42


async def yields_what_cannot_be_written(request: Request) -> AsyncIterator[EventItem]:
    yield ServerSentEvent("two\nlines", "a secret")


async def yields_what_is_no_json(request: Request) -> AsyncIterator[EventItem]:
    yield {"a": float("nan")}


EARLY = [
    raises_at_once,
    raises_before_its_first_event,
    gives_what_is_no_answer,
    yields_what_is_no_event,
    yields_what_cannot_be_written,
    yields_what_is_no_json,
]


class TestMistakes:
    @pytest.mark.parametrize("handler", EARLY)
    async def test_before_the_first_event_it_is_a_500(
        self, handler: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with serving(handler) as server, client_of(server) as client:
            for count in (1, 2):  # and the connection goes on
                await client.send(GET % b"")
                while client.received.count(b"api_error") < count:
                    assert await client.read()
        assert client.received.startswith(b"HTTP/1.1 500 ")
        assert b"secret" not in client.received
        assert b"Traceback" not in client.received
        assert len(caplog.records) == 2
        assert all(record.exc_info for record in caplog.records)

    async def test_after_it_the_connection_is_cut(self, caplog: pytest.LogCaptureFixture) -> None:
        async def handler(request: Request) -> AsyncIterator[EventItem]:
            yield "one"
            yield "two"
            raise RuntimeError("a secret")

        async with serving(handler) as server:
            answer = await fetch(server)
            async with sse_trio.connect(server.url, resume="never") as source:
                assert [(await anext(source)).data for _ in range(2)] == ["one", "two"]
                with pytest.raises(Exception, match="lost"):
                    await anext(source)
        assert events_of(answer) == ["one", "two"]
        assert not answer.endswith(b"0\r\n\r\n")
        assert "a secret" in caplog.text

    async def test_events_that_a_slow_reader_has_yet_to_take_come_before_the_cut(self) -> None:
        async def handler(request: Request) -> AsyncIterator[EventItem]:
            for number in range(400):
                yield f"<{number}>" + "x" * 16_000
            raise RuntimeError("a secret")

        settings = HandlerSettings(max_log_bytes=50_000_000)
        async with (
            serving(handler, handler_settings=settings) as server,
            client_of(server, GET % b"", receive_buffer=65536) as client,
        ):
            await trio.sleep(0.1)
            answer = await client.read_all()
        assert b"<399>" in answer
        assert not answer.endswith(b"0\r\n\r\n")

    async def test_other_connections_go_on(self, caplog: pytest.LogCaptureFixture) -> None:
        async def handler(request: Request) -> Any:
            if request.path == "/bad":
                raise RuntimeError("a secret")
            return Story("good", wait_after=1).tell()

        async with serving(handler) as server, client_of(server, GET % b"") as other:
            await other.read_until(b"good")
            assert b"500" in await fetch(server, "bad")
            with trio.move_on_after(0.02) as waiting:
                await other.read()
            assert waiting.cancelled_caught
        assert len(caplog.records) == 1


@pytest.mark.usefixtures("no_leak")
class TestClosing:
    """The iterator is closed the moment that its reader has gone."""

    @pytest.mark.parametrize("how", ["reset", "close"])
    @pytest.mark.parametrize("where", ["amid its own wait", "amid a full log", "before its first event"])
    async def test_when_the_reader_vanishes(self, how: str, where: str) -> None:
        story = {
            "amid its own wait": Story("x", "y", wait_after=1),
            "amid a full log": Story("x" * 10_000, endless=True),
            "before its first event": Story("x", wait_after=0),
        }[where]
        async with (
            serving(story) as server,
            client_of(server, GET % b"", receive_buffer=65536) as client,
        ):
            if where == "before its first event":
                await trio.testing.wait_all_tasks_blocked(0.01)
            else:
                await client.read_until(b"200 OK")
            if where == "amid a full log":
                await trio.sleep(0.05)
            getattr(client, how)()
            gone = trio.current_time()
            with trio.fail_after(2):
                await story.closed.wait()
            assert trio.current_time() - gone < 0.1

    async def test_amid_what_is_no_iterator_yet(self) -> None:
        ended = trio.Event()

        async def handler(request: Request) -> Reply:
            try:
                await trio.sleep(60)
            finally:
                ended.set()
            return Reply(204)

        async with serving(handler) as server, client_of(server, GET % b"") as client:
            await trio.testing.wait_all_tasks_blocked(0.01)
            client.close()
            with trio.fail_after(0.1):
                await ended.wait()

    async def test_its_cleaning_up_has_been_done_when_serve_ends(self) -> None:
        done = []

        async def handler(request: Request) -> AsyncIterator[EventItem]:
            try:
                yield "x"
                await trio.sleep_forever()
            finally:
                with trio.CancelScope(shield=True):
                    await trio.sleep(0.05)
                    done.append(request.path)

        async with serving(handler) as server, client_of(server, GET % b"a") as client:
            await client.read_until(b"data: x")
            server.scope.cancel()
        assert done == ["/a"]

    async def test_the_socket_is_closed_before_a_long_cleaning_up(self) -> None:
        cleaning = trio.Event()

        async def handler(request: Request) -> AsyncIterator[EventItem]:
            try:
                yield "x"
                await trio.sleep_forever()
            finally:
                with trio.CancelScope(shield=True):
                    cleaning.set()
                    await trio.sleep(0.2)

        async with serving(handler) as server:
            before = open_files()
            async with client_of(server, GET % b"") as client:
                await client.read_until(b"data: x")
            await cleaning.wait()
            assert open_files() == before

    async def test_a_head_request_starts_nothing(self) -> None:
        story = Story("x", endless=True)
        async with (
            serving(story) as server,
            client_of(server, (GET % b"").replace(b"GET", b"HEAD") + GET % b"") as client,
        ):
            await client.read_until(b"data: x")
        assert client.received.count(b"HTTP/1.1 200 OK") == 2
        head = client.received.partition(b"\r\n\r\n")[0]
        assert b"content-type: text/event-stream" in head
        assert client.received.partition(b"\r\n\r\n")[2].startswith(b"HTTP/1.1 200 OK")

    async def test_a_reader_whose_time_is_over(self) -> None:
        story = Story("x", wait_after=1)
        settings = HandlerSettings(SubscriptionSettings(lifetime=0.05))
        async with (
            serving(story, handler_settings=settings) as server,
            client_of(server, GET % b"") as client,
        ):
            await client.read_until(b"0\r\n\r\n")
            with trio.fail_after(0.1):
                await story.closed.wait()

    async def test_a_reader_that_is_given_up(self) -> None:
        story = Story("x" * 10_000, endless=True)
        settings = HandlerSettings(SubscriptionSettings(stall=0.1))
        async with (
            serving(story, handler_settings=settings) as server,
            client_of(server, GET % b"", receive_buffer=65536) as client,
        ):
            await client.read_until(b"200 OK")
            with trio.fail_after(2):
                await story.closed.wait()
            with contextlib.suppress(ConnectionResetError):
                await client.read_all()

    async def test_a_handler_that_fails_while_it_is_closed(self, caplog: pytest.LogCaptureFixture) -> None:
        async def handler(request: Request) -> AsyncIterator[EventItem]:
            try:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(trio.sleep_forever)
                    yield "x"
                    await trio.sleep_forever()
            finally:
                await raises_at_once(request)

        async with serving(handler) as server:
            async with client_of(server, GET % b"") as client:
                await client.read_until(b"data: x")
            await eventually(lambda: caplog.text)
            assert "a secret" in caplog.text
            assert b"HTTP/1.1 200" in await first_bytes(server)

    async def test_many_readers_that_come_and_go(self) -> None:
        running = 0

        async def handler(request: Request) -> AsyncIterator[EventItem]:
            nonlocal running
            running += 1
            try:
                while True:
                    yield "x"
                    await trio.sleep(0.001)
            finally:
                running -= 1

        async with serving(handler) as server:
            async with trio.open_nursery() as nursery:

                async def come_and_go(number: int) -> None:
                    async with client_of(server, GET % b"") as client:
                        await client.read_until(b"data: x")
                        (client.reset if number % 2 else client.close)()

                for number in range(200):
                    nursery.start_soon(come_and_go, number)
            await eventually(lambda: running == 0, 1)


async def first_bytes(server: Any) -> bytes:
    async with client_of(server, GET % b"") as client:
        return await client.read_until(b"\r\n\r\n")


class TestSettings:
    @pytest.mark.parametrize(
        "options", [{"max_log_bytes": 0}, {"head_hold": -1.0}, {"head_hold": float("nan")}]
    )
    def test_what_no_setting_can_be(self, options: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match=next(iter(options))):
            HandlerSettings(**options)
