"""Attempts: which failures are tried again, when, and that nobody can tell."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest

from sse_core import dialects
from sse_core.blocks import BlockStart, MessageReset, MessageStart, StreamError, ToolUseBlock
from sse_core.headers import Headers
from sse_core.lifecycle import NO_RETRY, Deadlines, Outcome, RetryPolicy, Turn, TurnState, Want
from tests.core.lifecycle.turn.turn_support import (
    ANSWER,
    ANTHROPIC,
    BLOCK_STOP,
    EVENT_STREAM,
    HELLO,
    INVALID,
    OPENED,
    OVERLOADED,
    PING,
    START,
    accepted,
    backing_off,
    bare,
    connecting,
    deadline_of,
    drained,
    outcome_of,
    state_of,
    streaming,
    try_again,
    waiting,
    want_of,
    wire,
)

RATE_LIMITED = Headers({"content-type": "application/json", "retry-after": "7"})


def body(error_type: str, message: str = "No.") -> bytes:
    return json.dumps({"type": "error", "error": {"type": error_type, "message": message}}).encode()


def refuse(
    turn: Turn, status: int, headers: Headers | None = None, data: bytes = b"", now: float = 0.0
) -> None:
    """A whole answer that is an error."""
    turn.response_started(status, headers or Headers(), now)
    turn.receive_data(data, now)
    turn.receive_eof(now)


def answer_again(turn: Turn) -> None:
    """The next attempt is answered whole; nobody can tell that it wasn't the first."""
    now = try_again(turn)
    turn.response_started(200, EVENT_STREAM, now)
    turn.receive_data(wire(*ANSWER), now)
    assert outcome_of(turn) is Outcome.COMPLETED
    assert bare(drained(turn)) == list(ANSWER)
    assert turn.message.text == "Hello world"


class TestBeforeAnythingVisible:
    def test_a_provider_that_can_not_be_reached(self) -> None:
        turn = connecting()
        turn.connection_lost("refused", 1.0)
        assert (state_of(turn), want_of(turn)) == (TurnState.BACKOFF, Want.WAIT)
        assert turn.retry_at == deadline_of(turn) == 1.5
        assert turn.failure is not None
        assert (turn.failure.status, turn.failure.outcome) == (502, Outcome.FAILED)
        assert (
            "can't be reached: the connection to provider.test:443 could not be made: refused"
            in turn.failure.error.message
        )
        answer_again(turn)
        assert turn.attempts == 2
        assert turn.retry_at is None

    @pytest.mark.parametrize("make", [connecting, waiting])
    def test_what_another_connection_would_meet_too_fails_at_once(self, make: Callable[[], Turn]) -> None:
        turn = make()
        turn.connection_lost("the peer's certificate is refused", 1.0, retryable=False)
        assert outcome_of(turn) is Outcome.FAILED
        assert turn.attempts == 1
        last = drained(turn)[-1]
        assert isinstance(last, StreamError)
        assert not last.retryable
        assert "certificate is refused" in last.message

    def test_a_connection_that_breaks_before_the_head(self) -> None:
        turn = waiting()
        turn.connection_lost("reset", 1.0)
        assert want_of(turn) is Want.WAIT
        assert turn.failure is not None
        assert turn.failure.outcome is Outcome.FAILED, "no stream had begun"
        answer_again(turn)

    def test_a_stream_that_is_cut(self) -> None:
        for cut in ("eof", "lost"):
            turn = accepted()
            turn.receive_data(wire(START, PING, OPENED), 0.0)
            if cut == "eof":
                turn.receive_eof(0.0)
                assert want_of(turn) is Want.CLOSE, "close first, then sleep"
            else:
                turn.connection_lost("reset", 0.0)
                assert want_of(turn) is Want.WAIT
            answer_again(turn)

    def test_an_error_event(self) -> None:
        turn = accepted()
        turn.receive_data(wire(START, OVERLOADED), 0.0)
        assert state_of(turn) is TurnState.BACKOFF
        assert turn.failure is not None
        assert turn.failure.status == 529
        answer_again(turn)

    def test_nothing_is_left_of_an_attempt_that_failed(self) -> None:
        turn = waiting()
        turn.response_started(200, EVENT_STREAM.replaced({"request-id": "req_1"}), 0.0)
        turn.receive_data(wire(START, OVERLOADED), 0.0)
        assert not turn.accepted
        assert turn.response_headers == Headers()
        assert turn.timing.first_byte_at is None
        assert turn.stop(0.0) is Outcome.STOPPED
        assert not any(isinstance(event, MessageStart) for event in drained(turn))
        assert turn.message.id == ""

    @pytest.mark.parametrize("half", [wire(OPENED)[:-1], b"data: {", b"event: x\ndata: y\n", b"\xef\xbb"])
    def test_nor_of_half_an_event(self, half: bytes) -> None:
        turn = accepted()
        turn.receive_data(wire(START) + half, 0.0)
        turn.connection_lost("reset", 0.0)
        answer_again(turn)

    def test_nor_of_what_came_behind_its_failure(self) -> None:
        turn = accepted()
        turn.receive_data(wire(START, OVERLOADED, PING, OPENED, *ANSWER), 0.0)
        assert drained(turn) == []
        answer_again(turn)

    def test_until_the_attempts_are_used_up(self) -> None:
        turn = accepted(retry=RetryPolicy(max_attempts=2))
        turn.receive_data(wire(START, OVERLOADED), 0.0)
        now = try_again(turn)
        turn.response_started(200, EVENT_STREAM, now)
        turn.receive_data(wire(START, OVERLOADED), now)
        assert outcome_of(turn) is Outcome.FAILED
        assert bare(drained(turn)) == [START, OVERLOADED]
        assert turn.attempts == 2

    def test_no_retry(self) -> None:
        turn = connecting(retry=NO_RETRY)
        turn.connection_lost("refused", 1.0)
        (error,) = drained(turn)
        assert isinstance(error, StreamError)
        assert outcome_of(turn) is Outcome.FAILED
        assert want_of(turn) is Want.NOTHING


