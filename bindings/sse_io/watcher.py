"""Who watches sockets: a selector that can itself be watched, or, where there is none such, the host.

A selector (epoll, kqueue) has a file descriptor of its own, which is readable when any of its sockets is
ready.  So whoever can wait for one descriptor can wait for all of them.  Windows has no such thing, nor
have platforms whose kqueue can't be watched: there the host watches each socket by its own means.
"""

from __future__ import annotations

import os
import selectors
import socket
from typing import Protocol

from .owner import READ, Owner


class Watcher(Protocol):
    """What a reactor needs of whoever watches its owners' sockets."""

    def watch(self, owner: Owner, interest: int) -> None:
        """Watch for ``interest`` from now on, in place of ``owner.interest``; 0 is to leave it alone."""

    def take_ready(self, wait: float) -> list[tuple[Owner, int]]:
        """Who is ready, and for what; who stays ready is given again the next time.

        If nobody is, it may wait for ``wait`` seconds.
        """

    def close(self) -> None:
        """Let go of what it has; the sockets stay open."""


class NestedSelector:
    """The system's selector, with a descriptor of its own.

    A child process that was forked has the same selector, not another: what it took out would be missing
    here.  So in a child this does nothing.
    """

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._process = os.getpid()

    def fileno(self) -> int:
        """What is readable when somebody is ready.  Raises ``AttributeError`` where there is no such."""
        return self._selector.fileno()

    def watch(self, owner: Owner, interest: int) -> None:
        """A socket that nobody wants to hear of leaves the selector.

        It would go on to say that a connection was reset, whatever it is watched for: 155,000 times in a
        tenth of a second, when that was tried.
        """
        if os.getpid() != self._process or owner.sock is None:
            return
        if not owner.interest:
            self._selector.register(owner.sock, interest, owner)
        elif interest:
            self._selector.modify(owner.sock, interest, owner)
        else:
            self._selector.unregister(owner.sock)

    def take_ready(self, wait: float) -> list[tuple[Owner, int]]:
        """Who is ready, and for what."""
        return [(key.data, mask) for key, mask in self._selector.select(wait)]

    def close(self) -> None:
        """Close the descriptor; whoever waits for it has to leave off before."""
        self._selector.close()


def nests() -> bool:
    """Whether this system's selector can be watched by another: found out by trying it."""
    ours, theirs = socket.socketpair()
    inner = NestedSelector()
    try:
        with ours, theirs, selectors.DefaultSelector() as outer:
            outer.register(inner.fileno(), READ)
            inner.watch(Owner(ours), READ)
            before = outer.select(0)
            theirs.send(b"x")
            return not before and bool(outer.select(0))
    except (OSError, AttributeError, ValueError):
        return False
    finally:
        inner.close()
