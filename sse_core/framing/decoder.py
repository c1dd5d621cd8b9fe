"""The bytes of an event stream in, events out, as soon as the bytes say that one is complete.

``interpreter.py`` does all that the specification says, line by line.  ``block_fast_path.py`` takes
complete blocks of the usual kinds past it, many at a time.  Here is the public face, and what decides who
gets which bytes:

- bytes that come one by one mostly go on with a line, and are deferred until it ends;
- a chunk that is one event of the kind that came before is that event;
- of any other chunk, the end of a block goes to the interpreter, the blocks after it are taken as blocks, and
  the beginning of another one waits for the next chunk if it is of the usual kind.

The figures in the comments are ratios of the time that an event takes with and without a shortcut (CPython
3.11 and 3.13; docs/performance.md says how they are measured).

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import repeat
from typing import Literal

from ..arguments import check_type, wrong_type
from ..errors import LimitExceeded, LocalProtocolError
from .block_fast_path import BlockReader
from .comment_order import EventList
from .event import ServerSentEvent, new_event
from .interpreter import DEFAULT_MAX_BYTES, MAX_RECONNECTION_TIME, Interpreter

__all__ = ["DEFAULT_MAX_BYTES", "MAX_RECONNECTION_TIME", "EventStreamDecoder"]

#: How many single bytes are deferred before they are put together.
_MAX_DEFERRED = 512

#: Chunks that are shorter hold no complete block worth looking for, in bytes.
_SHORTEST_BLOCK = len(b"data:\n\n")

#: An event of this size may have more lines than one and still be looked at by itself, in bytes.
_SMALL_EVENT = 1024

#: Single bytes that are neither CR nor LF.  CPython has each such object but once, and remembers its hash,
#: so that a look into this set is as fast as one comparison, and answers three questions at once.
_ONE_BYTE = frozenset(bytes([i]) for i in range(256) if i not in b"\r\n")
_NO_PLACES: Iterator[list[bytes]] = iter(())


class EventStreamDecoder:
    """Decodes the event streams of one event source, one connection after another.

    - ``last_event_id``: what an earlier connection left behind; events carry it until the stream sets
      another.
    - ``max_line_bytes``: bounds one line, its line end not counted.
    - ``max_event_bytes``: bounds the data of one event, the LFs between its lines counted, and with it each
      of the event's lines (to eight bytes more, for the field's name).  So what a peer can make the decoder
      keep is a small multiple of this.
    - ``on_oversize``: what happens to an event beyond a bound.  ``"fail"``: :class:`LimitExceeded` is raised,
      and the decoder takes nothing more until ``reset()``.  ``"skip"``: that event is dropped and counted in
      ``skipped_events``, and its id doesn't become the last event ID, so that a client that reconnects asks
      for it again rather than past it.
    - ``on_comment``: called with the text of each comment, without the space after the colon, in its place
      among the events: while ``receive_data`` runs; for one behind an event, when the iteration over the list
      that it gave has come past that event, or by the next call.  It must not raise, nor call the decoder.

    ``sys.maxsize`` is no bound.  Lines that are ignored anyway (comments, unknown fields) may have any
    length, and beyond the bound nothing of them is kept; ``on_comment`` is not called with such a comment.

    Raises ``ValueError`` for a bound below 8 (a line) or 0 (an event), or an unknown ``on_oversize``, and
    ``TypeError`` for arguments of other types.
    """

    __slots__ = (
        "_between_blocks",
        "_blocks",
        "_comments",
        "_deferred",
        "_failed",
        "_interpreter",
        "_pending_failure",
        "_places",
    )

    def __init__(
        self,
        last_event_id: str = "",
        max_line_bytes: int = DEFAULT_MAX_BYTES,
        max_event_bytes: int = DEFAULT_MAX_BYTES,
        on_oversize: Literal["fail", "skip"] = "fail",
        on_comment: Callable[[str], None] | None = None,
    ) -> None:
        check_type("last_event_id", last_event_id, str)
        check_type("max_line_bytes", max_line_bytes, int)
        check_type("max_event_bytes", max_event_bytes, int)
        # The decoder has both, where it once inherited from both: one event a chunk takes 1.01 to 1.02 of
        # that time, larger chunks and single bytes 1.00.
        self._interpreter = Interpreter(
            last_event_id, max_line_bytes, max_event_bytes, on_oversize, on_comment
        )
        self._blocks = BlockReader(self._interpreter, min(max_line_bytes, max_event_bytes))
        self._comments = self._interpreter.comments
        self._between_blocks = False
        # What the interpreter has not got yet: no line end but a usual head's.
        self._deferred: list[bytes] = []
        self._places: Iterator[list[bytes]]
        self.reset()

    @property
    def last_event_id(self) -> str:
        """The last event ID: what a client sends as ``Last-Event-ID`` when it reconnects."""
        return self._interpreter.last_event_id

    @property
    def reconnection_time(self) -> int | None:
        """What the stream's last valid ``retry`` field said, in milliseconds; ``None`` before one.

        More than 2147483647 (24 days) is not taken for valid: nobody could wait for so long.
        """
        return self._interpreter.reconnection_time

    @property
    def skipped_events(self) -> int:
        """How many events exceeded a bound and were dropped, all connections together."""
        return self._interpreter.skipped_events

    def reset(self) -> None:
        """Get ready for the first byte of another connection, whatever became of the last one.

        An incomplete block is dropped; ``last_event_id`` and ``reconnection_time`` stay, and so does
        the count of ``skipped_events``.
        """
        self._deliver_comments()
        self._failed = False
        self._pending_failure: LimitExceeded | None = None
        self._deferred.clear()
        self._interpreter.begin_stream()
        self._settle(0)

    def receive_data(  # noqa: C901  (a call for each shortcut would cost more than the shortcut saves)
        self, data: bytes | bytearray
    ) -> list[ServerSentEvent]:
        """Take the next bytes of the stream, and give the events that they complete.

        Nothing of ``data`` is referred to afterwards if it is a ``bytearray``, so it can be used again.

        Raises ``TypeError`` for anything but bytes.
        Raises :class:`LimitExceeded` when a bound is exceeded and ``on_oversize`` is ``"fail"``.  If the
        same bytes completed events before that, those are returned, and the next call raises.  Raises
        :class:`LocalProtocolError` after that, until ``reset()``.
        """
        # Bytes one by one.  The places say how many more may be deferred: a counter and a bound without
        # arithmetic.  This makes one-byte chunks cost half.
        for deferred in self._places:
            try:
                if data in _ONE_BYTE:
                    deferred.append(data)  # type: ignore[arg-type]  # it is in the set: bytes
                    return []
            except TypeError:  # a bytearray is in no set
                return self.receive_data(_as_bytes(data))
            data = _as_bytes(data)
            if len(data) == 1:
                return self._receive_line_end(data)
            break
        # One event, of the kind that came before or of one that is as simple.  Taken as any other chunk it
        # would cost twice as much.
        blocks = self._blocks
        try:
            is_block = self._between_blocks and data.endswith(blocks.empty_line)
        except (AttributeError, TypeError):
            raise _not_bytes(data) from None
        if is_block and len(data) <= blocks.small_bytes:
            if data.startswith(blocks.start):
                value = data[blocks.value]
                if 10 not in value and 13 not in value and (blocks.is_spaced or not value.startswith(b" ")):
                    made = new_event(ServerSentEvent)
                    made.type, made.last_event_id = blocks.usual_type, self._interpreter.last_event_id
                    try:
                        made.data = value.decode()
                    except UnicodeDecodeError:
                        made.data = value.decode("utf-8", "replace")
                    return [made]
            if len(data) <= _SMALL_EVENT and (event := self._small_event(bytes(data))) is not None:
                return [event]
        return self._receive_other(_as_bytes(data))

    def receive_eof(self) -> None:
        """The stream has ended: discard an incomplete block, and get ready for another connection.

        Raises :class:`LimitExceeded` if the last call of ``receive_data`` had to leave that to the
        next one.
        """
        self._deliver_comments()
        self._raise_pending_failure()
        # 9.2.6: "Once the end of the file is reached, any pending data must be discarded.  (If the file ends
        # in the middle of an event, before the final empty line, the incomplete event is not
        # dispatched.)"
        if not self._failed:
            self.reset()

    def _deliver_comments(self) -> None:
        """Call back for those that nobody has come to: the list of the last call was not read to its end."""
        if self._comments:
            self._comments.deliver()

    def _raise_pending_failure(self) -> None:
        failure, self._pending_failure = self._pending_failure, None
        if failure is not None:
            raise failure

    def _fail(self, failure: LimitExceeded, events: list[ServerSentEvent]) -> None:
        """Take nothing more; raise the failure, unless there are events to be returned before."""
        self._failed = True
        self._between_blocks, self._places = False, _NO_PLACES
        if not events:
            raise failure
        self._pending_failure = failure.with_traceback(None)  # which would hold all of this alive

    def _small_event(self, data: bytes) -> ServerSentEvent | None:
        """The event, if that is all there is and the interpreter isn't needed for it."""
        blocks = self._blocks
        if data.startswith(blocks.start):
            value = data[len(blocks.start) : -len(blocks.empty_line)]
            return blocks.event_of_lines(blocks.usual_type, value, self._interpreter.last_event_id)
        return blocks.event_of_block(data[: -len(blocks.empty_line)])

    def _receive_other(self, data: bytes) -> list[ServerSentEvent]:
        """Take a chunk that no shortcut fits."""
        self._deliver_comments()
        events = [] if self._comments is None else EventList(self._comments)
        try:
            self._receive_chunk(data, events)
        except LimitExceeded as failure:
            self._fail(failure, events)
        return events

    def _receive_chunk(self, data: bytes, events: list[ServerSentEvent]) -> None:
        """Take any bytes."""
        if self._between_blocks and data.endswith(self._blocks.empty_line):
            self._blocks.receive_blocks(data, 0, len(data), events)
            return
        if self._failed:
            self._raise_pending_failure()
            raise LocalProtocolError("the stream exceeded a bound; call reset() to decode another one")
        interpreter = self._interpreter
        size = len(data)
        if self._deferred:
            data = b"".join([*self._deferred, data])
            self._deferred.clear()
            interpreter.after_cr = False
        interpreter.look_for_bom(data)
        if not interpreter.receive_rest(data):
            begin = self._receive_complete_blocks(data, events) if size >= _SHORTEST_BLOCK else 0
            if begin and self._may_wait(data, begin):
                self._deferred.append(data[begin:])
            else:
                interpreter.interpret(data, begin, len(data), events)
        self._settle(size)

    def _may_wait(self, data: bytes, begin: int) -> bool:
        """Whether the rest of a chunk is the beginning of a usual event, and nothing follows from it yet.

        Such a rest is put before the next chunk.  If that ends the event, it is taken with those that follow;
        if not, the interpreter gets both.  So no byte waits twice.
        """
        size = len(data) - begin
        start = self._blocks.start
        if not 0 < size <= self._blocks.small_bytes:
            return False
        if size < len(start):
            return start.startswith(data[begin:])
        line = begin + len(start)
        return data.startswith(start, begin) and data.find(b"\n", line) < 0 and data.find(b"\r", line) < 0

    def _settle(self, size: int) -> None:
        """Note what the next bytes meet, after a chunk of ``size`` bytes."""
        self._between_blocks = self._interpreter.is_between_blocks() and not self._deferred
        self._places = _NO_PLACES
        if self._comments:
            self._between_blocks = False  # the next call has to deliver those that wait
        elif size == 1 and not self._interpreter.is_undecided():
            self._between_blocks = False  # bytes that came one by one go on like that
            self._places = repeat(self._deferred, min(_MAX_DEFERRED, self._interpreter.room() // 4))

    def _receive_line_end(self, data: bytes | bytearray) -> list[ServerSentEvent]:
        """Take the one byte that ends the line whose bytes came one by one."""
        events: list[ServerSentEvent] = []
        interpreter = self._interpreter
        # No bound is met here: there were more places than bytes, and far fewer than the bounds allow.
        if self._deferred or interpreter.size:
            line = b"".join(self._deferred)
            self._deferred.clear()
            interpreter.receive_line(interpreter.complete_line(line) if interpreter.size else line, events)
        elif data == b"\r" or not interpreter.after_cr:
            interpreter.dispatch(events)
        interpreter.after_cr = data == b"\r"
        return events

    def _receive_complete_blocks(self, data: bytes, events: list[ServerSentEvent]) -> int:
        """Take all that ends in an empty line, if that is worth it, and give where the rest begins."""
        self._blocks.look_for_cr(data)
        empty_line = self._blocks.empty_line
        begin = 0
        if not self._interpreter.is_between_blocks():
            # One byte is looked for ten times as fast as two, and a megabyte may hold no line end.
            begin = data.find(empty_line, max(0, data.find(empty_line[:1]))) + len(empty_line)
        last = data.rfind(empty_line, begin, data.rfind(b"\n") + 1)
        if last < 0:
            return 0
        end = last + len(empty_line)
        if begin:
            self._interpreter.interpret(data, 0, begin, events)
        self._blocks.receive_blocks(data, begin, end, events)
        return end


def _as_bytes(data: object) -> bytes:
    if isinstance(data, bytes | bytearray):
        return bytes(data)
    raise _not_bytes(data)


def _not_bytes(data: object) -> TypeError:
    return wrong_type("receive_data", data, bytes, bytearray, hint="encode text before you give it")
