"""Events of any HTTP client's answer: its pieces of bytes in, by iteration; events out, by iteration.

Nothing here waits but for the iterable that it is given, so it runs under whatever event loop that does.

Theory.  What :func:`contextlib.aclosing` promises holds for the iterator of the pieces: it is closed, and at
once, when the last event was given, when it or a decoder raises, and when its reader leaves.  Closing is what
makes an HTTP client give its connection back.  These are classes and no generators because of the reader who
leaves: an asynchronous generator that is left is closed by a hook of the event loop's, at some later time
(PEP 525, "Finalization"), and a chain of two is closed in any order.  A class with ``aclose()`` adds nothing
that needs a hook, and ``async with`` says where it is left.

Source: https://peps.python.org/pep-0525/#finalization
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from types import TracebackType
from typing import Any, Generic, Literal, Self, TypeVar

from . import dialects
from .arguments import check_type
from .blocks import BlockEvent, Message, MessageAccumulator
from .chunk_readers import ChunkReader, EventReader, TurnReader
from .dialects import Dialect
from .framing import EventStreamDecoder, ServerSentEvent
from .framing.interpreter import DEFAULT_MAX_BYTES
from .lifecycle.turn.answer_stream import AnswerStream

_Item = TypeVar("_Item")
_Reader = TypeVar("_Reader", bound=ChunkReader[Any])


def iter_events(
    chunks: Iterable[bytes],
    *,
    last_event_id: str = "",
    max_line_bytes: int = DEFAULT_MAX_BYTES,
    max_event_bytes: int = DEFAULT_MAX_BYTES,
    on_oversize: Literal["fail", "skip"] = "fail",
    on_comment: Callable[[str], None] | None = None,
) -> EventIterator:
    """The events of one event stream, for ``for``.

    - ``chunks``: the stream's bytes in any pieces, as HTTP clients give them.
    - ``last_event_id``, ``max_line_bytes``, ``max_event_bytes``, ``on_oversize``, ``on_comment``: as for
      :class:`sse_core.EventStreamDecoder`.

    An event that the stream's end cuts is none.  Iterating raises :class:`LimitExceeded` beyond a bound, and
    whatever ``chunks`` raises.

    Raises ``TypeError`` and ``ValueError`` for arguments that make no sense.
    """
    decoder = EventStreamDecoder(last_event_id, max_line_bytes, max_event_bytes, on_oversize, on_comment)
    return EventIterator(_iterator_of(chunks, "iter_events"), EventReader(decoder))


def aiter_events(
    chunks: AsyncIterable[bytes],
    *,
    last_event_id: str = "",
    max_line_bytes: int = DEFAULT_MAX_BYTES,
    max_event_bytes: int = DEFAULT_MAX_BYTES,
    on_oversize: Literal["fail", "skip"] = "fail",
    on_comment: Callable[[str], None] | None = None,
) -> AsyncEventIterator:
    """The events of one event stream, for ``async for``: :func:`iter_events`, awaited.

    - ``chunks``: the stream's bytes in any pieces, as HTTP clients give them.
    - ``last_event_id``, ``max_line_bytes``, ``max_event_bytes``, ``on_oversize``, ``on_comment``: as for
      :class:`sse_core.EventStreamDecoder`.

    Raises as :func:`iter_events` does.
    """
    decoder = EventStreamDecoder(last_event_id, max_line_bytes, max_event_bytes, on_oversize, on_comment)
    return AsyncEventIterator(_async_iterator_of(chunks, "aiter_events"), EventReader(decoder))


def iter_turn(
    chunks: Iterable[bytes],
    dialect: str | Dialect,
    *,
    max_line_bytes: int = DEFAULT_MAX_BYTES,
    max_event_bytes: int = DEFAULT_MAX_BYTES,
    on_comment: Callable[[str], None] | None = None,
    accumulator: MessageAccumulator | None = None,
) -> TurnIterator:
    """The block events of one answer of a model, for ``for``; ``message`` is what they make.

    - ``chunks``: the body of the answer in any pieces, as HTTP clients give them.
    - ``dialect``: the wire protocol, or the name of one that there is.
    - ``max_line_bytes``, ``max_event_bytes``, ``on_comment``: as for :class:`sse_core.EventStreamDecoder`.
    - ``accumulator``: makes the message; give a new one to set its bounds.

    The last event is the message's end, and nothing is read after it: ``MessageStop``, the provider's
    ``StreamError``, or ``MessageCut("truncated")`` where ``chunks`` ends before the message does.  No request
    is made, so none is repeated: for that there is :class:`sse_core.Upstream`.

    Iterating raises :class:`RemoteProtocolError` for what the protocol has no room for, or if the stream is
    none of ``dialect``; :class:`LimitExceeded` beyond a bound; and whatever ``chunks`` raises.

    Raises ``TypeError`` and ``ValueError`` for arguments that make no sense.
    """
    reader = _turn_reader(dialect, max_line_bytes, max_event_bytes, on_comment, accumulator)
    return TurnIterator(_iterator_of(chunks, "iter_turn"), reader)


def aiter_turn(
    chunks: AsyncIterable[bytes],
    dialect: str | Dialect,
    *,
    max_line_bytes: int = DEFAULT_MAX_BYTES,
    max_event_bytes: int = DEFAULT_MAX_BYTES,
    on_comment: Callable[[str], None] | None = None,
    accumulator: MessageAccumulator | None = None,
) -> AsyncTurnIterator:
    """The block events of one answer of a model, for ``async for``: :func:`iter_turn`, awaited.

    - ``chunks``: the body of the answer in any pieces, as HTTP clients give them.
    - ``dialect``: the wire protocol, or the name of one that there is.
    - ``max_line_bytes``, ``max_event_bytes``, ``on_comment``: as for :class:`sse_core.EventStreamDecoder`.
    - ``accumulator``: makes the message; give a new one to set its bounds.

    Ends and raises as :func:`iter_turn` does.
    """
    reader = _turn_reader(dialect, max_line_bytes, max_event_bytes, on_comment, accumulator)
    return AsyncTurnIterator(_async_iterator_of(chunks, "aiter_turn"), reader)


# Who waits for the bytes.


class _Iterator(Generic[_Item, _Reader]):
    """Gives what a reader makes of an iterator's chunks."""

    def __init__(self, chunks: Iterator[bytes], reader: _Reader) -> None:
        self._chunks = chunks
        self._reader = reader
        self._ready: Iterator[_Item] = iter(())
        self._at_eof = False
        self._closed = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> _Item:
        try:
            while not self._closed:
                for item in self._ready:
                    return item
                if self._at_eof or self._reader.ended:
                    break
                self._receive()
        except BaseException as error:
            self._reader.leave(error)
            self.close()
            raise
        self.close()
        raise StopIteration

    def close(self) -> None:
        """Leave: no more events, and the iterator of the chunks is closed.  Again, it does nothing."""
        if not self._closed:
            self._closed = True
            self._reader.leave(None)
            close = getattr(self._chunks, "close", None)
            if close is not None:
                close()

    def _receive(self) -> None:
        for chunk in self._chunks:
            self._ready = self._reader.receive(chunk)
            return
        self._at_eof = True
        self._ready = self._reader.receive_eof()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        # What CPython does with a generator that nobody has any more: `break` alone closes, too.
        self.close()


