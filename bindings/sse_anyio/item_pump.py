"""Pull an iterator's items into an answer, as fast as its reader takes them; and close it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TypeVar

import anyio
import anyio.lowlevel

from sse_http import EventItem, HandlerAnswer

T = TypeVar("T")


async def pump(
    iterator: AsyncIterator[T],
    answer: HandlerAnswer,
    *,
    now: Callable[[], float],
    item_of: Callable[[T], EventItem],
) -> bool:
    """Give ``answer`` all that comes; whether that is to be finished now.

    - ``iterator``: is pulled, and not closed.
    - ``answer``: whose reader says the pace.
    - ``now``: the clock by which machines are given the time.
    - ``item_of``: makes an item of what comes.

    Raises what the iterator raises, and what ``item_of`` does.
    """
    room = anyio.Event()

    def go_on() -> None:
        room.set()

    answer.on_room = go_on
    if not answer.begin(now()):
        return False
    async for given in iterator:
        answer.receive(item_of(given), now())
        await anyio.lowlevel.checkpoint()  # an iterator may never wait, and others want to run
        while answer.full:
            room = anyio.Event()
            await room.wait()
    return True
