"""JSON as RFC 8259 has it, both ways, and one kind of failure.

Python's own parser takes ``NaN`` and ``Infinity``, which are not JSON, and raises
``RecursionError`` for what is nested too deeply.  Here everything that cannot be read is a
``ValueError``.

Source: https://www.rfc-editor.org/rfc/rfc8259
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

_SURROGATE = re.compile("[\ud800-\udfff]")


def loads(text: str) -> Any:
    """The value of the JSON ``text``.

    Raises ``ValueError`` for what is no JSON, for a number beyond the range of a double, and for
    arrays and objects nested deeper than Python's own stack goes.
    """
    try:
        return _decoder.decode(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def dumps(value: Any) -> str:
    """``value`` as compact JSON, that can always be sent as UTF-8.

    Raises ``ValueError`` for a number that JSON cannot hold, ``TypeError`` for anything that is
    no JSON value.
    """
    text = _encoder.encode(value)
    # RFC 8259 section 8.2: a half of a surrogate pair can be written as an escape only; UTF-8
    # has no form for it.
    return text if text.isascii() or not _SURROGATE.search(text) else _ascii_encoder.encode(value)


def _refuse(constant: str) -> Any:
    # RFC 8259 section 6: "Numeric values that cannot be represented in the grammar below (such
    # as Infinity and NaN) are not permitted."
    raise ValueError(f"{constant} is not JSON")


def _finite(number: str) -> float:
    value = float(number)
    if math.isinf(value):
        raise ValueError("a number beyond the range of a double")
    return value


_decoder = json.JSONDecoder(parse_constant=_refuse, parse_float=_finite)
_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_ascii_encoder = json.JSONEncoder(allow_nan=False, separators=(",", ":"))
