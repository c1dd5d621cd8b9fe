"""`iter_events` and its kin: what they give, and that they close what they read, when they are left."""

from __future__ import annotations

import asyncio
import gc
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from sse_core import (
    EventStreamDecoder,
    LimitExceeded,
    MessageAccumulator,
    RemoteProtocolError,
    ServerSentEvent,
    aiter_events,
    aiter_turn,
    dialects,
    iter_events,
    iter_turn,
)
from sse_core.blocks import (
    BlockEvent,
    MessageCut,
    MessageStop,
    StreamError,
    TextDelta,
)
from sse_core.iteration import AsyncTurnIterator
from sse_core.testing import message_of, pieces
from sse_core.testing.strategies import splits

STREAM = (
    b": hi\nid: 1\ndata: a\n\nretry: 5\nevent: x\ndata: b\ndata: c\n\n: ho\nid: 2\n\n"
    b"data: \xff\r\n\r\ndata: cut"
)
CHAT = (
    b'data: {"id":"c","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":'
    b'{"role":"assistant","content":"Hel"},"finish_reason":null}]}\n\n'
    b'data: {"id":"c","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":'
    b'{"content":"lo"},"finish_reason":null}]}\n\n'
    b'data: {"id":"c","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{},'
    b'"finish_reason":"stop"}]}\n\n'
    b"data: [DONE]\n\n"
)
CALL = (
    b'data: {"id":"c","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":'
    b'{"role":"assistant","tool_calls":[{"index":0,"id":"t","type":"function","function":'
    b'{"name":"f","arguments":"{}"}}]},"finish_reason":null}]}\n\n'
)

Run = Callable[[Callable[[], Awaitable[Any]]], Any]
LOOPS: dict[str, Run] = {"trio": trio.run, "asyncio": lambda main: asyncio.run(main())}  # type: ignore[arg-type]
loops = pytest.mark.parametrize("run", LOOPS.values(), ids=LOOPS)


class Lost(Exception):
    """What an HTTP client raises when the connection is lost."""


class Source:
    """Chunks as an HTTP client gives them, for `for` and for `async for`; says how often it was closed."""

    def __init__(self, *chunks: bytes | Exception) -> None:
        self._chunks = iter(chunks)
        self.taken = 0
        self.closed = 0

    def __iter__(self) -> Source:
        return self

    def __next__(self) -> bytes:
        assert not self.closed
        chunk = next(self._chunks)
        self.taken += 1
        if isinstance(chunk, Exception):
            raise chunk
        return chunk

    def close(self) -> None:
        self.closed += 1

    def __aiter__(self) -> Source:
        return self

    async def __anext__(self) -> bytes:
        await _checkpoint()
        try:
            return self.__next__()
        except StopIteration:
            raise StopAsyncIteration from None

    async def aclose(self) -> None:
        await _checkpoint()
        self.closed += 1


class Pause:
    """What may be awaited under any event loop: nothing."""

    def __await__(self) -> Generator[None]:
        yield from ()


async def _checkpoint() -> None:
    await Pause()


async def collected(items: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in items]


NOTHING: dict[str, None] = {}


