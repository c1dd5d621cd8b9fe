"""The laws of JSON in fragments: no split matters, and what is known is a prefix of the truth."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sse_core import JSONFragmentError, JSONFragments
from sse_core.blocks import strict_json
from tests.core.blocks.truth import at, is_prefix, joined, strictly

SPACES = st.text(" \n\r\t", max_size=2)
#: What a string may be made of, as it is written.
PARTS = ["a", "zz", "é", "😀", "\ud83d", "\ude00", r"\n", r"\"", r"\\", r"\/", r"\u00e9"]
PARTS += [r"\ud83d\ude00", r"\ud83d", r"\ude00", r"\uD83D\u0041"]
STRINGS = st.lists(st.sampled_from(PARTS), max_size=6).map(lambda parts: f'"{"".join(parts)}"')
NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,8})(\.[0-9]{1,5})?([eE][+-]?[0-9]{1,2})?", fullmatch=True).filter(
    str.isascii
)


@st.composite
def arrays(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    items = draw(st.lists(inner, max_size=4))
    return f"[{','.join(items) or draw(SPACES)}]"


@st.composite
def objects(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    keys = draw(st.lists(STRINGS, max_size=4, unique_by=lambda key: json.loads(joined(key))))
    members = [f"{draw(SPACES)}{key}{draw(SPACES)}:{draw(inner)}" for key in keys]
    return f"{{{','.join(members) or draw(SPACES)}}}"


@st.composite
def spaced(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    return f"{draw(SPACES)}{draw(inner)}{draw(SPACES)}"


#: Documents as they are written; no object has two equal keys.
DOCUMENTS = st.recursive(
    st.sampled_from(["true", "false", "null"]) | NUMBERS | STRINGS,
    lambda inner: arrays(spaced(inner)) | objects(spaced(inner)),
    max_leaves=12,
)
#: What is JSON now and then.
TEXTS = st.text('[]{},:" \\ntrue0123456789.eE+-ulfasud8\ud83d\ude00\x01', max_size=20) | st.lists(
    st.sampled_from([*"[]{},:", '"', "\\", '"a"', '"a":', "1", "-1.5e3", "true", "null", " ", r"\ud83d"]),
    max_size=12,
).map("".join)


def splits(text: str) -> st.SearchStrategy[list[str]]:
    cuts = st.lists(st.integers(0, len(text)), max_size=8).map(sorted)
    return cuts.map(lambda at: [text[i:j] for i, j in zip([0, *at], [*at, len(text)], strict=True)])


def outcome(fragments: list[str]) -> tuple[list[Any] | None, Any]:
    """All that is reported of a document, or the error."""
    reader = JSONFragments()
    completed: list[Any] = []
    try:
        for fragment in fragments:
            completed += copy.deepcopy(reader.receive(fragment))
        return completed, reader.finish()
    except JSONFragmentError as error:
        return None, (str(error), error.offset, error.incomplete)


@given(DOCUMENTS)
def test_on_every_prefix_what_is_known_is_a_prefix_of_the_truth(document: str) -> None:
    truth = strictly(document)
    reader = JSONFragments()
    for character in document:
        for path, value in reader.receive(character):
            assert at(truth, path) == value
        if reader.value is not None:
            assert is_prefix(reader.value, truth)
        if reader.unfinished_path is not None:
            assert at(truth, reader.unfinished_path).startswith(at(reader.value, reader.unfinished_path))
    assert reader.finish() == truth


@given(DOCUMENTS)
def test_a_prefix_in_one_fragment_is_known_as_in_many(document: str) -> None:
    slow = JSONFragments()
    for end, character in enumerate(document, 1):
        slow.receive(character)
        fast = JSONFragments()
        fast.receive(document[:end])
        assert fast.value == slow.value
        assert fast.unfinished_path == slow.unfinished_path
        assert fast.complete == slow.complete


@pytest.mark.parametrize("before", ["[", "-0", "-", "[1", "1e400", "[tr", '{"a"', "[1] "])
def test_no_split_changes_the_words_of_an_error(before: str) -> None:
    """Outside of a string half a surrogate pair is refused, whether the other half has come or not."""
    whole = outcome([f"{before}\ud83d\ude00"])
    assert whole[0] is None
    assert outcome([f"{before}\ud83d", "\ude00"]) == whole
    assert outcome([before, "\ud83d", "\ude00"]) == whole


@given(st.data(), DOCUMENTS | TEXTS)
def test_no_split_changes_what_is_reported(data: st.DataObject, text: str) -> None:
    whole = outcome([text])
    assert outcome(data.draw(splits(text))) == whole
    assert outcome(list(text)) == whole


@given(DOCUMENTS)
def test_every_value_of_a_document_is_reported_once(document: str) -> None:
    def places(value: Any, path: tuple[str | int, ...] = ()) -> Any:
        items = (
            value.items() if isinstance(value, dict) else enumerate(value if isinstance(value, list) else [])
        )
        for key, item in items:
            yield from places(item, (*path, key))
        yield path, value

    completed, value = outcome([document, " "])
    assert completed == list(places(value))


@given(TEXTS)
@example("[1e300, -0, 1E5, 0.0]")
@example("1e400")
@example('{"a": 1, "a": 2}')
def test_it_is_json_to_this_and_to_an_accumulator_where_it_is_to_json_loads(text: str) -> None:
    try:
        truth = strictly(text)
    except ValueError:
        assert outcome([text])[0] is None
        with pytest.raises(ValueError, match=r"."):
            strict_json.loads(joined(text))
    else:
        assert repr(outcome([text])[1]) == repr(truth) == repr(strict_json.loads(joined(text)))


@given(TEXTS)
def test_an_error_before_the_end_is_final_and_one_at_the_end_is_not(text: str) -> None:
    completed, error = outcome([text])
    if completed is None:
        _, offset, incomplete = error
        continued = [outcome([text, more]) for more in ["", "0", '"', "]", "}", '"}]']]
        assert incomplete or all(found == (None, error) for found in continued)
        assert offset == len(joined(text)) if incomplete else offset < len(joined(text))
