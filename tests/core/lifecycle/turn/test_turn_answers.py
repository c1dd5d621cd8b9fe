"""What a turn makes of its answer: no stream, another dialect, a redirect; and what it says of its end."""

from __future__ import annotations

import dataclasses
import json
import re
from typing import Any

import pytest

from sse_core import LocalProtocolError, TurnError, dialects, encode_comment
from sse_core.blocks import (
    BlockStart,
    MessageCut,
    MessageStart,
    MessageStop,
    StreamError,
    TextBlock,
    TextDelta,
    ThinkingDelta,
    ToolUseBlock,
)
from sse_core.headers import Headers
from sse_core.lifecycle import (
    NO_RETRY,
    Deadlines,
    HTTPRequest,
    Outcome,
    RetryPolicy,
    Turn,
    TurnState,
    Upstream,
    Want,
)
from sse_core.lifecycle.turn.turn_text import text_of
from tests.core.lifecycle.turn.turn_support import (
    ANSWER,
    ANTHROPIC,
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
    connecting,
    deadline_of,
    done,
    drained,
    outcome_of,
    state_of,
    streaming,
    try_again,
    waiting,
    want_of,
    wire,
)

JSON = Headers({"content-type": "application/json"})
CHAT = b'data: {"object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "Hi"}}]}\n\n'


def failed(turn: Turn) -> StreamError:
    """The error with which the turn has ended, without another attempt."""
    assert (outcome_of(turn), turn.attempts) == (Outcome.FAILED, 1)
    error = drained(turn)[-1]
    assert isinstance(error, StreamError)
    assert turn.failure is not None
    assert turn.failure.error is error
    return error


class TestWrongDialects:
    """A wrong dialect is an error at once, before a generation is paid for, and no other attempt follows."""

    @pytest.mark.parametrize("chunks", [CHAT, CHAT * 2])
    def test_at_the_first_event_that_can_not_be_read(self, chunks: bytes) -> None:
        turn = accepted()
        turn.receive_data(chunks, 1.0)
        error = failed(turn)
        assert "chat.completion.chunk" in error.message
        assert error.message.endswith("it fits dialect 'openai-chat'")
        assert (error.retryable, want_of(turn)) == (False, Want.CLOSE)

    @pytest.mark.parametrize("dialect", sorted({*dialects.names()} - {"anthropic"}))
    def test_at_the_fourth_that_is_of_another(self, dialect: str) -> None:
        turn = accepted(dialect=dialects.get(dialect))
        stream = wire(START, PING, OPENED, HELLO, HELLO)
        at = stream.rindex(b"event: content_block_delta")
        turn.receive_data(stream[:at], 1.0)
        assert (outcome_of(turn), drained(turn)) == (None, [])
        turn.receive_data(stream[at:], 1.0)
        error = failed(turn)
        assert "'message_start'" in error.message
        assert f"dialect {dialect!r}" in error.message
        assert error.message.endswith("it fits dialect 'anthropic'")
        assert not error.retryable

    def test_at_the_end_where_no_dialect_fits(self) -> None:
        turn = accepted()
        turn.receive_data(b'event: novelty\ndata: {"type": "novelty"}\n\n' * 3, 1.0)
        assert outcome_of(turn) is None
        turn.receive_eof(1.0)
        error = failed(turn)
        assert "it fits no dialect that is known here" in error.message
        assert not error.retryable

    def test_one_known_event_makes_it_the_right_one(self) -> None:
        turn = accepted()
        turn.receive_data(b'data: {"type": "response.created"}\n\n' + wire(*ANSWER), 1.0)
        assert outcome_of(turn) is Outcome.COMPLETED

    def test_what_a_gateway_sends_before_the_answer_is_no_other(self) -> None:
        turn = accepted(dialect=dialects.get("openai-chat"))
        queue = b'data: {"type": "data-queue", "position": 1}\n\n' * 20
        lifecycle = b'data: {"type": "response.created"}\n\ndata: {"type": "response.in_progress"}\n\n'
        turn.receive_data(queue + lifecycle + CHAT + b"data: [DONE]\n\n", 1.0)
        assert outcome_of(turn) is Outcome.COMPLETED

    def test_an_end_after_nothing_but_pings_is_a_cut(self) -> None:
        turn = accepted(dialect=dialects.get("openai-chat"))
        turn.receive_data(wire(PING, PING), 1.0)
        turn.receive_eof(1.0)
        assert state_of(turn) is TurnState.BACKOFF

    def test_a_new_event_of_the_right_one_is_no_other(self) -> None:
        turn = accepted(dialect=dialects.get("openai-responses"))
        turn.receive_data(b'data: {"type": "response.novelty"}\n\n' * 3, 1.0)
        assert outcome_of(turn) is None

    def test_a_connection_that_breaks_before_anything_is_certain_is_a_cut(self) -> None:
        turn = accepted()
        turn.receive_data(b'data: {"type": "novelty"}\n\n', 1.0)
        turn.connection_lost("reset", 1.0)
        assert state_of(turn) is TurnState.BACKOFF

    def test_so_is_an_end_without_any_event(self) -> None:
        turn = accepted()
        turn.receive_data(b": hello\n\n", 1.0)
        turn.receive_eof(1.0)
        assert state_of(turn) is TurnState.BACKOFF

    def test_a_broken_first_event_may_be_whole_the_next_time(self) -> None:
        turn = accepted()
        turn.receive_data(b"data: {]\n\n", 1.0)
        assert state_of(turn) is TurnState.BACKOFF


