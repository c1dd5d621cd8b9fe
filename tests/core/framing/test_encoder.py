"""The encoder: what it writes is read as exactly the one event that was meant, or it refuses."""

from __future__ import annotations

import enum
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import EventStreamDecoder, ServerSentEvent, encode_comment, encode_event, encode_events

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
        (encode_event("x", event="message", retry=0), b"data: x\nretry: 0\n\n"),
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


def test_the_members_of_any_enumeration_are_written_by_their_values() -> None:
    class Kind(str, enum.Enum):  # noqa: UP042  (a StrEnum is formatted as its value, this is not)
        DELTA = "delta"
        LINES = "a\nb"

    class Pause(int, enum.Enum):
        SHORT = 5

    written = encode_event(Kind.DELTA, event=Kind.DELTA, id=Kind.DELTA, retry=Pause.SHORT)
    assert written == b"event: delta\ndata: delta\nid: delta\nretry: 5\n\n"
    assert encode_event(Kind.LINES) == b"data: a\ndata: b\n\n"
    assert encode_comment(Kind.DELTA) == b": delta\n"


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


# Padding


@given(text=ANY_TEXT, pad_to=st.integers(0, 300))
def test_a_padded_comment_is_a_comment_of_that_size(text: str, pad_to: int) -> None:
    plain, padded = encode_comment(text), encode_comment(text, pad_to=pad_to)
    assert len(padded) == max(len(plain), pad_to)
    heard: list[str] = []
    decoder = EventStreamDecoder(on_comment=heard.append)
    assert decoder.receive_data(padded) == []
    comment = "\n".join(heard)
    assert comment.startswith(as_read(text))
    assert comment.removeprefix(as_read(text)).strip(" ") == ""
    assert decoder.receive_data(encode_event("after")) == [ServerSentEvent(data="after")]


def test_a_padded_comment_is_filled_with_spaces() -> None:
    assert encode_comment("a\nb", pad_to=12) == b": a\n: b    \n"
    assert encode_comment("", pad_to=2048) == b":" + b" " * 2046 + b"\n"


@pytest.mark.parametrize("pad_to", [-1, 1.5, "8", True, None])
def test_padding_refuses_what_is_no_number_of_bytes(pad_to: object) -> None:
    with pytest.raises(ValueError, match=r"\Apad_to\b"):
        encode_comment("x", pad_to=pad_to)  # type: ignore[arg-type]


# Many events at once

EVENTS = st.builds(
    ServerSentEvent,
    type=ONE_LINE.map(lambda text: text or "message") | st.sampled_from(["message", "delta"]),
    data=ANY_TEXT,
    last_event_id=ONE_LINE.map(lambda text: text.replace("\0", "")) | st.sampled_from(["", "1", "2"]),
)


@given(events=st.lists(EVENTS, max_size=8), last_event_id=st.sampled_from(["", "1"]))
def test_events_encoded_together_are_read_as_those_events(
    events: list[ServerSentEvent], last_event_id: str
) -> None:
    stream = encode_events(iter(events), last_event_id=last_event_id)
    read = EventStreamDecoder(last_event_id).receive_data(stream)
    assert read == [ServerSentEvent(event.type, as_read(event.data), event.last_event_id) for event in events]
    assert encode_events(read, last_event_id=last_event_id) == encode_events(
        read[:3], last_event_id=last_event_id
    ) + encode_events(read[3:], last_event_id=read[2].last_event_id if read[3:] else "")


def test_what_is_written_for_events_together() -> None:
    events = [
        ServerSentEvent(data="a"),
        ServerSentEvent("x", "b\nc", "1"),
        ServerSentEvent("x", "d", "1"),
        ServerSentEvent(data="e\ud800"),
    ]
    assert encode_events([]) == b""
    assert encode_events(events) == (
        b"data: a\n\nevent: x\ndata: b\ndata: c\nid: 1\n\nevent: x\ndata: d\n\ndata: e\xef\xbf\xbd\nid: \n\n"
    )


# What forges events elsewhere (CVE-2026-29085, CVE-2026-22735, GHSA-4hxc-9384-m385 and their like)

