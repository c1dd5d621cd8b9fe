"""JSON in fragments, against the JSON test suite and against what other readers make of partial JSON."""

from __future__ import annotations

import base64
import codecs
import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sse_core import JSONFragmentError, JSONFragments, LimitExceeded
from sse_core.blocks import strict_json
from tests.core.blocks.truth import finite, refuse

VECTORS = Path(__file__).resolve().parents[3] / "shared" / "vectors"

if not VECTORS.exists():
    pytest.skip("shared folder missing: the vectors lie beside the checkout", allow_module_level=True)

JSON_SUITE = json.loads((VECTORS / "json_suite.json").read_text("utf-8"))
PARTIAL_JSON = json.loads((VECTORS / "partial_json.json").read_text("utf-8"))
DIFFERENCES = json.loads((Path(__file__).parent / "partial_json_differences.json").read_text("utf-8"))

MALFORMED, INCOMPLETE = "malformed", "incomplete"


def data_of(vector: dict[str, Any]) -> bytes:
    if vector["input_b64"] is not None:
        return base64.b64decode(vector["input_b64"])
    return b"".join(base64.b64decode(part["b64"]) * part["repeat"] for part in vector["input_parts"])


def ids(vectors: list[dict[str, Any]]) -> list[str]:
    return [vector["name"] for vector in vectors]