def error_body(type: str, message: str = "Not today.") -> bytes:
    return json.dumps({"type": "error", "error": {"type": type, "message": message}}).encode()


class TestAnswersThatAreNoStream:
    def test_an_error_that_comes_with_200_is_reported_as_one(self) -> None:
        turn = waiting()
        turn.response_started(200, JSON.replaced({"request-id": "req_1"}), 0.0)
        assert (turn.accepted, want_of(turn)) == (False, Want.READ)
        turn.receive_data(error_body("invalid_request_error")[:20], 0.1)
        turn.receive_data(error_body("invalid_request_error")[20:], 0.2)
        turn.receive_eof(0.3)
        error = failed(turn)
        assert (error.type, error.message, error.retryable) == ("invalid_request_error", "Not today.", False)
        assert turn.failure is not None
        assert turn.failure.status == 400, "as if the provider had said it by its status"
        assert turn.failure.headers.get("request-id") == "req_1"

    @pytest.mark.parametrize(
        "body", [b'[{"error": {"code": 400, "message": "bad field"}}]', b'{"error": "no"}']
    )
    def test_in_any_providers_form(self, body: bytes) -> None:
        turn = waiting()
        turn.response_started(200, JSON, 0.0)
        turn.receive_data(body, 0.1)
        turn.receive_eof(0.3)
        assert "instead of text/event-stream" not in failed(turn).message

    def test_one_that_may_pass_is_tried_again(self) -> None:
        turn = waiting()
        turn.response_started(200, JSON, 0.0)
        turn.receive_data(error_body("overloaded_error"), 0.1)
        turn.receive_eof(0.3)
        assert state_of(turn) is TurnState.BACKOFF
        try_again(turn)
        turn.response_started(200, EVENT_STREAM, 1.0)
        turn.receive_data(wire(*ANSWER), 1.0)
        assert outcome_of(turn) is Outcome.COMPLETED

    @pytest.mark.parametrize(
        "body",
        [b"<title>Sign in</title>\n", b'{"id": "msg_1", "content": []}', b"[]", b"[" * 9000, b"\xff\xfe"],
    )
    def test_any_other_body_is_quoted(self, body: bytes) -> None:
        turn = waiting()
        turn.response_started(200, JSON, 0.0)
        turn.receive_data(body, 0.1)
        turn.receive_eof(0.3)
        error = failed(turn)
        assert (
            "answered with 'application/json' instead of text/event-stream, which begins with"
            in error.message
        )
        assert error.message.isascii()
        assert error.message.isprintable()
        assert len(error.message) < 500
        assert not error.retryable
        assert turn.failure is not None
        assert turn.failure.reason.endswith("instead of text/event-stream."), "a log has our words only"

    def test_nothing_is_quoted_of_an_empty_one(self) -> None:
        turn = waiting()
        turn.response_started(200, JSON, 0.0)
        turn.receive_eof(0.3)
        assert failed(turn).message.endswith("instead of text/event-stream.")

    @pytest.mark.parametrize("how", ["bytes", "lost", "timeout"])
    def test_it_is_read_within_bounds(self, how: str) -> None:
        turn = waiting()
        turn.response_started(200, JSON, 0.0)
        turn.receive_data(error_body("overloaded_error"), 0.1)
        match how:
            case "bytes":
                turn.receive_data(b" " * 64 * 1024, 0.1)
                assert state_of(turn) is TurnState.BACKOFF
            case "lost":
                turn.connection_lost("reset", 0.1)
                assert state_of(turn) is TurnState.BACKOFF
            case _:
                assert deadline_of(turn) == 30.0
                turn.handle_timeout(30.0)
                assert failed(turn).type == "overloaded_error"

    def test_after_the_whole_turns_deadline_nothing_is_tried_again(self) -> None:
        turn = waiting(deadlines=Deadlines(whole=5.0))
        turn.response_started(200, JSON, 0.0)
        turn.receive_data(error_body("overloaded_error"), 0.1)
        turn.handle_timeout(5.0)
        assert failed(turn).type == "overloaded_error"


