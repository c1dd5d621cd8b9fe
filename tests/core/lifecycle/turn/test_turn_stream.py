"""From a provider's bytes to what a reader is given: held back, given out, ended."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import pytest

from sse_core import LocalProtocolError, MessageAccumulator, dialects
from sse_core.blocks import (
    ArgumentsDelta,
    BlockEvent,
    BlockStart,
    BlockStop,
    MessageCut,
    MessageDelta,
    MessageStart,
    StreamError,
    TextBlock,
    TextDelta,
    ThinkingBlock,
    ToolUseBlock,
    UnknownEvent,
)
from sse_core.framing import ServerSentEvent
from sse_core.headers import Headers
from sse_core.lifecycle import NO_RETRY, Outcome, Turn, TurnState, Want
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
    REQUEST,
    START,
    STOP,
    WORLD,
    accepted,
    bare,
    done,
    drained,
    outcome_of,
    state_of,
    streaming,
    waiting,
    want_of,
    wire,
)


class TestAnAnswer:
    def test_from_start_to_end(self) -> None:
        turn = Turn(REQUEST, ANTHROPIC)
        assert (state_of(turn), want_of(turn), turn.deadline) == (TurnState.IDLE, Want.NOTHING, None)
        turn.start(1.0)
        assert (state_of(turn), want_of(turn), turn.attempts) == (TurnState.CONNECTING, Want.CONNECT, 1)
        turn.connected(2.0)
        assert (state_of(turn), want_of(turn), turn.accepted) == (TurnState.WAITING, Want.READ, False)
        headers = EVENT_STREAM.replaced({"request-id": "req_1"})
        turn.response_started(200, headers, 3.0)
        assert turn.accepted
        assert turn.response_headers is headers
        turn.receive_data(wire(START, OPENED), 4.0)
        assert state_of(turn) is TurnState.WAITING
        assert drained(turn) == []
        turn.receive_data(wire(HELLO), 5.0)
        assert (state_of(turn), want_of(turn)) == (TurnState.STREAMING, Want.READ)
        assert bare(drained(turn)) == [START, OPENED, HELLO]
        turn.receive_data(wire(WORLD, BLOCK_STOP, STOP), 7.0)
        assert (state_of(turn), want_of(turn)) == (TurnState.DONE, Want.CLOSE)
        assert bare(drained(turn)) == [WORLD, BLOCK_STOP, STOP]
        assert outcome_of(turn) is Outcome.COMPLETED
        assert turn.deadline is None
        turn.closed(8.0)
        assert want_of(turn) is Want.NOTHING
        assert turn.message.text == "Hello world"
        assert turn.message.completeness == "complete"
        timing = turn.timing
        assert (timing.time_to_first_byte, timing.time_to_first_token, timing.duration) == (2.0, 4.0, 6.0)
        assert (timing.outputs, timing.longest_gap) == (2, 2.0)
        assert turn.failure is None

    @pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
    def test_however_it_is_cut_into_chunks(self, size: int) -> None:
        data = wire(*ANSWER)
        turn = accepted()
        for start in range(0, len(data), size):
            turn.receive_data(data[start : start + size], 0.0)
        assert bare(drained(turn)) == list(ANSWER)
        assert outcome_of(turn) is Outcome.COMPLETED

    def test_the_providers_own_event_stays_with_each(self) -> None:
        turn = accepted()
        turn.receive_data(wire(*ANSWER), 0.0)
        assert all(isinstance(event.source, ServerSentEvent) for event in drained(turn))

    def test_what_comes_after_the_end_is_nobodys(self) -> None:
        turn = accepted()
        turn.receive_data(wire(*ANSWER, HELLO, START) + b"data: junk\n\n", 0.0)
        assert bare(drained(turn)) == list(ANSWER)
        turn.receive_data(wire(WORLD), 1.0)
        turn.receive_eof(1.0)
        turn.connection_lost("reset", 1.0)
        turn.handle_timeout(1e9)
        assert drained(turn) == []
        assert outcome_of(turn) is Outcome.COMPLETED
        assert turn.message.text == "Hello world"

    def test_an_answer_in_which_nothing_is_visible_is_an_answer(self) -> None:
        turn = accepted()
        turn.receive_data(wire(START, MessageDelta("end_turn"), STOP), 0.0)
        assert bare(drained(turn)) == [START, MessageDelta("end_turn"), STOP]
        assert outcome_of(turn) is Outcome.COMPLETED
        assert turn.timing.time_to_first_token is None

    def test_a_body_without_a_head_is_nothing(self) -> None:
        turn = waiting()
        turn.receive_data(wire(*ANSWER), 0.0)
        assert drained(turn) == []
        assert state_of(turn) is TurnState.WAITING


class TestHoldingBack:
    @pytest.mark.parametrize(
        "visible",
        [
            HELLO,
            BlockStart(1, ToolUseBlock("t1", "search")),
            BlockStart(1, TextBlock("already")),
            BlockStart(1, ThinkingBlock("hm")),
        ],
    )
    def test_until_the_first_visible_event(self, visible: BlockEvent) -> None:
        turn = accepted()
        invisible = [START, PING, OPENED, TextDelta(0, "")]
        turn.receive_data(wire(*invisible), 0.0)
        assert drained(turn) == []
        assert turn.message.id == "", "the message is what was given out"
        turn.receive_data(wire(visible), 0.0)
        assert bare(drained(turn)) == [*invisible, visible]
        assert turn.message.id == "msg_1"

    def test_afterwards_nothing_is(self) -> None:
        turn = streaming()
        turn.receive_data(wire(PING, TextDelta(0, ""), MessageDelta("end_turn")), 0.0)
        assert bare(drained(turn)) == [PING, TextDelta(0, ""), MessageDelta("end_turn")]

    def test_of_many_pings_in_a_row_one_is_kept(self) -> None:
        """A model that thinks for an hour pings for an hour, and is no attack."""
        turn = accepted(max_held_events=3)
        turn.receive_data(wire(START, *[PING] * 10_000, OPENED), 0.0)
        turn.receive_data(wire(HELLO), 0.0)
        assert bare(drained(turn)) == [START, PING, OPENED, HELLO]

    def test_a_bound_on_their_number(self) -> None:
        turn = accepted(max_held_events=3)
        turn.receive_data(wire(START, *[UnknownEvent({"type": "new"})] * 2), 0.0)
        assert outcome_of(turn) is None
        turn.receive_data(wire(START, UnknownEvent({"type": "new"})), 0.0)
        assert outcome_of(turn) is Outcome.FAILED
        assert turn.failure is not None
        assert turn.failure.status == 502
        assert "max_held_events=3" in turn.failure.error.message

    @pytest.mark.parametrize(("character", "outcome"), [("x", None), ("é", Outcome.FAILED)])
    def test_a_bound_on_their_bytes(self, character: str, outcome: Outcome | None) -> None:
        """A ping is nothing, but it may be a large nothing; "é" has two bytes."""
        turn = accepted(max_held_bytes=1000)
        turn.receive_data(wire(START), 0.0)
        for _ in range(2):
            padded = f'{{"type": "new", "padding": "{character * 300}"}}'
            turn.receive_data(f"data: {padded}\n\n".encode(), 0.0)
        assert outcome_of(turn) is outcome
        if turn.failure is not None:
            assert "max_held_bytes=1000" in turn.failure.error.message

    def test_the_accumulators_bounds_hold_for_what_is_kept(self) -> None:
        turn = accepted(accumulator=MessageAccumulator(max_message_bytes=100))
        turn.receive_data(wire(START, UnknownEvent({"type": "x" * 200})), 0.0)
        assert turn.failure is not None
        assert "max_message_bytes=100" in turn.failure.error.message
        assert outcome_of(turn) is Outcome.FAILED

    def test_so_does_its_bound_on_choices(self) -> None:
        chunk = b'data: {"choices": [{"index": 0, "delta": {}}, {"index": 1, "delta": {}}]}\n\n'
        accumulator = MessageAccumulator(max_choices=1)
        turn = accepted(dialect=dialects.get("openai-chat"), accumulator=accumulator)
        turn.receive_data(chunk, 0.0)
        assert turn.failure is not None
        assert "max_choices=1" in turn.failure.error.message

    @pytest.mark.untraced
    def test_ten_thousand_held_events_cost_no_more_than_they_should(self) -> None:
        data = wire(START, *[UnknownEvent({"type": "new"})] * 10_000, OPENED, HELLO)
        begun = time.process_time()
        turn = accepted(max_held_events=20_000)
        turn.receive_data(data, 0.0)
        assert time.process_time() - begun < 5
        assert len(drained(turn)) == 10_003


def exchange(*events: BlockEvent) -> list[BlockEvent]:
    """All that is given out for a stream that fails, each attempt with these events."""
    turn = accepted()
    for _ in range(3):
        turn.receive_data(wire(*events), 0.0)
        if turn.outcome is None:
            turn.closed(0.0)
            turn.handle_timeout(1e3)
            turn.connected(1e3)
            turn.response_started(200, EVENT_STREAM, 1e3)
    assert outcome_of(turn) is Outcome.FAILED
    return drained(turn)


class TestBrokenRules:
    """What no message can have must be found before half of it is given out."""

    @pytest.mark.parametrize(
        "events",
        [
            pytest.param((START, HELLO), id="a delta for a block that never began"),
            pytest.param((START, OPENED, OPENED, HELLO), id="a block that begins twice"),
            pytest.param((START, OPENED, ArgumentsDelta(0, "{"), HELLO), id="arguments of a text"),
            pytest.param((OPENED, HELLO), id="no message start"),
            pytest.param((PING, STOP), id="an end without a beginning"),
            pytest.param((START, BlockStop(7), HELLO), id="the end of a block that never began"),
        ],
    )
    def test_before_anything_visible_it_is_tried_again_and_given_out_once(
        self, events: tuple[BlockEvent, ...]
    ) -> None:
        given = exchange(*events)
        assert sum(isinstance(event, MessageStart) for event in given) <= 1
        assert not any(isinstance(event, TextDelta) for event in given)
        assert isinstance(given[-1], StreamError)
        assert "broken" in given[-1].message

    def test_after_something_visible_it_is_the_end(self) -> None:
        turn = streaming()
        turn.receive_data(wire(TextDelta(5, "?"), WORLD), 1.0)
        (error,) = drained(turn)
        assert isinstance(error, StreamError)
        assert outcome_of(turn) is Outcome.FAILED
        assert turn.message.completeness == "failed"
        assert turn.message.text == "Hello"
        assert want_of(turn) is Want.CLOSE

    @pytest.mark.parametrize(
        "garbage", [b"data: {]\n\n", b"data: [1]\n\n", b'data: {"type": 5}\n\n', b"event: x\ndata: \n\n"]
    )
    def test_garbage(self, garbage: bytes) -> None:
        before = accepted()
        before.receive_data(wire(START) + garbage, 0.0)
        assert state_of(before) is TurnState.BACKOFF
        assert drained(before) == []
        after = streaming()
        after.receive_data(garbage, 0.0)
        assert outcome_of(after) is Outcome.FAILED
        assert after.failure is not None
        assert after.failure.status == 502

    def test_bytes_that_are_no_event_stream_at_all_give_nothing(self) -> None:
        turn = accepted(retry=NO_RETRY)
        turn.receive_data(b"\x00\xff\xfe<html>" * 100, 0.0)
        assert state_of(turn) is TurnState.WAITING
        turn.receive_eof(0.0)
        assert outcome_of(turn) is Outcome.TRUNCATED

    def test_a_second_message_within_the_stream(self) -> None:
        turn = streaming()
        turn.receive_data(wire(MessageStart("msg_2", "claude"), WORLD), 0.0)
        (error,) = drained(turn)
        assert isinstance(error, StreamError)
        assert outcome_of(turn) is Outcome.FAILED
        assert turn.message.id == "msg_1"

    def test_the_same_message_start_again_is_a_repetition(self) -> None:
        turn = accepted()
        turn.receive_data(wire(START, START, OPENED, HELLO, START, WORLD), 0.0)
        assert bare(drained(turn)) == [START, OPENED, HELLO, WORLD]

    @pytest.mark.parametrize("limit", ["max_line_bytes", "max_event_bytes"])
    def test_a_bound_of_the_framing_is_named_and_not_tried_again(self, limit: str) -> None:
        """What is beyond a bound will be so again, and costs tokens each time."""
        settings: dict[str, Any] = {limit: 500}
        turn = accepted(**settings)
        turn.receive_data(wire(START) + (b"data: " + b"x" * 300 + b"\n") * 2, 0.0)
        turn.receive_data(b"data: " + b"x" * 600 + b"\n", 0.0)
        assert outcome_of(turn) is Outcome.FAILED
        assert turn.attempts == 1
        assert turn.failure is not None
        assert limit in turn.failure.error.message
        assert not turn.failure.error.retryable

    @pytest.mark.parametrize("end", ["data", "eof"])
    def test_a_bound_that_is_broken_behind_whole_events_in_one_chunk(self, end: str) -> None:
        turn = accepted(max_line_bytes=500)
        turn.receive_data(wire(START, OPENED, HELLO) + b"data: " + b"x" * 600, 0.0)
        assert bare(drained(turn)) == [START, OPENED, HELLO]
        if end == "eof":
            turn.receive_eof(0.0)
        else:
            turn.receive_data(b"x", 0.0)
        assert outcome_of(turn) is Outcome.FAILED
        assert turn.failure is not None
        assert "max_line_bytes" in turn.failure.error.message


def speaking(*, for_each: list[BlockEvent] | None = None, at_eof: list[BlockEvent] | None = None) -> Turn:
    """An accepted turn whose dialect is Anthropic's but for what it makes of an event, or of the end."""

    class Decoder:
        def __init__(self) -> None:
            self.usual = ANTHROPIC.Decoder()

        def receive_event(self, sse: ServerSentEvent) -> list[BlockEvent]:
            return self.usual.receive_event(sse) if for_each is None else list(for_each)

        def receive_eof(self) -> list[BlockEvent]:
            return self.usual.receive_eof() if at_eof is None else list(at_eof)

    turn = Turn(REQUEST, dataclasses.replace(ANTHROPIC, Decoder=Decoder))
    turn.start(0.0)
    turn.connected(0.0)
    turn.response_started(200, EVENT_STREAM, 0.0)
    return turn


