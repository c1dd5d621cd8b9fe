"""Streams that repeat themselves: what is remembered of earlier blocks must change no later one.

The decoder takes blocks of the usual kinds past the line by line reading.  Here each block comes after ones
that taught it what is usual, cut at the blocks, within them, and not at all.
"""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Literal
from unittest import mock

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sse_core import EventStreamDecoder, LimitExceeded, ServerSentEvent
from sse_core.testing import pieces_of_size
from tests.core.framing.reference import interpret

E = ServerSentEvent

DATA = ["a", "", " a", "{'b': 1}", "data: c", "é—😀", "x" * 30, "a\0"]
FIELDS = st.one_of(
    st.sampled_from(DATA).map(lambda value: f"data:_{value}"),
    st.sampled_from(["x", "message", "", " x", "content_block_delta"]).map(lambda value: f"event:_{value}"),
    st.sampled_from(["1", "", " 2", "3\0", "id: 4"]).map(lambda value: f"id:_{value}"),
    st.sampled_from(["data", "id", "event", ": ping", "retry: 5", "foo: bar", "data : d", ":data: d"]),
)
USUAL = st.builds(
    lambda first_id, kind, lines, last_id: [*first_id, *kind, *lines, *last_id],
    st.sampled_from([[], [], ["id:_7"], ["id:_ 8"]]),
    st.sampled_from([[], ["event:_x"], ["event:_y"], ["event:_"]]),
    st.lists(st.sampled_from(DATA).map(lambda value: f"data:_{value}"), min_size=1, max_size=3),
    st.sampled_from([[], [], ["id:_9"], ["id:_1\0"], ["id:_1", "id:_2"]]),
)
#: How many bytes are cut into blocks at a time: as it is, and so few that it matters for small streams.
PARTS = st.sampled_from([24 * 1024, 5, 20, 60])
BLOCKS = USUAL | st.lists(FIELDS, max_size=4)
INVALID = {"b": b"\xff", "é": b"\xe4\xb8"}  # what some characters are replaced with, to make bytes invalid


@st.composite
def streams(draw: st.DrawFn) -> list[bytes]:
    """The blocks of a stream, mostly written in one style and mostly alike."""
    kinds = draw(st.lists(BLOCKS, min_size=1, max_size=3))
    style = draw(st.tuples(st.sampled_from(["\n", "\r\n", "\r"]), st.sampled_from([" ", ""])))
    blocks = []
    for fields in draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=12)):
        line_end, space = draw(
            st.sampled_from([style] * 8 + [("\n", " "), ("\r\n", " "), ("\n", ""), ("\r", " ")])
        )
        text = "".join(field.replace("_", space, 1) + line_end for field in fields) + line_end
        block = text.encode()
        if draw(st.integers(0, 9)) == 0:
            for character, invalid in INVALID.items():
                block = block.replace(character.encode(), invalid)
        blocks.append(block)
    return blocks


def parts_of(size: int) -> AbstractContextManager[object]:
    """Decoders that cut so many bytes into blocks at a time."""
    return mock.patch("sse_core.framing.block_fast_path._PART", size)


