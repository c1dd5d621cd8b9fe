"""Inputs that broke a law once, or that do all that was ever done: the laws hold for each.

``fuzz/regressions/TARGET--what.bin`` is a finding, made small and named; ``fuzz/corpus`` is a selection of
the inputs that coverage has led to.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from fuzz.corpus import ROOT, seeds
from fuzz.engine import target
from fuzz.runner import TARGETS

REGRESSIONS = sorted((ROOT / "fuzz" / "regressions").glob("*.bin"))


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in REGRESSIONS] or [None])
def test_what_was_found_once_holds_now(path: Path | None) -> None:
    if path is None:
        return  # nothing has been found yet
    name = path.stem.partition("--")[0]
    target(name).check(path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
def test_what_a_target_begins_with_holds(name: str) -> None:
    inputs = seeds(name)
    assert len(inputs) >= 5
    for data in inputs:
        target(name).check(data)


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_states_its_invariant_on_line_one(name: str) -> None:
    assert (target(name).__doc__ or "").startswith("Invariant: ")
