"""JSON both ways: what is refused, and that what is read can be written."""

from __future__ import annotations

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core.blocks import strict_json

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters(codec=None))
VALUES = st.recursive(
    SCALARS | TEXTS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4)
)


@given(VALUES)
def test_what_is_written_is_read_back_and_is_utf_8(value: object) -> None:
    text = strict_json.dumps(value)
    assert "\n" not in text
    assert strict_json.loads(text.encode().decode()) == json.loads(json.dumps(value))


@pytest.mark.parametrize(
    "text", ["", "{", "nul", "NaN", "-Infinity", '{"a": Infinity}', "1e999", "[1,]", "'a'", '"\t"', "1 2"]
)
def test_what_is_no_json_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        strict_json.loads(text)


def test_a_number_that_json_cannot_hold_is_not_written() -> None:
    with pytest.raises(ValueError, match="JSON"):
        strict_json.dumps(float("nan"))


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_nesting_is_allowed_up_to_the_bound(opening: str, closing: str) -> None:
    def nested(depth: int) -> str:
        return opening * depth + "0" + closing * depth

    strict_json.dumps(strict_json.loads(nested(strict_json.MAX_DEPTH)))
    wide = nested(strict_json.MAX_DEPTH - 1)
    assert len(strict_json.loads(f"[{wide}, {wide}]")) == 2
    for depth in (strict_json.MAX_DEPTH + 1, 100_000):
        with pytest.raises(ValueError, match="nested too deeply"):
            strict_json.loads(nested(depth))


def test_many_brackets_are_no_nesting() -> None:
    flat: list[object] = [[], {}] * strict_json.MAX_DEPTH
    assert strict_json.loads(json.dumps(flat)) == flat
    assert strict_json.loads(json.dumps("[" * 1000)) == "[" * 1000


def test_text_is_written_as_itself_and_half_a_surrogate_pair_as_an_escape() -> None:
    assert strict_json.dumps({"a": "é😀"}) == '{"a":"é😀"}'
    assert strict_json.dumps("\ud83d") == r'"\ud83d"'


def test_where_the_stack_is_nearly_full_it_is_a_value_error_too() -> None:
    """On Python 3.11 the parser has what the callers leave of the interpreter's own bound."""
    text = "[" * 400 + "]" * 400

    def call_deeply(levels: int) -> object:
        return strict_json.loads(text) if levels == 0 else call_deeply(levels - 1)

    limit = sys.getrecursionlimit()
    try:
        call_deeply(limit - 400)
    except ValueError as error:
        assert str(error) == "nested too deeply"  # noqa: PT017  (or it is read: not every Python has the bound)
    except RecursionError:
        pytest.fail("a RecursionError comes out")
