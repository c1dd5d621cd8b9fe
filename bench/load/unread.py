"""Readers that never read: the relay's memory, the provider's kernel, the other streams, and their end."""

from __future__ import annotations

import time
from dataclasses import dataclass

from .generator import Readers, provider
from .processes import bytes_between, resident_bytes, sockets_of
from .relays import relay
from .verdicts import Verdicts

OTHERS = 10  #: streams that are read
LOG_BYTES = 128 * 1024  #: of events that are kept of a turn
MOST_UNREAD = 256 * 1024  #: bytes that the provider has written and that are neither read nor in the log
#: What a stream may take beside the events that are kept and the message's text: two connections, the turn.
BESIDE = 128 * 1024
SLACK = 4 * 1024 * 1024  #: of memory that the interpreter keeps, whatever there is
PAD = 1000  #: bytes of text an event


@dataclass(frozen=True)
class Size:
    """How many readers don't read, how many events a second each is sent, and when their time is up."""

    readers: int
    rate: float
    fill: float  #: seconds until every log is full
    stall: float  #: seconds


FULL = Size(readers=1000, rate=8.0, fill=50.0, stall=120.0)
QUICK = Size(readers=10, rate=200.0, fill=3.0, stall=5.0)


def run(binding: str, size: Size, verdicts: Verdicts) -> None:
    """Let many not read; then let some read beside them."""
    settings = {
        "log_bytes": LOG_BYTES,
        "max_turns": size.readers + 1 + OTHERS,
        "retention": 0.0,
        "readers": {"stall": size.stall},
    }
    with (
        provider(size.rate, pad=PAD) as (_, provider_port),
        relay(binding, provider_port, settings) as (process, port),
        relay(binding, provider_port, settings) as (_, other_port),
        Readers(port) as unread,
        Readers(port) as others,
        Readers(other_port) as undisturbed,
    ):
        undisturbed.add(OTHERS)
        undisturbed.wait()
        before = undisturbed.run(2.0)
        undisturbed.leave()
        unread.add(1, 0.1, reads=False)  # what is made once
        memory, sockets = resident_bytes(process.pid), sockets_of(process.pid)
        unread.add(size.readers, 0.002, reads=False)
        began = time.monotonic()
        time.sleep(size.fill)
        ahead = max(bytes_between(provider_port), default=0)
        grown = resident_bytes(process.pid) - memory
        still = sockets_of(process.pid)
        verdicts.holds(
            "all are held",
            f"{still - sockets} sockets of {2 * size.readers}",
            met=still - sockets >= 2 * size.readers,
        )
        verdicts.at_most("the provider is ahead by", ahead / 1024, MOST_UNREAD / 1024, "KB")
        bound = size.readers * (2 * LOG_BYTES + BESIDE) + SLACK
        verdicts.at_most("memory of all of them", grown / 2**20, bound / 2**20, "MB")
        others.add(OTHERS)
        others.wait()
        during = others.run(5.0 if size is FULL else 1.0)
        others.leave()
        verdicts.holds("the others lose nothing", f"{during.lost} of {during.tokens}", met=during.whole)
        # Both are so short on a quiet machine that only a stall would be more than this.
        most = max(3 * before.p99 / 1000, 100.0)
        verdicts.at_most("the others' p99", during.p99 / 1000, most, "ms")
        left = 0
        while time.monotonic() - began < size.stall + size.fill + 10.0:
            time.sleep(0.5)
            left = sockets_of(process.pid) - sockets
            if left <= 0:
                break
        verdicts.holds("evicted when their time is up", f"{left} sockets are left", met=left <= 0)
