"""How long an error asks to wait, in its own fields.

OpenAI's ``usage_limit_reached`` says when the window of a plan ends: ``resets_in_seconds``, or
``resets_at``, a moment, which is read against the answer's own ``Date``.  Responses has headers within the
error.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime

from ..blocks.strict_json import JSON, JSONObject
from ..headers import Headers
from ..http_date import read_http_date

#: The answer to nobody: an error within a stream has no headers of its own.
_NO_HEADERS = Headers()


def take_delay(error: JSONObject, headers: Headers = _NO_HEADERS) -> float | None:
    """The delay that ``error`` asks for, in seconds, or ``None``.

    ``retry_after`` is taken out, if it is a number: it has a name of its own here.  ``headers`` are those of
    the answer.
    """
    own: JSON = error.get("retry_after")
    if type(own) in (int, float) and math.isfinite(own) and own >= 0:
        return float(error.pop("retry_after"))
    within = error.get("headers")
    if isinstance(within, dict):
        values = {name.lower(): value for name, value in within.items()}
        milliseconds, seconds = _positive(values.get("retry-after-ms")), _positive(values.get("retry-after"))
        if milliseconds is not None or seconds is not None:
            return seconds if milliseconds is None else milliseconds / 1000
    left = _positive(error.get("resets_in_seconds"))
    return _until(error.get("resets_at"), headers.get("date")) if left is None else left


def _until(moment: JSON, date: str | None) -> float | None:
    """Seconds from the answer's ``Date`` to a moment: of the clock of Unix, or as ISO 8601 writes it."""
    now = read_http_date(date or "")
    later = _positive(moment)
    if now is None or (later is None and not isinstance(moment, str)):
        return None
    try:
        then = datetime.fromisoformat(moment) if later is None else datetime.fromtimestamp(later, UTC)
        seconds = (then - now).total_seconds()
    except (ValueError, TypeError, OverflowError, OSError):
        return None
    return seconds if seconds > 0 else None


def _positive(value: JSON) -> float | None:
    if type(value) not in (str, int, float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and number > 0 else None
