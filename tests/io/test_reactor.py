"""Turns: bounded steps, nobody starves, and nobody's mistake is another's."""

from __future__ import annotations

import math
import socket

import pytest

from sse_io.owner import READ, WRITE, Owner
from sse_io.reactor import MAX_SECONDS, MAX_TURNS
from tests.io.support import Recorder, TinyHost, reactor_of


class Busy(Recorder):
    """Its turn takes a while."""

    def __init__(self, host: TinyHost, seconds: float, sock: socket.socket | None = None) -> None:
        super().__init__(sock)
        self._host = host
        self._seconds = seconds

    def go_on(self, now: float) -> None:
        super().go_on(now)
        self._host.time += self._seconds


class TestBounds:
    def test_a_step_is_bounded_in_turns(self) -> None:
        with reactor_of(host := TinyHost()) as reactor:
            owners = [Recorder() for _ in range(40)]
            for owner in owners:
                reactor.go_on(owner)
            for expected in (MAX_TURNS, 2 * MAX_TURNS, 40):
                assert reactor.deadline == -math.inf
                reactor.step(host.time)
                assert sum(len(owner.calls) for owner in owners) == expected
            assert reactor.deadline == math.inf

    def test_and_in_time(self) -> None:
        with reactor_of(host := TinyHost()) as reactor:
            owners = [Busy(host, 0.6 * MAX_SECONDS) for _ in range(4)]
            for owner in owners:
                reactor.go_on(owner)
            reactor.step(host.time)
            assert [len(owner.calls) for owner in owners] == [1, 1, 0, 0]

    def test_what_is_left_comes_first_in_the_next_step(self) -> None:
        """Or the first sockets of each batch would starve the others."""
        pairs = [socket.socketpair() for _ in range(20)]
        with reactor_of(host := TinyHost()) as reactor:
            owners = [Recorder(ours) for ours, _ in pairs]
            for owner, (_, theirs) in zip(owners, pairs, strict=True):
                theirs.send(b"x")
                reactor.watch(owner, READ)
            for _ in range(4):  # nobody reads, so all of them stay ready
                reactor.step(host.time)
            counts = [len(owner.calls) for owner in owners]
            assert sum(counts) == 16 + 4 + 16 + 4
            assert counts == [2] * 20
        for ours, theirs in pairs:
            ours.close()
            theirs.close()

    def test_an_alarm_that_is_set_again_in_the_past_cannot_keep_a_step_from_returning(self) -> None:
        with reactor_of(host := TinyHost()) as reactor:

            class Impatient(Recorder):
                def due(self, now: float) -> None:
                    super().due(now)
                    reactor.set_deadline(self, now - 1)

            owner = Impatient()
            reactor.set_deadline(owner, host.time - 1)
            for count in (1, 2, 3):
                reactor.step(host.time)
                assert len(owner.calls) == count

    def test_a_deadline_that_moves_with_the_clock_falls_due(self) -> None:
        """It is read once and kept: by a step's own time it would be ahead for ever."""
        with reactor_of(host := TinyHost()) as reactor:
            owner = Recorder()

            class Moving(Owner):
                def go_on(self, now: float) -> None:
                    del now
                    host.time += 0.0001  # others take their time within a step
                    reactor.set_deadline(owner, host.now())

            reactor.go_on(Moving())
            reactor.step(host.time)
            assert owner.calls == []
            assert reactor.deadline <= host.time
            reactor.step(host.time)
            assert owner.names == ["due"]


