"""What ``stream_turn`` offers beside its events: text, exceptions, heads, comments, headers that expire."""

from __future__ import annotations

import contextlib

import pytest
import trio

import sse_trio
from sse_core import LocalProtocolError, TurnError, encode_comment
from sse_core.lifecycle import NO_RETRY, Outcome, RetryPolicy, Upstream
from tests.trio_binding.support import (
    BODY,
    answer,
    eventually,
    listening,
    provider,
    read_head,
    records,
    serving,
)
from tests.trio_binding.test_turn import FAST, QUICK, upstream_of


class TestText:
    async def test_it_is_the_messages(self) -> None:
        async with (
            serving(provider(**FAST, thinking=0.05, tool=True)) as server,
            sse_trio.stream_turn(upstream_of(server), BODY) as turn,
        ):
            pieces = [text async for text in turn.text_stream]
            turn.raise_for_outcome()
        assert len(pieces) > 10
        assert "".join(pieces) == turn.message.text != ""
        assert all(pieces)

    async def test_events_and_text_may_take_turns(self) -> None:
        async with (
            serving(provider(**FAST)) as server,
            sse_trio.stream_turn(upstream_of(server), BODY) as turn,
        ):
            first = await anext(turn.text_stream)
            events = [event async for event in turn]
        assert turn.message.text.startswith(first)
        assert len(events) > 5

    async def test_no_failure_shows_in_it(self) -> None:
        async with (
            serving(provider(**FAST)) as server,
            sse_trio.stream_turn(upstream_of(server, "cut-after=5"), BODY) as turn,
        ):
            text = "".join([text async for text in turn.text_stream])
            with pytest.raises(TurnError, match="truncated: stream_truncated") as caught:
                turn.raise_for_outcome()
        assert text == turn.message.text != ""
        assert caught.value.outcome == "truncated"

    async def test_to_close_it_is_to_stop(self) -> None:
        application = provider(tokens=1000, rate=100, ttft=0)
        async with (
            serving(application) as server,
            sse_trio.stream_turn(upstream_of(server), BODY) as turn,
        ):
            async with contextlib.aclosing(turn.text_stream) as texts:
                await anext(texts)
            await eventually(lambda: records(application)[-1]["state"] == "aborted", 0.5)
        assert turn.outcome is Outcome.STOPPED
        with pytest.raises(TurnError, match="stopped: turn_stopped"):
            turn.raise_for_outcome()

    async def test_not_where_it_may_be_taken_back(self) -> None:
        upstream = Upstream("http://127.0.0.1:9/", retry=RetryPolicy(after_output="retract"))
        async with sse_trio.stream_turn(upstream, BODY) as turn:
            with pytest.raises(LocalProtocolError, match="after_output"):
                turn.text_stream  # noqa: B018  (asking is enough)


class TestExceptions:
    async def test_a_refusal_in_the_providers_words(self) -> None:
        async with (
            serving(provider(**FAST)) as server,
            sse_trio.stream_turn(upstream_of(server), {"model": "m"}) as turn,
        ):
            with pytest.raises(LocalProtocolError, match="has not ended"):
                turn.raise_for_outcome()
            async for _ in turn:
                pass
            with pytest.raises(TurnError, match="max_tokens") as caught:
                turn.raise_for_outcome()
        assert (caught.value.status, caught.value.type) == (400, "invalid_request_error")
        assert not caught.value.retryable


class TestHeads:
    async def test_the_answers_status_and_fields(self) -> None:
        async with (
            serving(provider(**FAST)) as server,
            sse_trio.stream_turn(upstream_of(server), BODY) as turn,
        ):
            await anext(turn)
            assert turn.response_status == 200
            assert turn.response_headers.get("request-id")

    async def test_headers_are_asked_for_at_each_attempt(self) -> None:
        shown: list[bytes] = []

        async def peer(stream: trio.SocketStream) -> None:
            shown.append(await read_head(stream))
            await stream.send_all(answer(b"", "503 Busy", "text/plain"))

        tokens = iter(["old", "new", "newest"])
        async with listening(peer) as server:
            upstream = Upstream(server.url, lambda: {"authorization": next(tokens)}, retry=QUICK)
            async with sse_trio.stream_turn(upstream, BODY) as turn:
                async for _ in turn:
                    pass
        assert [
            b"authorization: %s\r\n" % token in head
            for token, head in zip((b"old", b"new", b"newest"), shown, strict=True)
        ] == [True] * 3

    async def test_what_such_a_function_raises_is_the_callers(self) -> None:
        def expired() -> dict[str, str]:
            raise PermissionError("log in again")

        with pytest.raises(PermissionError):
            async with sse_trio.stream_turn(Upstream("http://127.0.0.1:9/", expired), BODY):
                pass


async def test_comments_and_bounds() -> None:
    async def peer(stream: trio.SocketStream) -> None:
        await read_head(stream)
        body = encode_comment("PROCESSING") + b"data: " + b"x" * 200 + b"\n\n"
        await stream.send_all(answer(body, "200 OK", "text/event-stream"))

    told: list[str] = []
    async with listening(peer) as server:
        upstream = Upstream(server.url, retry=NO_RETRY)
        async with sse_trio.stream_turn(upstream, BODY, max_line_bytes=100, on_comment=told.append) as turn:
            async for _ in turn:
                pass
        with pytest.raises(TurnError, match="max_line_bytes"):
            turn.raise_for_outcome()
        async with sse_trio.stream_turn(upstream, BODY, max_event_bytes=100) as turn:
            async for _ in turn:
                pass
        with pytest.raises(TurnError, match="max_event_bytes"):
            turn.raise_for_outcome()
    assert told == ["PROCESSING"]
