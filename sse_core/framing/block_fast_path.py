"""Complete blocks of the usual kinds, taken without looking at each line.

A stream repeats itself: almost every block is the same few bytes (``event: X``, line end, ``data: ``), a
line of data, and perhaps an id.  So the beginning of a block is remembered (``start``), and many blocks
are cut where one ends and another begins like that (``_joint``): what is left of each is its data, or its
data and an id.  How the stream writes its line ends and whether a space follows its colons is remembered
too.

Nothing here changes what a stream means.  Each shortcut checks that the block is what the shortcut takes it
for, to the byte; every other block is handed to the interpreter, one by one.

Nor is each line measured against the bounds: a block that is no larger than both bounds (``_harmless_bytes``)
breaks neither, and any other is the interpreter's.
"""

from __future__ import annotations

import re

from .event import ServerSentEvent, new_event
from .interpreter import Interpreter

#: How many heads of blocks are remembered, and how long one may be, in bytes.
_MAX_HEADS = 64
_MAX_HEAD = 128

#: How many blocks of a stream are looked at one by one, to learn what is usual in it.
_FIRST_BLOCKS = 8

#: How many bytes are cut into blocks at a time: more than what sockets mostly give, with a beginning before.
_PART = 24 * 1024

#: A block's head: what stands before its data.
_HEAD = re.compile(rb"(?:event: ?([^\r\n]*)\r?\n)?")