class TestTurns:
    def test_who_ended_meanwhile_has_no_turn_and_nor_has_its_descriptors_next_owner(self) -> None:
        pairs = [socket.socketpair() for _ in range(2)]
        with reactor_of(host := TinyHost()) as reactor:
            gone, heir = Recorder(pairs[1][0]), Recorder()

            class First(Owner):
                """It has its turn before them, in the same batch."""

                def ready(self, mask: int, now: float) -> None:
                    del mask, now
                    number = pairs[1][0].fileno()
                    reactor.forget(gone)
                    pairs[1][0].close()
                    pairs.append(socket.socketpair())
                    heir.sock = pairs[2][0]
                    assert heir.sock.fileno() == number, "the system uses the lowest number that is free"
                    reactor.watch(heir, READ)

            reactor.watch(First(pairs[0][0]), READ)
            reactor.watch(gone, READ)
            for _, theirs in pairs:
                theirs.send(b"x")
            reactor.step(host.time)
            assert len(pairs) == 3
            assert gone.calls == heir.calls == []
        for pair in pairs:
            for sock in pair:
                sock.close()

    def test_who_wants_something_else_by_now_is_not_called_for_what_it_wanted(self) -> None:
        with reactor_of(host := TinyHost()) as reactor:
            late = Recorder()

            class Earlier(Recorder):
                def due(self, now: float) -> None:
                    reactor.set_deadline(late, now + 1)
                    reactor.set_deadline(self, math.inf)

            reactor.set_deadline(Earlier(), host.time)
            reactor.set_deadline(late, host.time)
            reactor.step(host.time)
            assert late.calls == []
            assert reactor.deadline == host.time + 1

    def test_only_what_is_wanted_is_reported(self) -> None:
        ours, theirs = socket.socketpair()
        with reactor_of(host := TinyHost()) as reactor, ours, theirs:
            owner = Recorder(ours)
            theirs.send(b"x")
            for interest in (WRITE, READ, READ | WRITE):
                reactor.watch(owner, interest)
                reactor.step(host.time)
            assert owner.masks == [WRITE, READ, READ | WRITE]
            reactor.watch(owner, 0)
            reactor.step(host.time)
            assert len(owner.calls) == 3

    def test_a_mistake_ends_its_owner_alone(self) -> None:
        errors: list[Exception] = []

        class Broken(Recorder):
            def go_on(self, now: float) -> None:
                super().go_on(now)
                raise RuntimeError("a mistake")

        with reactor_of(host := TinyHost(), errors) as reactor:
            broken, other = Broken(), Recorder()
            reactor.go_on(broken)
            reactor.go_on(other)
            reactor.step(host.time)
            assert broken.names == ["go_on", "end"]
            assert other.names == ["go_on"]
            assert [str(error) for error in errors] == ["a mistake"]


class TestLookingAgain:
    def test_the_host_is_woken_when_there_is_something_earlier_to_do(self) -> None:
        with reactor_of(host := TinyHost()) as reactor:
            first, second = Owner(), Owner()
            reactor.set_deadline(first, 2000.0)
            assert host.looks == 1
            reactor.set_deadline(second, 3000.0)
            assert host.looks == 1, "that is no earlier"
            reactor.set_deadline(second, 1500.0)
            assert host.looks == 2
            reactor.go_on(first)
            assert host.looks == 3

    def test_but_not_while_it_is_in_a_step(self) -> None:
        with reactor_of(host := TinyHost()) as reactor:

            class Restless(Owner):
                def due(self, now: float) -> None:
                    reactor.set_deadline(self, now + 1)
                    reactor.go_on(self)

            reactor.set_deadline(Restless(), host.time)
            looks = host.looks
            reactor.step(host.time)
            assert host.looks == looks
            assert reactor.deadline == -math.inf

    def test_a_loop_by_itself_waits_for_its_sockets(self) -> None:
        ours, theirs = socket.socketpair()
        with reactor_of(host := TinyHost()) as reactor, ours, theirs:
            owner = Recorder(ours)
            reactor.watch(owner, READ)
            reactor.step(host.time, wait=0.001)
            assert owner.calls == []
            theirs.send(b"x")
            reactor.step(host.time, wait=60.0)
            assert owner.names == ["ready"]

    @pytest.mark.parametrize("method", ["ready", "due", "go_on", "end"])
    def test_who_has_no_use_for_a_turn_lets_it_pass(self, method: str) -> None:
        getattr(Owner(), method)(*((READ,) if method == "ready" else ()), 0.0)