class TestAnswersWithoutAType:
    @pytest.mark.parametrize("status", [200, 201])
    @pytest.mark.parametrize("headers", [Headers(), Headers({"content-type": " "}), EVENT_STREAM])
    def test_a_stream_is_read(self, status: int, headers: Headers) -> None:
        turn = waiting()
        turn.response_started(status, headers, 0.0)
        assert (turn.accepted, turn.response_status, turn.response_headers) == (True, status, headers)
        for byte in wire(*ANSWER):
            turn.receive_data(bytes([byte]), 0.0)
        assert outcome_of(turn) is Outcome.COMPLETED
        assert turn.response_status == status

    @pytest.mark.parametrize("size", [1, 1000])
    @pytest.mark.parametrize("headers", [Headers(), EVENT_STREAM])
    def test_json_is_none_whatever_its_type(self, headers: Headers, size: int) -> None:
        turn = waiting()
        turn.response_started(200, headers, 0.0)
        body = b"\r\n " + error_body("invalid_request_error")
        for at in range(0, len(body), size):
            turn.receive_data(body[at : at + size], 0.0)
        assert not turn.accepted
        assert deadline_of(turn) == 30.0
        turn.receive_eof(0.0)
        assert failed(turn).message == "Not today."

    @pytest.mark.parametrize(
        ("headers", "words"), [(Headers(), "without a type"), (EVENT_STREAM, "an event stream by its type")]
    )
    def test_nor_is_html(self, headers: Headers, words: str) -> None:
        turn = waiting()
        turn.response_started(200, headers, 0.0)
        turn.receive_data(b"<html>Sign in", 0.0)
        turn.receive_eof(0.0)
        assert words in failed(turn).message


ELSEWHERE = HTTPRequest(
    "http://provider.test:8000/v1/messages", "POST", Headers({"x-api-key": "secret"}), b'{"a": 1}'
)


def redirected(location: str, status: int = 307, request: HTTPRequest = ELSEWHERE) -> Turn:
    turn = Turn(request, ANTHROPIC)
    turn.start(0.0)
    turn.connected(0.0)
    turn.response_started(status, Headers({"location": location}), 1.0)
    return turn


