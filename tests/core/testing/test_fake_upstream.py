"""What a fake upstream plays to a turn or an event source, and that its clock is the only one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sse_core import Deadlines, RetryPolicy, SourceDeadlines, dialects
from sse_core.headers import Headers
from sse_core.lifecycle import NO_RETRY, EventSource, HTTPRequest, Outcome, Turn, Want
from sse_core.testing import (
    Clock,
    ConnectionCut,
    End,
    Exchange,
    FakeUpstream,
    PlayError,
    Silence,
    Unreachable,
    read_message,
    strategies,
    stream_of,
    whole_answer,
)

REQUEST = HTTPRequest("https://provider.test/v1", "POST", body=b"{}")
STREAM = stream_of("anthropic", whole_answer("Hello, world!"))
SHOWN = STREAM.index(b"\n\n", STREAM.index(b"Hello")) + 2  # bytes, until something was shown
GOOD = Exchange((STREAM,), delay=1.0, gap=2.0)


def turn_of(
    dialect: str = "anthropic", *, retry: RetryPolicy | None = None, deadlines: Deadlines | None = None
) -> Turn:
    return Turn(REQUEST, dialect=dialects.get(dialect), retry=retry, deadlines=deadlines)


def test_an_exchange_takes_the_time_that_it_says() -> None:
    upstream = FakeUpstream([GOOD], clock=Clock(100.0))
    turn = turn_of()
    upstream.play(turn)
    assert (turn.outcome, turn.message.text) == (Outcome.COMPLETED, "Hello, world!")
    assert (turn.timing.started_at, turn.timing.first_byte_at, turn.timing.ended_at) == (100.0, 101.0, 103.0)
    assert (upstream.requests, upstream.request_times) == ([REQUEST], [100.0])


def test_a_connection_that_takes_too_long_is_given_up_and_asked_for_anew() -> None:
    upstream = FakeUpstream([Unreachable()(Exchange(delay=99.0)), GOOD])
    turn = turn_of(deadlines=Deadlines(connect=5.0))
    upstream.play(turn)
    assert (turn.outcome, upstream.request_times) == (Outcome.COMPLETED, [0.0, 5.5])


@pytest.mark.parametrize(
    ("exchange", "ends_at"),
    [
        (Exchange(delay=99.0), 7.0),
        (Silence(10**6)(Exchange((STREAM[:-40],))), 9.0),
        (Exchange((STREAM[:-40], b""), gap=9.5), 18.5),
    ],
)
def test_a_deadline_comes_before_what_would_happen_after_it(exchange: Exchange, ends_at: float) -> None:
    upstream = FakeUpstream([exchange])
    turn = turn_of(retry=NO_RETRY, deadlines=Deadlines(first_byte=7.0, output_gap=9.0))
    upstream.play(turn)
    assert (turn.outcome, upstream.clock.now) == (Outcome.EXPIRED, ends_at)


def test_a_turn_that_is_stopped_between_two_events_is_closed() -> None:
    upstream, turn = FakeUpstream([Silence(SHOWN)(GOOD)]), turn_of()
    for _ in upstream.events(turn):
        turn.stop(upstream.clock.now)
    assert (turn.outcome, turn.want, upstream.clock.now) == (Outcome.STOPPED, Want.NOTHING, 3.0)


def test_what_is_due_waits_for_a_turn_that_is_paused() -> None:
    upstream, turn = FakeUpstream([Exchange((STREAM[:SHOWN], STREAM[SHOWN:]), gap=1.0)]), turn_of()
    events = upstream.events(turn)
    next(events)
    turn.pause(upstream.clock.now)
    upstream.clock.advance(50.0)
    turn.resume(upstream.clock.now)
    list(events)
    assert (turn.outcome, turn.timing.ended_at) == (Outcome.COMPLETED, 51.0)


def test_a_source_reconnects_where_it_was_and_follows_redirects() -> None:
    elsewhere = Exchange(status=307, headers=Headers({"location": "/other"}))
    first = ConnectionCut(20)(Exchange((b"id: 7\ndata: a\n\ndata: lost", b"\n\n")))
    upstream = FakeUpstream([elsewhere, first, Exchange((b"data: b\n\n",)), Exchange(status=204)])
    source = EventSource(HTTPRequest("https://server.test/events"))
    assert [event.data for event in upstream.play(source)] == ["a", "b"]
    assert [(request.url[19:], request.headers.get("last-event-id")) for request in upstream.requests] == [
        ("/events", None),
        ("/other", None),
        ("/events", "7"),
        ("/events", "7"),
    ]


def test_a_connection_that_can_never_be_made_is_not_asked_for_again() -> None:
    turn = turn_of()
    FakeUpstream([Unreachable("certificate refused", retryable=False)(GOOD)]).play(turn)
    assert (turn.outcome, turn.attempts) == (Outcome.FAILED, 1)


def test_a_request_too_many_is_an_error() -> None:
    with pytest.raises(PlayError, match="request 2 is one more"):
        FakeUpstream([Exchange(end=End.LOST)]).play(turn_of())


def test_a_machine_that_would_wait_for_ever_is_an_error() -> None:
    source = EventSource(REQUEST, deadlines=SourceDeadlines(idle=None, first_byte=None))
    with pytest.raises(PlayError, match="the machine wants to read, without a deadline"):
        FakeUpstream([Exchange((b"data: a\n\n",), end=End.SILENT)]).play(source)


def test_a_body_is_pieces() -> None:
    assert Exchange([b"a", b"b"]).body == (b"a", b"b")
    with pytest.raises(TypeError, match=r"a body of one piece is \(data,\)"):
        Exchange(b"data: a\n\n")  # type: ignore[arg-type]


def test_a_clock_does_not_go_back() -> None:
    clock = Clock(5.0)
    assert (clock.advance_to(3.0), clock.advance(2.0), clock()) == (5.0, 7.0, 7.0)
    with pytest.raises(ValueError, match="time does not go back"):
        clock.advance(-1.0)


@given(strategies.dialects(), st.data())
def test_a_turn_has_one_outcome_and_shows_nothing_but_the_answer(dialect: str, data: st.DataObject) -> None:
    """Whatever goes wrong with the first exchange: the second repeats nothing that was shown."""
    good = data.draw(strategies.exchanges(dialect))
    whole = read_message(dialect, good.body)
    fault = data.draw(strategies.faults(dialect, good))
    turn = turn_of(dialect)
    FakeUpstream([fault(good), good]).play(turn)
    assert whole.text.startswith(turn.message.text)
    if turn.outcome is Outcome.COMPLETED:
        assert turn.message.text == whole.text
        assert len(turn.message.executable_tools) == len(whole.executable_tools)
    else:
        assert turn.message.executable_tools == []
