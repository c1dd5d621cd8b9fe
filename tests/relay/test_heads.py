"""When the head of an answer goes out, and what it says.

Until it is out, a failure can still be the answer's own status, as if the client had called the provider.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar

import pytest

from sse_core.lifecycle import RetryPolicy
from sse_http import StreamHead
from tests.relay.support import (
    BEGINNING,
    JSON,
    TURN_ID,
    WHOLE,
    Reader,
    World,
    error_event,
    error_of,
    message_start,
    text,
)

OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}


def is_out(reader: Reader) -> bool:
    return isinstance(reader.head, StreamHead)


def test_the_head_waits_for_the_providers() -> None:
    world = World(head_hold=2.0)
    reader = world.ask()
    assert reader.head is None
    world.provider.connect()
    world.pass_time(1.9)
    assert reader.head is None
    world.provider.head()
    assert is_out(reader)
    assert reader.data == b""
    # There is no hold any more; what is due next is a heartbeat, 15 s from the beginning.
    assert reader.stream.deadline == world.now + 13.1


def test_what_the_head_says() -> None:
    world = World()
    reader = world.ask()
    world.provider.connect().head(
        request_id="req_1",
        anthropic_organization_id="org_1",
        set_cookie="a=b",
        x_internal="secret",
        server="cloud",
        anthropic_ratelimit_unified_status="allowed",
        anthropic_ratelimit_requests_remaining="7",
        x_ratelimit_limit_tokens="1000",
        retry_after="5",
        cache_control="max-age=3600",
    )
    assert reader.head == StreamHead(200, reader.headers)
    assert dict(reader.headers) == {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-cache, no-transform",
        "x-accel-buffering": "no",
        "content-location": f"/turns/{reader.turn_id}",
        "turn-id": reader.turn_id,
        "request-id": "req_1",
        "anthropic-organization-id": "org_1",
        "anthropic-ratelimit-unified-status": "allowed",
        "anthropic-ratelimit-requests-remaining": "7",
        "x-ratelimit-limit-tokens": "1000",
    }


def test_the_head_goes_out_after_a_while_whatever_happens() -> None:
    world = World(head_hold=2.0)
    reader = world.ask()
    world.provider.connect()
    world.pass_time(2.0)
    assert is_out(reader)
    world.provider.refuse(400)
    # Too late for a status: the failure is an event.
    assert reader.kinds == ["error"]
    assert not reader.open


def test_a_failure_before_the_head_has_the_providers_status() -> None:
    world = World()
    reader = world.ask()
    error = {"type": "error", "error": {"type": "invalid_request_error", "message": "max_tokens: too many"}}
    world.provider.connect().refuse(400, error, request_id="req_9", set_cookie="a=b")
    assert reader.reply.status == 400
    assert error_of(reader.reply) == error["error"]
    assert reader.headers.get("turn-id") == "made-up-turn-id-1"
    assert reader.headers.get("request-id") == "req_9"
    assert reader.headers.get("set-cookie") is None
    assert reader.headers.get("x-should-retry") == "false"
    assert not reader.open


ONE_ATTEMPT = RetryPolicy(max_attempts=1)


@pytest.mark.parametrize(("status", "shown"), [(404, 404), (529, 529), (302, 502), (204, 502), (304, 502)])
def test_every_refusal_is_an_error(status: int, shown: int) -> None:
    """A status that says that all is well, or elsewhere, would be no answer to what the client asked."""
    world = World(retry=ONE_ATTEMPT)
    reader = world.ask()
    provider = world.provider.connect().head(status, content_length="0")
    provider.close() if provider.want == "close" else provider.end().close()
    assert reader.reply.status == shown
    assert error_of(reader.reply)["message"]


def test_a_provider_that_is_not_there() -> None:
    world = World(retry=ONE_ATTEMPT)
    reader = world.ask()
    world.provider.cut()
    assert reader.reply.status == 502
    assert "can't be reached" in error_of(reader.reply)["message"]


def test_a_provider_that_does_not_answer() -> None:
    world = World(head_hold=1000.0)
    reader = world.ask()
    world.provider.connect()
    world.pass_time(600)
    assert reader.reply.status == 504
    assert error_of(reader.reply)["type"] == "timeout_error"


def test_a_failure_that_was_tried_again_need_not_be_by_the_client() -> None:
    world = World(retry=RetryPolicy(max_attempts=2, initial_delay=0.1))
    reader = world.ask()
    world.provider.connect().refuse(529, OVERLOADED)
    assert reader.head is None
    world.pass_time(0.2)
    world.provider.connect().refuse(529, OVERLOADED)
    assert reader.reply.status == 529
    assert reader.headers.get("x-should-retry") == "false"


RATE_LIMITS = {"anthropic_ratelimit_unified_status": "rejected", "x_ratelimit_remaining_requests": "0"}


@pytest.mark.parametrize("stream", [True, False])
def test_the_providers_rate_limits_reach_the_client(stream: bool) -> None:  # noqa: FBT001
    for refused in (False, True):
        world = World()
        reader = world.read(world.post(stream=stream))
        if refused:
            world.provider.connect().refuse(429, OVERLOADED, retry_after="287441", **RATE_LIMITS)
            assert reader.reply.status == 429
            assert reader.headers.get("retry-after") == "287441"
        else:
            world.provider.connect().head(200, **RATE_LIMITS).send(*WHOLE)
        assert reader.headers.get("anthropic-ratelimit-unified-status") == "rejected"
        assert reader.headers.get("x-ratelimit-remaining-requests") == "0"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
def test_a_refusal_that_is_final_says_so(status: int) -> None:
    world = World()
    reader = world.ask()
    world.provider.connect().refuse(status)
    assert (reader.reply.status, reader.headers.get("x-should-retry")) == (status, "false")


@pytest.mark.parametrize("stream", [True, False])
def test_a_failure_that_no_other_attempt_would_mend_says_so(stream: bool) -> None:  # noqa: FBT001
    """Else an SDK asks three times, and each time it is paid for."""
    world = World(head_hold=1000.0)
    slow = world.read(world.post(stream=stream))
    world.provider.connect()
    world.pass_time(601)
    assert (slow.reply.status, slow.headers.get("x-should-retry")) == (504, "false")
    strange = world.read(world.post(stream=stream))
    world.provider.connect().head(content_type="text/html").end().close()
    assert (strange.reply.status, strange.headers.get("x-should-retry")) == (502, "false")


def test_a_failure_that_may_pass_leaves_it_to_the_client() -> None:
    world = World(retry=ONE_ATTEMPT)
    reader = world.ask()
    world.provider.connect().refuse(529, OVERLOADED)
    assert reader.headers.get("x-should-retry") is None


class TestTheRelaysOwnKey:
    """What its provider says of it is nothing that a client could mend."""

    ERROR: ClassVar[JSON] = {"type": "authentication_error", "message": "invalid key sk-rel...ay"}
    BODY: ClassVar[JSON] = {"type": "error", "error": ERROR}

    @pytest.mark.parametrize("stream", [True, False])
    @pytest.mark.parametrize("status", [401, 407])
    def test_before_the_head(self, status: int, stream: bool) -> None:  # noqa: FBT001
        world = World(api_key="sk-relay")
        reader = world.read(world.post(stream=stream))
        world.provider.connect().refuse(status, self.BODY, request_id="req_1")
        assert reader.reply.status == 502
        assert "this relay's own key" in error_of(reader.reply)["message"]
        assert "sk-" not in str(error_of(reader.reply))
        assert reader.headers.get("x-should-retry") == "false"
        assert reader.headers.get("request-id") == "req_1"

    def test_after_the_head(self) -> None:
        world = World(api_key="sk-relay", head_hold=0.0)
        reader = world.ask({"turn-id": TURN_ID})
        world.pass_time(1)
        world.provider.connect().refuse(401, self.BODY)
        for each in (reader, world.resume(TURN_ID)):
            body = each.events[-1] if each.sse else json.loads(each.reply.body)
            assert body["error"]["type"] == "api_error"
            assert "this relay's own key" in body["error"]["message"]

    def test_within_the_stream(self) -> None:
        world = World(api_key="sk-relay")
        reader = world.ask()
        world.provider.connect().head().send(*BEGINNING, text("x"), self.BODY)
        assert "this relay's own key" in reader.events[-1]["error"]["message"]

    def test_the_clients_own_key_is_the_clients(self) -> None:
        world = World()
        reader = world.ask({"x-api-key": "sk-client"})
        world.provider.connect().refuse(401, self.BODY)
        assert (reader.reply.status, error_of(reader.reply)) == (401, self.BODY["error"])

    def test_what_the_key_may_not_do_is_said_in_the_providers_words(self) -> None:
        world = World(api_key="sk-relay")
        reader = world.ask()
        error = {"type": "permission_error", "message": "no access to this model"}
        world.provider.connect().refuse(403, {"type": "error", "error": error})
        assert (reader.reply.status, error_of(reader.reply)) == (403, error)


@pytest.mark.parametrize("word", ["true", "false"])
def test_the_providers_word_on_trying_again_is_passed_on(word: str) -> None:
    world = World(retry=ONE_ATTEMPT)
    reader = world.ask()
    world.provider.connect().refuse(529, OVERLOADED, x_should_retry=word)
    assert reader.headers.get("x-should-retry") == word


def test_a_delay_that_is_too_long_to_wait_here_is_passed_on() -> None:
    world = World()
    reader = world.ask()
    world.provider.connect().refuse(429, OVERLOADED, retry_after="3600")
    assert reader.reply.status == 429
    assert reader.headers.get("retry-after") == "3600"
    assert reader.headers.get("x-should-retry") is None


@pytest.mark.parametrize("stream", [True, False])
def test_a_quota_that_is_used_up_is_reported_at_once(stream: bool) -> None:  # noqa: FBT001
    """It has the status of a rate limit; that no attempt mends it stands in its body only."""
    world = World()
    reader = world.read(world.post(stream=stream))
    error = {"type": "insufficient_quota", "code": "insufficient_quota", "message": "You have no credit."}
    world.provider.connect().refuse(429, {"error": error})
    assert (reader.reply.status, reader.headers.get("x-should-retry")) == (429, "false")
    assert "You have no credit." in error_of(reader.reply)["message"]


def test_a_short_back_off_holds_the_head_and_a_long_one_sends_it() -> None:
    for delay, out in ((1, False), (30, True)):
        world = World(head_hold=2.0)
        reader = world.ask()
        world.provider.connect().refuse(503, OVERLOADED, retry_after=str(delay))
        assert is_out(reader) is out
        world.pass_time(delay)
        world.provider.answer(*WHOLE)
        assert reader.text == "Scattering."
        assert reader.kinds.count("message_start") == 1
        assert reader.headers.get("turn-id")


def test_a_connection_that_takes_long() -> None:
    world = World(head_hold=2.0)
    reader = world.ask()
    world.pass_time(2.0)
    assert is_out(reader)


def test_stopped_before_the_head() -> None:
    world = World()
    reader = world.ask({"turn-id": TURN_ID})
    assert world.stop(TURN_ID) == "stopped"
    assert is_out(reader)
    assert reader.kinds == ["error"]
    assert reader.events[0]["outcome"] == "stopped"


def test_an_error_event_after_the_providers_head_is_an_event() -> None:
    world = World(retry=ONE_ATTEMPT)
    reader = world.ask()
    world.provider.connect().head().send(message_start(), error_event())
    assert is_out(reader)
    assert reader.kinds[-1] == "error"


def test_a_failure_that_comes_together_with_the_end_of_the_hold() -> None:
    """Both are due at the same moment: the failure is known, so it is the answer."""
    world = World(head_hold=600.0)
    reader = world.ask()
    world.provider.connect()
    reader.stalled = True
    world.now += 600
    world.provider.exchange.handle_timeout(world.now)
    reader.stream.handle_timeout(world.now)
    reader.go_on()
    assert reader.reply.status == 504


@pytest.mark.parametrize("failure", ["refusal", "failed", "truncated"])
def test_who_comes_late_to_a_failed_turn(failure: str) -> None:
    world = World(retry=ONE_ATTEMPT)
    world.ask({"turn-id": TURN_ID})
    provider = world.provider.connect()
    if failure == "refusal":
        provider.refuse(400, OVERLOADED)
    elif failure == "failed":
        provider.head().send(*BEGINNING, text("x"), error_event())
    else:
        provider.head().send(*BEGINNING, text("x")).cut()
    late = world.resume(TURN_ID)
    if failure == "refusal":
        assert late.reply.status == 400
    else:
        assert (late.text, late.kinds[-1]) == ("x", "error")


def test_an_attempt_that_was_accepted_and_then_refused() -> None:
    world = World(retry=RetryPolicy(max_attempts=2, initial_delay=0.1))
    readers: list[Any] = [world.ask({"turn-id": TURN_ID}, stalled=True), world.ask({"turn-id": TURN_ID})]
    world.provider.connect().head(request_id="req_1").send(message_start(), error_event())
    world.provider.close()
    world.pass_time(0.1)
    world.provider.connect().refuse(400, OVERLOADED, request_id="req_2")
    # One had a head already; the other had none, and gets the last answer's status and ID.
    readers[0].go_on()
    assert readers[1].kinds == ["error"]
    assert readers[0].reply.status == 400
    assert readers[0].headers.get("request-id") == "req_2"


def test_a_delay_that_is_a_date_is_read_by_the_wall_clock() -> None:
    """Where the answer has no ``Date``: half a minute is waited for here, an hour is passed on."""
    for moment, status in (("08:50:00", 200), ("09:50:00", 429)):
        world = World()
        reader = world.ask()
        date = f"Sun, 06 Nov 1994 {moment} GMT"
        world.provider.connect().refuse(429, OVERLOADED, retry_after=date)
        assert reader.head is not None
        assert reader.head.status == status
