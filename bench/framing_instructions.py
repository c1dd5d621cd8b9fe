"""How many instructions an event takes, as valgrind counts them: a figure that no load changes.

Run as a program it decodes and does nothing else; that is what valgrind runs, twice, with more events the
second time, so that Python's own start is not counted.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

from framing_corpora import CHUNKINGS, CORPORA
from framing_peers import MAKERS

COUNTS = (1_000, 3_000)
_COLLECTED = re.compile(r"Collected : (\d+)")


def instructions_of(contender: str, corpus: str, chunking: str) -> float:
    """Instructions an event; not a number where there is no valgrind."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        return float("nan")
    totals = []
    for count in COUNTS:
        program = [sys.executable, __file__, contender, corpus, chunking, str(count)]
        tool = [valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null"]
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        run = subprocess.run(  # noqa: S603  (our own program)
            tool + program, env=environment, capture_output=True, text=True, check=True
        )
        found = _COLLECTED.search(run.stderr)
        if found is None:
            raise RuntimeError(run.stderr)
        totals.append(int(found[1]))
    return (totals[1] - totals[0]) / (COUNTS[1] - COUNTS[0])


def main() -> None:
    """Decode so many events of a corpus."""
    contender, corpus, chunking, count = sys.argv[1:]
    MAKERS[contender]().consume(CORPORA[corpus].chunks(int(count), CHUNKINGS[chunking]))


if __name__ == "__main__":
    main()
