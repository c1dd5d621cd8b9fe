"""``python -m tests.simulation``: many worlds, with progress and a line that replays what fails."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections import Counter

from .scenario import play
from .world import Broken


def one(seed: int) -> tuple[int, Counter[str], str | None]:
    """The steps of a seed, what happened in it, and what is wrong."""
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
        epilog="make simulate SEEDS=100000; python -m tests.simulation --replay 4711",
    )
    parser.add_argument("--seeds", type=int, default=2000, help="how many worlds (2000)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (0)")
    parser.add_argument("--jobs", type=int, default=1, help="processes (1)")
    parser.add_argument("--replay", type=int, metavar="SEED", help="one world, with all that happens in it")
    chosen = parser.parse_args(arguments)
    if chosen.replay is not None:
        return replay(chosen.replay)
    return run(range(chosen.first, chosen.first + chosen.seeds), chosen.jobs)


def replay(seed: int) -> int:
    """One world, told line by line."""
    try:
        world = play(seed, print)
    except Broken as broken:
        print(f"BROKEN  {broken}")
        return 1
    print(f"seed {seed}: {world.steps} steps, {world.now:.0f} seconds, all invariants hold")
    return 0


def run(seeds: range, jobs: int) -> int:
    """Many worlds."""
    begun = time.monotonic()
    steps, done, seen, broken = 0, 0, Counter[str](), []
    with multiprocessing.Pool(jobs) as pool:
        for count, happened, problem in pool.imap_unordered(one, seeds, chunksize=20):
            done += 1
            steps += count
            seen += happened
            if problem is not None:
                broken.append(problem)
                print(f"\nBROKEN  {problem}", f"replay: {_replay_line(problem)}", sep="\n")
            if done % 100 == 0 or done == len(seeds):
                _progress(done, len(seeds), steps, seen["turn"], len(broken), time.monotonic() - begun)
    seconds = time.monotonic() - begun
    print(
        f"\nseeds {seeds.start} to {seeds.stop - 1}: {steps:,} steps, {seen['turn']:,} turns, {seconds:.0f} s"
    )
    for what, count in sorted(seen.items()):
        print(f"  {count:>10,}  {what}")
    return 1 if broken else 0


def _progress(done: int, all_: int, steps: int, turns: int, broken: int, seconds: float) -> None:
    rate = steps / seconds if seconds else 0.0
    line = f"{done}/{all_} worlds, {turns:,} turns, {steps:,} steps, {rate:,.0f} a second, {broken} broken"
    print(f"\r{line}", end="", flush=True, file=sys.stderr)


def _replay_line(problem: str) -> str:
    seed = problem.removeprefix("seed ").partition(":")[0]
    return f"python -m tests.simulation --replay {seed}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
