"""The turns that the relay knows: those that run, and those that ended not long ago.

A finished turn stays readable for ``retention`` seconds, within ``retained_bytes`` of all of them
together; the oldest go first.
"""

from __future__ import annotations

from sse_core.lifecycle import Retention

from .turns import RelayedTurn


class TurnRegistry:
    """Turns by their owners and IDs.

    An ID is its owner's: nobody learns of, takes or blocks one that somebody else has chosen.
    """

    def __init__(self, *, retention: float, retained_bytes: int) -> None:
        self._turns: dict[tuple[bytes, str], RelayedTurn] = {}
        self._finished: Retention[RelayedTurn] = Retention(seconds=retention, max_bytes=retained_bytes)

    @property
    def running(self) -> list[RelayedTurn]:
        """The turns without an outcome."""
        return [relayed for relayed in self._turns.values() if relayed.turn.outcome is None]

    @property
    def running_count(self) -> int:
        """How many turns have no outcome yet."""
        return len(self._turns) - len(self._finished)

    @property
    def finished_count(self) -> int:
        """How many finished turns can still be read."""
        return len(self._finished)

    @property
    def deadline(self) -> float | None:
        """When the next finished turn is to be forgotten."""
        return self._finished.deadline

    def add(self, relayed: RelayedTurn) -> None:
        """A new turn."""
        self._turns[relayed.owner, relayed.id] = relayed

    def get(self, owner: bytes, turn_id: str) -> RelayedTurn | None:
        """The owner's turn with this ID."""
        return self._turns.get((owner, turn_id))

    def finished(self, relayed: RelayedTurn, now: float) -> None:
        """``relayed`` has an outcome now."""
        self._forget(self._finished.keep(relayed, relayed.retained_bytes, now))

    def handle_timeout(self, now: float) -> None:
        """Forget the turns whose time is over."""
        self._forget(self._finished.handle_timeout(now))

    def _forget(self, turns: list[RelayedTurn]) -> None:
        for relayed in turns:
            del self._turns[relayed.owner, relayed.id]
