"""How much is read of all upstreams before everybody else has had a turn.

Trio runs all tasks that can run, one after another, and looks for news only then.  So fifty upstreams that
always have something would be read fifty times before anybody who came meanwhile is seen.
"""

from __future__ import annotations

import trio

#: Bytes of upstreams between two looks at all sockets; one read may go beyond it.
BYTES_IN_A_TURN = 32 * 1024


class ReadingShare:
    """Shared by the drivers of one server: each waits for its turn, then reads, and says how much."""

    def __init__(self) -> None:
        self._spent = 0
        self._waiting = trio.lowlevel.ParkingLot()
        self._yields = False

    async def turn(self) -> None:
        """Wait until there is something left of the share."""
        while self._spent >= BYTES_IN_A_TURN:
            if self._yields:
                await self._waiting.park()
            else:
                await self._yield()

    async def _yield(self) -> None:
        """Let all others run, on behalf of all who wait; then there is a new share."""
        self._yields = True
        try:
            await trio.lowlevel.checkpoint()
        finally:
            self._yields = False
            self._spent = 0
            self._waiting.unpark_all()

    def spend(self, size: int) -> None:
        """``size`` bytes were read and worked off."""
        self._spent += size