FORGERIES = [
    f"{before}{line_end}{forged}"
    for before in ("", "x")
    for line_end in ("\r", "\n", "\r\n", "\n\r", "\r\r", "\n\n", "\r\n\r\n")
    for forged in ("", "data: forged", "data: forged\n\n", "event: forged\rdata: forged\r\r", "id: 9", ": x")
] + ["\0", "7\0", "\0data: forged\n\n", "\ufeffdata: forged\n\n", "\ud83d\n\ndata: forged\n\n"]
NO_LINE_END = [
    "a\x0bb",
    "a\x0cb",
    "a\x1c\x1d\x1eb",
    "a\x85b",
    "a\u2028\u2029b",
    "data: forged",
    ": x",
    "\ufeffx",
]


@pytest.mark.parametrize("text", FORGERIES + NO_LINE_END)
def test_text_from_outside_forges_nothing(text: str) -> None:
    """In each place it is refused by name, or read back as the one event or comment that was meant."""
    before, after = encode_event("before", id="1"), encode_event("after")
    for field in ("event", "id"):
        try:
            stream = encode_event("x", **{field: text})  # type: ignore[arg-type]
        except ValueError as refused:
            assert str(refused).startswith(f"{field} ")  # noqa: PT017  (refusing is one of two right answers)
            continue
        assert field == "event" or "\0" not in text
        assert not set(text) & set("\r\n")
        kind, last_event_id = (as_read(text), "1") if field == "event" else ("message", as_read(text))
        expected = ServerSentEvent(kind, "x", last_event_id)
        assert decode(before + stream + after)[0][1:] == [
            expected,
            ServerSentEvent("message", "after", last_event_id),
        ]
    for stream, data in (
        (encode_event(text), as_read(text)),
        (encode_events([ServerSentEvent(data=text)]), as_read(text)),
    ):
        events, _ = decode(before + stream + after)
        assert [(event.type, event.data) for event in events] == [
            ("message", "before"),
            ("message", data),
            ("message", "after"),
        ]
    for comment in (encode_comment(text), encode_comment(text, pad_to=100)):
        events, decoder = decode(before + comment + after)
        assert [event.data for event in events] == ["before", "after"]
        assert (decoder.last_event_id, decoder.reconnection_time) == ("1", None)


@pytest.mark.parametrize("text", FORGERIES + NO_LINE_END)
def test_text_from_outside_is_no_retry(text: str) -> None:
    with pytest.raises(ValueError, match=r"\Aretry\b"):
        encode_event("x", retry=text)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", [text for text in FORGERIES if set(text) & set("\r\n")])
def test_one_forgery_among_events_refuses_them_all(text: str) -> None:
    good = ServerSentEvent(data="good")
    with pytest.raises(ValueError, match=r"\Aevent\b"):
        encode_events([good, ServerSentEvent(text, "x")])
    with pytest.raises(ValueError, match=r"\Aid\b"):
        encode_events([good, ServerSentEvent(data="x", last_event_id=text)])


# Arguments of the wrong type


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"data": {"text": "x"}}, "data takes str, not dict: json.dumps gives some of a mapping"),
        ({"data": b"x"}, "data takes str, not bytes"),
        ({"data": None}, "data takes str, not NoneType"),
        ({"data": ["x"]}, "data takes str, not list"),
        ({"data": "x", "id": 7}, "id takes str or NoneType, not int: str gives some of a number"),
        ({"data": "x", "id": b"7"}, "id takes str or NoneType, not bytes"),
        ({"data": "x", "event": 7}, "event takes str or NoneType, not int"),
        ({"data": "x", "event": b"tick"}, "event takes str or NoneType, not bytes"),
    ],
)
def test_what_is_not_text_is_explained_in_one_sentence(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(TypeError, match=f"^{sentence}"):
        encode_event(**arguments)


def test_an_error_of_a_texts_own_is_passed_on() -> None:
    class Odd(str):
        __slots__ = ()

        def __contains__(self, _: object) -> bool:
            raise TypeError("its own")

    with pytest.raises(TypeError, match="its own"):
        encode_event(Odd("x"))


def test_what_is_no_event_or_no_comment() -> None:
    wrong: Any
    for wrong in ([{"data": "x"}], "abc", [None]):
        with pytest.raises(TypeError, match="encode_events takes ServerSentEvent, not"):
            encode_events(wrong)
    wrong = b"ping"
    with pytest.raises(TypeError, match="text takes str, not bytes"):
        encode_comment(wrong)
