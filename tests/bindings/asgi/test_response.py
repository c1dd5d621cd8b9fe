"""``EventStreamResponse``: what is sent, and what happens when its reader goes, on asyncio and on trio."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_asgi import EventSourceResponse, EventStreamResponse, SendTimeoutError
from sse_core import ServerSentEvent
from sse_core.lifecycle import Broadcast, Subscription, TurnLog
from sse_http import Comment, EncodedEvents, Retry
from tests.bindings.asgi.server import Connection, answering, scope_of, whole_answer

Run = Callable[..., Any]


class Story:
    """An iterator's life."""

    def __init__(self, *items: Any, then: str = "end") -> None:
        self.items = items
        self.then = then
        self.given = 0
        self.closed = False

    async def events(self) -> AsyncIterator[Any]:
        try:
            for item in self.items:
                self.given += 1
                yield item
            while self.then == "flood":
                self.given += 1
                yield "x" * 1000
            if self.then == "raise":
                raise RuntimeError("a secret")
            if self.then == "wait":
                await anyio.sleep_forever()
        finally:
            self.closed = True


def answer(run: Run, response: Any, scope: dict[str, Any] | None = None, **named: Any) -> Connection:
    async def play() -> Connection:
        return await whole_answer(response, Connection(scope or scope_of(), **named))

    connection: Connection = run(play)
    return connection


class Model:
    def model_dump_json(self) -> str:
        return '{"a":1}'


def test_each_kind_of_item(run: Run) -> None:
    story = Story(
        "text",
        {"n": 1},
        ServerSentEvent("kind", "two\nlines", "7"),
        Model(),
        Comment("note"),
        Retry(100),
        EncodedEvents(b"data: raw\n\n"),
    )
    connection = answer(run, EventStreamResponse(story.events()))
    assert connection.whole
    assert connection.error is None
    assert connection.status == 200
    assert connection.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert connection.headers["x-accel-buffering"] == "no"
    assert connection.body == (
        b'data: text\n\ndata: {"n":1}\n\nevent: kind\ndata: two\ndata: lines\nid: 7\n\n'
        b'data: {"a":1}\n\n: note\nretry: 100\ndata: raw\n\n'
    )
    assert story.closed


def test_what_is_no_event(run: Run) -> None:
    connection = answer(run, EventStreamResponse(Story(7).events()))
    assert isinstance(connection.error, TypeError)
    assert "not int" in str(connection.error)
    assert connection.sent == []  # so that the framework can answer with a status


def test_what_sse_starlette_reads_is_read_as_it_reads_it(run: Run) -> None:
    class Event:
        def encode(self) -> bytes:
            return b"data: own\r\n\r\n"

    story = Story(
        {"data": "x", "event": "kind\n", "id": 7, "retry": 5},
        {"comment": "note"},
        {"event": "only"},
        {"data": 1, "comment": "both"},
        b"data: raw\r\n\r\n",
        Event(),
        3.5,
        "text",
    )
    connection = answer(run, EventSourceResponse(story.events()))
    assert connection.error is None
    assert [(event.type, event.data, event.last_event_id) for event in connection.events] == [
        ("kind", "x", "7"),
        ("message", "1", "7"),
        ("message", "raw", "7"),
        ("message", "own", "7"),
        ("message", "3.5", "7"),
        ("message", "text", "7"),
    ]
    assert b"\n" not in connection.body.replace(b"\r\n", b"")
    assert b": note\r\nevent: only\r\n\r\n: both\r\ndata: 1\r\n\r\n" in connection.body


@pytest.mark.parametrize("sep", ["\n", "\r", "\r\n"])
def test_a_separator(run: Run, sep: str) -> None:
    connection = answer(run, EventStreamResponse(Story("a\nb").events(), sep=sep))
    assert connection.body == f"data: a{sep}data: b{sep}{sep}".encode()


@pytest.mark.parametrize("own", [b"\n", b"\r", b"\r\n"])
@pytest.mark.parametrize("sep", ["\n", "\r", "\r\n"])
def test_encoded_events_end_their_lines_as_all_others(run: Run, own: bytes, sep: str) -> None:
    story = Story(b"event: kind\nid: 1\ndata: x\n\n".replace(b"\n", own))
    connection = answer(run, EventSourceResponse(story.events(), sep=sep))
    [event] = connection.events
    assert (event.type, event.data, event.last_event_id) == ("kind", "x", "1")


