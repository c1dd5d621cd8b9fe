"""The selector that others watch: what it must not do to its host, or to a parent process."""

from __future__ import annotations

import os
import select
import selectors
import socket
import struct
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from sse_io.owner import READ, Owner
from sse_io.watcher import NestedSelector, nests
from tests.io.support import Recorder, TinyHost, reactor_of


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two connected TCP sockets, the first of which is ours."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        theirs = socket.create_connection(server.getsockname())
        ours, _ = server.accept()
        ours.settimeout(0)
        with ours, theirs:
            yield ours, theirs


def readable(number: int) -> bool:
    return bool(select.select([number], [], [], 0.01)[0])


def test_the_selector_is_readable_when_a_socket_of_it_is(pair: tuple[socket.socket, socket.socket]) -> None:
    selector, owner = NestedSelector(), Owner(pair[0])
    selector.watch(owner, READ)
    owner.interest = READ
    assert not readable(selector.fileno())
    pair[1].send(b"x")
    assert readable(selector.fileno())
    assert selector.take_ready(0) == [(owner, READ)]
    selector.close()


def test_a_paused_socket_that_is_reset_wakes_nobody(pair: tuple[socket.socket, socket.socket]) -> None:
    """Epoll reports a reset whatever it watches for: a socket that is watched for nothing has to leave it."""
    host, (ours, theirs) = TinyHost(), pair
    selector = NestedSelector()
    with reactor_of(host, selector=selector) as reactor:
        owner = Recorder(ours)
        reactor.watch(owner, READ)
        reactor.watch(owner, 0)
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        theirs.close()
        assert not readable(selector.fileno())
        reactor.watch(owner, READ)
        assert readable(selector.fileno()), "whoever goes on finds out"


def test_a_socket_leaves_the_selector_before_it_is_closed(pair: tuple[socket.socket, socket.socket]) -> None:
    """A duplicate, in a child process for one, would keep it there for ever, and nobody could take it out."""
    host, (ours, theirs) = TinyHost(), pair
    selector = NestedSelector()
    with reactor_of(host, selector=selector) as reactor:
        owner = Recorder(ours)
        reactor.watch(owner, READ)
        duplicate = ours.dup()
        reactor.forget(owner)
        ours.close()
        theirs.send(b"x")
        assert not readable(selector.fileno())
        duplicate.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_takes_nothing_from_its_parent(pair: tuple[socket.socket, socket.socket]) -> None:
    selector, owner = NestedSelector(), Owner(pair[0])
    selector.watch(owner, READ)
    owner.interest = READ
    child = os.fork()
    if not child:
        selector.watch(owner, 0)
        os._exit(0)
    os.waitpid(child, 0)
    pair[1].send(b"x")
    assert readable(selector.fileno())
    selector.close()


def test_who_has_no_socket_cannot_be_watched() -> None:
    selector = NestedSelector()
    selector.watch(Owner(), READ)
    assert selector.take_ready(0) == []
    selector.close()


class TestSelfTest:
    @pytest.mark.skipif(sys.platform != "linux", reason="an epoll can be watched")
    def test_here_selectors_nest(self) -> None:
        assert nests()

    def test_where_a_selector_has_no_descriptor(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(selectors, "DefaultSelector", selectors.SelectSelector)
        assert not nests()

    def test_where_a_selector_cannot_be_watched(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Refuses(selectors.SelectSelector):
            def register(self, fileobj: Any, events: int, data: Any = None) -> Any:
                if isinstance(fileobj, int):
                    raise OSError("not this one")
                return super().register(fileobj, events, data)

            def fileno(self) -> int:
                return 0

        monkeypatch.setattr(selectors, "DefaultSelector", Refuses)
        assert not nests()

    def test_where_it_never_becomes_readable(self, monkeypatch: pytest.MonkeyPatch) -> None:
        class Deaf(selectors.DefaultSelector):
            def select(self, timeout: float | None = None) -> Any:
                del timeout
                return []

        monkeypatch.setattr(selectors, "DefaultSelector", Deaf)
        assert not nests()
