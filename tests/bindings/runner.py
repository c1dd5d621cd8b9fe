"""What a binding offers so that the scenarios can be played on it.

A runner is a binding's public face and its host's means to wait, and no more; what happens in a
scenario is written once, in ``client_scenario.py`` and ``server_scenario.py``.

The client of a client scenario runs in the test's own thread, by ``run``; the scripted servers have
threads of their own.  In a server scenario it is the other way round: the binding's server runs in a
thread, by ``serving``, and the clients are plain sockets in the test's thread.

Handlers and readers are written once too: as ``async def``, awaiting nothing but what ``Host``
offers.  On a host without an event loop these simply block and return, so that such a function never
suspends, and one ``send(None)`` runs it to its end.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Event(Protocol):
    """Is set once, in the host's own thread, and then for ever."""

    def set(self) -> None: ...

    async def wait(self) -> object: ...


class Host(Protocol):
    """The host's means to wait."""

    def now(self) -> float:
        """The clock by which the binding gives its machines the time, in seconds."""

    def event(self) -> Event: ...

    async def sleep(self, seconds: float) -> None: ...

    async def sleep_for_ever(self) -> None: ...

    def protected(self) -> AbstractContextManager[object]:
        """What is awaited inside is not cancelled."""

    async def within(self, seconds: float, wait: Callable[[], Awaitable[object]]) -> bool:
        """Await ``wait()``, and cancel it after so many seconds; whether it came to its end."""

    async def side_by_side(self, *waits: Callable[[], Awaitable[object]]) -> None:
        """Await all of them at the same time."""


class Serving(Protocol):
    """A server that runs in a thread of its own."""

    @property
    def port(self) -> int: ...

    def call(self, function: Callable[[], T]) -> T:
        """What ``function`` returns when it is called in the server's own thread, amid its loop."""

    def stop(self) -> None:
        """Have ``serve`` end, and don't wait for it."""


class Runner(Host, Protocol):
    """A binding under test."""

    #: What this binding can't do, of the words that a scenario's ``needs`` may hold:
    #: "cancel" (a reader's wait can be given up), "interrupt" (a handler's can), "tasks" (one task reads
    #: while another one leaves), "await headers" (the function for headers may be async), "stop" (the
    #: server can be stopped).
    lacks: frozenset[str]

    def run(self, play: Callable[[], Awaitable[T]]) -> T:
        """What ``play`` returns, in this thread."""

    def connect(self, url: str, **options: Any) -> AbstractAsyncContextManager[Any]: ...

    def stream_turn(self, upstream: Any, body: Any, **options: Any) -> AbstractAsyncContextManager[Any]: ...

    def serving(self, served: Any, **options: Any) -> AbstractContextManager[Serving]:
        """``serve`` with these arguments until the end of the ``with``.

        The port is a free one unless ``port`` is among them.  What ``serve`` raises is raised here.
        """


def finish(coroutine: Any) -> Any:
    """What a coroutine returns that never suspends: how a host without an event loop runs one."""
    with contextlib.closing(coroutine):
        try:
            coroutine.send(None)
        except StopIteration as end:
            return end.value
    raise AssertionError("this waits for something that is not the host's")