class TestWhatTheyGive:
    @given(splits(STREAM))
    def test_the_decoders_own_events_and_comments_in_their_order(self, chunks: list[bytes]) -> None:
        ours: list[object] = []
        events = iter_events(chunks, on_comment=ours.append)
        ours.extend(events)
        theirs: list[object] = []
        decoder = EventStreamDecoder(on_comment=theirs.append)
        theirs.extend(event for chunk in chunks for event in decoder.receive_data(chunk))
        assert [x for x in ours if isinstance(x, ServerSentEvent)] == [
            x for x in theirs if isinstance(x, ServerSentEvent)
        ]
        assert [x for x in ours if isinstance(x, str)] == ["hi", "ho"]
        assert (events.last_event_id, events.reconnection_time) == ("2", 5)

    @loops
    def test_the_same_when_awaited(self, run: Run) -> None:
        async def main() -> None:
            comments: list[str] = []
            events = aiter_events(Source(*pieces(STREAM, [7, 30, 31, 60])), on_comment=comments.append)
            assert await collected(events) == list(iter_events([STREAM]))
            assert comments == ["hi", "ho"]
            assert (events.last_event_id, events.reconnection_time) == ("2", 5)

        run(main)

    @given(st.integers(0, len(CHAT)), st.data())
    def test_the_block_events_of_a_dialect_and_a_cut_at_the_end_if_there_is_none(
        self, size: int, data: st.DataObject
    ) -> None:
        stream = CHAT[:size]
        decoder = dialects.get("openai-chat").Decoder()
        theirs = [x for sse in iter_events([stream]) for x in decoder.receive_event(sse)]
        theirs += decoder.receive_eof()
        turn = iter_turn(data.draw(splits(stream)), "openai-chat")
        assert list(turn) == theirs
        assert isinstance(theirs[-1], MessageStop | MessageCut)
        assert turn.message == message_of(theirs)
        assert turn.message.completeness == (
            "complete" if isinstance(theirs[-1], MessageStop) else "truncated"
        )

    def test_an_end_that_only_the_streams_end_shows(self) -> None:
        """A host of chat completions that sends no `[DONE]`."""
        turn = iter_turn([CHAT.removesuffix(b"data: [DONE]\n\n")], "openai-chat")
        assert isinstance(list(turn)[-1], MessageStop)
        assert turn.message.completeness == "complete"

    @loops
    def test_a_turn_awaited(self, run: Run) -> None:
        async def main() -> None:
            turn = aiter_turn(Source(CHAT[:100], CHAT[100:]), dialects.get("openai-chat"))
            assert await collected(turn) == list(iter_turn([CHAT], "openai-chat"))
            assert (turn.message.text, turn.message.completeness) == ("Hello", "complete")

        run(main)

    def test_nothing_is_read_after_the_messages_end(self) -> None:
        source = Source(CHAT, b"data: more\n\n")
        assert isinstance(list(iter_turn(source, "openai-chat"))[-1], MessageStop)
        assert (source.taken, source.closed) == (1, 1)

    def test_an_error_of_the_providers_is_an_event_and_the_last(self) -> None:
        error = b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"x"}}\n\n'
        source = Source(error, b"more")
        (event,) = iter_turn(source, "anthropic")
        assert isinstance(event, StreamError)
        assert (source.taken, source.closed) == (1, 1)

    def test_a_call_that_is_cut_is_never_executable(self) -> None:
        turn = iter_turn([CALL], "openai-chat")
        assert list(turn)[-1] == MessageCut("truncated")
        (tool,) = turn.message.tools
        assert (tool.state, turn.message.executable_tools) == ("incomplete", [])

    def test_the_last_event_id_is_never_ahead_of_who_reads(self) -> None:
        events = iter_events([b"id: 1\ndata: a\n\nid: 2\ndata: b\n\n"], last_event_id="0")
        assert events.last_event_id == "0"
        next(events)
        assert events.last_event_id == "1"

    def test_an_accumulator_of_ones_own_has_its_own_bounds(self) -> None:
        accumulator = MessageAccumulator(max_message_bytes=20)
        turn = iter_turn([CHAT], "openai-chat", accumulator=accumulator)
        with pytest.raises(LimitExceeded, match="max_message_bytes=20"):
            list(turn)
        assert turn.message is accumulator.message
        assert turn.message.completeness == "failed"


async def read(turn: AsyncTurnIterator, why: str) -> None:
    async with turn:
        async for event in turn:
            if why == "reader":
                _ = NOTHING[str(event)]
            if why == "left":
                break


