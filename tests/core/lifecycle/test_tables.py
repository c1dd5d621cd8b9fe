"""The state tables, walked whole: what each public call does in each state, and nothing else happens.

A cell of the matrices below says where a call leads from a state.  The tables must be exactly what
the matrices show: no cell changes a state that the table doesn't, and no entry is never taken.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from sse_core import LocalProtocolError
from sse_core.headers import Headers
from sse_core.lifecycle import (
    Deadlines,
    EventSource,
    RetryPolicy,
    SourceDeadlines,
    SourceInput,
    SourceState,
    Timer,
    Turn,
    TurnInput,
    TurnState,
    Want,
)
from sse_core.lifecycle.machine import Tables
from sse_core.lifecycle.source import source_table
from sse_core.lifecycle.turn import turn_table
from tests.core.lifecycle.source import source_support as sources
from tests.core.lifecycle.turn import turn_support as turns
from tests.core.lifecycle.turn.turn_support import (
    ANSWER,
    EVENT_STREAM,
    HELLO,
    INVALID,
    OPENED,
    OVERLOADED,
    START,
    WORLD,
    wire,
)

LATE = 1e9  # every deadline has passed
SOON = 1.0  # a back-off has passed, no deadline has

TurnCall = Callable[[Turn], object]

TURN_CALLS: dict[str, TurnCall] = {
    "start": lambda turn: turn.start(SOON),
    "stop": lambda turn: turn.stop(SOON),
    "connected": lambda turn: turn.connected(SOON),
    "head": lambda turn: turn.response_started(200, EVENT_STREAM, SOON),
    "refusal": lambda turn: turn.response_started(529, Headers(), SOON),
    "no stream": lambda turn: turn.response_started(200, Headers({"content-type": "text/html"}), SOON),
    "no answer": lambda turn: turn.response_started(204, Headers(), SOON),
    "redirect": lambda turn: turn.response_started(307, Headers({"location": "/elsewhere"}), SOON),
    "bad redirect": lambda turn: turn.response_started(307, Headers({"location": "ftp://a/"}), SOON),
    "nothing visible": lambda turn: turn.receive_data(wire(START, OPENED), SOON),
    "visible": lambda turn: turn.receive_data(wire(START, OPENED, HELLO), SOON),
    "more": lambda turn: turn.receive_data(wire(WORLD), SOON),
    "all": lambda turn: turn.receive_data(wire(*ANSWER), SOON),
    "error, may pass": lambda turn: turn.receive_data(wire(OVERLOADED), SOON),
    "error, final": lambda turn: turn.receive_data(wire(INVALID), SOON),
    "garbage": lambda turn: turn.receive_data(b"data: {]\n\n", SOON),
    "eof": lambda turn: turn.receive_eof(SOON),
    "lost": lambda turn: turn.connection_lost("reset", SOON),
    "closed": lambda turn: turn.closed(SOON),
    "pause": lambda turn: turn.pause(SOON),
    "resume": lambda turn: turn.resume(SOON),
    "a reader": lambda turn: turn.readers_changed(1, SOON),
    "no reader": lambda turn: turn.readers_changed(0, SOON),
    "early timeout": lambda turn: turn.handle_timeout(0.0),
    "timeout": lambda turn: turn.handle_timeout(SOON),
    "late timeout": lambda turn: turn.handle_timeout(LATE),
}


def closing() -> Turn:
    turn = turns.accepted()
    turn.receive_data(wire(OVERLOADED), 0.0)
    return turn


def refused(status: int) -> Turn:
    turn = turns.waiting()
    turn.response_started(status, Headers(), 0.0)
    return turn


def redirecting() -> Turn:
    turn = turns.waiting()
    turn.response_started(307, Headers({"location": "/elsewhere"}), 0.0)
    return turn


def new() -> Turn:
    return Turn(turns.REQUEST, turns.ANTHROPIC)


def stopped() -> Turn:
    turn = turns.connecting()
    turn.stop(0.0)
    return turn


#: A situation: its state, whether a transport is open, and how to get there.
TURNS: dict[str, tuple[TurnState, bool, Callable[[], Turn]]] = {
    "idle": (TurnState.IDLE, False, new),
    "connecting": (TurnState.CONNECTING, False, turns.connecting),
    "waiting": (TurnState.WAITING, True, turns.waiting),
    "accepted": (TurnState.WAITING, True, turns.accepted),
    "refused": (TurnState.WAITING, True, lambda: refused(400)),
    "refused, may pass": (TurnState.WAITING, True, lambda: refused(529)),
    "redirecting": (TurnState.REDIRECTING, True, redirecting),
    "streaming": (TurnState.STREAMING, True, turns.streaming),
    "streaming, for who can take back": (
        TurnState.STREAMING,
        True,
        lambda: turns.streaming(retry=RetryPolicy(after_output="retract")),
    ),
    "closing": (TurnState.BACKOFF, True, closing),
    "sleeping": (TurnState.BACKOFF, False, turns.backing_off),
    "done, open": (TurnState.DONE, True, turns.done),
    "done": (TurnState.DONE, False, stopped),
}

_CONNECTING, _WAITING, _STREAMING = TurnState.CONNECTING, TurnState.WAITING, TurnState.STREAMING
_BACKOFF, _DONE = TurnState.BACKOFF, TurnState.DONE

#: Where a call leads from a situation; what isn't here leads nowhere.
TURN_MATRIX: dict[str, dict[str, TurnState]] = {
    "idle": {"start": _CONNECTING, "stop": _DONE, "no reader": _DONE},
    "connecting": {
        **dict.fromkeys(("stop", "no reader", "late timeout"), _DONE),
        **dict.fromkeys(("lost", "closed"), _BACKOFF),
        "connected": _WAITING,
    },
    "waiting": {
        **dict.fromkeys(("stop", "no reader", "no answer", "bad redirect", "late timeout"), _DONE),
        "redirect": TurnState.REDIRECTING,
        **dict.fromkeys(("eof", "lost", "closed"), _BACKOFF),
    },
    "accepted": {
        **dict.fromkeys(("stop", "no reader", "all", "error, final", "late timeout"), _DONE),
        **dict.fromkeys(("error, may pass", "garbage", "eof", "lost", "closed"), _BACKOFF),
        # Without its beginning a delta has no place.
        "more": _BACKOFF,
        "visible": _STREAMING,
    },
    "refused": dict.fromkeys(("stop", "no reader", "eof", "lost", "closed", "late timeout"), _DONE),
    "refused, may pass": {
        **dict.fromkeys(("stop", "no reader", "late timeout"), _DONE),
        **dict.fromkeys(("eof", "lost", "closed"), _BACKOFF),
    },
    "redirecting": {
        **dict.fromkeys(("stop", "no reader", "late timeout"), _DONE),
        **dict.fromkeys(("lost", "closed"), _CONNECTING),
    },
    "streaming": {
        **dict.fromkeys(("stop", "no reader", "error, may pass", "error, final", "garbage"), _DONE),
        **dict.fromkeys(("eof", "lost", "closed", "late timeout"), _DONE),
        # A block that begins again breaks the rules.
        **dict.fromkeys(("nothing visible", "visible", "all"), _DONE),
    },
    "streaming, for who can take back": {
        **dict.fromkeys(("stop", "no reader", "error, final", "late timeout"), _DONE),
        **dict.fromkeys(("error, may pass", "garbage", "eof", "lost", "closed"), _BACKOFF),
        **dict.fromkeys(("nothing visible", "visible", "all"), _BACKOFF),
    },
    "closing": dict.fromkeys(("stop", "no reader", "late timeout"), _DONE),
    "sleeping": {
        **dict.fromkeys(("stop", "no reader"), _DONE),
        "timeout": _CONNECTING,
        # The attempt is due first, the end of the whole turn was due before now.
        "late timeout": _DONE,
    },
    "done, open": {},
    "done": {},
}

#: Calls that a caller may not make there.
TURN_MISUSE = {
    *((situation, "start") for situation in TURNS if situation != "idle"),
    ("idle", "connected"),
}


@pytest.mark.parametrize("call", TURN_CALLS)
@pytest.mark.parametrize("situation", TURNS)
def test_where_a_call_leads_a_turn(situation: str, call: str) -> None:
    state, transport_open, make = TURNS[situation]
    turn = make()
    assert turn.state is state
    assert turn.want is turn_table.WANTS[state, transport_open]
    if (situation, call) in TURN_MISUSE:
        with pytest.raises(LocalProtocolError):
            TURN_CALLS[call](turn)
    else:
        TURN_CALLS[call](turn)
    assert turns.state_of(turn) is TURN_MATRIX[situation].get(call, state)
    # Every state that a call leads to has a wish, with or without a transport.
    paused = call == "pause" and state is TurnState.STREAMING
    open_after = (call, situation) in turn_leaves_open(situation)
    assert turn.want is (Want.PAUSE if paused else turn_table.WANTS[turn.state, open_after])


def turn_leaves_open(situation: str) -> set[tuple[str, str]]:
    """The calls after which a transport is open, in this situation."""
    was_open = TURNS[situation][1]
    calls = set() if situation == "idle" else {"connected"}
    if was_open:
        calls |= set(TURN_CALLS) - {"lost", "closed"}
    return {(call, situation) for call in calls}


def test_the_turns_table_is_what_the_matrix_shows() -> None:
    shown = {(TURNS[situation][0], after) for situation, row in TURN_MATRIX.items() for after in row.values()}
    table = {(before, after) for (before, _), after in turn_table.TRANSITIONS.items()}
    # To stay in STREAMING is an entry of its own: it starts the gap anew.
    assert shown == table - {(TurnState.STREAMING, TurnState.STREAMING)}
    assert {(state, is_open) for state, is_open, _ in TURNS.values()} == set(turn_table.WANTS)
    assert {state for state, _ in turn_table.TRANSITIONS} == set(TurnState) - {TurnState.DONE}
    assert {happened for _, happened in turn_table.TRANSITIONS} == set(TurnInput)


def test_the_turns_timers_and_their_words_belong_together() -> None:
    assert set(turn_table.STATE_TIMERS) == set(TurnState)
    armed = {timer for timers in turn_table.STATE_TIMERS.values() for timer in timers}
    assert armed - {Timer.BACKOFF} == set(turn_table.EXPIRY_MESSAGES) - {Timer.WHOLE}


SourceCall = Callable[[EventSource], object]

SOURCE_CALLS: dict[str, SourceCall] = {
    "start": lambda source: source.start(SOON),
    "close": lambda source: source.close(SOON),
    "connected": lambda source: source.connected(SOON),
    "stream": lambda source: source.response_started(200, sources.STREAM, SOON),
    "no stream": lambda source: source.response_started(200, Headers(), SOON),
    "redirect": lambda source: source.response_started(*sources.redirect("/elsewhere"), SOON),
    "bad redirect": lambda source: source.response_started(*sources.redirect("ftp://a/"), SOON),
    "204": lambda source: source.response_started(204, Headers(), SOON),
    "404": lambda source: source.response_started(404, Headers(), SOON),
    "503": lambda source: source.response_started(503, Headers(), SOON),
    "event": lambda source: source.receive_data(b"data: x\n\n", SOON),
    "too much": lambda source: source.receive_data(b"data: " + b"x" * 1000, SOON),
    "eof": lambda source: source.receive_eof(SOON),
    "lost": lambda source: source.connection_lost("reset", SOON),
    "closed": lambda source: source.closed(SOON),
    "pause": lambda source: source.pause(SOON),
    "resume": lambda source: source.resume(SOON),
    "early timeout": lambda source: source.handle_timeout(0.0),
    "timeout": lambda source: source.handle_timeout(SOON),
    "late timeout": lambda source: source.handle_timeout(LATE),
}

BOUND: dict[str, Any] = {"max_line_bytes": 100}


def source_closing() -> EventSource:
    source = sources.opened(**BOUND)
    source.receive_eof(0.0)
    return source


def source_redirecting() -> EventSource:
    source = sources.connected(**BOUND)
    source.response_started(*sources.redirect("/elsewhere"), 0.0)
    return source


def source_sleeping() -> EventSource:
    source = sources.connecting(**BOUND)
    source.connection_lost("refused", 0.0)
    return source


def source_refused() -> EventSource:
    source = sources.connected(**BOUND)
    source.response_started(404, Headers(), 0.0)
    return source


def source_closed(source: EventSource) -> EventSource:
    source.close(0.0)
    return source


SOURCES: dict[str, tuple[SourceState, bool, Callable[[], EventSource]]] = {
    "idle": (SourceState.IDLE, False, lambda: EventSource(sources.GET)),
    "connecting": (SourceState.CONNECTING, False, lambda: sources.connecting(**BOUND)),
    "connected": (SourceState.CONNECTING, True, lambda: sources.connected(**BOUND)),
    "redirecting": (SourceState.REDIRECTING, True, source_redirecting),
    "refused": (SourceState.REFUSED, True, source_refused),
    "open": (SourceState.OPEN, True, lambda: sources.opened(**BOUND)),
    "closing": (SourceState.RECONNECTING, True, source_closing),
    "sleeping": (SourceState.RECONNECTING, False, source_sleeping),
    "closed, open": (SourceState.CLOSED, True, lambda: source_closed(sources.opened())),
    "closed": (SourceState.CLOSED, False, lambda: source_closed(sources.connecting())),
}

_OPEN, _RECONNECTING, _CLOSED = SourceState.OPEN, SourceState.RECONNECTING, SourceState.CLOSED

SOURCE_MATRIX: dict[str, dict[str, SourceState]] = {
    "idle": {"start": SourceState.CONNECTING, "close": _CLOSED},
    "connecting": {
        "close": _CLOSED,
        **dict.fromkeys(("lost", "closed"), _RECONNECTING),
        # Much too late, the next attempt is due at once.
        "late timeout": _RECONNECTING,
    },
    "connected": {
        "stream": _OPEN,
        "redirect": SourceState.REDIRECTING,
        **dict.fromkeys(("no stream", "404"), SourceState.REFUSED),
        **dict.fromkeys(("close", "bad redirect", "204"), _CLOSED),
        **dict.fromkeys(("503", "lost", "closed", "late timeout"), _RECONNECTING),
    },
    "redirecting": {"close": _CLOSED, **dict.fromkeys(("lost", "closed"), SourceState.CONNECTING)},
    "refused": dict.fromkeys(("close", "eof", "lost", "closed", "late timeout"), _CLOSED),
    "open": {
        **dict.fromkeys(("close", "too much"), _CLOSED),
        **dict.fromkeys(("eof", "lost", "closed", "late timeout"), _RECONNECTING),
    },
    "closing": {"close": _CLOSED},
    "sleeping": {"close": _CLOSED, **dict.fromkeys(("timeout", "late timeout"), SourceState.CONNECTING)},
    "closed, open": {},
    "closed": {},
}

SOURCE_MISUSE = {
    *((situation, "start") for situation in SOURCES if situation != "idle"),
    ("idle", "connected"),
}


@pytest.mark.parametrize("call", SOURCE_CALLS)
@pytest.mark.parametrize("situation", SOURCES)
def test_where_a_call_leads_a_source(situation: str, call: str) -> None:
    state, transport_open, make = SOURCES[situation]
    source = make()
    assert source.state is state
    assert source.want is source_table.WANTS[state, transport_open]
    if (situation, call) in SOURCE_MISUSE:
        with pytest.raises(LocalProtocolError):
            SOURCE_CALLS[call](source)
    else:
        SOURCE_CALLS[call](source)
    assert sources.state_of(source) is SOURCE_MATRIX[situation].get(call, state)
    opens = call == "connected" and situation != "idle"
    stays_open = transport_open and call not in {"lost", "closed"}
    paused = call == "pause" and situation == "open"
    expected = Want.PAUSE if paused else source_table.WANTS[source.state, opens or stays_open]
    assert source.want is expected


def test_the_sources_table_is_what_the_matrix_shows() -> None:
    shown = {
        (SOURCES[situation][0], after) for situation, row in SOURCE_MATRIX.items() for after in row.values()
    }
    assert shown == {(before, after) for (before, _), after in source_table.TRANSITIONS.items()}
    assert {(state, is_open) for state, is_open, _ in SOURCES.values()} == set(source_table.WANTS)
    assert {happened for _, happened in source_table.TRANSITIONS} == set(SourceInput)


def test_the_sources_timers_and_their_words_belong_together() -> None:
    assert set(source_table.STATE_TIMERS) == set(SourceState)
    armed = {timer for timers in source_table.STATE_TIMERS.values() for timer in timers}
    # The words of a refusal are the answer's own.
    assert armed - {Timer.BACKOFF, Timer.REFUSAL} == set(source_table.EXPIRY_MESSAGES) - {Timer.FIRST_BYTE}


LIMITS = [(Deadlines, turn_table.DEADLINES), (SourceDeadlines, source_table.DEADLINES)]


@pytest.mark.parametrize(("settings", "table"), LIMITS)
def test_each_deadline_is_of_the_timer_that_has_its_name(
    settings: type[Any], table: dict[Timer, Any]
) -> None:
    fields = [field.name for field in dataclasses.fields(settings)]
    assert [timer.name.lower() for timer in table] == fields
    one = settings(**{name: float(number) for number, name in enumerate(fields, 1)})
    assert [seconds(one) for seconds in table.values()] == [getattr(one, name) for name in fields]
    assert {seconds(settings(**dict.fromkeys(fields))) for seconds in table.values()} == {None}


@pytest.mark.parametrize("tables", [turn_table.TABLES, source_table.TABLES])
def test_each_timer_that_a_state_begins_has_a_deadline(tables: Tables[Any, Any, Any]) -> None:
    begun = {timer for timers in tables.timers.values() for timer in timers} - {Timer.BACKOFF}
    assert begun <= set(tables.deadlines)
    assert tables.gap in tables.timers[tables.reading]
    assert tables.lasting.isdisjoint(begun)
