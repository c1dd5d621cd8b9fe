"""HTTP dates, read.

Source: RFC 9110 section 5.6.7, https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

# "A recipient that parses a timestamp value in an HTTP field MUST accept all three HTTP-date formats":
# IMF-fixdate, RFC 850's, and asctime's.  Not by strptime, which would read the names of days and months
# in the language of the process's locale.
_TIME = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
_DATE_FORMATS = tuple(
    re.compile(pattern, re.ASCII)
    for pattern in (
        rf"[A-Z][a-z]{{2}}, (?P<day>\d\d) (?P<month>\w{{3}}) (?P<year>\d{{4}}) {_TIME} GMT",
        rf"[A-Z][a-z]+day, (?P<day>\d\d)-(?P<month>\w{{3}})-(?P<year>\d\d) {_TIME} GMT",
        rf"[A-Z][a-z]{{2}} (?P<month>\w{{3}}) (?P<day>[ \d]\d) {_TIME} (?P<year>\d{{4}})",
    )
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def read_http_date(text: str) -> datetime | None:
    """The moment that ``text`` names, in any of the three formats, or ``None`` if it names none."""
    parts = next((found for form in _DATE_FORMATS if (found := form.fullmatch(text))), None)
    if parts is None or parts["month"] not in _MONTHS:
        return None
    month, day = _MONTHS.index(parts["month"]) + 1, int(parts["day"])
    # "second = 2DIGIT", and 60 is a leap second, which datetime doesn't know.
    second = 59 if parts["second"] == "60" else int(parts["second"])
    try:
        return datetime(
            _year(parts["year"]), month, day, int(parts["hour"]), int(parts["minute"]), second, tzinfo=UTC
        )
    except ValueError:
        return None


def _year(digits: str) -> int:
    # RFC 850 has two of them.  No web server has been before 1970.
    century = 0 if len(digits) == 4 else 1900 if digits >= "70" else 2000
    return century + int(digits)