class TestClosing:
    def test_at_the_end(self) -> None:
        source = Source(b"data: a\n\n")
        events = iter_events(source)
        assert len(list(events)) == 1
        assert (list(events), source.closed) == ([], 1)

    def test_when_break_leaves_it(self) -> None:
        source = Source(b"data: a\n\ndata: b\n\n")
        for _ in iter_events(source):
            break
        assert source.closed == 1

    def test_when_with_is_left(self) -> None:
        source = Source(CHAT)
        with iter_turn(source, "openai-chat") as turn:
            next(turn)
        assert (source.closed, turn.message.completeness, list(turn)) == (1, "stopped", [])
        turn.close()
        assert source.closed == 1

    def test_when_the_reader_raises(self) -> None:
        source = Source(CHAT)
        turn = iter_turn(source, "openai-chat")
        with pytest.raises(LookupError), turn:
            _ = NOTHING[str(next(turn))]
        assert (source.closed, turn.message.completeness) == (1, "stopped")

    def test_when_the_source_raises(self) -> None:
        source = Source(CHAT[:300], Lost())
        turn = iter_turn(source, "openai-chat")
        with pytest.raises(Lost):
            list(turn)
        assert (source.closed, turn.message.completeness, list(turn)) == (1, "truncated", [])

    def test_when_a_decoder_raises(self) -> None:
        source = Source(b"data: a\n\n", b"data: " + b"x" * 50)
        events = iter_events(source, max_event_bytes=20)
        assert next(events).data == "a"
        with pytest.raises(LimitExceeded, match="max_event_bytes"):
            next(events)
        assert (source.closed, list(events)) == (1, [])

    def test_what_has_no_close_is_left_as_it_is(self) -> None:
        chunks = iter([b"data: a\n\n", b"data: b\n\n"])
        with iter_events(chunks) as events:
            next(events)
        assert next(chunks) == b"data: b\n\n"

    def test_a_generator_is_closed_amid_its_chunks(self) -> None:
        said: list[str] = []

        def body() -> Iterator[bytes]:
            try:
                yield b"data: a\n\n"
                yield b"data: b\n\n"
            finally:
                said.append("closed")

        generator = body()
        with iter_events(generator) as events:
            next(events)
        assert said == ["closed"]

    @loops
    @pytest.mark.parametrize("why", ["end", "left", "reader", "source", "decoder"])
    def test_the_same_when_awaited(self, run: Run, why: str) -> None:
        async def main() -> None:
            chunks: dict[str, list[bytes | Exception]] = {
                "source": [CHAT[:300], Lost()],
                "decoder": [b"data: {\n\n"],
            }
            source = Source(*chunks.get(why, [CHAT]))
            turn = aiter_turn(source, "openai-chat")
            errors = {"reader": LookupError, "source": Lost, "decoder": RemoteProtocolError}
            with pytest.raises(errors[why]) if why in errors else nullcontext():
                await read(turn, why)
            assert source.closed == 1
            wanted = {"end": "complete", "source": "truncated", "decoder": "failed"}
            assert turn.message.completeness == wanted.get(why, "stopped")
            assert await collected(turn) == []
            await turn.aclose()
            assert source.closed == 1

        run(main)

    @loops
    def test_without_async_with_the_error_closes_at_once(self, run: Run) -> None:
        async def main() -> None:
            source = Source(b"data: a\n\n", Lost())
            events = aiter_events(source)
            with pytest.raises(Lost):
                await collected(events)
            assert source.closed == 1

        run(main)

    @loops
    def test_what_has_no_aclose_is_left_as_it_is(self, run: Run) -> None:
        class Chunks:
            def __aiter__(self) -> Chunks:
                return self

            async def __anext__(self) -> bytes:
                return b"data: a\n\n"

        async def main() -> None:
            async with aiter_events(Chunks()) as events:
                assert (await anext(events)).data == "a"
            assert await collected(events) == []

        run(main)

    @loops
    def test_an_asynchronous_generator_is_closed_before_async_with_is_left(self, run: Run) -> None:
        said: list[str] = []

        async def body() -> AsyncIterator[bytes]:
            try:
                yield b"data: a\n\n"
                yield b"data: b\n\n"
            finally:
                said.append("closed")

        async def main() -> None:
            async with aiter_events(body()) as events:
                async for _ in events:
                    break
            assert said == ["closed"]

        run(main)

    def test_cancelling_closes(self) -> None:
        """A read that is cancelled has the body closed before the cancellation goes on."""
        said: list[str] = []

        async def body() -> AsyncIterator[bytes]:
            try:
                yield b"data: a\n\n"
                await trio.sleep_forever()
            finally:
                said.append("closed")

        async def main() -> None:
            with trio.CancelScope() as scope:
                async for _ in aiter_events(body()):
                    scope.cancel()
            assert scope.cancelled_caught
            assert said == ["closed"]

        trio.run(main)

    def test_nothing_waits_in_a_cycle_for_the_garbage_collector(self) -> None:
        source = Source(b"data: a\n\n")
        gc.disable()
        try:
            events = iter_events(source)
            next(events)
            del events
            assert source.closed == 1
        finally:
            gc.enable()


def test_the_examples_of_the_page_run() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "iteration.md").read_text("utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 3
    names: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, "docs/iteration.md", "exec"), names)  # noqa: S102  (the page is ours)


