"""The page on the lifecycle: its diagrams are the tables', its examples run, its defaults are the code's."""

from __future__ import annotations

import dataclasses
import inspect
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sse_core.lifecycle import (
    Deadlines,
    EventSource,
    RetryPolicy,
    SourceDeadlines,
    SubscriptionSettings,
    Timer,
    Turn,
    TurnLog,
)
from sse_core.lifecycle.source import source_table
from sse_core.lifecycle.turn import turn_table

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGE = DOCS / "lifecycle.md"
TEXT = PAGE.read_text(encoding="utf-8")
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def build(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(folder / "build.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_diagrams_are_not_stale() -> None:
    result = build(DOCS, "--check")
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_stale_one_is_found_left_alone_by_the_check_and_drawn_anew(tmp_path: Path) -> None:
    shutil.copy(DOCS / "build.py", tmp_path)
    stale = tmp_path / "lifecycle.md"
    stale.write_text(TEXT.replace("BACKOFF --> CONNECTING", "BACKOFF --> STREAMING"))
    checked = build(tmp_path, "--check")
    assert checked.returncode == 1
    assert "lifecycle.md is stale" in checked.stdout
    assert stale.read_text() != TEXT
    assert build(tmp_path).returncode == 0
    assert stale.read_text() == TEXT


@pytest.mark.parametrize("transitions", [turn_table.TRANSITIONS, source_table.TRANSITIONS])
def test_every_transition_is_drawn(transitions: dict[tuple[Timer, Timer], Timer]) -> None:
    for (before, happened), after in transitions.items():
        arrow = re.escape(f"{before.name} --> {after.name}: ")
        assert re.search(rf"{arrow}.*\b{happened.value}\b", TEXT), (before, happened)


def test_the_examples_run() -> None:
    """As one program, in their order."""
    code = "\n".join(block[1] for block in BLOCK.finditer(TEXT))
    assert code.count("assert ") >= 12
    exec(compile(code, str(PAGE), "exec"), {"__name__": "lifecycle_examples"})  # noqa: S102  (it is ours)


def test_the_defaults_are_the_codes() -> None:
    for field in dataclasses.fields(Deadlines):
        assert f"| `{field.name}` | {getattr(Deadlines(), field.name):g} s |" in TEXT
    settings, policy = SubscriptionSettings(), RetryPolicy()
    assert f"`stall` ({settings.stall:g} s)" in TEXT
    assert f"`heartbeat` ({settings.heartbeat:g} s)" in TEXT
    assert f"`idle` ({SourceDeadlines().idle:g} s)" in TEXT
    assert f"`max_attempts` ({policy.max_attempts})" in TEXT
    assert f"`max_retry_after` ({policy.max_retry_after:g} s)" in TEXT
    assert (
        f"it is {policy.initial_delay:g} s, doubled for each attempt, at most {policy.max_delay:g} s" in TEXT
    )
    assert (policy.multiplier, policy.jitter) == (2.0, 0.25), "doubled, and a quarter"


def test_the_bounds_are_the_codes() -> None:
    turn = inspect.signature(Turn).parameters
    assert f"`max_held_events` ({turn['max_held_events'].default})" in TEXT
    assert f"`max_held_bytes` ({turn['max_held_bytes'].default / 2**20:g} MiB)" in TEXT
    assert f"`max_bytes` ({TurnLog('e').max_bytes / 2**20:g} MiB)" in TEXT
    for machine in (Turn, EventSource):
        for name in ("max_line_bytes", "max_event_bytes"):
            assert inspect.signature(machine).parameters[name].default == 16 * 2**20
    assert "`max_line_bytes` or `max_event_bytes` (16 MiB)" in TEXT