class _AsyncIterator(Generic[_Item, _Reader]):
    """Gives what a reader makes of an asynchronous iterator's chunks."""

    def __init__(self, chunks: AsyncIterator[bytes], reader: _Reader) -> None:
        self._chunks = chunks
        self._reader = reader
        self._ready: Iterator[_Item] = iter(())
        self._at_eof = False
        self._closed = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> _Item:
        try:
            while not self._closed:
                for item in self._ready:
                    return item
                if self._at_eof or self._reader.ended:
                    break
                await self._receive()
        except BaseException as error:
            self._reader.leave(error)
            await self.aclose()
            raise
        await self.aclose()
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Leave: no more events, and the iterator of the chunks is closed.  Again, it does nothing."""
        if not self._closed:
            self._closed = True
            self._reader.leave(None)
            aclose = getattr(self._chunks, "aclose", None)
            if aclose is not None:
                await aclose()

    async def _receive(self) -> None:
        try:
            chunk = await anext(self._chunks)
        except StopAsyncIteration:
            self._at_eof = True
            self._ready = self._reader.receive_eof()
        else:
            self._ready = self._reader.receive(chunk)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()


# What both kinds know is written for each: a base for it would be a second one, and mypyc compiles a class
# with two only if the other is a trait of mypy_extensions, which the core would then need.


class EventIterator(_Iterator[ServerSentEvent, EventReader]):
    """The events of a stream: iterate over it, best in ``with``, which closes the chunks' iterator."""

    @property
    def last_event_id(self) -> str:
        """The last event ID of what was given: never ahead of who reads."""
        return self._reader.last_event_id

    @property
    def reconnection_time(self) -> int | None:
        """What the stream's last valid ``retry`` field said, in milliseconds; ``None`` before one."""
        return self._reader.decoder.reconnection_time


