"""Invariant: whatever is called with whatever bytes, a decoder holds a small multiple of its bounds at most.

The input is three bytes for the bounds, and a script of calls (``fuzz/script.py``), where a chunk may be
repeated, or be as long as, a thousand times.
"""

from __future__ import annotations

from fuzz.laws import Make, decoder_holds_little, ours
from fuzz.model import Bounds
from fuzz.pieces import CALLS, MEMORY_SEEDS, REPEATS
from fuzz.script import some_of
from sse_core.testing.stream_parts import STREAM_PARTS

HEADER = 3
MAX_LEN = 200
PIECES = (*STREAM_PARTS, *CALLS, *REPEATS)
SEEDS = MEMORY_SEEDS
MAX_CALLS = 1_000
MAX_BYTES = 2**15


def bounds_of(data: bytes) -> Bounds:
    """Bounds of up to 1 KB, from three bytes; or none, and then it is seen only that nothing is raised."""
    kind, line, event = data.ljust(3, b"\0")[:3]
    if kind & 2:
        return Bounds()
    return Bounds(8 + 4 * line, 4 * event, "skip" if kind & 1 else "fail")


def check(data: bytes, make: Make = ours) -> None:
    """Do each call, and weigh the decoder after it."""
    decoder_holds_little(some_of(data[3:], MAX_CALLS, MAX_BYTES), bounds_of(data), make)