class TestErrorsAndCuts:
    def test_an_error_event_after_something_visible_is_sent(self) -> None:
        turn = streaming()
        turn.receive_data(wire(OVERLOADED, WORLD), 0.0)
        assert bare(drained(turn)) == [OVERLOADED]
        assert outcome_of(turn) is Outcome.FAILED
        assert turn.message.completeness == "failed"
        assert turn.message.error == OVERLOADED
        assert turn.failure is not None
        assert turn.failure.status == 529
        assert turn.attempts == 1

    def test_an_error_that_no_repetition_mends_is_final_at_once(self) -> None:
        turn = accepted()
        turn.receive_data(wire(START, INVALID), 0.0)
        assert bare(drained(turn)) == [START, INVALID]
        assert outcome_of(turn) is Outcome.FAILED
        assert turn.failure is not None
        assert turn.failure.status == 400

    @pytest.mark.parametrize("how", ["eof", "lost", "closed"])
    def test_a_stream_that_ends_without_its_end_marker_is_truncated(self, how: str) -> None:
        turn = streaming()
        match how:
            case "eof":
                turn.receive_eof(1.0)
                assert want_of(turn) is Want.CLOSE
            case "lost":
                turn.connection_lost("reset by peer", 1.0)
                assert want_of(turn) is Want.NOTHING
            case _:
                turn.closed(1.0)
        assert drained(turn) == [MessageCut("truncated")]
        assert outcome_of(turn) is Outcome.TRUNCATED
        assert turn.message.completeness == "truncated"
        assert turn.failure is not None
        assert turn.failure.status == 502

    def test_a_cut_after_the_end_marker_is_none(self) -> None:
        turn = done()
        turn.connection_lost("reset", 1.0)
        assert outcome_of(turn) is Outcome.COMPLETED
        assert want_of(turn) is Want.NOTHING

    def test_a_dialect_may_end_its_message_at_the_end_of_the_stream(self) -> None:
        """Some protocols have no end marker of their own, or a peer that forgets it."""
        turn = speaking(at_eof=[BLOCK_STOP, STOP, MessageCut("truncated")])
        turn.receive_data(wire(START, OPENED, HELLO), 0.0)
        drained(turn)
        turn.receive_eof(1.0)
        assert drained(turn) == [BLOCK_STOP, STOP]
        assert outcome_of(turn) is Outcome.COMPLETED

    def test_and_may_break_the_rules_there(self) -> None:
        turn = speaking(at_eof=[BlockStop(7), STOP])
        turn.receive_data(wire(START, OPENED, HELLO), 0.0)
        turn.receive_eof(1.0)
        assert outcome_of(turn) is Outcome.FAILED
        assert isinstance(drained(turn)[-1], StreamError)

    def test_one_event_of_the_wire_may_be_several(self) -> None:
        """Only the first of them has a source; what comes behind an end among them is nobody's."""
        turn = speaking(for_each=[START, PING, OPENED, HELLO, STOP, WORLD, START])
        turn.receive_data(b"data: 1\n\ndata: 2\n\n", 0.0)
        assert drained(turn) == [START, PING, OPENED, HELLO, STOP]
        assert outcome_of(turn) is Outcome.COMPLETED

    def test_also_behind_a_failure(self) -> None:
        turn = speaking(for_each=[START, OVERLOADED, PING, OPENED, HELLO])
        turn.receive_data(b"data: 1\n\n", 0.0)
        assert state_of(turn) is TurnState.BACKOFF
        assert drained(turn) == []
        assert turn.stop(0.0) is Outcome.STOPPED
        assert drained(turn) == [MessageCut("stopped")]


