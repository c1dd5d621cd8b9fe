"""One target under atheris: ``python -m fuzz.engine TARGET`` and libFuzzer's options.

Writes what libFuzzer writes, and a line ``runs: N`` every half second, which it does not: how many inputs
were tried so far.  TARGET is the name of a module of ``fuzz.targets``, ``dialect_`` and a dialect's name, or
the full name of another module.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable
from functools import cache
from typing import Any

from .mutator import mutate

REPORT_EVERY = 0.5  # seconds
DIALECT = "dialect_"
#: What is watched: an input is kept if it reaches something new there.
WATCHED = (
    "sse_core.framing",
    "sse_core.blocks",
    "sse_core.dialects",
    "sse_http.content_coding",
    "sse_http.chunk_path",
)

#: Changes the bytes of an input, so that there are this many at most.
MutateBytes = Callable[[bytes, int], bytes]


@cache
def target(name: str) -> Any:
    """The target of this name: a module, or what has the same attributes."""
    if name.startswith(DIALECT):
        from .dialect_target import DialectTarget  # noqa: PLC0415  (no dialect before it is watched)

        return DialectTarget(name.removeprefix(DIALECT))
    return importlib.import_module(name if "." in name else f"fuzz.targets.{name}")


def changed(module: Any, data: bytes, max_size: int, seed: int, mutate_bytes: MutateBytes) -> bytes:
    """An input of a target, changed as the target has it; else as a stream of bytes."""
    if hasattr(module, "change"):
        result: bytes = module.change(data, max_size, seed, mutate_bytes)
        return result
    return mutate(data, max_size, seed, header=module.HEADER, pieces=module.PIECES, mutate_bytes=mutate_bytes)


def counting(check: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """``check``, with a word now and then on how often it ran."""
    runs, due = 0, time.monotonic()

    def run(data: bytes) -> None:
        nonlocal runs, due
        check(data)
        runs += 1
        now = time.monotonic()
        if now >= due:
            due = now + REPORT_EVERY
            sys.stderr.write(f"runs: {runs}\n")
            sys.stderr.flush()

    return run


def main() -> None:
    """Fuzz until libFuzzer's options say that it is enough, or a law is broken."""
    import atheris  # type: ignore[import-untyped]  # noqa: PLC0415  (there is none for every machine, and tests import this module)

    program, name, *options = sys.argv
    with atheris.instrument_imports(include=list(WATCHED)):
        importlib.import_module("sse_core")
        importlib.import_module("sse_http.content_coding")
        importlib.import_module("sse_http.chunk_path")
    module = target(name)

    def change(data: bytes, max_size: int, seed: int) -> bytes:
        return changed(module, data, max_size, seed, atheris.Mutate)

    atheris.Setup([program, *options], counting(module.check), custom_mutator=change)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
