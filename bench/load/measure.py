"""What is measured of a process that brings streams: CPU, latency, memory."""

from __future__ import annotations

from dataclasses import dataclass

from .generator import Readers, Report
from .processes import cpu_ns, resident_bytes

WARM_UP = 1.0  #: seconds from the last stream's start to what is measured

Figures = dict[str, float]


@dataclass(frozen=True)
class Load:
    """So many streams, looked at for so many seconds."""

    streams: int
    seconds: float


def measure_flow(load: Load, port: int, pid: int) -> Figures:
    """Put the load on ``port`` and look at the process ``pid``: microseconds, but for the count.

    ``p50``, ``p99`` and ``p999`` are of the latency, from the provider's write to the reader's read; ``gap``
    is the longest that a stream brought nothing; ``first token`` is the median time to it, from the moment
    before the reader connected.  Raises ``EOFError`` if a token was lost or a stream was.
    """
    with Readers(port) as readers:
        readers.add(load.streams)
        first = readers.wait().first
        readers.run(WARM_UP)
        before = cpu_ns(pid)
        report = readers.run(load.seconds)
        used = cpu_ns(pid) - before
        check(report, load.streams)
        return {
            "events a second": report.tokens / report.seconds,
            "cpu an event": used / 1000 / report.tokens,
            "p50": report.p50,
            "p99": report.p99,
            "p999": report.p999,
            "gap": report.gap,
            "first token": first,
        }


def measure_idle(streams: int, port: int, pid: int) -> Figures:
    """Begin streams that bring one token and then nothing: what each takes of memory, and of CPU to begin.

    A tenth as many begin before, so that what is made once is there.
    """
    with Readers(port) as readers:
        readers.add(streams // 10)
        readers.wait()
        readers.run(WARM_UP)
        memory, before = resident_bytes(pid), cpu_ns(pid)
        readers.add(streams)
        check(readers.wait(), streams + streams // 10)
        check(readers.run(WARM_UP), streams + streams // 10)
        return {
            "KB a stream": (resident_bytes(pid) - memory) / streams / 1024,
            "ms of cpu to set it up": (cpu_ns(pid) - before) / 1e6 / streams,
        }


def check(report: Report, streams: int) -> None:
    """Raise ``EOFError`` unless all was brought, in order, and all streams go on."""
    if not report.whole or report.open != streams:
        raise EOFError(f"of {streams} streams, this was lost: {report}")
