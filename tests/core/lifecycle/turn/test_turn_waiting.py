"""What a turn waits for: each deadline with its words, pause, readers, and stop in every state."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sse_core.blocks import MessageCut, StreamError, TextDelta
from sse_core.headers import Headers
from sse_core.lifecycle import (
    NO_RETRY,
    Deadlines,
    OnDisconnect,
    Outcome,
    RetryPolicy,
    Turn,
    TurnState,
    Want,
)
from tests.core.lifecycle.turn.turn_support import (
    ANTHROPIC,
    EVENT_STREAM,
    HELLO,
    OPENED,
    OVERLOADED,
    PING,
    REQUEST,
    START,
    STOP,
    WORLD,
    accepted,
    backing_off,
    connecting,
    deadline_of,
    done,
    drained,
    outcome_of,
    state_of,
    streaming,
    waiting,
    want_of,
    wire,
)

#: A delta without a character, and an event that no version knows.
EMPTY = wire(TextDelta(0, ""))
UNKNOWN = b'event: new\ndata: {"type": "new"}\n\n'
AGAIN = RetryPolicy(retry_timeouts=True)


def refused(**settings: object) -> Turn:
    """A turn that was refused for good, and reads why."""
    turn = waiting(**settings)
    turn.response_started(400, Headers(), 0.0)
    return turn


def closing(**settings: object) -> Turn:
    """A turn in back-off whose transport is still open."""
    turn = accepted(**settings)
    turn.receive_data(wire(OVERLOADED), 0.0)
    return turn


STATES: dict[str, Callable[..., Turn]] = {
    "idle": lambda **settings: Turn(REQUEST, ANTHROPIC, **settings),
    "connecting": connecting,
    "waiting": waiting,
    "accepted": accepted,
    "refused": refused,
    "streaming": streaming,
    "closing": closing,
    "backing off": backing_off,
}


class TestStop:
    @pytest.mark.parametrize("state", STATES)
    def test_in_every_state_it_ends_the_turn_and_closes_at_once(self, state: str) -> None:
        turn = STATES[state]()
        had_transport = state not in {"idle", "connecting", "backing off"}
        assert turn.stop(1.0) is Outcome.STOPPED
        assert want_of(turn) is (Want.CLOSE if had_transport else Want.NOTHING)
        assert turn.deadline is None
        assert turn.retry_at is None
        assert drained(turn)[-1] == MessageCut("stopped")
        assert turn.message.completeness == "stopped"
        assert turn.timing.ended_at == 1.0
        turn.closed(1.0)
        assert want_of(turn) is Want.NOTHING

    @pytest.mark.parametrize("state", STATES)
    def test_is_idempotent_and_nothing_undoes_it(self, state: str) -> None:
        turn = STATES[state]()
        turn.stop(1.0)
        drained(turn)
        for _ in range(2):
            assert turn.stop(2.0) is Outcome.STOPPED
            turn.response_started(200, EVENT_STREAM, 2.0)
            turn.receive_data(wire(START, OPENED, HELLO), 2.0)
            turn.receive_eof(2.0)
            turn.pause(2.0)
            turn.resume(2.0)
            turn.readers_changed(1, 2.0)
            turn.readers_changed(0, 2.0)
            turn.handle_timeout(1e9)
            assert want_of(turn) in {Want.CLOSE, Want.NOTHING}
            turn.connection_lost("gone", 2.0)
            assert want_of(turn) is Want.NOTHING
        assert drained(turn) == []
        assert turn.timing.ended_at == 1.0

    @pytest.mark.parametrize("data", [wire(WORLD), wire(OVERLOADED), wire(STOP), b"data: {]\n\n"])
    def test_bytes_that_were_on_their_way_are_nobodys(self, data: bytes) -> None:
        turn = streaming()
        turn.stop(1.0)
        drained(turn)
        turn.receive_data(data, 1.0)
        assert drained(turn) == []
        assert turn.stop(2.0) is Outcome.STOPPED

    def test_a_transport_that_opens_after_it_is_closed(self) -> None:
        turn = connecting()
        turn.stop(1.0)
        turn.connected(2.0)
        assert want_of(turn) is Want.CLOSE
        turn.closed(3.0)
        assert want_of(turn) is Want.NOTHING

    def test_after_the_end_it_says_how_that_was(self) -> None:
        turn = done()
        assert turn.stop(9.0) is Outcome.COMPLETED
        assert drained(turn) == []

    def test_before_anything_visible_the_beginning_is_given_out_with_it(self) -> None:
        turn = accepted()
        turn.receive_data(wire(START, OPENED), 0.0)
        turn.stop(1.0)
        assert [type(event).__name__ for event in drained(turn)] == [
            "MessageStart",
            "BlockStart",
            "MessageCut",
        ]
        assert turn.message.id == "msg_1"


class TestDeadlines:
    @pytest.mark.parametrize(
        ("state", "deadlines", "words"),
        [
            (connecting, Deadlines(connect=5.0), "could not be reached in time"),
            (waiting, Deadlines(first_byte=5.0), "did not begin to answer in time"),
            (accepted, Deadlines(first_output=5.0), "sent nothing visible in time"),
            (streaming, Deadlines(output_gap=5.0), "stopped sending in the middle"),
            (streaming, Deadlines(whole=5.0), "took longer than it may"),
        ],
    )
    def test_each_has_its_words(self, state: Callable[..., Turn], deadlines: Deadlines, words: str) -> None:
        turn = state(deadlines=deadlines, retry=NO_RETRY)
        assert deadline_of(turn) == 5.0
        turn.handle_timeout(4.999)
        assert outcome_of(turn) is None
        turn.handle_timeout(5.0)
        assert outcome_of(turn) is Outcome.EXPIRED
        assert turn.failure is not None
        assert turn.failure.status == 504
        error = drained(turn)[-1]
        assert isinstance(error, StreamError)
        assert error.type == "timeout_error"
        assert words in error.message
        assert turn.message.completeness == "failed"

    def test_a_connection_that_was_not_made_in_time_is_tried_again(self) -> None:
        turn = connecting()
        due = deadline_of(turn)
        turn.handle_timeout(due)
        assert state_of(turn) is TurnState.BACKOFF
        assert turn.retry_at == due + 0.5

    @pytest.mark.parametrize("state", [waiting, accepted])
    def test_what_another_attempt_would_meet_too_is_not_bought_again(
        self, state: Callable[..., Turn]
    ) -> None:
        turn = state()
        turn.handle_timeout(deadline_of(turn))
        assert (outcome_of(turn), turn.attempts) == (Outcome.EXPIRED, 1)
        assert turn.failure is not None
        assert not turn.failure.error.retryable

    @pytest.mark.parametrize("state", [waiting, accepted])
    def test_but_for_who_requests_it(self, state: Callable[..., Turn]) -> None:
        turn = state(retry=RetryPolicy(retry_timeouts=True))
        due = deadline_of(turn)
        turn.handle_timeout(due)
        assert state_of(turn) is TurnState.BACKOFF
        assert turn.retry_at == due + 0.5
        assert turn.failure is not None
        assert turn.failure.error.retryable

    def test_by_default_slow_providers_are_waited_for(self) -> None:
        """The official SDKs wait 600 s for a head."""
        deadlines = Deadlines()
        assert deadlines.first_byte == 600.0
        assert (deadlines.first_output or 0.0) >= 600.0

    def test_who_can_take_back_retries_when_a_provider_fell_silent(self) -> None:
        turn = streaming(retry=RetryPolicy(after_output="retract"))
        turn.handle_timeout(deadline_of(turn))
        assert state_of(turn) is TurnState.BACKOFF

    def test_the_whole_is_never_tried_again(self) -> None:
        for state in (connecting, waiting, accepted, backing_off):
            turn = state(deadlines=Deadlines(connect=None, first_byte=None, first_output=None, whole=1.0))
            turn.handle_timeout(1.0)
            while outcome_of(turn) is None:
                turn.handle_timeout(deadline_of(turn))
            assert outcome_of(turn) is Outcome.EXPIRED
            assert turn.failure is not None
            assert not turn.failure.error.retryable

    def test_two_that_are_due_at_once_are_one_failure(self) -> None:
        """The first one ends the attempt; the second one was the attempt's, and has gone with it."""
        turn = waiting(deadlines=Deadlines(first_byte=5.0, first_output=5.0), retry=AGAIN)
        turn.handle_timeout(5.0)
        assert state_of(turn) is TurnState.BACKOFF
        assert outcome_of(turn) is None

    def test_much_too_late_is_late_and_no_more(self) -> None:
        """A laptop wakes up: both deadlines of the attempt have passed; the turn goes on."""
        turn = waiting(retry=AGAIN)
        turn.handle_timeout(1000.0)
        assert state_of(turn) is TurnState.BACKOFF
        assert turn.retry_at == 1000.5

    def test_after_the_whole_has_passed_unseen_nothing_is_tried_again(self) -> None:
        turn = waiting()
        turn.handle_timeout(10_000.0)
        assert outcome_of(turn) is Outcome.EXPIRED

    def test_a_ping_is_no_progress(self) -> None:
        turn = streaming()
        due = deadline_of(turn)
        turn.receive_data(wire(PING), 100.0)
        assert deadline_of(turn) == due
        turn.receive_data(wire(WORLD), 100.0)
        assert deadline_of(turn) == 400.0

    def test_nor_is_it_a_first_output(self) -> None:
        turn = accepted()
        assert deadline_of(turn) == 900.0
        turn.receive_data(wire(START, PING, OPENED), 200.0)
        assert deadline_of(turn) == 900.0

    def test_the_head_ends_the_wait_for_the_first_byte(self) -> None:
        turn = waiting()
        assert deadline_of(turn) == 600.0
        turn.response_started(200, EVENT_STREAM, 599.0)
        assert deadline_of(turn) == 900.0

    def test_each_attempt_has_its_own_and_the_whole_stays(self) -> None:
        turn = connecting(deadlines=Deadlines(whole=15.0))
        turn.handle_timeout(10.0)
        turn.handle_timeout(10.5)
        assert want_of(turn) is Want.CONNECT
        assert deadline_of(turn) == 15.0

    def test_without_deadlines_there_is_none(self) -> None:
        nothing = Deadlines(connect=None, first_byte=None, first_output=None, output_gap=None, whole=None)
        for state in (connecting, waiting, accepted, streaming):
            assert state(deadlines=nothing).deadline is None


