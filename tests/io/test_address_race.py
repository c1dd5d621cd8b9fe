"""RFC 8305 without waiting: many addresses, one connection."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from sse_io.address_race import ATTEMPT_DELAY, Address, AddressRace, interleaved
from sse_io.connect_errors import connect_failure
from sse_io.owner import WRITE
from sse_io.reactor import Reactor
from tests.io.support import TinyHost, free_port, listener, reactor_of


def address(host: str, port: int) -> Address:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return (family, socket.SOCK_STREAM, 0, "", (host, port))


#: An address that nobody answers for: a SYN to it is as good as lost.
class Silent:
    """Attempts to these addresses never come to an end by themselves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.tried: list[str] = []
        self._connect = socket.socket.connect_ex
        monkeypatch.setattr(socket.socket, "connect_ex", self._connect_ex())

    def _connect_ex(self) -> Any:
        def connect_ex(sock: socket.socket, where: Any) -> int:
            self.tried.append(where[0])
            if where[0].startswith(("192.0.2.", "2001:db8:")):
                sock.bind(("::1" if ":" in where[0] else "127.0.0.1", 0))
                sock.listen(0)  # it never becomes writable
                return errno.EINPROGRESS
            return self._connect(sock, where)

        return connect_ex


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Silent:
    return Silent(monkeypatch)


class Result:
    """What a race came to."""

    def __init__(self) -> None:
        self.results: list[socket.socket | OSError] = []

    def __call__(self, result: Any) -> None:
        self.results.append(result)


@pytest.fixture
def result() -> Iterator[Result]:
    result = Result()
    yield result
    for each in result.results:
        if isinstance(each, socket.socket):
            each.close()


def race(reactor: Reactor, host: TinyHost, result: Result, *addresses: Address) -> AddressRace:
    started = AddressRace(reactor, [*addresses], 60.0, result)
    started.begin(host.time)
    return started


def run(reactor: Reactor, host: TinyHost, result: Result) -> socket.socket | OSError:
    for _ in range(200):
        if result.results:
            return result.results[0]
        reactor.step(host.time, 0.01)
    raise AssertionError("it came to nothing")


def test_families_take_turns() -> None:
    six = [address(f"2001:db8::{n}", 1) for n in range(3)]
    four = [address(f"192.0.2.{n}", 1) for n in range(2)]
    assert interleaved([*six, *four]) == [six[0], four[0], six[1], four[1], six[2]]
    assert interleaved([*four, *six]) == [four[0], six[0], four[1], six[1], six[2]]
    assert interleaved([]) == []


def test_one_address(result: Result) -> None:
    with listener() as (sock, endpoint), reactor_of(host := TinyHost()) as reactor:
        race(reactor, host, result, address("127.0.0.1", endpoint.port))
        connected = run(reactor, host, result)
        assert isinstance(connected, socket.socket)
        accepted, _ = sock.accept()
        with accepted:
            connected.send(b"hello")
            assert accepted.recv(10) == b"hello"
        assert reactor.deadline == float("inf")


def test_an_address_that_refuses_gives_way_at_once(result: Result) -> None:
    with listener() as (_, endpoint), reactor_of(host := TinyHost()) as reactor:
        race(reactor, host, result, address("127.0.0.1", free_port()), address("127.0.0.1", endpoint.port))
        assert isinstance(run(reactor, host, result), socket.socket)
        assert host.time == 1000.0, "and nobody waited for it"


def test_one_that_is_silent_has_a_head_start_and_no_more(silent: Silent, result: Result) -> None:
    with listener() as (_, endpoint), reactor_of(host := TinyHost()) as reactor:
        good = address("127.0.0.1", endpoint.port)
        race(reactor, host, result, address("2001:db8::1", 1), address("192.0.2.1", 1), good)
        assert silent.tried == ["2001:db8::1"]
        assert reactor.deadline == host.time + ATTEMPT_DELAY
        reactor.step(host.time)
        assert len(silent.tried) == 1
        for count in (2, 3):
            host.time += ATTEMPT_DELAY
            reactor.step(host.time)
            assert len(silent.tried) == count
        assert isinstance(run(reactor, host, result), socket.socket)
        assert reactor.deadline == float("inf"), "and the others were given up"


