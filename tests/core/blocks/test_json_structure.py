"""What a JSON text is made of, counted without reading it: what a parser would find."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import LimitExceeded
from sse_core.blocks.json_structure import MAX_DEPTH, JSONBounds, depth_of

# Texts that look like structure, and escapes of every kind.
TEXTS = st.text(st.sampled_from('[]{},:"\\/\b\f\n\r\tbfnrtu \u00fc\U0001f600a1'))
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4)
)


def items_of(value: Any) -> int:
    """Opening brackets, commas and colons."""
    if not isinstance(value, list | dict):
        return 0
    members = list(value.values()) if isinstance(value, dict) else value
    colons = len(members) if isinstance(value, dict) else 0
    return 1 + colons + max(len(members) - 1, 0) + sum(map(items_of, members))


def depth(value: Any) -> int:
    if not isinstance(value, list | dict):
        return 0
    return 1 + max(map(depth, value.values() if isinstance(value, dict) else value), default=0)


def is_within(text: str, **bounds: int) -> str | None:
    """The limit that ``text`` is beyond, if any."""
    error = refusal(text, bounds)
    if error is None:
        return None
    assert error.bound == bounds.get(error.limit, getattr(JSONBounds(), error.limit))
    assert f"{error.limit}={error.bound}" in str(error)
    assert error.status == 400
    return error.limit


def refusal(text: str, bounds: dict[str, int]) -> LimitExceeded | None:
    try:
        JSONBounds(**bounds).check(text.encode())
    except LimitExceeded as error:
        return error
    return None


@given(VALUES, st.booleans(), st.sampled_from([None, 2]))
def test_what_is_counted_is_what_is_there(value: Any, ensure_ascii: bool, indent: int | None) -> None:  # noqa: FBT001
    text = json.dumps(value, ensure_ascii=ensure_ascii, indent=indent)
    items, levels, escapes = items_of(value), depth(value), text.count("\\")
    assert depth_of(text.encode()) == levels
    exact = {
        "max_json_items": max(items, 1),
        "max_json_depth": max(levels, 1),
        "max_json_escapes": max(escapes, 1),
    }
    assert is_within(text, **exact) is None
    for name, count in (
        ("max_json_items", items),
        ("max_json_depth", levels),
        ("max_json_escapes", escapes),
    ):
        if count > 1:
            assert is_within(text, **{**exact, name: count - 1}) == name


def test_a_long_text_is_looked_at_in_pieces_and_no_cut_shows() -> None:
    quoted = r"\"\\[{,:" * 40_000
    for shift in range(16):
        text = '{"' + "x" * shift + quoted + '": ["' + quoted + '", 1]}'
        assert depth_of(text.encode()) == 2
        assert is_within(text, max_json_items=4) is None
        assert is_within(text, max_json_items=3) == "max_json_items"


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ('"' * 1000, "max_json_items"),
        (",:[{" * 30, "max_json_items"),
        ("[" * 11, "max_json_depth"),
        ('"' + "\\" * 101, "max_json_escapes"),
        ("\\x" * 200, "max_json_escapes"),
    ],
)
def test_what_is_no_json_is_bounded_too(text: str, limit: str) -> None:
    assert is_within(text, max_json_items=100, max_json_depth=10, max_json_escapes=100) == limit


def test_one_long_string_is_no_structure() -> None:
    image = json.dumps({"data": "iVBORw0KGgo=" * 100_000, "text": "a, b: [c] {d}" * 100_000})
    assert is_within(image, max_json_items=5, max_json_depth=1) is None


@pytest.mark.parametrize("name", ["max_json_items", "max_json_depth", "max_json_escapes"])
def test_a_bound_that_bounds_nothing(name: str) -> None:
    with pytest.raises(ValueError, match=f"^{name} must be"):
        JSONBounds(**{name: 0})


def test_no_depth_beyond_what_can_be_read() -> None:
    assert JSONBounds().max_json_depth == MAX_DEPTH
    with pytest.raises(ValueError, match=f"^max_json_depth must be {MAX_DEPTH} or less"):
        JSONBounds(max_json_depth=MAX_DEPTH + 1)


def test_the_beginning_of_a_long_text_is_counted_first_and_never_too_much() -> None:
    escaped = r"\"\\[{,:" * 8
    for shift in range(70):  # so that the first megabyte ends at each byte of it, and within the list
        value = "x" * (2**20 - 20 - shift) + escaped
        text = '{"a":["' + value + '",[[1,2]],"' + "y" * 2**20 + '"]}'
        items, escapes = 8, 24
        assert is_within(text, max_json_items=items, max_json_depth=4, max_json_escapes=escapes) is None
        assert is_within(text, max_json_items=items - 1) == "max_json_items"
        assert is_within(text, max_json_depth=3) == "max_json_depth"
        assert is_within(text, max_json_escapes=escapes - 1) == "max_json_escapes"
