"""The decoder against WHATWG HTML 9.2.5 and 9.2.6, case by case, and against a transcription of it.

Every case runs whole, byte by byte, and cut in two at each byte: the events must be the same.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import EventStreamDecoder, ServerSentEvent
from sse_core.testing import every_cut
from tests.core.framing.reference import interpret

E = ServerSentEvent


def decode(chunks: Iterable[bytes], last_event_id: str = "") -> list[ServerSentEvent]:
    decoder = EventStreamDecoder(last_event_id)
    return [event for chunk in chunks for event in decoder.receive_data(chunk)]


CASES: dict[str, tuple[bytes, list[ServerSentEvent]]] = {
    # 9.2.6's own examples.
    "two_lines": (b"data: YHOO\ndata: +2\ndata: 10\n\n", [E(data="YHOO\n+2\n10")]),
    "ids": (
        b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
        [E(data="first event", last_event_id="1"), E(data="second event"), E(data=" third event")],
    ),
    "data_without_colon": (b"data\n\ndata\ndata\n\ndata:", [E(data=""), E(data="\n")]),
    "space_after_colon": (b"data:test\n\ndata: test\n\n", [E(data="test"), E(data="test")]),
    # Line ends.
    "cr": (b"data: a\rdata: b\r\rdata: c\r\r", [E(data="a\nb"), E(data="c")]),
    "crlf": (b"event: x\r\ndata: a\r\n\r\ndata: c\r\n\r\n", [E("x", "a"), E(data="c")]),
    "mixed": (b"data: a\r\n\rdata: b\n\r\ndata: c\r\n\n", [E(data="a"), E(data="b"), E(data="c")]),
    "only_line_ends": (b"\n\n\n\r\r\r\n\r\n\n", []),
    "three_lf_then_event": (b"data: a\n\n\ndata: b\n\n\n\n\ndata: c\n\n", [E(data=x) for x in "abc"]),
    "no_other_line_end": (
        "data: a\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029b\n\n".encode(),
        [E(data="a\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029b")],
    ),
    # The byte order mark.
    "bom": (b"\xef\xbb\xbfdata: a\n\n", [E(data="a")]),
    "two_boms": (b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\ndata: b\n\n", [E(data="b")]),
    "bom_later": (b"data: \xef\xbb\xbfa\n\n\xef\xbb\xbfdata: b\n\n", [E(data="\ufeffa")]),
    "half_a_bom": (b"\xef\xbbdata: a\n\ndata: b\n\n", [E(data="b")]),
    "bom_alone": (b"\xef\xbb\xbf", []),
    "bom_and_line_end": (b"\xef\xbb\xbf\r\ndata: a\r\n\r\n", [E(data="a")]),
    # UTF-8.
    "characters": ("event: ï\ndata: 世界😀\nid: …\n\n".encode(), [E("ï", "世界😀", "…")]),
    "invalid": (b"data: a\xffb\xe4\xb8\n\nevent: \xc0\ndata: \xf0\x9f\x98\n\n",
        [E(data="a\ufffdb\ufffd"), E("\ufffd", "\ufffd")]),
    "invalid_at_line_end": (b"data: \xe4\xb8\ndata: \x96\n\n", [E(data="\ufffd\n\ufffd")]),
    "invalid_name": (b"\xffdata: a\ndata\xff: a\ndata: b\n\n", [E(data="b")]),
    "nul_in_data": (b"event: \0\ndata: a\0b\n\n", [E("\0", "a\0b")]),
    # Fields.
    "type_is_of_one_block": (b"event: x\ndata: a\n\ndata: b\n\n", [E("x", "a"), E(data="b")]),
    "last_type_counts": (b"event: x\nevent: y\ndata: a\n\n", [E("y", "a")]),
    "empty_type": (b"event: x\nevent:\ndata: a\n\nevent: \ndata: b\n\n", [E(data="a"), E(data="b")]),
    "type_without_data": (b"event: x\n\ndata: a\n\n", [E(data="a")]),
    "type_with_space": (b"event:  x \ndata: a \n\n", [E(" x ", "a ")]),
    "same_type_again": (b"event: x\ndata: a\n\nevent: x\ndata:  b\n\nevent: x\ndata: \n\nevent: x\ndata:\n\n",
        [E("x", "a"), E("x", " b"), E("x", ""), E("x", "")]),
    "same_type_and_more": (b"event: x\ndata: a\n\nevent: x\ndata: b\ndata: c\n\nevent: x\ndata: d\nid: 1\n\n",
        [E("x", "a"), E("x", "b\nc"), E("x", "d", "1")]),
    "type_begins_alike": (b"event: x\ndata: a\n\nevent: xy\ndata: b\n\nevent: x\nid: 1\n\ndata: c\n\n",
        [E("x", "a"), E("xy", "b"), E(data="c", last_event_id="1")]),
    "colons": (b"data: a: b\n\ndata::\n\n", [E(data="a: b"), E(data=":")]),
    "names_are_exact": (b"Data: a\n data: a\ndata : a\ndatab: a\nda: a\ndata: b\n\n", [E(data="b")]),
    "unknown_fields": (b"foo: bar\nfoo\n\nfoo\ndata: a\nbar:\n\n", [E(data="a")]),
    "tab_is_no_space": (b"data:\ta\n\n", [E(data="\ta")]),
    "comments": (b":\n: a\ndata: a\n:b\ndata: b\n::\n\n:c\n\n", [E(data="a\nb")]),
    # The last event ID.
    "id_stays": (b"id: 1\ndata: a\n\ndata: b\n\n",
        [E(data="a", last_event_id="1"), E(data="b", last_event_id="1")]),
    "id_of_a_block_without_data": (b"id: 1\n\ndata: b\n\n", [E(data="b", last_event_id="1")]),
    "id_taken_away": (b"id: 1\ndata: a\n\nid:\ndata: b\n\n", [E(data="a", last_event_id="1"), E(data="b")]),
    "id_with_nul": (b"id: 1\nid: 2\x003\ndata: a\n\nid: \0\n\ndata: b\n\n",
        [E(data="a", last_event_id="1"), E(data="b", last_event_id="1")]),
    # Phantoms, and the end.
    "ping_after_id": (b"id: 1\ndata: a\n\n: ping\n\n", [E(data="a", last_event_id="1")]),
    "meta_only": (b"retry: 5\n\nid: 1\n\nevent: x\n\n", []),
    "no_empty_line": (b"data: a\n", []),
    "no_line_end": (b"data: a\n\ndata: b", [E(data="a")]),
    "nothing": (b"", []),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    stream, expected = CASES[name]
    assert interpret(stream).events == expected
    for chunks in every_cut(stream):
        assert decode(chunks) == expected, chunks


@pytest.mark.parametrize(
    ("stream", "complete_after"),
    [
        (b"data: x\n\n", 9),
        (b"data: x\r\r", 9),
        (b"data: x\r\n\r\n", 10),
        (b"data: x\n\r\n", 9),
    ],
)
def test_an_event_is_there_with_the_byte_that_completes_it(stream: bytes, complete_after: int) -> None:
    """A CR ends its line at once, though a LF may follow and belong to it."""
    decoder = EventStreamDecoder()
    seen = [decoder.receive_data(stream[i : i + 1]) for i in range(len(stream))]
    assert [i + 1 for i, events in enumerate(seen) if events] == [complete_after]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"0", 0),
        (b"5", 5),
        (b"0003000", 3000),
        (b"0" * 5000 + b"7", 7),
        (b"2147483647", 2147483647),
        (b"2147483648", None),
        (b"9" * 10, None),
        (b"9" * 100_000, None),
        (b"", None),
        (b" 10", None),
        (b"10 ", None),
        (b"+5", None),
        (b"-5", None),
        (b"1_000", None),
        (b"1.5", None),
        (b"0x10", None),
        ("²".encode(), None),
        ("٣".encode(), None),
    ],
)
def test_retry_is_ascii_digits_and_nothing_else(value: bytes, expected: int | None) -> None:
    decoder = EventStreamDecoder()
    assert decoder.receive_data(b"retry: " + value + b"\n") == []
    assert decoder.reconnection_time == expected


def test_a_retry_that_is_no_number_leaves_the_last_one() -> None:
    decoder = EventStreamDecoder()
    decoder.receive_data(b"retry: 3000\n\nretry: 1000x\nretry\n\n")
    assert decoder.reconnection_time == 3000


def test_the_last_event_id_changes_at_the_empty_line_and_not_before() -> None:
    decoder = EventStreamDecoder("before")
    decoder.receive_data(b"id: 1\ndata: x\n")
    assert decoder.last_event_id == "before"
    decoder.receive_data(b"\n")
    assert decoder.last_event_id == "1"


def test_events_carry_the_id_of_an_earlier_connection() -> None:
    """To the letter, the buffer starts empty; browsers and the web platform tests start it with this."""
    assert decode([b"data: a\n\n"], "42") == [E(data="a", last_event_id="42")]
    assert decode([b"id\ndata: a\n\n"], "42") == [E(data="a")]


# One connection after another


def test_the_end_discards_an_incomplete_block() -> None:
    decoder = EventStreamDecoder()
    assert decoder.receive_data(b"id: 1\ndata: a\n\nid: 2\nevent: x\ndata: b\nda") == [E("message", "a", "1")]
    decoder.receive_eof()
    assert decoder.last_event_id == "1"
    assert decoder.receive_data(b"ta: c\n\ndata: d\n\n") == [E("message", "d", "1")]


def test_reset_begins_another_stream_and_keeps_what_a_client_needs() -> None:
    decoder = EventStreamDecoder()
    decoder.receive_data(b"retry: 7\nid: 1\ndata: a\n\nid: 2\nevent: x\ndata: b\r")
    decoder.reset()
    assert (decoder.last_event_id, decoder.reconnection_time) == ("1", 7)
    assert (
        decoder.receive_data(b"\n\xef\xbb\xbf\n") == []
    )  # not the LF of that CR: no byte order mark follows
    decoder.reset()
    assert decoder.receive_data(b"\xef\xbb") == []
    assert decoder.receive_data(b"\xbfdata: c\n\n") == [E("message", "c", "1")]


def test_the_end_of_a_cut_byte_order_mark_is_no_matter() -> None:
    decoder = EventStreamDecoder()
    decoder.receive_data(b"\xef\xbb")
    decoder.receive_eof()
    assert decoder.receive_data(b"data: a\n\n") == [E(data="a")]


def test_two_decoders_share_nothing() -> None:
    one, other = EventStreamDecoder(), EventStreamDecoder()
    one.receive_data("data: 世".encode()[:-1])
    assert other.receive_data(b"data: a\n\n") == [E(data="a")]
    assert one.receive_data("世".encode()[-1:] + b"\n\n") == [E(data="世")]


# Comments


def test_comments_are_heard_by_who_wants_them() -> None:
    heard: list[str] = []
    decoder = EventStreamDecoder(on_comment=heard.append)
    stream = ": ping\n:  two spaces\n:\n::\ndata: a\n:世\n\n: not yet".encode()
    assert decoder.receive_data(stream) == [E(data="a")]
    assert heard == ["ping", " two spaces", "", ":", "世"]
    decoder.receive_data(b" but now\r")
    assert heard[-1] == "not yet but now"


STORY = b": before\ndata: 1\n\n: between\n\n:two\ndata: 2\n: within\ndata: 2\n\n: behind\n\n"
ORDER = ["-before", "1", "-between", "-two", "-within", "2\n2", "-behind"]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 16, 1000])
def test_comments_and_events_come_in_the_order_of_the_stream(size: int) -> None:
    seen: list[str] = []
    decoder = EventStreamDecoder(on_comment=lambda text: seen.append(f"-{text}"))
    for i in range(0, len(STORY), size):
        for event in decoder.receive_data(STORY[i : i + size]):
            seen.append(event.data)  # noqa: PERF401  (comments come between them)
    assert seen == ORDER


@given(st.lists(st.sampled_from([b": c\n", b": c\n\n", b"data: x\n\n", b"data: y\n", b"\n"])), st.data())
def test_their_order_is_the_same_whatever_the_cuts(pieces: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(pieces)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)))) | {0, len(stream)})
    orders = []
    for edges in (cuts, [0, len(stream)], list(range(len(stream) + 1))):
        seen: list[str] = []
        decoder = EventStreamDecoder(on_comment=seen.append)
        for start, end in itertools.pairwise(edges):
            for event in decoder.receive_data(stream[start:end]):
                seen.append(f"event {event.data}")  # noqa: PERF401  (comments come between them)
        orders.append(seen)
    assert orders[0] == orders[1] == orders[2]


def test_who_reads_a_list_in_part_gets_an_error_by_the_next_call() -> None:
    calls: list[Callable[[EventStreamDecoder], object]] = [
        lambda decoder: decoder.receive_data(b"data: 3\n\n"),
        lambda decoder: decoder.receive_data(b"d"),
        EventStreamDecoder.receive_eof,
        EventStreamDecoder.reset,
    ]
    for call in calls:
        seen: list[str] = []
        decoder = EventStreamDecoder(on_comment=seen.append)
        events = decoder.receive_data(STORY)
        assert next(iter(events)).data == "1"
        assert seen == ["before"]
        call(decoder)
        assert seen == ["before", "between", "two", "within", "behind"]
        assert [event.data for event in events] == ["1", "2\n2"]
        assert len(seen) == 5, "each is reported once"


# Arguments of the wrong type


@pytest.mark.parametrize("before", [b"", b"d", b"data: x\n", b"data: x\n\n", b"\n"])
@pytest.mark.parametrize("wrong", ["data: x\n\n", "x", "", "\n", None, 5, [1, 2], memoryview(b"data: x\n\n")])
def test_what_is_not_bytes_is_reported_at_once(before: bytes, wrong: Any) -> None:
    decoder = EventStreamDecoder()
    decoder.receive_data(before)
    with pytest.raises(TypeError, match="receive_data takes bytes or bytearray, not"):
        decoder.receive_data(wrong)


def test_a_decoder_of_the_wrong_arguments() -> None:
    wrong: Any = 7
    with pytest.raises(TypeError, match="last_event_id takes str, not int"):
        EventStreamDecoder(wrong)
    wrong = "8"
    for name in ("max_line_bytes", "max_event_bytes"):
        arguments: dict[str, Any] = {name: wrong}
        with pytest.raises(TypeError, match=f"{name} takes int, not str"):
            EventStreamDecoder(**arguments)


# Against the transcription of the specification

PIECES = [
    *(b"data", b"event", b"id", b"retry", b"foo", b":", b": ", b" ", b"\n", b"\r", b"\r\n", b"\n\n", b"\0"),
    *(
        b"data: a\n\n",
        b"event: x\ndata: b\n\n",
        b"event: y\ndata: c\n\n",
        b"id: 1\n",
        b"retry: 12\n",
        b": ping\n",
    ),
    *(
        b"data: ",
        b"event: x\ndata: ",
        b"\xef\xbb\xbf",
        b"\xef",
        b"\xbb\xbf",
        "世😀".encode(),
        b"\xf0\x9f",
        b"\xff",
    ),
]
STREAMS = st.lists(st.sampled_from(PIECES) | st.binary(max_size=4), max_size=30).map(b"".join)


@given(stream=STREAMS, cuts=st.lists(st.integers(0, 200)), last_event_id=st.sampled_from(["", "0"]))
def test_any_bytes_in_any_chunks_mean_what_the_specification_says(
    stream: bytes, cuts: list[int], last_event_id: str
) -> None:
    expected = interpret(stream, last_event_id)
    comments: list[str] = []
    decoder = EventStreamDecoder(last_event_id, on_comment=comments.append)
    edges = [0, *sorted(cut for cut in cuts if cut < len(stream)), len(stream)]
    events: list[ServerSentEvent] = []
    for start, end in itertools.pairwise(edges):
        events += decoder.receive_data(stream[start:end])
    assert events == expected.events
    assert comments == expected.comments
    assert decoder.reconnection_time == expected.retry
    assert decoder.last_event_id == expected.last_event_id
    decoder.receive_eof()
    assert decoder.last_event_id == expected.last_event_id


@pytest.mark.parametrize("digits", ["1" * 5000, "0" * 5000, "0" * 5000 + "7"])
def test_a_retry_of_thousands_of_digits_is_read_or_ignored(digits: str) -> None:
    stream = f"retry: {digits}\n\n".encode()
    decoder = EventStreamDecoder()
    decoder.receive_data(stream)
    assert decoder.reconnection_time == interpret(stream).retry


def test_a_bytearray_is_taken_as_bytes_and_can_be_used_again() -> None:
    stream = b"data: a\n\ndata: " + b"x" * 5000 + b"\ndata: b\n\nid: 7\ndata: c\n\n"
    for size in (1, 9, 2000, len(stream)):
        decoder, buffer, events = EventStreamDecoder(), bytearray(), []
        for i in range(0, len(stream), size):
            buffer[:] = stream[i : i + size]
            events += decoder.receive_data(buffer)
            buffer[:] = b"y" * len(buffer)
        assert events == interpret(stream).events
