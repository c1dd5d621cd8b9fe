"""Accumulate deltas to a message, alone and from bytes on, beside the SDKs, pydantic-ai and a floor.

    python bench/bench_accumulate.py [--quick] [--json FILE] [--part PART ...]

``accumulate``: what a delta costs here, made beforehand, and how many times as long the others take for it;
``growth`` is how many times as long a message takes that is ten times as long.  ``>`` says that a peer was
too slow to be waited for: it would have taken longer.
``pipeline``: what an event costs from bytes to message, and how many times as long the SDK's ``.stream()``
takes.
``growth``: how that grows with the message.

All in CPU time, with the garbage collector on; each round measures each contender once, and medians count.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from accumulate_corpora import CHUNKINGS, SHAPES, SIZES, Shape, anthropic_stream, chat_stream, in_chunks
from accumulate_measure import Cost, Patience, accumulate, as_json, frozen, messages_of, side_by_side
from accumulate_peers import ANTHROPIC, ANTHROPIC_STREAM, MADE, OURS, PYDANTIC_AI, VIEW, contenders, versions
from accumulate_pipelines import PEERS, Pipeline, ours

PARTS = ("accumulate", "pipeline", "growth")
#: Streams by the name of the line: their dialect, and what makes them of fragments.
STREAMS: dict[str, tuple[str, Callable[..., list[bytes]]]] = {
    "anthropic": ("anthropic", anthropic_stream),
    "openai chat": ("openai-chat", chat_stream),
    "openai chat, usage each": (
        "openai-chat",
        lambda fragments, *, is_tool: chat_stream(fragments, is_tool=is_tool, with_usage=True),
    ),
}
#: Events of a message in ``pipeline``.
LENGTHS = (200, 2_000)


def ratio(cost: Cost | None, ours_: Cost) -> str:
    """How many times as long as ours."""
    if cost is None:
        return "-"
    return f"{'' if cost.whole else '>'}{cost.median / ours_.median:.{1 if cost.whole else 0}f}"


def grown(before: Cost | None, now: Cost | None) -> str:
    """How many times as long a message takes that is ten times as long."""
    if before is None or now is None or not before.whole:
        return ""
    return f"{'' if now.whole else '>'}{10 * now.median / before.median:.1f}"


def measure_accumulating(shape: Shape, size: int, volume: int, patience: Patience) -> dict[str, Cost]:
    """What a delta costs each contender that makes the right message of a short text."""
    short = shape.fragments(SIZES[0])
    expected = shape.make(SIZES[0])
    steps = {}
    for name, contender in contenders(is_tool=shape.is_tool).items():
        contender.begin()
        contender.take(contender.deltas(short))
        if contender.end() != (json.loads(expected) if shape.is_tool else expected):
            print(f"  {name} does not make the right message", flush=True)
            continue
        if size <= contender.most:
            messages = messages_of(contender, shape, size, volume)
            steps[name] = lambda contender=contender, messages=messages: accumulate(
                contender, messages, patience
            )
    with frozen():
        return side_by_side(steps, patience)


def print_accumulating(sizes: tuple[int, ...], only: str, patience: Patience) -> dict[str, Any]:
    """Each shape in each size."""
    results: dict[str, Any] = {}
    for shape in (shape for shape in SHAPES.values() if only in shape.name):
        before: dict[str, Cost] = {}
        names = [name for name in contenders(is_tool=shape.is_tool) if name != OURS]
        print(f"\n{shape.name:<20}{'ns':>6}{'growth':>8}   x the time of ours taken by (growth)")
        print(f"{'':<34}" + "".join(f"{name[:21]:>23}" for name in names))
        for size in sizes:
            costs = measure_accumulating(shape, size, sizes[-1], patience)
            results.setdefault(shape.name, {})[size] = as_json(costs)
            cells = ""
            for name in names:
                growth = grown(before.get(name), costs.get(name))
                cells += f"{ratio(costs.get(name), costs[OURS])} {f'({growth})' if growth else '':>9}".rjust(
                    23
                )
            growth = grown(before.get(OURS), costs[OURS])
            print(f"{size:>18,}  {costs[OURS].median:>6.0f}{growth:>8}{cells}", flush=True)
            before = costs
        verdicts(results[shape.name])
    return results


def verdicts(sizes: dict[int, dict[str, Any]]) -> None:
    """What the live view costs beside the SDK, and what makes its events beside pydantic-ai."""
    at = sizes.get(1_000_000, {})
    for peer in (ANTHROPIC, ANTHROPIC_STREAM):
        if peer in at and VIEW in at:
            mark = "" if at[peer]["whole"] else "more than "
            times = at[peer]["median"] / at[VIEW]["median"]
            print(f"  at 1 MB {peer} takes {mark}{times:.0f} times as long as ours with a live view")
    shares = [
        each[MADE]["median"] / each[PYDANTIC_AI]["median"] for each in sizes.values() if PYDANTIC_AI in each
    ]
    if shares:
        print(f"  with its events made, ours takes {min(shares):.2f} to {max(shares):.2f} of {PYDANTIC_AI}")


def timed(pipeline: Pipeline, messages: list[list[bytes]], count: int) -> tuple[float, bool]:
    """Nanoseconds an event."""
    started = time.thread_time_ns()
    for chunks in messages:
        pipeline(chunks)
    return (time.thread_time_ns() - started) / count / len(messages), True


def print_pipelines(patience: Patience) -> dict[str, Any]:
    """Each stream in each way of cutting it, beside the SDK whose protocol it is."""
    results: dict[str, Any] = {}
    print(f"\n{'bytes to message, ns an event':<52}{'ours':>8}{'SDK':>10}{'ratio':>8}")
    for name, (dialect, make) in STREAMS.items():
        for shape in (SHAPES["text"], SHAPES["one big string"]):
            for length in LENGTHS:
                fragments = shape.fragments(30 * length)[:length]
                if shape.is_tool:
                    fragments = shape.fragments(20 * length)
                events = make(fragments, is_tool=shape.is_tool)
                for chunking, size in CHUNKINGS.items():
                    label = f"{name}, {shape.name}, {len(events):,} events, {chunking}"
                    messages = [in_chunks(events, size)] * max(1, 4_000 // length)
                    costs = compare(dialect, shape, messages, len(events), patience)
                    results[label] = as_json(costs)
                    print_pipeline(label, costs)
    return results


def compare(
    dialect: str, shape: Shape, messages: list[list[bytes]], count: int, patience: Patience
) -> dict[str, Cost]:
    """Our pipeline and its peer's, if that is installed and gives the same."""
    pipelines = {OURS: ours(dialect, is_tool=shape.is_tool)}
    name, make = PEERS[dialect]
    try:
        pipelines[name] = make(is_tool=shape.is_tool)
    except ImportError:
        pass
    else:
        if pipelines[name](messages[0]) != pipelines[OURS](messages[0]):
            raise AssertionError(f"{name} makes another message")
    steps = {
        name: lambda pipeline=pipeline: timed(pipeline, messages, count)
        for name, pipeline in pipelines.items()
    }
    with frozen():
        return side_by_side(steps, patience)


