"""The items of an iterator that blocks, each taken on a thread."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import Any, Self

import anyio
import anyio.lowlevel
import anyio.to_thread

#: How many iterators of one event loop may block at the same time; more wait.  They have threads of their
#: own, so that they leave the framework's to the framework.
MAX_THREADS = 256

_LIMITER: anyio.lowlevel.RunVar[anyio.CapacityLimiter] = anyio.lowlevel.RunVar("sse_asgi threads")
_END = object()


class SyncItems:
    """An async iterator over ``items``.

    Nobody can break into a ``next()`` that blocks.  So an iterator that is closed amid one is closed by the
    thread that is in it, as soon as that comes back, and what it brings is dropped.
    """

    def __init__(self, items: Iterable[Any]) -> None:
        self._items: Iterator[Any] = iter(items)
        self._lock = threading.Lock()
        self._busy = False
        self._closed = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        item = await anyio.to_thread.run_sync(self._next, abandon_on_cancel=True, limiter=_limiter())
        if item is _END:
            raise StopAsyncIteration
        return item

    async def aclose(self) -> None:
        """Close the iterator: now, on a thread, or at its next item."""
        await anyio.to_thread.run_sync(self._close, limiter=_limiter())

    def _next(self) -> object:
        with self._lock:
            if self._closed:
                return _END
            self._busy = True
        try:
            return next(self._items, _END)
        finally:
            if self._leave():
                _close(self._items)

    def _leave(self) -> bool:
        """Nobody is in the iterator any more; whether it was closed meanwhile."""
        with self._lock:
            self._busy = False
            return self._closed

    def _close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if self._busy:
                return
        _close(self._items)


def _close(items: Iterator[Any]) -> None:
    close = getattr(items, "close", None)
    if close is not None:
        close()


def _limiter() -> anyio.CapacityLimiter:
    try:
        return _LIMITER.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(MAX_THREADS)
        _LIMITER.set(limiter)
        return limiter