class TestAfterSomethingVisible:
    @pytest.mark.parametrize("how", ["error", "eof", "lost", "garbage", "gap"])
    def test_nothing_is_tried_again(self, how: str) -> None:
        turn = streaming()
        match how:
            case "error":
                turn.receive_data(wire(OVERLOADED), 1.0)
            case "eof":
                turn.receive_eof(1.0)
            case "lost":
                turn.connection_lost("reset", 1.0)
            case "garbage":
                turn.receive_data(b"data: {]\n\n", 1.0)
            case _:
                turn.handle_timeout(deadline_of(turn))
        assert outcome_of(turn) in {Outcome.FAILED, Outcome.TRUNCATED, Outcome.EXPIRED}
        assert turn.attempts == 1
        assert len(drained(turn)) == 1, "it is an event"


class TestBackoff:
    def test_close_comes_before_sleep(self) -> None:
        turn = accepted()
        turn.receive_data(wire(OVERLOADED), 10.0)
        assert want_of(turn) is Want.CLOSE
        assert turn.retry_at == 10.5
        turn.handle_timeout(20.0)
        assert (state_of(turn), want_of(turn)) == (TurnState.BACKOFF, Want.CLOSE), "not before it is closed"
        turn.closed(30.0)
        assert (want_of(turn), deadline_of(turn)) == (Want.WAIT, 10.5)
        turn.handle_timeout(30.0)
        assert want_of(turn) is Want.CONNECT

    def test_early_timeouts_and_late_words_are_harmless(self) -> None:
        turn = backing_off()
        turn.handle_timeout(0.4)
        turn.closed(0.45)
        turn.connection_lost("again", 0.45)
        turn.receive_data(wire(*ANSWER), 0.45)
        turn.receive_eof(0.45)
        turn.response_started(200, EVENT_STREAM, 0.45)
        assert (state_of(turn), deadline_of(turn), turn.attempts) == (TurnState.BACKOFF, 0.5, 1)
        assert drained(turn) == []

    def test_a_transport_that_opens_late_is_closed_before_the_next_attempt(self) -> None:
        turn = backing_off()
        turn.connected(0.2)
        assert want_of(turn) is Want.CLOSE
        turn.handle_timeout(5.0)
        assert (state_of(turn), want_of(turn)) == (TurnState.BACKOFF, Want.CLOSE)
        turn.closed(5.0)
        assert (want_of(turn), deadline_of(turn)) == (Want.WAIT, 0.5)
        answer_again(turn)

    def test_it_grows_and_is_jittered(self) -> None:
        turn = connecting(retry=RetryPolicy(max_attempts=4), jitter=lambda: 0.5)
        now, waits = 0.0, []
        for _ in range(3):
            turn.connection_lost("refused", now)
            assert turn.retry_at is not None
            waits.append(turn.retry_at - now)
            now = turn.retry_at
            turn.handle_timeout(now)
        assert waits == pytest.approx([0.4375, 0.875, 1.75])
        turn.connection_lost("refused", now)
        assert outcome_of(turn) is Outcome.FAILED

    def test_an_attempt_that_would_begin_after_the_end_is_none(self) -> None:
        """Who waits had better know now what is wrong than later that it took too long."""
        turn = waiting(deadlines=Deadlines(whole=30.0))
        refuse(turn, 429, RATE_LIMITED.replaced({"retry-after": "30"}), body("rate_limit_error"))
        assert outcome_of(turn) is Outcome.FAILED
        assert turn.failure is not None
        assert turn.failure.status == 429

    def test_without_an_end_there_is_no_such_attempt(self) -> None:
        turn = waiting(deadlines=Deadlines(whole=None))
        refuse(turn, 429, RATE_LIMITED.replaced({"retry-after": "60"}))
        assert turn.retry_at == 60.0


