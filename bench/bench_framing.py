"""Decode and encode event streams side by side with the peers that are installed and with floors.

    python bench/bench_framing.py [--quick] [--json FILE] [--only NAME] [--part PART ...]

Prints for each corpus and way of cutting it: what an event costs here (median and spread over all rounds,
nanoseconds of CPU time), and how many times as long each floor and each peer takes in the same run.  A peer
that doesn't read the corpus right, or takes too long for it, shows as "-".
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

from framing_corpora import CHUNKINGS, CORPORA, GROWTH, in_chunks
from framing_encoders import encode_steps
from framing_instructions import instructions_of
from framing_measure import Sample, as_json, cpu_time, decode_times, fastest_peer, side_by_side
from framing_peers import FLOORS, OURS, Contender, contenders

#: What is measured by default; counting instructions takes a minute, and valgrind.
PARTS = ("decode", "encode", "growth")


def events_for(message_bytes: float, size: int, *, quick: bool) -> int:
    """How many events a round takes: one to some ten milliseconds of a peer's time."""
    budget = 20_000 if size == 1 else max(300_000, size)
    return max(1 if message_bytes > 2**19 else 8, int(budget / (message_bytes + 40)) // (4 if quick else 1))


def print_decoding(found: dict[str, Contender], only: str, *, quick: bool) -> dict[str, Any]:
    """Each corpus in each way of cutting it."""
    rounds = 5 if quick else 31
    others = [name for name in found if name != OURS]
    print(f"{'decode, ns an event':<34}{'ours':>9}{'spread':>8}   x the time of ours taken by")
    print(f"{'':<34}{'':>9}{'':>8}" + "".join(f"{name[:12]:>13}" for name in others) + "   fastest peer")
    results: dict[str, Any] = {}
    for corpus in CORPORA.values():
        for chunking, size in CHUNKINGS.items():
            if only not in f"{corpus.name}, {chunking}":
                continue
            event = sum(map(len, corpus.message)) / len(corpus.message)
            count = events_for(event, size, quick=quick)
            samples = decode_times(found, corpus, size, count, rounds)
            results.setdefault(corpus.name, {})[chunking] = as_json(samples)
            print_line(f"{corpus.name}, {chunking}", samples, others)
    return results


def print_line(label: str, samples: dict[str, Sample], others: list[str]) -> None:
    """One line of ratios."""
    ours = samples[OURS]
    cells = [f"{samples[name].median / ours.median:.2f}" if name in samples else "-" for name in others]
    peer = fastest_peer(samples)
    best = f"{samples[peer].median / ours.median:.2f} {peer}" if peer else "-"
    print(
        f"{label:<34}{ours.median:>9.0f}{ours.spread:>8.0f}"
        + "".join(f"{cell:>13}" for cell in cells)
        + f"   {best}",
        flush=True,
    )


def print_encoding(*, quick: bool) -> dict[str, Any]:
    """Each shape of event by each encoder."""
    results = {}
    print("\nencode, ns an event")
    for shape, (steps, count) in encode_steps().items():
        samples = side_by_side(steps, 5 if quick else 31, count)
        results[shape] = as_json(samples)
        print(
            f"  {shape:<32}" + "".join(f"{name:>24}{each.median:>7.0f}" for name, each in samples.items()),
            flush=True,
        )
    return results


def growth(contender: Contender, small: list[bytes], large: list[bytes]) -> str:
    """How many times the cost, best of three; nothing for who is too slow to wait for."""
    before, after = (partial(contender.consume, chunks) for chunks in (small, large))
    first = min(map(cpu_time, [before] * 3))
    return "-" if first > 0.4e9 else f"{min(map(cpu_time, [after] * 3)) / first:.1f}"


def print_growth(found: dict[str, Contender], *, quick: bool) -> dict[str, Any]:
    """One event that becomes eight times as large."""
    results: dict[str, Any] = {}
    print("\ngrowth: times the cost for eight times the input (best of three)")
    for shape, (size, stream) in GROWTH.items():
        small, large = (in_chunks(stream(n), size) for n in (1, 8))
        cells = {}
        for name, contender in found.items():
            if name in FLOORS or (quick and name != OURS):
                continue
            cells[name] = growth(contender, small, large)
        results[shape] = cells
        print(f"  {shape:<38}" + "".join(f"{name:>26} {cell}" for name, cell in cells.items()), flush=True)
    return results


def print_instructions(found: dict[str, Contender], only: str) -> dict[str, Any]:
    """Instructions an event, as valgrind counts them."""
    results: dict[str, Any] = {}
    print("\ninstructions an event")
    for corpus in CORPORA.values():
        for chunking in ("an event", "16 KB"):
            if only not in f"{corpus.name}, {chunking}" or corpus.name.startswith("1 MB"):
                continue
            names = (OURS, "split", "launchdarkly-eventsource")
            counts = {name: instructions_of(name, corpus.name, chunking) for name in names if name in found}
            results.setdefault(corpus.name, {})[chunking] = counts
            cells = "".join(f"{name:>26}{count:>8.0f}" for name, count in counts.items())
            print(f"  {f'{corpus.name}, {chunking}':<32}{cells}", flush=True)
    return results


def keep_memory() -> None:
    """Begin again with a malloc that gives nothing back to the system, where malloc is glibc's.

    Else a line of a megabyte costs twice as much for whoever meets fresh pages: which of the contenders that
    is depends on what the one before it left behind.
    """
    if "MALLOC_TRIM_THRESHOLD_" not in os.environ:
        settings = {"MALLOC_TRIM_THRESHOLD_": str(2**30), "MALLOC_MMAP_THRESHOLD_": str(2**25)}
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | settings)  # noqa: S606  (ourselves)


def arguments() -> argparse.Namespace:
    """What to do."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds of fewer events")
    parser.add_argument("--json", type=Path, help="write all figures to this file", metavar="FILE")
    parser.add_argument("--only", default="", help="only lines that hold this", metavar="NAME")
    parts = (*PARTS, "instructions")
    parser.add_argument("--part", nargs="+", choices=parts, default=PARTS, help="what to measure")
    return parser.parse_args()


def main() -> None:
    """Print the figures."""
    chosen = arguments()
    keep_memory()
    found, versions = contenders()
    python = sys.version.split()[0]
    print(f"Python {python}; " + ", ".join(f"{name} {version}" for name, version in versions.items()))
    results: dict[str, Any] = {"python": python, "peers": versions}
    gc.collect()
    gc.freeze()  # or each collection between two measurements would go through all of the peers' modules
    if "decode" in chosen.part:
        results["decode"] = print_decoding(found, chosen.only, quick=chosen.quick)
    if "encode" in chosen.part:
        results["encode"] = print_encoding(quick=chosen.quick)
    if "growth" in chosen.part:
        results["growth"] = print_growth(found, quick=chosen.quick)
    if "instructions" in chosen.part:
        results["instructions"] = print_instructions(found, chosen.only)
    if chosen.json:
        chosen.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
