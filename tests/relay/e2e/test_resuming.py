"""A cut connection is taken up again: the text is the same, no token twice, none lost."""

from __future__ import annotations

import json
import random
import secrets
from contextlib import closing
from itertools import islice

import pytest
import trio

import sse_trio
from sse_core import ServerSentEvent
from sse_core.lifecycle import RetryPolicy
from tests.relay.e2e.cutting import cutting
from tests.relay.e2e.support import QUESTION, Answer, House, text_of

PATIENT = RetryPolicy(max_attempts=20, initial_delay=0.01, max_delay=0.05)
HEADERS = {
    "Sim-Tokens": "150",
    "Sim-Rate": "400",
    "Sim-TTFT": "0.05",
    "Turn-On-Disconnect": "detach=10",
    "Content-Type": "application/json",
}


def uncut_text(house: House) -> str:
    with closing(house.ask(Sim_Tokens="150", Sim_Rate="0", Sim_TTFT="0")) as answer:
        return text_of(list(answer.events()))


async def read_all(url: str, method: str, headers: dict[str, str], body: bytes) -> list[ServerSentEvent]:
    with trio.fail_after(20):
        async with sse_trio.connect(url, method=method, headers=headers, body=body, retry=PATIENT) as source:
            return [event async for event in source]


@pytest.mark.parametrize("seed", range(5))
async def test_connect_takes_a_cut_post_up_again(house: House, seed: int) -> None:
    rng = random.Random(seed)
    # The first cut is behind the head: before it, a client can't know that it has a turn.
    cuts = [rng.randrange(500, 4000), *(rng.randrange(1, 4000) for _ in range(7))]
    before = len(house.generations())
    with cutting(house.relay, cuts) as proxy:
        url = f"{proxy.address}/v1/messages"
        events = await read_all(url, "POST", HEADERS, json.dumps(QUESTION).encode())
        assert proxy.connections >= 8
    assert text_of(events) == uncut_text(house)
    assert_consecutive(events)
    # One turn, one generation: nothing was billed twice.
    assert [record["state"] for record in house.generations()[before:-1]] == ["completed"]


async def test_connect_takes_a_turn_up_by_its_own_address(house: House) -> None:
    with closing(house.ask(Sim_Tokens="150", Sim_Rate="400", Turn_On_Disconnect="detach=10")) as answer:
        turn_id = answer.headers["turn-id"]
        first = list(islice(answer.events(), 20))
    with cutting(house.relay, [2500, 900]) as proxy:
        url = f"{proxy.address}/turns/{turn_id}"
        rest = await read_all(url, "GET", {"Last-Event-ID": first[-1].last_event_id}, b"")
    assert text_of(first + rest) == uncut_text(house)
    assert_consecutive(first + rest)


def assert_consecutive(events: list[ServerSentEvent]) -> None:
    numbers = [int(event.last_event_id.rpartition("-")[2]) for event in events]
    assert numbers == list(range(1, len(events) + 1))


def test_a_turn_can_be_read_again_from_any_event(house: House) -> None:
    with closing(house.ask(Sim_Tokens="20", Sim_Rate="0", Sim_TTFT="0", Sim_Tool="1")) as answer:
        turn_id = answer.headers["turn-id"]
        events = list(answer.events())
    for position in range(len(events)):
        field = {"Last_Event_ID": events[position - 1].last_event_id} if position else {}
        with closing(house.get(f"/turns/{turn_id}", **field)) as again:
            assert list(again.events()) == events[position:]
    with closing(house.get(f"/turns/{turn_id}", Last_Event_ID=events[-1].last_event_id)) as at_the_end:
        assert at_the_end.status == 204


def test_a_detached_turn_goes_on_and_is_kept(house: House) -> None:
    answer = house.ask(Sim_Tokens="60", Sim_Rate="200", Sim_TTFT="0", Turn_On_Disconnect="detach=10")
    turn_id = answer.headers["turn-id"]
    first = list(islice(answer.events(), 10))
    answer.close()
    with closing(house.get(f"/turns/{turn_id}", Last_Event_ID=first[-1].last_event_id)) as again:
        rest = list(again.events())
    assert_consecutive(first + rest)
    assert json.loads(rest[-1].data)["type"] == "message_stop"


def test_the_same_request_again_is_the_same_turn(house: House) -> None:
    """A client whose connection broke before the head came asks again, and isn't billed twice."""
    before = len(house.generations())
    turn_id = secrets.token_urlsafe(16)
    headers = {"Turn_Id": turn_id, "Sim_Tokens": "20", "Sim_TTFT": "0", "Turn_On_Disconnect": "detach=10"}
    house.ask(**headers).close()
    with closing(house.ask(**headers)) as again:
        assert again.headers["turn-id"] == turn_id
        assert_consecutive(list(again.events()))
    assert len(house.generations()) == before + 1
    with closing(house.ask({**QUESTION, "max_tokens": 7}, **headers)) as other:
        assert other.status == 409


def test_nobody_reads_anothers_turn(house: House) -> None:
    with closing(house.ask(Sim_Tokens="5", Sim_TTFT="0", X_Api_Key="alice")) as answer:
        turn_id = answer.headers["turn-id"]
        events = list(answer.events())
        assert events
    for headers in ({}, {"X_Api_Key": "bob"}, {"Authorization": "Bearer bob"}):
        with closing(house.get(f"/turns/{turn_id}", **headers)) as refused:
            assert refused.status == 404
        with closing(Answer("DELETE", house.relay, f"/turns/{turn_id}", headers)) as refused:
            assert refused.status == 404
    with closing(house.get(f"/turns/{turn_id}", X_Api_Key="alice")) as own:
        assert list(own.events()) == events


def test_an_id_that_is_no_position_of_the_turn_is_refused(house: House) -> None:
    with closing(house.ask(Sim_Tokens="5", Sim_TTFT="0")) as answer:
        turn_id = answer.headers["turn-id"]
        list(answer.events())
    for event_id in ("x", "other-1", f"{turn_id}-99999", f"{turn_id}--1", f"{turn_id}-\u00b2"):
        with closing(house.get(f"/turns/{turn_id}", Last_Event_ID=event_id)) as refused:
            assert refused.status == 400
    with closing(house.ask(Last_Event_ID="gone-12")) as unknown:
        assert unknown.status == 404