class TestRefusals:
    @pytest.mark.parametrize("status", [408, 409, 429, 500, 503, 529])
    def test_that_may_pass_are_read_and_tried_again(self, status: int) -> None:
        turn = waiting()
        turn.response_started(status, Headers(), 0.0)
        assert (state_of(turn), want_of(turn)) == (TurnState.WAITING, Want.READ), "its body may say more"
        turn.receive_eof(0.0)
        assert (state_of(turn), want_of(turn)) == (TurnState.BACKOFF, Want.CLOSE)
        assert turn.failure is not None
        assert turn.failure.status == status
        answer_again(turn)

    def test_retry_after_is_honoured(self) -> None:
        turn = waiting()
        refuse(turn, 429, RATE_LIMITED, now=10.0)
        assert turn.retry_at == 17.0
        answer_again(turn)

    def test_more_than_the_policy_waits_is_final(self) -> None:
        turn = waiting()
        turn.response_started(429, RATE_LIMITED.replaced({"retry-after": "61"}), 0.0)
        assert want_of(turn) is Want.READ, "its body says why"
        turn.receive_data(body("rate_limit_error", "Slow down."), 0.0)
        turn.receive_eof(0.0)
        assert outcome_of(turn) is Outcome.FAILED
        (error,) = drained(turn)
        assert isinstance(error, StreamError)
        assert (error.type, error.message, error.retryable) == ("rate_limit_error", "Slow down.", True)
        assert turn.failure is not None
        assert turn.failure.status == 429
        assert turn.failure.headers.get("retry-after") == "61"
        assert turn.attempts == 1

    def test_the_delay_that_an_error_event_asks_for(self) -> None:
        error = StreamError("rate_limit_error", "Slow.", retryable=True, retry_after=3.5)
        turn = accepted()
        turn.receive_data(wire(error), 1.0)
        assert turn.retry_at == 4.5
        too_long = accepted()
        too_long.receive_data(wire(StreamError("rate_limit_error", "", retryable=True, retry_after=1e9)), 1.0)
        assert outcome_of(too_long) is Outcome.FAILED

    def test_a_delay_below_zero_is_none(self) -> None:
        turn = accepted()
        turn.receive_data(wire(StreamError("rate_limit_error", "", retryable=True, retry_after=-5.0)), 1.0)
        assert turn.retry_at == 1.5

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
    def test_that_are_final_are_read_and_reported(self, status: int) -> None:
        turn = waiting()
        turn.response_started(status, Headers(), 0.0)
        data = body("invalid_request_error", "max_tokens is missing")
        turn.receive_data(data[:20], 0.0)
        turn.receive_data(data[20:], 0.0)
        assert outcome_of(turn) is None
        turn.receive_eof(0.0)
        (error,) = drained(turn)
        assert isinstance(error, StreamError)
        assert error.message == "max_tokens is missing"
        assert outcome_of(turn) is Outcome.FAILED
        assert turn.failure is not None
        assert turn.failure.status == status
        assert not turn.accepted

    def test_the_policys_statuses_decide_not_the_errors_word(self) -> None:
        """A status taken out of the policy is final, whatever type of error stands in the body."""
        turn = waiting(retry=RetryPolicy(retry_statuses=frozenset()))
        refuse(turn, 429, data=body("rate_limit_error"))
        assert outcome_of(turn) is Outcome.FAILED
        assert turn.attempts == 1

    def test_and_a_status_put_into_it_is_tried_again(self) -> None:
        turn = waiting(retry=RetryPolicy(retry_statuses=frozenset({404})))
        refuse(turn, 404, data=body("not_found_error"))
        assert state_of(turn) is TurnState.BACKOFF

    @pytest.mark.parametrize("should_retry", [{}, {"x-should-retry": "true"}])
    def test_a_policy_without_refusals_retries_none(self, should_retry: dict[str, str]) -> None:
        turn = waiting(retry=RetryPolicy(retry_refusals=False))
        refuse(turn, 529, Headers(should_retry), body("overloaded_error"))
        assert outcome_of(turn) is Outcome.FAILED

    @pytest.mark.parametrize(
        ("status", "should_retry", "again"), [(400, "true", True), (529, "false", False)]
    )
    def test_the_providers_own_word_goes_first(self, status: int, should_retry: str, *, again: bool) -> None:
        turn = waiting()
        word = "invalid_request_error" if again else "overloaded_error"
        refuse(turn, status, Headers({"x-should-retry": should_retry}), body(word))
        assert (state_of(turn) is TurnState.BACKOFF) is again

    @pytest.mark.parametrize("how", ["lost", "bytes", "timeout", "whole"])
    def test_a_body_that_does_not_end_well_is_no_reason_to_try_again(self, how: str) -> None:
        turn = waiting(deadlines=Deadlines(whole=30.0) if how == "whole" else None)
        turn.response_started(401, Headers(), 1.0)
        match how:
            case "lost":
                turn.receive_data(body("authentication_error"), 1.0)
                turn.connection_lost("reset", 1.0)
            case "bytes":
                turn.receive_data(b"x" * (64 * 1024 - 1), 1.0)
                assert outcome_of(turn) is None
                turn.receive_data(b"x" * 10, 1.0)
                assert want_of(turn) is Want.CLOSE
            case _:
                assert deadline_of(turn) == (30.0 if how == "whole" else 31.0)
                turn.receive_data(body("authentication_error"), 2.0)
                turn.handle_timeout(61.0)
        assert outcome_of(turn) is Outcome.FAILED
        assert turn.failure is not None
        assert turn.failure.status == 401
        assert turn.failure.error.type == "authentication_error"

    def test_of_a_huge_body_64_kib_are_read(self) -> None:
        """A bound in the middle of a JSON text leaves no JSON: its beginning is quoted as any text's."""
        turn = waiting()
        turn.response_started(400, Headers(), 0.0)
        turn.receive_data(body("invalid_request_error", "x" * 100_000), 0.0)
        assert turn.failure is not None
        assert turn.failure.error.message.startswith('{"type": "error"')
        assert len(turn.failure.error.message) == 500

    def test_what_follows_a_refusal_is_nobodys(self) -> None:
        turn = waiting()
        turn.response_started(400, Headers(), 0.0)
        turn.receive_eof(0.0)
        drained(turn)
        turn.receive_data(body("overloaded_error"), 0.0)
        turn.receive_eof(0.0)
        turn.connection_lost("reset", 0.0)
        assert drained(turn) == []
        assert want_of(turn) is Want.NOTHING


