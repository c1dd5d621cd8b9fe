"""Runs the laws and the targets one after another, each for its share of the time."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path

from . import corpus
from .dialect_laws import registered
from .engine import DIALECT, target
from .progress import Line, Progress
from .replay import shrink_file

TARGETS = (
    *("framing_bytes", "framing_calls", "framing_memory", "encoder", "json_fragments", "accumulator"),
    *("content_coding", "chunks", "tunnel"),
    *(f"{DIALECT}{dialect.name}" for dialect in registered()),
)
LAWS = "laws"
FINDINGS = corpus.FOUND / "findings"

#: How long one input may take, in seconds, before that is a finding; a busy machine is none.
HANG_SECONDS = 60

#: How much earlier than its time a target is made to end, in seconds: starting it takes so long.
START_SECONDS = 1


@dataclass
class Result:
    """What became of one target: its figures, what to run again, and the end of its output."""

    progress: Progress
    broken: bool
    again: list[str] = field(default_factory=list)
    output: str = ""


def has_atheris() -> bool:
    """Whether there is an engine for the targets on this machine."""
    return importlib.util.find_spec("atheris") is not None


def shares(names: list[str], seconds: float) -> list[tuple[str, float]]:
    """Each name and its seconds; the laws, of which there are many, take twice as much."""
    weights = [2 if name == LAWS else 1 for name in names]
    return [(name, seconds * weight / sum(weights)) for name, weight in zip(names, weights, strict=True)]


def run(names: list[str], seconds: float, line: Line) -> list[Result]:
    """Run all of these, and show how it goes."""
    results = []
    for name, share in shares(names, seconds):
        work = _laws if name == LAWS else _target
        result = work(name, share, line)
        line.keep(result.progress)
        results.append(result)
    return results


def _watch(command: list[str], progress: Progress, line: Line) -> tuple[int, str]:
    """Run a program to its end, and show its progress.  Gives its exit code and the end of its output."""
    last: deque[str] = deque(maxlen=60)
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command,
        cwd=corpus.ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as program:
        try:
            for text in program.stdout or ():
                last.append(text)
                progress.read(text)
                line.show(progress)
        except BaseException:
            program.terminate()
            raise
    return program.returncode, "".join(last)


def _target(name: str, seconds: float, line: Line) -> Result:
    """Run one target under atheris."""
    found, begin = corpus.FOUND / name, corpus.FOUND / "seeds" / name
    found.mkdir(parents=True, exist_ok=True)
    FINDINGS.mkdir(parents=True, exist_ok=True)
    corpus.write(begin, corpus.seeds(name))
    progress = Progress(name, time.monotonic() + seconds)
    command = [
        *(sys.executable, "-m", "fuzz.engine", name),
        f"-max_total_time={max(round(seconds) - START_SECONDS, 1)}",
        f"-max_len={target(name).MAX_LEN}",
        f"-dict={corpus.dictionary(name)}",
        f"-artifact_prefix={FINDINGS}/{name}-",
        f"-timeout={HANG_SECONDS}",
        *("-reload=0", "-print_final_stats=1", str(found), str(begin)),
    ]
    code, output = _watch(command, progress, line)
    result = Result(progress, broken=code != 0, output=output)
    for path in progress.findings:
        small = shrink_file(name, Path(path))
        result.again.append(_command(f"-m fuzz replay {name} {_short(small)}"))
    return result


def _laws(name: str, seconds: float, line: Line) -> Result:
    """Run the Hypothesis laws, over and over until their time has passed."""
    progress = Progress(name, time.monotonic() + seconds)
    command = [
        *(sys.executable, "-m", "pytest", "fuzz", "-q", "--capture=sys", "--timeout=0"),
        *("--hypothesis-profile=round", f"--fuzz-seconds={seconds}"),
    ]
    code, output = _watch(command, progress, line)
    result = Result(progress, broken=code != 0, output=output)
    if code:
        progress.findings += [text for text in output.splitlines() if text.startswith("FAILED ")] or [output]
        result.again.append(_command("-m pytest fuzz --hypothesis-profile=fuzz --timeout=0 --last-failed"))
    return result


def _command(arguments: str) -> str:
    """A command line of this Python."""
    return f"{_short(Path(sys.executable))} {arguments}"


def _short(path: Path) -> Path:
    """A path as short as it can be, seen from the project's folder."""
    return path.relative_to(corpus.ROOT) if path.is_relative_to(corpus.ROOT) else path
