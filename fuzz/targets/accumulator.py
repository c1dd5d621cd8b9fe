"""Invariant: block events of any order are taken or refused by name, and make what a simple model says.

The input is a row of block events with marks (``fuzz/events.py``): each is an array of JSON, its class and
its arguments (``fuzz/block_script.py``).
"""

from __future__ import annotations

from collections.abc import Callable

from fuzz.block_script import SEEDS, STREAMS, events_of
from fuzz.dialect_laws import MakeAccumulator, events_obey
from fuzz.events import change as change_stream
from fuzz.events import script_of, some_of, words_of
from sse_core import MessageAccumulator

HEADER = 0
MAX_LEN = 1_000
MAX_STEPS = 600
MAX_BYTES = 2**15
PIECES = tuple(dict.fromkeys(script_of([event]) for stream in STREAMS for event in stream))
WORDS = tuple(words_of(STREAMS))

__all__ = ["HEADER", "MAX_LEN", "PIECES", "SEEDS", "WORDS", "change", "check"]


def change(data: bytes, max_size: int, seed: int, mutate_bytes: Callable[[bytes, int], bytes]) -> bytes:
    """Change an input."""
    return change_stream(data, max_size, seed, pieces=PIECES, words=WORDS, mutate_bytes=mutate_bytes)


def check(data: bytes, make: MakeAccumulator = MessageAccumulator) -> None:
    """Give each event to an accumulator with small bounds and one without; write it in all dialects."""
    events_obey(events_of(some_of(data, MAX_STEPS, MAX_BYTES)), make)
