"""The target of a dialect: ``dialect_NAME``, for each that is registered."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from sse_core import MessageAccumulator, ServerSentEvent, dialects
from sse_core.dialects import Dialect

from .dialect_laws import MakeAccumulator, decoder_holds_little, dialect_obeys
from .events import COUNT, CUT, END, MARK, change, script_of, some_of, streams_of, words_of

STREAMS = Path(__file__).parent / "streams"
#: Words that hosts of all protocols use.
_COMMON = ("message", "error", "type", "index", "id", "x", "[DONE]")


class DialectTarget:
    """Invariant: whatever JSON comes in whatever order, a dialect obeys the laws of ``fuzz/dialect_laws.py``.

    The input is a stream with marks (``fuzz/events.py``).  It begins with the streams of ``fuzz/streams``,
    written by hand from what the provider documents; what fields are called is taken from there.
    """

    HEADER = 0
    MAX_LEN = 2_000
    MAX_STEPS = 300
    MAX_BYTES = 2**15
    #: Of the steps of an input; a repetition is for the law of memory.
    MAX_OTHER_STEPS = 24

    def __init__(self, name: str) -> None:
        self.dialect = dialects.get(name)
        streams = streams_of((STREAMS / f"{name}.sse").read_bytes())
        whole = [script_of(stream) for stream in streams]
        self.WORDS = (*_COMMON, *words_of(streams))
        self.PIECES = tuple(dict.fromkeys(script_of([event]) for stream in streams for event in stream))
        often = (_often(stream[: place + 1]) for stream in streams for place in range(len(stream)))
        self.SEEDS = (*whole, *_cut(whole), *(script for script in often if len(script) <= self.MAX_LEN))

    def change(
        self, data: bytes, max_size: int, seed: int, mutate_bytes: Callable[[bytes, int], bytes]
    ) -> bytes:
        """Change an input."""
        pieces, words = self.PIECES, self.WORDS
        return change(data, max_size, seed, pieces=pieces, words=words, mutate_bytes=mutate_bytes)

    def check(
        self, data: bytes, dialect: Dialect | None = None, accumulator: MakeAccumulator = MessageAccumulator
    ) -> None:
        """Weigh the decoder while it reads all of the stream, then try the other laws on its first events."""
        dialect = dialect or self.dialect
        steps = some_of(data, self.MAX_STEPS, self.MAX_BYTES)
        decoder_holds_little(steps, dialect)
        dialect_obeys(steps[: self.MAX_OTHER_STEPS], dialect, accumulator)


def _often(stream: Sequence[ServerSentEvent]) -> bytes:
    """A stream whose last event comes many times, each time with other numbers and ids."""
    *before, last = (script_of([event]) for event in stream)
    last = re.sub(rb"(?<=:)[0-9]+(?=[,}\]])", COUNT, last)
    last = re.sub(rb'("\w*(?:id|Id|name)":"[^"]*)', rb"\1" + COUNT, last)
    return CUT.join([*before, last]) + MARK + b"7"


def _cut(scripts: Iterable[bytes]) -> list[bytes]:
    """The streams that end in the middle, and go on."""
    return [script[: len(script) // 2] + END + script[len(script) // 2 :] for script in scripts]
