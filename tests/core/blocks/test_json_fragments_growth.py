"""Eight times the JSON takes about eight times as long, however it is cut, also when it is looked at."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from sse_core import JSONFragments


def read(document: str, size: int, *, view: bool) -> None:
    reader = JSONFragments()
    for start in range(0, len(document), size):
        reader.receive(document[start : start + size])
        if view:
            _ = reader.value
    assert reader.finish() == json.loads(document)


#: For each shape the length that takes some milliseconds, and what makes a document of about a length.
SHAPES: dict[str, tuple[int, Callable[[int], str]]] = {
    "text": (20_000, lambda n: json.dumps({"content": "lorem ipsum\n" * (n // 12)})),
    "escapes": (20_000, lambda n: json.dumps("\\n" * (n // 4))),
    "pairs": (20_000, lambda n: json.dumps("😀" * (n // 12))),
    "objects": (20_000, lambda n: json.dumps([{"id": i, "name": f"item {i}"} for i in range(n // 30)])),
    "numbers": (20_000, lambda n: json.dumps(list(range(n // 6)))),
    "one_number": (5_000, lambda n: f"[0.{'1' * n}]"),
    "one_key": (20_000, lambda n: json.dumps({"k" * n: 1})),
    "spaces": (20_000, lambda n: f'[{" " * n}{{{" " * n}"a"{" " * n}:1}}]'),
    "deep": (20_000, lambda n: f"[{','.join(['[' * 100 + ']' * 100] * (n // 200))}]"),
}


def seconds(document: str, size: int, *, view: bool) -> float:
    """The best of three, in CPU time; a garbage collector would look through all that the tests hold."""
    times = []
    gc.disable()
    for _ in range(3):
        start = time.process_time()
        read(document, size, view=view)
        times.append(time.process_time() - start)
    gc.enable()
    return min(times)


@pytest.mark.parametrize("size", [1, 20, 2**30])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.untraced
def test_growth_is_linear(shape: str, size: int) -> None:
    length, make = SHAPES[shape]
    length = length // 4 if size == 1 else length
    small, large = (seconds(make(times * length), size, view=True) for times in (1, 8))
    # A square would be 64 times; a busy machine and cold caches may double what is due.
    assert large < 24 * small + 0.01, (small, large)


LONG_STRING = """
import time
from sse_core import JSONFragments

def seconds(view):
    reader = JSONFragments()
    reader.receive('["' + "x" * 2**23)
    started = time.process_time()
    for _ in range(10_000):
        reader.receive("yz")
        assert not view or len(reader.value[0]) > 2**23
    return time.process_time() - started

print(seconds(False), seconds(True))
"""


def test_a_long_string_is_not_copied_for_each_view() -> None:
    """Copying it takes a hundred times as long as all the rest.

    CPython lengthens strings where they are only if nothing traces it, as measuring coverage does; so
    this runs in a process of its own.
    """
    done = subprocess.run(
        [sys.executable, "-c", LONG_STRING], env={}, capture_output=True, text=True, timeout=50, check=True
    )
    without, with_view = map(float, done.stdout.split())
    assert with_view < 10 * without