def chunkings(blocks: list[bytes]) -> Iterator[list[bytes]]:
    stream = b"".join(blocks)
    yield blocks
    yield [stream]
    yield [b"\n", *blocks]  # the first one too comes between blocks
    for size in (1, 7, 50):
        yield pieces_of_size(stream, size)
    yield [b"".join(pair) for pair in itertools.zip_longest(blocks[::2], blocks[1::2], fillvalue=b"")]
    yield [*(stream[i : i + 1] for i in range(len(stream) // 2)), stream[len(stream) // 2 :]]


@given(blocks=streams(), part=PARTS)
@example(
    [b"data: a\n\n", b"event: x\ndata: b\n\n", b"event: x\ndata: \xff\n\n", b"event: x\ndata: \xff\n\n"],
    24 * 1024,
)
@example([b"data: a\n\n", b"id: 1\ndata: b\nretry: 5\n\n"], 24 * 1024)
@example([b"data: a\n\n", b"data: a\rdata: b\n\n"], 24 * 1024)
@example(
    [b"data:a\n\n", b"data:a\n\n", b"data: b\n\n", b"data:c\nid: 1\n\n", b"id: 1\ndata:d\n\n"], 24 * 1024
)
def test_what_came_before_changes_no_event(blocks: list[bytes], part: int) -> None:
    expected = interpret(b"".join(blocks))
    for chunks in chunkings(blocks):
        comments: list[str] = []
        with parts_of(part):
            decoder = EventStreamDecoder(on_comment=comments.append)
            events = [event for chunk in chunks for event in decoder.receive_data(chunk)]
        assert events == expected.events, chunks
        assert comments == expected.comments
        assert decoder.last_event_id == expected.last_event_id
        assert decoder.reconnection_time == expected.retry


@pytest.mark.untraced
def test_a_large_chunk_is_taken_in_parts() -> None:
    usual = [f"event: x\ndata: {number}\n\n".encode() for number in range(2000)]
    picture = b"event: picture\ndata: " + b"abc\xff" * 30_000 + b"\n\n"
    lines = b"data: one\ndata: " + b"two" * 30_000 + b"\n\n"
    blocks = [*usual, picture, *usual, lines, b"id: 7\ndata: " + b"x" * 90_000 + b"\n\n", *usual, picture]
    for line_end in (b"\n", b"\r\n", b"\r"):
        stream = b"".join(blocks).replace(b"\n", line_end)
        expected = interpret(stream).events
        assert len(expected) == 6004
        for first in (0, 1, 5, 100, len(usual[0]), 20_000, len(stream) // 2):
            assert outcome([stream[:first], stream[first:]], 2**20, 2**20, "fail")[0] == expected
        bounded = outcome([stream], 100_000, 2**20, "skip")
        assert bounded[0] == [event for event in expected if event.type != "picture"]
        assert bounded[2] == 2


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_a_part_may_end_between_empty_lines(line_end: bytes) -> None:
    """The first part of 24 KB ends with an event, and one more empty line is all that follows."""
    event = b"data: " + b"x" * (24 * 1024 - len(b"data: ") - 2 * len(line_end)) + line_end * 2
    decoder = EventStreamDecoder()
    decoder.receive_data(b"data: a" + line_end * 2)
    assert len(decoder.receive_data(event + line_end)) == 1
    assert decoder.receive_data(b"data: b" + line_end * 2) == [E(data="b")]


def test_no_space_before_data_stays_so_in_a_large_event() -> None:
    decoder = EventStreamDecoder()
    for data in ("a", "b", " c" * 20_000, "d" * 40_000):
        (event,) = decoder.receive_data(f"data:{data}\n\n".encode())
        assert event.data == data.removeprefix(" ")


def outcome(
    chunks: list[bytes], line: int, event: int, on_oversize: Literal["fail", "skip"]
) -> tuple[list[ServerSentEvent], str | None, int, str]:
    """The events, the bound that failed, the events skipped, and the last event ID."""
    decoder = EventStreamDecoder(max_line_bytes=line, max_event_bytes=event, on_oversize=on_oversize)
    events: list[ServerSentEvent] = []
    failed = None
    try:
        for chunk in chunks:
            events += decoder.receive_data(chunk)
        decoder.receive_eof()
    except LimitExceeded as failure:
        failed = failure.limit
    return events, failed, decoder.skipped_events, decoder.last_event_id


@given(
    blocks=streams(),
    part=PARTS,
    line=st.integers(8, 44),
    event=st.integers(0, 44),
    on_oversize=st.sampled_from(["fail", "skip"]),
)
def test_what_came_before_moves_no_bound(
    blocks: list[bytes], part: int, line: int, event: int, on_oversize: Literal["fail", "skip"]
) -> None:
    """A bound falls where it falls when each byte comes alone."""
    stream = b"".join(blocks)
    expected = outcome(pieces_of_size(stream, 1), line, event, on_oversize)
    for chunks in chunkings(blocks):
        if chunks[0] != b"\n":
            with parts_of(part):
                assert outcome(chunks, line, event, on_oversize) == expected, chunks


@pytest.mark.parametrize("size", [93, 94, 95, 96])
def test_a_block_like_the_one_before_meets_the_same_bound(size: int) -> None:
    decoder = EventStreamDecoder(max_line_bytes=100)
    assert decoder.receive_data(b"data: a\n\n") == [E(data="a")]
    block = b"data: " + b"x" * size + b"\n\n"
    if size > 94:
        with pytest.raises(LimitExceeded):
            decoder.receive_data(block)
    else:
        assert decoder.receive_data(block) == [E(data="x" * size)]


def test_a_line_beyond_the_bound_is_counted_however_it_came() -> None:
    """A head that was too large for its bound never becomes the usual one, which could wait uncounted."""
    block = b"event: lo\ndata: " + b"x" * (24 * 1024) + b"\n\n"
    stream = block * 2 + b"event: lo"
    one_by_one = pieces_of_size(stream, 1)
    assert outcome([stream], 8, 2**20, "skip") == outcome(one_by_one, 8, 2**20, "skip") == ([], None, 3, "")


def test_more_types_than_are_remembered_do_no_harm() -> None:
    decoder = EventStreamDecoder()
    decoder.receive_data(b"\n")
    for number in [*range(200), *range(200)]:
        block = f"event: type-{number}\ndata: {number}\n\n".encode()
        assert decoder.receive_data(block) == [E(f"type-{number}", str(number))]
    long = "x" * 500
    for _ in range(3):
        assert decoder.receive_data(f"event: {long}\ndata: a\n\n".encode()) == [E(long, "a")]


def test_a_long_line_byte_by_byte_is_whole_and_is_bounded() -> None:
    text = "0123456789" * 300
    stream = f"data: b\n\ndata: {text}\n\n".encode()
    one_by_one = pieces_of_size(stream, 1)
    assert outcome(one_by_one, len(text) + 6, 2**20, "fail")[0] == [E(data="b"), E(data=text)]
    assert outcome(one_by_one, len(text) + 5, 2**20, "fail") == ([E(data="b")], "max_line_bytes", 0, "")


def test_the_data_of_an_event_byte_by_byte_is_bounded() -> None:
    decoder = EventStreamDecoder(max_event_bytes=5)
    stream = b"data: a\ndata: b\ndata: c"
    for i in range(len(stream)):
        assert decoder.receive_data(stream[i : i + 1]) == []
    with pytest.raises(LimitExceeded, match="max_event_bytes"):
        decoder.receive_data(b"d")


def test_a_decoder_is_small_however_many_there_are() -> None:
    """What makes chunks of one byte fast is made when such chunks come."""
    EventStreamDecoder()
    tracemalloc.start()
    try:
        decoders = [EventStreamDecoder() for _ in range(100)]
        memory, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert memory < 4096 * len(decoders)
