"""Timers: one deadline, and what is due in the order in which it fell due."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sse_core.lifecycle import Timer, Timers
from sse_core.lifecycle.timers import earlier

ARMED = st.dictionaries(st.sampled_from(Timer), st.floats(0, 1000))


def timers(armed: dict[Timer, float]) -> Timers:
    made = Timers()
    for timer, at in armed.items():
        made.arm(timer, at)
    return made


def test_without_timers_there_is_no_deadline() -> None:
    assert Timers().deadline is None
    assert Timers().next_expired(1e9) is None
    assert Timers().take_expired(1e9) == []


def test_arming_again_takes_the_place_of_the_first_arming() -> None:
    made = timers({Timer.IDLE: 1.0})
    made.arm(Timer.IDLE, 5.0)
    assert made.deadline == 5.0
    assert made.due(Timer.IDLE) == 5.0
    assert made.take_expired(4.0) == []


def test_disarming_is_harmless_for_what_is_not_armed() -> None:
    made = timers({Timer.IDLE: 1.0, Timer.WHOLE: 2.0})
    made.disarm(Timer.IDLE)
    made.disarm(Timer.CONNECT)
    assert made.due(Timer.IDLE) is None
    assert made.deadline == 2.0
    made.clear()
    assert made.deadline is None


def test_a_timer_is_due_at_its_very_moment() -> None:
    made = timers({Timer.IDLE: 1.0})
    assert made.next_expired(0.999) is None
    assert made.next_expired(1.0) is Timer.IDLE
    assert made.next_expired(1.0) is None


def test_one_a_call_so_that_the_first_may_disarm_the_second() -> None:
    made = timers({Timer.FIRST_OUTPUT: 2.0, Timer.FIRST_BYTE: 1.0})
    assert made.next_expired(10.0) is Timer.FIRST_BYTE
    made.disarm(Timer.FIRST_OUTPUT)
    assert made.next_expired(10.0) is None


@given(ARMED, st.floats(0, 1000))
def test_the_law(armed: dict[Timer, float], now: float) -> None:
    """All that is due comes once, oldest first; what isn't due stays."""
    made = timers(armed)
    assert made.deadline == min(armed.values(), default=None)
    expired = made.take_expired(now)
    assert sorted(expired, key=lambda timer: timer.value) == sorted(
        (timer for timer, at in armed.items() if at <= now), key=lambda timer: timer.value
    )
    moments = [armed[timer] for timer in expired]
    assert moments == sorted(moments)
    assert made.deadline == min((at for at in armed.values() if at > now), default=None)


CALLS = st.lists(
    st.tuples(
        st.sampled_from(["arm", "begin", "disarm", "stop", "clear", "expire"]),
        st.sampled_from(list(Timer)[:4]),
        st.floats(0, 10),
    )
)


@given(CALLS)
def test_the_deadline_is_the_earliest_whatever_the_calls_before(
    calls: list[tuple[str, Timer, float]],
) -> None:
    made, due = Timers(), dict[Timer, float]()
    for call, timer, at in calls:
        if call in {"arm", "begin"}:
            made.arm(timer, at) if call == "arm" else made.begin(timer, at, 0.0)
            due[timer] = at
        elif call == "expire":
            expired = min(((when, each.value, each) for each, when in due.items()), default=None)
            fired = made.next_expired(at)
            assert fired is (expired[2] if expired is not None and expired[0] <= at else None)
            due.pop(fired, None) if fired is not None else None
        elif call == "clear":
            made.clear(but=frozenset({timer}))
            due = {each: when for each, when in due.items() if each is timer}
        else:
            made.disarm(timer) if call == "disarm" else made.stop(timer, 0.0)
            due.pop(timer, None)
        assert made.deadline == min(due.values(), default=None)


def test_a_timer_without_a_deadline_is_left_as_it_is() -> None:
    made = timers({Timer.IDLE: 1.0})
    made.begin(Timer.IDLE, None, 5.0)
    made.begin(Timer.WHOLE, None, 5.0)
    assert (made.due(Timer.IDLE), made.due(Timer.WHOLE), made.deadline) == (1.0, None, 1.0)


MOMENTS = st.none() | st.floats(0, 1000)


@given(MOMENTS, MOMENTS)
def test_the_earlier_of_two_moments_of_which_either_may_be_none(
    one: float | None, other: float | None
) -> None:
    assert earlier(one, other) == min((at for at in (one, other) if at is not None), default=None)
