"""The encoder: what it writes is read as exactly the one event that was meant, or it refuses."""

from __future__ import annotations

import enum
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import EventStreamDecoder, ServerSentEvent, encode_comment, encode_event

ONE_LINE = st.text(st.characters(blacklist_characters="\r\n", blacklist_categories=["Cs"]))
ANY_TEXT = st.text(st.characters()) | st.text(st.sampled_from("\r\n: a\0\ud83d\ude00\ufeff"))


def as_read(text: str) -> str:
    """``text`` after a way through UTF-8 and a decoder's line ends."""
    scalar = re.sub("[\ud800-\udfff]", "\ufffd", re.sub("[\ud800-\udbff][\udc00-\udfff]", _joined, text))
    return re.sub("\r\n|\r", "\n", scalar)


def _joined(pair: re.Match[str]) -> str:
    high, low = map(ord, pair[0])
    return chr(0x10000 + (high - 0xD800) * 0x400 + low - 0xDC00)


def decode(stream: bytes) -> tuple[list[ServerSentEvent], EventStreamDecoder]:
    decoder = EventStreamDecoder()
    return decoder.receive_data(stream), decoder


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (encode_event("x"), b"data: x\n\n"),
        (encode_event(""), b"data: \n\n"),
        (encode_event("a\nb\r\nc\rd\n"), b"data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n"),
        (
            encode_event(" x", event="delta", id="7", retry=10),
            b"event: delta\ndata:  x\nid: 7\nretry: 10\n\n",
        ),
        (encode_event("x", event="", id=""), b"data: x\nid: \n\n"),
        (encode_event("x", event="message", retry=0), b"event: message\ndata: x\nretry: 0\n\n"),
        (encode_event("x", retry=2147483647), b"data: x\nretry: 2147483647\n\n"),
        (encode_comment("ping"), b": ping\n"),
        (encode_comment(""), b": \n"),
        (encode_comment("a\r\nb\n\nc\rdata: d"), b": a\n: b\n: \n: c\n: data: d\n"),
    ],
)
def test_what_is_written(event: bytes, expected: bytes) -> None:
    assert event == expected


@given(
    data=ANY_TEXT,
    event=st.none() | ONE_LINE,
    id_=st.none() | ONE_LINE,
    retry=st.none() | st.integers(0, 2**31 - 1),
)
def test_an_encoded_event_is_read_as_that_one_event(
    data: str, event: str | None, id_: str | None, retry: int | None
) -> None:
    id_ = None if id_ is None else id_.replace("\0", "")
    stream = encode_event(data, event=event, id=id_, retry=retry)
    events, decoder = decode(stream)
    assert events == [ServerSentEvent(event or "message", as_read(data), id_ or "")]
    assert decoder.reconnection_time == retry
    assert decode(stream * 2)[0] == events * 2


@given(before=ANY_TEXT, text=ANY_TEXT)
def test_a_comment_is_never_more_than_a_comment(before: str, text: str) -> None:
    heard: list[str] = []
    decoder = EventStreamDecoder(on_comment=heard.append)
    stream = encode_event(before, id="1") + encode_comment(text)
    assert decoder.receive_data(stream) == [ServerSentEvent("message", as_read(before), "1")]
    assert "\n".join(heard) == as_read(text)
    assert decoder.receive_data(encode_event("after")) == [ServerSentEvent("message", "after", "1")]


@pytest.mark.parametrize("text", ["a\nb", "a\rb", "a\r\ndata: forged\r\n\r\n", "\n", "\r"])
@pytest.mark.parametrize("field", ["event", "id"])
def test_a_field_of_one_line_refuses_a_line_end(field: str, text: str) -> None:
    with pytest.raises(ValueError, match=rf"\A{field}\b"):
        encode_event("x", **{field: text})  # type: ignore[arg-type]


def test_an_id_refuses_nul_because_every_decoder_would_ignore_it() -> None:
    with pytest.raises(ValueError, match=r"\Aid\b"):
        encode_event("x", id="a\0b")
    assert decode(encode_event("a\0b", event="c\0d"))[0] == [ServerSentEvent("c\0d", "a\0b")]


@pytest.mark.parametrize("retry", [-1, 2**31, 1.5, 1.0, "5", "5\ndata: forged", True, False])
def test_retry_refuses_what_is_no_number_of_milliseconds(retry: object) -> None:
    with pytest.raises(ValueError, match=r"\Aretry\b"):
        encode_event("x", retry=retry)  # type: ignore[arg-type]


def test_retry_may_be_a_named_number() -> None:
    class Pause(enum.IntEnum):
        SHORT = 5

    assert encode_event("x", retry=Pause.SHORT) == b"data: x\nretry: 5\n\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\ud800b", "a\ufffdb"),
        ("\udc00", "\ufffd"),
        ("a\ud83d", "a\ufffd"),
        ("\ud83d\ude00", "\U0001f600"),
        ("\ude00\ud83d", "\ufffd\ufffd"),
    ],
)
def test_a_lone_surrogate_does_not_kill_a_stream(text: str, expected: str) -> None:
    events, _ = decode(encode_event(text, event=text, id=text))
    assert events == [ServerSentEvent(expected, expected, expected)]
    assert encode_comment(text) == f": {expected}\n".encode()