def two_parts(text: str) -> list[list[str]]:
    """Every split in two, or a hundred of a long text's."""
    step = max(1, len(text) // 100)
    return [[text[:cut], text[cut:]] for cut in range(0, len(text), step)]


def read(fragments: list[str], **options: Any) -> tuple[Any, Any]:
    """The paths that are complete on the way with the types there, and the value; or nothing, and why not."""
    reader = JSONFragments(**options)
    completed: list[Any] = []
    try:
        for fragment in fragments:
            completed += [(path, type(value)) for path, value in reader.receive(fragment)]
        return completed, reader.finish()
    except LimitExceeded as error:
        return None, error.limit
    except JSONFragmentError as error:
        return None, INCOMPLETE if error.incomplete else MALFORMED


#: What the suite leaves open and is refused here: what these say can't be written as JSON again.  All else
#: that it leaves open is as ``json.loads`` has it.
BEYOND_A_DOUBLE = {
    "i_number_huge_exp.json",
    "i_number_neg_int_huge_exp.json",
    "i_number_pos_double_huge_exp.json",
    "i_number_real_neg_overflow.json",
    "i_number_real_pos_overflow.json",
}


def loaded(text: str, **options: Any) -> tuple[bool, Any]:
    """Whether it is JSON to ``json.loads``, to which NaN is none; and the value."""
    try:
        return True, json.loads(text, parse_constant=refuse, **options)
    except (ValueError, RecursionError):
        return False, None


def accepted(parse: Callable[[str], Any], text: str) -> tuple[bool, Any]:
    """Whether a parser takes it; and the value."""
    try:
        return True, parse(text)
    except ValueError:
        return False, None


@pytest.mark.parametrize("vector", JSON_SUITE, ids=ids(JSON_SUITE))
def test_the_json_suite_in_any_two_parts(vector: dict[str, Any]) -> None:
    try:
        text = data_of(vector).decode()
    except UnicodeDecodeError:
        # RFC 8259 section 8.1: "JSON text exchanged between systems that are not part of a closed
        # ecosystem MUST be encoded using UTF-8".  Text is what is read here; this never becomes any.
        assert vector["expect"] != "accept"
        return
    _is_as_json_loads_has_it(vector, text, loaded(text), parse_float=float)
    is_json, value = loaded(text, parse_float=finite)
    _is_as_json_loads_has_it(vector, text, (is_json, value))
    # A tool's arguments are read by the same rule.
    assert repr(accepted(strict_json.loads, text)) == repr((is_json, value))
    assert (is_json != loaded(text)[0]) == (vector["name"] in BEYOND_A_DOUBLE)


def _is_as_json_loads_has_it(
    vector: dict[str, Any], text: str, truth: tuple[bool, Any], **options: Any
) -> None:
    whole = read([text], **options)
    is_json, value = truth
    if is_json:
        assert vector["expect"] != "reject"
        assert repr(whole[1]) == repr(value)
        assert whole[0] or text.strip() == repr(value)  # a number alone is complete at the end
    else:
        assert vector["expect"] != "accept"
        is_open = options.get("parse_float") is not float and vector["name"] in BEYOND_A_DOUBLE
        assert whole in [(None, MALFORMED if is_open else vector["prefix_class"]), (None, "max_depth")]
    assert read(list(text), **options) == whole
    assert all(read(fragments, **options) == whole for fragments in two_parts(text))


def test_what_is_beyond_a_double_is_left_open_by_the_suite() -> None:
    left_open = {vector["name"] for vector in JSON_SUITE if vector["expect"] == "either"}
    assert left_open > BEYOND_A_DOUBLE


def without_unfinished(reader: JSONFragments) -> Any:
    """What is known, but no string that may go on: jiter's mode ``on``."""
    value, path = copy.deepcopy(reader.value), reader.unfinished_path
    if path is None:
        return value
    if not path:
        return None
    container = value
    for key in path[:-1]:
        container = container[key]
    del container[path[-1]]
    return value


def allows_strings(mode: str) -> bool:
    """Whether a mode of another reader shows an unfinished string; of jiter or partial-json-parser."""
    _, _, allowed = mode.partition(":")
    if allowed.startswith("~"):
        return allowed != "~STR"
    return mode == "trailing-strings" or bool({"ALL", "STR"} & set(allowed.split("|")))


def partial(data: bytes, mode: str, size: int) -> Any:
    """What is known of ``data``, by a mode; ``MALFORMED`` or ``INCOMPLETE`` if nothing can be shown."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    reader = JSONFragments()
    try:
        for start in range(0, len(data), size):
            reader.receive(decoder.decode(data[start : start + size]))
        return reader.finish()
    except UnicodeDecodeError:
        return MALFORMED
    except JSONFragmentError as error:
        if not error.incomplete:
            return MALFORMED
    known = reader.value if allows_strings(mode) else without_unfinished(reader)
    return INCOMPLETE if known is None or mode == "off" else known


def agrees(vector: dict[str, Any]) -> bool:
    """Whether the vector's expectation is met, at once and a byte at a time."""
    data, mode = data_of(vector), vector["mode"]
    if "prefix_sweep" in vector:
        sweep = vector["prefix_sweep"]
        expected_type = {"array": list, "object": dict}[sweep["expected_type"]]
        ends = range(sweep["from"], sweep["to"] + 1)
        return all(isinstance(partial(data[:end], mode, len(data)), expected_type) for end in ends)
    found = [partial(data, mode, size) for size in (1, len(data))]
    if "error" in vector:
        due = {"MalformedJSON": [MALFORMED], "PartialJSON": [INCOMPLETE]}
        return all(known in due.get(vector["error"], [MALFORMED, INCOMPLETE]) for known in found)
    if "expected_completion" in vector:
        completion = vector["expected_completion"]
        expected = json.loads(completion["head"] + completion["tail"])
    else:
        expected = vector.get("expected", vector.get("expected_special"))
    return all(known == expected and type(known) is type(expected) for known in found)


@pytest.mark.parametrize("vector", PARTIAL_JSON, ids=ids(PARTIAL_JSON))
def test_partial_json_as_others_read_it(vector: dict[str, Any]) -> None:
    reasons = [entry["reason"] for entry in DIFFERENCES if vector["name"] in entry["vectors"]]
    assert agrees(vector) == (not reasons), reasons


def test_the_differences_are_of_vectors_that_exist() -> None:
    listed = [name for entry in DIFFERENCES for name in entry["vectors"]]
    assert set(listed) <= set(ids(PARTIAL_JSON))
    assert len(listed) == len(set(listed))