class TestArguments:
    @pytest.mark.parametrize("chunks", [b"data: a\n\n", "data: a\n\n", None, 7])
    def test_what_is_no_iterable_of_bytes(self, chunks: Any) -> None:
        with pytest.raises(
            TypeError, match=f"iter_events takes an iterable of bytes, not {type(chunks).__name__}$"
        ):
            iter_events(chunks)

    def test_the_other_kind_of_iterable_has_a_function_of_its_own(self) -> None:
        async def body() -> AsyncIterator[bytes]:
            yield b""

        chunks: Any = body()
        with pytest.raises(TypeError, match="not async_generator: aiter_turn takes such"):
            iter_turn(chunks, "anthropic")
        with pytest.raises(TypeError, match="not list: iter_events takes such"):
            aiter_events([b""])  # type: ignore[arg-type]
        with pytest.raises(TypeError, match=r"asynchronous iterable of bytes, not int$"):
            aiter_turn(7, "anthropic")  # type: ignore[arg-type]

    def test_text_is_no_bytes(self) -> None:
        source = Source("data: a\n\n")  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="encode text before you give it"):
            list(iter_events(source))
        assert source.closed == 1

    def test_a_dialect_that_there_is_not(self) -> None:
        with pytest.raises(ValueError, match="no dialect is called 'klingon'"):
            iter_turn([], "klingon")
        with pytest.raises(TypeError, match="dialect takes str or Dialect, not int"):
            iter_turn([], 7)  # type: ignore[arg-type]

    def test_a_stream_of_another_dialect(self) -> None:
        with pytest.raises(RemoteProtocolError, match="openai-chat"):
            list(iter_turn([CHAT], "anthropic"))

    def test_what_an_iterator_gives_is_typed(self) -> None:
        """The type checker reads this: mistakes here are errors of `make check`."""
        for sse in iter_events([STREAM]):
            name: str = sse.type
            assert name
        texts: list[str] = []
        for event in iter_turn([CHAT], "openai-chat"):
            block: BlockEvent = event
            if isinstance(block, TextDelta):
                texts.append(block.text)
        assert texts == ["Hel", "lo"]


def given_by(function: Callable[..., Any], stream: bytes, **arguments: Any) -> list[Any]:
    """All that ``function`` gives of ``stream``, whether it is awaited or not."""
    dialect = ("openai-chat",) if function in {iter_turn, aiter_turn} else ()
    items = function(Source(stream), *dialect, **arguments)
    return list(items) if hasattr(items, "__next__") else asyncio.run(collected(items))


all_four = pytest.mark.parametrize("function", [iter_events, aiter_events, iter_turn, aiter_turn])
of_events = pytest.mark.parametrize("function", [iter_events, aiter_events])


class TestWhatIsPassedOn:
    """What an argument is for is the decoder's and the accumulator's; that it gets there is shown here."""

    @all_four
    def test_the_bound_of_a_line(self, function: Callable[..., Any]) -> None:
        line = b"data: " + b"x" * 100
        with pytest.raises(LimitExceeded, match="max_line_bytes"):
            given_by(function, line + b"\n\n", max_line_bytes=50, max_event_bytes=1000)

    @all_four
    def test_the_bound_of_an_event(self, function: Callable[..., Any]) -> None:
        lines = (b"data: " + b"x" * 20 + b"\n") * 10
        with pytest.raises(LimitExceeded, match="max_event_bytes"):
            given_by(function, lines + b"\n", max_line_bytes=1000, max_event_bytes=50)

    @all_four
    def test_comments(self, function: Callable[..., Any]) -> None:
        comments: list[str] = []
        given_by(function, b": hi\n\n" + CHAT, on_comment=comments.append)
        assert comments == ["hi"]

    @of_events
    def test_what_is_done_with_an_event_that_is_too_large(self, function: Callable[..., Any]) -> None:
        stream = b"data: " + b"x" * 100 + b"\n\ndata: a\n\n"
        events = given_by(function, stream, max_event_bytes=50, on_oversize="skip")
        assert [event.data for event in events] == ["a"]
        with pytest.raises(LimitExceeded):
            given_by(function, stream, max_event_bytes=50)

    @of_events
    def test_the_last_event_id(self, function: Callable[..., Any]) -> None:
        (event,) = given_by(function, b"data: a\n\n", last_event_id="7")
        assert event.last_event_id == "7"

    @pytest.mark.parametrize("function", [iter_turn, aiter_turn])
    def test_the_accumulator(self, function: Callable[..., Any]) -> None:
        accumulator = MessageAccumulator()
        given_by(function, CHAT, accumulator=accumulator)
        assert accumulator.message.text == "Hello"
