"""What a run has done so far, on one line that overwrites itself."""

from __future__ import annotations

import re
import sys
import time
from dataclasses import dataclass, field
from typing import TextIO

_RUNS = re.compile(r"runs: (\d+)")
_FOUND = re.compile(r"Test unit written to (\S+)")
_STATUS = re.compile(r"cov: (\d+) ft: \d+ corp: (\d+)/")
_LAW = re.compile(r"law: (\S+) (\d+)")


@dataclass
class Progress:
    """One target's figures, read from what its engine prints."""

    target: str
    ends_at: float
    started: float = field(default_factory=time.monotonic)
    runs: int = 0
    edges: int = 0
    corpus: int = 0
    law: str = ""
    findings: list[str] = field(default_factory=list)

    def read(self, line: str) -> None:
        """Take one line of an engine's output."""
        if runs := _RUNS.search(line):
            self.runs = int(runs[1])
        elif status := _STATUS.search(line):
            self.edges, self.corpus = int(status[1]), int(status[2])
        elif law := _LAW.search(line):
            self.law = law[1]
            self.runs += int(law[2])
        elif found := _FOUND.search(line):
            self.findings.append(found[1])

    def __str__(self) -> str:
        now = time.monotonic()
        parts = [
            f"{self.target:<15}",
            f"{self.runs:>11,} runs",
            f"{self.runs / max(now - self.started, 0.001):>8,.0f}/s",
            f"{self.corpus:>5} inputs" if self.corpus else "",
            f"{self.edges:>4} edges" if self.edges else "",
            f"{len(self.findings)} findings",
            f"{max(self.ends_at - now, 0):.0f} s left",
            self.law,
        ]
        return "  ".join(part for part in parts if part)


class Line:
    """Shows a text in place of the one before; where there is no terminal, the last one only."""

    def __init__(self, out: TextIO = sys.stdout) -> None:
        self._out = out
        self._live = out.isatty()
        self._due = 0.0

    def show(self, text: object) -> None:
        """Show this for now, four times a second at most."""
        now = time.monotonic()
        if self._live and now >= self._due:
            self._due = now + 0.25
            self._write(f"\r\x1b[K{str(text)[:110]}")

    def keep(self, text: object) -> None:
        """Show this for good."""
        self._write(f"\r\x1b[K{text}\n" if self._live else f"{text}\n")

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()
