"""What a decoder does with too long a line and too large an event, whatever the chunks are."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest

from sse_core import EventStreamDecoder, LimitExceeded, LocalProtocolError, ServerSentEvent
from sse_core.testing import pieces_of_size

E = ServerSentEvent
DATA_AND_ID = b"data: 7 bytes\ndata: 7 bytes\nid: 2\n\n"


def chunkings(stream: bytes) -> Iterator[list[bytes]]:
    yield [stream]
    for size in (1, 2, 3, 7, 16):
        yield pieces_of_size(stream, size)


def exceeds(
    decoder: EventStreamDecoder, chunks: list[bytes]
) -> tuple[list[ServerSentEvent], LimitExceeded | None]:
    """The events, and what was raised."""
    events: list[ServerSentEvent] = []
    try:
        for chunk in chunks:
            events += decoder.receive_data(chunk)
        decoder.receive_eof()
    except LimitExceeded as failure:
        return events, failure
    return events, None


def exceeds_now(
    decoder: EventStreamDecoder, chunk: bytes
) -> tuple[list[ServerSentEvent], LimitExceeded | None]:
    """The same for one chunk, which does not end the stream."""
    try:
        return decoder.receive_data(chunk), None
    except LimitExceeded as failure:
        return [], failure


# Where the stream is to fail


@pytest.mark.parametrize(
    ("stream", "limit", "bound"),
    [
        (b"data: 1\n\ndata: " + b"x" * 95 + b"\n\n", "max_line_bytes", 100),
        (b"data: 1\n\nevent: " + b"x" * 94, "max_line_bytes", 100),
        (b"data: 1\n\nretry: " + b"0" * 94 + b"\n", "max_line_bytes", 100),
        (b"data: 1\n\n" + b"data: 123456789\n" * 9, "max_event_bytes", 80),
        (b"data: 1\n\n" + b"data\n" * 100, "max_event_bytes", 80),
        (b"data: 1\n\ndata: " + b"x" * 85 + b"\n\n", "max_event_bytes", 80),
        (b"data: 1\n\ndata: " + b"x" * 85, "max_event_bytes", 80),
        (b"data: 1\n\nid: " + b"x" * 85, "max_event_bytes", 80),
    ],
)
def test_beyond_a_bound_the_stream_fails_by_name_after_the_events_before_it(
    stream: bytes, limit: str, bound: int
) -> None:
    for chunks in chunkings(stream):
        decoder = EventStreamDecoder(
            max_line_bytes=100, max_event_bytes=80 if limit == "max_event_bytes" else 1000
        )
        events, failure = exceeds(decoder, chunks)
        assert events == [E(data="1")]
        assert failure is not None
        assert (failure.limit, failure.bound) == (limit, bound)
        assert limit in str(failure)
        with pytest.raises(LocalProtocolError):
            decoder.receive_data(b"data: 2\n\n")
        decoder.receive_eof()  # nothing is left to discard
        with pytest.raises(LocalProtocolError):
            decoder.receive_data(b"")


@pytest.mark.parametrize(
    "stream",
    [
        b"data: " + b"x" * 80 + b"\n\n",
        b"data:" + b"x" * 80 + b"\n\n",
        b"data: 123456789\n" * 8 + b"\n",  # eight lines of nine, and seven LFs between them
        b"event: " + b"x" * 81 + b"\ndata: y\n\n",
    ],
)
def test_up_to_a_bound_nothing_happens(stream: bytes) -> None:
    for chunks in chunkings(stream):
        decoder = EventStreamDecoder(max_line_bytes=88, max_event_bytes=80)
        events, failure = exceeds(decoder, chunks)
        assert (len(events), failure) == (1, None)


@pytest.mark.parametrize("start", [b"", b"data: 12345678\n", b"data:\n" * 9, b"data\n" * 9])
@pytest.mark.parametrize("space", [b"", b" "])
@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_the_data_of_an_event_is_bounded_at_any_moment(start: bytes, space: bytes, size: int) -> None:
    """Not only where a line ends: that may be never."""
    line = b"data:" + space + b"x" * 3000
    decoder = EventStreamDecoder(max_event_bytes=2000)
    whole = start + line
    # With the byte that would be one too much, or the chunk that it is in.
    data = len(b"\n".join(part.removeprefix(b"data:").removeprefix(b" ") for part in start.split(b"\n")))
    data -= start.count(b"data\n") * len(b"data")
    first = len(start) + len(b"data:" + space) + 2000 - data + 1
    given = 0
    for i in range(0, len(whole), size):
        given = min(i + size, len(whole))
        events, failure = exceeds_now(decoder, whole[i:given])
        assert events == []
        if failure is not None:
            assert (failure.limit, failure.bound) == ("max_event_bytes", 2000)
            break
    assert first <= given < first + size


def test_what_is_skipped_at_any_moment_is_one_event() -> None:
    decoder = EventStreamDecoder(max_event_bytes=20, on_oversize="skip")
    stream = (
        b"id: 1\ndata: one\n\nid: 2\ndata: " + b"x" * 15 + b"\ndata: " + b"y" * 15 + b"\ndata: " + b"z" * 99
    )
    for i in range(len(stream)):
        decoder.receive_data(stream[i : i + 1])
    assert decoder.skipped_events == 1
    assert decoder.receive_data(b"\n\ndata: two\n\n") == [E(data="two", last_event_id="1")]
    assert decoder.skipped_events == 1


@pytest.mark.parametrize("field", [b"event: ", b"id: ", b": ", b"other: "])
def test_a_line_beside_the_data_is_not_held_against_it(field: bytes) -> None:
    stream = b"data: " + b"x" * 90 + b"\n" + field + b"y" * 90 + b"\n\n"
    for chunks in chunkings(stream):
        events, failure = exceeds(EventStreamDecoder(max_event_bytes=100), chunks)
        assert (len(events), failure) == (1, None)


def test_a_failure_that_had_to_wait_is_raised_by_the_next_call_whichever_it_is() -> None:
    stream = b"data: 1\n\ndata: " + b"x" * 100
    decoder = EventStreamDecoder(max_line_bytes=100)
    assert decoder.receive_data(stream) == [E(data="1")]
    with pytest.raises(LimitExceeded):
        decoder.receive_data(b"data: 2\n\n")
    decoder.reset()
    assert decoder.receive_data(stream) == [E(data="1")]
    with pytest.raises(LimitExceeded):
        decoder.receive_eof()
    with pytest.raises(LocalProtocolError):
        decoder.receive_data(b"data: 2\n\n")


def test_reset_brings_a_failed_decoder_back() -> None:
    decoder = EventStreamDecoder(max_line_bytes=8)
    with pytest.raises(LimitExceeded):
        decoder.receive_data(b"id: 1\ndata: this is too long for the buffer")
    decoder.reset()
    assert decoder.receive_data(b"data: hi\n\n"[:8]) == []
    assert decoder.receive_data(b"\n\n") == [E(data="hi")]
    assert decoder.last_event_id == ""


def test_what_waits_to_be_raised_is_forgotten_by_reset() -> None:
    decoder = EventStreamDecoder(max_line_bytes=8)
    decoder.receive_data(b"data: 1\n\ndata: 2345678\n\n")
    decoder.reset()
    assert decoder.receive_data(b"data: 3\n\n") == [E(data="3")]


# Where the event is to be skipped


@pytest.mark.parametrize(
    ("oversize", "skipped"),
    [
        (b"id: 2\ndata: " + b"x" * 95 + b"\n\n", 1),
        (b"data: " + b"x" * 95 + b"\nid: 2\n\n", 1),
        (b"id: 2\ndata: " + b"x" * 95 + b"\ndata: short\ndata: " + b"x" * 95 + b"\n\n", 1),
        (b"id: 2\n" + b"data: 123456789\n" * 9 + b"\n", 1),
        (b"event: " + b"x" * 94 + b"\nid: 2\ndata: a\n\n", 1),
        (b"id: 2" + b"2" * 96 + b"\ndata: a\n\n", 1),
        (b"id: 2\ndata: " + b"x" * 95 + b"\n\nid: 3\ndata: " + b"x" * 1000 + b"\n\n", 2),
    ],
)
@pytest.mark.parametrize("line_end", [b"\n", b"\r", b"\r\n"])
def test_an_event_beyond_a_bound_is_skipped_and_its_id_is_not_taken(
    oversize: bytes, skipped: int, line_end: bytes
) -> None:
    stream = b"id: 1\ndata: before\n\n" + oversize
    for chunks in chunkings(stream.replace(b"\n", line_end)):
        decoder = EventStreamDecoder(max_line_bytes=100, max_event_bytes=80, on_oversize="skip")
        events = [event for chunk in chunks for event in decoder.receive_data(chunk)]
        assert events == [E("message", "before", "1")]
        assert decoder.last_event_id == "1"
        assert decoder.skipped_events == skipped
        events = decoder.receive_data(b"event: x\ndata: after\n\n")
        assert events == [E("x", "after", "1")]


def test_a_retry_in_a_skipped_event_still_counts() -> None:
    """It is a word of the connection, not of the event; the specification applies it at its line."""
    decoder = EventStreamDecoder(max_event_bytes=8, on_oversize="skip")
    assert decoder.receive_data(b"data: 123456789\nretry: 5\n\n") == []
    assert decoder.reconnection_time == 5


def test_the_end_amid_a_skipped_event_discards_the_rest_of_it() -> None:
    decoder = EventStreamDecoder(max_line_bytes=8, on_oversize="skip")
    decoder.receive_data(b"id: 1\n\nid: 2\ndata: 123456789")
    decoder.receive_eof()
    assert decoder.receive_data(b"data: 3\n\n") == [E("message", "3", "1")]
    assert decoder.skipped_events == 1


# Lines that mean nothing


@pytest.mark.parametrize(
    "line", [b":" + b"c" * 500, b"unknown: " + b"x" * 500, b"datax" + b"x" * 500, b"x" * 500]
)
@pytest.mark.parametrize("line_end", [b"\n", b"\r", b"\r\n"])
def test_a_line_that_is_ignored_may_have_any_length(line: bytes, line_end: bytes) -> None:
    stream = (b"data: 1\n" + line + b"\ndata: 2\n\n" + line + b"\n\ndata: 3\n\n").replace(b"\n", line_end)
    for chunks in chunkings(stream):
        heard: list[str] = []
        decoder = EventStreamDecoder(max_line_bytes=16, on_comment=heard.append)
        assert exceeds(decoder, chunks) == ([E(data="1\n2"), E(data="3")], None)
        assert heard == []


@pytest.mark.parametrize("start", [b":", b"unknown: ", b"data: "])
def test_a_line_without_end_is_not_kept(start: bytes) -> None:
    """Eight megabytes of one line, of which the decoder may keep 64 kilobytes."""
    decoder = EventStreamDecoder(max_line_bytes=2**16, on_oversize="skip")
    chunk = b"x" * 4096
    decoder.receive_data(start)
    tracemalloc.start()
    try:
        for _ in range(2048):
            decoder.receive_data(chunk)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 * 2**16


# The bounds themselves


def test_by_default_a_picture_of_several_megabytes_passes_and_an_endless_line_does_not() -> None:
    picture = b"data: " + b"A" * 12_000_000 + b"\n\n"
    (event,) = EventStreamDecoder().receive_data(picture)
    assert len(event.data) == 12_000_000
    decoder = EventStreamDecoder()
    megabyte = b"data:" + b"x" * (2**20 - 5)
    for _ in range(16):
        assert decoder.receive_data(megabyte) == []
    with pytest.raises(LimitExceeded, match=r"max_line_bytes, 16777216 bytes"):
        decoder.receive_data(b"x")


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ({"max_line_bytes": 7}, "max_line_bytes"),
        ({"max_event_bytes": -1}, "max_event_bytes"),
        ({"on_oversize": "truncate"}, "on_oversize"),
    ],
)
def test_a_bound_that_makes_no_sense_is_refused_by_name(arguments: dict[str, object], name: str) -> None:
    with pytest.raises(ValueError, match=name):
        EventStreamDecoder(**arguments)  # type: ignore[arg-type]
