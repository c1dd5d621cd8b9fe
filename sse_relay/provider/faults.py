"""Faults on request: what a provider, or the network before it, can do wrong."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .errors import SettingsError
from .events import error
from .steps import Step, Then

#: The faults, with the bounds of their numbers; ``None`` for the one that takes no number.
_BOUNDS: dict[str, tuple[int, int] | None] = {
    "status": (400, 599),
    "error-before": None,
    "error-after": (0, 1_000_000),
    "cut-after": (0, 1_000_000),
    "stall-after": (0, 1_000_000),
    "garbage-after": (0, 1_000_000),
    "split": (1, 65_536),
}
_KNOWN = (
    "status=429,retry-after=1,times=1, error-before, error-after=10, cut-after=10, stall-after=10, "
    "garbage-after=10, split=1 (times=N goes with each of them)"
)

#: Not JSON, and not UTF-8 either: 0xFF never occurs in it and 0xC3 lacks its second byte.
GARBAGE = (
    b"event: content_block_delta\n"
    b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_del\xff\xfe\xc3(\n\n'
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    - ``text``: what it was read from.
    - ``kind``: its name.
    - ``number``: what follows the name; 0 where it takes none.
    - ``times``: how many requests in a row it befalls; ``None``: every one.
    - ``retry_after``: the value of Retry-After in an answer with a status.
    """

    text: str
    kind: str
    number: int = 0
    times: int | None = None
    retry_after: str | None = None

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Read ``kind[=number][,retry-after=seconds][,times=n]``.  Raises :class:`SettingsError`."""
        first, *rest = [part.strip() for part in text.split(",")]
        kind, number = _kind(first)
        options = dict(_option(part, kind) for part in rest)
        if len(options) < len(rest):
            raise _refused(text, "an option is given twice")
        times = options.get("times")
        return cls(text, kind, number, int(times) if times else None, options.get("retry-after"))


def _kind(part: str) -> tuple[str, int]:
    name, equals, value = part.partition("=")
    if name not in _BOUNDS:
        raise _refused(part, "there is no such fault")
    bounds = _BOUNDS[name]
    if bounds is None:
        if equals:
            raise _refused(part, f"{name} takes no number")
        return name, 0
    lowest, highest = bounds
    if not re.fullmatch(r"[0-9]{1,7}", value) or not lowest <= int(value) <= highest:
        raise _refused(part, f"{name} takes a whole number from {lowest} to {highest}")
    return name, int(value)


def _option(part: str, kind: str) -> tuple[str, str]:
    name, _, value = part.partition("=")
    if name == "times":
        if not re.fullmatch(r"[1-9][0-9]{0,3}", value):
            raise _refused(part, "times takes a whole number from 1 to 9999")
    elif name == "retry-after" and kind == "status":
        # RFC 9110 section 10.2.3 knows whole seconds only; clients also read fractions, and tests
        # would rather not wait for a second.
        if not re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,3})?", value):
            raise _refused(part, "retry-after takes seconds from 0 to 99999")
    else:
        raise _refused(part, f"{kind} has no such option")
    return name, value


def _refused(text: str, why: str) -> SettingsError:
    return SettingsError(f"Sim-Fault: {text[:80]!r}: {why}; the faults are {_KNOWN}")


class FaultCounts:
    """Counts how often a fault with ``times`` has befallen one and the same request.

    The request after the last of them is served and its count forgotten, so that the same test can
    run again.  At most ``bound`` counts are kept, the latest.
    """

    def __init__(self, bound: int = 10_000) -> None:
        self._bound = bound
        self._counts: dict[tuple[str, bytes], int] = {}

    def strikes(self, fault: Fault, body: bytes) -> bool:
        """Whether ``fault`` befalls the request with this body; counts it if so."""
        if fault.times is None:
            return True
        key = (fault.text, hashlib.sha256(body).digest())
        count = self._counts.pop(key, 0)
        if count >= fault.times:
            return False
        self._counts[key] = count + 1
        if len(self._counts) > self._bound:
            del self._counts[next(iter(self._counts))]
        return True


_Spoil = Callable[[float, str], Step]

#: What takes the place of a step that is due ``at`` so many seconds, in the answer ``request_id``.
_SPOILED: dict[str, _Spoil] = {
    "error-before": lambda at, request_id: Step(at, error(529, request_id), then=Then.FAIL),
    "error-after": lambda at, request_id: Step(at, error(529, request_id), then=Then.FAIL),
    "cut-after": lambda at, _: Step(at, b"", then=Then.CUT),
    "stall-after": lambda at, _: Step(at, b"", then=Then.STALL),
    "garbage-after": lambda at, _: Step(at, GARBAGE),
}


def spoil(steps: Iterator[Step], fault: Fault | None, request_id: str) -> Iterator[Step]:
    """The steps with the fault in them.

    - ``steps``: of the generation, without it.
    - ``fault``: what goes wrong, if anything does.
    - ``request_id``: for an error event.

    A fault "after n" takes the place, and the time, of the step that follows the n-th content
    event: all n are on the wire by then.  After 0 it comes before every event.  ``error-before``
    follows the message's start.  If there is less content than n, the fault never comes.
    """
    if fault is None or fault.kind not in _SPOILED:
        return steps
    return _spoiled(steps, fault, request_id)


def _spoiled(steps: Iterator[Step], fault: Fault, request_id: str) -> Iterator[Step]:
    spoiled = _SPOILED[fault.kind]
    before = fault.kind == "error-before"
    left, at = (1 if before else fault.number), 0.0
    for step in steps:
        at = step.at
        if left == 0:
            yield spoiled(at, request_id)
            yield step
            yield from steps
            return
        left -= before or step.content
        yield step
    if left == 0:
        yield spoiled(at, request_id)
