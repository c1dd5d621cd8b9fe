"""A program of examples/, started as a reader would start it."""

from __future__ import annotations

import ast
import os
import queue
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
#: Seconds within which a program says what it is to say, on a machine that is busy.
PATIENCE = 30.0


class Program:
    """``python`` with some arguments, in a process of its own; all that it prints is kept."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self.printed: list[str] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def wait_for(self, pattern: str, seconds: float = PATIENCE) -> str | None:
        """What the pattern's group is in the next line that matches; ``None``, if none does in time."""
        end = time.monotonic() + seconds
        while True:
            try:
                line = self._lines.get(timeout=max(end - time.monotonic(), 0.001))
            except queue.Empty:
                return None
            assert line is not None, f"it has ended, and printed {self.printed}"
            self.printed.append(line)
            if found := re.search(pattern, line):
                return found[1]

    def address(self) -> str:
        """The address that its server says."""
        address = self.wait_for(r"unning on (http://[\d.:]+)")
        assert address is not None, self.printed
        return address

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._thread.join()
        assert self.process.stdout is not None
        self.process.stdout.close()


def shown(name: str) -> str:
    """What a page shows of a file in examples/: all of it behind its docstring and its first import."""
    return (EXAMPLES / name).read_text("utf-8").partition("from __future__ import annotations\n\n")[2]


def lines_of_code(name: str) -> int:
    """How many lines a file in examples/ has, without imports, docstrings and empty lines."""
    source = (EXAMPLES / name).read_text("utf-8")
    left_out: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if is_text or isinstance(node, ast.Import | ast.ImportFrom):
            assert isinstance(node, ast.stmt)
            left_out.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return sum(
        1 for number, line in enumerate(source.splitlines(), 1) if line.strip() and number not in left_out
    )
