"""``python -m tests.simulation.mutants``: whether the simulation finds the bugs of ``mutations.py``.

A mutant lives in a process of its own: its module is compiled from the changed text, before anything else
has imported it.
"""

from __future__ import annotations

import argparse
import importlib.machinery
import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.abc import MetaPathFinder
from itertools import count
from pathlib import Path
from types import CodeType, ModuleType

from .mutation import Mutation
from .mutations import MUTATIONS

LIMIT = 60.0
ROOT = Path(__file__).parents[2]
BY_NAME = {mutation.name: mutation for mutation in MUTATIONS}
EPILOG = """examples:
  make mutants                                                  each mutant, at most 60 seconds
  python -m tests.simulation.mutants gap-not-reported retry-after-output   only these
  python -m tests.simulation.mutants --list                     what there is
  python -m tests.simulation.mutants --inside gap-not-reported --replay 16   what the mutant does in a world
"""


def mutated(mutation: Mutation, source: str) -> str:
    """``source`` with the bug in it.  Raises ``ValueError`` where its place is not there once."""
    if source.count(mutation.old) != 1:
        raise ValueError(
            f"{mutation.name}: its place is in {mutation.module} {source.count(mutation.old)} times"
        )
    return source.replace(mutation.old, mutation.new)


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, mutation: Mutation, path: str) -> None:
        super().__init__(mutation.module, path)
        self._mutation = mutation

    def get_code(self, fullname: str) -> CodeType:
        """Compiled from the changed text, and never from what is cached."""
        source = self.get_source(fullname) or ""
        return compile(mutated(self._mutation, source), self.path, "exec", dont_inherit=True)


class _Finder(MetaPathFinder):
    def __init__(self, mutation: Mutation) -> None:
        self._mutation = mutation

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._mutation.module:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.origin is not None:
            spec.loader = _Loader(self._mutation, spec.origin)
        return spec


def inside(mutation: Mutation, limit: float, replay: int | None) -> int:
    """Be the mutant: play worlds until one breaks, or ``limit`` seconds have passed."""
    sys.meta_path.insert(0, _Finder(mutation))
    from .scenario import play  # noqa: PLC0415  (only now: nothing may have been imported before)
    from .world import Broken  # noqa: PLC0415

    begun = time.monotonic()
    for seed in count() if replay is None else (replay,):
        try:
            play(seed, None if replay is None else print)
        except Broken as broken:
            print(f"found {seed + 1} {time.monotonic() - begun:.1f} {broken}")
            return 0
        if time.monotonic() - begun > limit:
            break
    print(f"SURVIVED {seed + 1} {time.monotonic() - begun:.1f}")
    return 0


def outside(mutation: Mutation, limit: float = LIMIT) -> tuple[bool, str]:
    """Start a process for the mutant; whether it was found, and the line that reports it."""
    command = [
        sys.executable,
        "-m",
        "tests.simulation.mutants",
        "--inside",
        mutation.name,
        "--limit",
        str(limit),
    ]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=limit + 60, check=False, cwd=ROOT)
    if ended.returncode != 0:
        return False, f"{mutation.name:26} could not be made: {ended.stderr.strip().splitlines()[-1]}"
    how, seeds, seconds, *why = ended.stdout.strip().splitlines()[-1].split(" ", 3)
    invariant = why[0].partition(": ")[2].partition(" [")[0] if why else mutation.breaks
    return how == "found", f"{mutation.name:26} {how:8} {seeds:>6} seeds {seconds:>6} s  {invariant}"


def main(arguments: list[str]) -> int:
    """Look at these mutants, or at all; the exit status is 1 if one survives."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulation.mutants",
        description="Bugs put in on purpose, each to be found by the simulation within a minute.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these mutants")
    parser.add_argument(
        "--jobs", type=int, default=os.cpu_count() or 1, help="processes at a time (all cores)"
    )
    parser.add_argument("--limit", type=float, default=LIMIT, help="seconds for each (60)")
    parser.add_argument("--list", action="store_true", help="say what each of them breaks")
    parser.add_argument("--inside", metavar="NAME", help="be this mutant, in this process")
    parser.add_argument("--replay", type=int, metavar="SEED", help="with --inside: one world, line by line")
    chosen = parser.parse_args(arguments)
    unknown = [name for name in [*chosen.names, chosen.inside] if name is not None and name not in BY_NAME]
    if unknown:
        parser.error(f"there is no mutant {unknown[0]}; --list says which there are")
    if chosen.inside is not None:
        return inside(BY_NAME[chosen.inside], chosen.limit, chosen.replay)
    mutations = [BY_NAME[name] for name in chosen.names] or list(MUTATIONS)
    if chosen.list:
        for mutation in mutations:
            print(f"{mutation.name:26} {mutation.module}: {mutation.breaks}")
        return 0
    return look_at(mutations, chosen.jobs, chosen.limit)


def look_at(mutations: list[Mutation], jobs: int, limit: float) -> int:
    """Each in its process, so many at a time."""
    survived = 0
    with ThreadPoolExecutor(jobs) as threads:
        for found, line in threads.map(lambda mutation: outside(mutation, limit), mutations):
            survived += not found
            print(line, flush=True)
    print(f"{len(mutations) - survived} of {len(mutations)} were found")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