class TestRedirects:
    @pytest.mark.parametrize("status", [307, 308])
    @pytest.mark.parametrize(
        ("location", "url"),
        [
            ("/v1/messages/", "http://provider.test:8000/v1/messages/"),
            ("?beta=true", "http://provider.test:8000/v1/messages?beta=true"),
            ("https://provider.test/v1/messages", "https://provider.test/v1/messages"),
        ],
    )
    def test_within_the_origin_and_to_its_https_the_post_goes_on(
        self, status: int, location: str, url: str
    ) -> None:
        turn = redirected(location, status)
        assert (state_of(turn), want_of(turn)) == (TurnState.REDIRECTING, Want.CLOSE)
        turn.closed(1.0)
        assert want_of(turn) is Want.CONNECT
        assert turn.request == dataclasses.replace(ELSEWHERE, url=url)
        turn.connected(1.0)
        turn.response_started(200, EVENT_STREAM, 1.0)
        turn.receive_data(wire(*ANSWER), 1.0)
        assert (outcome_of(turn), turn.attempts) == (Outcome.COMPLETED, 1)

    @pytest.mark.parametrize(
        ("location", "status", "words"),
        [
            ("http://mirror.test/", 307, "another origin"),
            ("http://provider.test/", 308, "another origin"),
            ("https://mirror.test/", 308, "another origin"),
            ("/login", 302, "status 302, which keeps no POST"),
            ("/login", 301, "status 301"),
            ("/login", 303, "status 303"),
            ("ftp://provider.test/", 307, "no http or https URL"),
        ],
    )
    def test_nowhere_else(self, location: str, status: int, words: str) -> None:
        turn = redirected(location, status)
        error = failed(turn)
        assert "redirect is not followed" in error.message
        assert words in error.message
        assert (error.retryable, want_of(turn)) == (False, Want.CLOSE)

    def test_never_from_https_to_http(self) -> None:
        secure = dataclasses.replace(ELSEWHERE, url="https://provider.test/")
        assert "from https to http" in failed(redirected("http://provider.test/", request=secure)).message

    def test_from_a_unix_socket_to_nobody_by_tcp(self) -> None:
        """``localhost`` is what its Host field says, and no host that the body was meant for."""
        there = dataclasses.replace(ELSEWHERE, url="http+unix://%2Frun%2Fx.sock/")
        assert "another origin" in failed(redirected("https://localhost/", request=there)).message

    def test_so_many_and_no_more(self) -> None:
        turn = Turn(ELSEWHERE, ANTHROPIC, max_redirects=2)
        turn.start(0.0)
        for number in range(3):
            assert want_of(turn) is Want.CONNECT
            turn.connected(0.0)
            turn.response_started(307, Headers({"location": f"/{number}"}), 0.0)
            turn.closed(0.0)
        assert "more than 2 times (limit: max_redirects)" in failed(turn).message

    def test_each_attempt_begins_where_the_first_one_did(self) -> None:
        turn = redirected("/elsewhere")
        turn.closed(1.0)
        turn.connection_lost("refused", 1.0)
        assert state_of(turn) is TurnState.BACKOFF
        turn.handle_timeout(deadline_of(turn))
        assert (turn.request, turn.attempts) == (ELSEWHERE, 2)

    def test_stopped_on_the_way(self) -> None:
        turn = redirected("/elsewhere")
        turn.stop(1.0)
        assert want_of(turn) is Want.CLOSE
        turn.closed(1.0)
        assert want_of(turn) is Want.NOTHING


class TestHeadersThatExpire:
    def test_they_are_made_anew_for_each_attempt(self) -> None:
        tokens = iter(["old", "new"])
        upstream = Upstream(REQUEST.url, lambda: {"authorization": f"Bearer {next(tokens)}"})
        turn = upstream.turn({"model": "m"})
        turn.start(0.0)
        assert dict(turn.request.headers) == {
            "authorization": "Bearer old",
            "content-type": "application/json",
            "accept": "text/event-stream",
        }
        turn.connected(0.0)
        turn.response_started(503, Headers(), 0.0)
        turn.receive_eof(0.0)
        try_again(turn)
        assert turn.request.headers.get("authorization") == "Bearer new"
        assert json.loads(turn.request.body) == {"model": "m", "stream": True}

    def test_without_them_the_turn_fails_and_the_callers_mistake_is_his(self) -> None:
        tokens = iter(["old"])
        turn = Turn(REQUEST, ANTHROPIC, headers=lambda: {"authorization": next(tokens)})
        turn.start(0.0)
        turn.connection_lost("refused", 0.0)
        with pytest.raises(StopIteration):
            turn.handle_timeout(deadline_of(turn))
        assert (outcome_of(turn), want_of(turn), turn.deadline) == (Outcome.FAILED, Want.NOTHING, None)
        error = drained(turn)[-1]
        assert isinstance(error, StreamError)
        assert (error.message, error.retryable) == ("The headers of the request could not be made.", False)

    def test_not_for_a_redirect(self) -> None:
        tokens = iter(["old"])
        turn = Turn(ELSEWHERE, ANTHROPIC, headers=lambda: {"authorization": next(tokens)})
        turn.start(0.0)
        turn.connected(0.0)
        turn.response_started(307, Headers({"location": "/"}), 0.0)
        turn.closed(0.0)
        assert turn.request.headers.get("authorization") == "old"

    def test_a_mapping_is_taken_as_it_is_now(self) -> None:
        fields = {"x-api-key": "secret"}
        upstream = Upstream(REQUEST.url, fields)
        fields["x-api-key"] = "another"
        assert upstream.turn(b"").request.headers.get("x-api-key") == "secret"
        assert "secret" not in repr(upstream)


