"""When the server goes down: seen at the signal, as ``lifespan.shutdown`` comes after streams have ended.

A server waits for its streams before it says that it goes down, so a stream that waits for that word waits
for ever.  So the signal's handler is chained: ours first, then the server's own.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import anyio

_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_listeners: set[Callable[[], None]] = set()


def shut_down() -> None:
    """Let all streams of this process come to their ends, as at a signal.

    For servers that handle no signal in the process in which streams are sent (hypercorn with workers): call
    it where you have them end.  From any thread.
    """
    for notify in tuple(_listeners):
        with contextlib.suppress(RuntimeError):  # its event loop is closed
            notify()


@contextlib.contextmanager
def shutdown_seen() -> Iterator[anyio.Event]:
    """An event that is set when the process is asked to end, if its server handles that signal in Python.

    Where it doesn't, or runs in another thread than the main one, :func:`shut_down` sets it.
    """
    event = anyio.Event()
    notify = _from_anywhere(event.set)
    _chain_handlers()
    _listeners.add(notify)
    try:
        yield event
    finally:
        _listeners.discard(notify)


def _chain_handlers() -> None:
    if threading.current_thread() is not threading.main_thread():
        return
    for number in _SIGNALS:
        handler = signal.getsignal(number)
        # A server that leaves the signal to the system, or ignores it, drains nothing.
        if callable(handler) and not isinstance(handler, _Chained):
            signal.signal(number, _Chained(handler))


class _Chained:
    """A signal's handler, after everybody who listens."""

    def __init__(self, handler: Callable[[int, FrameType | None], Any]) -> None:
        self._handler = handler

    @property
    def __self__(self) -> Any:
        """Whose handler it is: there are programs that look."""
        return getattr(self._handler, "__self__", self)

    def __call__(self, number: int, frame: FrameType | None) -> None:
        shut_down()
        self._handler(number, frame)


def _from_anywhere(call: Callable[[], object]) -> Callable[[], None]:
    """``call``, to be made soon in this event loop, from a signal's handler or another thread."""
    if "trio" in sys.modules:
        import trio  # noqa: PLC0415  (only where it is there already)

        if trio.lowlevel.in_trio_run():
            token = trio.lowlevel.current_trio_token()
            return lambda: token.run_sync_soon(call)
    import asyncio  # noqa: PLC0415  (as above)

    loop = asyncio.get_running_loop()

    def notify() -> None:
        loop.call_soon_threadsafe(call)

    return notify
