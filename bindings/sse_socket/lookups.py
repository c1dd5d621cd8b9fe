"""Look names up on helper threads: ``getaddrinfo`` waits, for as long as it likes."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Callable

from sse_io.address_race import Address
from sse_io.connector import Cancel, Resolved

from .threads import Threads

#: Lookups at the same time, of all streams and servers of this process; further ones wait.
MAX_LOOKUPS = 40
_LOOKUPS = Threads(MAX_LOOKUPS, "sse_socket lookup")


def look_up(host: str, port: int, done: Resolved, post: Callable[[Callable[[], None]], None]) -> Cancel:
    """Look up ``host`` and ``port``, as ``sse_io.Host.resolve`` says.

    - ``host``, ``port``: what is looked up.
    - ``done``: called with the addresses, or with what was raised.
    - ``post``: has a call made in the thread that ``done`` belongs to; ``RuntimeError`` says
      that nobody is there any more.

    Returns what gives it up: the thread goes on until the system answers, and nobody hears of it.
    """
    cancelled = False

    def work() -> None:
        if cancelled:
            return
        found: list[Address] | OSError | UnicodeError
        try:
            found = [*socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        except (OSError, UnicodeError) as error:
            found = error
        with contextlib.suppress(RuntimeError):
            post(lambda: deliver(found))

    def deliver(found: list[Address] | OSError | UnicodeError) -> None:
        if not cancelled:
            done(found)

    def cancel() -> None:
        nonlocal cancelled
        cancelled = True
        _LOOKUPS.withdraw(work)

    try:
        _LOOKUPS.submit(work)
    except RuntimeError as error:
        failure = OSError(errno.EAGAIN, f"the name can't be looked up: {error}")
        post(lambda: deliver(failure))
    return cancel
