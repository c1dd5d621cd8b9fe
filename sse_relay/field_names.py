"""Names of header fields, and patterns of them."""

from __future__ import annotations

from collections.abc import Collection
from fnmatch import fnmatchcase


def matches(name: str, patterns: Collection[str]) -> bool:
    """Whether ``name`` is one of these, or fits a pattern such as ``x-ratelimit-*``; all in lower case."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)