def print_pipeline(label: str, costs: dict[str, Cost]) -> None:
    """One line."""
    own = costs[OURS]
    peers = [cost for name, cost in costs.items() if name != OURS]
    cells = f"{peers[0].median:>10.0f}{peers[0].median / own.median:>8.1f}" if peers else ""
    print(f"{label:<52}{own.median:>8.0f}{cells}", flush=True)


def print_growth(sizes: tuple[int, ...], patience: Patience) -> dict[str, Any]:
    """Our pipelines, for messages of all sizes."""
    results: dict[str, Any] = {}
    heads = "".join(f"{size:>11,}{'growth':>8}" for size in sizes)
    print(f"\n{'bytes to message, ns an event':<42}{heads}")
    for name, (dialect, make) in STREAMS.items():
        for shape in (SHAPES["text"], SHAPES["one big string"], SHAPES["a list of objects"]):
            for chunking, chunk in CHUNKINGS.items():
                label = f"{name}, {shape.name}, {chunking}"
                print(f"{label:<42}", end="", flush=True)
                pipeline = ours(dialect, is_tool=shape.is_tool)
                costs = []
                for size in sizes:
                    stream = partial(make, shape.fragments(size), is_tool=shape.is_tool)
                    costs.append(growing(pipeline, stream, chunk, sizes[-1] // size, patience))
                for before, now in zip([None, *costs], costs, strict=False):
                    print(f"{now.median:>11.0f}{grown(before, now):>8}", end="")
                print(flush=True)
                results[label] = as_json(dict(zip(map(str, sizes), costs, strict=True)))
    return results


def growing(
    pipeline: Pipeline, make: Callable[[], list[bytes]], chunk: int, times: int, patience: Patience
) -> Cost:
    """What an event costs of so many times the same message, each in memory of its own."""
    count = len(make())
    messages = [in_chunks(make(), chunk) for _ in range(times)]
    with frozen():
        return side_by_side({OURS: lambda: timed(pipeline, messages, count)}, patience)[OURS]


def arguments() -> argparse.Namespace:
    """What to do."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, and no text of 10 MB")
    parser.add_argument("--only", default="", help="only shapes whose name holds this", metavar="NAME")
    parser.add_argument("--json", type=Path, help="write all figures to this file", metavar="FILE")
    parser.add_argument("--part", nargs="+", choices=PARTS, default=PARTS, help="what to measure")
    return parser.parse_args()


def main() -> None:
    """Print the figures."""
    chosen = arguments()
    python = sys.version.split()[0]
    print(f"Python {python}; " + ", ".join(f"{name} {version}" for name, version in versions().items()))
    results: dict[str, Any] = {"python": python, "peers": versions()}
    sizes = SIZES[:-1] if chosen.quick else SIZES
    patience = Patience(rounds=3, contender=1.0, message=3.0) if chosen.quick else Patience()
    if "accumulate" in chosen.part:
        results["accumulate"] = print_accumulating(sizes, chosen.only, patience)
    if "pipeline" in chosen.part:
        results["pipeline"] = print_pipelines(patience)
    if "growth" in chosen.part:
        results["growth"] = print_growth(sizes, patience)
    if chosen.json:
        chosen.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
