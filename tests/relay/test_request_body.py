"""A request's body: read for its ``stream``, passed on as it came, whatever it is made of."""

from __future__ import annotations

import gc
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core.blocks import strict_json
from sse_core.blocks.json_structure import JSONBounds
from sse_relay.request_body import NotAnObjectError, RequestBody

NAMES = st.sampled_from(["stream", "a", "", 'st"ream', "\u00fc", "\U0001f600"]) | st.text(max_size=4)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=5)


def read(body: bytes) -> RequestBody:
    return RequestBody(body, JSONBounds())


@given(OBJECTS, st.booleans(), st.sampled_from([None, 1]))
def test_of_any_object_the_provider_gets_the_same_with_stream(
    value: dict[str, Any],
    ensure_ascii: bool,  # noqa: FBT001
    indent: int | None,
) -> None:
    body = json.dumps(value, ensure_ascii=ensure_ascii, indent=indent).encode("utf-8", "replace")
    got = read(body)
    expected = json.loads(body)
    stream = expected.get("stream", False)
    assert isinstance(got.stream, bool) == isinstance(stream, bool)
    if isinstance(stream, bool):
        assert got.stream is stream
        assert json.loads(got.streaming()) == {**expected, "stream": True}
        if stream:
            assert got.streaming() is body


@given(OBJECTS, st.data())
def test_what_is_no_json_is_refused_and_nothing_else_is(value: dict[str, Any], data: st.DataObject) -> None:
    """A character of the text is taken away, or another put in."""
    text = json.dumps(value)
    place = data.draw(st.integers(0, len(text)))
    text = text[:place] + data.draw(st.sampled_from(list('{}[],:"\\ 1e-tN\t\n'))) + text[place:]
    cut = data.draw(st.integers(0, len(text)))
    text = text[:cut] + text[cut + data.draw(st.integers(0, 1)) :]
    try:
        is_object = isinstance(strict_json.loads(text), dict)
    except ValueError as error:
        if "double" in str(error):
            return  # Whether a number is too large is the provider's to say.
        is_object = False
    try:
        read(text.encode())
    except ValueError:
        assert not is_object
    else:
        assert is_object


@pytest.mark.parametrize(
    ("body", "stream", "passed_on"),
    [
        (b"{}", False, b'{"stream":true}'),
        (b" \n{ } ", False, b' \n{ "stream":true} '),
        (b'{"a":1}', False, b'{"stream":true,"a":1}'),
        (b'{"a":1.50,"stream" :\tfalse , "b":2}', False, b'{"a":1.50,"stream" :\ttrue , "b":2}'),
        # What is inside of something else is not meant.
        (b'{"a":{"stream":true},"b":["stream"],"c":"stream"}', False, None),
        (b'{"a":{"stream":false},"stream":true}', True, b'{"a":{"stream":false},"stream":true}'),
        # Names may be written in more than one way, and the last of several equal ones counts.
        (rb'{"str\u0065am":false}', False, rb'{"str\u0065am":true}'),
        (b'{"stream":true,"stream":false}', False, b'{"stream":true,"stream":true}'),
        (b'{"stream":false,"stream":true}', True, b'{"stream":false,"stream":true}'),
        # Numbers are not looked into, and none is changed.
        (b'{"a":1e999,"b":' + b"7" * 10_000 + b',"stream":true}', True, None),
        (b'{"a":"\xc3\xbc","stream":false}', False, b'{"a":"\xc3\xbc","stream":true}'),
    ],
)
def test_a_body(body: bytes, stream: bool, passed_on: bytes | None) -> None:  # noqa: FBT001
    got = read(body)
    assert got.stream is stream
    assert got.streaming() == (passed_on or (body if stream else b'{"stream":true,' + body[1:]))


@pytest.mark.parametrize("body", [b"[]", b'"{}"', b"1", b"null", b" true "])
def test_json_that_is_no_object(body: bytes) -> None:
    with pytest.raises(NotAnObjectError):
        read(body)


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"[", b"{", b"{,}", b'{"a"}', b'{"a" 1}', b'{"a":}', b'{"a":1,}', b'{"a":1 "b":2}', b"{1:2}"),
        *(b'{"a":1}x', b"{}{}", b"{}\x0b", b'{"a\n":1}', b'{"a":"\n"}', b"{a:1}", b'{"a":NaN}', b'{"\\x":1}'),
        *(b'{"a":-Infinity}', b'{"a":01}', b'{"a":"\xff"}', b'{"\xff":1}', b'{"a":"\xc3', b"\xef\xbb\xbf{}"),
    ],
)
def test_what_is_no_json(body: bytes) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        read(body)
    assert not isinstance(caught.value, NotAnObjectError)


def test_a_character_may_be_cut_by_the_end_of_a_piece() -> None:
    for shift in range(4):
        body = b'{"a":"' + b"x" * shift + "\U0001f600".encode() * 40_000 + b'"}'
        assert read(body).streaming() == b'{"stream":true,' + body[1:]
        with pytest.raises(ValueError, match="utf-8"):
            read(body.replace(b"\x80", b"x", 1))


def test_the_collector_is_as_it_was() -> None:
    assert gc.isenabled()
    read(b"{}")
    with pytest.raises(ValueError, match=r"."):
        read(b"{")
    assert gc.isenabled()
    gc.disable()
    try:
        read(b"{}")
        assert not gc.isenabled()
    finally:
        gc.enable()