def test_the_first_that_is_connected_wins_and_the_others_are_closed(silent: Silent, result: Result) -> None:
    sockets: list[socket.socket] = []
    with listener() as (_, endpoint), reactor_of(host := TinyHost()) as reactor:
        watched = reactor.watch

        def watch(owner: Any, interest: int) -> None:
            if interest == WRITE:
                sockets.append(owner.sock)
            watched(owner, interest)

        reactor.watch = watch  # type: ignore[method-assign]
        race(reactor, host, result, address("192.0.2.1", 1), address("127.0.0.1", endpoint.port))
        host.time += ATTEMPT_DELAY
        winner = run(reactor, host, result)
        assert len(silent.tried) == len(sockets) == 2
        assert [sock.fileno() == -1 for sock in sockets] == [True, False]
        assert winner is sockets[1]
        reactor.step(host.time)
        assert len(result.results) == 1


def test_when_all_fail_all_reasons_are_given(result: Result) -> None:
    with reactor_of(host := TinyHost()) as reactor:
        race(
            reactor,
            host,
            result,
            address("127.0.0.1", free_port()),
            (9999, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 1)),
            (socket.AF_UNIX, socket.SOCK_STREAM, 0, "", "/" + "x" * 1000),
            (socket.AF_UNIX, socket.SOCK_STREAM, 0, "", "/nowhere/at/all"),
        )
        error = run(reactor, host, result)
        assert isinstance(error, OSError)
        message = str(connect_failure(error))
        for expected in (os.strerror(errno.ECONNREFUSED), os.strerror(errno.ENOENT), "AF_UNIX path too long"):
            assert expected in message
        assert connect_failure(error).retryable
        assert reactor.deadline == float("inf")


def test_no_address_at_all(result: Result) -> None:
    with reactor_of(host := TinyHost()) as reactor:
        race(reactor, host, result)
        error = run(reactor, host, result)
        assert isinstance(error, OSError)
        assert str(connect_failure(error)) == "no address could be connected to"


def test_who_is_the_last_has_all_the_time(silent: Silent, result: Result) -> None:
    with reactor_of(host := TinyHost()) as reactor:
        started = race(reactor, host, result, address("192.0.2.1", 1), address("192.0.2.2", 1))
        for _ in range(5):
            host.time += ATTEMPT_DELAY
            reactor.step(host.time)
        assert silent.tried == ["192.0.2.1", "192.0.2.2"]
        assert result.results == []
        assert reactor.deadline == float("inf"), "how long that is, somebody else knows"
        started.end(host.time)


def test_a_name_of_very_many_addresses(result: Result) -> None:
    with reactor_of(host := TinyHost()) as reactor:
        race(reactor, host, result, *[(9999, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 1))] * 5000)
        assert isinstance(run(reactor, host, result), OSError)


def test_a_resolver_that_gives_what_is_no_address(result: Result) -> None:
    with reactor_of(host := TinyHost()) as reactor:
        race(reactor, host, result, (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", "http")))
        error = run(reactor, host, result)
        assert isinstance(error, OSError)
        assert str(connect_failure(error)) == "connecting failed"


def test_a_race_that_is_given_up_reports_nothing(silent: Silent, result: Result) -> None:
    with reactor_of(host := TinyHost()) as reactor:
        started = race(reactor, host, result, address("192.0.2.1", 1), address("192.0.2.2", 1))
        started.end(host.time)
        started.end(host.time)
        host.time += 60
        reactor.step(host.time)
        assert silent.tried == ["192.0.2.1"]
        assert result.results == []
        assert reactor.deadline == float("inf")
