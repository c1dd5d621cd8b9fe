"""One target under atheris: ``python -m fuzz.engine TARGET`` and libFuzzer's options.

Writes what libFuzzer writes, and a line ``runs: N`` every half second, which it does not: how many inputs
were tried so far.  TARGET is the name of a module of ``fuzz.targets``, or the full name of another one.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable
from types import ModuleType

from .mutator import mutate

REPORT_EVERY = 0.5  # seconds


def target(name: str) -> ModuleType:
    """The module of a target."""
    return importlib.import_module(name if "." in name else f"fuzz.targets.{name}")


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
    with atheris.instrument_imports(include=["sse_core.framing"]):
        importlib.import_module("sse_core.framing")
    module = target(name)

    def change(data: bytes, max_size: int, seed: int) -> bytes:
        return mutate(
            data,
            max_size,
            seed,
            header=module.HEADER,
            pieces=module.PIECES,
            mutate_bytes=atheris.Mutate,
        )

    atheris.Setup([program, *options], counting(module.check), custom_mutator=change)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
