"""Waiting for what another thread does, and looking at what a process holds."""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def soon(probe: Callable[[], T | None], seconds: float = 3.0) -> T:
    """What ``probe`` gives, as soon as it is true."""
    end = time.monotonic() + seconds
    while not (value := probe()):
        assert time.monotonic() < end, "it doesn't come"
        time.sleep(0.002)
    return value


def open_files() -> int:
    """How many file descriptors this process has."""
    return len(list(Path("/proc/self/fd").iterdir()))


def objects_of_connections() -> Counter[str]:
    """How many objects of each class there are of the packages that connections are made of.

    A request and a refusal are the application's and the log's, which may keep them.
    """
    ours = ("sse_http.", "sse_io.", "sse_trio.", "sse_anyio.", "sse_socket.", "h11.")
    return Counter(
        f"{kind.__module__}.{kind.__qualname__}"
        for kind in map(type, gc.get_objects())
        if str(kind.__module__).startswith(ours) and kind.__name__ not in {"Request", "Refusal"}
    )
