"""What JSON costs that is read in fragments, beside ``json.loads`` of the whole.

Two documents of 10 KB to 10 MB, one long text and a list of objects, in fragments of 4 and of 20
characters and in one, without and with a look at the live view after each.  Three figures for each:
microseconds a fragment; how many times ``json.loads`` of the whole all fragments take; and how many times
what a tenth of the document took (``x``; linear is 10).  CPU time, the best of several rounds.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from functools import partial

from sse_core import JSONFragments

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
ROUND_CHARS = 1_000_000  #: so many characters are read at least, in rounds of the same
FRAGMENTS = {"4": 4, "20": 20, "one": SIZES[-1]}  #: their lengths in characters


def text_document(size: int) -> str:
    """A tool's arguments with one long string: lines of prose."""
    return json.dumps({"path": "a.txt", "content": "The quick brown fox jumps over it.\n" * (size // 36)})


def objects_document(size: int) -> str:
    """A list of small objects."""
    items = [{"id": i, "name": f"item {i}", "price": i / 8, "sold": i % 2 == 0} for i in range(size // 64)]
    return json.dumps({"items": items})


def read(fragments: list[str], *, view: bool) -> None:
    """Read the document, and look at what is known after each fragment if ``view``."""
    reader = JSONFragments()
    for fragment in fragments:
        reader.receive(fragment)
        if view:
            _ = reader.value
    reader.finish()


def best(work: Callable[[], object], rounds: int) -> float:
    """CPU seconds of the fastest round."""
    times = []
    for _ in range(rounds):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)


def measure(make: Callable[[int], str], length: int, *, view: bool) -> list[str]:
    """The figures for each size, as text."""
    cells = []
    before = 0.0
    for size in SIZES:
        document = make(size)
        fragments = [document[start : start + length] for start in range(0, len(document), length)]
        rounds = max(2, ROUND_CHARS // size)
        ours = best(partial(read, fragments, view=view), rounds)
        whole = best(partial(json.loads, document), rounds)
        growth = f"{ours / before:5.1f}x" if before else " " * 6
        cells.append(f"{ours / len(fragments) * 1e6:11.2f} us {ours / whole:5.0f} {growth}")
        before = ours
    return cells


def main() -> None:
    """Print the figures."""
    print(f"Python {sys.version.split()[0]}; microseconds a fragment, times json.loads of the whole, growth")
    print(f"{'':<26}" + "".join(f"{size:>27,}" for size in SIZES))
    for name, make in {"text": text_document, "objects": objects_document}.items():
        for label, length in FRAGMENTS.items():
            for view in (False, True):
                shown = f"{name}, {label}{', view' if view else ''}"
                print(f"{shown:<26}" + "".join(measure(make, length, view=view)), flush=True)


if __name__ == "__main__":
    main()
