"""Processes that are measured, and what the kernel says of them.  Linux only: it is read from /proc."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

BENCH = Path(__file__).parent.parent

Running = tuple[subprocess.Popen[str], int]  #: a process, and the port on which it listens


@contextlib.contextmanager
def process(
    command: Sequence[str],
    *,
    stdin: int | None = None,
    environment: Mapping[str, str] | None = None,
    errors: int = subprocess.DEVNULL,
) -> Iterator[subprocess.Popen[str]]:
    """A process, killed at the end.  What it says of each stream is nobody's business here."""
    with subprocess.Popen(  # noqa: S603  (the benches' own programs)
        command,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=errors,
        text=True,
        cwd=BENCH,
        env={**os.environ, **(environment or {})},
    ) as running:
        try:
            yield running
        finally:
            running.kill()


@contextlib.contextmanager
def started(command: Sequence[str], *, errors: int = subprocess.DEVNULL) -> Iterator[Running]:
    """A process, and the port that is the last thing in its first line."""
    with process(command, errors=errors) as running:
        found = re.search(r"(\d+)/?$", next(iter(running.stdout or ()), "").strip())
        if found is None:
            raise RuntimeError(f"{' '.join(command)} did not start")
        yield running, int(found[1])


def python(*arguments: str) -> contextlib.AbstractContextManager[Running]:
    """A Python process that says its port."""
    return started([sys.executable, *arguments])


def cpu_ns(pid: int) -> int:
    """How long all threads of a process have been on a CPU, in nanoseconds; those that ended don't count."""
    return sum(
        int((thread / "schedstat").read_text("ascii").split()[0])
        for thread in Path(f"/proc/{pid}/task").iterdir()
    )


def resident_bytes(pid: int) -> int:
    """How much memory a process has of its own."""
    return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def sockets_of(pid: int) -> int:
    """How many sockets a process has open."""
    count = 0
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            count += str(file.readlink()).startswith("socket:")
    return count


def descriptors_of(pid: int) -> int:
    """How many files, sockets included, a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def threads_of(pid: int) -> int:
    """How many threads a process has."""
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


def bytes_between(port: int) -> list[int]:
    """For each connection to ``port``: bytes that the server has written and the client hasn't read.

    They are in the server's kernel (sent or not, unacknowledged) or in the client's (unread).
    """
    written: dict[tuple[str, str], int] = {}
    unread: dict[tuple[str, str], int] = {}
    wanted = f":{port:04X}"
    for line in Path("/proc/net/tcp").read_text("ascii").splitlines()[1:]:
        _, local, remote, state, queues, *_ = line.split()
        if state != "01":  # ESTABLISHED
            continue
        sending, receiving = (int(number, 16) for number in queues.split(":"))
        if local.endswith(wanted):
            written[local, remote] = sending
        elif remote.endswith(wanted):
            unread[remote, local] = receiving
    return [size + unread.get(pair, 0) for pair, size in written.items()]
