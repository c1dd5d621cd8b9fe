"""The load's two ends as processes: a provider that paces streams, and readers that look at them.

They are generator.c where there is a C compiler.  Where there is none, python_generator.py does the same, and
costs more than what it measures; ``IN_C`` says which it is.
"""

from __future__ import annotations

import contextlib
import json
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self

from .processes import Running, process, started

HERE = Path(__file__).parent
BETWEEN_STARTS = 0.005  #: seconds between the starts of two streams, if it isn't said otherwise

COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
IN_C = COMPILER is not None

_FOLDERS: list[tempfile.TemporaryDirectory[str]] = []  #: of what was built, to be removed at the end


@cache
def program() -> Sequence[str]:
    """The command that runs the generator; it is built once a run."""
    if COMPILER is None:
        return [sys.executable, str(HERE / "python_generator.py")]
    folder = tempfile.TemporaryDirectory(prefix="sse-load-")
    built = Path(folder.name, "generator")
    command = [COMPILER, "-O2", "-Wall", "-o", str(built), str(HERE / "generator.c")]
    subprocess.run(command, check=True)  # noqa: S603  (the compiler that is on the PATH)
    _FOLDERS.append(folder)
    return [str(built)]


@contextlib.contextmanager
def provider(rate: float, events: int = 0, pad: int = 0) -> Iterator[Running]:
    """A provider: its process and its port.

    - ``rate``: tokens a second of each stream, after the first, which comes at once.
    - ``events``: after so many a stream ends; 0: never.
    - ``pad``: bytes of text in each token.
    """
    with started([*program(), "provider", str(rate), str(events), str(pad)]) as running:
        yield running


@dataclass(frozen=True)
class Report:
    """What readers saw while they did what they were told.  Times are in microseconds."""

    tokens: int
    lost: int  #: numbers that were left out
    disordered: int  #: tokens that came after a later one, or twice
    comments: int  #: heartbeats
    bytes: int
    ended: int  #: streams that came to their end
    cut: int  #: streams that ended before it
    refused: int  #: answers of another status than 200
    open: int  #: streams that are open now
    waiting: int  #: streams that are open and have brought nothing yet
    seconds: float
    p50: float  #: of what a token was on its way, from the provider's write to the reader's read
    p99: float
    p999: float
    max: float
    gap: float  #: the longest that a stream brought nothing
    first: float  #: the median time to a stream's first token, from before it connected
    own_cpu: float  #: seconds that the readers themselves have taken, since they began

    @property
    def whole(self) -> bool:
        """Whether each token came, once and in its order, of streams that nobody cut."""
        return not (self.lost or self.disordered or self.cut or self.refused)


class Readers:
    """Readers of the streams of ``port``, in a process of their own; they leave at the end."""

    def __init__(self, port: int, path: str | None = None) -> None:
        command = [*program(), "readers", str(port), *([] if path is None else [path])]
        self._process = process(command, stdin=subprocess.PIPE)

    def __enter__(self) -> Self:
        self._running = self._process.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.__exit__(kind, error, trace)

    def add(self, streams: int, between: float = BETWEEN_STARTS, *, reads: bool = True) -> Report:
        """Open streams, ``between`` seconds from each other; without ``reads`` nobody takes what comes."""
        return self._do(f"add {streams} {between * 1e6:.0f} {reads:d}")

    def wait(self, patience: float = 20.0) -> Report:
        """Wait until each stream has brought something; raises ``EOFError`` after ``patience`` seconds."""
        report = self._do(f"wait {patience}")
        if report.waiting:
            raise EOFError(f"{report.waiting} streams brought nothing within {patience} s")
        return report

    def run(self, seconds: float) -> Report:
        """Read for so many seconds."""
        return self._do(f"run {seconds}")

    def churn(self, total: int, at_once: int, patience: float) -> Report:
        """Leave, then open a stream whenever another has ended, until ``total`` have."""
        return self._do(f"churn {total} {at_once} {patience}")

    def leave(self) -> Report:
        """Close all streams."""
        return self._do("leave")

    def _do(self, command: str) -> Report:
        self.begin(command)
        return self.finish()

    def begin(self, command: str) -> None:
        """Have something done, of which ``finish`` gives the report; something else can happen meanwhile."""
        assert self._running.stdin is not None  # noqa: S101  (it is a pipe)
        self._running.stdin.write(command + "\n")
        self._running.stdin.flush()

    def finish(self) -> Report:
        """What came of what was begun."""
        assert self._running.stdout is not None  # noqa: S101  (it is a pipe)
        line = self._running.stdout.readline()
        if not line:
            raise EOFError("the readers are gone")
        return Report(**json.loads(line))


def allow_many_sockets() -> int:
    """Raise this process's bound on descriptors, and its children's, as far as it may go; returns it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