def test_head_and_headers(run: Run) -> None:
    story = Story("x")
    response = EventStreamResponse(
        story.events(), 201, {"Cache-Control": "no-store", "X-Own": "1"}, "text/event-stream"
    )
    response.raw_headers.append((b"set-cookie", b"a=b"))  # as middleware does
    connection = answer(run, response, scope_of(method="HEAD"))
    assert connection.status == 201
    assert connection.headers["cache-control"] == "no-store"
    assert connection.headers["content-type"] == "text/event-stream"
    assert (connection.headers["x-own"], connection.headers["set-cookie"]) == ("1", "a=b")
    assert (connection.body, connection.whole, story.given) == (b"", True, 0)


def test_an_error_before_the_first_event_is_the_frameworks(run: Run) -> None:
    story = Story(then="raise")
    connection = answer(run, EventStreamResponse(story.events()))
    assert isinstance(connection.error, RuntimeError)
    assert connection.sent == []


def test_an_error_after_it_never_looks_like_an_end(run: Run) -> None:
    story = Story("x", then="raise")
    connection = answer(run, EventStreamResponse(story.events()))
    assert isinstance(connection.error, RuntimeError)
    assert connection.data == ["x"]
    assert not connection.whole
    assert b"secret" not in connection.body


@pytest.mark.parametrize("raises", [None, OSError])
@pytest.mark.parametrize(
    ("story", "room"),
    [
        (Story("x", then="wait"), float("inf")),
        (Story("x", then="flood"), float("inf")),  # it never awaits
        (Story("x", then="flood"), 3),  # its reader takes nothing
    ],
    ids=["waiting", "never awaiting", "blocked"],
)
def test_a_reader_that_leaves_closes_the_iterator_at_once(
    run: Run, story: Story, room: float, raises: type[OSError] | None
) -> None:
    story = Story(*story.items, then=story.then)

    async def play() -> None:
        connection = Connection(scope_of(), room=room, raises=raises)
        async with answering(EventStreamResponse(story.events()), connection):
            await connection.until(lambda: b"data: x\n\n" in connection.body)
            await anyio.sleep(0.02)
            made = story.given
            connection.leave()
            with anyio.fail_after(0.1):
                await connection.ended.wait()
        assert story.closed
        assert story.given - made < 1000  # of a kilobyte each
        assert connection.error is None
        assert not connection.whole

    run(play)


def test_a_reader_that_does_not_read_stops_the_iterator(run: Run) -> None:
    story = Story("x", then="flood")

    async def play() -> None:
        connection = Connection(scope_of(), room=2)
        async with answering(EventStreamResponse(story.events(), max_log_bytes=50_000), connection):
            await anyio.sleep(0.05)
            made = story.given
            await anyio.sleep(0.05)
            assert story.given == made < 200
            connection.make_room()
            await connection.until(lambda: story.given > made + 100)

    run(play)


def test_a_reader_that_takes_nothing_for_too_long_is_given_up(run: Run) -> None:
    story = Story("x", then="flood")

    async def play() -> Connection:
        connection = Connection(scope_of(), room=2)
        response = EventStreamResponse(story.events(), stall=0.05, max_log_bytes=50_000)
        return await whole_answer(response, connection)

    connection = run(play)
    assert story.closed
    assert not connection.whole


@pytest.mark.parametrize("leave", [True, False])
def test_an_iterator_that_blocks_is_run_on_a_thread(run: Run, *, leave: bool) -> None:
    threads, closed = set(), threading.Event()

    def events() -> Iterator[str]:
        try:
            for number in range(1000 if leave else 3):
                threads.add(threading.current_thread())
                time.sleep(0.005)
                yield str(number)
        finally:
            closed.set()

    async def play() -> Connection:
        connection = Connection(scope_of())
        async with answering(EventStreamResponse(events()), connection):
            await connection.until(lambda: "2" in connection.data)
            if leave:
                connection.leave()
            with anyio.fail_after(1):
                await connection.ended.wait()
        return connection

    connection = run(play)
    assert closed.wait(1)
    assert threading.current_thread() not in threads
    assert connection.whole != leave
    assert connection.data[:3] == ["0", "1", "2"]