class BlockReader:
    """Takes blocks that are there in full when nothing waits; ``interpreter`` takes those of other kinds."""

    __slots__ = (
        "_data_field",
        "_harmless_bytes",
        "_head",
        "_id_field",
        "_id_line",
        "_interpreter",
        "_joint",
        "_line_end",
        "_more_data",
        "_next_head",
        "_types",
        "empty_line",
        "is_spaced",
        "small_bytes",
        "start",
        "usual_type",
        "value",
    )

    empty_line: bytes  #: the end of a block, with that of the line before
    is_spaced: bool  #: whether a space follows each colon
    start: bytes  #: what the usual block begins with, up to its data,
    usual_type: str  #: and its type
    value: slice  #: where the data of the usual block stands, if it is one line

    def __init__(self, interpreter: Interpreter, max_block_bytes: int) -> None:
        self._interpreter = interpreter
        self._harmless_bytes = max_block_bytes
        self.small_bytes: int = min(self._harmless_bytes, _PART)
        self._types: dict[bytes, str] = {}  # the heads that were seen, and what type each gives
        self._head, self.usual_type = b"", "message"  # the usual one of them
        self._next_head = b""  # and the one that came last
        self._expect_style(b"\n", b"data: ")

    # What is remembered.

    def _expect_style(self, line_end: bytes, data_field: bytes) -> None:
        """Remember how the stream ends its lines, and how it begins a line of data."""
        self._line_end = line_end
        self._data_field = data_field
        self.is_spaced = data_field == b"data: "
        self.empty_line = line_end * 2  # the end of the line before it included
        self._more_data = line_end + data_field
        self._id_field = data_field.replace(b"data", b"id")
        self._id_line = line_end + self._id_field
        self._expect_head(self._head, self.usual_type)

    def _expect_head(self, head: bytes, kind: str) -> None:
        """Remember the usual head, and what follows from it."""
        self._head, self.usual_type = head, kind
        self.start = head + self._data_field
        self._joint = self.empty_line + self.start
        self.value = slice(len(self.start), -len(self.empty_line))

    def look_for_cr(self, data: bytes) -> None:
        """Notice whether lines end in CRLF."""
        line_end = b"\r\n" if 13 in data else b"\n"
        if line_end != self._line_end:
            self._expect_style(line_end, self._data_field)

    def _look_for_spaces(self, data: bytes) -> None:
        """Notice whether there is a space before values.  Where none is expected, no data may have one."""
        if self.is_spaced and b"data: " in data:
            return
        spaced = data.startswith(b"data: ") or b"\ndata: " in data
        if spaced != self.is_spaced:
            self._expect_style(self._line_end, b"data: " if spaced else b"data:")

    def _type_of(self, head: bytes) -> str | None:
        """The type that a head gives, if it is nothing but that."""
        kind = self._types.get(head)
        if kind is None:
            match = _HEAD.fullmatch(head)
            if match is None or len(head) > _MAX_HEAD:
                return None
            if len(self._types) == _MAX_HEADS:
                self._types.clear()
            self._types[head] = kind = (match[1] or b"message").decode("utf-8", "replace")
        if head != self._head:
            if head == self._next_head:  # twice in a row: now it is the usual one
                self._expect_head(head, kind)
            self._next_head = head
        return kind

    # Blocks.

    def receive_blocks(self, data: bytes, begin: int, end: int, events: list[ServerSentEvent]) -> None:
        """Take the complete blocks of ``data[begin:end]``, each with its empty line; nothing waits before."""
        empty_line = self.empty_line
        while begin < end:
            # A part of a megabyte at a time: what is cut out of it is gone before the next, and CPython
            # looks for a joint without preparing for a long search each time (0.5 of the time of all).
            last = data.rfind(empty_line, begin, min(begin + _PART, end))
            if last < 0:
                # One byte is looked for ten times as fast as two, and a large line is long.
                line_end = data.find(empty_line[:1], begin + _PART - len(empty_line), end)
                last = data.find(empty_line, line_end, end)
            if last < 0:  # of three line ends in a row, the last one is left
                self._interpreter.interpret(data, begin, end, events)
                return
            stop = last + len(empty_line)
            if stop - begin <= _PART:
                self._receive_part(data[begin:stop], events)
            elif (event := self._event_of_large_block(data, begin, stop)) is not None:
                events.append(event)
            else:
                self._interpreter.interpret(data, begin, stop, events)
            begin = stop

    def _event_of_large_block(self, data: bytes, begin: int, end: int) -> ServerSentEvent | None:
        """The event of a block that has one line of data, its value not copied before it is decoded."""
        if end - begin > self._harmless_bytes:
            return None
        head, found, _ = data[begin : begin + _MAX_HEAD].partition(self._data_field)
        kind = self._type_of(head) if found else None
        first, last = begin + len(head) + len(found), end - len(self.empty_line)
        if kind is None or not (self.is_spaced or data[first] != 32):
            return None
        if data.find(b"\n", first, last) >= 0 or data.find(b"\r", first, last) >= 0:
            return None
        value = str(memoryview(data)[first:last], "utf-8", "replace")
        return ServerSentEvent(kind, value, self._interpreter.last_event_id)

    def _receive_part(self, data: bytes, events: list[ServerSentEvent]) -> None:
        """Take complete blocks, no more than can be copied."""
        bound = self._harmless_bytes
        if len(data) > bound and max(map(len, data.split(self.empty_line))) > bound:
            self._interpreter.interpret(data, 0, len(data), events)
            return
        self._look_for_spaces(data)
        if not self._types:  # nothing is usual yet: the first blocks say what is
            rest = data.split(self.empty_line, _FIRST_BLOCKS)[-1]
            self._receive_mixed_blocks(data[: len(data) - len(rest)], events)
            data = rest
        if not data.startswith(self.start):
            # Where a block begins with its id, none is likely to begin as usual.
            joint = -1 if data.startswith(self._id_field) else data.find(self._joint)
            end = joint + len(self.empty_line) if joint >= 0 else len(data)
            self._receive_mixed_blocks(data[:end], events)
            data = data[end:]
        if data.startswith(self.start):  # the usual may have become another one
            self._receive_usual_blocks(data, events)
        else:
            self._receive_mixed_blocks(data, events)

    def _receive_usual_blocks(self, data: bytes, events: list[ServerSentEvent]) -> None:
        """Take complete blocks, of which the first begins as usual, and probably most of them."""
        start, kind, end = self.start, self.usual_type, self.empty_line
        last_event_id = self._interpreter.last_event_id
        # From the right: a joint begins with a rare byte and ends in a frequent one (0.75 of the time).
        values = data[len(start) : -len(end)].rsplit(self._joint)
        joined = b"".join(values)
        are_lines = 10 not in joined and 13 not in joined  # a fifth of the time of a look at each
        for value in values:
            if are_lines or (10 not in value and 13 not in value):
                made = new_event(ServerSentEvent)
                made.type, made.last_event_id = kind, last_event_id
                try:
                    made.data = value.decode()  # to name "replace" here would take twice as long
                except UnicodeDecodeError:
                    made.data = value.decode("utf-8", "replace")
                events.append(made)
                continue
            event = self.event_of_lines(kind, value, last_event_id)
            if event is not None:
                events.append(event)
            else:  # other blocks, up to the next usual one
                self._receive_mixed_blocks(start + value + end, events)
            last_event_id = self._interpreter.last_event_id

    def _receive_mixed_blocks(self, data: bytes, events: list[ServerSentEvent]) -> None:
        """Take complete blocks of any kind.

        Behind the last one may be one line end more: an empty line, which dispatches nothing.
        """
        for block in data.split(self.empty_line)[:-1]:
            event = self.event_of_block(block)
            if event is not None:
                events.append(event)
            else:
                data = block + self.empty_line
                self._interpreter.interpret(data, 0, len(data), events)

    def event_of_block(self, block: bytes) -> ServerSentEvent | None:
        """The event of a block that may have an id, a type, data, and an id; of any other, nothing."""
        first_id = None
        if block.startswith(self._id_field):
            first_id, _, block = block[len(self._id_field) :].partition(self._line_end)
        head, found, value = block.partition(self._data_field)
        kind = self.usual_type if head == self._head else self._type_of(head)
        if kind is None or not found:
            return None
        if first_id is None:
            return self.event_of_lines(kind, value, self._interpreter.last_event_id)
        if 10 in value or not self._is_id(first_id):  # perhaps a second id
            return None
        return self.event_of_lines(kind, value, first_id.decode("utf-8", "replace"))

    def event_of_lines(self, kind: str, value: bytes, last_event_id: str) -> ServerSentEvent | None:
        """The event whose type is known; ``value`` is all that follows its first ``data: ``."""
        if 10 in value:
            rest, found, id_ = value.rpartition(self._id_line)
            if found:
                if not self._is_id(id_):
                    return None
                value, last_event_id = rest, id_.decode("utf-8", "replace")
            if 10 in value:
                lines = value.replace(self._more_data, b"\n")
                # Each LF must be one that was put there, or a line is something else than data.
                if len(value) - len(lines) != lines.count(b"\n") * (len(self._more_data) - 1):
                    return None
                value = lines
        if 13 in value or not (self.is_spaced or not (value.startswith(b" ") or b"\n " in value)):
            return None
        self._interpreter.id = self._interpreter.last_event_id = last_event_id
        made = new_event(ServerSentEvent)
        made.type, made.data, made.last_event_id = kind, value.decode("utf-8", "replace"), last_event_id
        return made

    def _is_id(self, value: bytes) -> bool:
        """Whether this is the rest of one line, and what an id may be."""
        return not (10 in value or 13 in value or 0 in value) and (
            self.is_spaced or not value.startswith(b" ")
        )
