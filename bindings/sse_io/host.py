"""What hosts a readiness loop: whoever waits for it."""

from __future__ import annotations

from typing import Protocol

from .connector import Cancel, Resolved


class Host(Protocol):
    """What the loop needs of its host."""

    def now(self) -> float:
        """The clock, in seconds, that only goes forward: the same as of ``step(now)``."""

    def look_again(self) -> None:
        """The loop's deadline has become earlier, while nobody was in ``step``: leave off waiting."""

    def resolve(self, host: str, port: int, done: Resolved) -> Cancel:
        """Look up ``host`` and ``port``: see ``Connector``."""
