"""Stops that came before the turn: a client that named its turn may stop it before its request has arrived.

A request with a large body takes its time; a DELETE beside it takes none.  The stop is remembered for a
while, so that the turn does not run.  Other owners' stops are nobody's business.
"""

from __future__ import annotations


class EarlyStops:
    """Remembers stops; the oldest go first.

    - ``seconds``: for how long.
    - ``per_owner``, ``total``: how many of each owner, and of all.
    """

    def __init__(self, *, seconds: float, per_owner: int = 100, total: int = 1000) -> None:
        self._seconds = seconds
        self._per_owner = per_owner
        self._total = total
        self._until: dict[tuple[bytes, str], float] = {}  # the oldest first

    def remember(self, owner: bytes, turn_id: str, now: float) -> None:
        """The owner has stopped the turn with this ID."""
        self._until.pop((owner, turn_id), None)
        self._until[owner, turn_id] = now + self._seconds
        own = [key for key in self._until if key[0] == owner]
        for key in own[: -self._per_owner] or list(self._until)[: -self._total]:
            del self._until[key]

    def take(self, owner: bytes, turn_id: str, now: float) -> bool:
        """Whether the owner has stopped it; it is forgotten then."""
        until = self._until.pop((owner, turn_id), None)
        return until is not None and now < until
