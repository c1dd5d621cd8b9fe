"""JSON as RFC 8259 has it, both ways, and one kind of failure.

Python's own parser takes ``NaN`` and ``Infinity``, which are not JSON, and raises
``RecursionError`` for what is nested too deeply.  Here everything that can't be read is a
``ValueError``.

Source: https://www.rfc-editor.org/rfc/rfc8259
"""

from __future__ import annotations

import json
import math
from typing import Any

from . import json_structure
from .surrogates import holds_half

JSON = Any  #: a JSON value; the recursive type says no more to a reader and needs a cast everywhere
JSONObject = dict[str, JSON]

#: How deeply arrays and objects may be nested, here and in ``JSONFragments``.
MAX_DEPTH = json_structure.MAX_DEPTH


def is_blank(text: str) -> bool:
    """Whether ``text`` is white space only, as JSON knows it (RFC 8259 section 2): less than Python does."""
    return not text.strip(" \t\r\n")


def loads(text: str) -> JSON:
    """The value of the JSON ``text``.

    Raises ``ValueError`` for what is no JSON, for a number beyond the range of a double, and for
    arrays and objects nested deeper than ``MAX_DEPTH``.
    """
    # Few texts have so many brackets; only they are looked at.
    if text.count("[") + text.count("{") > MAX_DEPTH and _is_deep(text):
        raise ValueError("nested too deeply")
    try:
        return _decoder.decode(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def dumps(value: JSON) -> str:
    """``value`` as compact JSON that can always be sent as UTF-8.

    Raises ``ValueError`` for a number that JSON can't hold, ``TypeError`` for anything else that
    is no JSON value.
    """
    text = _encoder.encode(value)
    # RFC 3629 section 3: "The definition of UTF-8 prohibits encoding character numbers between
    # U+D800 and U+DFFF".  Half of a surrogate pair can travel as an escape only.
    return _ascii_encoder.encode(value) if holds_half(text) else text


def string_at(text: str, position: int) -> tuple[str, int]:
    """The string whose opening quote is at ``position`` of the JSON ``text``, and where it ends.

    Raises ``ValueError`` for one that is cut or holds what a string can't.
    """
    found: tuple[str, int] = _scan_string(text, position + 1)
    return found


def _is_deep(text: str) -> bool:
    return json_structure.depth_of(text.encode("utf-8", "surrogatepass")) > MAX_DEPTH


def _refuse(constant: str) -> JSON:
    # RFC 8259 section 6: "Numeric values that cannot be represented in the grammar below (such
    # as Infinity and NaN) are not permitted."
    raise ValueError(f"{constant} is not JSON")


def finite(number: str) -> float:
    """The double that a number's text stands for.  Raises ``ValueError`` for one beyond a double's range."""
    value = float(number)
    # RFC 8259 section 6: "This specification allows implementations to set limits on the range
    # and precision of numbers accepted."  What is read here must be writable again.
    if math.isinf(value):
        raise ValueError("a number beyond the range of a double")
    return value


#: What ``json`` itself reads a string with: by way of its decoder it takes three calls more.
_scan_string = json.decoder.scanstring  # type: ignore[attr-defined]
_decoder = json.JSONDecoder(parse_constant=_refuse, parse_float=finite)
_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_ascii_encoder = json.JSONEncoder(allow_nan=False, separators=(",", ":"))
