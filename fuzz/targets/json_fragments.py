"""Invariant: any text, cut anywhere, is JSON to JSONFragments where it is to json.loads, and reported truly.

The input is a byte for ``max_depth``, and a text with marks (``fuzz/script.py``) where it is cut.
"""

from __future__ import annotations

from typing import Any

from fuzz.encoding import text_of
from fuzz.json_laws import fragments_agree
from fuzz.pieces import CUTS, JSON_PIECES, JSON_SEEDS
from fuzz.script import some_of
from sse_core import JSONFragments

HEADER = 1
MAX_LEN = 300
PIECES = (*JSON_PIECES, *CUTS)
SEEDS = JSON_SEEDS
WORDS = ("true", "false", "null", "\\u", "\\ud83d", "\\ude00", "1e999", "-0.0", "E+", '"', '":', "[[", "]]")
MAX_CALLS = 100


def check(data: bytes, make: Any = JSONFragments) -> None:
    """Read the text in these fragments, whole, and character by character."""
    max_depth = (data or b"\0")[0] % 12 + 1
    fragments = [text_of(chunk) for _, chunk in some_of(data[1:], MAX_CALLS, MAX_LEN)]
    fragments_agree(fragments, max_depth, make)
