"""One input again, without atheris: what it says, and whether its law holds."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from pathlib import Path

from .engine import DIALECT, target
from .events import steps_of
from .script import calls_of

SHRINK_SECONDS = 10.0


def breaks(name: str, data: bytes) -> Exception | None:
    """What the law of this target raises for ``data``."""
    try:
        target(name).check(data)
    except Exception as error:  # noqa: BLE001  (an exception that is not documented is a finding too)
        return error
    return None


def shrunk(data: bytes, is_finding: Callable[[bytes], bool], seconds: float = SHRINK_SECONDS) -> bytes:
    """A smaller input that is still a finding: parts are left out, first long ones, then single bytes."""
    end = time.monotonic() + seconds
    size = max(len(data) // 2, 1)
    while size:
        start = 0
        while start < len(data) and time.monotonic() < end:
            shorter = data[:start] + data[start + size :]
            if is_finding(shorter):
                data = shorter
            else:
                start += size
        size //= 2
    return data


def shrink_file(name: str, path: Path) -> Path:
    """Write a smaller input beside ``path``, that raises an error of the same type."""
    data = path.read_bytes()
    error = breaks(name, data)
    small = shrunk(data, lambda shorter: type(breaks(name, shorter)) is type(error)) if error else data
    result = path.with_name(f"{path.name}.small")
    result.write_bytes(small)
    return result


def replay(name: str, path: Path) -> str | None:
    """Try one file: ``None`` if the law holds, or else what happened, in full."""
    data = path.read_bytes()
    error = breaks(name, data)
    if error is None:
        return None
    said = "".join(traceback.format_exception(error))
    calls = ""
    body = data[target(name).HEADER :]
    if name.startswith("framing"):
        calls = "\n".join(f"  {call} {chunk!r}" for call, chunk in list(calls_of(body))[:50])
    elif name.startswith(DIALECT):
        calls = "\n".join(f"  {step or 'the end'}" for step in list(steps_of(body))[:50])
    return f"input: {data!r}\n{calls}\n{said}"