class TestHeads:
    @pytest.mark.parametrize(
        "content_type",
        [
            "text/event-stream",
            "Text/Event-Stream",
            "text/event-stream;charset=utf-8",
            " text/event-stream ; x=y",
        ],
    )
    def test_of_an_event_stream(self, content_type: str) -> None:
        turn = waiting()
        turn.response_started(200, Headers({"content-type": content_type}), 0.0)
        assert turn.accepted

    @pytest.mark.parametrize(
        "headers",
        [
            {"content-type": "application/json"},
            {"content-type": "text/event-stream-x"},
            {"content-type": "text/event-stream, text/html"},
            {"content-type": "text/event-stream", "content-encoding": "gzip"},
            {"content-encoding": "gzip"},
        ],
    )
    def test_of_anything_else_is_final(self, headers: dict[str, str]) -> None:
        turn = waiting()
        turn.response_started(200, Headers(headers), 0.0)
        turn.receive_eof(0.0)
        assert outcome_of(turn) is Outcome.FAILED
        assert not turn.accepted
        assert want_of(turn) is Want.CLOSE
        assert turn.failure is not None
        assert turn.failure.status == 502
        (error,) = drained(turn)
        assert isinstance(error, StreamError)
        assert "compressed" in error.message or "instead of text/event-stream" in error.message

    def test_identity_is_no_coding(self) -> None:
        turn = waiting()
        turn.response_started(200, EVENT_STREAM.replaced({"content-encoding": "Identity"}), 0.0)
        assert turn.accepted

    @pytest.mark.parametrize("status", [202, 204, 206, 301, 302, 304, 307, 399])
    def test_a_status_that_is_neither_a_stream_nor_an_error(self, status: int) -> None:
        """Passed on as it is, a 204 would have no body, and a 302 no place to go to."""
        turn = waiting()
        turn.response_started(status, EVENT_STREAM, 0.0)
        assert outcome_of(turn) is Outcome.FAILED
        assert turn.failure is not None
        assert turn.failure.status == 502
        assert f"status {status}" in turn.failure.error.message

    def test_what_a_peer_says_is_quoted_and_short(self) -> None:
        turn = waiting()
        turn.response_started(200, Headers({"content-type": "\x1b[31m\xe9" * 100}), 0.0)
        turn.receive_data(b"\x1b[31m\xe9\n" * 1000, 0.0)
        turn.receive_eof(0.0)
        assert turn.failure is not None
        assert turn.failure.error.message.isascii()
        assert turn.failure.error.message.isprintable()
        assert len(turn.failure.error.message) < 2000

    def test_a_second_head_is_nobodys(self) -> None:
        for turn in (accepted(), streaming()):
            before = state_of(turn)
            turn.response_started(500, Headers(), 0.0)
            turn.response_started(400, Headers(), 0.0)
            assert state_of(turn) is before
            turn.receive_data(
                wire(WORLD) if before is TurnState.STREAMING else wire(START, OPENED, HELLO), 0.0
            )
            assert drained(turn) != []
        refused = waiting()
        refused.response_started(400, Headers(), 0.0)
        refused.response_started(200, EVENT_STREAM, 0.0)
        assert not refused.accepted


