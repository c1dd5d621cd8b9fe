"""Many relayed streams for minutes: nothing is lost, and memory grows by no more than what is kept."""

from __future__ import annotations

from dataclasses import dataclass

from .generator import Readers, provider
from .processes import cpu_ns, resident_bytes
from .relays import relay
from .verdicts import Verdicts

RATE = 5.0  #: events a second of each stream
PARTS = 4  #: of the time, after each of which memory is looked at
WARM_UP = 6.0  #: seconds, until what is kept of events is full
PATIENCE = 60.0  #: seconds until each stream has brought something
TEXT = 28  #: bytes of text in an event
SLACK = 16 * 1024 * 1024  #: of memory that the interpreter takes, whatever there is
MOST_LATENCY = 1000.0  #: milliseconds, for all but one of a thousand


@dataclass(frozen=True)
class Size:
    """How many streams, for how many seconds."""

    streams: int
    seconds: float


FULL = Size(streams=2000, seconds=120.0)
QUICK = Size(streams=50, seconds=4.0)

#: So few bytes of events are kept that they are all used when it begins, and memory can be seen to be flat.
KEPT = 4 * 1024


def run(binding: str, size: Size, verdicts: Verdicts) -> None:
    """Read them all."""
    settings = {"max_turns": size.streams, "log_bytes": KEPT}
    with (
        provider(RATE) as (_, provider_port),
        relay(binding, provider_port, settings) as (process, port),
        Readers(port) as readers,
    ):
        readers.add(size.streams)
        readers.wait(PATIENCE)
        readers.run(WARM_UP)
        before = cpu_ns(process.pid)
        memory = [resident_bytes(process.pid)]
        tokens, lost, largest_gap, worst = 0, 0, 0.0, 0.0
        whole = True
        for _ in range(PARTS):
            report = readers.run(size.seconds / PARTS)
            memory.append(resident_bytes(process.pid))
            whole = whole and report.whole and report.open == size.streams
            tokens, lost = tokens + report.tokens, lost + report.lost + report.disordered
            largest_gap, worst = max(largest_gap, report.gap / 1000), max(worst, report.p999 / 1000)
        used = cpu_ns(process.pid) - before
    expected = size.streams * RATE * size.seconds
    verdicts.holds(
        "nothing is lost",
        f"{tokens} events of {expected:.0f}, {lost} lost or out of order",
        met=whole and not lost and tokens > 0.95 * expected,
    )
    # A message's text is kept, too: it is what grows, and with it what the allocator can't use between.
    text = TEXT * RATE * size.seconds * size.streams
    grown = memory[-1] - memory[0]
    verdicts.at_most(
        "memory grows by no more than messages do", grown / 2**20, (3 * text + SLACK) / 2**20, "MB"
    )
    verdicts.at_most("p999 of the latency", worst, MOST_LATENCY, "ms")
    core = used / 1e9 / size.seconds
    verdicts.note(
        f"{used / 1000 / tokens:.1f} microseconds of CPU an event, {100 * core:.0f} % of a core; "
        f"the largest gap was {largest_gap:.0f} ms; memory in MB: "
        + ", ".join(f"{each / 2**20:.0f}" for each in memory)
    )
