"""Names of header fields, and patterns of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import translate
from functools import lru_cache


@lru_cache
def matcher(patterns: tuple[str, ...]) -> Callable[[str], object]:
    """What holds for a name in lower case that is one of these, or fits one that is as ``x-ratelimit-*``."""
    alternatives = "|".join(translate(pattern.lower()) for pattern in patterns)
    return re.compile(alternatives or "(?!)").match
