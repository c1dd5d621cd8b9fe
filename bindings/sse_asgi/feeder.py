"""Feed an answer from whatever a response's content is."""

from __future__ import annotations

import math
import time
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from typing import Any, Literal

import anyio
import anyio.lowlevel

from sse_anyio.item_pump import pump
from sse_core.lifecycle import Broadcast, EventLog, Subscription
from sse_http import Follow, HandlerAnswer, Request
from sse_io.iterator_closing import close_iterator

from .error_log import report
from .event_items import ItemOf
from .sync_items import SyncItems

#: What an event stream may be made of.
Content = AsyncIterable[Any] | Iterable[Any] | Broadcast | EventLog | Subscription


class Feeder:
    """Gives an answer what ``content`` has.

    - ``content``: an iterator, which is pulled as fast as the reader takes what it gives; or a broadcast, a
      log or a subscription, which the reader follows.
    - ``item_of``: makes an item of what an iterator gives.
    - ``join``: where a reader of a broadcast or a log begins that has no ID of it.
    - ``cleanup_timeout``: seconds for an iterator's ``aclose()``; without end if ``None``.

    Raises ``TypeError`` for content that is none of these.
    """

    def __init__(
        self,
        content: Content,
        item_of: ItemOf,
        *,
        join: Literal["start", "now"],
        cleanup_timeout: float | None,
    ) -> None:
        self._content = content
        self._item_of = item_of
        self._join: Literal["start", "now"] = join
        self._cleanup_timeout = cleanup_timeout
        self._items = _items_of(content)

    async def feed(self, answer: HandlerAnswer, request: Request) -> None:
        """Feed ``answer`` to its end, or let it follow.  Raises what an iterator raises."""
        if self._items is not None:
            await self._pull(aiter(self._items), answer)
        else:
            self._follow(answer, request, time.monotonic())

    def _follow(self, answer: HandlerAnswer, request: Request, now: float) -> None:
        content = self._content
        if isinstance(content, Subscription):
            answer.read(content)
            return
        if not isinstance(content, Broadcast):
            content = Broadcast(log=content)  # type: ignore[arg-type]  # what else there is was refused
        answer.follow(Follow(content, self._join), request, now)

    async def _pull(self, iterator: AsyncIterator[Any], answer: HandlerAnswer) -> None:
        whole, error = False, None
        # Entered before the iterator begins, as a scope that it has around a yield ends when it is closed:
        # scopes end in the order in which they were entered.
        with anyio.CancelScope() as scope:
            try:
                whole = await pump(iterator, answer, now=time.monotonic, item_of=self._item_of)
            except Exception as raised:  # noqa: BLE001  (it is raised once the iterator is closed)
                error = raised
            finally:
                await self._close(iterator, scope)
        if error is not None:
            raise error
        await anyio.lowlevel.checkpoint_if_cancelled()
        if whole:
            answer.finish(time.monotonic())

    async def _close(self, iterator: object, scope: anyio.CancelScope) -> None:
        """Close it, though this task may be cancelled."""
        scope.shield = True
        if self._cleanup_timeout is not None:
            scope.deadline = anyio.current_time() + self._cleanup_timeout
        try:
            await close_iterator(iterator)
        finally:
            if scope.cancel_called:
                report(TimeoutError(f"an iterator was not closed within {self._cleanup_timeout:g} s"))
        scope.deadline = math.inf
        scope.shield = False


def _items_of(content: object) -> AsyncIterable[Any] | None:
    """The items to be pulled; ``None`` where there is something to follow."""
    if isinstance(content, Broadcast | Subscription) or hasattr(content, "position_of"):
        return None
    if isinstance(content, AsyncIterable):
        return aiter(content)
    if isinstance(content, Iterable) and not isinstance(content, str | bytes):
        return SyncItems(content)
    raise TypeError(
        "the content of an event stream is an (async) iterator, a Broadcast, an EventLog or a Subscription, "
        f"not {type(content).__name__}"
    )
