"""What has ended and is kept for those who come late: for a stated time, within a stated total.

The oldest go first: when their time is over, or when the total is too large.
"""

from __future__ import annotations

import math
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Retention(Generic[T]):
    """Keeps things for a while.

    - ``seconds``: for how long each.
    - ``max_bytes``: of all together.

    Raises ``ValueError`` for what is below zero, or seconds that are not finite.
    """

    def __init__(self, *, seconds: float, max_bytes: int) -> None:
        if not 0 <= seconds < math.inf:
            raise ValueError(f"seconds must be a finite number, not below zero: {seconds!r}")
        if max_bytes < 0:
            raise ValueError(f"max_bytes must not be below zero: {max_bytes!r}")
        self.retained_bytes: int = 0
        self._seconds = seconds
        self._max_bytes = max_bytes
        self._kept: deque[tuple[float, int, T]] = deque()  # until, bytes, thing

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def deadline(self) -> float | None:
        """When to call ``handle_timeout``."""
        return self._kept[0][0] if self._kept else None

    def keep(self, thing: T, size: int, now: float) -> list[T]:
        """Keep ``thing``, which has so many bytes.  Gives what is to be forgotten for it, oldest first."""
        self._kept.append((now + self._seconds, size, thing))
        self.retained_bytes += size
        forgotten = []
        while self.retained_bytes > self._max_bytes:
            forgotten.append(self._forget())
        return forgotten

    def handle_timeout(self, now: float) -> list[T]:
        """What is to be forgotten because its time is over."""
        forgotten = []
        while self._kept and self._kept[0][0] <= now:
            forgotten.append(self._forget())
        return forgotten

    def _forget(self) -> T:
        _, size, thing = self._kept.popleft()
        self.retained_bytes -= size
        return thing
