"""Invariant: any bytes, cut anywhere, mean what WHATWG HTML says of them whole.

The input is a stream with marks (``fuzz/script.py``) where it is cut.
"""

from __future__ import annotations

from fuzz.laws import Make, any_cut_means_the_same, ours
from fuzz.pieces import CUTS, STREAM_SEEDS
from fuzz.script import some_of
from sse_core.testing.stream_parts import STREAM_PARTS

HEADER = 0
MAX_LEN = 160
PIECES = (*STREAM_PARTS, *CUTS)
SEEDS = STREAM_SEEDS
MAX_CALLS = 100


def check(data: bytes, make: Make = ours) -> None:
    """Decode the stream in these chunks, whole, and byte by byte."""
    any_cut_means_the_same([chunk for _, chunk in some_of(data, MAX_CALLS, MAX_LEN)], make)