class AsyncEventIterator(_AsyncIterator[ServerSentEvent, EventReader]):
    """The events of a stream: iterate over it in ``async with``, which closes the chunks' iterator."""

    @property
    def last_event_id(self) -> str:
        """The last event ID of what was given: never ahead of who reads."""
        return self._reader.last_event_id

    @property
    def reconnection_time(self) -> int | None:
        """What the stream's last valid ``retry`` field said, in milliseconds; ``None`` before one."""
        return self._reader.decoder.reconnection_time


class TurnIterator(_Iterator[BlockEvent, TurnReader]):
    """The block events of an answer: iterate over it, best in ``with``, which closes the chunks' iterator."""

    @property
    def message(self) -> Message:
        """The message so far, the same object all along.

        Left early it is ``stopped``, after an error of the protocol ``failed``, and after an error of the
        chunks' iterator ``truncated``; nothing in any of these is executable.
        """
        return self._reader.message


class AsyncTurnIterator(_AsyncIterator[BlockEvent, TurnReader]):
    """The block events of an answer: iterate over it in ``async with``, which closes the chunks' iterator."""

    @property
    def message(self) -> Message:
        """The message so far, the same object all along.

        Left early it is ``stopped``, after an error of the protocol ``failed``, and after an error of the
        chunks' iterator ``truncated``; nothing in any of these is executable.
        """
        return self._reader.message


def _iterator_of(chunks: object, name: str) -> Iterator[bytes]:
    if isinstance(chunks, bytes | bytearray | str) or not isinstance(chunks, Iterable):
        hint = f": a{name} takes such" if isinstance(chunks, AsyncIterable) else ""
        raise TypeError(f"{name} takes an iterable of bytes, not {type(chunks).__name__}{hint}")
    return iter(chunks)


def _async_iterator_of(chunks: object, name: str) -> AsyncIterator[bytes]:
    if not isinstance(chunks, AsyncIterable):
        hint = f": {name[1:]} takes such" if isinstance(chunks, Iterable) else ""
        raise TypeError(f"{name} takes an asynchronous iterable of bytes, not {type(chunks).__name__}{hint}")
    return aiter(chunks)


def _turn_reader(
    dialect: str | Dialect,
    max_line_bytes: int,
    max_event_bytes: int,
    on_comment: Callable[[str], None] | None,
    accumulator: MessageAccumulator | None,
) -> TurnReader:
    check_type("dialect", dialect, str, Dialect)
    if isinstance(dialect, str):
        dialect = dialects.get(dialect)
    answer = AnswerStream(dialect, max_line_bytes, max_event_bytes, on_comment)
    return TurnReader(answer, MessageAccumulator() if accumulator is None else accumulator)