def error_body(**error: Any) -> bytes:
    return json.dumps({"error": {"message": "No.", **error}}).encode()


DATED = Headers({"date": "Thu, 01 Jan 2026 00:00:00 GMT"})
NEW_YEAR = 1_767_225_600  # the same moment, in seconds since 1970


class TestWhatARefusalSays:
    """A status of its own says little: 429 is a rate limit that passes, and a quota that is used up."""

    @pytest.mark.parametrize("dialect", ["openai-chat", "openai-responses", "anthropic"])
    @pytest.mark.parametrize(
        ("status", "error"),
        [
            (429, {"type": "insufficient_quota", "code": "insufficient_quota"}),
            (429, {"type": "rate_limit_error", "code": "credit_balance_exhausted"}),
            (429, {"type": "exceeded_current_quota_error"}),
            (429, {"type": "usage_limit_reached"}),
            (409, {"type": "invalid_request_error"}),
            (503, {"type": "billing_error"}),
            (500, {"type": "invalid_request_error", "code": "context_length_exceeded"}),
            (500, {"code": "invalid_api_key"}),
            (429, {"type": "rate_limit_error", "retryable": False}),
        ],
    )
    def test_what_can_not_pass_is_reported_at_once(
        self, dialect: str, status: int, error: dict[str, Any]
    ) -> None:
        turn = waiting(dialect=dialects.get(dialect))
        refuse(turn, status, data=error_body(**error))
        assert (outcome_of(turn), turn.attempts) == (Outcome.FAILED, 1)
        assert turn.failure is not None
        assert (turn.failure.status, turn.failure.error.retryable) == (status, False)

    @pytest.mark.parametrize(
        ("error", "wait"),
        [
            ({"code": 500, "status": "INVALID_ARGUMENT"}, None),
            ({"code": 429, "status": "insufficient_quota"}, None),
            ({"code": 429, "status": "RESOURCE_EXHAUSTED"}, 0.5),
            ({"code": 429, "details": [{"@type": "google.rpc.RetryInfo", "retryDelay": "7s"}]}, 7.0),
        ],
    )
    def test_in_googles_words(self, error: dict[str, Any], wait: float | None) -> None:
        turn = waiting(dialect=dialects.get("gemini"))
        refuse(turn, error["code"], data=error_body(**error))
        assert turn.retry_at == wait

    @pytest.mark.parametrize(
        ("status", "error"),
        [
            (429, {"type": "rate_limit_error"}),
            (429, {"type": "requests", "code": "rate_limit_exceeded"}),
            (400, {"code": "server_is_overloaded"}),
            (403, {"type": "rate_limit_error"}),
            (500, {"type": "something_new"}),
        ],
    )
    def test_what_may_pass_is_tried_again(self, status: int, error: dict[str, Any]) -> None:
        turn = waiting(dialect=dialects.get("openai-chat"))
        refuse(turn, status, data=error_body(**error))
        assert turn.retry_at == 0.5

    @pytest.mark.parametrize(
        ("error", "fields", "wait"),
        [
            ({"type": "usage_limit_reached", "resets_in_seconds": 5}, {}, 5.0),
            ({"type": "usage_limit_reached", "resets_at": NEW_YEAR + 9}, {}, 9.0),
            ({"type": "usage_limit_reached", "resets_at": NEW_YEAR + 9}, {"retry-after": "3"}, 9.0),
            ({"type": "rate_limit_error", "retry_after": 4}, {"retry-after-ms": "100"}, 4.0),
            ({"type": "rate_limit_error"}, {"retry-after": "3"}, 3.0),
        ],
    )
    def test_it_says_when(self, error: dict[str, Any], fields: dict[str, str], wait: float) -> None:
        """From the moment at which it has said so."""
        turn = waiting(dialect=dialects.get("openai-responses"))
        turn.response_started(429, DATED.replaced(fields), 1.0)
        turn.receive_data(error_body(**error), 2.0)
        turn.receive_eof(2.0)
        assert turn.retry_at == 2.0 + wait
        assert want_of(turn) is Want.CLOSE
        answer = turn.failure
        assert answer is not None
        assert answer.error.retryable

    @pytest.mark.parametrize("reset", [{"resets_in_seconds": 3600}, {"resets_at": NEW_YEAR + 61}])
    def test_in_an_hour_is_reported_at_once(self, reset: dict[str, int]) -> None:
        turn = waiting(dialect=dialects.get("openai-responses"))
        refuse(turn, 429, DATED, error_body(type="usage_limit_reached", **reset))
        assert (outcome_of(turn), turn.attempts) == (Outcome.FAILED, 1)
        (error,) = drained(turn)
        assert isinstance(error, StreamError)
        assert error.retryable, "later"
        assert error.retry_after == float(reset.get("resets_in_seconds", 61))

    @pytest.mark.parametrize("how", ["lost", "closed", "bytes", "late", "no JSON", "nothing"])
    @pytest.mark.parametrize(("status", "again"), [(429, True), (500, True), (400, False)])
    def test_a_body_that_can_not_be_read_leaves_it_to_the_status(
        self, how: str, status: int, *, again: bool
    ) -> None:
        turn = waiting()
        turn.response_started(status, Headers(), 1.0)
        half = body("invalid_request_error" if again else "overloaded_error")[:-3]
        match how:
            case "lost":
                turn.receive_data(half, 1.0)
                turn.connection_lost("reset", 1.0)
            case "closed":
                turn.closed(1.0)
            case "bytes":
                turn.receive_data(half + b" " * 64 * 1024, 1.0)
            case "late":
                turn.receive_data(half, 1.0)
                assert deadline_of(turn) == 31.0
                turn.handle_timeout(31.0)
            case _:
                turn.receive_data(b"<html>Sorry" if how == "no JSON" else b"", 1.0)
                turn.receive_eof(1.0)
        if again:
            assert state_of(turn) is TurnState.BACKOFF
            assert want_of(turn) is (Want.WAIT if how in {"lost", "closed"} else Want.CLOSE)
            answer_again(turn)
        else:
            assert outcome_of(turn) is Outcome.FAILED
        assert turn.failure is not None
        assert turn.failure.status == status

    @pytest.mark.parametrize("status", [200, 429])
    def test_its_deadline_is_not_the_next_attempts(self, status: int) -> None:
        turn = waiting()
        refuse(turn, status, Headers({"content-type": "application/json"}), body("overloaded_error"))
        now = try_again(turn)
        turn.response_started(200, EVENT_STREAM, now)
        turn.handle_timeout(now + 31.0)
        assert state_of(turn) is TurnState.WAITING

    def test_after_the_whole_turns_deadline_there_is_no_other_attempt(self) -> None:
        turn = waiting(deadlines=Deadlines(whole=5.0))
        turn.response_started(429, Headers(), 1.0)
        turn.receive_data(body("rate_limit_error"), 1.0)
        turn.handle_timeout(5.0)
        assert outcome_of(turn) is Outcome.FAILED
        assert turn.failure is not None
        assert turn.failure.error.type == "rate_limit_error"

    @pytest.mark.parametrize(("status", "again"), [(429, True), (404, False)])
    def test_a_dialect_that_does_not_know_leaves_it_to_the_status(self, status: int, *, again: bool) -> None:
        mine = dataclasses.replace(ANTHROPIC, parse_error=lambda *_: StreamError("new", "No."))
        turn = waiting(dialect=mine)
        refuse(turn, status)
        assert (state_of(turn) is TurnState.BACKOFF) is again

    def test_a_dialect_of_ones_own_says_what_its_words_mean(self) -> None:
        mine = dataclasses.replace(
            ANTHROPIC,
            parse_error=lambda *_: StreamError("spent", "No."),
            error_kinds={"spent": "billing"},
        )
        turn = waiting(dialect=mine)
        refuse(turn, 429)
        assert outcome_of(turn) is Outcome.FAILED