class TestPause:
    def test_no_reading_and_no_gap_while_paused(self) -> None:
        turn = streaming()
        turn.pause(1.0)
        assert want_of(turn) is Want.PAUSE
        assert deadline_of(turn) == 3600.0, "the whole goes on"
        turn.handle_timeout(1000.0)
        assert outcome_of(turn) is None
        turn.resume(1000.0)
        assert (want_of(turn), deadline_of(turn)) == (Want.READ, 1299.0), "1 s of the gap was over"

    @pytest.mark.parametrize("what", [wire(PING), EMPTY, UNKNOWN], ids=["pings", "empty", "unknown"])
    def test_what_is_left_of_a_gap_is_kept_whatever_is_handed_out(self, what: bytes) -> None:
        """A consumer pauses for each event that it is handed; none of these is progress."""
        turn = streaming(deadlines=Deadlines(output_gap=6.5))
        for busy_until in range(10, 70, 10):  # read for a second, busy for nine
            turn.receive_data(what, busy_until - 9.0)
            drained(turn)
            turn.pause(busy_until - 9.0)
            turn.resume(busy_until)
            turn.handle_timeout(busy_until)
            assert outcome_of(turn) is None
        assert deadline_of(turn) == 60.5
        turn.handle_timeout(60.5)
        assert outcome_of(turn) is Outcome.EXPIRED

    def test_a_gap_that_was_over_is_over_when_it_goes_on(self) -> None:
        turn = streaming(deadlines=Deadlines(output_gap=1.0))
        turn.pause(5.0)
        turn.pause(6.0)  # it is paused already: nothing more is taken away
        turn.resume(100.0)
        assert deadline_of(turn) == 96.0
        turn.handle_timeout(100.0)
        assert outcome_of(turn) is Outcome.EXPIRED

    def test_what_a_pause_kept_belongs_to_its_attempt(self) -> None:
        turn = streaming(retry=RetryPolicy(after_output="retract"))
        turn.pause(299.0)
        turn.connection_lost("reset", 299.0)
        turn.resume(299.0)
        assert deadline_of(turn) == 299.5, "back-off, and no gap"
        turn.handle_timeout(299.5)
        turn.connected(300.0)
        turn.response_started(200, EVENT_STREAM, 300.0)
        turn.receive_data(wire(START, OPENED, HELLO), 300.0)
        assert deadline_of(turn) == 600.0

    def test_without_a_gap_there_is_none_to_keep(self) -> None:
        turn = streaming(deadlines=Deadlines(output_gap=None, whole=None))
        turn.pause(1.0)
        turn.receive_data(wire(WORLD), 2.0)
        turn.resume(3.0)
        assert turn.deadline is None

    def test_bytes_that_were_read_before_it_still_count(self) -> None:
        turn = streaming()
        turn.pause(1.0)
        turn.receive_data(wire(WORLD), 2.0)
        assert drained(turn) != []
        assert (want_of(turn), deadline_of(turn)) == (Want.PAUSE, 3600.0)

    def test_resuming_what_is_not_paused_changes_nothing(self) -> None:
        """Otherwise a consumer that only asks often would keep a dead peer alive."""
        turn = streaming()
        turn.resume(100.0)
        assert deadline_of(turn) == 300.0

    def test_before_anything_visible_the_turn_reads_on(self) -> None:
        """Nothing could have filled a log, and a provider that isn't read would seem to be silent."""
        turn = waiting()
        turn.pause(0.0)
        assert want_of(turn) is Want.READ
        turn.response_started(200, EVENT_STREAM, 0.0)
        turn.receive_data(wire(START, OPENED, HELLO), 1.0)
        assert (want_of(turn), deadline_of(turn)) == (Want.PAUSE, 3600.0)
        turn.resume(2.0)
        assert (want_of(turn), deadline_of(turn)) == (Want.READ, 302.0)

    def test_resumed_before_anything_visible(self) -> None:
        turn = waiting()
        turn.pause(0.0)
        turn.resume(0.0)
        assert deadline_of(turn) == 600.0

    def test_it_ends_all_the_same(self) -> None:
        for end in ("lost", "eof", "stop", "whole"):
            turn = streaming()
            turn.pause(1.0)
            match end:
                case "lost":
                    turn.connection_lost("reset", 2.0)
                case "eof":
                    turn.receive_eof(2.0)
                case "stop":
                    turn.stop(2.0)
                case _:
                    turn.handle_timeout(3600.0)
            assert want_of(turn) in {Want.CLOSE, Want.NOTHING}
            assert outcome_of(turn) is not None


