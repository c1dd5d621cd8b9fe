"""``python -m tests.simulation``: many worlds, with progress and a line that replays what fails."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator

from .scenario import play
from .world import Broken

EPILOG = """examples:
  make simulate SEEDS=100000 JOBS=2             so many worlds, in two processes
  python -m tests.simulation --first 500000     other worlds
  python -m tests.simulation --replay 4711      one world, line by line
"""
#: Worlds that a process takes at a time.
_AT_A_TIME = 20

#: Steps, what happened how often, and what is wrong, if anything is.
Played = tuple[int, Counter[str], str | None]


def played(seed: int) -> Played:
    """The world of ``seed``."""
    try:
        world = play(seed)
    except Broken as broken:
        return 0, Counter(), str(broken)
    return world.steps, world.seen, None


def main(arguments: list[str]) -> int:
    """Run the worlds; the exit status is 1 if an invariant does not hold in one."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.simulation",
        description="Simulated worlds: providers, networks and clients that misbehave, in virtual time.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seeds", type=int, default=2000, help="how many worlds (2000)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (0)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (all cores)")
    parser.add_argument("--replay", type=int, metavar="SEED", help="one world, with all that happens in it")
    chosen = parser.parse_args(arguments)
    if chosen.replay is not None:
        return replay(chosen.replay)
    if chosen.seeds < 1 or chosen.jobs < 1:
        parser.error("there must be a world, and a process that plays it")
    return run(range(chosen.first, chosen.first + chosen.seeds), chosen.jobs)


def replay(seed: int) -> int:
    """One world, line by line: the moment, the step, what happened."""
    try:
        world = play(seed, print)
    except Broken as broken:
        print(f"BROKEN  {broken}")
        return 1
    print(f"seed {seed}: {world.steps} steps, {world.now:.0f} s, every invariant holds")
    return 0


def run(seeds: range, jobs: int) -> int:
    """Many worlds, and what happened in all of them."""
    begun = shown = time.monotonic()
    steps = broken = 0
    seen: Counter[str] = Counter()
    for done, (count, happened, problem) in enumerate(_all(seeds, jobs), 1):
        steps += count
        seen += happened
        if problem is not None:
            broken += 1
            seed = problem.removeprefix("seed ").partition(":")[0]
            print(f"BROKEN  {problem}\n  replay: python -m tests.simulation --replay {seed}", flush=True)
        if time.monotonic() - shown > 1:
            shown = time.monotonic()
            rate = steps / (shown - begun)
            line = f"{done:,} of {len(seeds):,} worlds, {seen['turn']:,} turns, {steps:,} steps"
            print(f"\r{line}, {rate:,.0f} a second, {broken} broken ", end="", flush=True, file=sys.stderr)
    seconds = time.monotonic() - begun
    print(file=sys.stderr)
    for what, count in sorted(seen.items()):
        print(f"{count:>12,}  {what}")
    print(
        f"seeds {seeds.start} to {seeds.stop - 1}: {steps:,} steps, {seen['turn']:,} turns, {seconds:.1f} s, "
        f"{steps / seconds:,.0f} steps a second in {jobs} process{'es' * (jobs > 1)}; "
        + (f"{broken} broken" if broken else "every invariant holds")
    )
    return 1 if broken else 0


def _all(seeds: range, jobs: int) -> Iterator[Played]:
    if jobs == 1:
        yield from map(played, seeds)
        return
    with multiprocessing.Pool(jobs) as pool:
        yield from pool.imap_unordered(played, seeds, chunksize=_AT_A_TIME)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