class TestMisuse:
    def test_starting_twice(self) -> None:
        with pytest.raises(LocalProtocolError, match="make a new Turn"):
            waiting().start(1.0)

    def test_starting_after_stop(self) -> None:
        turn = Turn(REQUEST, ANTHROPIC)
        assert turn.stop(0.0) is Outcome.STOPPED
        with pytest.raises(LocalProtocolError, match="stopped before"):
            turn.start(1.0)
        assert want_of(turn) is Want.NOTHING

    def test_connecting_before_start(self) -> None:
        turn = Turn(REQUEST, ANTHROPIC)
        with pytest.raises(LocalProtocolError, match="call start"):
            turn.connected(0.0)
        turn.start(0.0)
        assert want_of(turn) is Want.CONNECT

    def test_everything_else_before_start_is_harmless(self) -> None:
        turn = Turn(REQUEST, ANTHROPIC)
        turn.response_started(200, EVENT_STREAM, 0.0)
        turn.receive_data(wire(*ANSWER), 0.0)
        turn.receive_eof(0.0)
        turn.connection_lost("?", 0.0)
        turn.closed(0.0)
        turn.pause(0.0)
        turn.resume(0.0)
        turn.handle_timeout(1e9)
        assert (state_of(turn), want_of(turn), turn.deadline) == (TurnState.IDLE, Want.NOTHING, None)
