"""How a JSON text is built: its brackets, commas and colons, counted before anything is made of it.

What a text costs to read is not its length but what it is made of: an image of 20 MB is one string, which
is copied; a megabyte of ``[],[],`` is half a million objects.  Distinguishing the two takes a few passes of
C over the bytes, about a tenth of what reading the text would.

Up to the first place where a text is no JSON the count is exact; from there on it may be anything, but
there a parser stops.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, fields
from itertools import accumulate

from ..errors import LimitExceeded

#: How deeply arrays and objects may be nested.  RFC 8259 section 9: "An implementation may set limits on
#: the maximum depth of nesting."  What is within it can be written, compared and shown in half of
#: Python's stack.
MAX_DEPTH = 512

#: Bytes that are looked at together: they stay in a processor's cache.
_PIECE_BYTES = 64 * 1024
#: Bytes that are counted first.  What is beyond a bound so early need not be counted to its end: a list of
#: 32 MiB of empty objects is refused in a tenth of the time.
_FIRST_BYTES = 1024 * 1024
_SIGNS = b"[]{},:"
# RFC 8259 section 7: what may follow a backslash.  Without the letters, `\n"` would look like `\"`.
_KEPT = _SIGNS + b'"\\' + b"/bfnrtu"
_NOT_KEPT = bytes(range(256)).translate(None, _KEPT)
_NOT_A_BRACKET = bytes(range(256)).translate(None, b"[]{}")
#: One step down at each opening bracket, and one up (255 is -1 as a signed byte) at each closing one.
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")


@dataclass(frozen=True, slots=True)
class JSONBounds:
    """How much a JSON text may be made of.

    - ``max_json_items``: opening brackets, commas and colons, strings apart; an object with a hundred fields
      has two hundred.
    - ``max_json_depth``: arrays and objects in one another, ``MAX_DEPTH`` at most.
    - ``max_json_escapes``: backslashes, each of which costs as much as many plain characters.

    Raises ``ValueError`` for a bound below 1, and for a depth beyond ``MAX_DEPTH``.
    """

    max_json_items: int = 200_000
    max_json_depth: int = MAX_DEPTH
    max_json_escapes: int = 3_000_000

    def __post_init__(self) -> None:
        for bound in fields(self):
            if not getattr(self, bound.name) >= 1:
                raise ValueError(f"{bound.name} must be 1 or more")
        if self.max_json_depth > MAX_DEPTH:
            raise ValueError(f"max_json_depth must be {MAX_DEPTH} or less")

    def check(self, text: bytes) -> None:
        """Count what ``text``, JSON in UTF-8, is made of.  Raises ``LimitExceeded``."""
        if len(text) > 2 * _FIRST_BYTES:
            # No count of a beginning is more than that of all: what is cut is cut within one string.
            self._count(text[:_FIRST_BYTES])
        self._count(text)

    def _count(self, text: bytes) -> None:
        kept = _kept(text)
        self._check("max_json_escapes", kept.count(b"\\"))
        kept = _without_escapes(kept)
        # A string is a value or a name, so there are at most as many as there are items, and one.
        self._check("max_json_items", kept.count(b'"') // 2 - 1)
        signs = _without_strings(kept)
        self._check("max_json_items", len(signs) - signs.count(b"]") - signs.count(b"}"))
        self._check("max_json_depth", _depth(signs))

    def _check(self, limit: str, count: int) -> None:
        bound: int = getattr(self, limit)
        if count > bound:
            message = f"it is beyond {limit}={bound}"
            raise LimitExceeded(message, limit=limit, bound=bound, status=400)


def depth_of(text: bytes) -> int:
    """How deeply arrays and objects are nested in ``text``, JSON in UTF-8."""
    return _depth(_without_strings(_without_escapes(_kept(text))))


def _kept(text: bytes) -> bytes:
    starts = range(0, len(text), _PIECE_BYTES)
    return b"".join([text[start : start + _PIECE_BYTES].translate(None, _NOT_KEPT) for start in starts])


def _without_escapes(kept: bytes) -> bytes:
    # A backslash that is escaped itself escapes no quotation mark; where none stands before one, it may stay.
    if b'\\\\"' in kept:
        kept = kept.replace(b"\\\\", b"")
    return kept.replace(b'\\"', b"")


def _without_strings(kept: bytes) -> bytes:
    return b"".join(kept.split(b'"')[::2]).translate(None, b"\\/bfnrtu")


def _depth(signs: bytes) -> int:
    steps = array("b", signs.translate(_STEPS, _NOT_A_BRACKET))
    return max(accumulate(steps), default=0)
