"""What fails before anything was seen is tried again; what fails after it is reported."""

from __future__ import annotations

import json
import time
from contextlib import closing

import pytest

from sse_core import ServerSentEvent
from tests.relay.e2e.support import JSON, Answer, House


def payloads(answer: Answer) -> list[JSON]:
    return [json.loads(event.data) for event in answer.events()]


def types(events: list[JSON]) -> list[str]:
    return [str(event["type"]) for event in events]


@pytest.mark.parametrize(
    "fault", ["status=429,retry-after=1,times=1", "status=503,retry-after=1,times=1", "error-before,times=1"]
)
def test_a_failure_before_anything_visible_is_retried(house: House, fault: str) -> None:
    began = time.monotonic()
    before = len(house.generations())
    with closing(house.ask(Sim_Fault=fault, Sim_Tokens="5", Sim_TTFT="0.05", Sim_Rate="100")) as answer:
        assert answer.status == 200
        events = payloads(answer)
    assert types(events).count("message_start") == 1
    assert types(events)[-1] == "message_stop"
    assert "error" not in types(events)
    assert [record["state"] for record in house.generations()[before:]] == ["faulted", "completed"]
    if "retry-after" in fault:
        assert time.monotonic() - began >= 1.0
        attempts = house.generations()[before:]
        assert attempts[1]["started"] - attempts[0]["started"] >= 1.0


@pytest.mark.parametrize("fault", ["error-after=5", "cut-after=5", "garbage-after=5"])
def test_a_failure_after_visible_text_is_sent_and_not_repaired(house: House, fault: str) -> None:
    before = len(house.generations())
    with closing(house.ask(Sim_Fault=fault, Sim_Tokens="50", Sim_TTFT="0", Sim_Rate="200")) as answer:
        turn_id = answer.headers["turn-id"]
        events = payloads(answer)
    assert types(events).count("message_start") == 1
    assert types(events)[-1] == "error"
    assert "message_stop" not in types(events)
    assert len(house.generations()) == before + 1
    outcome = house.stop(turn_id)["outcome"]
    assert outcome == ("truncated" if fault.startswith("cut") else "failed")
    assert f"outcome={outcome}" in house.program.wait_for_log(f"INFO .*turn={turn_id}")


def test_a_client_of_the_whole_message_gets_an_error_instead_of_a_part(house: House) -> None:
    body = {"model": "m", "max_tokens": 100, "messages": [{"role": "user", "content": "x"}]}
    with closing(house.ask(body, Sim_Fault="cut-after=5", Sim_TTFT="0", Sim_Rate="0")) as answer:
        assert answer.status == 502
        assert answer.json()["type"] == "error"


def test_what_no_retry_mends_has_the_providers_own_status(house: House) -> None:
    before = len(house.generations())
    with closing(house.ask(Sim_Fault="status=401")) as answer:
        assert answer.status == 401
        assert answer.json()["error"]["type"] == "authentication_error"
    assert len(house.generations()) == before + 1


def test_a_provider_that_stays_busy_is_reported_with_its_own_status(house: House) -> None:
    before = len(house.generations())
    with closing(house.ask(Sim_Fault="status=529")) as answer:
        assert answer.status == 529
        assert answer.json()["error"]["type"] == "overloaded_error"
        # The SDK behind need not multiply the attempts that were made here.
        assert answer.headers["x-should-retry"] == "false"
    assert len(house.generations()) == before + 3


def test_a_delay_that_is_too_long_is_passed_on(house: House) -> None:
    with closing(house.ask(Sim_Fault="status=429,retry-after=3600")) as answer:
        assert answer.status == 429
        assert answer.headers["retry-after"] == "3600"


def test_an_event_that_has_an_id_is_complete(house: House) -> None:
    """Whatever happens, the IDs are consecutive: nothing was lost on the way."""
    with closing(house.ask(Sim_Fault="error-after=5", Sim_Tokens="50", Sim_TTFT="0")) as answer:
        events: list[ServerSentEvent] = list(answer.events())
    numbers = [int(event.last_event_id.rpartition("-")[2]) for event in events]
    assert numbers == list(range(1, len(events) + 1))
