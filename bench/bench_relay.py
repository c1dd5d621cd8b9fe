"""What the relay costs, beside nginx, which only copies, and beside Starlette, in the same run.

Processes on loopback: a provider that writes the time and a number into each token, one event a write;
whoever relays; and readers.  Each round measures every contender once, one after another, and what is
printed is the median over the rounds.  CPU is the contender's own.  The provider and the readers are
load/generator.c, or in Python where there is no C compiler, which is said.  A token that is lost or comes
out of its order ends the run.

Linux only: CPU times are read from /proc.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from load.contenders import CONTENDERS, is_here
from load.generator import IN_C, Readers, allow_many_sockets, provider
from load.measure import WARM_UP, Figures, Load, measure_flow, measure_idle
from load.processes import python

LOADS = ("50x50", "200x50", "400x50")  #: streams x events a second
PARTS = ("flow", "idle", "calls")
ALONE = "provider alone"

Round = dict[str, Figures]  #: what was measured of each contender, once


def run_round(rate: float, names: Iterable[str], measure: Callable[[int, int], Figures]) -> Round:
    """Measure each contender once, given its port and its process's number."""
    figures = {}
    with provider(rate) as (simulated, provider_port):
        for name in names:
            if name == ALONE:
                figures[name] = measure(provider_port, simulated.pid)
            else:
                with CONTENDERS[name](f"http://127.0.0.1:{provider_port}") as (process, port):
                    figures[name] = measure(port, process.pid)
    return figures


def run_rounds(count: int, rate: float, names: list[str], measure: Callable[[int, int], Figures]) -> Round:
    """The medians over ``count`` rounds; each begins with another contender."""
    rounds = []
    for number in range(count):
        first = number % len(names)
        figures = run_round(rate, names[first:] + names[:first], measure)
        for each in figures.values():
            compare(each, figures)
        rounds.append(figures)
    return {
        name: {figure: statistics.median(each[name][figure] for each in rounds) for figure in rounds[0][name]}
        for name in names
    }


def compare(figures: Figures, others: Round) -> None:
    """Add what is relative to others of the same round: nginx's CPU, the latency of the provider alone."""
    if "cpu an event" not in figures:
        return
    if "nginx" in others:
        figures["times nginx"] = figures["cpu an event"] / others["nginx"]["cpu an event"]
    if ALONE in others:
        for name in ("p50", "p99", "p999", "first token"):
            figures[f"added {name}"] = figures[name] - others[ALONE][name]


def show(title: str, result: Round) -> None:
    """Print a table, a line for each contender."""
    columns = list(dict.fromkeys(figure for figures in result.values() for figure in figures))
    print(f"\n{title}. Load average: {os.getloadavg()[0]:.1f}")
    print(f"  {'':<16}" + "".join(f"{column:>{width(column)}}" for column in columns))
    for name, figures in result.items():
        cells = (f"{cell(figures.get(column)):>{width(column)}}" for column in columns)
        print(f"  {name:<16}" + "".join(cells), flush=True)


def width(column: str) -> int:
    """How wide a column is."""
    return max(len(column) + 2, 8)


def cell(figure: float | None) -> str:
    """A figure as it is printed."""
    return "" if figure is None else f"{figure:,.0f}" if abs(figure) >= 100 else f"{figure:.2f}"


def run_flow(arguments: argparse.Namespace, names: list[str]) -> dict[str, Round]:
    """CPU an event and latency, at each load, in microseconds."""
    results = {}
    for text in arguments.load:
        streams, rate = (int(number) for number in text.split("x"))
        measure = partial(measure_flow, Load(streams, arguments.seconds))
        result = run_rounds(arguments.rounds, rate, [ALONE, *names], measure)
        show(f"{streams} streams of {rate} events a second; microseconds", result)
        results[text] = result
    return results


def run_idle(arguments: argparse.Namespace, names: list[str]) -> Round:
    """What a stream on which nothing happens takes, and what it took to begin it."""
    streams = arguments.idle_streams
    result = run_rounds(arguments.rounds, 0, names, partial(measure_idle, streams))
    show(f"{streams} streams that bring one token and then nothing", result)
    return result


def run_calls(arguments: argparse.Namespace) -> dict[str, float]:
    """How many calls of Python's and C's functions an event takes, and which, at the first load."""
    streams, rate = (int(number) for number in arguments.load[0].split("x"))
    results: dict[str, float] = {}
    for name in ("socket", "trio"):
        with provider(rate) as (_, provider_port):
            command = ("-m", "load.relay_calls", name, f"http://127.0.0.1:{provider_port}")
            with python(*command) as (process, port), Readers(port) as readers:
                readers.add(streams)
                readers.run(WARM_UP)
                process.send_signal(signal.SIGUSR1)
                events = readers.run(arguments.seconds).tokens
                process.send_signal(signal.SIGUSR2)
                results[name] = show_calls(name, process, events)
    return results


def show_calls(name: str, process: subprocess.Popen[str], events: int) -> float:
    """Print the profile that a process says, by the event."""
    lines = iter(process.stdout or ())
    calls = int(next(lines)) / events
    print(f"\n{name}: {calls:.0f} calls an event, of {events} events; below, calls of all of them")
    for line in lines:
        if line == "END\n":
            break
        print(line.rstrip())
    return calls


def read_arguments() -> argparse.Namespace:
    """What the user wants."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--part", nargs="*", choices=PARTS, default=PARTS)
    parser.add_argument("--load", nargs="*", default=LOADS, metavar="STREAMSxRATE")
    parser.add_argument("--only", nargs="*", choices=list(CONTENDERS), default=list(CONTENDERS))
    parser.add_argument("--seconds", type=float, default=4, help="that each is looked at, of each load")
    parser.add_argument("--rounds", type=int, default=3, help="9 for figures to publish")
    parser.add_argument("--idle-streams", type=int, default=400)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    return parser.parse_args()


def main() -> None:
    """Measure what the arguments name."""
    arguments = read_arguments()
    if not Path("/proc/self/schedstat").exists():
        print("skipped: there is no /proc/self/schedstat to read CPU times from")
        return
    allow_many_sockets()
    names = [name for name in arguments.only if is_here(name)]
    for name in set(arguments.only) - set(names):
        print(f"There is no {name} here to measure beside.")
    generator = "in C" if IN_C else "in Python, for want of a C compiler: it costs more than what it measures"
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} CPUs, median of {arguments.rounds} rounds")
    print(f"The load generator is {generator}.")
    print("On a virtual machine an event costs more after the core has halted: docs/performance.md says why.")
    report: dict[str, object] = {
        "python": sys.version.split()[0],
        "rounds": arguments.rounds,
        "generator": "C" if IN_C else "Python",
        "load average": os.getloadavg()[0],
    }
    if "flow" in arguments.part:
        report["flow"] = run_flow(arguments, names)
    if "idle" in arguments.part:
        report["idle"] = run_idle(arguments, names)
    if "calls" in arguments.part:
        report["calls"] = run_calls(arguments)
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
