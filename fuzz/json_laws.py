"""The laws of JSON in fragments as a plain function."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from sse_core import JSONFragmentError, JSONFragments, LimitExceeded
from sse_core.blocks import strict_json
from tests.core.blocks.truth import at, is_prefix, joined, refuse, strictly

#: Makes the reader to judge, with this bound on depth.
MakeReader = Callable[..., JSONFragments]


class Twice(Exception):
    """An object has a key twice: the last one counts, so the first was no part of the truth."""


def fragments_agree(fragments: list[str], max_depth: int, make: MakeReader) -> None:
    """Whatever the cuts are, the same is reported; it is the truth, and so is what is known on the way."""
    text = "".join(fragments)
    values, outcome = _outcome([text], max_depth, make)
    for cut in (fragments, list(text)):
        found = _outcome(cut, max_depth, make)
        assert repr(found) == repr((values, outcome)), f"{cut}: {found} and not {(values, outcome)}"
    try:
        truth = strictly(text)
    except (ValueError, RecursionError):
        assert outcome[0] != "value", f"{text!r} is no JSON"
        return
    is_deep = _depth(truth) > max_depth
    assert outcome[0] == ("max_depth" if is_deep else "value"), f"{text!r}: {outcome}"
    assert repr(strict_json.loads(joined(text))) == repr(truth)
    if not is_deep:
        assert repr(outcome[1]) == repr(truth), f"{outcome[1]!r} and not {truth!r}"
        if not _has_keys_twice(joined(text)):
            _is_true_all_along(fragments, truth, max_depth, make)


def _outcome(fragments: list[str], max_depth: int, make: MakeReader) -> tuple[list[Any], tuple[Any, ...]]:
    """All that is reported of a document, and its value, or the error."""
    reader = make(max_depth=max_depth)
    values: list[Any] = []
    try:
        for fragment in fragments:
            values += copy.deepcopy(reader.receive(fragment))
        return values, ("value", reader.finish())
    except LimitExceeded as error:
        return [], (error.limit,)
    except JSONFragmentError as error:
        return [], (str(error), error.offset, error.incomplete)


def _is_true_all_along(fragments: list[str], truth: Any, max_depth: int, make: MakeReader) -> None:
    reader = make(max_depth=max_depth)
    for fragment in fragments:
        for path, value in reader.receive(fragment):
            assert repr(at(truth, path)) == repr(value), f"{path}: {value!r} is reported"
        known, unfinished = reader.value, reader.unfinished_path
        assert known is None or is_prefix(known, truth), f"{known!r} is known, the truth is {truth!r}"
        if unfinished is not None:
            assert at(truth, unfinished).startswith(at(known, unfinished))


def _depth(value: Any) -> int:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if items is None else 1 + max(map(_depth, items), default=0)


def _has_keys_twice(text: str) -> bool:
    def unique(pairs: list[tuple[str, Any]]) -> None:
        if len({key for key, _ in pairs}) < len(pairs):
            raise Twice

    try:
        json.loads(text, parse_constant=refuse, object_pairs_hook=unique)
    except Twice:
        return True
    return False
