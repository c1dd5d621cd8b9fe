"""The laws of ``fuzz/`` take a right decoder that is not ours, and find every wrong one soon."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import Phase, given, settings

from fuzz.laws import decoder_does_as_the_model
from fuzz.model import Bounds
from fuzz.script import Call
from fuzz.strategies import BOUNDS, CALLS
from sse_core import ServerSentEvent, encode_comment, encode_event, encode_events
from tests.mutants.finding import check_of, first_finding
from tests.mutants.wrong_decoders import WRONG, WRONG_IN_MEMORY, RightDecoder


@pytest.mark.parametrize("name", ["framing_bytes", "framing_calls", "framing_memory"])
def test_a_right_decoder_that_is_not_ours_obeys(name: str) -> None:
    """So the laws ask for nothing that only our way of decoding has."""
    assert first_finding(name, check_of(name, RightDecoder), 500) is None


@pytest.mark.parametrize("decoder", WRONG)
def test_a_wrong_decoder_is_found(decoder: type[RightDecoder]) -> None:
    assert first_finding("framing_calls", check_of("framing_calls", decoder)) is not None


@pytest.mark.parametrize("decoder", WRONG)
def test_hypothesis_finds_a_wrong_decoder(decoder: type[RightDecoder]) -> None:
    @settings(max_examples=6000, derandomize=True, database=None, phases=[Phase.generate])
    @given(calls=CALLS, bounds=BOUNDS)
    def law(calls: list[Call], bounds: Bounds) -> None:
        decoder_does_as_the_model(calls, bounds, make=decoder)

    with pytest.raises((AssertionError, ValueError)):
        law()


@pytest.mark.parametrize("decoder", WRONG_IN_MEMORY)
def test_a_decoder_that_holds_too_much_is_found(decoder: type[RightDecoder]) -> None:
    assert isinstance(first_finding("framing_memory", check_of("framing_memory", decoder)), AssertionError)


# The encoder


def bare(data: str, *, event: str | None = None, id: str | None = None, retry: Any = None) -> bytes:
    """The formatter that everybody writes first: nothing is looked at."""
    head = f"event: {event}\n" if event else ""
    head += f"id: {id}\n" if id is not None else ""
    head += f"retry: {retry}\n" if retry is not None else ""
    return (head + "".join(f"data: {line}\n" for line in data.split("\n")) + "\n").encode()


def lines_by_python(data: str, **fields: Any) -> bytes:
    """Data in the lines of ``str.splitlines``, which knows more line ends than event streams do."""
    return encode_event("\n".join(data.splitlines()), **fields)


def without_space(data: str, **fields: Any) -> bytes:
    """No space after the colon, so that a decoder takes the data's own."""
    return encode_event(data, **fields).replace(b"data: ", b"data:")


def nul_passes(data: str, *, id: str | None = None, **fields: Any) -> bytes:
    """An ID may hold NUL, which every decoder ignores."""
    return encode_event(data, id=id.replace("\0", "0") if id else id, **fields)


def trimmed(data: str, **fields: Any) -> bytes:
    """Space at the end of data is lost."""
    return encode_event(data.rstrip(" "), **fields)


def names_nothing(data: str, **fields: Any) -> bytes:
    """What is refused is refused without saying which field it is."""
    try:
        return encode_event(data, **fields)
    except ValueError:
        raise ValueError("no") from None


@pytest.mark.parametrize("encode", [bare, lines_by_python, without_space, nul_passes, trimmed, names_nothing])
def test_a_wrong_encoder_is_found(encode: Callable[..., bytes]) -> None:
    assert first_finding("encoder", check_of("encoder", encode)) is not None


@pytest.mark.parametrize(
    "comment",
    [lambda text: f": {text}\n".encode("utf-8", "replace"), lambda text: encode_comment(text) + b"\n"],
)
def test_a_wrong_encoder_of_comments_is_found(comment: Callable[[str], bytes]) -> None:
    """One whose text can end the comment; one whose empty line dispatches what was not whole."""
    assert first_finding("encoder", check_of("encoder", encode_event, comment)) is not None


def one_by_one(events: list[ServerSentEvent]) -> bytes:
    """An id is left out where it is empty, so that the one before it stays."""
    return b"".join(encode_event(e.data, event=e.type, id=e.last_event_id or None) for e in events)


def id_once(events: list[ServerSentEvent]) -> bytes:
    """Only the first event's id is written."""
    return encode_events([ServerSentEvent(e.type, e.data, events[0].last_event_id) for e in events])


@pytest.mark.parametrize("encode_all", [one_by_one, id_once])
def test_a_wrong_encoder_of_many_events_is_found(
    encode_all: Callable[[list[ServerSentEvent]], bytes],
) -> None:
    check = check_of("encoder", encode_event, encode_comment, encode_all)
    assert isinstance(first_finding("encoder", check), AssertionError)
