"""The laws for users' code: what obeys them passes, and each planted mistake is found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import pytest

from sse_core import EventStreamDecoder, ServerSentEvent, SSEError, dialects, iter_turn
from sse_core.blocks import TextDelta
from sse_core.testing import (
    as_async,
    check_any_cut,
    check_faults_are_seen,
    check_part_is_not_whole,
    pieces,
    pieces_of_size,
    read_message,
    stream_of,
    whole_answer,
)

ANSWER = whole_answer("Grüße, 世界", thinking="Hm.", calls={"look": {"where": [1, "here"]}})
STREAM = stream_of("anthropic", ANSWER)


def events(chunks: Iterable[bytes]) -> list[ServerSentEvent]:
    decoder = EventStreamDecoder()
    return [event for chunk in chunks for event in decoder.receive_data(chunk)]


def reader(
    dialect: str, *, tells_all: bool = False, made_up: str = ""
) -> Callable[[Iterator[bytes]], tuple[str, bool]]:
    """One that shows what comes; with mistakes if wished."""

    def read(chunks: Iterator[bytes]) -> tuple[str, bool]:
        shown, turn = "", iter_turn(chunks, dialect)
        try:
            for event in turn:
                shown += event.text if isinstance(event, TextDelta) else ""
        except (OSError, SSEError):
            return shown + made_up, tells_all
        return shown, tells_all or turn.message.completeness == "complete"

    return read


def is_whole(dialect: str) -> Callable[[bytes], bool]:
    return lambda body: reader(dialect)(iter([body]))[1]


@pytest.mark.parametrize("dialect", dialects.names())
def test_a_reader_that_asks_the_message_obeys_in_every_protocol(dialect: str) -> None:
    stream = stream_of(dialect, ANSWER)
    message = check_any_cut(lambda chunks: read_message(dialect, chunks), stream)
    assert (message.text, message.completeness) == ("Grüße, 世界", "complete")
    assert [(tool.name, tool.arguments) for tool in message.executable_tools] == [
        ("look", {"where": [1, "here"]})
    ]
    check_part_is_not_whole(is_whole(dialect), dialect, stream)
    check_faults_are_seen(reader(dialect), dialect, whole_answer("Grüße, 世界"))


def test_a_reader_that_decodes_each_piece_is_found() -> None:
    with pytest.raises(AssertionError, match=r"UnicodeDecodeError at the cut between all bytes"):
        check_any_cut(lambda chunks: "".join(chunk.decode() for chunk in chunks), "data: ü\n\n".encode())


def test_a_reader_that_takes_a_piece_for_an_event_is_found() -> None:
    def read(chunks: Iterable[bytes]) -> int:
        return sum(len(chunk) > 1 for chunk in chunks)

    with pytest.raises(AssertionError, match=r"0 at the cut between all bytes, and 1 without one"):
        check_any_cut(read, b"data: a\n\n")


def test_the_place_of_a_cut_is_named() -> None:
    def read(chunks: Iterable[bytes]) -> bool:
        return any(chunk.startswith(b"\n\n") for chunk in chunks)

    with pytest.raises(AssertionError, match=r"True at the cut after byte 7, b'data: a' \| b'\\n\\n'"):
        check_any_cut(read, b"data: a\n\n")


def test_an_answer_that_is_not_whole_is_no_case_of_the_law() -> None:
    with pytest.raises(ValueError, match="no complete answer"):
        check_part_is_not_whole(lambda _: True, "anthropic", STREAM[:-60])
    with pytest.raises(ValueError, match="no complete answer"):
        check_part_is_not_whole(lambda _: True, "anthropic", stream_of("gemini", ANSWER))


def test_a_reader_that_takes_any_end_for_the_whole_is_found() -> None:
    with pytest.raises(AssertionError, match=r"0 of \d+ bytes are taken for whole"):
        check_part_is_not_whole(lambda _: True, "anthropic", STREAM)
    with pytest.raises(AssertionError, match=r"is taken for whole, with Unreachable\("):
        check_faults_are_seen(reader("anthropic", tells_all=True), "anthropic", ANSWER)


def test_a_reader_that_lets_an_error_through_is_found() -> None:
    def read(chunks: Iterator[bytes]) -> tuple[str, bool]:
        turn = iter_turn(chunks, "anthropic")
        return "".join(event.text for event in turn if isinstance(event, TextDelta)), True

    with pytest.raises(AssertionError, match=r"ConnectionRefusedError with Unreachable\("):
        check_faults_are_seen(read, "anthropic", ANSWER)


def test_a_reader_that_never_believes_it_is_found() -> None:
    with pytest.raises(AssertionError, match="the whole answer is not taken for whole"):
        check_part_is_not_whole(lambda _: False, "anthropic", STREAM)
    with pytest.raises(AssertionError, match="nothing is wrong with"):
        check_faults_are_seen(lambda chunks: (str(len([*chunks])), False), "anthropic", ANSWER)


def test_a_reader_that_shows_what_nobody_said_is_found() -> None:
    with pytest.raises(AssertionError, match=r"'\.\.\.' is shown of 'Grüße, 世界', with Unreachable\("):
        check_faults_are_seen(reader("anthropic", made_up="..."), "anthropic", ANSWER)


def test_pieces_are_cut_where_they_are_to_be() -> None:
    assert pieces(b"abcdef", [4, 2, 2, 0, 99, -1]) == [b"ab", b"cd", b"ef"]
    assert pieces(b"", [1]) == []
    assert pieces_of_size(b"abcde", 2) == [b"ab", b"cd", b"e"]
    with pytest.raises(ValueError, match="1 or more"):
        pieces_of_size(b"a", 0)


def test_an_answer_may_be_nothing_but_calls() -> None:
    stream = stream_of("anthropic", whole_answer("", calls={"f": {}}))
    message = read_message(dialects.get("anthropic"), [stream])
    assert (message.text, [tool.id for tool in message.executable_tools]) == ("", ["call_0"])


async def test_pieces_for_code_that_awaits_are_the_same() -> None:
    assert [chunk async for chunk in as_async([b"a", b"", b"b"])] == [b"a", b"", b"b"]
