"""Alarms: each deadline is reported once, when it has come, however it moved before."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from sse_io.alarms import Alarms
from sse_io.owner import Owner
from tests.io.support import Recorder, TinyHost, reactor_of

MOMENTS = st.integers(0, 50).map(float)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("set"), st.integers(0, 4), st.one_of(MOMENTS, st.just(math.inf))),
        st.tuples(st.just("time"), st.just(0), MOMENTS),
        st.tuples(st.just("forget"), st.integers(0, 4), st.just(0.0)),
    )
)


@given(STEPS)
def test_whoever_is_due_is_called_and_nobody_else(steps: list[tuple[str, int, float]]) -> None:
    host = TinyHost()
    host.time = 0.0
    owners = [Recorder() for _ in range(5)]
    deadlines: dict[int, float] = {}
    with reactor_of(host) as reactor:
        for step, number, moment in steps:
            if step == "set":
                reactor.set_deadline(owners[number], moment)
                deadlines[number] = moment
            elif step == "forget":
                reactor.forget(owners[number])
                deadlines.pop(number, None)
            else:
                host.time = max(host.time, moment)
                expected = {each for each, at in deadlines.items() if at <= host.time}
                assert reactor.deadline <= min(deadlines.values(), default=math.inf), "nobody is late"
                for owner in owners:
                    owner.calls.clear()
                reactor.step(host.time)
                assert {each for each in range(5) if owners[each].names} == expected
                assert all(owner.names in ([], ["due"]) for owner in owners), "and once"
                for each in expected:  # as an owner does that is due
                    reactor.set_deadline(owners[each], math.inf)
                    del deadlines[each]


def test_a_deadline_that_moves_later_leaves_its_alarm_where_it_is() -> None:
    """That is what happens all the time, so it must cost nothing; the price is to ring in vain, once."""
    with reactor_of(host := TinyHost()) as reactor:
        owner = Recorder()
        for moment in range(1, 1000):
            reactor.set_deadline(owner, host.time + moment)
        assert reactor.deadline == host.time + 1
        host.time += 1
        reactor.step(host.time)
        assert owner.names == []
        assert reactor.deadline == host.time + 998


def test_what_is_of_no_use_does_not_pile_up() -> None:
    alarms, first, owner = Alarms(), Owner(), Owner()
    alarms.set(first, 0.5)
    for number in range(10_000):
        alarms.set(owner, 10_000.0 - number)
    assert len(alarms._heap) < 200  # noqa: SLF001  (what is of no use is seen nowhere else)
    alarms.cancel(first)
    assert alarms.earliest == 1.0
    alarms.cancel(owner)
    assert alarms.earliest == math.inf
    assert alarms.take_due(math.inf) == []


def test_who_was_cancelled_amid_others() -> None:
    with reactor_of(host := TinyHost()) as reactor:
        owners = [Recorder() for _ in range(3)]
        for number, owner in enumerate(owners):
            reactor.set_deadline(owner, host.time + number)
        reactor.forget(owners[1])
        host.time += 5
        reactor.step(host.time)
        assert [owner.names for owner in owners] == [["due"], [], ["due"]]