class TestReaders:
    @pytest.mark.parametrize("state", STATES)
    def test_cancel_stops_the_turn_with_its_last_reader(self, state: str) -> None:
        turn = STATES[state]()
        turn.readers_changed(2, 0.0)
        turn.readers_changed(1, 0.0)
        assert outcome_of(turn) is None
        turn.readers_changed(0, 1.0)
        assert outcome_of(turn) is Outcome.STOPPED

    @pytest.mark.parametrize("kind", ["detach", "drain"])
    def test_others_wait_for_so_many_seconds(self, kind: str) -> None:
        turn = streaming(on_disconnect=OnDisconnect.parse(f"{kind}=30"))
        turn.readers_changed(0, 10.0)
        assert (want_of(turn), deadline_of(turn)) == (Want.READ, 40.0)
        turn.readers_changed(0, 20.0)
        assert deadline_of(turn) == 40.0, "from when the last one left"
        turn.handle_timeout(40.0)
        assert outcome_of(turn) is Outcome.STOPPED
        assert want_of(turn) is Want.CLOSE

    def test_who_comes_back_in_time_keeps_it_going(self) -> None:
        turn = streaming(on_disconnect=OnDisconnect("detach", 30.0))
        turn.readers_changed(0, 10.0)
        turn.readers_changed(1, 39.0)
        turn.handle_timeout(40.0)
        assert outcome_of(turn) is None
        turn.readers_changed(0, 50.0)
        assert deadline_of(turn) == 80.0

    def test_the_wait_outlasts_attempts(self) -> None:
        turn = waiting(on_disconnect=OnDisconnect("detach", 30.0))
        turn.readers_changed(0, 0.0)
        turn.connection_lost("reset", 1.0)
        turn.handle_timeout(1.5)
        turn.connected(1.5)
        assert deadline_of(turn) == 30.0
        turn.handle_timeout(30.0)
        assert outcome_of(turn) is Outcome.STOPPED

    def test_a_turn_that_has_ended_waits_for_nobody(self) -> None:
        turn = done(on_disconnect=OnDisconnect("detach", 30.0))
        turn.readers_changed(0, 10.0)
        assert turn.deadline is None
        assert outcome_of(turn) is Outcome.COMPLETED
