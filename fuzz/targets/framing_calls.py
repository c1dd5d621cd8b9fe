"""Invariant: each call of any sequence gives or raises what WHATWG HTML and the bounds' promises say.

The input is three bytes for the decoder's arguments, and a script of calls (``fuzz/script.py``).
"""

from __future__ import annotations

from fuzz.laws import Make, decoder_does_as_the_model, ours
from fuzz.model import Bounds
from fuzz.pieces import CALLS, CALLS_SEEDS
from fuzz.script import some_of
from sse_core.testing.stream_parts import STREAM_PARTS

HEADER = 3
MAX_LEN = 200
PIECES = (*STREAM_PARTS, *CALLS)
SEEDS = CALLS_SEEDS
MAX_CALLS = 30


def arguments_of(data: bytes) -> tuple[Bounds, str]:
    """Bounds and a remembered last event ID, from three bytes."""
    kind, line, event = data.ljust(3, b"\0")[:3]
    last_event_id = "7" if kind & 4 else ""
    if not kind & 1:
        return Bounds(), last_event_id
    return Bounds(8 + line % 64, event % 64, "skip" if kind & 2 else "fail"), last_event_id


def check(data: bytes, make: Make = ours) -> None:
    """Do each call on the decoder and on the model."""
    bounds, last_event_id = arguments_of(data)
    decoder_does_as_the_model(some_of(data[3:], MAX_CALLS, MAX_LEN), bounds, last_event_id, make)
