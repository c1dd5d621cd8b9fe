"""Inputs that broke a law once, or that do all that was ever done: the laws hold for each.

``fuzz/regressions/TARGET--what.bin`` is a finding, made small and named; ``fuzz/seeds`` is a selection of
the inputs that coverage has led to.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from fuzz.corpus import ROOT, seeds
from fuzz.engine import target
from fuzz.replay import breaks
from fuzz.runner import TARGETS, has_atheris

WRONG_TARGET = "tests.core.framing.wrong_target"
NUL_IN_ID = b"\0\0\0id: \0\n\n"


def broken_laws(folder: Path) -> dict[str, Exception]:
    """The findings of a folder that are findings still."""
    errors = {
        path.stem: breaks(path.stem.partition("--")[0], path.read_bytes()) for path in folder.glob("*.bin")
    }
    return {name: error for name, error in errors.items() if error}


def test_what_was_found_once_holds_now() -> None:
    assert broken_laws(ROOT / "fuzz" / "regressions") == {}


def test_what_does_not_hold_would_be_named(tmp_path: Path) -> None:
    """With a decoder that takes NUL in an ID for a character like any other."""
    (tmp_path / "framing_calls--nul.bin").write_bytes(NUL_IN_ID)
    assert broken_laws(tmp_path) == {}
    (tmp_path / f"{WRONG_TARGET}--nul.bin").write_bytes(NUL_IN_ID)
    assert list(broken_laws(tmp_path)) == [f"{WRONG_TARGET}--nul"]


def fuzz(corpus: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fuzz", *arguments],
        cwd=ROOT,
        env={**os.environ, "FUZZ_CORPUS": str(corpus)},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


@pytest.mark.skipif(not has_atheris(), reason="atheris is not installed")
@pytest.mark.slow("the engine instruments all that is imported")
def test_a_finding_fails_the_run_is_made_small_and_can_be_seen_again(tmp_path: Path) -> None:
    done = fuzz(tmp_path, "run", "--seconds", "20", WRONG_TARGET)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 findings" in done.stdout
    command = re.search(r"To see it again: .* -m fuzz replay (\S+) (\S+)", done.stdout)
    assert command is not None
    name, path = command.groups()
    assert len(Path(path).read_bytes()) < 20
    again = fuzz(tmp_path, "replay", name, path)
    assert again.returncode == 1
    assert "AssertionError" in again.stdout
    assert fuzz(tmp_path, "replay", "framing_calls", path).returncode == 0


@pytest.mark.skipif(not has_atheris(), reason="atheris is not installed")
@pytest.mark.slow("the engine instruments all that is imported")
def test_a_run_without_findings_says_so(tmp_path: Path) -> None:
    done = fuzz(tmp_path, "run", "--seconds", "1", "encoder")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"encoder +[\d,]+ runs .* 0 findings", done.stdout)
    assert any((tmp_path / "encoder").iterdir())


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.untraced
def test_what_a_target_begins_with_holds(name: str) -> None:
    inputs = seeds(name)
    assert len(inputs) >= 5
    for data in inputs:
        target(name).check(data)


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_states_its_invariant_on_line_one(name: str) -> None:
    assert (target(name).__doc__ or "").startswith("Invariant: ")
