"""Many readers of one ``Broadcast`` on one process, with heartbeats."""

from __future__ import annotations

from dataclasses import dataclass

from .broadcast_server import PERIOD
from .generator import Readers
from .processes import cpu_ns, python, resident_bytes
from .verdicts import Verdicts

MOST_KB = 12.0  #: of memory a reader


@dataclass(frozen=True)
class Size:
    """How many readers, for how many seconds, how far apart they come, and after what a heartbeat is sent."""

    readers: int
    seconds: float
    between: float
    heartbeat: float


FULL = Size(readers=8000, seconds=30.0, between=0.0005, heartbeat=3.0)
QUICK = Size(readers=200, seconds=1.5 * PERIOD, between=0.0005, heartbeat=1.0)


def run(binding: str, size: Size, verdicts: Verdicts) -> None:
    """Let them all follow, and count."""
    with (
        python("-m", "load.broadcast_server", binding, str(size.heartbeat)) as (server, port),
        Readers(port, "/") as readers,
    ):
        first = size.readers // 20
        readers.add(first, size.between)
        readers.run(1.0)
        memory = resident_bytes(server.pid)
        readers.add(size.readers - first, size.between)
        readers.wait(2 * PERIOD + 10.0)
        each = (resident_bytes(server.pid) - memory) / (size.readers - first) / 1024
        before = cpu_ns(server.pid)
        report = readers.run(size.seconds)
        used = (cpu_ns(server.pid) - before) / 1e3
        after = (resident_bytes(server.pid) - memory) / (size.readers - first) / 1024
    events, rounds = report.tokens, report.tokens / size.readers
    verdicts.holds(
        "every reader is there", f"{report.open} of {size.readers}", met=report.open == size.readers
    )
    verdicts.holds(
        "no event lost, each in order",
        f"{events} events, {report.lost} lost, {report.disordered} out of order",
        met=report.whole and events > 0,
    )
    beats = int(size.seconds / PERIOD) * size.readers // 2
    verdicts.holds("heartbeats come", f"{report.comments}, at least {beats}", met=report.comments >= beats)
    verdicts.at_most("memory a reader", each, MOST_KB, "KB")
    verdicts.at_most("memory a reader in the end", after, max(1.1 * each, each + 0.5), "KB")
    verdicts.note(
        f"{used / (events + report.comments):.1f} microseconds of CPU an event or heartbeat; of {rounds:.0f} "
        f"events the last reader had one after {report.max / 1000:.0f} ms, half of them after "
        f"{report.p50 / 1000:.0f} ms"
    )