class TestComments:
    def test_in_their_places_among_the_events(self) -> None:
        comments: list[str] = []
        turn = accepted(on_comment=comments.append)
        turn.receive_data(encode_comment("first"), 0.0)
        assert (turn.next_event(), comments) == (None, ["first"])
        turn.receive_data(wire(START) + encode_comment("second"), 0.0)
        assert (turn.next_event(), comments) == (None, ["first"]), "behind what is held back"
        turn.receive_data(wire(OPENED, HELLO), 0.0)
        turn.receive_data(encode_comment("third"), 0.0)
        turn.receive_data(wire(WORLD), 0.0)
        seen: list[object] = []
        while (event := turn.next_event()) is not None:
            seen += [*comments[1:], type(event)]
            del comments[1:]
        assert seen == [MessageStart, "second", BlockStart, TextDelta, "third", TextDelta]

    def test_those_of_an_attempt_that_failed_are_gone_with_it(self) -> None:
        comments: list[str] = []
        turn = accepted(on_comment=comments.append)
        turn.receive_data(wire(START) + encode_comment("held") + wire(OVERLOADED), 0.0)
        assert (drained(turn), comments) == ([], [])

    def test_they_stay_within_the_bounds(self) -> None:
        turn = accepted(on_comment=lambda _: None, max_held_bytes=300, retry=NO_RETRY)
        turn.receive_data(wire(START), 0.0)
        turn.receive_data(encode_comment("x" * 300), 0.0)
        assert "max_held_bytes=300" in failed(turn).message

    def test_what_a_listener_raises_is_raised_where_events_are_taken(self) -> None:
        def give_up(text: str) -> None:
            raise KeyError(text)

        turn = accepted(on_comment=give_up)
        turn.receive_data(encode_comment("no"), 0.0)
        with pytest.raises(KeyError, match="no"):
            turn.next_event()

    def test_an_upstream_passes_its_bounds_and_its_listener_on(self) -> None:
        comments: list[str] = []
        upstream = Upstream(
            REQUEST.url, max_line_bytes=100, max_event_bytes=300, on_comment=comments.append, retry=NO_RETRY
        )
        for data, limit in (
            (b"data: " + b"x" * 400, "max_line_bytes"),
            (b"data: \n" * 400, "max_event_bytes"),
        ):
            turn = upstream.turn(b"")
            turn.start(0.0)
            turn.connected(0.0)
            turn.response_started(200, EVENT_STREAM, 0.0)
            turn.receive_data(encode_comment("hello") + data, 0.0)
            turn.receive_data(b"\n\n", 0.0)
            assert limit in failed(turn).message
        assert comments == ["hello", "hello"]


