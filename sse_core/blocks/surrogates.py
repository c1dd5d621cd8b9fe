"""Halves of surrogate pairs: providers cut JSON's strings of UTF-16 anywhere, between two halves too.

RFC 8259 section 7: a character outside the Basic Multilingual Plane is escaped as "a 12-character sequence,
encoding the UTF-16 surrogate pair".  https://www.rfc-editor.org/rfc/rfc8259#section-7
"""

from __future__ import annotations

import re

_PAIR = re.compile(r"[\ud800-\udbff][\udc00-\udfff]")
_HALF = re.compile(r"[\ud800-\udfff]")


def with_pairs_joined(text: str) -> str:
    """``text`` with each surrogate pair as the one character that it stands for; a half alone stays."""
    if text.isascii() or not _PAIR.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def holds_half(text: str) -> bool:
    """Whether ``text`` holds a surrogate, which has no UTF-8."""
    return not text.isascii() and _HALF.search(text) is not None


def ends_in_high_half(text: str) -> bool:
    """Whether the last character is the first half of a pair: the other may be on its way."""
    return not text.isascii() and 0xD800 <= ord(text[-1]) <= 0xDBFF
