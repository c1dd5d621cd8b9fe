"""Plain handlers: what is decided without running one, with a binding that runs them on command."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Any

import pytest

from sse_core.lifecycle import Broadcast
from sse_http import (
    Drains,
    EventStreamReply,
    Follow,
    HandlerAnswer,
    HandlerSettings,
    Reply,
    Request,
    StreamState,
)
from sse_io.handler_application import HandlerApplication, HandlerCall, as_application
from tests.http.support import Scripted
from tests.io.support import GET, served


async def handler(request: Request) -> Reply:
    return Reply(200, body=request.path.encode())


class Runner:
    """It runs a call when the test says so."""

    def __init__(self) -> None:
        self.calls: list[HandlerCall] = []
        self.cancelled = 0

    def start(self, call: HandlerCall) -> None:
        call.cancel = self._cancel
        self.calls.append(call)

    def _cancel(self) -> None:
        self.cancelled += 1


@pytest.fixture
def runner() -> Runner:
    return Runner()


def of(runner: Runner, **settings: Any) -> Any:
    return as_application(handler, HandlerSettings(**settings), runner.start)


def result_of(call: HandlerCall) -> object:
    """Run ``handler``, which never waits."""
    given: Any = call.begin()
    try:
        given.send(None)
    except StopIteration as stopped:
        return stopped.value
    raise AssertionError


class TestCalls:
    def test_a_reply(self, runner: Runner) -> None:
        with served(of(runner)) as world:
            client = world.client(GET % b"a")
            world.until(lambda: runner.calls)
            [call] = runner.calls
            assert call.take(result_of(call), world.host.time) is None
            call.finished()
            client.until(b"/a")
            assert runner.cancelled == 1, "which is harmless"

    async def test_events(self, runner: Runner) -> None:
        async def events() -> AsyncIterator[str]:
            yield "one"

        heads: list[bytes] = []
        with served(of(runner)) as world:
            for given in (events(), EventStreamReply(events(), headers={"x-own": "yes"})):
                client = world.client(GET % b"a")
                runner.calls.clear()
                world.until(lambda: runner.calls)
                [call] = runner.calls
                items = call.take(given, world.host.time)
                assert items is not None
                assert call.answer.begin(world.host.time)
                async for item in items:
                    call.answer.receive(item, world.host.time)
                call.answer.finish(world.host.time)
                assert client.until(b"0\r\n\r\n").count(b"data: one\n\n") == 1
                heads.append(client.received)
            assert [b"x-own: yes" in head for head in heads] == [False, True]

    def test_a_broadcast(self, runner: Runner) -> None:
        broadcast = Broadcast("job")
        with served(of(runner)) as world:
            client = world.client(GET % b"")
            world.until(lambda: runner.calls)
            assert runner.calls[0].take(Follow(broadcast), world.host.time) is None
            client.until(b"200 OK")
            broadcast.close(world.host.time)
            client.until(b"0\r\n\r\n")

    def test_what_is_no_answer(self, runner: Runner) -> None:
        application = of(runner)
        application.within().handle(Request("GET", "/"), 0.0)
        with pytest.raises(TypeError, match="not list"):
            runner.calls[0].take([], 0.0)


class TestBlockingCalls:
    """What a plain function returns, whose thread pulls the items."""

    def taken(self, runner: Runner, result: object) -> Any:
        of(runner).within().handle(Request("GET", "/"), 0.0)
        return runner.calls[-1].take_blocking(result, 0.0)

    def test_whole_answers(self, runner: Runner) -> None:
        assert self.taken(runner, Reply(204)) is None
        assert self.taken(runner, Follow(Broadcast("job"))) is None

    def test_iterators(self, runner: Runner) -> None:
        items = iter(["one"])
        assert self.taken(runner, items) is items
        assert self.taken(runner, EventStreamReply(items)) is items

    def test_a_list_is_events_where_that_is_said(self, runner: Runner) -> None:
        assert self.taken(runner, EventStreamReply(["one", "two"])) == ["one", "two"]
        with pytest.raises(TypeError, match="an iterator, not list"):
            self.taken(runner, ["one", "two"])

    @pytest.mark.parametrize("events", ["one", b"one", {"one": 1}, 1])
    def test_what_is_no_events(self, runner: Runner, events: Any) -> None:
        with pytest.raises(TypeError, match="an iterator, not"):
            self.taken(runner, EventStreamReply(events))

    def test_what_nobody_would_await(self, runner: Runner) -> None:
        with pytest.raises(TypeError, match="not coroutine"):
            self.taken(runner, handler(Request("GET", "/")))


class TestPlaces:
    def test_a_place_is_free_when_the_handler_has_ended(self, runner: Runner) -> None:
        with served(of(runner), max_connections=1) as world:
            client = world.client(GET % b"a")
            world.until(lambda: runner.calls)
            client.sock.close()
            world.until(lambda: runner.cancelled)
            assert not world.loop.connections, "its socket is closed at once"
            world.client(GET % b"b").until_end()
            assert len(runner.calls) == 1
            runner.calls[0].finished()
            world.client(GET % b"c")
            world.until(lambda: len(runner.calls) == 2)

    def test_or_when_its_connection_ends_after_that(self, runner: Runner) -> None:
        with served(of(runner), max_connections=1) as world:
            client = world.client(GET % b"a")
            world.until(lambda: runner.calls)
            runner.calls[0].take(Reply(204), world.host.time)
            runner.calls[0].finished()
            client.until(b"204")
            client.sock.close()
            world.settle()
            world.client(GET % b"c")
            world.until(lambda: len(runner.calls) == 2)

    def test_a_handler_may_still_be_at_it_when_the_next_request_comes(self, runner: Runner) -> None:
        with served(of(runner), max_connections=1) as world:
            client = world.client(GET % b"a" * 2)
            world.until(lambda: runner.calls)
            runner.calls[0].take(Reply(204), world.host.time)
            world.until(lambda: len(runner.calls) == 2)
            client.sock.close()
            world.until(lambda: not world.loop.connections)
            runner.calls[0].finished()
            world.client(GET % b"c").until_end()
            runner.calls[1].finished()
            world.client(GET % b"c")
            world.until(lambda: len(runner.calls) == 3)

    def test_the_loop_is_finished_after_the_last_of_them(self, runner: Runner) -> None:
        with served(of(runner)) as world:
            client = world.client(GET % b"a")
            world.until(lambda: runner.calls)
            world.loop.shut_down(world.host.time)
            assert client.until_end().startswith(b"HTTP/1.1 503 ")
            assert not world.is_finished()
            looks = world.host.looks
            runner.calls[0].finished()
            assert world.is_finished()
            assert world.host.looks > looks


class TestApplication:
    def test_readers_are_told_when_to_come_back_each_at_a_time_of_its_own(self, runner: Runner) -> None:
        jitter = iter([0.0, 0.5]).__next__
        application = as_application(handler, HandlerSettings(), runner.start, jitter)
        assert isinstance(application, Drains)
        answers = [application.handle(Request("GET", "/"), 0.0) for _ in range(2)]
        for answer in answers:
            assert isinstance(answer, HandlerAnswer)
            assert answer.begin(0.0)
            answer.receive("a", 0.0)
        application.drain(0.0)
        assert runner.cancelled == 0
        told = {answer.data_to_send(0.0) for answer in answers if isinstance(answer, HandlerAnswer)}
        assert told == {b"retry: 1500\ndata: a\n\n", b"retry: 3000\ndata: a\n\n"}

    def test_closing_ends_all_that_run(self, runner: Runner) -> None:
        application = of(runner)
        answers = [application.within().handle(Request("GET", "/"), 0.0) for _ in range(3)]
        application.close(0.0)
        assert runner.cancelled == 3
        assert all(answer.head.status == 503 for answer in answers)
        assert all(answer.state is StreamState.OPEN for answer in answers)
        application.close(0.0)
        assert runner.cancelled == 3

    def test_it_waits_for_nothing_by_itself(self, runner: Runner) -> None:
        application = of(runner)
        assert isinstance(application, HandlerApplication)
        assert application.upstreams() == []
        assert application.deadline is None
        application.handle_timeout(0.0)

    def test_heads_are_judged_by_the_handlers_own_check(self, runner: Runner) -> None:
        request = Request("GET", "/")
        assert of(runner).check_head(request, 0.0) is None
        assert of(runner, check_head=lambda _, now: int(now)).check_head(request, 4.0) == 4

    def test_an_application_is_served_as_it_is(self, runner: Runner) -> None:
        application = Scripted()
        assert as_application(application, HandlerSettings(), runner.start) is application

    def test_half_an_application_is_none(self, runner: Runner) -> None:
        class Half:
            def handle(self) -> None:
                """And nothing else."""

        with pytest.raises(TypeError, match="needs upstreams, handle_timeout, close, deadline, waker too"):
            as_application(Half(), HandlerSettings(), runner.start)  # type: ignore[arg-type]


class TestWhatIsNoHandler:
    @pytest.mark.parametrize(
        ("given", "words"),
        [
            (42, "not int"),
            (lambda request: (yield request), "this generator is not async"),
            (lambda request: request, "plain def"),
        ],
    )
    def test_it_is_refused(self, runner: Runner, given: Any, words: str) -> None:
        with pytest.raises(TypeError, match=words):
            as_application(given, HandlerSettings(), runner.start)

    def test_an_async_one_where_handlers_block(self, runner: Runner) -> None:
        async def stream(request: Request) -> AsyncIterator[str]:
            yield request.path

        for given in (handler, partial(handler), stream):
            with pytest.raises(TypeError, match=r"handler: def handler\(request\); this one is async"):
                as_application(given, HandlerSettings(), runner.start, blocking=True)

    def test_plain_ones_where_handlers_block(self, runner: Runner) -> None:
        def generator(request: Request) -> Iterator[str]:
            yield request.path

        for given in (generator, lambda _: Reply(204)):
            application = as_application(given, HandlerSettings(), runner.start, blocking=True)
            assert isinstance(application, HandlerApplication)
        called: Any = generator(Request("GET", "/"))
        with pytest.raises(TypeError, match="without calling it"):
            as_application(called, HandlerSettings(), runner.start, blocking=True)

    def test_what_was_called_already(self, runner: Runner) -> None:
        given = handler(Request("GET", "/"))
        with pytest.raises(TypeError, match="without calling it"):
            as_application(given, HandlerSettings(), runner.start)  # type: ignore[arg-type]
        given.close()

    def test_a_partial_and_an_object_are_looked_through(self, runner: Runner) -> None:
        class Callable:
            async def __call__(self, request: Request) -> Reply:
                return await handler(request)

        for given in (partial(handler), Callable(), Callable().__call__):
            assert isinstance(as_application(given, HandlerSettings(), runner.start), HandlerApplication)
