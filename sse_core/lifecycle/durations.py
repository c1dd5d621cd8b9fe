"""Numbers of seconds: as people and peers write them, and as settings hold them."""

from __future__ import annotations

import dataclasses
import math
import re

from ..arguments import check_type

# Written out, because float() also takes "nan", "inf", "1_0" and other people's digits.
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")


def read_number(text: str) -> float | None:
    """The decimal number that ``text`` is, or ``None`` if it is none."""
    return float(text) if _NUMBER.fullmatch(text) else None


def check_number(name: str, value: object, *others: type) -> None:
    """See that a setting is a number.  Raises ``TypeError`` that names it."""
    check_type(name, value, int, float, *others)


def check_durations(settings: object, *names: str) -> None:
    """See that each field of a dataclass is a number of seconds above zero, or ``None``.

    With ``names``, only those fields.  Raises ``ValueError`` or ``TypeError`` that names the field.  A
    wait of zero seconds would be over before it began, again and again; one that isn't finite would never
    be over, and that is ``None``.
    """
    fields = [field.name for field in dataclasses.fields(settings)]  # type: ignore[arg-type]  # any dataclass
    for name in names or fields:
        seconds = getattr(settings, name)
        check_number(name, seconds, type(None))
        if seconds is not None and not 0 < seconds < math.inf:
            raise ValueError(f"{name} must be a number of seconds above zero, or None: {seconds!r}")
