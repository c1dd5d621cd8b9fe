"""HTTP fields: looked up without regard to case, in their order, and nothing can forge one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core.headers import Headers

TOKEN_CHARACTERS = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
NAMES = st.text(TOKEN_CHARACTERS, min_size=1)
VALUES = st.text(st.characters(max_codepoint=0xFF, exclude_characters="\r\n\0"))
PAIRS = st.lists(st.tuples(NAMES, VALUES))


def test_made_from_a_mapping_from_pairs_and_from_headers() -> None:
    pairs = [("Content-Type", "text/plain"), ("Vary", "Origin")]
    expected = [("content-type", "text/plain"), ("vary", "Origin")]
    assert list(Headers(pairs)) == list(Headers(dict(pairs))) == list(Headers(Headers(pairs))) == expected
    assert list(Headers()) == []


def test_lookup_has_no_regard_to_case_and_gives_the_first() -> None:
    headers = Headers([("Set-Cookie", "a=1"), ("X-Other", "x"), ("set-cookie", "b=2")])
    assert headers.get("SET-COOKIE") == "a=1"
    assert headers.get_all("Set-cookie") == ["a=1", "b=2"]
    assert headers.get("accept") is None
    assert headers.get("accept", "*/*") == "*/*"
    assert headers.get_all("accept") == []
    assert "Set-Cookie" in headers
    assert "accept" not in headers
    assert 1 not in headers
    assert len(headers) == 3


def test_what_is_neither_a_mapping_nor_pairs_is_explained_in_one_sentence() -> None:
    wrong: Any
    for wrong in (None, 7, "abc", b"abc", ["abc"], [("a", "b", "c")], [None]):
        with pytest.raises(TypeError, match="Headers takes a mapping, or pairs of a name and a value, not"):
            Headers(wrong)
    for wrong in ({"x-key": 7}, {"x-key": b"secret"}, [("x-key", None)]):
        with pytest.raises(TypeError, match="the header 'x-key' takes str, not") as caught:
            Headers(wrong)
        assert "secret" not in str(caught.value)
    wrong = {b"x-key": "1"}
    with pytest.raises(TypeError, match="the name of a header takes str, not bytes"):
        Headers(wrong)


def test_an_empty_value_is_a_value() -> None:
    headers = Headers({"x-empty": " \t "})
    assert headers.get("x-empty", "default") == ""
    assert "x-empty" in headers


def test_replaced_takes_the_place_of_all_of_the_same_name() -> None:
    headers = Headers([("a", "1"), ("b", "2"), ("A", "3")])
    assert list(headers.replaced({"A": "4", "c": "5"})) == [("b", "2"), ("a", "4"), ("c", "5")]
    assert list(headers) == [("a", "1"), ("b", "2"), ("a", "3")], "a copy, not the headers themselves"


def test_equality_and_hash_go_by_the_pairs_in_their_order() -> None:
    assert Headers({"A": "1"}) == Headers([("a", "1")])
    assert hash(Headers({"A": "1"})) == hash(Headers([("a", "1")]))
    assert Headers([("a", "1"), ("b", "2")]) != Headers([("b", "2"), ("a", "1")])
    assert Headers({"a": "1"}) != {"a": "1"}


def test_repr_shows_no_value() -> None:
    """A value may be a credential, and a repr ends up in logs."""
    shown = repr(Headers({"Authorization": "Bearer secret", "Accept": "*/*"}))
    assert shown == "<Headers authorization, accept>"


@pytest.mark.parametrize(
    "name", ["", "a b", "a:", "a\n", "a\r\nb", "é", "a\0", "\u212aeep-alive", '"', "a,b"]
)
def test_a_name_is_a_token(name: str) -> None:
    """Also where its lower case is one: the sign of the kelvin, U+212A, has the lower case "k"."""
    with pytest.raises(ValueError, match="is not a token") as caught:
        Headers([(name, "x")])
    assert str(caught.value).isascii()
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("value", ["a\r\nX-Forged: 1", "a\nb", "a\rb", "\0", "secret\n"])
def test_a_value_can_not_forge_a_field(value: str) -> None:
    with pytest.raises(ValueError, match="'x-name' holds CR, LF or NUL") as caught:
        Headers({"x-name": value})
    assert "secret" not in str(caught.value)


@given(PAIRS)
def test_what_goes_in_comes_out(pairs: list[tuple[str, str]]) -> None:
    headers = Headers(pairs)
    assert list(headers) == [(name.lower(), value.strip(" \t")) for name, value in pairs]
    for name, value in headers:
        assert value in headers.get_all(name.upper())


@given(PAIRS, PAIRS)
def test_the_law_of_replaced(old: list[tuple[str, str]], new: list[tuple[str, str]]) -> None:
    replaced = Headers(old).replaced(new)
    for name, _ in new:
        assert replaced.get_all(name) == Headers(new).get_all(name)
    for name, _ in old:
        if name not in Headers(new):
            assert replaced.get_all(name) == Headers(old).get_all(name)


@given(PAIRS, PAIRS)
def test_two_of_them_one_behind_the_other(some: list[tuple[str, str]], others: list[tuple[str, str]]) -> None:
    assert Headers(some) + Headers(others) == Headers([*some, *others])


def test_those_of_some_names() -> None:
    headers = Headers([("A-One", "1"), ("B", "2"), ("a-two", "3")])
    assert headers.where(lambda name: name.startswith("a-")) == Headers([("a-one", "1"), ("a-two", "3")])
    assert len(headers) == 3
