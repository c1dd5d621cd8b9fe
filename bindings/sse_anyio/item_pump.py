"""Pull an iterator's items into an answer, as fast as its reader takes them."""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable
from typing import TypeVar

import anyio
import anyio.lowlevel

from sse_http import EventItem, HandlerAnswer

T = TypeVar("T")


async def pump(
    given: AsyncIterable[T],
    answer: HandlerAnswer,
    *,
    now: Callable[[], float],
    item_of: Callable[[T], EventItem],
    close: Callable[[object], Awaitable[None]],
) -> None:
    """Give ``answer`` all that comes, to its end; then close the iterator, however this ends.

    - ``given``: what is iterated.
    - ``answer``: whose reader says the pace.
    - ``now``: the clock by which machines are given the time.
    - ``item_of``: makes an item of what comes.
    - ``close``: closes the iterator.

    Raises what the iterator raises, and what ``item_of`` does.
    """
    iterator = aiter(given)
    room = anyio.Event()

    def go_on() -> None:
        room.set()

    answer.on_room = go_on
    try:
        if not answer.begin(now()):
            return
        async for one in iterator:
            answer.receive(item_of(one), now())
            await anyio.lowlevel.checkpoint()  # an iterator may never wait, and others want to run
            while answer.full:
                room = anyio.Event()
                await room.wait()
    finally:
        await close(iterator)
    answer.finish(now())


async def close_iterator(iterator: object) -> None:
    """Close what may be a generator, as ``contextlib.aclosing`` does it."""
    aclose = getattr(iterator, "aclose", None)
    if aclose is not None:
        await aclose()