class TestOutcomes:
    def test_a_cut_is_sent_as_to_those_who_have_read_a_part(self) -> None:
        """One story: the documented one."""
        turn = streaming()
        turn.connection_lost("reset by peer", 1.0)
        assert bare(drained(turn)) == [MessageCut("truncated")]
        assert turn.failure is not None
        assert turn.failure.status == ANTHROPIC.error_status("stream_truncated") == 502
        [event] = ANTHROPIC.Encoder().send(MessageCut("truncated"))
        error = json.loads(event.data)["error"]
        assert (turn.failure.error.type, turn.failure.error.message) == (error["type"], error["message"])
        assert turn.failure.error.retryable
        assert turn.failure.reason == "The connection to the provider was lost: reset by peer"

    def test_completed_raises_nothing(self) -> None:
        done().raise_for_outcome()

    def test_a_failure_has_the_providers_words(self) -> None:
        turn = waiting(retry=NO_RETRY)
        turn.response_started(429, Headers(), 0.0)
        turn.receive_data(error_body("rate_limit_error", "Slow down."), 0.0)
        turn.receive_eof(0.0)
        with pytest.raises(TurnError, match=r"failed: rate_limit_error: Slow down\.") as caught:
            turn.raise_for_outcome()
        error = caught.value
        assert (error.outcome, error.status, error.type, error.code) == (
            "failed",
            429,
            "rate_limit_error",
            None,
        )
        assert error.retryable

    def test_a_cut(self) -> None:
        turn = streaming()
        turn.receive_eof(1.0)
        with pytest.raises(
            TurnError, match="truncated: stream_truncated: The provider's stream ended"
        ) as caught:
            turn.raise_for_outcome()
        assert (caught.value.outcome, caught.value.status) == ("truncated", 502)

    def test_an_expiry(self) -> None:
        turn = streaming()
        turn.handle_timeout(deadline_of(turn))
        with pytest.raises(TurnError, match="expired: timeout_error: The provider stopped") as caught:
            turn.raise_for_outcome()
        assert (caught.value.outcome, caught.value.status) == ("expired", 504)

    def test_a_stop_even_after_a_failed_attempt(self) -> None:
        turn = accepted()
        turn.receive_data(wire(OVERLOADED), 0.0)
        turn.stop(1.0)
        with pytest.raises(TurnError, match="stopped: turn_stopped") as caught:
            turn.raise_for_outcome()
        assert (caught.value.outcome, caught.value.status, caught.value.retryable) == ("stopped", 410, False)

    def test_before_the_end_there_is_nothing_to_say(self) -> None:
        with pytest.raises(LocalProtocolError, match="has not ended"):
            streaming().raise_for_outcome()

    def test_each_failure_says_whether_it_may_be_retried(self) -> None:
        refused = connecting(retry=NO_RETRY)
        refused.connection_lost("certificate", 0.0, retryable=False)
        assert not failed(refused).retryable
        broken = accepted(retry=NO_RETRY)
        broken.receive_data(wire(INVALID), 0.0)
        assert not failed(broken).retryable
        unlucky = accepted(retry=NO_RETRY)
        unlucky.receive_data(wire(OVERLOADED), 0.0)
        assert failed(unlucky).retryable

    def test_what_is_beyond_a_bound_of_the_transport_is_a_final_cut(self) -> None:
        turn = streaming(retry=RetryPolicy(after_output="retract"))
        turn.connection_lost("a line between chunks is too large", 1.0, retryable=False)
        assert outcome_of(turn) is Outcome.TRUNCATED
        assert turn.failure is not None
        assert not turn.failure.error.retryable

    def test_what_nobody_needs_is_let_go(self) -> None:
        for turn in (streaming(), waiting()):
            turn.stop(1.0)
            assert (turn.request.body, len(turn.request.headers)) == (b"", 0)
        assert streaming().response_status == 200


class TestText:
    def test_what_is_text(self) -> None:
        assert text_of(TextDelta(0, "a")) == "a"
        assert text_of(TextDelta(0, "a", choice=1)) == ""
        assert text_of(ThinkingDelta(0, "a")) == ""
        assert text_of(BlockStart(0, TextBlock("a"))) == "a"
        assert text_of(BlockStart(0, ToolUseBlock("t", "f"))) == ""
        assert text_of(MessageStart("m", "m", blocks=[TextBlock("a"), ToolUseBlock("t", "f")])) == "a"
        assert text_of(MessageStop()) == ""

    def test_no_text_for_who_takes_back(self) -> None:
        streaming().check_text_stream()
        with pytest.raises(LocalProtocolError, match="after_output"):
            streaming(retry=RetryPolicy(after_output="retract")).check_text_stream()


def test_a_date_to_come_again_at_is_read_by_the_wall_clock() -> None:
    """RFC 9110 section 10.2.3; without a Date field there is no other clock to read it by."""
    turn = waiting(wall_clock=lambda: 784111777.0)
    turn.response_started(503, Headers({"retry-after": "Sun, 06 Nov 1994 08:49:47 GMT"}), 1.0)
    turn.receive_eof(1.0)
    assert turn.retry_at == 11.0


def test_a_whole_answer_is_what_it_was() -> None:
    turn = accepted()
    turn.receive_data(wire(*ANSWER[:-1]), 0.0)
    turn.receive_data(wire(STOP), 0.0)
    assert turn.message.text == "Hello world"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"request": REQUEST.url}, "Turn takes HTTPRequest, not str: HTTPRequest(url, "),
        ({"dialect": "anthropic"}, "dialect takes Dialect, not str: dialects.get gives one"),
        ({"retry": 3}, "retry takes RetryPolicy or NoneType, not int"),
        ({"deadlines": 3}, "deadlines takes Deadlines or NoneType, not int"),
        ({"on_disconnect": "cancel"}, "on_disconnect takes OnDisconnect or NoneType, not str"),
    ],
)
def test_an_argument_of_the_wrong_type_is_reported_at_once(given: dict[str, Any], words: str) -> None:
    with pytest.raises(TypeError, match=f"^{re.escape(words)}"):
        Turn(**{"request": REQUEST, "dialect": ANTHROPIC, **given})