def test_an_iterator_that_blocks_is_closed_at_its_next_item(run: Run) -> None:
    go_on, closed = threading.Event(), threading.Event()

    def events() -> Iterator[str]:
        try:
            yield "x"
            go_on.wait(5)
            yield "nobody gets it"
        finally:
            closed.set()

    async def play() -> None:
        connection = Connection(scope_of())
        async with answering(EventStreamResponse(events()), connection):
            await connection.until(lambda: connection.data)
            connection.leave()
            with anyio.fail_after(0.5):
                await connection.ended.wait()  # the thread is still in it
            assert not closed.is_set()
            go_on.set()
            await connection.until(closed.is_set)

    run(play)


def test_a_broadcast_goes_on_after_the_last_event_id(run: Run) -> None:
    job = Broadcast("job", max_events=3)
    job.publish([ServerSentEvent("message", str(number)) for number in range(3)], 0.0)

    async def play() -> None:
        first = Connection(scope_of(headers={"Last-Event-ID": "job-1"}))
        late = Connection(scope_of())
        async with (
            answering(EventStreamResponse(job, retry=3000), first),
            answering(EventStreamResponse(job, join="now"), late),
        ):
            await first.until(lambda: first.data == ["1", "2"])
            await late.until(lambda: late.sent)
            job.publish([ServerSentEvent("message", "new")], time.monotonic())
            await first.until(lambda: first.data[-1] == "new")
            await late.until(lambda: late.data == ["new"])
            assert late.events[0].last_event_id == "job-4"
            job.close(time.monotonic())
            await first.ended.wait()
            await late.ended.wait()
            assert first.whole
            assert late.whole
        gap = await whole_answer(EventStreamResponse(job), Connection(scope_of()))
        assert gap.events[0].type == "gap"
        done = await whole_answer(
            EventStreamResponse(job), Connection(scope_of(headers={"Last-Event-ID": "job-4"}))
        )
        assert done.status == 204  # or an EventSource would come again for ever

    run(play)


def test_a_log_and_a_subscription(run: Run) -> None:
    log = TurnLog("turn")
    log.append(ServerSentEvent("message", "a"), ServerSentEvent("message", "b"))
    log.close(0.0)
    of_log = answer(run, EventStreamResponse(log), scope_of(headers={"last-event-id": "turn-1"}))
    assert of_log.data == ["b"]

    async def play() -> Connection:
        subscription = Subscription(log, time.monotonic(), after=1)
        return await whole_answer(EventStreamResponse(subscription), Connection(scope_of()))

    assert run(play).data == ["b"]


def test_signs_of_life_have_no_blank_line(run: Run) -> None:
    async def play() -> None:
        connection = Connection(scope_of())
        response = EventStreamResponse(Story("x", then="wait").events(), ping=0.01)
        async with answering(response, connection):
            await connection.until(lambda: b": ping\n: ping\n" in connection.body)
        own = Connection(scope_of())
        response = EventStreamResponse(
            Story("x", then="wait").events(), ping=0.01, ping_message_factory=lambda: Comment("mine")
        )
        async with answering(response, own):
            await own.until(lambda: b": mine\n: mine\n" in own.body)
        silent = Connection(scope_of())
        async with answering(EventStreamResponse(Story("x", then="wait").events(), ping=0), silent):
            await silent.until(lambda: silent.data)
            await anyio.sleep(0.03)
            assert silent.body == b"data: x\n\n"

    run(play)


def test_retry_comes_with_the_first_event(run: Run) -> None:
    connection = answer(run, EventStreamResponse(Story("x", "y").events(), retry=1500))
    assert connection.body == b"retry: 1500\ndata: x\n\ndata: y\n\n"


def test_what_else_runs(run: Run) -> None:
    done: list[str] = []

    async def background() -> None:
        done.append("background")

    async def beside() -> None:
        done.append("beside")
        try:
            await anyio.sleep_forever()
        finally:
            done.append("ended")

    async def gone(message: Any) -> None:
        done.append(message["type"])

    response = EventStreamResponse(Story("x").events(), background=background, data_sender_callable=beside)
    assert answer(run, response).whole
    assert done == ["beside", "ended", "background"]
    done.clear()

    async def play() -> None:
        connection = Connection(scope_of())
        response = EventStreamResponse(Story("x", then="wait").events(), client_close_handler_callable=gone)
        async with answering(response, connection):
            await connection.until(lambda: connection.data)
            connection.leave()
            await connection.ended.wait()

    run(play)
    assert done == ["http.disconnect"]