RETRACT = RetryPolicy(after_output="retract")
TOOL_RAN = BlockStart(1, ToolUseBlock("t", "search", "server_tool_use"))


def fail(turn: Turn, how: str) -> None:
    """Let a stream that has shown something fail in a way that another attempt may mend."""
    if how == "error":
        turn.receive_data(wire(OVERLOADED), 1.0)
    elif how == "garbage":
        turn.receive_data(b"data: no JSON\n\n", 1.0)
    elif how == "silence":
        turn.handle_timeout(deadline_of(turn))
    elif how == "eof":
        turn.receive_eof(1.0)
    else:
        turn.connection_lost("reset", 1.0)


class TestTakingBack:
    """For readers who can take back what they were shown, if the policy says so."""

    @pytest.mark.parametrize("how", ["error", "garbage", "silence", "eof", "lost"])
    def test_what_was_shown_is_taken_back_and_the_answer_begins_anew(self, how: str) -> None:
        turn = streaming(retry=RETRACT)
        fail(turn, how)
        assert drained(turn) == [MessageReset()]
        assert state_of(turn) is TurnState.BACKOFF
        assert (turn.message.text, turn.message.id, outcome_of(turn)) == ("", "", None)
        if want_of(turn) is Want.CLOSE:
            turn.closed(1.0)
        answer_again(turn)
        assert turn.attempts == 2

    def test_not_after_the_provider_ran_a_tool(self) -> None:
        turn = streaming(retry=RETRACT)
        turn.receive_data(wire(BLOCK_STOP, TOOL_RAN), 1.0)
        fail(turn, "lost")
        assert outcome_of(turn) is Outcome.TRUNCATED

    def test_nor_after_anybody_else_did(self) -> None:
        turn = streaming(retry=RETRACT)
        turn.tool_executed = True
        fail(turn, "lost")
        assert outcome_of(turn) is Outcome.TRUNCATED

    def test_nor_what_no_repetition_mends(self) -> None:
        turn = streaming(retry=RETRACT)
        turn.receive_data(wire(INVALID), 1.0)
        assert outcome_of(turn) is Outcome.FAILED

    def test_until_the_attempts_are_used_up(self) -> None:
        turn = streaming(retry=RetryPolicy(max_attempts=2, after_output="retract"))
        fail(turn, "lost")
        now = try_again(turn)
        turn.response_started(200, EVENT_STREAM, now)
        turn.receive_data(wire(START, OPENED, HELLO), now)
        turn.connection_lost("reset", now)
        assert outcome_of(turn) is Outcome.TRUNCATED
        assert turn.message.text == "Hello"

    def test_usage_of_what_was_taken_back_is_not_the_messages(self) -> None:
        turn = accepted(retry=RETRACT)
        turn.receive_data(wire(MessageStart("m", "c", usage={"input_tokens": 7}), OPENED, HELLO), 0.0)
        assert turn.message.usage == {"input_tokens": 7}
        fail(turn, "lost")
        assert turn.message.usage == {}

    def test_nor_does_it_count_for_how_fast_the_turn_was(self) -> None:
        turn = streaming(retry=RETRACT)
        fail(turn, "lost")
        assert turn.timing.outputs == 0
        drained(turn)
        answer_again(turn)
        first_byte, first_token = turn.timing.time_to_first_byte, turn.timing.time_to_first_token
        assert first_byte is not None
        assert first_token is not None
        assert first_byte <= first_token

    @pytest.mark.parametrize("shown", [True, False])
    def test_a_tool_that_was_run_meanwhile_is_not_repeated(self, shown: bool) -> None:  # noqa: FBT001
        """A call that was shown may still be running when it is taken back."""
        turn = streaming(retry=RETRACT) if shown else accepted(retry=RETRACT)
        fail(turn, "lost")
        turn.tool_executed = True
        turn.handle_timeout(deadline_of(turn))
        assert outcome_of(turn) is Outcome.TRUNCATED
        assert want_of(turn) is Want.NOTHING
        assert turn.attempts == 1

    def test_nor_one_that_was_run_before_anything_was_shown_again(self) -> None:
        turn = streaming(retry=RETRACT)
        fail(turn, "lost")
        now = try_again(turn)
        turn.tool_executed = True
        turn.connection_lost("reset", now)
        assert outcome_of(turn) is Outcome.FAILED
        assert turn.attempts == 2
