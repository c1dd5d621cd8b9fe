"""How many turns each client has, so that none takes the places of all.

A turn that is read has somebody who waits for it.  Turns that go on without a reader cost their client
nothing, so of these one client gets a part only: whoever began a thousand of them and left would keep all
others out until they end.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Client:
    """The turns of one client that run."""

    running: int = 0
    unread: int = 0  #: those among them that nobody reads


class Clients:
    """Clients by their owners' digests; who has no turn that runs is not remembered."""

    def __init__(self) -> None:
        self._clients: dict[bytes, Client] = {}

    def get(self, owner: bytes) -> Client:
        """The owner's turns."""
        return self._clients.get(owner) or Client()

    def began(self, owner: bytes) -> Client:
        """One more turn runs, which nobody reads yet."""
        client = self._clients.setdefault(owner, Client())
        client.running += 1
        client.unread += 1
        return client

    def ended(self, owner: bytes) -> None:
        """One turn has ended, and is none of the unread ones any more."""
        client = self._clients[owner]
        client.running -= 1
        if not client.running:
            del self._clients[owner]