def test_a_server_that_takes_too_long(run: Run) -> None:
    story = Story("x", "y")

    async def play() -> Connection:
        connection = Connection(scope_of(), room=2)
        return await whole_answer(EventStreamResponse(story.events(), send_timeout=0.02), connection)

    connection = run(play)
    assert isinstance(connection.error, SendTimeoutError)
    assert not connection.whole
    assert story.closed


def test_cleaning_up_is_bounded(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    async def events() -> AsyncIterator[str]:
        try:
            while True:
                yield "x" * 1000
        finally:
            await anyio.sleep(5)

    async def play() -> None:
        connection = Connection(scope_of(), room=2)
        response = EventStreamResponse(events(), cleanup_timeout=0.02, max_log_bytes=5000)
        async with answering(response, connection):
            await anyio.sleep(0.05)
            connection.leave()
            with anyio.fail_after(0.5):
                await connection.ended.wait()

    run(play)
    assert "was not closed within 0.02 s" in caplog.text


def test_a_handshake_for_a_websocket_gets_the_answer(run: Run) -> None:
    connection = answer(run, EventStreamResponse(Story("x").events()), scope_of(kind="websocket"))
    assert [message["type"] for message in connection.sent] == [
        "websocket.http.response.start",
        "websocket.http.response.body",
        "websocket.http.response.body",
    ]


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        ("sep must be one of", {"sep": "|"}),
        ("ping must be", {"ping": -1}),
        ("shutdown_grace_period must not", {"shutdown_grace_period": -1}),
        ("cleanup_timeout must not", {"cleanup_timeout": -1}),
        ("max_log_bytes must be", {"max_log_bytes": 0}),
        ("status 204", {"status_code": 204}),
        ("retry", {"retry": -1}),
    ],
)
def test_arguments_that_can_not_be(words: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=words):
        EventStreamResponse(Broadcast("b"), **arguments)


@pytest.mark.parametrize("content", ["text", b"bytes", 7, None])
def test_content_that_is_none(content: Any) -> None:
    with pytest.raises(TypeError, match="content of an event stream"):
        EventStreamResponse(content)
    with pytest.raises(TypeError, match="ping takes"):
        EventStreamResponse([], ping="1")  # type: ignore[arg-type]


@dataclass
class Cut:
    """Where a reader leaves: after so many messages, with a server that raises or doesn't."""

    after: int
    raises: type[OSError] | None
    room: float


@given(
    cut=st.builds(
        Cut,
        st.integers(0, 8),
        st.sampled_from([None, OSError]),
        st.sampled_from([1.0, 3.0, float("inf")]),
    ),
    items=st.lists(st.text(max_size=5), max_size=6),
    then=st.sampled_from(["end", "wait", "flood"]),
    backend=st.sampled_from(["asyncio", "trio"]),
)
def test_wherever_a_reader_leaves_nothing_is_left(
    cut: Cut, items: list[str], then: str, backend: str
) -> None:
    """The iterator is closed, the application returns, and only what came to its end looks whole."""
    story = Story(*items, then=then)

    async def play() -> None:
        connection = Connection(scope_of(), room=cut.room, raises=cut.raises)
        async with answering(EventStreamResponse(story.events(), max_log_bytes=2000), connection):
            with anyio.move_on_after(0.02):
                while len(connection.sent) < cut.after and not connection.ended.is_set():
                    await anyio.lowlevel.checkpoint()
            connection.leave()
            with anyio.fail_after(1):
                await connection.ended.wait()
        assert connection.error is None
        assert story.closed or not story.given
        if connection.whole:
            assert then == "end"
            assert connection.data == [
                "\n".join(item.replace("\r\n", "\n").replace("\r", "\n").split("\n")) for item in items
            ]

    anyio.run(play, backend=backend)


def test_a_log_of_the_servers_says_nothing(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "sse_asgi")
    answer(run, EventStreamResponse(Story("x").events()))
    assert [record for record in caplog.records if record.name == "sse_asgi"] == []
