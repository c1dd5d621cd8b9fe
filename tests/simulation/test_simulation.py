"""A few hundred worlds, and whether they are what they are said to be: replayable, full of faults, sharp."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from sse_core.lifecycle import Outcome, ReaderOutcome
from tests.simulation import __main__ as command
from tests.simulation import mutants
from tests.simulation.mutation import Mutation
from tests.simulation.mutations import MUTATIONS
from tests.simulation.provider import BEHAVIOURS
from tests.simulation.scenario import play
from tests.simulation.world import Broken

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "simulation.md").read_text("utf-8")
WORLDS = 250
#: Beside what providers do and how turns end.
HAPPENS = {
    "broadcast closed",
    "client comes back",
    "client moves",
    "client reconnects",
    "client vanishes",
    "connected late",
    "connection cut",
    "connection hangs",
    "gap",
    "gap with snapshot",
    "log full",
    "merged event",
    "retry",
    "stop",
    "taken back",
}


def test_every_invariant_holds_and_everything_happens() -> None:
    seen: Counter[str] = Counter()
    for seed in range(WORLDS):
        seen += play(seed).seen
    outcomes = {f"outcome {outcome.value}" for outcome in Outcome}
    readers = {f"reader {outcome.value}" for outcome in ReaderOutcome}
    providers = {f"provider {behaviour}" for behaviour in BEHAVIOURS}
    assert (HAPPENS | outcomes | readers | providers) - seen.keys() == set()


def trace_of(seed: int) -> list[str]:
    lines: list[str] = []
    world = play(seed, lines.append)
    return [*lines, f"seed {seed}: {world.steps} steps, {world.now:.0f} s, every invariant holds"]


@pytest.mark.parametrize("seed", [0, 1, 7, 42])
def test_the_same_seed_is_the_same_world(seed: int) -> None:
    assert trace_of(seed) == trace_of(seed)
    assert trace_of(seed) != trace_of(seed + 1)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    # Strings hash differently in each process, so a world that hangs on their order shows.
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "random"},
        timeout=50,
    )


def test_a_replay_shows_what_happened() -> None:
    ended = run("tests.simulation", "--replay", "7")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == trace_of(7)


def test_a_broken_world_is_shown_with_the_line_that_replays_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(seed: int, _: object = None) -> object:
        if seed == 3:
            raise Broken("seed 3: an invariant [step 5, 1.000 s] in detail")
        return play(seed)

    monkeypatch.setattr(command, "play", broken)
    assert command.main(["--seeds", "5", "--jobs", "1"]) == 1
    printed = capsys.readouterr().out
    assert "BROKEN  seed 3: an invariant [step 5, 1.000 s] in detail" in printed
    assert "replay: python -m tests.simulation --replay 3" in printed
    assert "; 1 broken" in printed
    assert command.main(["--replay", "3"]) == 1
    assert capsys.readouterr().out.startswith("BROKEN  seed 3")


def test_processes_change_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    figures = []
    for jobs in ("1", "2"):
        assert command.main(["--first", "100", "--seeds", "40", "--jobs", jobs]) == 0
        *counts, total = capsys.readouterr().out.splitlines()
        figures.append((counts, total.partition(" turns, ")[0]))
    assert figures[0] == figures[1]


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_each_bug_has_its_place(mutation: Mutation) -> None:
    path = ROOT / f"{mutation.module.replace('.', '/')}.py"
    text = mutants.mutated(mutation, path.read_text())
    compile(text, path, "exec")
    assert text != path.read_text()


def test_a_bug_without_a_place_is_an_error() -> None:
    with pytest.raises(
        ValueError, match=r"gap-not-reported: its place is in sse_core\.lifecycle\.log\.turn_log 0 times"
    ):
        mutants.mutated(mutants.BY_NAME["gap-not-reported"], "")


def test_bugs_are_found(capsys: pytest.CaptureFixture[str]) -> None:
    """Two of them; `make mutants` looks at all."""
    assert mutants.main(["gap-for-ever", "id-not-sent", "--jobs", "2", "--limit", "20"]) == 0
    assert "2 of 2 were found" in capsys.readouterr().out


def test_a_bug_that_survives_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert mutants.main(["tool-repeated", "--limit", "0"]) == 1
    assert "SURVIVED" in capsys.readouterr().out


def test_a_mutant_s_world_can_be_replayed() -> None:
    found = run("tests.simulation.mutants", "--inside", "gap-not-reported").stdout.splitlines()[-1]
    _, seeds, _, problem = found.split(" ", 3)
    again = run("tests.simulation.mutants", "--inside", "gap-not-reported", "--replay", str(int(seeds) - 1))
    assert again.stdout.splitlines()[-1].split(" ", 3)[3] == problem
    assert len(again.stdout.splitlines()) > 3


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_the_page_names_each_bug(mutation: Mutation) -> None:
    assert f"| `{mutation.name}` | {mutation.breaks} |" in PAGE
