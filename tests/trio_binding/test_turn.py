"""``stream_turn`` against the simulated provider on a real socket."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio

import sse_trio
from sse_core import dialects
from sse_core.blocks import (
    BlockEvent,
    MessageStart,
    StreamError,
    TextBlock,
    TextDelta,
    ThinkingBlock,
    ToolUseBlock,
)
from sse_core.headers import Headers
from sse_core.lifecycle import Deadlines, Outcome, RetryPolicy, Upstream
from sse_relay.provider import Provider
from tests.trio_binding.support import (
    ASK,
    BODY,
    Feeds,
    Server,
    answer,
    eventually,
    listening,
    provider,
    read_head,
    records,
    serving,
)

QUICK = RetryPolicy(initial_delay=0.01)
FAST = {"tokens": 20, "rate": 0, "ttft": 0}


def upstream_of(server: Server, fault: str = "none", **options: Any) -> Upstream:
    """The provider behind ``server``, told to fail."""
    headers = Headers([("sim-fault", fault)])
    return Upstream(server.url + "v1/messages", headers=headers, **{"retry": QUICK, **options})


async def read_all(turn: sse_trio.TurnStream) -> list[BlockEvent]:
    return [event async for event in turn]


def text_of(events: list[BlockEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def starts(events: list[BlockEvent]) -> int:
    return sum(isinstance(event, MessageStart) for event in events)


class TestAnswers:
    async def test_text(self) -> None:
        async with (
            serving(provider(**FAST)) as server,
            sse_trio.stream_turn(upstream_of(server), BODY) as turn,
        ):
            events = await read_all(turn)
        assert turn.outcome is Outcome.COMPLETED
        assert turn.message.completeness == "complete"
        [block] = turn.message.blocks
        assert isinstance(block, TextBlock)
        assert block.text == text_of(events) != ""
        assert turn.attempts == 1

    async def test_thinking_and_a_tool(self) -> None:
        settings = {**FAST, "thinking": 0.05, "tool": True}
        async with (
            serving(provider(**settings)) as server,
            sse_trio.stream_turn(upstream_of(server), BODY) as turn,
        ):
            await read_all(turn)
        thinking, text, tool = turn.message.blocks
        assert isinstance(thinking, ThinkingBlock)
        assert thinking.thinking
        assert isinstance(text, TextBlock)
        assert isinstance(tool, ToolUseBlock)
        assert isinstance(tool.arguments, dict)
        assert tool.arguments["location"].startswith("München")

    async def test_bytes_are_sent_as_they_are(self) -> None:
        application = provider(**FAST, tool=True)
        async with (
            serving(application) as server,
            sse_trio.stream_turn(server.url + "v1/messages", ASK) as turn,
        ):
            await read_all(turn)
        response = dialects.get("anthropic").to_response(turn.message)
        assert [block["type"] for block in response["content"]] == ["text", "tool_use"]

    async def test_events_come_as_they_are_made(self) -> None:
        async with (
            serving(provider(tokens=20, rate=100, ttft=0.05)) as server,
            sse_trio.stream_turn(upstream_of(server), BODY) as turn,
        ):
            began = trio.current_time()
            arrived = [trio.current_time() - began async for event in turn if isinstance(event, TextDelta)]
        assert arrived[0] == pytest.approx(0.05, abs=0.05)
        assert arrived[-1] - arrived[0] == pytest.approx(0.19, abs=0.08)
        timing = turn.timing
        assert timing.time_to_first_token == pytest.approx(0.05, abs=0.05)
        tpot = timing.time_per_output_token(20)
        assert tpot == pytest.approx(0.01, abs=0.005)
        assert timing.outputs >= 20

    async def test_bytes_in_ones(self) -> None:
        async with serving(provider(**FAST)) as server:
            async with sse_trio.stream_turn(upstream_of(server), BODY) as whole:
                await read_all(whole)
            async with sse_trio.stream_turn(upstream_of(server, "split=1"), BODY) as split:
                await read_all(split)
        assert split.outcome is Outcome.COMPLETED
        assert split.message.blocks == whole.message.blocks

    async def test_a_slow_reader_is_no_stalled_provider(self) -> None:
        deadlines = Deadlines(output_gap=0.1)
        async with (
            serving(provider(tokens=20, rate=100, ttft=0)) as server,
            sse_trio.stream_turn(upstream_of(server, deadlines=deadlines), BODY) as turn,
        ):
            async for event in turn:
                if isinstance(event, TextDelta) and turn.timing.outputs <= 2:
                    await trio.sleep(0.15)
        assert turn.outcome is Outcome.COMPLETED

    async def test_cancelling_is_noticed_amid_events_that_are_there(self) -> None:
        async with (
            serving(provider(**FAST)) as server,
            sse_trio.stream_turn(upstream_of(server), BODY) as turn,
        ):
            await anext(turn)
            with trio.CancelScope() as scope:
                scope.cancel()
                await anext(turn)
            assert scope.cancelled_caught
            await read_all(turn)
        assert turn.outcome is Outcome.COMPLETED


class TestRetrying:
    @pytest.mark.parametrize(
        "fault", ["status=429,retry-after=0.02,times=1", "status=503,times=1", "error-before,times=1"]
    )
    async def test_what_nobody_has_seen_is_tried_again(self, fault: str) -> None:
        application = provider(**FAST)
        async with (
            serving(application) as server,
            sse_trio.stream_turn(upstream_of(server, fault), BODY) as turn,
        ):
            events = await read_all(turn)
        assert turn.outcome is Outcome.COMPLETED
        assert starts(events) == 1
        assert turn.attempts == 2
        assert [record["state"] for record in records(application)] == ["faulted", "completed"]

    async def test_retry_after_is_honoured(self) -> None:
        async with serving(provider(**FAST)) as server:
            began = trio.current_time()
            upstream = upstream_of(server, "status=429,retry-after=0.2,times=1")
            async with sse_trio.stream_turn(upstream, BODY) as turn:
                await read_all(turn)
        assert turn.outcome is Outcome.COMPLETED
        assert 0.2 <= trio.current_time() - began < 0.5

    async def test_it_gives_up_and_says_why(self) -> None:
        async with (
            serving(provider(**FAST)) as server,
            sse_trio.stream_turn(upstream_of(server, "status=529"), BODY) as turn,
        ):
            events = await read_all(turn)
        assert turn.outcome is Outcome.FAILED
        assert turn.attempts == 3
        assert [type(event) for event in events] == [StreamError]
        assert turn.message.completeness == "failed"

    async def test_what_is_no_use_is_not_tried_again(self) -> None:
        async with (
            serving(provider(**FAST)) as server,
            sse_trio.stream_turn(upstream_of(server), {"model": "m"}) as turn,
        ):
            [error] = await read_all(turn)
        assert isinstance(error, StreamError)
        assert "max_tokens" in error.message
        assert turn.attempts == 1


class TestFailing:
    @pytest.mark.parametrize(
        ("fault", "outcome", "completeness"),
        [
            ("error-after=5", Outcome.FAILED, "failed"),
            ("cut-after=5", Outcome.TRUNCATED, "truncated"),
            ("stall-after=5", Outcome.EXPIRED, None),
            ("garbage-after=5", None, None),
        ],
    )
    async def test_after_visible_text(
        self, fault: str, outcome: Outcome | None, completeness: str | None
    ) -> None:
        upstream_options = {"deadlines": Deadlines(output_gap=0.1)}
        async with serving(provider(**FAST)) as server:
            upstream = upstream_of(server, fault, **upstream_options)
            async with sse_trio.stream_turn(upstream, BODY) as turn:
                with trio.fail_after(2):
                    events = await read_all(turn)
        assert turn.outcome is not Outcome.COMPLETED
        assert turn.message.completeness != "complete"
        if outcome is not None:
            assert turn.outcome is outcome
        if completeness is not None:
            assert turn.message.completeness == completeness
        assert turn.attempts == 1
        assert starts(events) == 1
        assert text_of(events)

    async def test_a_provider_that_is_not_there(self) -> None:
        async with serving(Feeds()) as server:
            pass
        async with sse_trio.stream_turn(upstream_of(server), BODY) as turn:
            [error] = await read_all(turn)
        assert isinstance(error, StreamError)
        assert "Connection refused" in error.message
        assert turn.outcome is Outcome.FAILED
        assert turn.attempts == 3

    async def test_a_provider_that_never_answers_the_first_packet(
        self,
        monkeypatch: pytest.MonkeyPatch,
        autojump_clock: trio.testing.MockClock,  # noqa: ARG002  (pytest-trio wants it here)
    ) -> None:
        """With the defaults: three attempts of 10 s, and back-off between them, by a clock that jumps."""
        calls: list[float] = []

        async def open_nothing(*_: object) -> None:
            calls.append(trio.current_time())
            await trio.sleep_forever()

        monkeypatch.setattr(trio, "open_tcp_stream", open_nothing)
        began = trio.current_time()
        async with sse_trio.stream_turn("http://127.0.0.1:9/v1/messages", BODY) as turn:
            [error] = await read_all(turn)
        assert isinstance(error, StreamError)
        assert error.message == "The provider could not be reached in time."
        assert turn.outcome is Outcome.EXPIRED
        first, second, third = (call - began for call in calls)
        assert first == 0
        assert 10.375 <= second <= 10.5
        assert second + 10.75 <= third <= second + 11
        assert trio.current_time() - began == pytest.approx(third + 10)

    async def test_a_large_request_that_is_refused_early(self) -> None:
        async def peer(stream: trio.SocketStream) -> None:
            await read_head(stream)
            error = {"type": "error", "error": {"type": "request_too_large", "message": "too large"}}
            body = json.dumps(error).encode()
            await stream.send_all(answer(body, "413 Content Too Large", "application/json"))

        async with (
            listening(peer) as server,
            sse_trio.stream_turn(upstream_of(server), b"x" * 32_000_000) as turn,
        ):
            with trio.fail_after(2):
                [error] = await read_all(turn)
        assert isinstance(error, StreamError)
        assert (error.type, error.message) == ("request_too_large", "too large")
        assert turn.attempts == 1


async def stopped_by_another_task(
    turn: sse_trio.TurnStream, ready: Callable[[], Awaitable[object]]
) -> list[BlockEvent]:
    """What the reading task got when another one stops the turn as soon as it is ready."""
    events: list[BlockEvent] = []

    async def read() -> None:
        async for event in turn:
            events.append(event)  # noqa: PERF401  (looked at meanwhile)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        await ready()
        assert await turn.stop() is Outcome.STOPPED
        stopped = trio.current_time()
    assert trio.current_time() - stopped < 0.2, "the reading task ends at once"
    return events


async def assert_stopped(turn: sse_trio.TurnStream, application: Provider | None = None) -> None:
    assert turn.outcome is Outcome.STOPPED
    assert turn.message.completeness == "stopped"
    assert await turn.stop() is Outcome.STOPPED
    if application is not None:
        await eventually(lambda: records(application)[-1]["state"] == "aborted", 0.2)
        tokens = records(application)[-1]["tokens"]
        await trio.sleep(0.05)
        assert records(application)[-1]["tokens"] == tokens


@pytest.mark.usefixtures("no_leak")
class TestStopping:
    """``stop()`` from another task: the provider stops at once, whatever the turn was doing."""

    async def test_before_the_connection_is_made(self, monkeypatch: pytest.MonkeyPatch) -> None:
        calls: list[object] = []

        async def open_nothing(*arguments: object) -> None:
            calls.append(arguments)
            await trio.sleep_forever()

        monkeypatch.setattr(trio, "open_tcp_stream", open_nothing)
        async with sse_trio.stream_turn("http://127.0.0.1:9/v1/messages", BODY) as turn:
            await stopped_by_another_task(turn, lambda: eventually(lambda: calls))
            await assert_stopped(turn)
        assert len(calls) == 1

    async def test_before_anybody_reads(self) -> None:
        application = provider(**FAST)
        async with (
            serving(application) as server,
            sse_trio.stream_turn(upstream_of(server), BODY) as turn,
        ):
            await turn.stop()
            events = await read_all(turn)
        assert len(events) == 1
        assert records(application) == []

    async def test_before_the_head(self) -> None:
        """The provider generates, but nothing of it arrives."""
        application = provider(tokens=1000, rate=100, ttft=0)

        async with serving(application) as server:

            async def peer(stream: trio.SocketStream) -> None:
                async with await trio.open_tcp_stream(server.host, server.port) as upstream:
                    while data := await stream.receive_some():
                        await upstream.send_all(data)

            async with listening(peer) as proxy, sse_trio.stream_turn(upstream_of(proxy), BODY) as turn:
                await stopped_by_another_task(turn, lambda: eventually(lambda: records(application)))
                await assert_stopped(turn, application)

    async def test_before_the_first_token(self) -> None:
        application = provider(tokens=1000, rate=100, ttft=5)
        async with (
            serving(application) as server,
            sse_trio.stream_turn(upstream_of(server), BODY) as turn,
        ):
            events = await stopped_by_another_task(
                turn, lambda: eventually(lambda: turn.timing.first_byte_at)
            )
            await assert_stopped(turn, application)
        assert text_of(events) == ""
        assert records(application)[0]["tokens"] == 0

    async def test_amid_text(self) -> None:
        application = provider(tokens=1000, rate=100, ttft=0)
        async with (
            serving(application) as server,
            sse_trio.stream_turn(upstream_of(server), BODY) as turn,
        ):
            events = await stopped_by_another_task(turn, lambda: eventually(lambda: turn.timing.outputs >= 5))
            await assert_stopped(turn, application)
        [block] = turn.message.blocks
        assert isinstance(block, TextBlock)
        assert block.text == text_of(events) != ""

    async def test_in_back_off(self) -> None:
        application = provider(**FAST)
        retry = RetryPolicy(initial_delay=8.0)
        async with (
            serving(application) as server,
            sse_trio.stream_turn(upstream_of(server, "status=503", retry=retry), BODY) as turn,
        ):
            await stopped_by_another_task(turn, lambda: eventually(lambda: records(application)))
            await assert_stopped(turn)
        assert len(records(application)) == 1

    async def test_while_nobody_reads(self) -> None:
        """The reader is busy with an event; the connection is closed all the same."""
        application = provider(tokens=1000, rate=100, ttft=0)
        async with (
            serving(application) as server,
            sse_trio.stream_turn(upstream_of(server), BODY) as turn,
        ):
            await anext(turn)
            await turn.stop()
            await assert_stopped(turn, application)

    async def test_after_the_end(self) -> None:
        async with (
            serving(provider(**FAST)) as server,
            sse_trio.stream_turn(upstream_of(server), BODY) as turn,
        ):
            await read_all(turn)
            assert await turn.stop() is Outcome.COMPLETED


@pytest.mark.usefixtures("no_leak")
class TestLeaving:
    @pytest.mark.parametrize("how", ["break", "exception", "cancel"])
    async def test_leaving_closes_the_upstream_at_once(self, how: str) -> None:
        application = provider(tokens=1000, rate=100, ttft=0)
        async with serving(application) as server:
            if how == "break":
                await leave(server)
            elif how == "exception":
                with pytest.raises(ZeroDivisionError):
                    await leave(server, lambda: 1 // 0)
            else:
                with trio.CancelScope() as scope:
                    await leave(server, scope.cancel)
            await eventually(lambda: records(application)[0]["state"] == "aborted", 0.2)
            tokens = records(application)[0]["tokens"]
            assert tokens < 20
            await trio.sleep(0.05)
            assert records(application)[0]["tokens"] == tokens


DONE = b'data: {"choices":[{"delta":{"content":"hello"}}]}\n\ndata: [DONE]\n\n'


@pytest.mark.parametrize("then", ["ends", "cuts", "says nothing", "sends a trailer, slowly"])
async def test_nobody_waits_for_what_comes_after_done(then: str) -> None:
    """Whatever the provider does behind it, the connection is closed, and the next turn has its own."""
    closed: list[float] = []

    async def peer(stream: trio.SocketStream) -> None:
        await read_head(stream)
        head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        await stream.send_all(head.encode() + b"%x\r\n%b\r\n" % (len(DONE), DONE))
        if then == "ends":
            await stream.send_all(b"0\r\n\r\n")
        elif then == "cuts":
            return
        elif then == "sends a trailer, slowly":
            await stream.send_all(b"0\r\nx-trailer: ")
            with trio.move_on_after(5):
                while True:
                    await stream.send_all(b"a")
                    await trio.sleep(0.04)
        assert await stream.receive_some() == b""
        closed.append(trio.current_time())

    async with listening(peer) as server:
        upstream = Upstream(server.url, dialect="openai-chat", retry=QUICK)
        for _ in range(2):
            begun = trio.current_time()
            async with sse_trio.stream_turn(upstream, BODY) as turn:
                assert text_of(await read_all(turn)) == "hello"
                assert trio.current_time() - begun < 0.4
                assert turn.outcome is Outcome.COMPLETED
        if then in {"ends", "says nothing"}:
            await eventually(lambda: len(closed) == 2)


async def leave(server: Server, how: Callable[[], object] | None = None) -> None:
    async with sse_trio.stream_turn(upstream_of(server), BODY) as turn:
        async for event in turn:
            if isinstance(event, TextDelta):
                if how is None:
                    break
                how()
